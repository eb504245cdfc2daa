import {randomBytes} from 'node:crypto';
import {Keyv} from 'keyv';
import {CacheHooksError} from '../errors.ts';
import {
	isGridFs,
	mustWriteInTurn,
	warnOfFaults,
	writeInTurn,
} from './adapters/faults.ts';
import {
	listenToErrors,
	shapeOf,
	storageOf,
	throwingErrors,
	type Keyv5Instance,
	type KeyvInstance,
	type KeyvLike,
} from './keyv-instances.ts';
import {keyLister} from './keyv-listing.ts';
import {readMany} from './many-keys.ts';
import {batches} from './server-options.ts';
import type {SetOptions, Store, StoredValue} from './types.ts';

type KeyvStoreOptions = {
	/**
	The name of the cache, which distinguishes its keys from all others in the storage.
	*/
	readonly cacheName: string;

	/** The name of the store, for messages. Default: `'keyv'`. */
	readonly name?: string;

	/**
	Returns the current time in milliseconds since the epoch, from which times to live are computed. Default: `Date.now`.
	*/
	readonly now?: () => number;
};

const keysPerBatch = 500;

/**
Stores text in a Keyv 5 or 6 instance, a Keyv storage adapter or a `Map`, which may hold other data as well: every key begins with `got-cache-hooks:<cacheName>::`, and no other key is read, listed, counted or deleted.

- A Keyv instance is used as it is, with its namespace, serialization and default `ttl`. Adapters and Maps are used through a Keyv 6 of our own, which gives them no namespace, so that another Keyv can use them as well.
- Entries expire by Keyv's clock, `Date.now`.
- A call throws the errors that Keyv only emits as `error` events. The store listens to these events for good, so that an adapter without a listener does not end the process.
- If the storage cannot list its keys, `iterate` throws `ERR_STORE_ITERATE`. The keys then contain a generation, and `clear` begins a new one. Each call reads the current generation as well, since another process may have begun it.
*/
export class KeyvStore implements Store {
	readonly name: string;
	readonly valueType = 'text';
	readonly scope: 'process' | 'network';
	readonly #keyv: KeyvInstance;
	readonly #keyv5: Keyv5Instance | undefined;
	readonly #listKeys: (() => Promise<string[]>) | undefined;
	readonly #prefix: string;

	/** Whether each `set` adds a revision, and `delete` removes only one. */
	readonly #hasRevisions: boolean;
	readonly #mustWriteInTurn: boolean;
	readonly #adapter: object;
	readonly #now: () => number;
	#generation: string | undefined;

