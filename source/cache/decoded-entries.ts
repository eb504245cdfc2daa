import {Buffer} from 'node:buffer';
import type {StoredResponse} from '../model/stored-response.ts';
import type {StoredValue} from '../stores/types.ts';

type Decoded = {readonly value: string | Uint8Array; readonly stored: StoredResponse};

// What is read again and again is little; a large value takes longer to compare than its metadata to parse.
const longest = 65_536;
const mostBytes = 4_194_304;

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
		this.#entries.set(key, {value, stored});
		this.#bytes += value.length;
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
		this.#bytes -= known.value.length;
	}
}

function isPlain(value: StoredValue): value is string | Uint8Array {
	return typeof value === 'string' || value instanceof Uint8Array;
}

function isSame(known: string | Uint8Array, value: StoredValue): boolean {
	return typeof known === 'string' || !(value instanceof Uint8Array) ? known === value : Buffer.compare(known, value) === 0;
}
