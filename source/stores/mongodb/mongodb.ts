import {CacheHooksError} from '../../errors.ts';
import {packBytes, unpackBytes} from '../packed.ts';
import type {SetOptions, Store, StoredValue} from '../types.ts';
import {
	checkCollection,
	checkLargest,
	mostOfMongoDb,
	type MongoLink,
	type MongoServerOptions,
} from './connection.ts';
import {fromDocument, packed, toDocument} from './documents.ts';
import {EntriesStore, type Content} from './entries.ts';

export type MongoDbStoreOptions = MongoServerOptions & {
	/**
	The collection; larger values are files of GridFS, in the collections with `.files` and `.chunks` behind its name. Default: `'responses'`.
	*/
	readonly collectionName?: string;

	/**
	Bytes up to which a value lies in one document, for servers that hold less than MongoDB, or are slow with large ones. Default: 16,711,680, which is MongoDB's limit less 64 kB for what stands beside the value.
	*/
	readonly largestDocument?: number;
};

/** A chunk of 16 MB would wait long for its turn. */
const largestChunk = 4 * 1024 * 1024;

/** The server's answer to a document that it does not hold. MongoDB holds all that we make; others hold less. */
const badValue = 2;

/**
Keeps readable documents in a collection of MongoDB, which deletes them by itself when their time has come.

All namespaces are in one collection, so that one index serves them all and a name is no collection's name, which has limits of its own. What MongoDB cannot hold is JSON text in its place, under `(json)`, or bytes in Node's own format, under `(v8)`, where JSON would lose something. Values over 16 MB are such text or bytes in GridFS.

The server is connected to by the first call, and indexes are made by the first that writes. A call while the server is away throws within `connectionTimeout` and `commandTimeout`, and the next tries again.

@example
```ts
const store = new MongoDbStore({url: 'mongodb://localhost:27017/cache', cacheName: 'responses'});
```
@throws {CacheHooksError} `ERR_STORE_DRIVER` where the package `mongodb` is not installed.
*/
export class MongoDbStore extends EntriesStore<object> implements Store {
	readonly name = 'mongodb';
	readonly holds = 'documents';
	readonly #largestDocument: number;

	constructor(options: MongoDbStoreOptions = {}) {
		const largestDocument = checkLargest(options.largestDocument ?? mostOfMongoDb, 1024);
		const name = checkCollection('collectionName', options.collectionName ?? 'responses');
		super({
			name: 'MongoDB', server: options, headsName: name, bucketName: name, chunkSize: Math.min(largestDocument, largestChunk), valueOf,
		});
		this.#largestDocument = largestDocument;
	}

	async set(key: string, value: StoredValue, options: SetOptions): Promise<void> {
		await this.#write(value, async (content, size) => this.setContent(key, content, size, options));
	}

	async add(key: string, value: StoredValue, options: SetOptions): Promise<boolean> {
		return this.#write(value, async (content, size) => this.addContent(key, content, size, options));
	}

	async #write<T>(value: StoredValue, write: (content: Content, size: number) => Promise<T>): Promise<T> {
		if (typeof value !== 'object' || value instanceof Uint8Array) {
			throw new CacheHooksError('ERR_STORE_VALUE', 'The MongoDB store holds documents: expected an object');
		}

		const document = toDocument(value);
		const size = await this.connection.run('set', async link => sizeOf(link, document));
		if (size > this.#largestDocument) {
			const bytes = packBytes(value);
			return write({bytes}, bytes.length);
		}

		try {
			return await write({value: document}, size);
		} catch (error) {
			if ((error as {code?: unknown}).code !== badValue) {
				throw error;
			}

			return write({value: packed(value)}, size);
		}
	}
}

async function sizeOf({driver}: MongoLink, value: unknown): Promise<number> {
	return driver.BSON.calculateObjectSize({value});
}

function valueOf(content: Content): object {
	return ('bytes' in content ? unpackBytes(content.bytes) : fromDocument(content.value)) as object;
}
