import {randomBytes} from 'node:crypto';
import {CacheHooksError, SettingError} from '../errors.ts';
import {hearErrors, throwingFaults} from './keyv-faults.ts';
import {
	isGridFs,
	mustWriteInTurn,
	warnOfFaults,
	writeInTurn,
} from './adapters/faults.ts';
import {KeyvListing, storageOf} from './keyv-listing.ts';
import {
	shapeOf,
	withoutNamespace,
	type Keyv5Instance,
	type KeyvInstance,
	type KeyvLike,
} from './keyv-shapes.ts';
import {batches} from './server-options.ts';
import type {SetOptions, Store, StoredValue} from './types.ts';

type KeyvStoreOptions = {
	/**
	Names the cache among all that the storage holds: every key that is written begins with it.
	*/
	readonly cacheName: string;

	/** The name of the store, for messages. Default: `'keyv'`. */
	readonly name?: string;

	/**
	The current time in milliseconds since the epoch, from which the time to live is taken. Default: `Date.now`.
	*/
	readonly now?: () => number;
};

const keysAtOnce = 500;
const valuesAtOnce = 16;

/**
Keeps text in a Keyv 5 or 6 instance, a Keyv storage adapter or a `Map`, which may hold other data as well: every key begins with `got-cache-hooks:<cacheName>::`, and no other key is read, listed, counted or deleted.

- A Keyv instance is used as it is, with its namespace, serialization and default `ttl`. Adapters and Maps go into a Keyv 6 of our own, which gives them no namespace, so that they go on serving another Keyv.
- Entries expire by Keyv's clock, `Date.now`.
- What Keyv only emits as an `error` event is thrown by the call in which it happened. Keyv hears those events for good, so that an adapter without a listener does not end the process.
- Where the storage cannot list its keys, `iterate` throws `ERR_STORE_ITERATE`, keys have a generation after the name, and `clear` begins the next one: each call then reads the current one as well, since another process may have begun it.

@throws {TypeError} For a value of no such shape, and for an empty name.
*/
export class KeyvStore implements Store {
	readonly name: string;
	readonly holds = 'text';
	readonly isLocal: boolean;
	readonly #keyv: KeyvInstance;
	readonly #keyv5: Keyv5Instance | undefined;
	readonly #listing: KeyvListing | undefined;
	readonly #prefix: string;

	/** Whether each `set` adds a revision, of which `delete` removes one. */
	readonly #hasRevisions: boolean;
	readonly #mustWriteInTurn: boolean;
	readonly #adapter: object;
	readonly #now: () => number;
	#generation: string | undefined;

