import {fileURLToPath} from 'node:url';
import {SettingError, shownText} from '../errors.ts';
import {checkAdapterOptions, type NamedAdapterOptions} from './adapters/options.ts';
import type {DynamoDbStore} from './dynamodb/index.ts';
import {checkDynamoDbOptions, type DynamoDbStoreOptions} from './dynamodb/options.ts';
import {FilesystemStore, type FilesystemStoreOptions} from './filesystem/store.ts';
import type {KeyvStore} from './keyv.ts';
import {lazyStore, type Facts} from './lazy-store.ts';
import {MemoryStore, type MemoryStoreOptions} from './memory.ts';
import type {GridFsStore, MongoDbStore} from './mongodb/mongodb.ts';
import {
	checkGridFsOptions,
	checkMongoDbOptions,
	type GridFsStoreOptions,
	type MongoDbStoreOptions,
} from './mongodb/options.ts';
import {contradiction} from './options.ts';
import {checkRedisOptions, type RedisStoreOptions} from './redis/options.ts';
import type {RedisStore} from './redis/redis.ts';
import {requireDriver} from './server-options.ts';
import {SqliteStore, type SqliteStoreOptions} from './sqlite/store.ts';
import type {Store} from './types.ts';

/** The options of each store, by its name. */
export type StoreOptions = NamedAdapterOptions & {
	/** The options of the store in memory. */
	readonly memory: MemoryStoreOptions;

	/** The options of the store in a SQLite file. */
	readonly sqlite: SqliteStoreOptions;

	/** The options of the store in a folder. */
	readonly filesystem: FilesystemStoreOptions;

	/** The options of the store on Redis or Valkey. */
	readonly redis: RedisStoreOptions;

	/** The options of the store on MongoDB, as documents. */
	readonly mongodb: MongoDbStoreOptions;

	/** The options of the store on MongoDB, as files of GridFS. */
	readonly gridfs: GridFsStoreOptions;

	/** The options of the store on DynamoDB. */
	readonly dynamodb: DynamoDbStoreOptions;
};

/** The names of the stores that `createStore()` and the setting `store` know. */
export type StoreName = keyof StoreOptions;

/** The type of each store, by its name. */
export type NamedStores = {
	/** The type of the store in memory. */
	readonly memory: MemoryStore;

	/** The type of the store in a SQLite file. */
	readonly sqlite: SqliteStore;

	/** The type of the store in a folder. */
	readonly filesystem: FilesystemStore;

	/** The type of the store on Redis or Valkey. */
	readonly redis: RedisStore;

	/** The type of the store on MongoDB, as documents. */
	readonly mongodb: MongoDbStore;

	/** The type of the store on MongoDB, as files of GridFS. */
	readonly gridfs: GridFsStore;

	/** The type of the store on DynamoDB. */
	readonly dynamodb: DynamoDbStore;

	/** The type of the store on `keyv-file`. */
	readonly 'keyv-file': KeyvStore;

	/** The type of the store on `@keyv/sqlite`. */
	readonly '@keyv/sqlite': KeyvStore;

	/** The type of the store on `@keyv/mongo`. */
	readonly '@keyv/mongo': KeyvStore;

	/** The type of the store on `@keyv/redis`. */
	readonly '@keyv/redis': KeyvStore;
};

type Scheme = 'redis' | 'rediss' | 'valkey' | 'valkeys' | 'mongodb' | 'mongodb+srv' | 'dynamodb' | 'sqlite' | 'file';

/** The URL of a store, which names its server, file or folder. */
export type StoreUrl = `${Scheme}:${string}`;

const mongoMethods = {methods: ['add', 'deleteFound', 'count', 'purge'], iterators: ['find']} as const;

