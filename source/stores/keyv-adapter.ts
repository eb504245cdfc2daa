import {Buffer} from 'node:buffer';
import {EventEmitter} from 'node:events';
import {CacheHooksError} from '../errors.ts';
import type {Store, StoredValue} from './types.ts';

/** A value with its key, as Keyv gives several at once. */
export type KeyvEntry = {
	/** The key. */
	readonly key: string;

	/** The value, as Keyv has serialized it. */
	readonly value: unknown;

	/** The time to live in milliseconds, from Keyv 5. Absent if it never expires. */
	readonly ttl?: number;

	/** The time at which it expires, in milliseconds since the epoch, from Keyv 6. Absent if it never does. */
	readonly expires?: number;
};

/** Larger numbers are times since the epoch, from 2001 on. As a time to live it would be 31 years. */
const leastTime = 1e12;

/** The prefixes of encoded values. UTF-8 cannot begin with the byte, nor JSON with the character. */
const bytesPrefix = 0xFF;
const textPrefix = '\u{1}';

/**
Makes any `Store` a storage adapter for `new Keyv({store})`, for Keyv 5 and 6. It stores strings, to which Keyv serializes values by default, and bytes; in a store of documents, any plain data.

- Keyv 6 passes the time at which a value expires, Keyv 5 a time to live. A number from 1,000,000,000,000 is a time, so a time to live cannot be longer than 31 years.
- Each namespace of Keyv has its own entries, and `clear` deletes only those of the adapter's. As with all adapters, two Keyv instances need two adapters, which may share a store.
- Entries that a cache has put into the store are not visible, and stay.
- A call throws what the store throws, and `get` also emits it as `error` if there is a listener, since Keyv 5 ignores what `get` throws. `disconnect` closes the store.

@example
```ts
import {Keyv} from 'keyv';
import {asKeyvAdapter, createStore} from 'got-cache-hooks';

const keyv = new Keyv({store: asKeyvAdapter(createStore('sqlite', {path: 'keyv.sqlite'}))});
await keyv.set('user', {name: 'Ada'}, 60_000);
console.log(await keyv.get('user'));
//=> { name: 'Ada' }

await keyv.disconnect();
```
*/
export function asKeyvAdapter(store: Store, options: KeyvAdapterOptions = {}): KeyvAdapter {
	return new KeyvAdapter(store, options);
}

/** The options of `asKeyvAdapter()`. */
export type KeyvAdapterOptions = {
	/**
	Returns the current time in milliseconds since the epoch. Default: `Date.now`.
	*/
	readonly now?: () => number;
};

/**
A store as a storage adapter of Keyv, which `asKeyvAdapter()` returns. Its methods are those that Keyv calls. They throw what the store throws.

@example
```ts
import {Keyv} from 'keyv';
import {asKeyvAdapter, createStore, type KeyvAdapter} from 'got-cache-hooks';

const adapter: KeyvAdapter = asKeyvAdapter(createStore('memory'));
const keyv = new Keyv({store: adapter, namespace: 'users'});
await keyv.set('1', 'Ada');
console.log(await keyv.get('1'), adapter.namespace);
//=> Ada users
```
*/
export class KeyvAdapter extends EventEmitter {
	/** The namespace, which Keyv sets. */
	namespace: string | undefined;

	/** Says to Keyv 6 that it may pass the time at which a value expires. */
	readonly capabilities = {expires: true} as const;

	/** Keyv 5 iterates only over adapters of a dialect that it knows. */
	readonly opts: Record<string, unknown> = {dialect: 'sqlite', url: ''};
	readonly #store: Store;
	readonly #now: () => number;

	constructor(store: Store, {now = Date.now}: KeyvAdapterOptions) {
		super();
		this.#store = store;
		this.#now = now;
	}

	/** Returns a value; `undefined` if there is none. */
	async get<Value = unknown>(key: string): Promise<Value | undefined> {
		try {
			const value = await this.#store.get(this.#prefix() + key);
			return value === undefined ? undefined : fromStored(value) as Value;
		} catch (error) {
			if (this.listenerCount('error') > 0) {
				this.emit('error', error);
			}

			throw error;
		}
	}

