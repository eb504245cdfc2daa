import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import zlib from 'node:zlib';
import test from 'ava';
import {compressed} from '../../../source/entry/serializers/compression.ts';
import {initSerializer} from '../../../source/entry/serializers/pipeline.ts';
import {UnreadableError, type Stage} from '../../../source/entry/serializers/stage.ts';
import {context, facts, response} from './samples.ts';

const stored = response(JSON.stringify({items: Array.from({length: 100}, (_, index) => ({id: index}))}));

const dumps = (stage: Stage, of = stored): Uint8Array => initSerializer(stage).dumps(of, context) as Uint8Array;

for (const algorithm of ['zstd', 'br', 'gzip'] as const) {
	test(`${algorithm} makes entries smaller, and every algorithm of the stage reads them`, t => {
		const plain = initSerializer('binary').dumps(stored, context) as Uint8Array;
		const bytes = dumps(compressed(algorithm));
		t.true(bytes.byteLength < plain.byteLength / 2);
		for (const reader of ['zstd', 'br', 'gzip'] as const) {
			t.deepEqual(facts(initSerializer(compressed(reader)).loads(bytes, context) as typeof stored), facts(stored));
		}
	});

	test(`a ${algorithm} bomb is not decompressed`, async t => {
		const bomb = compressed(algorithm).dumps(Buffer.alloc(10_000_000), context);
		const bytes = await bomb;
		t.true(bytes.byteLength < 20_000);
		const error = await t.throwsAsync(async () => initSerializer(compressed(algorithm)).loads(bytes, {...context, maxBytes: 1_000_000}), {instanceOf: UnreadableError});
		t.is(error?.reason, 'too-large');
	});

	test(`a truncated ${algorithm} entry cannot be read`, t => {
		const bytes = dumps(compressed(algorithm));
		t.throws(() => initSerializer(compressed(algorithm)).loads(bytes.subarray(0, bytes.byteLength / 2), context), {instanceOf: UnreadableError});
	});
}

test('a large window is not allocated for zstd', t => {
	const entry = initSerializer('binary').dumps(stored, context) as Uint8Array;
	// RFC 8878: a frame whose window is 2 ** (10 + exponent) bytes, with one raw block, the last.
	const frame = (exponent: number): Uint8Array => {
		const head = Buffer.from('28b52ffd0000000000', 'hex');
		head[5] = exponent * 8;
		head.writeUIntLE((entry.byteLength * 8) + 1, 6, 3);
		return Buffer.concat([head, entry]);
	};

	const packed = (exponent: number): Uint8Array => Buffer.concat([Buffer.from('GCZ\u{1}\u{1}'), frame(exponent)]);
	t.is(Buffer.compare(zlib.zstdDecompressSync(frame(16)), entry), 0);
	t.deepEqual(facts(initSerializer(compressed('zstd')).loads(packed(10), context) as typeof stored), facts(stored));
	const error = t.throws(() => initSerializer(compressed('zstd')).loads(packed(16), context), {instanceOf: UnreadableError});
	t.is(error?.reason, 'format');
});

test('an entry that could not be read again is not compressed', t => {
	t.throws(() => compressed('zstd').dumps(new Uint8Array(11), {...context, maxBytes: 10}), {instanceOf: RangeError});
});

test('an entry that is small, already compressed or incompressible is not compressed', t => {
	const size = (of: typeof stored, options = {}): number => dumps(compressed('gzip', options), of).byteLength - (initSerializer('binary').dumps(of, context) as Uint8Array).byteLength;
	const text = 'x'.repeat(2000);
	t.true(size(response(text)) < 0);
	t.is(size(response('x'.repeat(300))), 5);
	t.true(size(response('x'.repeat(300)), {threshold: 300}) < 0);
	t.is(size(response(text, {rawHeaders: ['Content-Encoding', 'gzip']})), 5);
	t.is(size(response(text, {rawHeaders: ['Content-Type', 'image/jpeg']})), 5);
	t.true(size(response(text, {rawHeaders: ['Content-Type', 'image/svg+xml']})) < 0);
	t.true(size(response(randomBytes(2000), {rawHeaders: []}), {threshold: 0}) <= 5);
});

test('small entries are compressed synchronously, and large ones in the thread pool', async t => {
	const pipeline = initSerializer(compressed('zstd'));
	const big = response(Buffer.alloc(1_000_000, 'some text'));
	t.true(dumps(compressed('zstd')) instanceof Uint8Array);
	const later = pipeline.dumps(big, context);
	t.true(later instanceof Promise);
	t.deepEqual(facts(await pipeline.loads(await later, context)), facts(big));
});

test('an invalid algorithm, threshold or option is refused', t => {
	for (const make of [() => compressed('lzma' as never), () => compressed('zstd', {threshold: -1}), () => compressed('zstd', {level: 3} as never)]) {
		t.throws(make, {instanceOf: TypeError, code: 'ERR_CACHE_SETTING'});
	}

	t.throws(() => compressed('zstd', {level: 3} as never), {message: /Unknown option `compressed\.level`\. The only option is `threshold`/v});
});
