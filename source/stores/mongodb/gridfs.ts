import {checkBytes, resolveServerOptions} from '../server-options.ts';
import type {
	SetOptions,
	Store,
	StoreQuery,
	StoredValue,
} from '../types.ts';
import {MongoConnection, type MongoLink, type MongoServerOptions} from './connection.ts';
import {fromDocument} from './documents.ts';
import {EntriesStore} from './entries-store.ts';
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
export class GridFsStore extends EntriesStore<Uint8Array> implements Store {
	readonly name = 'gridfs';
	readonly holds = 'bytes';
	readonly #largestDocument: number;

	constructor(options: GridFsStoreOptions = {}) {
		const largestDocument = checkLargest(options.largestDocument ?? oneChunk, 0);
		const limits = resolveServerOptions(options);
		const name = checkCollection('bucketName', options.bucketName ?? 'responses_fs');
		const {cacheName: namespace, now} = limits;
		const connection = new MongoConnection('GridFS', options, limits);
		const collection = ({database}: MongoLink, suffix: string) => database.collection(`${name}.${suffix}`);
		const entries = new Entries({
			connection,
			heads: new Heads(connection, link => collection(link, 'entries')),
			bodies: new Files({connection, collection, now}, name),
			namespace,
			now,
		});
		super({connection, entries, valueOf: bytesOf});
		this.#largestDocument = largestDocument;
	}

	async set(key: string, value: StoredValue, options: SetOptions): Promise<void> {
		const content = this.#content(value);
		await this.entries.set(key, content, content.size, options);
	}

	async add(key: string, value: StoredValue, options: SetOptions): Promise<boolean> {
		const content = this.#content(value);
		return this.entries.add(key, content, content.size, options);
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