	/** Returns several values. */
	async getMany<Value = unknown>(keys: readonly string[]): Promise<Array<Value | undefined>> {
		return Promise.all(keys.map(async key => this.get<Value>(key)));
	}

	/**
	Sets a value.

	@param expiry - The time at which the value expires, or its time to live. Default: it never expires.
	*/
	async set(key: string, value: unknown, expiry?: number): Promise<boolean> {
		await this.#store.set(this.#prefix() + key, toStored(value, this.#store.valueType), {expires: this.#expires(expiry)});
		return true;
	}

	/** Sets several values. */
	async setMany(entries: readonly KeyvEntry[]): Promise<boolean[]> {
		return Promise.all(entries.map(async ({key, value, ttl, expires}) => this.set(key, value, expires ?? ttl)));
	}

	/** Deletes a value. Returns whether there was one. */
	async delete(key: string): Promise<boolean> {
		return this.#store.delete(this.#prefix() + key);
	}

	/** Returns whether each key existed, as Keyv 6 expects, or `false` if none existed, since Keyv 5 expects a boolean. */
	async deleteMany(keys: readonly string[]): Promise<boolean[] | false> {
		const existed = await Promise.all(keys.map(async key => this.delete(key)));
		return existed.includes(true) ? existed : false;
	}

	/** Returns whether there is a value. */
	async has(key: string): Promise<boolean> {
		return (await this.get(key)) !== undefined;
	}

	/** Returns for each key whether there is a value. */
	async hasMany(keys: readonly string[]): Promise<boolean[]> {
		return Promise.all(keys.map(async key => this.has(key)));
	}

	/** Deletes the values of the namespace. */
	async clear(): Promise<void> {
		const prefix = this.#prefix();
		const keys = [];
		for await (const [key] of this.#store.iterate()) {
			if (key.startsWith(prefix)) {
				keys.push(key);
			}
		}

		await this.#store.deleteMany(keys);
	}

	/** Yields the entries of the namespace. Keyv 5 passes the namespace that it has set. */
	async * iterator(_namespace?: string): AsyncGenerator<[key: string, value: any], void> {
		const prefix = this.#prefix();
		for await (const [key, value] of this.#store.iterate()) {
			if (key.startsWith(prefix)) {
				yield [key.slice(prefix.length), fromStored(value)];
			}
		}
	}

	/** Closes the store. */
	async disconnect(): Promise<void> {
		await this.#store.close();
	}

	/** The prefix has one colon, at its end, so that no namespace and key look like another namespace and key. */
	#prefix(): string {
		return `keyv-${(this.namespace ?? '').replaceAll('%', '%25').replaceAll(':', '%3A')}:`;
	}

	#expires(expiry: number | undefined): number | undefined {
		if (typeof expiry !== 'number' || !Number.isFinite(expiry)) {
			return undefined;
		}

		return expiry >= leastTime ? expiry : this.#now() + expiry;
	}
}

function toStored(value: unknown, valueType: Store['valueType']): StoredValue {
	if (valueType === 'documents') {
		return {value};
	}

	if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
		throw new CacheHooksError('ERR_STORE_VALUE', 'A store as a Keyv adapter stores strings and bytes: do not turn off the serialization of Keyv.');
	}

	if (valueType === 'bytes') {
		return typeof value === 'string' ? Buffer.from(value) : Buffer.concat([Buffer.of(bytesPrefix), value]);
	}

	if (valueType === 'text') {
		return typeof value === 'string'
			? (value.startsWith(textPrefix) ? textPrefix + value : value)
			: `${textPrefix}base64:${Buffer.from(value).toString('base64')}`;
	}

	return {value};
}

function fromStored(stored: StoredValue): unknown {
	if (stored instanceof Uint8Array) {
		return stored[0] === bytesPrefix ? stored.subarray(1) : Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength).toString();
	}

	if (typeof stored !== 'string') {
		return (stored as {value?: unknown}).value;
	}

	if (!stored.startsWith(textPrefix)) {
		return stored;
	}

	return stored.startsWith(textPrefix, 1) ? stored.slice(1) : Buffer.from(stored.slice('\u{1}base64:'.length), 'base64');
}
