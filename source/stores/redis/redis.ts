import {Buffer} from 'node:buffer';
import {readMany} from '../many-keys.ts';
import type {ServerConnection} from '../server-connection.ts';
import {
	batches,
	checkBytes,
	keyPrefix,
	resolveServerOptions,
} from '../server-options.ts';
import type {SetOptions, Store, StoredValue} from '../types.ts';
import {redisConnection, type RedisCommands, type ConnectedRedis} from './connection.ts';
import {checkRedisOptions, type RedisClient, type RedisStoreOptions} from './options.ts';

const keysPerPage = 500;

/**
The prefix of a value that was set without `indexed`, so that `count` can leave it out. One more byte follows. The value of an entry that is empty or begins with the prefix itself is escaped by it as well.
*/
const marker = Buffer.from('\0got-cache-hooks:');
const notAnEntry = Buffer.concat([marker, Buffer.from('p')]);
const escapedEntry = Buffer.concat([marker, Buffer.from('e')]);

/**
Stores bytes on a Redis or Valkey server, cluster or sentinel, which deletes them when they expire. The keys are `got-cache-hooks:<cacheName>::<key>`.

Each value is sent with its remaining time, so the clock of the server may differ from ours.
The first call connects. A call while the server is away throws within `connectionTimeout` and `commandTimeout`, and the next call tries again.
@throws {CacheHooksError} `ERR_STORE_DRIVER` if `@keyv/redis` is not installed.

@example
```ts
import {createStore} from 'got-cache-hooks';

const store = createStore('redis', {url: 'redis://cache.example.com:6379', cacheName: 'responses'});
```
*/
export class RedisStore implements Store {
	readonly name = 'redis';
	readonly valueType = 'bytes';
	readonly #connection: ServerConnection<ConnectedRedis>;
	readonly #prefix: string;
	readonly #now: () => number;

	constructor(options: RedisStoreOptions = {}) {
		checkRedisOptions(options);
		const limits = resolveServerOptions(options);
		// The application may have a Keyv whose namespace is our name, and which prefixes its keys with the name and `::`.
		this.#prefix = `got-cache-hooks:${keyPrefix(limits.cacheName)}`;
		this.#now = limits.now;
		this.#connection = redisConnection(options, limits);
	}

	async get(key: string): Promise<Uint8Array | undefined> {
		return unmarked(await this.#connection.run('get', ({bytes}) => bytes.get(this.#prefix + key)));
	}

	async set(key: string, value: StoredValue, options: SetOptions): Promise<void> {
		const marked = markedValue(checkBytes('Redis', value), options);
		const expiry = this.#expiry(options);
		if (expiry === undefined) {
			await this.delete(key);
			return;
		}

		await this.#connection.run('set', async ({bytes}) => bytes.set(this.#prefix + key, marked, expiry), marked.length);
	}

	async add(key: string, value: StoredValue, options: SetOptions): Promise<boolean> {
		const marked = markedValue(checkBytes('Redis', value), options);
		const expiry = this.#expiry(options);
		if (expiry === undefined) {
			const current = await this.get(key);
			return current === undefined;
		}

		return this.#connection.run('add', async ({bytes}) => await bytes.set(this.#prefix + key, marked, {...expiry, condition: 'NX'}) !== null, marked.length);
	}

	async delete(key: string): Promise<boolean> {
		return this.#connection.run('delete', async ({text}) => await text.unlink(this.#prefix + key) > 0);
	}

	async deleteMany(keys: readonly string[]): Promise<void> {
		for (const batch of batches(keys, keysPerPage)) {
			await this.#unlink(batch.map(key => this.#prefix + key)); // eslint-disable-line no-await-in-loop
		}
	}

	async clear(): Promise<void> {
		for await (const page of this.#pages()) {
			await this.#unlink(page);
		}
	}

	/**
	Lists the entries by `SCAN`, which meets everything that exists from beginning to end, and holds the listed keys in memory.
	*/
	async * iterate(): AsyncGenerator<readonly [key: string, value: Uint8Array], void> {
		for await (const page of this.#pages()) {
			yield * readMany(page.map(key => key.slice(this.#prefix.length)), async key => this.get(key));
		}
	}

	async count(): Promise<number> {
		let total = 0;
		for await (const page of this.#pages()) {
			const starts = await this.#connection.run('count', async ({bytes}) => Promise.all(page.map(async key => bytes.getRange(key, 0, notAnEntry.length - 1))));
			total += starts.filter(start => start.length > 0 && !notAnEntry.equals(start)).length;
		}

		return total;
	}

	async close(): Promise<void> {
		await this.#connection.close();
	}

	/** Returns the options of `SET` that make the value expire, as remaining milliseconds, or `undefined` if the value has expired. */
	#expiry({expires}: SetOptions): object | undefined {
		if (expires === undefined || !Number.isFinite(expires)) {
			return {};
		}

		const left = Math.min(Math.ceil(expires - this.#now()), Number.MAX_SAFE_INTEGER);
		return left > 0 ? {expiration: {type: 'PX', value: left}} : undefined;
	}

	/** Yields the keys on the server, each once. */
	async * #pages(): AsyncGenerator<readonly string[], void> {
		const match = `${this.#prefix.replaceAll(/[*?\[\\\]]/gv, String.raw`\$&`)}*`;
		// Only strings are ours.
		const filter = {MATCH: match, COUNT: keysPerPage, TYPE: 'string'}; // eslint-disable-line @typescript-eslint/naming-convention
		const listed = new Set<string>();
		const nodes = await this.#connection.run('scan', nodesOf);
		for (const index of nodes.keys()) {
			let cursor = '0';
			do {
				const from = cursor;
				// Each page looks up the node again, since the connection may have been replaced.
				// eslint-disable-next-line no-await-in-loop
				const page = await this.#connection.run('scan', async connected => {
					const all = await nodesOf(connected);
					return all[index]?.scan(from, filter) ?? {cursor: '0', keys: []};
				});
				cursor = String(page.cursor);
				// `SCAN` may list a key twice.
				const keys = [...new Set(page.keys).difference(listed)];
				for (const key of keys) {
					listed.add(key);
				}

				yield keys;
			} while (cursor !== '0');
		}
	}

	async #unlink(keys: readonly string[]): Promise<void> {
		if (keys.length === 0) {
			return;
		}

		await this.#connection.run('delete', async ({client, text}) => client.masters === undefined
			? text.unlink([...keys])
			// The keys may belong to several nodes.
			: Promise.all(keys.map(async key => text.unlink(key))));
	}
}

/** Returns the nodes that list keys: the server, or every master of a cluster. */
async function nodesOf({client, text}: ConnectedRedis): Promise<readonly RedisCommands[]> {
	if (client.masters === undefined) {
		return [text];
	}

	const clients = await Promise.all(client.masters.map(async node => client.nodeClient!(node as never) as RedisClient));
	return clients.map(node => node.withTypeMapping({}) as RedisCommands);
}

function markedValue(value: Uint8Array, {indexed}: SetOptions): Uint8Array {
	if (indexed === undefined) {
		return Buffer.concat([notAnEntry, value]);
	}

	// The client accepts bytes only as a Buffer.
	const buffer = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
	return buffer.length === 0 || isMarked(buffer) ? Buffer.concat([escapedEntry, buffer]) : buffer;
}

function unmarked(value: Uint8Array | null): Uint8Array | undefined {
	if (value === null) {
		return undefined;
	}

	return isMarked(value) ? value.subarray(marker.length + 1) : value;
}

function isMarked(value: Uint8Array): boolean {
	return marker.equals(value.subarray(0, marker.length));
}
