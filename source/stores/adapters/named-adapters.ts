import type * as KeyvFilePackage from 'keyv-file';
import type * as KeyvMongoPackage from '@keyv/mongo';
import type * as KeyvRedisPackage from '@keyv/redis';
import {KeyvStore} from '../keyv.ts';
import type {KeyvLike} from '../keyv-instances.ts';
import {driverError, ignore} from '../server-options.ts';
import type {NamedAdapter, NamedAdapterOptions} from './options.ts';

/**
Makes a store on an adapter of a package, once it is connected. An adapter that cannot connect is given up, since some connect only once.

@throws {CacheHooksError} `ERR_STORE_DRIVER` if the package is not installed.
*/
export async function namedAdapterStore(named: NamedAdapter): Promise<KeyvStore> {
	const {name, options: {cacheName = 'http_cache', now = Date.now}} = named;
	return new KeyvStore(await connectedAdapter(named, cacheName), {cacheName, name, now});
}

/** Each package is imported by its literal name, inside of `try`: bundlers then include it where it is installed, and accept that it is not. */
async function connectedAdapter({name, options}: NamedAdapter, cacheName: string): Promise<KeyvLike> {
	try {
		switch (name) {
			case 'keyv-file': {
				return keyvFile(await import('keyv-file'), options, cacheName);
			}

			case '@keyv/sqlite': {
				return await keyvSqlite(await import('@keyv/sqlite') as unknown as SqliteModule, options, cacheName);
			}

			case '@keyv/mongo': {
				return await keyvMongo(await import('@keyv/mongo'), options);
			}

			case '@keyv/redis': {
				return await keyvRedis(await import('@keyv/redis'), options);
			}

			default: {
				return name satisfies never;
			}
		}
	} catch (error) {
		throw driverError(name, name, error);
	}
}

function keyvFile({KeyvFile}: typeof KeyvFilePackage, options: NamedAdapterOptions['keyv-file'], cacheName: string): KeyvLike {
	const {filename, separatedFile = true, writeDelay = 100, expiredCheckDelay = 86_400_000} = options;
	return new KeyvFile({
		filename: filename ?? `${cacheName}.keyv`, separatedFile, writeDelay, expiredCheckDelay, ...separatedFile && {serialize: JSON.stringify, deserialize},
	});
}

async function keyvSqlite({KeyvSqlite}: SqliteModule, {uri, table = 'keyv', wal = true, busyTimeout, iterationLimit = 100}: NamedAdapterOptions['@keyv/sqlite'], cacheName: string): Promise<KeyvLike> {
	const isVersion6 = 'capabilities' in KeyvSqlite.prototype;
	const adapter = new KeyvSqlite({
		uri: uri ?? `sqlite://${cacheName}.keyv.sqlite`,
		table,
		iterationLimit,
		...isVersion6 ? {driver: 'node:sqlite', wal, busyTimeout: busyTimeout ?? 50} : {busyTimeout: busyTimeout ?? 5000},
	});
	// Without a listener its first error ends the process. The call below throws the same error.
	adapter.on('error', ignore);
	await (isVersion6 ? adapter.ready : adapter.query(wal ? 'PRAGMA journal_mode = WAL' : 'SELECT 1'));
	return adapter;
}

/** The adapter's `useGridFS` is not offered, since each `set` adds a revision, and `delete` removes one of them. */
async function keyvMongo({KeyvMongo}: typeof KeyvMongoPackage, options: NamedAdapterOptions['@keyv/mongo']): Promise<KeyvLike> {
	const {url, db, collection = 'keyv', serverSelectionTimeoutMS = 2000, connectTimeoutMS = 2000, socketTimeoutMS = 10_000} = options;
	const adapter = new KeyvMongo({
		...url !== undefined && {url}, ...db !== undefined && {db}, collection, serverSelectionTimeoutMS, connectTimeoutMS, socketTimeoutMS,
	});
	// If connecting fails, its calls never answer.
	await new Promise((resolve, reject) => {
		adapter.on('error', reject);
		void adapter.connect.then(resolve);
	});
	return adapter;
}

async function keyvRedis(module: typeof KeyvRedisPackage, {url = 'redis://localhost:6379', connectionTimeout = 2000, socketTimeout = 10_000, useUnlink = true}: NamedAdapterOptions['@keyv/redis']): Promise<KeyvLike> {
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
}

/** Reads a file that a killed process has left incomplete as a miss. The adapter itself would print it. */
function deserialize(content: string | Uint8Array): unknown {
	try {
		return JSON.parse(content.toString());
	} catch {
		return undefined;
	}
}

/** The parts of versions 4 and 6 of the adapter that are used. */
type SqliteModule = {
	readonly KeyvSqlite: {
		new (options: object): KeyvLike & {
			on(event: 'error', listener: () => void): unknown;
			query(statement: string): Promise<unknown>;

			/** Only version 6 has it. */
			readonly ready?: Promise<void>;
		};
		readonly prototype: object;
	};
};
