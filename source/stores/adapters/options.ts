import {
	boolean,
	checkOptions,
	commonOptions,
	milliseconds,
	positiveInteger,
	serverUrl,
	text,
	type CommonOptions,
	type OptionTypes,
} from '../options.ts';

export type KeyvFileOptions = CommonOptions & {
	/**
	The folder, or the file with `separatedFile: false`. Default: the name of the cache and `.keyv`, in the working directory.
	*/
	readonly filename?: string;

	/**
	Whether each entry has a file of its own. Several processes may use such a folder, and a killed process damages one entry. `false` stores all entries in one file, which each process reads once and writes as a whole, so processes lose each other's entries, and a process that is killed during a write loses all. Use `false` only to read an existing file. Default: `true`.
	*/
	readonly separatedFile?: boolean;

	/**
	The number of milliseconds for which writes to the one file are collected. Default: 100.
	*/
	readonly writeDelay?: number;

	/**
	The number of milliseconds between two searches for expired entries. Default: 24 hours.
	*/
	readonly expiredCheckDelay?: number;
};

export type KeyvSqliteOptions = CommonOptions & {
	/**
	The file, after `sqlite://`. Default: the name of the cache and `.keyv.sqlite`, in the working directory.
	*/
	readonly uri?: string;

	/**
	The name of the table. Default: `'keyv'`, as the adapter's.
	*/
	readonly table?: string;

	/**
	Whether the file has a write-ahead log, with which readers and a writer do not wait for each other. Default: `true`.
	*/
	readonly wal?: boolean;

	/**
	The number of milliseconds that a statement waits for a lock of another connection. Version 4 of the adapter waits in a thread of its own, version 6 blocks the event loop. Default: 5000 with version 4, 50 with version 6.
	*/
	readonly busyTimeout?: number;

	/**
	The number of rows that are read at once when keys are listed. Default: 100 (the adapter's own is 10).
	*/
	readonly iterationLimit?: number;
};

export type KeyvMongoOptions = CommonOptions & {
	/**
	The URL of the server, `mongodb:` or `mongodb+srv:`. Default: `'mongodb://127.0.0.1:27017'`, as the adapter's.
	*/
	readonly url?: string;

	/**
	The name of the database. Default: that of the URL, or `'test'`.
	*/
	readonly db?: string;

	/**
	The name of the collection. Default: `'keyv'`, as the adapter's.
	*/
	readonly collection?: string;

	/**
	The number of milliseconds that a call waits for a server that is away. Default: 2000 (the driver's own is 30 seconds).
	*/
	readonly serverSelectionTimeoutMS?: number;

	/**
	The number of milliseconds that connecting may take. Default: 2000.
	*/
	readonly connectTimeoutMS?: number;

	/**
	The number of milliseconds after which a connection that does not answer is closed. Default: 10,000.
	*/
	readonly socketTimeoutMS?: number;
};

export type KeyvRedisOptions = CommonOptions & {
	/**
	The URL of the server, `redis:` or `rediss:`. Default: `'redis://localhost:6379'`, as the adapter's.
	*/
	readonly url?: string;

	/**
	The number of milliseconds that connecting may take. Default: 2000.
	*/
	readonly connectionTimeout?: number;

	/**
	The number of milliseconds after which a connection that does not answer is closed. Default: 10,000.
	*/
	readonly socketTimeout?: number;

	/**
	Whether keys are deleted by `UNLINK` instead of `DEL`. Default: `true`.
	*/
	readonly useUnlink?: boolean;
};

/** The options of each named adapter. */
export type NamedAdapterOptions = {
	readonly 'keyv-file': KeyvFileOptions;
	readonly '@keyv/sqlite': KeyvSqliteOptions;
	readonly '@keyv/mongo': KeyvMongoOptions;
	readonly '@keyv/redis': KeyvRedisOptions;
};

/** A name with the options of its adapter. */
export type NamedAdapter = {[Name in keyof NamedAdapterOptions]: {readonly name: Name; readonly options: NamedAdapterOptions[Name]}}[keyof NamedAdapterOptions];

/** The options that each named adapter has. */
const optionTypes: {readonly [Name in keyof NamedAdapterOptions]: OptionTypes<NamedAdapterOptions[Name]>} = {
	'keyv-file': {
		...commonOptions, filename: text, separatedFile: boolean, writeDelay: milliseconds, expiredCheckDelay: milliseconds,
	},
	'@keyv/sqlite': {
		...commonOptions, uri: text, table: text, wal: boolean, busyTimeout: milliseconds, iterationLimit: positiveInteger,
	},
	'@keyv/mongo': {
		...commonOptions, url: serverUrl('mongodb', 'mongodb+srv'), db: text, collection: text, serverSelectionTimeoutMS: milliseconds, connectTimeoutMS: milliseconds, socketTimeoutMS: milliseconds,
	},
	'@keyv/redis': {
		...commonOptions, url: serverUrl('redis', 'rediss'), connectionTimeout: milliseconds, socketTimeout: milliseconds, useUnlink: boolean,
	},
};

/** Throws a `SettingError` for a wrong option. */
export function checkAdapterOptions<Name extends keyof NamedAdapterOptions>(name: Name, options: NamedAdapterOptions[Name]): void {
	checkOptions(`createStore('${name}')`, options, optionTypes[name]);
}
