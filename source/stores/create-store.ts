import {fileURLToPath} from 'node:url';
import {
	SettingError,
	unknownOption,
} from '../errors.ts';
import {
	adapterOptions,
	namedAdapter,
	type KeyvFileOptions,
	type KeyvMongoOptions,
	type KeyvRedisOptions,
	type KeyvSqliteOptions,
	type NamedAdapterOptions,
} from './adapters/named-adapters.ts';
import {DynamoDbStore, type DynamoDbStoreOptions} from './dynamodb/index.ts';
import {FilesystemStore, type FilesystemStoreOptions} from './filesystem/store.ts';
import {KeyvStore} from './keyv.ts';
import {MemoryStore, type MemoryStoreOptions} from './memory.ts';
import {
	GridFsStore,
	MongoDbStore,
	type GridFsStoreOptions,
	type MongoDbStoreOptions,
} from './mongodb/mongodb.ts';
import {RedisStore, type RedisStoreOptions} from './redis/redis.ts';
import {SqliteStore, type SqliteStoreOptions} from './sqlite/store.ts';
import type {Store} from './types.ts';

type Clock = {
	/**
	Returns the current time in milliseconds since the epoch, from which times to live are computed. Default: `Date.now`.
	*/
	readonly now?: () => number;
};

type Named = {
	/**
	The name of the cache: the file of `'sqlite'` (with or without `.sqlite`, `.sqlite3` or `.db`) and the folder of `'filesystem'` unless `path` is set, and a namespace in other stores. `'memory'` ignores it. Default: `'http_cache'`.
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
	readonly 'keyv-file': KeyvFileOptions & Clock & Named;
	readonly '@keyv/sqlite': KeyvSqliteOptions & Clock & Named;
	readonly '@keyv/mongo': KeyvMongoOptions & Clock & Named;
	readonly '@keyv/redis': KeyvRedisOptions & Clock & Named;
};

export type StoreName = keyof StoreOptions;

/** The type of each store, by its name. */
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

type Scheme = 'redis' | 'rediss' | 'valkey' | 'valkeys' | 'mongodb' | 'mongodb+srv' | 'sqlite' | 'file';

/** The URL of a store, which names its server, file or folder. */
export type StoreUrl = `${Scheme}:${string}`;

type Maker<Options, Made extends Store> = {
	/** The names of all options. Other names are refused. */
	readonly options: Readonly<Record<keyof Options, unknown>>;
	readonly make: (options: Options) => Made;
};

// `openStore` passes these to every store.
const common = {cacheName: true, now: true} as const;
const onDisk = {
	...common, path: true, useTemp: true, useCacheDir: true, fileMode: true, readOnly: true,
} as const;
const onServer = {
	...common, url: true, client: true, clientOptions: true, connectionTimeout: true, commandTimeout: true,
} as const;

const makers: {readonly [Name in StoreName]: Maker<StoreOptions[Name], NamedStores[Name]>} = {
	memory: {
		options: {...common, maxBytes: true, maxEntries: true},
		make: ({cacheName: _cacheName, ...options}) => new MemoryStore(options),
	},
	sqlite: {
		options: {
			...onDisk, useMemory: true, busyTimeout: true, wal: true, fastSave: true, maxBytes: true,
		},
		make: ({cacheName, ...options}) => new SqliteStore({...cacheName !== undefined && {path: fileName(cacheName)}, ...options}),
	},
	filesystem: {
		options: {...onDisk, extension: true, maxCacheBytes: true},
		make: ({cacheName, ...options}) => new FilesystemStore({...cacheName !== undefined && {path: cacheName}, ...options}),
	},
	redis: {
		options: onServer,
		make: options => new RedisStore(options),
	},
	mongodb: {
		options: {
			...onServer, databaseName: true, collectionName: true, largestDocument: true,
		},
		make: options => new MongoDbStore(options),
	},
	gridfs: {
		options: {
			...onServer, databaseName: true, bucketName: true, largestDocument: true,
		},
		make: options => new GridFsStore(options),
	},
	dynamodb: {
		options: {
			...common, client: true, tableName: true, createTable: true, consistentRead: true, retryFor: true,
		},
		make: options => new DynamoDbStore(options),
	},
	'keyv-file': adapterMaker('keyv-file'),
	'@keyv/sqlite': adapterMaker('@keyv/sqlite'),
	'@keyv/mongo': adapterMaker('@keyv/mongo'),
	'@keyv/redis': adapterMaker('@keyv/redis'),
};

function adapterMaker<Name extends keyof NamedAdapterOptions>(name: Name): Maker<NamedAdapterOptions[Name] & Clock & Named, KeyvStore> {
	return {
		options: {...common, ...adapterOptions[name]},
		make({cacheName = 'http_cache', now, ...options}) {
			return new KeyvStore(namedAdapter(name, cacheName, options), {cacheName, name, ...now !== undefined && {now}});
		},
	};
}

type NameAndOptions = readonly [name: StoreName, options: object];

const schemes: Readonly<Record<Scheme, (url: string) => NameAndOptions>> = {
	redis: url => ['redis', {url}],
	rediss: url => ['redis', {url}],
	valkey: url => ['redis', {url: url.replace('valkey', 'redis')}],
	valkeys: url => ['redis', {url: url.replace('valkey', 'redis')}],
	mongodb: url => ['mongodb', {url}],
	'mongodb+srv': url => ['mongodb', {url}],
	sqlite(url) {
		const path = url.replace(/^sqlite:(?:\/\/)?/v, '');
		// SQLite reads a query only in a `file:` URI.
		return ['sqlite', {path: /^(?!file:).*\?/v.test(path) ? `file:${path}` : path}];
	},
	file: url => ['filesystem', {path: fileURLToPath(url)}],
};

/** The names that `createStore` accepts. */
export const storeNames: readonly StoreName[] = Object.keys(makers) as StoreName[];

/** The names and schemes that `createStore` accepts, for messages. */
export const allowedStores: string = [
	...storeNames.map(name => `\`'${name}'\``),
	`or a URL that begins with ${Object.keys(schemes).map(scheme => `\`${scheme}:\``).join(', ')}`,
].join(', ');

/**
Makes a store by its name or its URL. The package that a store needs must be installed. Nothing is connected or opened before the first call of the store.

A URL (`redis:`, `rediss:`, `valkey:`, `valkeys:`, `mongodb:`, `mongodb+srv:`, `sqlite:`, `file:`) names the store and its server, file or folder.

@throws {TypeError} If the name, the URL or an option is unknown or wrong.
@throws {CacheHooksError} `ERR_STORE_DRIVER`, with the command that installs the package, if it is not installed.

@example
```
import {cacheHooks, createStore} from 'got-cache-hooks';

