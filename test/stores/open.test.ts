import {Buffer} from 'node:buffer';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {expectTypeOf} from 'expect-type';
import {Keyv, type KeyvMemoryAdapter, type KeyvStorageAdapter} from 'keyv';
import {Keyv as Keyv5, type KeyvStoreAdapter as Keyv5StoreAdapter} from 'keyv5';
import {Locks} from '../../source/cache/locks.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {storeNames} from '../../source/stores/create-store.ts';
import {guardStore} from '../../source/stores/guard.ts';
import {openStore, type StoreSetting} from '../../source/stores/open.ts';
import {SqliteStore} from '../../source/stores/sqlite/store.ts';
import type {Store} from '../../source/stores/types.ts';
import {testFolder} from '../helpers/temporary-folder.ts';
import {PromiseAdapter} from './fake-adapters.ts';

const options = {cacheName: 'http_cache'};

test('a name opens a store that the cache owns', t => {
	const memory = openStore('memory', options);
	t.true(memory.owned);
	t.true(memory.store instanceof MemoryStore);
	const sqlite = openStore('sqlite', options);
	t.true(sqlite.owned);
	t.true(sqlite.store instanceof SqliteStore);
	t.false(existsSync('http_cache.sqlite'));
});

test('the name of the cache names the file of sqlite, with any of its extensions', t => {
	const folder = testFolder(t);
	for (const [cacheName, file] of [['cache', 'cache.sqlite'], ['a.sqlite', 'a.sqlite'], ['b.DB', 'b.DB'], ['c.sqlite3', 'c.sqlite3'], ['d.v2', 'd.v2.sqlite']] as const) {
		const {store} = openStore('sqlite', {cacheName: join(folder, cacheName)});
		void store.set('key', Buffer.from('one'), {expires: undefined});
		t.true(existsSync(join(folder, file)), `no ${file}`);
		void store.close();
	}
});

test('a store that is handed in is not owned by the cache', t => {
	const own = new MemoryStore();
	t.deepEqual(openStore(own, options), {
		store: own, owned: false, isReadOnly: false, cacheName: '',
	});
	for (const setting of [new Map(), new Keyv(), new Keyv5(), new PromiseAdapter()]) {
		const {store, owned} = openStore(setting, options);
		t.is(store.name, 'keyv');
		t.false(owned);
	}
});

test('named stores and Keyv stores use the clock that is passed', async t => {
	const {store} = openStore('memory', {...options, now: () => 1000});
	await store.set('key', {}, {expires: 1001});
	t.truthy(await store.get('key'));
	const {store: keyv} = openStore(new Map(), {...options, now: () => 1000});
	await keyv.set('key', 'one', {expires: 100_000});
	t.is(await keyv.get('key'), 'one');
});

test('any other value is a TypeError that says what was received and what is allowed', t => {
	for (const [setting, received] of [
		['rediss', 'string "rediss"'],
		['', 'string ""'],
		[undefined, 'undefined'],
		[null, 'null'],
		[true, 'boolean true'],
		[{}, 'an instance of Object'],
		[[], 'an array'],
		[new Set(), 'an instance of Set'],
		[new WeakMap(), 'an instance of WeakMap'],
		[Keyv, 'function `Keyv`'],
		[Promise.resolve(new Map()), 'an instance of Promise'],
	] as const) {
		const error = t.throws(() => openStore(setting as unknown as StoreSetting, options), {instanceOf: TypeError, code: 'ERR_CACHE_SETTING'});
		t.regex(error.message, /^Expected `cache\.store` to be `'memory'`, `'sqlite'`, .*`'@keyv\/redis'`, or a URL that begins with .*, a Keyv 5 or 6 instance/v);
		t.true(error.message.endsWith(`, got ${received}.`), error.message);
	}
});

