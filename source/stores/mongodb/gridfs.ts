import {checkBytes, resolveServerOptions} from '../server-options.ts';
import type {
	SetOptions,
	Store,
	StoreQuery,
	StoredValue,
} from '../types.ts';
import {MongoConnection, type MongoLink, type MongoServerOptions} from './connection.ts';
import {fromDocument} from './documents.ts';
import {Entries, type Content} from './entries.ts';
import {Files} from './files.ts';
import {Heads} from './heads.ts';
import {checkCollection, checkLargest} from './names.ts';

export type GridFsStoreOptions = MongoServerOptions & {
	/**
	The bucket: the files are in the collections `<bucketName>.files` and `<bucketName>.chunks`, and what is known of each key in `<bucketName>.entries`. Default: `'responses_fs'`.
	*/
	readonly bucketName?: string;

	/**
	Bytes up to which a value lies in its entry, which saves most of the round trips; larger ones are files. Default: 261,120, which is one chunk of GridFS.
	*/
	readonly largestDocument?: number;
};

/** Of GridFS, by default. */
const oneChunk = 255 * 1024;

/**
Keeps bytes, as many as they be, as files in GridFS on MongoDB: one file a key, which has the key as its name. What is small lies beside the key.

A new file is written first; then the entry, which names the file, is replaced in one step, and then the old file goes. The server deletes entries by itself when their time has come, but knows no expiry of files: those are removed by `purge`, which also happens in passing at most once an hour, after 256 writes.

The server is connected to by the first call, and indexes are made by the first that writes. A call while the server is away throws within `connectionTimeout` and `commandTimeout`, and the next tries again.

@example
```ts
const store = new GridFsStore({url: 'mongodb://localhost:27017/cache', cacheName: 'responses'});
```
@throws {CacheHooksError} `ERR_STORE_DRIVER` where the package `mongodb` is not installed.
*/
export class GridFsStore implements Store {
	readonly name = 'gridfs';
	readonly holds = 'bytes';
	readonly #connection: MongoConnection;
	readonly #entries: Entries;
	readonly #largestDocument: number;

	constructor(options: GridFsStoreOptions = {}) {
		this.#largestDocument = checkLargest(options.largestDocument ?? oneChunk, 0);
		const limits = resolveServerOptions(options);
		const name = checkCollection('bucketName', options.bucketName ?? 'responses_fs');
		const {cacheName: namespace, now} = limits;
		const connection = new MongoConnection('GridFS', options, limits);
		const collection = ({database}: MongoLink, suffix: string) => database.collection(`${name}.${suffix}`);
		this.#connection = connection;
		this.#entries = new Entries({
			connection,
			heads: new Heads(connection, link => collection(link, 'entries')),
			bodies: new Files({connection, collection, now}, name),
			namespace,
			now,
		});
	}

	async get(key: string): Promise<Uint8Array | undefined> {
		const content = await this.#entries.get(key);
		return content && bytesOf(content);
	}

	async set(key: string, value: StoredValue, options: SetOptions): Promise<void> {
		const content = this.#content(value);
		await this.#entries.set(key, content, content.size, options);
	}

	async add(key: string, value: StoredValue, options: SetOptions): Promise<boolean> {
		const content = this.#content(value);
		return this.#entries.add(key, content, content.size, options);
	}

	async delete(key: string): Promise<boolean> {
		return this.#entries.delete(key);
	}

	async deleteMany(keys: readonly string[]): Promise<void> {
		await this.#entries.deleteMany(keys);
	}

	async clear(): Promise<void> {
		await this.#entries.clear();
	}

	/**
	By pages of keys, in their order: no cursor is held between two.
	*/
	async * iterate(): AsyncGenerator<readonly [key: string, value: Uint8Array], void> {
		for await (const [key, content] of this.#entries.iterate()) {
			yield [key, bytesOf(content)];
		}
	}

	find(query: StoreQuery): AsyncGenerator<string, void> {
		return this.#entries.find(query);
	}

	async deleteFound(query: StoreQuery): Promise<number> {
		return this.#entries.deleteFound(query);
	}

	async count(): Promise<number> {
		return this.#entries.count();
	}

	/**
	Removes what has expired, and the files, whole or not, that no entry refers to an hour after they were begun: those of entries that the server has deleted and of writers that were killed. Returns how many there were.
	*/
	async purge(): Promise<number> {
		return this.#entries.purge();
	}

	async close(): Promise<void> {
		await this.#connection.close();
	}

	#content(value: StoredValue): Content & {readonly size: number} {
		const bytes = checkBytes('GridFS', value);
		const size = bytes.length;
		return size > this.#largestDocument ? {bytes, size} : {value: bytes, size};
	}
}

function bytesOf(content: Content): Uint8Array {
	return 'bytes' in content ? content.bytes : fromDocument(content.value) as Uint8Array;
}