const client = got.extend(cacheHooks({store: createStore('sqlite', {useCacheDir: true, maxBytes: 100_000_000})}));
```
*/
export function createStore<Name extends StoreName>(name: Name, options?: StoreOptions[Name]): NamedStores[Name];
export function createStore(url: StoreUrl, options?: StoreOptions['redis'] | StoreOptions['mongodb'] | StoreOptions['sqlite'] | StoreOptions['filesystem']): Store;
export function createStore(nameOrUrl: string, options: object = {}): Store {
	const parsed = parse(nameOrUrl);
	if (parsed === undefined) {
		throw new SettingError('store', nameOrUrl, allowedStores);
	}

	const [name, urlOptions] = parsed;
	const {options: known, make} = makers[name] as Maker<object, Store>;
	checkOptions(options, Object.keys(known), `createStore('${name}')`);
	return make({...options, ...urlOptions});
}

/** Returns the name of a store that is given by its name or URL, or `undefined` if there is no such store. */
export function storeNameOf(nameOrUrl: string): StoreName | undefined {
	return parse(nameOrUrl)?.[0];
}

function parse(nameOrUrl: unknown): NameAndOptions | undefined {
	if (typeof nameOrUrl !== 'string') {
		return undefined;
	}

	if (Object.hasOwn(makers, nameOrUrl)) {
		return [nameOrUrl as StoreName, {}];
	}

	const scheme = /^(?<scheme>[^:]+):/v.exec(nameOrUrl)?.groups?.scheme ?? '';
	return Object.hasOwn(schemes, scheme) ? schemes[scheme as Scheme](nameOrUrl) : undefined;
}

function checkOptions(options: unknown, known: readonly string[], path: string): void {
	if (typeof options !== 'object' || options === null) {
		throw new SettingError(path, options, 'an object of options');
	}

	const unknown = Object.keys(options).find(name => !known.includes(name));
	if (unknown !== undefined) {
		throw unknownOption(path, unknown, known);
	}
}

function fileName(cacheName: string): string {
	return /\.(?:sqlite3?|db)$/iv.test(cacheName) ? cacheName : `${cacheName}.sqlite`;
}
