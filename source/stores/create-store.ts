import {fileURLToPath} from 'node:url';
import {hidden, SettingError, shownText} from '../errors.ts';
import {keyvFile, type KeyvFileOptions} from './adapters/file.ts';
import {keyvMongo, type KeyvMongoOptions} from './adapters/mongo.ts';
import type {NamedAdapter} from './adapters/named-adapter.ts';
import {checkTypes, type AdapterOptions} from './adapters/options.ts';
import {keyvRedis, type KeyvRedisOptions} from './adapters/redis.ts';
import {keyvSqlite, type KeyvSqliteOptions} from './adapters/sqlite.ts';
import {DynamoDbStore, type DynamoDbStoreOptions} from './dynamodb/index.ts';
import {FilesystemStore, type FilesystemStoreOptions} from './filesystem/store.ts';
import {KeyvStore} from './keyv.ts';
import {MemoryStore, type MemoryStoreOptions} from './memory.ts';
import {
	GridFsStore,
	type GridFsStoreOptions,
	MongoDbStore,
	type MongoDbStoreOptions,
} from './mongodb/mongodb.ts';
import {RedisStore, type RedisStoreOptions} from './redis/redis.ts';
import {SqliteStore, type SqliteStoreOptions} from './sqlite/store.ts';
import type {Store} from './types.ts';

type Named = {
	/**
	Names the cache where several share a place: the file of `'sqlite'` (with or without `.sqlite`, `.sqlite3` or `.db`) and the folder of `'filesystem'`, unless `path` does; a namespace elsewhere. `'memory'` is shared with nobody, and needs none. Default: `'http_cache'`.
	*/
	readonly cacheName?: string;
};

/** The options of each store, by its name. */
export type StoreOptions = {
	readonly memory: MemoryStoreOptions & Named;
	readonly sqlite: SqliteStoreOptions & Named;
	readonly filesystem: FilesystemStoreOptions & Named;
	readonly redis: RedisStoreOptions & Named;
	readonly mongodb: MongoDbStoreOptions & Named;
	readonly gridfs: GridFsStoreOptions & Named;
	readonly dynamodb: DynamoDbStoreOptions & Named;
	readonly 'keyv-file': KeyvFileOptions & Named;
	readonly '@keyv/sqlite': KeyvSqliteOptions & Named;
	readonly '@keyv/mongo': KeyvMongoOptions & Named;
	readonly '@keyv/redis': KeyvRedisOptions & Named;
};

export type StoreName = keyof StoreOptions;

/** What `createStore` makes of each name: stores with methods of their own beside those that all have. */
export type NamedStores = {
	readonly memory: MemoryStore;
	readonly sqlite: SqliteStore;
	readonly filesystem: FilesystemStore;
	readonly redis: RedisStore;
	readonly mongodb: MongoDbStore;
	readonly gridfs: GridFsStore;
	readonly dynamodb: DynamoDbStore;
	readonly 'keyv-file': KeyvStore;
	readonly '@keyv/sqlite': KeyvStore;
	readonly '@keyv/mongo': KeyvStore;
	readonly '@keyv/redis': KeyvStore;
};

/** A store by its URL, which names the server, file or folder as well. */
export type StoreUrl = `${'redis' | 'rediss' | 'valkey' | 'valkeys' | 'mongodb' | 'mongodb+srv' | 'sqlite' | 'file'}:${string}`;

type Maker<Options, Made extends Store> = {
	/** Every option that there is: another is a mistake. */
	readonly options: Readonly<Record<keyof Options, true>>;
	readonly make: (options: Options) => Made;
};

const place = {
	cacheName: true, now: true, path: true, useTemp: true, useCacheDir: true, fileMode: true,
} as const;
const server = {
	cacheName: true, now: true, url: true, client: true, clientOptions: true, connectionTimeout: true, commandTimeout: true,
} as const;
const ofAdapter = {cacheName: true, now: true} as const;

const makers: {readonly [Name in StoreName]: Maker<StoreOptions[Name], NamedStores[Name]>} = {
	memory: {
		options: {
			cacheName: true, now: true, maxBytes: true, maxEntries: true,
		},
		make: ({cacheName: _cacheName, ...options}) => new MemoryStore(options),
	},
	sqlite: {
		options: {
			...place, useMemory: true, readOnly: true, busyTimeout: true, wal: true, fastSave: true, maxBytes: true,
		},
		make: ({cacheName, ...options}) => new SqliteStore({...cacheName !== undefined && {path: fileName(cacheName)}, ...options}),
	},
	filesystem: {
		options: {
			...place, extension: true, maxCacheBytes: true, readOnly: true,
		},
		make: ({cacheName, ...options}) => new FilesystemStore({...cacheName !== undefined && {path: cacheName}, ...options}),
	},
	redis: {
		options: server,
		make: options => new RedisStore(options),
	},
	mongodb: {
		options: {
			...server, databaseName: true, collectionName: true, largestDocument: true,
		},
		make: options => new MongoDbStore(options),
	},
	gridfs: {
		options: {
			...server, databaseName: true, bucketName: true, largestDocument: true,
		},
		make: options => new GridFsStore(options),
	},
	dynamodb: {
		options: {
			cacheName: true, now: true, client: true, tableName: true, createTable: true, consistentRead: true, retryFor: true,
		},
		make: options => new DynamoDbStore(options),
	},
	'keyv-file': {
		options: {
			...ofAdapter, filename: true, separatedFile: true, writeDelay: true, expiredCheckDelay: true,
		},
		make: options => adopted('keyv-file', options, keyvFile),
	},
	'@keyv/sqlite': {
		options: {
			...ofAdapter, uri: true, table: true, wal: true, busyTimeout: true, iterationLimit: true,
		},
		make: options => adopted('@keyv/sqlite', options, keyvSqlite),
	},
	'@keyv/mongo': {
		options: {
			...ofAdapter, url: true, db: true, collection: true, serverSelectionTimeoutMS: true, connectTimeoutMS: true, socketTimeoutMS: true,
		},
		make: options => adopted('@keyv/mongo', options, keyvMongo),
	},
	'@keyv/redis': {
		options: {
			...ofAdapter, url: true, connectionTimeout: true, socketTimeout: true, useUnlink: true,
		},
		make: options => adopted('@keyv/redis', options, keyvRedis),
	},
};

