import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import zlib from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {compressed} from '../../../source/entry/serializers/compression.ts';
import {encrypted, type EncryptedOptions, signed} from '../../../source/entry/serializers/cryptography.ts';
import {initSerializer, SerializerPipeline} from '../../../source/entry/serializers/pipeline.ts';
import {
	type Stage,
	type StageContext,
	UnreadableError,
	type UnreadableReason,
} from '../../../source/entry/serializers/stage.ts';
import {
	context,
	encryptionKey,
	facts,
	response,
} from './samples.ts';

const stored = response(JSON.stringify({items: Array.from({length: 100}, (_, index) => ({id: index}))}));
const otherKey: StageContext = {...context, key: 'http_cache:1:other'};

const dumps = (stage: Stage, of = stored): Uint8Array => initSerializer(stage).dumps(of, context) as Uint8Array;

function refused(t: ExecutionContext, reason: UnreadableReason, read: () => unknown): void {
	t.is(t.throws(read, {instanceOf: UnreadableError, code: 'ERR_SERIALIZER_UNREADABLE'})?.reason, reason);
}

function changed(bytes: Uint8Array, index: number): Uint8Array {
	const copy = Uint8Array.from(bytes);
	copy[index]! ^= 1; // eslint-disable-line no-bitwise
	return copy;
}

for (const algorithm of ['zstd', 'br', 'gzip'] as const) {
	test(`${algorithm} makes entries smaller, and any setting of the stage reads them`, t => {
		const plain = initSerializer('binary').dumps(stored, context) as Uint8Array;
		const bytes = dumps(compressed(algorithm));
		t.true(bytes.byteLength < plain.byteLength / 2);
		for (const reader of ['zstd', 'br', 'gzip'] as const) {
			t.deepEqual(facts(initSerializer(compressed(reader)).loads(bytes, context) as typeof stored), facts(stored));
		}
	});

	test(`a ${algorithm} bomb is not unpacked`, async t => {
		const bomb = compressed(algorithm).dumps(Buffer.alloc(10_000_000), context);
		const bytes = await bomb;
		t.true(bytes.byteLength < 20_000);
		const error = await t.throwsAsync(async () => initSerializer(compressed(algorithm)).loads(bytes, {...context, maxBytes: 1_000_000}), {instanceOf: UnreadableError});
		t.is(error?.reason, 'too-large');
	});

	test(`what ${algorithm} has cut short cannot be read`, t => {
		const bytes = dumps(compressed(algorithm));
		t.throws(() => initSerializer(compressed(algorithm)).loads(bytes.subarray(0, bytes.byteLength / 2), context), {instanceOf: UnreadableError});
	});
}

test('a great window is not allocated for zstd', t => {
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
	refused(t, 'format', () => initSerializer(compressed('zstd')).loads(packed(16), context));
});

test('what could not be read again is not compressed', t => {
	t.throws(() => compressed('zstd').dumps(new Uint8Array(11), {...context, maxBytes: 10}), {instanceOf: RangeError});
});

