import {Buffer} from 'node:buffer';
import process from 'node:process';
import test from 'ava';
import {fc} from '../../helpers/fast-check.ts';
import {serializerOf} from '../../../source/cache/stored-values.ts';
import {Entries} from '../../../source/cache/entries.ts';
import {formatNames} from '../../../source/entry/serializers/formats.ts';
import {SerializerPipeline} from '../../../source/entry/serializers/pipeline.ts';
import {UnreadableError} from '../../../source/entry/serializers/stage.ts';
import {bodyBytes} from '../../../source/entry/stored-response.ts';
import {MemoryStore} from '../../../source/stores/memory.ts';
import {seed} from '../../helpers/seed.ts';
import {response, stages} from './samples.ts';

// `npm run test:nightly` runs what a release should.
const runs = Number(process.env.FUZZ ?? 2000);

/** Creates a fast generator of numbers below `limit`. Those of fast-check are too slow for this many. */
function generator(start: number): (limit: number) => number {
	let state = start;
	return limit => {
		// The algorithm Mulberry32.
		/* eslint-disable no-bitwise, unicorn/prefer-math-trunc -- It is made of bits. */
		state = (state + 0x6D_2B_79_F5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
		/* eslint-enable no-bitwise, unicorn/prefer-math-trunc */
	};
}

/** Returns an entry with one to three bit flips, cuts or splices. */
function mutated(entries: readonly Uint8Array[], random: (limit: number) => number): Uint8Array {
	let bytes = Uint8Array.from(entries[random(entries.length)]!);
	for (let count = random(3); count >= 0; count--) {
		const at = random(bytes.length + 1);
		const kind = random(8);
		if (kind < 4) {
			bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8)); // eslint-disable-line no-bitwise
		} else if (kind === 4) {
			bytes[at] = [0, 0x7F, 0x80, 0xFF][random(4)]!;
		} else if (kind === 5) {
			bytes = bytes.slice(0, at);
		} else {
			const other = entries[random(entries.length)]!;
			const from = random(other.length);
			bytes = Uint8Array.from([...bytes.subarray(0, at), ...other.subarray(from, from + random(40)), ...bytes.subarray(kind === 6 ? at : at + random(40))]);
		}
	}

	return bytes;
}

const originals = [
	response('{"name":"Ada","list":[1,2.5,null]}'),
	response('plain text', {rawHeaders: ['Content-Type', 'text/plain', 'Vary', 'Accept'], vary: {names: ['accept'], digest: 'x'}, tags: ['a']}),
	response(Buffer.from('00ff10', 'hex'), {expires: 1_767_225_700_000.5, rawHeaders: []}),
];

// Each format for bytes or text, and each stage on the binary format.
const pipelines = [
	...formatNames.filter(name => name !== 'document').map(name => [name, new SerializerPipeline([name], {decodeContent: true})] as const),
	...Object.entries(stages).slice(1).map(([name, following]) => [name, new SerializerPipeline(following)] as const),
];

for (const [name, serializer] of pipelines) {
	// Reading YAML is fifty times slower than the others.
	const count = name === 'yaml' && process.env.FUZZ === undefined ? runs / 4 : runs;

	test.serial(`each of ${count} corrupted entries is read or throws an UnreadableError: ${name}`, async t => {
		t.timeout(15 * 60_000);
		const store = Object.assign(new MemoryStore(), {valueType: 'bytes', name: 'fake'});
		let reason: unknown;
		const entries = new Entries({
			store,
			serializer: serializerOf(store, {serializer}),
			maxBytes: 1_000_000,
			timeout: 1000,
			beforeWrite() {},
			onUnreadable(_key, error) {
				reason = error;
			},
		});
		const written = originals.map(original => {
			void entries.write('key', original);
			return store.get('key') as Uint8Array;
		});
		const bodies = new Set(originals.map(({body}) => Buffer.from(bodyBytes(body)).toString('latin1')));
		const authentic = new Set(written.map(bytes => Buffer.from(bytes).toString('latin1')));
		const random = generator(seed);
		let read = 0;
		for (let run = 0; run < count; run++) {
			const bytes = mutated(written, random);
			store.set('key', bytes, {expires: undefined});
			const stored = await entries.read('key');
			const isSealed = name === 'signed' || name === 'encrypted';
			const isAuthentic = stored !== undefined && authentic.has(Buffer.from(bytes).toString('latin1')) && bodies.has(Buffer.from(bodyBytes(stored.body)).toString('latin1'));
			t.true(stored === undefined ? reason instanceof UnreadableError : !isSealed || isAuthentic, `seed ${seed}, run ${run}`);
			read += stored === undefined ? 0 : 1;
		}

		t.log(`seed ${seed}; ${read} of ${count} read`);
	});
}

test('any document is read as an entry or throws an UnreadableError', t => {
	const pipeline = new SerializerPipeline(['document']);
	let refusals = 0;
	fc.assert(fc.property(fc.object({
		withNullPrototype: true, withSparseArray: true, withTypedArray: true, withBigInt: true, withDate: true,
	}), fc.constantFrom(...originals), (rubbish, original) => {
		const document = {...pipeline.dumps(original, {key: 'key', maxBytes: 1_000_000}) as object, ...rubbish};
		for (const value of [rubbish, document, {...document, body: rubbish}, {...document, body: {json: rubbish}}]) {
			try {
				void pipeline.loads(value, {key: 'key', maxBytes: 1_000_000});
			} catch (error) {
				refusals++;
				if (!(error instanceof UnreadableError)) {
					throw error;
				}
			}
		}
	}), {seed});
	t.log(`seed ${seed}`);
	t.true(refusals > 0);
});
