import {subscribe} from 'node:diagnostics_channel';
import path from 'node:path';
import process from 'node:process';
import got from 'got';
import {
	cacheHooks,
	createCachedGot,
	createStore,
	getCache,
	type ClientSettings,
	type Store,
} from '../../../source/index.ts';

const [what = '', url = '', how = ''] = process.argv.slice(2);
const secret = 'marker-of-a-credential';

const fail = (): never => {
	throw new TypeError(`Bearer ${secret} https://user:${secret}@example.com/?token=${secret}`);
};

const failingStore: Store = {
	name: 'failing', valueType: 'text', get: fail, set: fail, delete: fail, deleteMany: fail, clear: fail, iterate: fail, close() {},
};

const memory: ClientSettings = {store: 'memory', expireAfter: '1h'};

/** The settings with which something is wrong, each with the code of its warning. */
const settings: Readonly<Record<string, () => ClientSettings>> = {
	sqlite: () => ({store: createStore('sqlite', {path: path.join(import.meta.filename, 'below/cache.sqlite')})}),
	files: () => ({store: createStore('filesystem', {path: path.join(import.meta.filename, 'below')})}),
	redis: () => ({store: `redis://user:${secret}@127.0.0.1:1`, storeTimeout: 50}),
	throwing: () => ({store: failingStore}),
	keyFn: () => ({...memory, keyFn: fail}),
	partitionBy: () => ({...memory, partitionBy: fail}),
	filterFn: () => ({...memory, filterFn: fail}),
	tags: () => ({...memory, tags: fail}),
	'wrong tags': () => ({...memory, tags: () => ['']}),
	'a URLPattern': () => ({...memory, urlsExpireAfter: [[{test: fail, exec: fail}, '1h']]}),
	'slash first': () => ({...memory, urlsExpireAfter: {'/users/*': '1h', [`user:${secret}@example.com`]: '1h', [`example.com/?token=${secret}`]: '1h'}}),
	'own cache': () => memory,
	'own cache, created': () => memory,
	listener: () => memory,
	background: () => ({...memory, expireAfter: '1ms', staleWhileRevalidate: true}),
	normal: () => memory,
	'normal, SQLite': () => ({store: createStore('sqlite', {useMemory: true})}),
	'only if cached': () => ({...memory, onlyIfCached: true}),
	'read only': () => ({...memory, readOnly: true}),
};

function create(): typeof got {
	const ofCase = settings[what]!();
	return what === 'own cache, created' ? (createCachedGot(ofCase, got.extend({cache: new Map()}))) : (got.extend({retry: {limit: 0}, throwHttpErrors: false, ...(what === 'own cache' && {cache: new Map()})}, cacheHooks(ofCase)));
}

for (let client = 0; client < 2; client++) {
	const instance = create();
	const cache = getCache(instance);
	if (what === 'listener') {
		cache.on('miss', fail);
	}

	if (how === 'listens') {
		for (const event of ['storeError', 'settingError', 'backgroundError'] as const) {
			cache.on(event, () => {});
		}
	} else if (how === 'subscribes') {
		for (const event of ['storeError', 'settingError', 'backgroundError']) {
			subscribe(`got-cache-hooks:${event}`, () => {});
		}
	}

	for (let round = 0; round < 4; round++) {
		await instance(`${url}/${what === 'background' ? '' : round}`);
		await cache.idle();
	}

	if (what === 'normal') {
		const aborted = new AbortController();
		const pending = instance(`${url}/aborted`, {signal: aborted.signal});
		aborted.abort();
		await pending.catch(() => undefined);
	}

	await cache.close();
}
