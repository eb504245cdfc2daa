import {EventEmitter} from 'node:events';
import {inParallel} from '../many-keys.ts';
import {checkOptions} from '../options.ts';
import type {Store, StoredValue} from '../types.ts';
import {Connection} from './connection.ts';
import {Entries} from './entries.ts';
import {
	checkDynamoDbOptions,
	dynamoDbOptions,
	type DynamoDbOptions,
	type DynamoDbStoreOptions,
} from './options.ts';

export type {DynamoDbOptions, DynamoDbStoreOptions} from './options.ts';

/**
Stores documents in a DynamoDB table, as items that are readable in a console. Several processes and several caches with different names may share a table.

- An entry over 380 KB is stored in chunks beside its item, as JSON text, or as bytes of `node:v8` if JSON would lose something. A reader gets one whole version or a miss.
- DynamoDB deletes expired entries late, but they are not served.
- `iterate`, `clear` and `count` read all items of the cache, and nothing else in the table.

The SDK, `@aws-sdk/client-dynamodb`, must be installed when the store is made, and is loaded by the first call. Every error is a `CacheHooksError` with the SDK's error as `cause`: `ERR_STORE_THROTTLED`, `ERR_STORE_CREDENTIALS`, `ERR_STORE_UNREACHABLE`, `ERR_STORE_TABLE` (no table), `ERR_STORE_SCHEMA`, or `ERR_STORE_FAULT`. After `close` every call throws `ERR_STORE_CLOSED`.

@throws {SettingError} If an option is wrong.
@throws {CacheHooksError} `ERR_STORE_DRIVER` if the SDK is not installed.

@example
```ts
import got from 'got';
import {cacheHooks} from 'got-cache-hooks';
import {DynamoDbStore} from 'got-cache-hooks/dynamodb';

const store = new DynamoDbStore({client: {region: 'eu-central-1'}, tableName: 'responses'});
const client = got.extend(cacheHooks({store, expireAfter: '1h', autoclose: true}));
```
*/
export class DynamoDbStore extends Entries<StoredValue> implements Store {
	readonly name = 'dynamodb';

	/** The store takes plain data, as documents. */
	readonly valueType = 'documents';

	constructor(options: DynamoDbStoreOptions = {}) {
		checkDynamoDbOptions(options);
		super(new Connection(options), options.cacheName ?? 'http_cache');
	}

	/** Deletes several values. */
	async deleteMany(keys: readonly string[]): Promise<void> {
		await this.deleteEach(keys);
	}
}

/** The options of the adapter `KeyvDynamoDb`. */
export type KeyvDynamoDbOptions = DynamoDbOptions & {
	/**
	The namespace of the entries in the table. A Keyv that has a namespace sets it. Default: none.
	*/
	readonly namespace?: string;
};

/** A value with its key, as Keyv gives several at once. */
export type KeyvDynamoDbEntry = {
	/** The key. */
	readonly key: string;

	/** The value, as Keyv has serialized it. */
	readonly value: unknown;

	/** The time to live in milliseconds. Absent, `undefined` and 0 mean that the value never expires. */
	readonly ttl?: number | undefined;
};

const writesAtOnce = 16;

/**
A storage adapter for Keyv 5 and 6 on a DynamoDB table. See `DynamoDbStore` for the table and the errors.

It takes times to live, as Keyv 5 passes them; Keyv 6 converts its times for such adapters. Each Keyv needs an adapter of its own, since the last namespace holds for all.

A call that fails rejects, and emits `error` if there is a listener, since Keyv 5 ignores a `get` that rejects.

@throws {SettingError} If an option is wrong.
@throws {CacheHooksError} `ERR_STORE_DRIVER` if the SDK is not installed.

@example
```ts
import {Keyv} from 'keyv';
import {KeyvDynamoDb} from 'got-cache-hooks/dynamodb';

const keyv = new Keyv({store: new KeyvDynamoDb({tableName: 'cache'}), namespace: 'users'});
```
*/
export class KeyvDynamoDb extends EventEmitter {
	/** Keyv 5 iterates only over adapters of a dialect that it knows. */
	readonly opts: Record<string, unknown> = {dialect: 'redis', url: ''};
	readonly #connection: Connection;
	#namespace: string | undefined;
	#entries: Entries;

	constructor(options: KeyvDynamoDbOptions = {}) {
		super();
		checkOptions('KeyvDynamoDb', options, {...dynamoDbOptions, namespace: {isValid: value => typeof value === 'string', allowed: 'a string'}});
		const {namespace} = options;
		this.#connection = new Connection(options);
		this.#namespace = namespace;
		this.#entries = new Entries(this.#connection, namespace ?? '');
	}

	/** The namespace, which Keyv sets. */
	get namespace(): string | undefined {
		return this.#namespace;
	}

	set namespace(namespace: string | undefined) {
		this.#namespace = namespace;
		this.#entries = new Entries(this.#connection, namespace ?? '');
	}

	/** Returns a value; `undefined` if there is none. */
	async get(key: string): Promise<unknown> {
		return this.#emitting(async () => this.#entries.get(key));
	}

	/** Returns several values. */
	async getMany(keys: readonly string[]): Promise<unknown[]> {
		return this.#emitting(async () => this.#entries.getMany(keys));
	}

	/** Sets a value. `ttl` is the time to live in milliseconds; without it, the value never expires. */
	async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
		const expires = ttl === undefined || ttl === 0 ? undefined : this.#connection.options.now() + ttl;
		await this.#emitting(async () => this.#entries.set(key, value, {expires}));
		return true;
	}

	/** If a key is repeated, its last value is set. */
	async setMany(entries: readonly KeyvDynamoDbEntry[]): Promise<boolean[]> {
		const last = new Map(entries.map(entry => [entry.key, entry])).values().toArray();
		await inParallel(last, writesAtOnce, async ({key, value, ttl}) => this.set(key, value, ttl));
		return entries.map(() => true);
	}

	/** Deletes a value. Returns whether there was one. */
	async delete(key: string): Promise<boolean> {
		return this.#emitting(async () => this.#entries.delete(key));
	}

	/** Returns whether all keys had an entry. */
	async deleteMany(keys: readonly string[]): Promise<boolean> {
		const hadEntries = await this.#emitting(async () => this.#entries.deleteEach(keys));
		return hadEntries.every(Boolean);
	}

	/** Returns whether there is a value. */
	async has(key: string): Promise<boolean> {
		const [hasEntry] = await this.hasMany([key]);
		return hasEntry!;
	}

	/** Returns for each key whether there is a value. */
	async hasMany(keys: readonly string[]): Promise<boolean[]> {
		return this.#emitting(async () => this.#entries.hasMany(keys));
	}

	/** Deletes the entries of the namespace. */
	async clear(): Promise<void> {
		await this.#emitting(async () => this.#entries.clear());
	}

	/** Iterates over the entries of the namespace. */
	async * iterator(): AsyncGenerator<readonly [key: string, value: unknown], void> {
		const entries = this.#entries.iterate();
		for (;;) {
			const {value: entry} = await this.#emitting(async () => entries.next()); // eslint-disable-line no-await-in-loop
			if (entry === undefined) {
				return;
			}

			yield entry;
		}
	}

	/** Closes the client unless it was handed in. */
	async disconnect(): Promise<void> {
		this.#connection.close();
	}

	/** Runs a call, and emits its error. */
	async #emitting<Result>(call: () => Promise<Result>): Promise<Result> {
		try {
			return await call();
		} catch (error) {
			if (this.listenerCount('error') > 0) {
				this.emit('error', error);
			}

			throw error;
		}
	}
}
