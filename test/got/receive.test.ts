import {Buffer} from 'node:buffer';
import test from 'ava';
import {bodyBytes, partsOfBody, type Body} from '../../source/entry/stored-response.ts';
import {BodyCopy} from '../../source/got/receive.ts';
import {fc} from '../helpers/fast-check.ts';

function copyOf(chunks: readonly Uint8Array[], announced?: number): Body {
	const copy = new BodyCopy(announced);
	for (const chunk of chunks) {
		const given = Uint8Array.from(chunk);
		copy.add(given);
		// The reader may change the chunk.
		given.fill(0);
	}

	return copy.take();
}

test('the copy has the bytes that arrived, whatever length was announced, and a buffer of its own', t => {
	const chunk = fc.uint8Array({maxLength: 300});
	t.notThrows(() => {
		fc.assert(fc.property(fc.array(chunk, {maxLength: 8}), fc.option(fc.nat(1500), {nil: undefined}), (chunks, announced) => {
			const copy = copyOf(chunks, announced);
			return Buffer.concat(chunks).equals(bodyBytes(copy)) && partsOfBody(copy).every(part => part.buffer.byteLength === part.byteLength);
		}));
	});
});

test('the copy has the bytes that arrived, of the length that was announced', t => {
	t.notThrows(() => {
		fc.assert(fc.property(fc.array(fc.uint8Array({maxLength: 300}), {maxLength: 8}), chunks => {
			const body = Buffer.concat(chunks);
			return body.equals(bodyBytes(copyOf(chunks, body.byteLength)));
		}));
	});
});

test('no more is reserved than 64 times what has arrived', t => {
	// Memory of this length cannot be had.
	const copy = new BodyCopy(Number.MAX_SAFE_INTEGER);
	copy.add(Uint8Array.of(1, 2));
	copy.add(Uint8Array.of(3));
	t.deepEqual([...bodyBytes(copy.take())], [1, 2, 3]);
	t.is(copy.byteLength, 3);
});

const mebibyte = 1024 * 1024;

for (const announces of [true, false]) {
	for (const [chunkSize, size, lengths] of [
		[65_536, mebibyte, [mebibyte]],
		[65_536, mebibyte + 1, [mebibyte, 1]],
		[70_000, (2 * mebibyte) + 5, [mebibyte, mebibyte, 5]],
		[mebibyte, 3 * mebibyte, [mebibyte, mebibyte, mebibyte]],
		[5_000_000, 5_000_000, [mebibyte, mebibyte, mebibyte, mebibyte, 5_000_000 - (4 * mebibyte)]],
		[7, 100_000, [100_000]],
	] as const) {
		test(`a body of ${size} bytes in chunks of ${chunkSize}, whose length is ${announces ? '' : 'not '}announced, is copied to parts of at most 1 MiB`, t => {
			const body = Buffer.from(Uint8Array.from({length: size}, (_, index) => (index * 31) % 251));
			const chunks = Array.from({length: Math.ceil(size / chunkSize)}, (_, index) => body.subarray(index * chunkSize, (index + 1) * chunkSize));
			const copy = copyOf(chunks.map(chunk => Uint8Array.from(chunk)), announces ? size : undefined);
			t.is(copy instanceof Uint8Array, lengths.length === 1);
			t.deepEqual(partsOfBody(copy).map(({byteLength}) => byteLength), [...lengths]);
			t.true(partsOfBody(copy).every(part => part.buffer.byteLength === part.byteLength));
			t.true(body.equals(bodyBytes(copy)));
		});
	}
}
