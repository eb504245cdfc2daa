import type {StoredResponse} from '../model/stored-response.ts';
import {
	decodeBytes,
	decodeText,
	encodeBytes,
	encodeText,
} from '../serializers/envelope.ts';
import type {Store, StoredValue} from '../stores/types.ts';
import {checkOf, verify} from './entry-check.ts';
import {leasePrefix} from './leases.ts';
import {chain, type MaybePromise} from './maybe-promise.ts';
import {secretKey} from './partition-secret.ts';

/** An entry, or why what lies under the key is none. */
export type ListedEntry =
	| {readonly key: string; readonly stored: StoredResponse}
	| {readonly key: string; readonly stored: undefined; readonly error: unknown};

/**
Stored responses as a store holds them. What cannot be read is told, deleted, and as good as never stored.
*/
export class Entries {
	readonly #store: Store;
	readonly #beforeWrite: () => MaybePromise<void>;
	readonly #onRubbish: (key: string, error: unknown) => void;

	/**
	Reads nothing yet.

	@param beforeWrite - What is to be in the store before anything else is.
	@param onRubbish - Told of what could not be read.
	*/
	constructor(store: Store, beforeWrite: () => MaybePromise<void>, onRubbish: (key: string, error: unknown) => void) {
		this.#store = store;
		this.#beforeWrite = beforeWrite;
		this.#onRubbish = onRubbish;
	}

	read(key: string): MaybePromise<StoredResponse | undefined> {
		return chain(this.#store.get(key), value => {
			if (value === undefined) {
				return undefined;
			}

			try {
				return verify(key, decode(value));
			} catch (error) {
				this.#onRubbish(key, error);
				void this.#store.delete(key);
				return undefined;
			}
		});
	}

	/** Everything stored, what cannot be read with the reason. Nothing is deleted. */
	async * list(): AsyncGenerator<ListedEntry, void> {
		for await (const [key, value] of this.#store.iterate()) {
			if (key === secretKey || key.startsWith(leasePrefix)) {
				continue;
			}

			yield listed(key, value);
		}
	}

	write(key: string, stored: StoredResponse): MaybePromise<void> {
		return chain(this.#beforeWrite(), () => this.#store.set(key, encode(this.#store.holds === 'objects' ? stored : {...stored, check: checkOf(key, stored)}, this.#store.holds), {
			expires: stored.retainUntil,
			size: stored.body.byteLength + JSON.stringify(stored.rawHeaders).length,
		}));
	}
}

function listed(key: string, value: StoredValue): ListedEntry {
	try {
		return {key, stored: verify(key, decode(value))};
	} catch (error) {
		return {key, stored: undefined, error};
	}
}

function encode(stored: StoredResponse, holds: Store['holds']): StoredValue {
	switch (holds) {
		case 'objects':
		case 'documents': {
			return stored;
		}

		case 'bytes': {
			return encodeBytes(stored);
		}

		case 'text': {
			return encodeText(stored);
		}
	}
}

function decode(value: StoredValue): StoredResponse {
	if (typeof value === 'string') {
		return decodeText(value);
	}

	return value instanceof Uint8Array ? decodeBytes(value) : value as StoredResponse;
}