	constructor(storage: KeyvLike, {cacheName, name = 'keyv', now = Date.now}: KeyvStoreOptions) {
		const shape = shapeOf(storage);
		if (shape === undefined) {
			throw new SettingError('cache.store', storage, 'a Keyv instance, a Keyv storage adapter or a Map');
		}

		if (cacheName === '' || !cacheName.isWellFormed()) {
			throw new SettingError('cache.cacheName', cacheName, 'a name, with which every key begins');
		}

		this.name = name;
		// Several Keyv instances may be around one Map, which nobody can tell.
		this.isLocal = shape === 'map';
		this.#keyv = shape === 'map' || shape === 'adapter' ? withoutNamespace(storage) : storage as unknown as KeyvInstance;
		this.#keyv5 = shape === 'keyv5' ? this.#keyv : undefined;
		this.#prefix = `got-cache-hooks:${encoded(cacheName)}::`;
		this.#listing = KeyvListing.of(this.#keyv, this.#keyv5 === undefined ? '' : prefixOf(this.#keyv5), this.#prefix);
		this.#now = now;
		this.#adapter = storageOf(this.#keyv);
		this.#hasRevisions = isGridFs(this.#adapter);
		this.#mustWriteInTurn = mustWriteInTurn(this.#adapter);
		hearErrors(this.#keyv);
		warnOfFaults(this.#adapter);
	}

	async get(key: string): Promise<string | undefined> {
		if (this.#listing !== undefined) {
			return this.#get(this.#prefix + key);
		}

		const before = this.#generation;
		const [value, generation] = await Promise.all([
			before === undefined ? undefined : this.#get(this.#prefix + before + key),
			this.#readGeneration(),
		]);
		return generation === before || generation === undefined ? value : this.#get(this.#prefix + generation + key);
	}

	async set(key: string, value: StoredValue, {expires}: SetOptions): Promise<void> {
		if (typeof value !== 'string') {
			throw new CacheHooksError('ERR_STORE_VALUE', 'A Keyv store holds text: expected a string');
		}

		// Redis takes whole milliseconds.
		const timeToLive = expires === undefined || !Number.isFinite(expires) ? undefined : Math.ceil(expires - this.#now());
		if (timeToLive !== undefined && timeToLive <= 0) {
			// To Keyv a time to live of 0 means for good.
			await this.delete(key);
			return;
		}

		const generation = this.#listing === undefined ? await this.#readGeneration() ?? await this.#beginGeneration() : '';
		await this.#set(this.#prefix + generation + key, value, timeToLive);
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

		for (const batch of batches(keys, keysAtOnce)) {
			await this.#deleteBatch(batch.map(key => prefix + key)); // eslint-disable-line no-await-in-loop
		}
	}

	async clear(): Promise<void> {
		if (this.#listing === undefined) {
			await this.#beginGeneration();
			return;
		}

		const keys = await this.#listing.keys();
		await this.deleteMany(keys);
		if (keys.length === 0) {
			await this.#expectListing(this.#listing);
		}
	}

	/** The keys are those that there were when it began. */
	async * iterate(): AsyncGenerator<readonly [key: string, value: string], void> {
		if (this.#listing === undefined) {
			throw new CacheHooksError('ERR_STORE_ITERATE', 'This Keyv store cannot list its keys: its storage adapter has no `iterator`');
		}

		for (const batch of batches(await this.#listing.keys(), valuesAtOnce)) {
			const values = await Promise.all(batch.map(async key => this.#getListed(this.#prefix + key))); // eslint-disable-line no-await-in-loop
			for (const [index, value] of values.entries()) {
				if (value !== undefined) {
					yield [batch[index]!, value];
				}
			}
		}
	}

	async close(): Promise<void> {
		await throwingFaults(async () => this.#keyv.disconnect?.());
	}

	async #get(key: string): Promise<string | undefined> {
		const value = await this.#getAny(key);
		return typeof value === 'string' ? value : undefined;
	}

	async #getAny(key: string): Promise<unknown> {
		const keyv = this.#keyv;
		const exactKey = this.#exactKey(key);
		// Keyv 5 swallows what its storage throws in `get`, but not in `getRaw`.
		return throwingFaults<unknown>(async () => {
			if (keyv.getRaw === undefined) {
				return keyv.get(exactKey);
			}

			const raw = await keyv.getRaw(exactKey);
			return raw?.value;
		});
	}

	/** What is under a key of ours, and no text or no JSON, is listed as an empty text: whoever looks for what is invalid finds and deletes it. */
	async #getListed(key: string): Promise<string | undefined> {
		try {
			const value = await this.#getAny(key);
			return typeof value === 'string' || value === undefined ? value : '';
		} catch (error) {
			if (error instanceof SyntaxError) {
				return '';
			}

			throw error;
		}
	}

	async #set(key: string, value: string, timeToLive: number | undefined): Promise<void> {
		const isSet = await (this.#mustWriteInTurn
			? writeInTurn(this.#adapter, key, async () => this.#setAlone(key, value, timeToLive))
			: this.#setAlone(key, value, timeToLive));
		if (isSet === false) {
			throw new CacheHooksError('ERR_STORE_FAULT', 'The Keyv store did not take the value');
		}
	}

	async #setAlone(key: string, value: string, timeToLive: number | undefined): Promise<unknown> {
		if (this.#hasRevisions) {
			await this.#delete(key);
		}

		return throwingFaults(async () => this.#keyv.set(this.#exactKey(key), value, timeToLive));
	}

	async #delete(key: string): Promise<boolean> {
		const keyv = this.#keyv;
		const exactKey = this.#exactKey(key);
		const wasThere = await throwingFaults<unknown>(async () => this.#hasRevisions && keyv.deleteMany !== undefined ? keyv.deleteMany([exactKey]) : keyv.delete(exactKey));
		return Array.isArray(wasThere) ? wasThere.includes(true) : wasThere === true;
	}

	async #deleteBatch(keys: readonly string[]): Promise<void> {
		const keyv = this.#keyv;
		// Keyv 6 takes for granted that an adapter has it.
		const hasMany = (keyv.store as {deleteMany?: unknown}).deleteMany !== undefined;
		const answer = hasMany ? await throwingFaults(async () => keyv.deleteMany?.([...keys])) : false;
		const isDone = Array.isArray(answer) ? answer.every(wasThere => wasThere === true) : answer === true;
		if (!isDone) {
			// There is no such method, a key was absent, or an adapter stopped at one that was absent (keyv-file does).
			await Promise.all(keys.map(async key => this.#delete(key)));
		}
	}

	/** What all keys begin with now; `undefined` where nothing has been written yet. */
	async #currentPrefix(): Promise<string | undefined> {
		if (this.#listing !== undefined) {
			return this.#prefix;
		}

		const generation = await this.#readGeneration();
		return generation === undefined ? undefined : this.#prefix + generation;
	}

	async #readGeneration(): Promise<string | undefined> {
		const generation = await this.#get(`${this.#prefix}generation`);
		this.#generation = generation;
		return generation;
	}

	/** A generation that was lost must not come back: there is no second one with the same name. */
	async #beginGeneration(): Promise<string> {
		const generation = `${randomBytes(8).toString('hex')}:`;
		await this.#set(`${this.#prefix}generation`, generation, undefined);
		this.#generation = generation;
		return generation;
	}

	/** Some adapters list nothing without a namespace, and do not say so. */
	async #expectListing(listing: KeyvListing): Promise<void> {
		const key = 'is listed';
		await this.#set(this.#prefix + key, '', undefined);
		const keys = await listing.keys();
		await this.#delete(this.#prefix + key);
		if (!keys.includes(key)) {
			throw new CacheHooksError('ERR_STORE_ITERATE', 'This Keyv store cannot list its keys, so that nothing can be cleared: give its storage adapter a namespace');
		}
	}

	/**
	Keyv 5 leaves the prefix away before a key that begins like one.
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

function prefixOf({namespace, useKeyPrefix}: Keyv5Instance): string {
	return useKeyPrefix === false || namespace === undefined || namespace === '' ? '' : `${namespace}:`;
}

/** Adapters take a namespace for a pattern: of SQL (`%`, `_`), of Redis or a regular expression. Only what matches too much is left. */
function encoded(cacheName: string): string {
	return encodeURIComponent(cacheName).replaceAll(/[!'\(\)*]/gv, character => `%${character.codePointAt(0)!.toString(16).toUpperCase()}`);
}
