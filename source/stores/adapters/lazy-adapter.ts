import {EventEmitter} from 'node:events';
import {closedError} from '../server-options.ts';

/** The methods of a storage adapter for Keyv that are used here. */
export type StorageAdapter = {
	get(key: string): Promise<unknown>;
	set(key: string, value: unknown, expiry?: number): Promise<unknown>;
	delete(key: string): Promise<boolean>;
	deleteMany(keys: string[]): Promise<unknown>;
	has(key: string): Promise<boolean>;
	clear(): Promise<unknown>;
	iterator(namespace?: string): AsyncGenerator<unknown, void>;
	disconnect(): Promise<unknown>;
	on(event: 'error', listener: (error: unknown) => void): unknown;

	/** `expires` says that `set` takes a point in time, not a time to live. */
	readonly capabilities?: {readonly expires?: unknown};
};

/**
An adapter of a package that the first call loads and connects. If that fails, the next call tries again with another adapter, since some adapters connect only once.

It has the form of an adapter for Keyv 5: it takes a time to live, and leaves the namespace to Keyv.
*/
export class LazyAdapter extends EventEmitter {
	readonly opts: object;
	readonly #name: string;
	readonly #connect: () => Promise<StorageAdapter>;
	#connected: Promise<StorageAdapter> | undefined;
	#isClosed = false;

	/**
	Takes what makes the adapter.

	@param connect - Makes the adapter, and rejects within a time limit if it cannot connect.
	@param knownOptions - The `opts` of the adapter that are known before it is loaded.
	*/
	constructor(name: string, connect: () => Promise<StorageAdapter>, knownOptions: object = {}) {
		super();
		this.opts = knownOptions;
		this.#name = name;
		this.#connect = connect;
	}

	async get(key: string): Promise<unknown> {
		return this.#call(async adapter => adapter.get(key));
	}

	async set(key: string, value: unknown, timeToLive?: number): Promise<unknown> {
		return this.#call(async adapter => {
			const isAbsolute = timeToLive !== undefined && adapter.capabilities?.expires === true;
			return adapter.set(key, value, isAbsolute ? Date.now() + timeToLive : timeToLive);
		});
	}

	async delete(key: string): Promise<boolean> {
		return this.#call(async adapter => adapter.delete(key));
	}

	async deleteMany(keys: string[]): Promise<unknown> {
		return this.#call(async adapter => adapter.deleteMany(keys));
	}

	async has(key: string): Promise<boolean> {
		return this.#call(async adapter => adapter.has(key));
	}

	async clear(): Promise<unknown> {
		return this.#call(async adapter => adapter.clear());
	}

	async * iterator(namespace?: string): AsyncGenerator<unknown, void> {
		yield * await this.#call(async adapter => adapter.iterator(namespace));
	}

	async disconnect(): Promise<void> {
		this.#isClosed = true;
		// An adapter that could not connect needs no closing.
		const adapter = await this.#connected?.catch(() => undefined);
		await adapter?.disconnect();
	}

	async #call<T>(call: (adapter: StorageAdapter) => Promise<T>): Promise<T> {
		if (this.#isClosed) {
			throw closedError(`${this.#name} store`);
		}

		this.#connected ??= this.#open();
		return call(await this.#connected);
	}

	async #open(): Promise<StorageAdapter> {
		try {
			const adapter = await this.#connect();
			adapter.on('error', error => {
				this.emit('error', error);
			});
			return adapter;
		} catch (error) {
			this.#connected = undefined;
			throw error;
		}
	}
}
