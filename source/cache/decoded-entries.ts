import {Buffer} from 'node:buffer';
import {crc32} from 'node:zlib';
import {storedSize, type StoredResponse} from '../entry/stored-response.ts';
import {UnreadableError} from '../entry/serializers/stage.ts';
import type {StoredValue} from '../stores/types.ts';
import {heldSize} from './stored-values.ts';

type Decoded = {readonly value: string | Uint8Array; readonly stored: StoredResponse; readonly bytes: number};

// What is read again and again is little; a large value takes longer to compare than its metadata to parse.
const longest = 65_536;
const mostBytes = 8_388_608;

/**
Entries that were decoded lately, with what they were decoded from: what a store gives once more, to the letter, need not be decoded once more.
*/
export class DecodedEntries {
	readonly #entries = new Map<string, Decoded>();
	#bytes = 0;

	/** The entry, if this is what it was decoded from. */
	get(key: string, value: StoredValue): StoredResponse | undefined {
		const known = this.#entries.get(key);
		return known !== undefined && isSame(known.value, value) ? known.stored : undefined;
	}

	set(key: string, value: StoredValue, stored: StoredResponse): void {
		if (!isPlain(value) || value.length > longest) {
			return;
		}

		this.delete(key);
		// What was compressed is larger now.
		const bytes = heldSize(value)! + storedSize(stored);
		if (bytes > mostBytes / 8) {
			return;
		}

		this.#entries.set(key, {value, stored, bytes});
		this.#bytes += bytes;
		for (const oldest of this.#entries.keys()) {
			if (this.#bytes <= mostBytes) {
				break;
			}

			this.delete(oldest);
		}
	}

	delete(key: string): void {
		const known = this.#entries.get(key);
		if (known === undefined) {
			return;
		}

		this.#entries.delete(key);
		this.#bytes -= known.bytes;
	}
}

function isPlain(value: StoredValue): value is string | Uint8Array {
	return typeof value === 'string' || value instanceof Uint8Array;
}

function isSame(known: string | Uint8Array, value: StoredValue): boolean {
	return typeof known === 'string' || !(value instanceof Uint8Array) ? known === value : Buffer.compare(known, value) === 0;
}

/**
A checksum of an entry and of the key under which it lies: storage that flips a bit, or gives what lies elsewhere, is found out. It is none against those who mean harm, who can make one.
*/
export function checkOf(key: string, {url, method, statusCode, statusMessage, rawHeaders, createdAt, initialAge, expires, retainUntil, codings, decidedBy, generation, vary, primary, facts, body}: StoredResponse): string {
	// The order is fixed here, since a store may change that of an object's members. `null` stands for a member of older versions, so that their entries still pass.
	const parts = [key, url, method, statusCode, statusMessage, rawHeaders, createdAt, initialAge, expires, retainUntil, codings, decidedBy, generation, vary?.names, vary?.digest, null, primary, ...inOrder(facts)];
	return crc32(body, crc32(JSON.stringify(parts))).toString(16);
}

/** The members of the facts in a fixed order; none where there are no facts, as in entries of older versions. */
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
