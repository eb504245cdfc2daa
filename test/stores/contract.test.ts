import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {Keyv} from 'keyv';
import {Keyv as Keyv5} from 'keyv5';
import {FilesystemStore} from '../../source/stores/filesystem/store.ts';
import {KeyvStore} from '../../source/stores/keyv.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {SqliteStore} from '../../source/stores/sqlite/store.ts';
import {testStore} from './contract.ts';
import {elsewhere} from './open-elsewhere.ts';
import {PromiseAdapter} from './fake-adapters.ts';

const everything = ['add', 'find', 'deleteFound', 'count', 'size'] as const;

testStore(test, 'memory', {
	makePlace: ({now}) => ({open: () => new MemoryStore({now})}),
	hasOurClock: true,
	persists: false,
	offers: everything,
});

for (const wal of [true, false]) {
	testStore(test, wal ? 'sqlite' : 'sqlite without WAL, saved fast', {
		makePlace({now}) {
			const folder = mkdtempSync(join(tmpdir(), 'got-cache-hooks-'));
			return {
				open: namespace => new SqliteStore({
					path: join(folder, `${namespace}.sqlite`), wal, fastSave: !wal, now,
				}),
				elsewhere: elsewhere('sqlite', {path: join(folder, '{namespace}.sqlite')}),
				remove() {
					rmSync(folder, {recursive: true});
				},
			};
		},
		hasOurClock: true,
		persists: true,
		offers: everything,
	});
}

testStore(test, 'filesystem', {
	makePlace({now}) {
		const folder = mkdtempSync(join(tmpdir(), 'got-cache-hooks-'));
		return {
			open: namespace => new FilesystemStore({path: join(folder, namespace), now}),
			elsewhere: elsewhere('filesystem', {path: join(folder, '{namespace}')}),
			remove() {
				rmSync(folder, {recursive: true});
			},
		};
	},
	hasOurClock: true,
	persists: true,
	offers: ['add', 'count', 'size'],
});

const keyvOptions = {hasOurClock: false, persists: true};

testStore(test, 'Keyv 6 instance on a Map', {
	makePlace({now}) {
		const store = new Map<string, unknown>();
		return {open: cacheName => new KeyvStore(new Keyv({store, namespace: 'mine'}), {cacheName, now})};
	},
	...keyvOptions,
});

testStore(test, 'Keyv 5 instance on a Map', {
	makePlace({now}) {
		const store = new Map<string, unknown>();
		return {open: cacheName => new KeyvStore(new Keyv5({store, namespace: 'mine'}), {cacheName, now})};
	},
	...keyvOptions,
});

testStore(test, 'Keyv 5 instance without a namespace', {
	makePlace({now}) {
		const store = new Map<string, unknown>();
		return {open: cacheName => new KeyvStore(new Keyv5({store, namespace: ''}), {cacheName, now})};
	},
	...keyvOptions,
});

testStore(test, 'Map', {
	makePlace({now}) {
		const map = new Map<string, unknown>();
		return {open: cacheName => new KeyvStore(map, {cacheName, now})};
	},
	...keyvOptions,
});

testStore(test, 'raw adapter', {
	makePlace({now}) {
		const adapter = new PromiseAdapter();
		return {open: cacheName => new KeyvStore(adapter, {cacheName, now})};
	},
	...keyvOptions,
});
