import {Buffer} from 'node:buffer';
import {SettingError} from '../../errors.ts';
import {
	driver,
	batches,
	checkBytes,
	keyPrefix,
	resolveServerOptions,
	type ServerOptions,
} from '../server-options.ts';
import type {SetOptions, Store, StoredValue} from '../types.ts';
import {createRedisClient} from './client.ts';
import {RedisConnection, type RedisClient, type RedisLink} from './connection.ts';

export type RedisStoreOptions = ServerOptions & {
	/**
	The server: `'redis://[user:password@]host[:port][/database]'`, or `rediss:` for TLS. Default: `'redis://localhost:6379'`.
	*/
	readonly url?: string;

	/**
	Options of the client of `@keyv/redis`, which are those of `@redis/client` 5: with `rootNodes` it is a cluster's, with `sentinelRootNodes` a sentinel's. Default: none.
	*/
	readonly clientOptions?: Readonly<Record<string, unknown>>;

	/**
	A client, cluster or sentinel of `@redis/client` 5, or an instance of `@keyv/redis`, whose client is used, and nothing else of it. It is connected where it is not, and never closed here.
	*/
	readonly client?: RedisClient | {readonly client: RedisClient};
};

const keysPerPage = 500;
const valuesAtOnce = 16;

/**
Begins a value that was set without `indexed`, and is followed by one byte: `count` leaves it out. An entry's value that itself begins so, or is empty, is marked as well.
*/
const mark = Buffer.from('\0got-cache-hooks:');
const plain = Buffer.concat([mark, Buffer.from('p')]);
const escaped = Buffer.concat([mark, Buffer.from('e')]);

/**
Keeps bytes on a Redis or Valkey server, cluster or sentinel, which forgets them by itself when their time has come. Keys are `got-cache-hooks:<cacheName>::<key>`.

The time that is left goes along with each value, so that the server's clock may differ from ours.
The server is connected to by the first call. A call while it is away throws at once or within `connectionTimeout` and `commandTimeout`, and the next tries again.

@example
```ts
const store = new RedisStore({url: 'redis://localhost:6379', cacheName: 'responses'});
```
@throws {CacheHooksError} `ERR_STORE_DRIVER` where `@keyv/redis` is not installed.
*/
export class RedisStore implements Store {
	readonly name = 'redis';
	readonly holds = 'bytes';
	readonly #connection: RedisConnection;
	readonly #prefix: string;
	readonly #now: () => number;

	constructor(options: RedisStoreOptions = {}) {
		const {url, clientOptions = {}, client} = options;
		const {cacheName, connectionTimeout, commandTimeout, now} = resolveServerOptions(options);
		checkUrl(url);
		const load = driver('@keyv/redis', 'redis', () => import('@keyv/redis'));
		// A Keyv of an application may have the same name as its namespace, and puts that with `::` before its keys.
		this.#prefix = `got-cache-hooks:${keyPrefix(cacheName)}`;
		this.#now = now;
		this.#connection = new RedisConnection({
			connectionTimeout,
			commandTimeout,
			given: client === undefined || 'isOpen' in client ? client : client.client,
			create: async () => createRedisClient(await load(), url, clientOptions, connectionTimeout),
		});
	}

	async get(key: string): Promise<Uint8Array | undefined> {
		return this.#connection.run('get', async ({bytes}) => unmarked(await bytes.get(this.#prefix + key)));
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
		return this.#connection.run('add', async ({bytes}) => expiry === undefined
			? await bytes.exists(this.#prefix + key) === 0
			: await bytes.set(this.#prefix + key, marked, {...expiry, condition: 'NX'}) !== null, marked.length);
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
	By `SCAN`: what is there from beginning to end is met once. It keeps the keys that it has met in memory.
	*/
	async * iterate(): AsyncGenerator<readonly [key: string, value: Uint8Array], void> {
		for await (const page of this.#pages()) {
			for (const batch of batches(page, valuesAtOnce)) {
				// eslint-disable-next-line no-await-in-loop
				const values = await this.#connection.run('iterate', async ({bytes}) => Promise.all(batch.map(async key => bytes.get(key))));
				for (const [index, found] of values.entries()) {
					const value = unmarked(found);
					if (value !== undefined) {
						yield [batch[index]!.slice(this.#prefix.length), value];
					}
				}
			}
		}
	}

	async count(): Promise<number> {
		let total = 0;
		for await (const page of this.#pages()) {
			const starts = await this.#connection.run('count', async ({bytes}) => Promise.all(page.map(async key => bytes.getRange(key, 0, plain.length - 1))));
			total += starts.filter(start => start.length > 0 && !plain.equals(start)).length;
		}

		return total;
	}

	async close(): Promise<void> {
		await this.#connection.close();
	}

	/** `undefined` where the time has passed. Milliseconds from now: the value then lives as long as it should by whatever clock. */
	#expiry({expires}: SetOptions): object | undefined {
		if (expires === undefined || !Number.isFinite(expires)) {
			return {};
		}

		const left = Math.min(Math.ceil(expires - this.#now()), Number.MAX_SAFE_INTEGER);
		return left > 0 ? {expiration: {type: 'PX', value: left}} : undefined;
	}

	/** The keys on the server, each once. */
	async * #pages(): AsyncGenerator<readonly string[], void> {
		const match = `${this.#prefix.replaceAll(/[*?\[\\\]]/gv, String.raw`\$&`)}*`;
		// What is no string is of somebody else.
		const scanned = {MATCH: match, COUNT: keysPerPage, TYPE: 'string'}; // eslint-disable-line @typescript-eslint/naming-convention
		const met = new Set<string>();
		const nodes = await this.#connection.run('scan', nodesOf);
		for (const index of nodes.keys()) {
			let cursor = '0';
			do {
				const from = cursor;
				// Asked for anew each time: the connection may be another one by now.
				// eslint-disable-next-line no-await-in-loop
				const page = await this.#connection.run('scan', async link => {
					const all = await nodesOf(link);
					return all[index]?.scan(from, scanned) ?? {cursor: '0', keys: []};
				});
				cursor = String(page.cursor);
				// A page may name a key twice.
				const keys = [...new Set(page.keys).difference(met)];
				for (const key of keys) {
					met.add(key);
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
			// The keys lie on several nodes.
			: Promise.all(keys.map(async key => text.unlink(key))));
	}
}

function checkUrl(url: string | undefined): void {
	if (url !== undefined && (!/^rediss?:\/\//v.test(url) || !URL.canParse(url))) {
		// A URL may hold a password.
		throw new SettingError('url', typeof url, 'a URL that begins with `redis://` or `rediss://`');
	}
}

/** Where keys can be listed: the server, or every master of a cluster. */
async function nodesOf({client, text}: RedisLink): Promise<ReadonlyArray<RedisLink['text']>> {
	if (client.masters === undefined) {
		return [text];
	}

	const clients = await Promise.all(client.masters.map(async node => client.nodeClient!(node as never) as RedisClient));
	return clients.map(node => node.withTypeMapping({}) as RedisLink['text']);
}

function markedValue(value: Uint8Array, {indexed}: SetOptions): Uint8Array {
	if (indexed === undefined) {
		return Buffer.concat([plain, value]);
	}

	// The client takes none but a Buffer for bytes.
	const buffer = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
	return buffer.length === 0 || buffer.subarray(0, mark.length).equals(mark) ? Buffer.concat([escaped, buffer]) : buffer;
}

function unmarked(value: Uint8Array | null): Uint8Array | undefined {
	if (value === null) {
		return undefined;
	}

	return mark.equals(value.subarray(0, mark.length)) ? value.subarray(plain.length) : value;
}