test('a setting that a store refuses is named as it was written', t => {
	for (const [setting, given, refused] of [
		['sqlite', {maxBytes: 5}, 'cache.maxBytes'],
		['filesystem', {maxBytes: 0.5}, 'cache.maxBytes'],
		['redis', {cacheName: '\u{D800}'}, 'cache.cacheName'],
		['sqlite::memory:', {readOnly: true}, 'cache.readOnly'],
		['redis://', {}, 'cache.store'],
		['sqlite:a?mode=rx', {}, 'cache.store'],
	] as const) {
		const error = t.throws(() => openStore(setting as StoreSetting, {...options, ...given}), {instanceOf: TypeError, code: 'ERR_CACHE_SETTING'});
		t.is((error as {path?: unknown}).path, refused);
		t.regex(error.message, new RegExp(`\`${refused}\` `, 'v'));
		t.notRegex(error.message, /createStore/v);
	}
});

test('every store can be opened by its name', t => {
	// Installing this package compiles it, so it is not a devDependency.
	const missing = '@keyv/sqlite';
	const installed = storeNames.filter(name => name !== missing);
	for (const name of installed) {
		const {store, owned} = openStore(name, options);
		t.is(store.name, name);
		t.true(owned);
	}

	t.throws(() => openStore(missing, options), {code: 'ERR_STORE_DRIVER', message: /npm install @keyv\/sqlite/v});
});

class OwnStore extends MemoryStore {
	// @ts-expect-error -- A memory store has a fixed scope.
	override readonly scope: Store['scope'];

	constructor(scope: Store['scope']) {
		super();
		this.scope = scope;
	}
}

test('a custom store says by `scope` who shares it, and is taken for one on a network without it', t => {
	for (const [scope, hasLocks, isReadOnly] of [['process', false, false], ['machine', true, true], ['network', false, true], [undefined, false, true]] as const) {
		const opened = openStore(new OwnStore(scope), {...options, readOnly: true});
		t.is(opened.isReadOnly, isReadOnly);
		t.is(opened.store.scope, scope);
		t.is(new Locks(guardStore(opened.store), {setting: 'local', now: Date.now}).isOn, hasLocks);
	}
});

test('a custom store that lacks a method is refused, not used as an adapter', t => {
	const {get, set, delete: remove, clear} = MemoryStore.prototype;
	const half = {
		name: 'half', valueType: 'text', get, set, delete: remove, clear,
	};
	t.throws(() => openStore(half, options), {instanceOf: TypeError, message: /`deleteMany`, `iterate`, `close` missing/v});
	const wrong = Object.assign(new MemoryStore(), {valueType: 'things'}) as unknown as StoreSetting;
	t.throws(() => openStore(wrong, options), {instanceOf: TypeError, message: /`cache.store.valueType`.*'bytes'.*"things"/v});
});

test('instances of both Keyvs, their adapters, Maps and stores type-check', t => {
	expectTypeOf<Keyv>().toExtend<StoreSetting>();
	expectTypeOf<Keyv<string>>().toExtend<StoreSetting>();
	expectTypeOf<Keyv5>().toExtend<StoreSetting>();
	expectTypeOf<Keyv5<string>>().toExtend<StoreSetting>();
	expectTypeOf<KeyvStorageAdapter>().toExtend<StoreSetting>();
	expectTypeOf<Keyv5StoreAdapter>().toExtend<StoreSetting>();
	expectTypeOf<KeyvMemoryAdapter>().toExtend<StoreSetting>();
	expectTypeOf<Map<string, unknown>>().toExtend<StoreSetting>();
	expectTypeOf<Map<string, string>>().toExtend<StoreSetting>();
	expectTypeOf<MemoryStore>().toExtend<StoreSetting>();
	expectTypeOf<'sqlite'>().toExtend<StoreSetting>();
	expectTypeOf<'redis'>().toExtend<StoreSetting>();
	expectTypeOf<'redis://localhost'>().toExtend<StoreSetting>();
	expectTypeOf<'http://localhost'>().not.toExtend<StoreSetting>();
	expectTypeOf<Set<string>>().not.toExtend<StoreSetting>();
	expectTypeOf<Map<number, string>>().not.toExtend<StoreSetting>();
	expectTypeOf<undefined>().not.toExtend<StoreSetting>();
	t.plan(1);
	t.pass();
});