/**
Returns the maker of a store on a server. Options and driver are checked when a store is made; its module is loaded from then on.

@param load - Imports the module, and makes the store.
*/
function onServer<Options extends object, Loaded extends Store>(packageName: string, check: (options: Options) => void, facts: Facts<Loaded>, load: (options: Options) => Promise<Loaded>): (options: Options) => Loaded {
	return options => {
		check(options);
		requireDriver(packageName, facts.name);
		const given = {...options};
		return lazyStore(facts, async () => load(given));
	};
}

const makers: {readonly [Name in StoreName]: (options: StoreOptions[Name]) => NamedStores[Name]} = {
	memory: options => new MemoryStore(options),
	sqlite: options => new SqliteStore(options),
	filesystem: options => new FilesystemStore(options),
	redis: onServer('@keyv/redis', checkRedisOptions, {name: 'redis', valueType: 'bytes', methods: ['add', 'count']}, async options => {
		const module = await import('./redis/redis.ts');
		return new module.RedisStore(options);
	}),
	mongodb: onServer('mongodb', checkMongoDbOptions, {name: 'mongodb', valueType: 'documents', ...mongoMethods}, async options => {
		const module = await import('./mongodb/mongodb.ts');
		return new module.MongoDbStore(options);
	}),
	gridfs: onServer('mongodb', checkGridFsOptions, {name: 'gridfs', valueType: 'bytes', ...mongoMethods}, async options => {
		const module = await import('./mongodb/mongodb.ts');
		return new module.GridFsStore(options);
	}),
	dynamodb: onServer('@aws-sdk/client-dynamodb', checkDynamoDbOptions, {name: 'dynamodb', valueType: 'documents', methods: ['add', 'count']}, async options => {
		const module = await import('./dynamodb/index.ts');
		return new module.DynamoDbStore(options);
	}),
	'keyv-file': options => adapterStore('keyv-file', options),
	'@keyv/sqlite': options => adapterStore('@keyv/sqlite', options),
	'@keyv/mongo': options => adapterStore('@keyv/mongo', options),
	'@keyv/redis': options => adapterStore('@keyv/redis', options),
};

function adapterStore<Name extends keyof NamedAdapterOptions>(name: Name, options: NamedAdapterOptions[Name]): KeyvStore {
	checkAdapterOptions(name, options);
	requireDriver(name, name);
	const given = {...options};
	return lazyStore<KeyvStore>({
		name, valueType: 'text', scope: 'network', isEager: false,
	}, async () => {
		const module = await import('./adapters/named-adapters.ts');
		return module.namedAdapterStore({name, options: given});
	});
}

/** The settings of a cache that become options of the store that it opens by its name. */
export type OpeningSettings = {
	readonly maxBytes?: number | undefined;
	readonly maxEntries?: number | undefined;
	readonly readOnly?: boolean | undefined;

	/** In milliseconds. */
	readonly storeTimeout?: number | undefined;
};

/** The options that the settings of a cache become. A store that is not named here has none. */
export const optionsOfSettings: {readonly [Name in StoreName]?: {readonly [Setting in keyof OpeningSettings]: keyof StoreOptions[Name]}} = {
	memory: {maxBytes: 'maxBytes', maxEntries: 'maxEntries'},
	sqlite: {maxBytes: 'maxBytes', readOnly: 'readOnly', storeTimeout: 'busyTimeout'},
	filesystem: {maxBytes: 'maxCacheBytes', readOnly: 'readOnly'},
};

type NameAndOptions = readonly [name: StoreName, options: object | undefined];

const schemes: Readonly<Record<Scheme, (url: string) => NameAndOptions>> = {
	redis: url => ['redis', {url}],
	rediss: url => ['redis', {url}],
	valkey: url => ['redis', {url: url.replace('valkey', 'redis')}],
	valkeys: url => ['redis', {url: url.replace('valkey', 'redis')}],
	mongodb: url => ['mongodb', {url}],
	'mongodb+srv': url => ['mongodb', {url}],
	dynamodb: url => ['dynamodb', dynamoDbUrlOptions(url)],
	sqlite(url) {
		const path = url.replace(/^sqlite:(?:\/\/)?/v, '');
		// SQLite reads a query only in a `file:` URI.
		return ['sqlite', {path: /^(?!file:).*\?/v.test(path) ? `file:${path}` : path}];
	},
	file: url => ['filesystem', {path: fileURLToPath(url)}],
};

