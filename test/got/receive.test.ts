import {Buffer} from 'node:buffer';
import test from 'ava';
import {BodyCopy} from '../../source/got/receive.ts';
import {fc} from '../helpers/fast-check.ts';

function copyOf(chunks: readonly Uint8Array[], announced?: number): Uint8Array {
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
			return Buffer.concat(chunks).equals(copy) && copy.buffer.byteLength === copy.byteLength;
		}));
	});
});

test('the copy has the bytes that arrived, of the length that was announced', t => {
	t.notThrows(() => {
		fc.assert(fc.property(fc.array(fc.uint8Array({maxLength: 300}), {maxLength: 8}), chunks => {
			const body = Buffer.concat(chunks);
			return body.equals(copyOf(chunks, body.byteLength));
		}));
	});
});

test('no more is reserved than 64 times what has arrived', t => {
	// Memory of this length cannot be had.
	const copy = new BodyCopy(Number.MAX_SAFE_INTEGER);
	copy.add(Uint8Array.of(1, 2));
	copy.add(Uint8Array.of(3));
	t.deepEqual([...copy.take()], [1, 2, 3]);
	t.is(copy.byteLength, 3);
});
