import {throwingFaults} from './keyv-faults.ts';
import type {KeyvInstance} from './keyv-shapes.ts';

type Storage = {
	readonly namespace?: string | undefined;
	iterator?(namespace?: string): AsyncIterable<unknown>;
	keys?(): Iterable<unknown>;
	entries?(): unknown;
};

/** What Keyv 6 puts around Maps and adapters for Keyv 5. */
type Wrapper = {readonly namespace?: string; readonly namespaceSeparator?: string};

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

		for (const namespace of this.#namespaces()) {
			const keys = await this.#keysIn(namespace); // eslint-disable-line no-await-in-loop -- Most storages answer the first question.
			if (keys.length > 0) {
				return keys;
			}
		}

		return [];
	}

	/**
	What the storage is asked for, until it lists something. Adapters take what they get for a namespace: a beginning of keys, before a `:` or `::`, in which some see a pattern. What begins as our keys do comes first, since nothing else is read then.
	*/
	#namespaces(): Array<string | undefined> {
		const own = this.#fullPrefix.slice(0, -'::'.length);
		const {namespace = ''} = this.#storage;
		const inNamespace = namespace === '' ? [] : [`${namespace}::${own}`, namespace];
		// A pattern of Redis that is none is tried first: as one it would find others, or nothing.
		const plain = [...namespace === '' ? [] : [namespace], own].map(part => part.replaceAll(/[*?\[\\\]]/gv, String.raw`\$&`)).join('::');
		const ofInstance = this.#keyv.namespace ?? '';
		return [...new Set([plain, own, ...inNamespace, ...ofInstance === '' ? [] : [ofInstance], undefined])];
	}

	async #keysIn(namespace: string | undefined): Promise<string[]> {
		const listed = await throwingFaults(async () => Array.fromAsync(this.#storage.iterator!(namespace), entry => Array.isArray(entry) ? entry[0] as unknown : entry));
		const keys = new Set(listed.filter(key => typeof key === 'string'));
		const prefixes = this.#prefixes();
		const own = new Set<string>();
		for (const key of keys) {
			const prefix = prefixes.find(known => key.startsWith(known));
			if (prefix !== undefined) {
				own.add(key.slice(prefix.length));
			}
		}

		// An adapter that takes off what it was asked for leaves no prefix on any key. Whether a key is one of ours is seen where it is read.
		const isAsked = namespace !== undefined && this.#prefix.endsWith(`${namespace.slice(-(this.#prefix.length - 2))}::`);
		return [...isAsked && own.size === 0 ? keys : own];
	}

	/** What our keys may begin with in the storage, which may have put its namespace before them. */
	#prefixes(): string[] {
		const {namespace = ''} = this.#storage;
		return [this.#fullPrefix, ...namespace === '' ? [] : [`${namespace}::${this.#fullPrefix}`, `${namespace}:${this.#fullPrefix}`]];
	}

	/** What Keyv puts before our keys, and the prefix. */
	get #fullPrefix(): string {
		const {namespace = '', namespaceSeparator = ''} = this.#keyv.store as Wrapper;
		const isWrapped = this.#storage !== this.#keyv.store && namespace !== '';
		// One that keeps the namespace itself has it from the wrapper.
		const isKept = this.#storage.namespace === namespace && !isMapLike(this.#storage);
		return (isWrapped && !isKept ? namespace + namespaceSeparator : this.#instancePrefix) + this.#prefix;
	}

	#keysOfMap(map: Storage): string[] {
		const prefix = this.#fullPrefix;
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
