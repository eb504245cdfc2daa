import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';

const nameBytes = 16;

// A call of `randomBytes` for each name would take ten times as much memory as the name.
let pool = Buffer.alloc(0);
let position = 0;

/** Makes a unique name without spaces. V8 stores a string of `randomUUID` as a tree of single bytes, which takes as much memory as everything else of an entry beside its body, and time when a store reads it. */
export function randomName(): string {
	if (position === pool.length) {
		pool = randomBytes(128 * nameBytes);
		position = 0;
	}

	position += nameBytes;
	return pool.toString('base64url', position - nameBytes, position);
}
