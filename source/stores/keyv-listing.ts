import {throwingFaults} from './keyv-faults.ts';
import type {KeyvInstance} from './keyv-shapes.ts';

type Storage = {
	readonly namespace?: string | undefined;
	iterator?(namespace?: string): AsyncIterable<unknown>;
	keys?(): Iterable<unknown>;
	entries?(): unknown;
};

/**
Lists the keys of a cache in the storage of a Keyv instance, which others may use as well.

The storage is asked itself, and not the instance: that decodes the values of others, fails where it cannot, and deletes what of theirs has expired.
*/
export class KeyvListing {
	readonly #keyv: KeyvInstance;
	readonly #storage: Storage;
	readonly #instancePrefix: string;
	readonly #prefix: string;

	private constructor(keyv: KeyvInstance, storage: Storage, instancePrefix: string, prefix: string) {
		this.#keyv = keyv;
		this.#storage = storage;
		this.#instancePrefix = instancePrefix;
		this.#prefix = prefix;
	}

	/**
	A listing of the keys that begin with a prefix.

	@param instancePrefix - What Keyv 5 puts before each key.
	@param prefix - What each key of the cache begins with, and ends with `::`.
	@returns `undefined` where the storage cannot list its keys.
	*/
	static of(keyv: KeyvInstance, instancePrefix: string, prefix: string): KeyvListing | undefined {
		const storage = storageOf(keyv);
		return typeof storage.iterator === 'function' || isMapLike(storage)
			? new KeyvListing(keyv, storage, instancePrefix, prefix)
			: undefined;
	}

	/**
	The keys without the prefix, each once.

	@throws What the storage throws.
	*/
	async keys(): Promise<string[]> {
		if (isMapLike(this.#storage)) {
			return this.#keysOfMap(this.#storage);
		}

		const namespace = this.#storage.namespace ?? this.#keyv.namespace ?? '';
		if (namespace !== '') {
			return this.#keysIn(namespace);
		}

		// Adapters take what they get for a namespace, and read nothing else then. With a separator that is not `:` or `::` they find nothing.
		const keys = await this.#keysIn(this.#prefix.slice(0, -'::'.length));
		return keys.length > 0 ? keys : this.#keysIn(undefined);
	}

	/** As they were at one moment: what is deleted or set meanwhile moves others in some storages. */
	async #keysIn(namespace: string | undefined): Promise<string[]> {
		const listed = await throwingFaults(async () => Array.fromAsync(this.#storage.iterator!(namespace), entry => Array.isArray(entry) ? entry[0] as unknown : entry));
		const keys = new Set(listed.filter(key => typeof key === 'string'));
		const own = new Set<string>();
		for (const key of keys) {
			const start = key.indexOf(this.#prefix);
			if (start !== -1) {
				own.add(key.slice(start + this.#prefix.length));
			}
		}

		// An adapter that takes the namespace off leaves no prefix on any key. Whether a key is one of ours is seen where it is read.
		return [...this.#prefix === `${namespace}::` && own.size === 0 ? keys : own];
	}

	#keysOfMap(map: Storage): string[] {
		const {namespace = '', namespaceSeparator = ''} = this.#keyv.store as {namespace?: string; namespaceSeparator?: string};
		const ofKeyv6 = namespace === '' ? '' : namespace + namespaceSeparator;
		const prefix = (map === this.#keyv.store ? this.#instancePrefix : ofKeyv6) + this.#prefix;
		return [...map.keys!()].filter((key): key is string => typeof key === 'string' && key.startsWith(prefix)).map(key => key.slice(prefix.length));
	}
}

/** The Map or adapter itself: Keyv 6 wraps Maps and adapters for Keyv 5. */
export function storageOf({store}: KeyvInstance): Storage {
	const {namespaceSeparator, store: wrapped} = store as {namespaceSeparator?: unknown; store?: unknown};
	return namespaceSeparator !== undefined && typeof wrapped === 'object' && wrapped !== null ? wrapped : store as Storage;
}

function isMapLike(storage: Storage): boolean {
	return storage instanceof Map || (typeof storage.iterator !== 'function' && typeof storage.keys === 'function' && typeof storage.entries === 'function');
}
