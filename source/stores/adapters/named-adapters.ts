import {KeyvStore} from '../keyv.ts';
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
import {driver, driverError, ignore} from '../server-options.ts';
import {LazyAdapter, type StorageAdapter} from './lazy-adapter.ts';

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

/**
Makes a store on the adapter of a package. The first call loads the package.

@throws {SettingError} If an option is wrong.
@throws {CacheHooksError} `ERR_STORE_DRIVER` if the package is not installed.
*/
export function namedAdapterStore<Name extends keyof NamedAdapterOptions>(name: Name, options: NamedAdapterOptions[Name]): KeyvStore {
	checkOptions(`createStore('${name}')`, options, optionTypes[name]);
	const {cacheName = 'http_cache', now = Date.now} = options;
	return new KeyvStore(makers[name](options, cacheName), {cacheName, name, now});
}

const makers: {readonly [Name in keyof NamedAdapterOptions]: (options: NamedAdapterOptions[Name], cacheName: string) => LazyAdapter} = {
	'keyv-file'({filename, separatedFile = true, writeDelay = 100, expiredCheckDelay = 86_400_000}, cacheName) {
		const load = driver('keyv-file', 'keyv-file', async () => {
			try {
				return await import('keyv-file');
			} catch (error) {
				throw driverError('keyv-file', 'keyv-file', error);
			}
		});
		return new LazyAdapter('keyv-file', async () => {
			const {KeyvFile} = await load();
			return new KeyvFile({
				filename: filename ?? `${cacheName}.keyv`, separatedFile, writeDelay, expiredCheckDelay, ...separatedFile && {serialize: JSON.stringify, deserialize},
			});
		}, {separatedFile, expiredCheckDelay});
	},

	'@keyv/sqlite'({uri, table = 'keyv', wal = true, busyTimeout, iterationLimit = 100}, cacheName) {
		const load = driver('@keyv/sqlite', '@keyv/sqlite', async () => {
			try {
				return await import('@keyv/sqlite');
			} catch (error) {
				throw driverError('@keyv/sqlite', '@keyv/sqlite', error);
			}
		});
		return new LazyAdapter('@keyv/sqlite', async () => {
			const module = await load();
			const AdapterClass = module.KeyvSqlite as unknown as SqliteAdapterClass;
			const isVersion6 = 'capabilities' in AdapterClass.prototype;
			const adapter = new AdapterClass({
				uri: uri ?? `sqlite://${cacheName}.keyv.sqlite`,
				table,
				iterationLimit,
				...isVersion6 ? {driver: 'node:sqlite', wal, busyTimeout: busyTimeout ?? 50} : {busyTimeout: busyTimeout ?? 5000},
			});
			// Without a listener its first error ends the process. The call below throws the same error.
			adapter.on('error', ignore);
			await (isVersion6 ? adapter.ready : adapter.query(wal ? 'PRAGMA journal_mode = WAL' : 'SELECT 1'));
			return adapter;
		});
	},

	// The adapter's `useGridFS` is not offered, since each `set` adds a revision, and `delete` removes one of them.
	'@keyv/mongo'({url, db, collection = 'keyv', serverSelectionTimeoutMS = 2000, connectTimeoutMS = 2000, socketTimeoutMS = 10_000}) {
		const load = driver('@keyv/mongo', '@keyv/mongo', async () => {
			try {
				return await import('@keyv/mongo');
			} catch (error) {
				throw driverError('@keyv/mongo', '@keyv/mongo', error);
			}
		});
		return new LazyAdapter('@keyv/mongo', async () => {
			const {KeyvMongo} = await load();
			const adapter = new KeyvMongo({
				...url !== undefined && {url}, ...db !== undefined && {db}, collection, serverSelectionTimeoutMS, connectTimeoutMS, socketTimeoutMS,
			});
			// If connecting fails, its calls never answer.
			await new Promise((resolve, reject) => {
				adapter.on('error', reject);
				void adapter.connect.then(resolve);
			});
			return adapter;
		});
	},

	'@keyv/redis'({url = 'redis://localhost:6379', connectionTimeout = 2000, socketTimeout = 10_000, useUnlink = true}) {
		const load = driver('@keyv/redis', '@keyv/redis', async () => {
			try {
				return await import('@keyv/redis');
			} catch (error) {
				throw driverError('@keyv/redis', '@keyv/redis', error);
			}
		});
		return new LazyAdapter('@keyv/redis', async () => {
			const module = await load();
			const adapter = new module.default({
				url,
				// Commands fail at once while the server is away.
				disableOfflineQueue: true,
				socket: {
					connectTimeout: connectionTimeout,
					socketTimeout,
					reconnectStrategy: (attempts: number) => Math.min(100 * (2 ** attempts), 2000),
				},
			}, {connectionTimeout, useUnlink, throwOnErrors: true});
			// The error of `getClient` has no reason.
			const failed = new Promise<never>((_resolve, reject) => {
				adapter.on('error', reject);
			});
			await Promise.race([adapter.getClient(), failed]);
			return adapter;
		});
	},
};

/** Reads a file that a killed process has left incomplete as a miss. The adapter itself would print it. */
function deserialize(content: string | Uint8Array): unknown {
	try {
		return JSON.parse(content.toString());
	} catch {
		return undefined;
	}
}

/** The parts of versions 4 and 6 of the adapter that are used. */
type SqliteAdapterClass = {
	new (options: object): StorageAdapter & {
		query(statement: string): Promise<unknown>;

		/** Only version 6 has it. */
		readonly ready?: Promise<void>;
	};
	readonly prototype: object;
};
