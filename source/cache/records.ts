import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import type {Store, StoredValue} from '../stores/types.ts';

/**
Reads a record: a short text that the cache keeps for itself in the store, beside the entries.

@returns An empty text where the value is no record, `undefined` where there is none.
*/
export function readRecord(store: Store, key: string): MaybePromise<string | undefined> {
	return then(store.get(key), value => value === undefined ? undefined : decode(value));
}

/** Writes a record. `expires` is in milliseconds since the epoch; `undefined` keeps the record for good. */
export function writeRecord(store: Store, key: string, text: string, expires?: number): MaybePromise<void> {
	return store.set(key, encode(text, store.valueType), {expires, size: text.length});
}

/**
Writes a record unless the key has one.

@returns Whether it was written; `undefined` where the store has no `add`.
*/
export function addRecord(store: Store, key: string, text: string, expires?: number): MaybePromise<boolean> | undefined {
	return store.add?.(key, encode(text, store.valueType), {expires, size: text.length});
}

function encode(text: string, valueType: Store['valueType']): StoredValue {
	switch (valueType) {
		case 'objects':
		case 'documents': {
			return {record: text};
		}

		case 'bytes': {
			return new TextEncoder().encode(text);
		}

		case 'text': {
			return text;
		}
	}
}

function decode(value: StoredValue): string {
	const text: unknown = value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
	const record = typeof text === 'object' && text !== null ? (text as {record?: unknown}).record : text;
	return typeof record === 'string' ? record : '';
}

/**
A fact that holds for a store from the moment it is set until the store is emptied. While it is not set, the cache saves a search of the store.
*/
export class StoreFlag {
	readonly #store: Store;
	readonly #key: string;
	#isKnown = false;

	/**
	Reads nothing yet.

	@param store - Throws its faults.
	*/
	constructor(store: Store, name: string) {
		this.#store = store;
		this.#key = `got-cache:1:${name}`;
	}

	/** Sets the flag. It reads the store each time: another process may have emptied the store, or the store may have evicted the flag. */
	set(): MaybePromise<void> {
		return then(this.#store.get(this.#key), value => {
			this.#isKnown = true;
			return value === undefined ? writeRecord(this.#store, this.#key, 'set') : undefined;
		});
	}

	/** Sets the flag, and ignores a fault: writing the entry itself reports the same fault. */
	setQuietly(): MaybePromise<void> {
		return recover(() => this.set(), () => undefined);
	}

	async isSet(): Promise<boolean> {
		return this.#isKnown || await this.#store.get(this.#key) !== undefined;
	}

	/** Forgets what is known of the flag, since the store was emptied. */
	forget(): void {
		this.#isKnown = false;
	}
}
