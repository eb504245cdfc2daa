import {EventEmitter} from 'node:events';
import {Connection} from './connection.ts';
import {Entries} from './entries.ts';
import {resolveOptions, type DynamoDbOptions} from './options.ts';

export type KeyvDynamoDbOptions = DynamoDbOptions & {
	/**
	Sets the entries apart in the table. Keyv puts its own in its place where it has one. Default: none.
	*/
	readonly namespace?: string;
};

export type KeyvDynamoDbEntry = {
	readonly key: string;
	readonly value: unknown;

	/** Milliseconds from now; `undefined` and 0 keep it for good. */
	readonly ttl?: number | undefined;
};

/**
A storage adapter for Keyv 5 and 6 on a DynamoDB table; see `DynamoDbStore` for the table and the errors.

Times are relative, as Keyv 5 gives them: Keyv 6 sees that nothing else is declared, and translates. Keyv 5 puts its namespace before the keys, Keyv 6 leaves that to the adapter; here it is the partition for both. As with other adapters, each Keyv needs an adapter of its own: the last namespace is that of all.

Every call that fails is rejected, and told as `error` where somebody listens: Keyv 5 keeps still about a `get` that is rejected.

@throws {SettingError} For a wrong option.
@throws {CacheHooksError} `ERR_STORE_DRIVER` where the SDK is not installed.

@example
```ts
const keyv = new Keyv({store: new KeyvDynamoDb({tableName: 'cache'}), namespace: 'users'});
```
*/
export class KeyvDynamoDb extends EventEmitter {
	/** Keyv 5 iterates adapters of the dialects that it knows, and asks nothing else about them. */
	readonly opts: Record<string, unknown> = {dialect: 'redis', url: ''};
	readonly #connection: Connection;
	readonly #now: () => number;
	#namespace: string | undefined;
	#entries: Entries;

	constructor({namespace, ...options}: KeyvDynamoDbOptions = {}) {
		super();
		const resolved = resolveOptions(options);
		this.#connection = new Connection(resolved);
		this.#now = resolved.now;
		this.#namespace = namespace;
		this.#entries = new Entries(this.#connection, namespace ?? '');
	}

	get namespace(): string | undefined {
		return this.#namespace;
	}

	set namespace(namespace: string | undefined) {
		this.#namespace = namespace;
		this.#entries = new Entries(this.#connection, namespace ?? '');
	}

	async get(key: string): Promise<unknown> {
		return this.#told(async () => this.#entries.get(key));
	}

	async getMany(keys: readonly string[]): Promise<unknown[]> {
		return this.#told(async () => this.#entries.getMany(keys));
	}

	async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
		return this.#told(async () => {
			await this.#entries.set(key, value, {expires: this.#expires(ttl)});
			return true;
		});
	}

	async setMany(entries: readonly KeyvDynamoDbEntry[]): Promise<boolean[]> {
		return this.#told(async () => {
			await this.#entries.setMany(entries.map(({key, value, ttl}) => ({key, value, expires: this.#expires(ttl)})));
			return entries.map(() => true);
		});
	}

	async delete(key: string): Promise<boolean> {
		return this.#told(async () => this.#entries.delete(key));
	}

	/** Whether all of them were there. */
	async deleteMany(keys: readonly string[]): Promise<boolean> {
		return this.#told(async () => {
			const wereThere = await this.#entries.deleteEach(keys);
			return wereThere.every(Boolean);
		});
	}

	async has(key: string): Promise<boolean> {
		const [isThere] = await this.hasMany([key]);
		return isThere!;
	}

	async hasMany(keys: readonly string[]): Promise<boolean[]> {
		return this.#told(async () => this.#entries.hasMany(keys));
	}

	/** Removes what is under the namespace. */
	async clear(): Promise<void> {
		await this.#told(async () => this.#entries.clear());
	}

	async * iterator(): AsyncGenerator<[key: string, value: unknown], void> {
		try {
			for await (const [key, value] of this.#entries.iterate()) {
				yield [key, value];
			}
		} catch (error) {
			this.#tell(error);
			throw error;
		}
	}

	/** Only a client of our own is closed. */
	async disconnect(): Promise<void> {
		this.#connection.close();
	}

	#expires(ttl: number | undefined): number | undefined {
		return ttl === undefined || ttl === 0 ? undefined : this.#now() + ttl;
	}

	async #told<Result>(call: () => Promise<Result>): Promise<Result> {
		try {
			return await call();
		} catch (error) {
			this.#tell(error);
			throw error;
		}
	}

	#tell(error: unknown): void {
		if (this.listenerCount('error') > 0) {
			this.emit('error', error);
		}
	}
}
