import type {Parser} from '../../parse.ts';
import {
	checkOptions,
	integer,
	matching,
	objectWith,
	refuseTogether,
	serverUrl,
	type OptionTypes,
} from '../options.ts';
import {serverOptions, type ServerOptions} from '../server-options.ts';

/** A `MongoClient` of the package `mongodb`. */
type MongoClientLike = {
	connect(): Promise<unknown>;
	db(name?: string): unknown;
	close(): Promise<void>;
};

export type MongoServerOptions = ServerOptions & {
	/**
	The URL of the server: `'mongodb://…'` or `'mongodb+srv://…'`. Default: `'mongodb://localhost:27017'`.
	*/
	readonly url?: string;

	/**
	Options of the driver's `MongoClient`. Default: `connectionTimeout` and `commandTimeout` as the driver's own time limits.
	*/
	readonly clientOptions?: Readonly<Record<string, unknown>>;

	/**
	A `MongoClient`, which the store connects if necessary, and never closes.
	*/
	readonly client?: MongoClientLike;

	/**
	The name of the database. Default: the database that the URL names, or `'http_cache'` if it names none or `test`.
	*/
	readonly databaseName?: string;
};

const mongoOptions: OptionTypes<MongoServerOptions> = {
	...serverOptions,
	url: serverUrl('mongodb', 'mongodb+srv'),
	clientOptions: objectWith([], 'an object with options for the driver\'s `MongoClient`'),
	client: objectWith(['connect', 'db', 'close'], 'a `MongoClient`'),
	databaseName: matching(/^[^\0 "$*.\/:<>?\\\|]+$/v, 'the name of a MongoDB database'),
};

export type MongoDbStoreOptions = MongoServerOptions & {
	/**
	The name of the collection. Larger values are files of GridFS, in the collections `<collectionName>.files` and `<collectionName>.chunks`. Default: `'responses'`.
	*/
	readonly collectionName?: string;

	/**
	The maximum number of bytes of a value in a document. Use it with servers that hold less than MongoDB, or are slow with large documents. Default: 16,711,680, which is MongoDB's limit less 64 kB for the rest of the document.
	*/
	readonly largestDocument?: number;
};

export type GridFsStoreOptions = MongoServerOptions & {
	/**
	The name of the bucket. The files are in the collections `<bucketName>.files` and `<bucketName>.chunks`, the documents of the keys in `<bucketName>.entries`. Default: `'responses_fs'`.
	*/
	readonly bucketName?: string;

	/**
	The maximum number of bytes of a value that is stored in the document of its key, which saves most of the round trips. Larger values are files. Default: 261,120, which is one chunk of GridFS.
	*/
	readonly largestDocument?: number;
};

/** MongoDB's limit for a document, less room for what is beside the value. */
export const mongoDbLimit: number = (16 * 1024 * 1024) - (64 * 1024);

/** `$` and `system.` are reserved for the server. */
const collection = matching(/^(?!system\.|\.)(?!.*(?:\.\.|\.$))[^\0$]+$/v, 'the name of a MongoDB collection');

function largestFrom(least: number): Parser<number> {
	return integer({from: least, to: mongoDbLimit}, `a number of bytes from ${least} to ${mongoDbLimit}`);
}

function check<Options extends MongoServerOptions>(name: 'mongodb' | 'gridfs', options: Options, types: OptionTypes<Options>): void {
	const path = `createStore('${name}')`;
	checkOptions(path, options, types);
	refuseTogether(path, options, 'client', ['url', 'clientOptions']);
}

/** Throws a `SettingError` for a wrong option. */
export function checkMongoDbOptions(options: MongoDbStoreOptions): void {
	check('mongodb', options, {...mongoOptions, collectionName: collection, largestDocument: largestFrom(1024)});
}

/** Throws a `SettingError` for a wrong option. */
export function checkGridFsOptions(options: GridFsStoreOptions): void {
	check('gridfs', options, {...mongoOptions, bucketName: collection, largestDocument: largestFrom(0)});
}
