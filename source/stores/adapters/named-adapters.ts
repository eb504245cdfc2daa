import {KeyvStore} from '../keyv.ts';
import {driver, driverError, ignore} from '../server-options.ts';
import {LazyAdapter, type StorageAdapter} from './lazy-adapter.ts';
import {checkAdapterOptions, type NamedAdapterOptions} from './options.ts';

/**
Makes a store on the adapter of a package. The first call loads the package.

@throws {SettingError} If an option is wrong.
@throws {CacheHooksError} `ERR_STORE_DRIVER` if the package is not installed.
*/
export function namedAdapterStore<Name extends keyof NamedAdapterOptions>(name: Name, options: NamedAdapterOptions[Name]): KeyvStore {
	checkAdapterOptions(name, options);
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