	constructor(storage: KeyvLike, {cacheName, name = 'keyv', now = Date.now}: KeyvStoreOptions) {
		const shape = shapeOf(storage);
		this.name = name;
		// A Keyv instance around a Map may share the Map with others.
		this.scope = shape === 'map' ? 'process' : 'network';
		this.#keyv = shape === 'map' || shape === 'adapter' ? withoutNamespace(storage) : storage as unknown as KeyvInstance;
		this.#keyv5 = shape === 'keyv5' ? this.#keyv : undefined;
		this.#prefix = `got-cache-hooks:${encodedName(cacheName)}::`;
		this.#listKeys = keyLister(this.#keyv, this.#keyv5 === undefined ? '' : prefixOf(this.#keyv5), this.#prefix);
		this.#now = now;
		this.#adapter = storageOf(this.#keyv);
		this.#hasRevisions = isGridFs(this.#adapter);
		this.#mustWriteInTurn = mustWriteInTurn(this.#adapter);
		listenToErrors(this.#keyv);
		warnOfFaults(this.#adapter);
	}

	async get(key: string): Promise<string | undefined> {
		if (this.#listKeys !== undefined) {
			return this.#getText(this.#prefix + key);
		}

		// The value is read together with the generation, which rarely changes.
		const expected = this.#generation;
		const [value, generation] = await Promise.all([
			expected === undefined ? undefined : this.#getText(this.#prefix + expected + key),
			this.#readGeneration(),
		]);
		return generation === expected || generation === undefined ? value : this.#getText(this.#prefix + generation + key);
	}

	async set(key: string, value: StoredValue, {expires}: SetOptions): Promise<void> {
		if (typeof value !== 'string') {
			throw new CacheHooksError('ERR_STORE_VALUE', 'A Keyv store holds text: expected a string.');
		}

		// Redis accepts only whole milliseconds.
		const timeToLive = expires === undefined || !Number.isFinite(expires) ? undefined : Math.ceil(expires - this.#now());
		if (timeToLive !== undefined && timeToLive <= 0) {
			// A time to live of 0 would keep the value for good.
			await this.delete(key);
			return;
		}

		const prefix = await this.#currentPrefix() ?? (this.#prefix + await this.#beginGeneration());
		await this.#set(prefix + key, value, timeToLive);
	}

	async delete(key: string): Promise<boolean> {
		const prefix = await this.#currentPrefix();
		return prefix !== undefined && this.#delete(prefix + key);
	}

	async deleteMany(keys: readonly string[]): Promise<void> {
		const prefix = await this.#currentPrefix();
		if (prefix === undefined) {
			return;
		}

		for (const batch of batches(keys, keysPerBatch)) {
			await this.#deleteBatch(batch.map(key => prefix + key)); // eslint-disable-line no-await-in-loop
		}
	}

	async clear(): Promise<void> {
		if (this.#listKeys === undefined) {
			await this.#beginGeneration();
			return;
		}

		const keys = await this.#listKeys();
		await this.deleteMany(keys);
		if (keys.length === 0) {
			await this.#checkListing(this.#listKeys);
		}
	}

	/** Yields the entries whose keys exist when it begins. */
	async * iterate(): AsyncGenerator<readonly [key: string, value: string], void> {
		if (this.#listKeys === undefined) {
			throw new CacheHooksError('ERR_STORE_ITERATE', 'This Keyv store cannot list its keys, since its storage adapter has no `iterator`.');
		}

		yield * readMany(await this.#listKeys(), async key => this.#getListed(this.#prefix + key));
	}

	async close(): Promise<void> {
		await throwingErrors(async () => this.#keyv.disconnect?.());
	}

	async #getText(key: string): Promise<string | undefined> {
		const value = await this.#get(key);
		return typeof value === 'string' ? value : undefined;
	}

	async #get(key: string): Promise<unknown> {
		const keyv = this.#keyv;
		const exactKey = this.#exactKey(key);
		return throwingErrors<unknown>(async () => {
			if (keyv.getRaw === undefined) {
				return keyv.get(exactKey);
			}

			// In Keyv 5, `get` ignores the errors of the storage, `getRaw` does not.
			const raw = await keyv.getRaw(exactKey);
			return raw?.value;
		});
	}

	/** Returns an empty text for a value that is not valid, so that it can be found and deleted. */
	async #getListed(key: string): Promise<string | undefined> {
		try {
			const value = await this.#get(key);
			return typeof value === 'string' || value === undefined ? value : '';
		} catch (error) {
			if (error instanceof SyntaxError) {
				return '';
			}

			throw error;
		}
	}

	async #set(key: string, value: string, timeToLive: number | undefined): Promise<void> {
		const write = async (): Promise<unknown> => {
			if (this.#hasRevisions) {
				await this.#delete(key);
			}

			return throwingErrors(async () => this.#keyv.set(this.#exactKey(key), value, timeToLive));
		};

		const isSet = await (this.#mustWriteInTurn ? writeInTurn(this.#adapter, key, write) : write());
		if (isSet === false) {
			throw new CacheHooksError('ERR_STORE_FAULT', 'The Keyv store refused the value.');
		}
	}

	async #delete(key: string): Promise<boolean> {
		const keyv = this.#keyv;
		const exactKey = this.#exactKey(key);
		const existed = await throwingErrors<unknown>(async () => this.#hasRevisions && keyv.deleteMany !== undefined ? keyv.deleteMany([exactKey]) : keyv.delete(exactKey));
		return Array.isArray(existed) ? existed.includes(true) : existed === true;
	}

	async #deleteBatch(keys: readonly string[]): Promise<void> {
		const keyv = this.#keyv;
		// Keyv 6 calls the adapter's `deleteMany` even if there is none.
		const hasDeleteMany = (keyv.store as {deleteMany?: unknown}).deleteMany !== undefined;
		const existed = hasDeleteMany ? await throwingErrors(async () => keyv.deleteMany?.([...keys])) : false;
		const isDone = Array.isArray(existed) ? existed.every(one => one === true) : existed === true;
		if (!isDone) {
			// A key was missing, at which some adapters stop (keyv-file does), or there is no such method.
			await Promise.all(keys.map(async key => this.#delete(key)));
		}
	}

	/** Returns what all current keys begin with, or `undefined` if nothing has been written yet. */
	async #currentPrefix(): Promise<string | undefined> {
		if (this.#listKeys !== undefined) {
			return this.#prefix;
		}

		const generation = await this.#readGeneration();
		return generation === undefined ? undefined : this.#prefix + generation;
	}

	async #readGeneration(): Promise<string | undefined> {
		this.#generation = await this.#getText(`${this.#prefix}generation`);
		return this.#generation;
	}

	/** Begins a generation with a random name, since that of a lost generation must not be used again. */
	async #beginGeneration(): Promise<string> {
		const generation = `${randomBytes(8).toString('hex')}:`;
		await this.#set(`${this.#prefix}generation`, generation, undefined);
		this.#generation = generation;
		return generation;
	}

	/** Throws if the storage does not list a key that exists, as some adapters without a namespace. */
	async #checkListing(listKeys: () => Promise<string[]>): Promise<void> {
		const key = 'is listed';
		await this.#set(this.#prefix + key, '', undefined);
		const keys = await listKeys();
		await this.#delete(this.#prefix + key);
		if (!keys.includes(key)) {
			throw new CacheHooksError('ERR_STORE_ITERATE', 'This Keyv store cannot list its keys, so that nothing can be cleared: give its storage adapter a namespace.');
		}
	}

