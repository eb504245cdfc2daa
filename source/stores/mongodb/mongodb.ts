import type * as MongoDb from 'mongodb';
import {CacheHooksError} from '../../errors.ts';
import {
	isPackedName,
	packBytes,
	packedMember,
	unpack,
	unpackBytes,
} from '../packed.ts';
import {checkBytes} from '../server-options.ts';
import type {Store} from '../types.ts';
import {mongoDbLimit, type GridFsStoreOptions, type MongoDbStoreOptions} from './options.ts';
import {MongoStore} from './store.ts';

const gridFsChunk = 255 * 1024;

/** A chunk of 16 MB would make other calls wait. */
const largestChunk = 4 * 1024 * 1024;

/** MongoDB allows 100 levels, of which the entry takes some. */
const deepestLevel = 80;

/**
Stores readable documents in a collection of MongoDB, which deletes them when they expire.

One collection holds all namespaces, so that one index serves them all. A part of a document that MongoDB cannot hold is replaced by JSON text, under `(json)`, or by bytes in the format of `node:v8`, under `(v8)`, if JSON would lose something. Values over 16 MB are such text or bytes in GridFS.

The first call connects, and the first write makes the indexes. A call while the server is away throws within `connectionTimeout` and `commandTimeout`, and the next call tries again.
@throws {CacheHooksError} `ERR_STORE_DRIVER` if the package `mongodb` is not installed.

@example
```ts
import {createStore} from 'got-cache-hooks';

const store = createStore('mongodb', {url: 'mongodb://db.example.com/cache', cacheName: 'responses'});
```
*/
export class MongoDbStore extends MongoStore<object> implements Store {
	readonly name = 'mongodb';
	readonly valueType = 'documents';

	constructor(options: MongoDbStoreOptions = {}) {
		const {collectionName = 'responses', largestDocument = mongoDbLimit} = options;
		super({
			name: 'MongoDB',
			server: options,
			collectionName,
			bucketName: collectionName,
			chunkSize: Math.min(largestDocument, largestChunk),
			async toContent(value, connection) {
				if (typeof value !== 'object' || value instanceof Uint8Array) {
					throw new CacheHooksError('ERR_STORE_VALUE', 'The MongoDB store holds documents: expected an object.');
				}

				const document = toDocument(value);
				const size = await connection.run('set', async ({driver}) => driver.BSON.calculateObjectSize({value: document}));
				return size > largestDocument ? {bytes: packBytes(value)} : {value: document, size, packed: () => packed(value)};
			},
			fromDocument: value => fromDocument(value) as object,
			fromBytes: bytes => unpackBytes(bytes) as object,
		});
	}
}

/**
Stores bytes of any size as files in GridFS on MongoDB: one file for each key, with the key as its name. Small values are in the document of the key.

The server deletes documents and files when they expire. Other files in the bucket are not touched.

The first call connects, and the first write makes the indexes. A call while the server is away throws within `connectionTimeout` and `commandTimeout`, and the next call tries again.
@throws {CacheHooksError} `ERR_STORE_DRIVER` if the package `mongodb` is not installed.

@example
```ts
import {createStore} from 'got-cache-hooks';

const store = createStore('gridfs', {url: 'mongodb://db.example.com/cache', cacheName: 'responses'});
```
*/
export class GridFsStore extends MongoStore<Uint8Array> implements Store {
	readonly name = 'gridfs';
	readonly valueType = 'bytes';

	constructor(options: GridFsStoreOptions = {}) {
		const {bucketName = 'responses_fs', largestDocument = gridFsChunk} = options;
		super({
			name: 'GridFS',
			server: options,
			collectionName: `${bucketName}.entries`,
			bucketName,
			chunkSize: 1024 * 1024,
			async toContent(value) {
				const bytes = checkBytes('GridFS', value);
				return bytes.length > largestDocument ? {bytes} : {value: bytes, size: bytes.length};
			},
			fromDocument: value => fromDocument(value) as Uint8Array,
			fromBytes: bytes => bytes,
		});
	}
}

/**
Returns the value with the parts packed (see `pack`) that MongoDB cannot hold: objects with names that are empty, begin with `$` or contain `.`, strings that are not well-formed, `-0`, and what is nested too deeply.
*/
function toDocument(value: unknown, depth = 0): unknown {
	if (typeof value === 'string') {
		return value.isWellFormed() ? value : packed(value);
	}

	if (typeof value !== 'object' || value === null) {
		return Object.is(value, -0) ? packed(value) : value;
	}

	if (value instanceof Uint8Array) {
		return value;
	}

	if (depth >= deepestLevel) {
		return packed(value);
	}

	if (Array.isArray(value)) {
		return value.map(item => toDocument(item, depth + 1));
	}

	const entries = Object.entries(value);
	return entries.every(([name]) => isAllowedName(name))
		? Object.fromEntries(entries.map(([name, item]) => [name, toDocument(item, depth + 1)]))
		: packed(value);
}

function packed(value: unknown): object {
	return Object.fromEntries([packedMember(value)]);
}

function fromDocument(value: unknown): unknown {
	if (typeof value !== 'object' || value === null) {
		return value;
	}

	if (Array.isArray(value)) {
		return value.map(item => fromDocument(item));
	}

	const {_bsontype: type} = value as {readonly _bsontype?: string};
	if (type === 'Binary') {
		return new Uint8Array((value as MongoDb.Binary).value());
	}

	const entries = Object.entries(value).map(([name, item]) => [name, fromDocument(item)] as const);
	const [[first, content] = ['']] = entries;
	return isPackedName(first) ? unpack(content as string | Uint8Array) : Object.fromEntries(entries);
}

/** `_bsontype` and `toBSON` have a meaning for the driver. */
function isAllowedName(name: string): boolean {
	return name !== '' && !/^\$|[\0.]/v.test(name) && name.isWellFormed() && !['__proto__', '_bsontype', 'toBSON'].includes(name) && !isPackedName(name);
}
