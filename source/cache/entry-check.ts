import {crc32} from 'node:zlib';
import type {StoredResponse} from '../model/stored-response.ts';
import {UnreadableError} from '../serializers/unreadable.ts';

/**
A checksum of an entry and of the key under which it lies: storage that flips a bit, or gives what lies elsewhere, is found out. It is none against those who mean harm, who can make one.
*/
export function checkOf(key: string, {url, method, statusCode, statusMessage, rawHeaders, createdAt, initialAge, expires, retainUntil, codings, decidedBy, generation, vary, primary, facts, body}: StoredResponse): string {
	// In an order of our own, for a store may have its own. The place of a member that is gone stays, so that older entries pass.
	const parts = [key, url, method, statusCode, statusMessage, rawHeaders, createdAt, initialAge, expires, retainUntil, codings, decidedBy, generation, vary?.names, vary?.digest, null, primary, ...inOrder(facts)];
	return crc32(body, crc32(JSON.stringify(parts))).toString(16);
}

/** None where there are none, as in what an older version wrote. */
function inOrder(facts: object | undefined): ReadonlyArray<readonly [string, unknown]> {
	return facts === undefined ? [] : Object.entries(facts).toSorted(([one], [other]) => one < other ? -1 : 1);
}

/**
Refuses what is not what was written under the key. What an older version wrote has no checksum, nor has a live object.

@returns The entry without its checksum, which would not be that of what is made of it.
@throws {UnreadableError} `format`
*/
export function verify(key: string, entry: StoredResponse): StoredResponse {
	if (entry.check === undefined) {
		return entry;
	}

	const {check, ...stored} = entry;
	if (check !== checkOf(key, stored)) {
		throw new UnreadableError('format', {cause: new TypeError('The entry is not what was written under its key')});
	}

	return stored;
}