	/**
	Returns the key to pass to the instance. Keyv 5 does not prefix a key that already begins like its prefix.
	*/
	#exactKey(key: string): string {
		const keyv5 = this.#keyv5;
		if (keyv5?._getKeyPrefix === undefined) {
			return key;
		}

		const prefix = prefixOf(keyv5);
		return prefix !== '' && key.startsWith(prefix) && keyv5._getKeyPrefix(key) === key ? prefix + key : key;
	}
}

const instances = new WeakMap<object, KeyvInstance>();

/**
Returns the Keyv 6 instance of ours for a storage adapter or a Map, which all caches on it share. The instance has no namespace, so that another Keyv can go on using the same adapter, which may hold only one namespace.
*/
function withoutNamespace(storage: object): KeyvInstance {
	// A Map needs no serialization, since the values are strings.
	const keyv = instances.get(storage) ?? new Keyv({store: storage, ...(storage instanceof Map && {serialization: false as const})}) as unknown as KeyvInstance;
	instances.set(storage, keyv);
	return keyv;
}

function prefixOf({namespace, useKeyPrefix}: Keyv5Instance): string {
	return useKeyPrefix === false || namespace === undefined || namespace === '' ? '' : `${namespace}:`;
}

/** Encodes the characters that adapters take for a pattern of Redis or a regular expression. */
function encodedName(cacheName: string): string {
	return encodeURIComponent(cacheName).replaceAll(/[!'\(\)*]/gv, character => `%${character.codePointAt(0)!.toString(16).toUpperCase()}`);
}
