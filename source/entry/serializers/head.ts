import {Buffer} from 'node:buffer';
import {UnreadableError} from './unreadable.ts';

/**
By what the bytes that the library's own stages give are known: `GC`, a letter for the stage, a version.
*/
type HeadLetter = 'H' | '8' | 'Z' | 'S' | 'E';

const headLength = 4;

/** Every stage counts its own versions; all are at their first. */
const headVersion = 1;

// eslint-disable-next-line @typescript-eslint/no-restricted-types -- Numbers are written to it and read from it.
type Bytes = Buffer;

/** Bytes with room for a payload, which begins at `start`. */
export function headed(letter: HeadLetter, length: number): {readonly bytes: Bytes; readonly start: number} {
	const bytes = Buffer.allocUnsafe(headLength + length);
	bytes.write(`GC${letter}`, 'latin1');
	bytes[3] = headVersion;
	return {bytes, start: headLength};
}

/**
What follows the head.

@throws {UnreadableError} Where the head is another.
*/
export function payloadOf(letter: HeadLetter, value: Uint8Array): Bytes {
	const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
	if (bytes.length < headLength || bytes.toString('latin1', 0, 3) !== `GC${letter}`) {
		throw new UnreadableError('format');
	}

	if (bytes[3] !== headVersion) {
		throw new UnreadableError('version');
	}

	return bytes.subarray(headLength);
}
