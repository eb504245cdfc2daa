import {Buffer} from 'node:buffer';
import type {StoredResponse} from './stored-response.ts';

/** What a string, a number or an object costs beside what is in it. */
const overhead = 16;

/**
Bytes that a stored response takes: its body, and all that is stored beside it, such as header lines, tags and the body of its request. Every bound on bytes counts them, and so does `cache.size()`.
*/
export function storedSize({fields: _fields, ...stored}: StoredResponse): number {
	// The values of `fields` are those of `rawHeaders`.
	return sizeOf(stored);
}

/**
Bytes of a text, in memory and as UTF-8, whichever is more: V8 keeps a text in two bytes a character, unless all are of Latin-1.
*/
export function textSize(text: string): number {
	const bytes = Buffer.byteLength(text);
	return bytes === text.length ? bytes : Math.max(bytes, 2 * text.length);
}

function sizeOf(value: unknown): number {
	if (typeof value === 'string') {
		return overhead + textSize(value);
	}

	if (value instanceof Uint8Array) {
		return overhead + value.byteLength;
	}

	let bytes = overhead;
	if (typeof value === 'object' && value !== null) {
		for (const member of Object.values(value)) {
			bytes += sizeOf(member);
		}
	}

	return bytes;
}