/** A Keyv adapter, which is ours to close, in a store. */
function adopted<Options extends AdapterOptions & Named>(name: string, {cacheName = 'http_cache', now, ...options}: Options, make: (options: Omit<Options, 'now' | 'cacheName'> & {readonly cacheName: string}) => NamedAdapter): KeyvStore {
	checkTypes({cacheName}, {cacheName: 'text'});
	return new KeyvStore(make({...options, cacheName}), {cacheName, name, ...now !== undefined && {now}});
}

/** The names that `createStore` knows. */
export const storeNames: readonly StoreName[] = Object.keys(makers) as StoreName[];

/**
A store by its name or its URL. Nothing is connected or opened on disk before its first call, but the package that a store needs is looked for at once.

A URL (`redis:`, `rediss:`, `valkey:`, `valkeys:`, `mongodb:`, `mongodb+srv:`, `sqlite:`, `file:`) names the store and its server, file or folder.

@throws {TypeError} For an unknown name or URL, and for an option that the store does not have or that is wrong.
@throws {CacheHooksError} `ERR_STORE_DRIVER`, with the command that installs it, where a package is missing.

@example
```
import {cacheHooks, createStore} from 'got-cache-hooks';

const client = got.extend(cacheHooks({store: createStore('sqlite', {useCacheDir: true, maxBytes: 100_000_000})}));
```
*/
export function createStore<Name extends StoreName>(name: Name, options?: StoreOptions[Name]): NamedStores[Name];
export function createStore(url: StoreUrl, options?: StoreOptions['redis'] | StoreOptions['mongodb'] | StoreOptions['sqlite'] | StoreOptions['filesystem']): Store;
export function createStore(nameOrUrl: string, options: object = {}): Store {
	const named = Object.hasOwn(makers, nameOrUrl) ? {name: nameOrUrl as StoreName, options: {}} : fromUrl(nameOrUrl);
	if (named === undefined) {
		throw new SettingError('store', withoutUserInfo(nameOrUrl), allowedStores);
	}

	const {options: known, make} = makers[named.name] as Maker<object, Store>;
	checkOptions(options, Object.keys(known), `createStore('${named.name}')`);
	return make({...options, ...named.options});
}

/** Whether a store, by its name or URL, has an option. */
export function hasOption(nameOrUrl: string, option: string): boolean {
	const name = Object.hasOwn(makers, nameOrUrl) ? nameOrUrl as StoreName : fromUrl(nameOrUrl)?.name;
	return name !== undefined && Object.hasOwn(makers[name].options, option);
}

/** What may be given, for messages. */
export const allowedStores: string = allowedBy(storeNames.map(name => `'${name}'`), ['redis:', 'rediss:', 'valkey:', 'valkeys:', 'mongodb:', 'mongodb+srv:', 'sqlite:', 'file:']);

function allowedBy(names: readonly string[], schemes: readonly string[]): string {
	const [last, ...others] = schemes.toReversed();
	return `\`${names.join('`, `')}\`, or a URL of \`${others.toReversed().join('`, `')}\` or \`${last}\``;
}

function fromUrl(url: unknown): {readonly name: StoreName; readonly options: object} | undefined {
	const scheme = typeof url === 'string' ? /^(?<scheme>[a-z][\d+a-z]*):/v.exec(url)?.groups?.scheme : undefined;
	switch (scheme) {
		case 'redis':
		case 'rediss': {
			return {name: 'redis', options: {url}};
		}

		case 'valkey':
		case 'valkeys': {
			return {name: 'redis', options: {url: (url as string).replace('valkey', 'redis')}};
		}

		case 'mongodb':
		case 'mongodb+srv': {
			return {name: 'mongodb', options: {url}};
		}

		case 'sqlite': {
			const path = (url as string).replace(/^sqlite:(?:\/\/)?/v, '');
			// What a query says is said to SQLite, which reads it in a URI of its own.
			return {name: 'sqlite', options: {path: /^(?!file:).*\?/v.test(path) ? `file:${path}` : path}};
		}

		case 'file': {
			return {name: 'filesystem', options: {path: fileURLToPath(url as string)}};
		}

		case undefined:
		default: {
			return undefined;
		}
	}
}

function checkOptions(options: unknown, known: readonly string[], path: string): void {
	if (typeof options !== 'object' || options === null) {
		throw new SettingError(path, options, 'an object of options');
	}

	for (const [name, value] of Object.entries(options)) {
		if (!known.includes(name)) {
			// What a mistaken name holds may be a secret.
			throw new SettingError(`${path}.${name}`, hidden(value), `absent (there are \`${known.join('`, `')}\`)`);
		}
	}
}

function fileName(cacheName: string): string {
	return /\.(?:sqlite3?|db)$/iv.test(cacheName) ? cacheName : `${cacheName}.sqlite`;
}

/** A URL as it may be shown. */
export function withoutUserInfo(value: unknown): unknown {
	return typeof value === 'string' ? shownText(value) : value;
}
