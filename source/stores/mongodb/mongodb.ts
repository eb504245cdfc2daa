import {deserialize, serialize} from 'node:v8';
import {CacheHooksError} from '../../errors.ts';
import {resolveServerOptions} from '../server-options.ts';
import type {
	SetOptions,
	Store,
	StoreQuery,
	StoredValue,
} from '../types.ts';
import {Chunks} from './chunks.ts';
import {MongoConnection, type MongoLink, type MongoServerOptions} from './connection.ts';
import {fromDocument, toDocument, toText} from './documents.ts';
import {EntriesStore} from './entries-store.ts';
import {Entries, type Content} from './entries.ts';
import {Heads} from './heads.ts';
import {checkCollection, checkLargest, mostOfMongoDb} from './names.ts';

export type MongoDbStoreOptions = MongoServerOptions & {
	/**
	The collection; larger values are in a second one, with `.chunks` behind its name. Default: `'responses'`.
	*/
	readonly collectionName?: string;

	/**
	Bytes up to which a value lies in one document, for servers that hold less than MongoDB, or are slow with large ones. Default: 16,711,680, which is MongoDB's limit less 64 kB for what stands beside the value.
	*/
	readonly largestDocument?: number;
};

/** The server's answer to a document that it does not hold. MongoDB holds all that we make; others hold less. */
const badValue = 2;

/**
Keeps readable documents in a collection of MongoDB, which deletes them by itself when their time has come.

All namespaces are in one collection, so that one index serves them all and a name is no collection's name, which has limits of its own. What MongoDB cannot hold is JSON text in its place, under `(json)`; values over 16 MB are in chunks, in Node's own format.

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
		const limits = resolveServerOptions(options);
		const name = checkCollection('collectionName', options.collectionName ?? 'responses');
		const {cacheName: namespace, now} = limits;
		const connection = new MongoConnection('MongoDB', options, limits);
		const heads = new Heads(connection, ({database}) => database.collection(name));
		const collection = ({database}: MongoLink, suffix: string) => database.collection(`${name}.${suffix}`);
		const bodies = new Chunks({connection, collection, now}, largestDocument);
		const entries = new Entries({
			connection, heads, bodies, namespace, now,
		});
		super({connection, entries, valueOf});
		this.#largestDocument = largestDocument;
	}

	async set(key: string, value: StoredValue, options: SetOptions): Promise<void> {
		await this.#write(value, async (content, size) => this.entries.set(key, content, size, options));
	}

	async add(key: string, value: StoredValue, options: SetOptions): Promise<boolean> {
		return this.#write(value, async (content, size) => this.entries.add(key, content, size, options));
	}

	async #write<T>(value: StoredValue, write: (content: Content, size: number) => Promise<T>): Promise<T> {
		if (typeof value !== 'object' || value instanceof Uint8Array) {
			throw new CacheHooksError('ERR_STORE_VALUE', 'The MongoDB store holds documents: expected an object');
		}

		const document = toDocument(value);
		const size = await this.connection.run('set', async link => sizeOf(link, document));
		if (size > this.#largestDocument) {
			const bytes = serialize(value);
			return write({bytes}, bytes.length);
		}

		try {
			return await write({value: document}, size);
		} catch (error) {
			if ((error as {code?: unknown}).code !== badValue) {
				throw error;
			}

			return write({value: toText(value)}, size);
		}
	}
}

async function sizeOf({driver}: MongoLink, value: unknown): Promise<number> {
	return driver.BSON.calculateObjectSize({value});
}

function valueOf(content: Content): object {
	return ('bytes' in content ? deserialize(content.bytes) : fromDocument(content.value)) as object;
}
