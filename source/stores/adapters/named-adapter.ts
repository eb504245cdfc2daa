import {EventEmitter} from 'node:events';
import {closedError} from '../server-options.ts';

/**
What the storage adapters for Keyv have in common, as it is used here.
*/
export type StorageAdapter = {
	get(key: string): Promise<unknown>;
	set(key: string, value: unknown, third?: number): Promise<unknown>;
	delete(key: string): Promise<boolean>;
	deleteMany(keys: string[]): Promise<unknown>;
	has(key: string): Promise<boolean>;
	clear(): Promise<unknown>;
	iterator(namespace?: string): AsyncGenerator<unknown, void>;
	disconnect(): Promise<unknown>;
	on(event: 'error', listener: (error: unknown) => void): unknown;

	/** `expires` says that the third argument of `set` is a point in time, and no time to live. */
	readonly capabilities?: {readonly expires?: unknown};
};

/**
An adapter of a package that is loaded, and connected, by the first call. One that cannot be connected is given up, and the next call makes another: some adapters connect only once, and with a server that was not there they would answer never.

It is what adapters for Keyv 5 are: it takes a time to live, and leaves the namespace to Keyv.
*/
export class NamedAdapter extends EventEmitter {
	/** What is known of the adapter before it is there. */
	readonly opts: object;
	readonly #name: string;
	readonly #connect: () => Promise<StorageAdapter>;
	#connected: Promise<StorageAdapter> | undefined;
	#isClosed = false;

	/**
	Makes nothing and loads nothing yet.

	@param connect - Makes the adapter; rejects when it cannot be connected, in a time of its own.
	@param known - The adapter's `opts`, as far as they are known before it is there.
	*/
	constructor(name: string, connect: () => Promise<StorageAdapter>, known: object = {}) {
		super();
		this.opts = known;
		this.#name = name;
		this.#connect = connect;
	}

	async get(key: string): Promise<unknown> {
		const adapter = await this.#adapter();
		return adapter.get(key);
	}

	async set(key: string, value: unknown, timeToLive?: number): Promise<unknown> {
		const adapter = await this.#adapter();
		const isAbsolute = timeToLive !== undefined && adapter.capabilities?.expires === true;
		return adapter.set(key, value, isAbsolute ? Date.now() + timeToLive : timeToLive);
	}

	async delete(key: string): Promise<boolean> {
		const adapter = await this.#adapter();
		return adapter.delete(key);
	}

	async deleteMany(keys: string[]): Promise<unknown> {
		const adapter = await this.#adapter();
		return adapter.deleteMany(keys);
	}

	async has(key: string): Promise<boolean> {
		const adapter = await this.#adapter();
		return adapter.has(key);
	}

	async clear(): Promise<unknown> {
		const adapter = await this.#adapter();
		return adapter.clear();
	}

	async * iterator(namespace?: string): AsyncGenerator<unknown, void> {
		const adapter = await this.#adapter();
		yield * adapter.iterator(namespace);
	}

	async disconnect(): Promise<void> {
		this.#isClosed = true;
		// What could not be connected needs no closing.
		const adapter = await this.#connected?.catch(() => undefined);
		await adapter?.disconnect();
	}

	async #adapter(): Promise<StorageAdapter> {
		if (this.#isClosed) {
			throw closedError(this.#name);
		}

		this.#connected ??= this.#open();
		return this.#connected;
	}

	async #open(): Promise<StorageAdapter> {
		try {
			const adapter = await this.#connect();
			// Keyv hears this one, and whoever waits for a call gets its error.
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
