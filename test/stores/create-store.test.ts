import {readdir} from 'node:fs/promises';
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import test from 'ava';
import {expectTypeOf} from 'expect-type';
import {createStore, type StoreUrl} from '../../source/index.ts';
import {requireDriver} from '../../source/stores/server-options.ts';
import {DynamoDbStore} from '../../source/stores/dynamodb/index.ts';
import {KeyvStore} from '../../source/stores/keyv.ts';
import {GridFsStore, MongoDbStore} from '../../source/stores/mongodb/mongodb.ts';
import {RedisStore} from '../../source/stores/redis/redis.ts';
import type {FilesystemStore} from '../../source/stores/filesystem/store.ts';
import {temporaryFolder} from '../helpers/temporary-folder.ts';

test('a URL names its store', async t => {
	const named = {
		'redis://localhost:6379/1': 'redis',
		'rediss://user:secret@localhost': 'redis',
		'valkey://localhost': 'redis',
		'valkeys://localhost': 'redis',
		'mongodb://localhost/cache': 'mongodb',
		'mongodb+srv://cluster.example.com': 'mongodb',
		'dynamodb:': 'dynamodb',
		'dynamodb://responses?region=eu-central-1': 'dynamodb',
		'sqlite://cache.sqlite': 'sqlite',
		'sqlite::memory:': 'sqlite',
		'file:///cache': 'filesystem',
	};
	for (const [url, name] of Object.entries(named)) {
		const store = createStore(url as StoreUrl);
		t.is(store.name, name, url);
		await store.close();
	}
});

test('a URL names the file or the folder of its store', async t => {
	await using folder = await temporaryFolder();
	const bytes = new Uint8Array([1]);
	const stores = [createStore(`sqlite://${folder.path}/a.db`), createStore(pathToFileURL(path.join(folder.path, 'b')).href as StoreUrl), createStore('sqlite::memory:')];
	for (const store of stores) {
		await store.set('key', bytes, {expires: undefined});
		t.deepEqual(new Uint8Array(await store.get('key') as Uint8Array), bytes);
	}

	const files = await readdir(folder.path);
	t.deepEqual(files.filter(name => !name.startsWith('a.db-')).toSorted(), ['a.db', 'b']);
	for (const store of stores) {
		await store.close();
	}
});

test('a URL names the table of DynamoDB, its region and its endpoint', t => {
	for (const url of ['dynamodb://a', 'dynamodb://table/more', 'dynamodb:table', 'dynamodb://table#a', 'dynamodb://table?profile=secret', 'dynamodb://user:secret@table', 'dynamodb://?region=a&region2=b'] as const) {
		t.throws(() => createStore(url), {instanceOf: TypeError, message: /^(?!.*secret).*dynamodb|tableName/v});
	}

	t.throws(() => createStore('dynamodb://responses', {tableName: 'other'}), {instanceOf: TypeError, message: /tableName/v});
	t.throws(() => createStore('dynamodb:?region=a', {client: {region: 'b'}}), {instanceOf: TypeError, message: /client/v});
});

test('the name of the cache names the file or folder unless `path` is set', async t => {
	await using folder = await temporaryFolder();
	const at = (name: string): string => path.join(folder.path, name);
	const stores = [
		createStore('sqlite', {cacheName: at('one')}),
		createStore('sqlite', {cacheName: at('two.db')}),
		createStore('sqlite', {cacheName: 'unused', path: at('three')}),
		createStore('filesystem', {cacheName: at('four')}),
	];
	for (const store of stores) {
		await store.set('key', new Uint8Array(1), {expires: undefined});
		await store.close();
	}

	const files = await readdir(folder.path);
	t.deepEqual(files.filter(name => !/-(?:wal|shm)$/v.test(name)).toSorted(), ['four', 'one.sqlite', 'three', 'two.db']);
});

test('a store gets its options and has its own methods', t => {
	const memory = createStore('memory', {maxEntries: 1});
	memory.set('a', {}, {expires: undefined});
	memory.set('b', {}, {expires: undefined});
	t.is(memory.entryCount, 1);
	expectTypeOf(createStore('filesystem')).toEqualTypeOf<FilesystemStore>();
	// @ts-expect-error -- An option of another store.
	t.throws(() => createStore('memory', {wal: true}));
});

test('wrong names, URLs and options are refused at once without showing credentials', t => {
	const wrong: ReadonlyArray<readonly [arguments_: readonly unknown[], message: RegExp]> = [
		[['radis'], /`store` to be `'memory'`, .* got string "radis"/v],
		[[''], /got string ""/v],
		[[undefined], /got undefined/v],
		[['toString'], /got string "toString"/v],
		[['http://user:secret@localhost'], /got string "http:\/\/…@localhost"/v],
		[['sqlite', {busyTimeOut: 1}], /Unknown option `createStore\('sqlite'\)\.busyTimeOut`\. Did you mean `busyTimeout`\? The options are .*`busyTimeout`/v],
		[['sqlite', {'busy-timeout': 1}], /Did you mean `busyTimeout`\?/v],
		[['redis', {url: 'http://user:secret@localhost'}], /^Expected `createStore\('redis'\)\.url` to be a URL that begins with `redis:.*got a string\.$/v],
		[['mongodb', {url: 5}], /^Expected `createStore\('mongodb'\)\.url` to be a URL that begins with `mongodb:.*got a number\.$/v],
		[['redis', {password: 'secret'}], /Unknown option `createStore\('redis'\)\.password`/v],
		[['sqlite', {busyTimeout: -1}], /\.busyTimeout`/v],
		[['sqlite', 5], /`createStore\('sqlite'\)` to be an object/v],
		[['filesystem', {useTemp: true, useCacheDir: true}], /\.useCacheDir` contradicts `useTemp`/v],
		[['dynamodb', {tableName: ''}], /\.tableName`/v],
		[['mongodb', {connectionTimeout: 0}], /\.connectionTimeout`/v],
	];
	for (const [arguments_, message] of wrong) {
		const error = t.throws(() => (createStore as (...given: readonly unknown[]) => unknown)(...arguments_), {instanceOf: TypeError, message});
		t.notRegex(error.message, /secret/v);
	}
});

test('a missing package is an error at once that names the command that installs it', t => {
	t.throws(() => {
		requireDriver('not-installed-anywhere', 'redis');
	}, {
		code: 'ERR_STORE_DRIVER', message: 'The store `\'redis\'` needs the package `not-installed-anywhere`. Install it by `npm install not-installed-anywhere`.',
	});
});

test('a store that is loaded by its first call has what its class has', async t => {
	const classes = {
		redis: RedisStore, mongodb: MongoDbStore, gridfs: GridFsStore, dynamodb: DynamoDbStore, 'keyv-file': KeyvStore,
	} as const;
	for (const [name, storeClass] of Object.entries(classes)) {
		const lazy = createStore(name as keyof typeof classes);
		const prototypes = [storeClass.prototype, Object.getPrototypeOf(storeClass.prototype) as object];
		const methods = prototypes.flatMap(prototype => prototype === Object.prototype ? [] : Object.getOwnPropertyNames(prototype)).filter(method => method !== 'constructor');
		t.deepEqual(methods.filter(method => typeof (lazy as unknown as Record<string, unknown>)[method] !== 'function'), [], name);
	}

	const own = new RedisStore();
	t.like(createStore('redis'), {name: own.name, valueType: own.valueType});
	await own.close();
});