test('what is small, coded already or does not become smaller is not compressed', t => {
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

test('small entries are compressed at once, big ones beside the event loop', async t => {
	const pipeline = initSerializer(compressed('zstd'));
	const big = response(Buffer.alloc(1_000_000, 'some text'));
	t.true(dumps(compressed('zstd')) instanceof Uint8Array);
	const later = pipeline.dumps(big, context);
	t.true(later instanceof Promise);
	t.deepEqual(facts(await pipeline.loads(await later, context)), facts(big));
});

test('a signed entry that was changed, moved, or signed with another secret cannot be read', t => {
	const pipeline = initSerializer(signed({secret: 'secret'}));
	const bytes = dumps(signed({secret: 'secret'}));
	t.deepEqual(facts(pipeline.loads(bytes, context) as typeof stored), facts(stored));
	for (let index = 4; index < bytes.byteLength; index++) {
		refused(t, 'signature', () => pipeline.loads(changed(bytes, index), context));
	}

	refused(t, 'signature', () => pipeline.loads(bytes, otherKey));
	refused(t, 'signature', () => initSerializer(signed({secret: Buffer.from('other')})).loads(bytes, context));
	refused(t, 'truncated', () => pipeline.loads(bytes.subarray(0, 20), context));
	refused(t, 'signature', () => pipeline.loads(bytes.subarray(0, 100), context));
});

test('an encrypted entry that was changed, moved, or is of another key cannot be read', t => {
	const pipeline = initSerializer(encrypted({key: encryptionKey}));
	const bytes = dumps(encrypted({key: encryptionKey}));
	t.deepEqual(facts(pipeline.loads(bytes, context) as typeof stored), facts(stored));
	for (let index = 4; index < bytes.byteLength; index++) {
		refused(t, index < 12 ? 'key' : 'signature', () => pipeline.loads(changed(bytes, index), context));
	}

	refused(t, 'signature', () => pipeline.loads(bytes, otherKey));
	refused(t, 'key', () => initSerializer(encrypted({key: randomBytes(32)})).loads(bytes, context));
	refused(t, 'truncated', () => pipeline.loads(bytes.subarray(0, 30), context));
	refused(t, 'signature', () => pipeline.loads(bytes.subarray(0, 100), context));
});

test('an encrypted entry tells nothing of the response, and no two are alike', t => {
	const stage = encrypted({key: encryptionKey});
	const [first, second] = [Buffer.from(dumps(stage)), Buffer.from(dumps(stage))];
	t.false(first.includes('example.com') || first.includes('ETag') || first.includes('items'));
	t.false(first.equals(second));
	t.false(first.subarray(12, 24).equals(second.subarray(12, 24)));
});

test('keys are rotated: the first encrypts, all decrypt', t => {
	const [old, latest] = [randomBytes(32), randomBytes(32)];
	const before = dumps(encrypted({key: old.toString('hex')}));
	const rotated = initSerializer(encrypted({keys: [latest.toString('base64'), old]}));
	t.deepEqual(facts(rotated.loads(before, context) as typeof stored), facts(stored));

	const after = rotated.dumps(stored, context) as Uint8Array;
	t.deepEqual(facts(initSerializer(encrypted({key: latest})).loads(after, context) as typeof stored), facts(stored));
	refused(t, 'key', () => initSerializer(encrypted({key: old})).loads(after, context));
});

test('wrong options are refused, and secrets are not told', t => {
	const secret = 'a secret that is not long enough';
	const wrong = [
		() => encrypted({key: secret}),
		() => encrypted({keys: [encryptionKey, secret]}),
		() => encrypted({keys: secret as never}),
		() => encrypted({keys: []}),
		() => encrypted({} as EncryptedOptions),
		() => encrypted({key: encryptionKey, keys: [encryptionKey]}),
		() => encrypted({key: encryptionKey, [secret.slice(0, 3)]: secret}),
		() => encrypted(secret as never),
		() => signed({secret: ''}),
		() => signed({secret: 1 as never}),
		() => signed(secret as never),
		() => compressed('lzma' as never),
		() => compressed('zstd', {threshold: -1}),
		() => compressed('zstd', {level: 3} as never),
	];
	for (const make of wrong) {
		const error = t.throws(make, {instanceOf: TypeError, code: 'ERR_CACHE_SETTING'});
		t.false(error?.message.includes(secret));
	}
});

test('a stage of another\'s may be asynchronous, and what it throws is a miss', async t => {
	const reversed: Stage<'bytes', 'bytes'> = {
		name: 'reversed',
		takes: 'bytes',
		gives: 'bytes',
		dumps: async bytes => bytes.toReversed(),
		async loads(bytes, {key}) {
			if (key !== context.key) {
				throw new Error('no');
			}

			return bytes.toReversed();
		},
	};
	const pipeline = new SerializerPipeline(['json', reversed, signed({secret: 'secret'})]);
	const bytes = await pipeline.dumps(stored, context);
	t.deepEqual(facts(await pipeline.loads(bytes, context)), facts(stored));
	const unsigned = new SerializerPipeline(['json', reversed]);
	const error = await t.throwsAsync(async () => unsigned.loads(await unsigned.dumps(stored, context), otherKey), {instanceOf: UnreadableError});
	t.is((error?.cause as Error).message, 'no');
});
