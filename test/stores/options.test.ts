import path from 'node:path';
import test from 'ava';
import {createStore, type StoreName, type StoreOptions} from '../../source/index.ts';
import {KeyvDynamoDb} from '../../source/stores/dynamodb/index.ts';

type Kind = 'boolean' | 'number' | 'string' | 'function' | 'object';

const common = {cacheName: 'string', now: 'function'} as const;
const onDisk = {
	...common, path: 'string', useTemp: 'boolean', useCacheDir: 'boolean', fileMode: 'number', readOnly: 'boolean',
} as const;
const onServer = {
	...common, url: 'string', client: 'object', clientOptions: 'object', connectionTimeout: 'number', commandTimeout: 'number',
} as const;

const mongoTimeouts = ['serverSelectionTimeoutMS', 'connectTimeoutMS', 'socketTimeoutMS'] as const;

/** The type of each option of each store, so that a new option needs a row here. */
const kinds: {readonly [Name in StoreName]: Readonly<Record<keyof StoreOptions[Name], Kind>>} = {
	memory: {...common, maxBytes: 'number', maxEntries: 'number'},
	sqlite: {
		...onDisk, useMemory: 'boolean', busyTimeout: 'number', wal: 'boolean', fastSave: 'boolean', maxBytes: 'number',
	},
	filesystem: {...onDisk, extension: 'string', maxCacheBytes: 'number'},
	redis: onServer,
	mongodb: {
		...onServer, databaseName: 'string', collectionName: 'string', largestDocument: 'number',
	},
	gridfs: {
		...onServer, databaseName: 'string', bucketName: 'string', largestDocument: 'number',
	},
	dynamodb: {
		...common, client: 'object', tableName: 'string', createTable: 'boolean', consistentRead: 'boolean', retryFor: 'number',
	},
	'keyv-file': {
		...common, filename: 'string', separatedFile: 'boolean', writeDelay: 'number', expiredCheckDelay: 'number',
	},
	'@keyv/sqlite': {
		...common, uri: 'string', table: 'string', wal: 'boolean', busyTimeout: 'number', iterationLimit: 'number',
	},
	'@keyv/mongo': {
		...common, url: 'string', db: 'string', collection: 'string', ...Object.fromEntries(mongoTimeouts.map(name => [name, 'number'])) as Record<typeof mongoTimeouts[number], 'number'>,
	},
	'@keyv/redis': {
		...common, url: 'string', connectionTimeout: 'number', socketTimeout: 'number', useUnlink: 'boolean',
	},
};

const samples: ReadonlyArray<readonly [kind: string, value: unknown]> = [
	['boolean', true],
	['number', 1],
	['string', 'x'],
	['function', () => 0],
	['object', {}],
	['none', null],
	['none', Symbol('x')],
	['none', 1n],
];

/** Values of the right type that no option accepts. */
const wrongValues: Readonly<Record<Kind, readonly unknown[]>> = {
	boolean: [], number: [-1, NaN], string: [''], function: [], object: [],
};

const open = createStore as (name: string, options: object) => unknown;

for (const [name, options] of Object.entries(kinds)) {
	test(`each option of '${name}' refuses values of other types`, t => {
		for (const [option, kind] of Object.entries(options) as ReadonlyArray<[string, Kind]>) {
			const wrong = [...samples.filter(([other]) => other !== kind).map(([, value]) => value), ...wrongValues[kind]];
			for (const value of wrong) {
				const error = t.throws(() => open(name, {[option]: value}), {instanceOf: TypeError, code: 'ERR_CACHE_SETTING'}, `${option}: ${String(value)}`);
				t.is((error as {path?: unknown}).path, `createStore('${name}').${option}`);
				t.true(error.message.startsWith(`Expected \`createStore('${name}').${option}\` to be `), error.message);
			}
		}
	});
}

test('the Keyv adapter for DynamoDB refuses wrong options as its store does', t => {
	for (const options of [{tableName: 5}, {createTable: 1}, {namespace: 5}, {cacheName: 'x'}]) {
		t.throws(() => new KeyvDynamoDb(options as object), {instanceOf: TypeError, message: /`KeyvDynamoDb\.[A-Za-z]+`/v});
	}
});

test('options that contradict each other are refused', t => {
	const absolute = path.resolve('cache');
	const client = {isOpen: false};
	const contradictions: ReadonlyArray<readonly [name: string, options: object, path: string]> = [
		['sqlite', {useTemp: true, useCacheDir: true}, 'createStore(\'sqlite\').useCacheDir'],
		['sqlite', {useCacheDir: true, path: absolute}, 'createStore(\'sqlite\').useCacheDir'],
		['sqlite', {useTemp: true, cacheName: absolute}, 'createStore(\'sqlite\').useTemp'],
		['sqlite', {useTemp: true, path: '~/cache'}, 'createStore(\'sqlite\').useTemp'],
		['sqlite', {useMemory: true, path: 'cache'}, 'createStore(\'sqlite\').path'],
		['sqlite', {useMemory: true, useTemp: true}, 'createStore(\'sqlite\').useTemp'],
		['sqlite', {useMemory: true, readOnly: true}, 'createStore(\'sqlite\').readOnly'],
		['sqlite', {path: ':memory:', readOnly: true}, 'createStore(\'sqlite\').readOnly'],
		['sqlite', {path: ':memory:', useTemp: true}, 'createStore(\'sqlite\').useTemp'],
		['filesystem', {useTemp: true, useCacheDir: true}, 'createStore(\'filesystem\').useCacheDir'],
		['filesystem', {useCacheDir: true, path: absolute}, 'createStore(\'filesystem\').useCacheDir'],
		['redis', {client, url: 'redis://localhost'}, 'createStore(\'redis\').url'],
		['redis', {client, clientOptions: {}}, 'createStore(\'redis\').clientOptions'],
		['sqlite:///x', {path: 'y'}, 'createStore(\'sqlite\').path'],
		['sqlite://x', {useMemory: true}, 'createStore(\'sqlite\').path'],
		['file:///x', {path: 'y'}, 'createStore(\'filesystem\').path'],
		['redis://user:secret@localhost', {url: 'redis://user:secret@localhost'}, 'createStore(\'redis\').url'],
		['mongodb://user:secret@localhost', {url: 'mongodb://user:secret@localhost'}, 'createStore(\'mongodb\').url'],
	];
	for (const [name, options, refused] of contradictions) {
		const error = t.throws(() => open(name, options), {instanceOf: TypeError, code: 'ERR_CACHE_SETTING'}, refused);
		t.is((error as {path?: unknown}).path, refused);
		t.regex(error.message, /contradicts .*\. Leave one of them out\.$/v);
		t.notRegex(error.message, /secret/v);
	}

	for (const options of [{useTemp: true, path: 'cache'}, {useMemory: true, cacheName: 'cache'}, {useMemory: true, useTemp: false}, {useMemory: undefined, path: 'cache'}]) {
		t.notThrows(() => createStore('sqlite', options as object));
	}
});
