import {checkBytes} from '../server-options.ts';
import type {SetOptions, Store, StoredValue} from '../types.ts';
import {checkCollection, checkLargest, type MongoServerOptions} from './connection.ts';
import {fromDocument} from './documents.ts';
import {EntriesStore, type Content} from './entries.ts';

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

const chunkSize = 1024 * 1024;

/**
Keeps bytes, as many as they be, as files in GridFS on MongoDB: one file a key, which has the key as its name. What is small lies beside the key.

A new file is written first; then the entry, which names the file, is replaced in one step, and then the old file goes. The server deletes entries and their files by itself when their time has come. What it has not, and files that no entry refers to any more, are removed by `purge`, which also happens in passing at most once an hour, after 256 writes. Other files of the bucket stay as they are.

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
		const bucketName = checkCollection('bucketName', options.bucketName ?? 'responses_fs');
		super({
			name: 'GridFS', server: options, headsName: `${bucketName}.entries`, bucketName, chunkSize, valueOf: bytesOf,
		});
		this.#largestDocument = largestDocument;
	}

	async set(key: string, value: StoredValue, options: SetOptions): Promise<void> {
		const content = this.#content(value);
		await this.setContent(key, content, content.size, options);
	}

	async add(key: string, value: StoredValue, options: SetOptions): Promise<boolean> {
		const content = this.#content(value);
		return this.addContent(key, content, content.size, options);
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