/** `dynamodb://<table>?region=…&endpoint=…`, of which each part may be missing. */
const dynamoDbUrl = /^dynamodb:(?:\/\/(?<tableName>[^#\/?]*)\/?)?(?:\?(?<query>[^#]*))?$/v;

function dynamoDbUrlOptions(url: string): DynamoDbStoreOptions {
	const {tableName = '', query = ''} = dynamoDbUrl.exec(url)?.groups ?? {};
	const client = Object.fromEntries(new URLSearchParams(query));
	if (!dynamoDbUrl.test(url) || Object.keys(client).some(name => name !== 'region' && name !== 'endpoint')) {
		throw new SettingError('store', `Expected the URL of a DynamoDB table to be \`dynamodb://<table>?region=…&endpoint=…\`, got \`${shownText(url)}\`. Each part after \`dynamodb:\` may be left out; credentials come from the configuration of the AWS SDK.`);
	}

	return {...(tableName !== '' && {tableName}), ...(query !== '' && {client})};
}

/** The names that `createStore` accepts. */
export const storeNames: readonly StoreName[] = Object.keys(makers) as StoreName[];

/** The names and schemes that `createStore` accepts, for messages. */
export const allowedStores: string = [
	...storeNames.map(name => `\`'${name}'\``),
	`or a URL that begins with ${Object.keys(schemes).map(scheme => `\`${scheme}:\``).join(', ')}`,
].join(', ');

/**
Makes a store by its name or its URL. The package that a store needs must be installed. Nothing is connected or opened before the first call of the store.

A URL (`redis:`, `rediss:`, `valkey:`, `valkeys:`, `mongodb:`, `mongodb+srv:`, `dynamodb:`, `sqlite:`, `file:`) names the store and its server, table, file or folder. That of a DynamoDB table is `dynamodb://<table>?region=…&endpoint=…`, of which each part may be missing.

@throws {TypeError} If the name, the URL or an option is unknown or wrong.
@throws {CacheHooksError} `ERR_STORE_DRIVER`, with the command that installs the package, if it is not installed.

@example
```ts
import got from 'got';
import {cacheHooks, createStore} from 'got-cache-hooks';

const store = createStore('sqlite', {useTemp: true, maxBytes: 100_000_000});
const client = got.extend(cacheHooks({store, autoclose: true}));
```
*/
export function createStore<Name extends StoreName>(name: Name, options?: StoreOptions[Name]): NamedStores[Name];
export function createStore(url: StoreUrl, options?: StoreOptions['redis'] | StoreOptions['mongodb'] | StoreOptions['dynamodb'] | StoreOptions['sqlite'] | StoreOptions['filesystem']): Store;
export function createStore(nameOrUrl: string, options: object = {}): Store {
	const parsed = parse(nameOrUrl);
	if (parsed === undefined) {
		throw new SettingError('store', nameOrUrl, allowedStores);
	}

	const [name, urlOptions] = parsed;
	for (const option of Object.keys(urlOptions ?? {})) {
		if ((options as Readonly<Record<string, unknown>> | null)?.[option] !== undefined) {
			throw contradiction(`createStore('${name}').${option}`, 'the URL of the store');
		}
	}

	return (makers[name] as (options: object) => Store)(urlOptions === undefined ? options : {...options, ...urlOptions});
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
		return [nameOrUrl as StoreName, undefined];
	}

	const scheme = /^(?<scheme>[^:]+):/v.exec(nameOrUrl)?.groups?.scheme ?? '';
	return Object.hasOwn(schemes, scheme) ? schemes[scheme as Scheme](nameOrUrl) : undefined;
}
