import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import type {Store} from '../stores/types.ts';
import {fromStoredValue, toStoredValue} from './stored-values.ts';

/**
Reads a record: a short text for the cache itself, beside the entries.

@returns An empty text if the value is no record, `undefined` if there is none.
*/
export function readRecord(store: Pick<Store, 'get'>, key: string): MaybePromise<string | undefined> {
	return then(store.get(key), value => {
		if (value === undefined) {
			return undefined;
		}

		const text = fromStoredValue(value, 'text');
		return text instanceof Uint8Array ? new TextDecoder().decode(text) : (typeof text === 'string' ? text : '');
	});
}

/** Writes a record. `expires` is in milliseconds since the epoch; by default, the record never expires. */
export function writeRecord(store: Pick<Store, 'set' | 'valueType'>, key: string, text: string, expires?: number): MaybePromise<void> {
	// A record is shorter than any bound, so that a store which does not take it throws.
	return store.set(key, toStoredValue(text, store.valueType), {expires, size: text.length}) as MaybePromise<void>;
}

/**
Writes a record unless the key has one.

@returns Whether it was written; `undefined` if the store has no `add`.
*/
export function addRecord(store: Pick<Store, 'add' | 'valueType'>, key: string, text: string, expires?: number): MaybePromise<boolean> | undefined {
	return store.add?.(key, toStoredValue(text, store.valueType), {expires, size: text.length});
}

/**
A fact about a store, true from the moment it is set until the store is emptied. While it is not set, the cache need not search the store.
*/
export class StoreFlag {
	readonly #store: Store;
	readonly #key: string;
	#isKnown = false;

	/** Creates a flag in a store that throws its faults. */
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
