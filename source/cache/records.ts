import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import type {Store, StoredValue} from '../stores/types.ts';

/**
Something that is true of a store once and for all, until it is emptied: what need not be looked for while it is not.

- `hidden`: an index does not tell the whole truth about what the store holds. There are, or were, variants beside a primary entry (which nobody finds when that is gone), or tags that were deleted or expired.
- `aliases`: there are, or were, entries that a URL alone does not lead to, since they came through another connection, or by other TLS settings than the defaults.
*/
export class StoreMark {
	readonly #store: Store;
	readonly #key: string;
	#isSet = false;

	/**
	Reads nothing yet.

	@param store - Throws its faults.
	*/
	constructor(store: Store, name: 'hidden' | 'aliases') {
		this.#store = store;
		this.#key = `got-cache:1:${name}`;
	}

	/** Another process may have emptied the store since, or the store have dropped the mark for something else. */
	set(): MaybePromise<void> {
		return then(this.#store.get(this.#key), value => {
			this.#isSet = true;
			return value === undefined ? then(this.#store.set(this.#key, encodeRecord('set', this.#store.holds), {expires: undefined, size: 16}), () => undefined) : undefined;
		});
	}

	/** A store that fails has said so where the entry itself is written. */
	setQuietly(): MaybePromise<void> {
		return recover(() => this.set(), () => undefined);
	}

	async isThere(): Promise<boolean> {
		return this.#isSet || await this.#store.get(this.#key) !== undefined;
	}

	forget(): void {
		this.#isSet = false;
	}
}

/** A few words as a store holds them. */
export function encodeRecord(text: string, holds: Store['holds']): StoredValue {
	switch (holds) {
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

/** `undefined` for what is none. */
export function decodeRecord(value: StoredValue | undefined): string | undefined {
	const text: unknown = value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
	const record = typeof text === 'object' && text !== null ? (text as {record?: unknown}).record : text;
	return typeof record === 'string' ? record : undefined;
}
