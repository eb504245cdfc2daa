import {Buffer} from 'node:buffer';
import {
	readdirSync,
	readFileSync,
	statSync,
} from 'node:fs';
import type {IncomingMessage, ServerResponse} from 'node:http';
import {join} from 'node:path';
import test from 'ava';
import got, {type Got} from 'got';
import {
	cacheHooks,
	cached,
	getCache,
	HttpCache,
	invalidate,
	type CacheSettings,
	type RequestSettings,
	type Store,
} from '../../source/index.ts';
import {readOnlyStore} from '../../source/stores/read-only.ts';
import type {SetOptions, StoredValue} from '../../source/stores/types.ts';
import {Origin} from '../helpers/origin.ts';
import {testFolder} from '../helpers/temporary-folder.ts';

const writeNames = ['set', 'add', 'delete', 'deleteMany', 'deleteFound', 'clear'] as const;

/** A store of bytes that other processes may share, with locks by default, and with all optional methods. It records the calls that write. */
class RecordingStore implements Store {
	readonly name = 'sqlite';
	readonly valueType = 'bytes';
	readonly values = new Map<string, StoredValue>();
	readonly writes: string[] = [];

	get(key: string): StoredValue | undefined {
		return this.values.get(key);
	}

	set(key: string, value: StoredValue, _options: SetOptions): void {
		this.writes.push(`set ${key}`);
		this.values.set(key, value);
	}

	add(key: string, value: StoredValue, _options: SetOptions): boolean {
		this.writes.push(`add ${key}`);
		const isNew = !this.values.has(key);
		this.values.set(key, this.values.get(key) ?? value);
		return isNew;
	}

	delete(key: string): boolean {
		this.writes.push(`delete ${key}`);
		return this.values.delete(key);
	}

	deleteMany(keys: readonly string[]): void {
		this.writes.push(`deleteMany ${keys.join(' ')}`);
	}

	deleteFound(): number {
		this.writes.push('deleteFound');
		return 0;
	}

	clear(): void {
		this.writes.push('clear');
		this.values.clear();
	}

	keepRecordings(): void {
		this.writes.push('keepRecordings');
	}

	async * iterate(): AsyncGenerator<readonly [string, StoredValue], void> {
		yield * this.values;
	}

	close(): void {}
}

function answer(request: IncomingMessage, response: ServerResponse): void {
	const {pathname} = new URL(request.url!, 'http://localhost');
	const headers: Record<string, Record<string, string>> = {
		'/vary': {vary: 'accept-language'},
		'/vary-unreadable': {vary: 'accept-language'},
		'/tagged': {'cache-tag': 'one, two'},
		'/secret': {'cache-control': 'max-age=1000', vary: 'authorization'},
		'/stale': {'cache-control': 'max-age=1, stale-while-revalidate=100000', etag: '"1"'},
		'/etag': {'cache-control': 'max-age=1', etag: '"1"'},
		'/expired': {'cache-control': 'max-age=1'},
		'/no-longer': {'cache-control': request.headers['x-later'] === undefined ? 'max-age=1' : 'no-store'},
		'/redirect': {location: '/vary'},
	};
	response.statusCode = pathname === '/redirect' ? 301 : 200;
	for (const [name, value] of Object.entries({'cache-control': 'max-age=1000', ...headers[pathname]})) {
		response.setHeader(name, value);
	}

	if (request.headers['if-none-match'] !== undefined) {
		response.statusCode = 304;
	}

	response.end(`answer to ${pathname}`);
}

const paths = ['/hit', '/vary', '/tagged', '/secret', '/stale', '/etag', '/expired', '/no-longer', '/redirect', '/filtered', '/unreadable', '/vary-unreadable'] as const;
const authorized = {authorization: 'Bearer one'};

/** Sends requests of all kinds, and returns how each was answered, or the code of its error. */
async function askAll(client: Got, url: string, own: RequestSettings = {}): Promise<ReadonlyArray<readonly [string, string]>> {
	const results: Array<readonly [string, string]> = [];
	const requests: ReadonlyArray<readonly [path: string, options: Record<string, unknown>]> = [
		...paths.map(path => [path, {headers: path === '/secret' ? authorized : {}}] as const),
		...paths.map(path => [path, {headers: {...(path === '/secret' && authorized), 'x-later': 'yes'}}] as const),
		['/miss', {}],
		['/miss', {headers: authorized}],
		['/vary', {headers: {'accept-language': 'de'}}],
		['/hit', {method: 'HEAD'}],
		['/hit', {method: 'HEAD', headers: {'x-other': 'yes'}}],
		['/hit', {headers: {'cache-control': 'no-cache'}}],
		['/hit', {headers: {'cache-control': 'no-store'}}],
		['/hit', {method: 'POST', body: 'x'}],
		['/hit', {method: 'PUT', body: 'x'}],
		['/hit', {method: 'DELETE'}],
		['/tagged', {context: {cache: {...own, tags: ['three'], refresh: true}}}],
		['/hit', {context: {cache: {...own, forceRefresh: true, expireAfter: '1h'}}}],
		['/hit', {context: {cache: {...own, onlyIfCached: true}}}],
	];
	for (const [path, options] of requests) {
		try {
			const response = await client(`${url}${path}`, {throwHttpErrors: false, ...options});
			results.push([path, response.isFromCache ? 'cached' : 'sent']);
		} catch (error) {
			results.push([path, (error as {code: string}).code]);
		}
	}

	return results;
}

const clients: Readonly<Record<string, (store: RecordingStore, settings: CacheSettings) => Got>> = {
	'a cache made with `readOnly`': (store, settings) => got.extend(cacheHooks({...settings, store, readOnly: true})),
	'a cache made with `readOnly`, and requests that say otherwise': (store, settings) => got.extend(cacheHooks({...settings, store, readOnly: true}), {context: {cache: {readOnly: false}}}),
	'a replay': (store, settings) => got.extend(cacheHooks({...settings, store, mode: 'replay'})),
	'a client with `readOnly` of a cache that others write'(store, settings) {
		const {cacheControl, filterFn, ...ofCache} = settings;
		const cache = new HttpCache({...ofCache, ...(cacheControl !== undefined && {cacheControl}), store});
		return got.extend(cacheHooks({cache, readOnly: true, ...(filterFn !== undefined && {filterFn})}));
	},
	'requests with `readOnly`': (store, settings) => got.extend(cacheHooks({...settings, store}), {context: {cache: {readOnly: true}}}),
};

for (const [title, makeClient] of Object.entries(clients)) {
	for (const settings of [{cacheControl: true}, {expireAfter: '1s', staleWhileRevalidate: '1h'}, {cacheControl: true, failFast: true}] as const satisfies CacheSettings[]) {
		test(`${title}: no request writes, whatever is stored (${JSON.stringify(settings)})`, async t => {
			await using origin = await Origin.start(answer);
			const store = new RecordingStore();
			let time = Date.now();
			const common: CacheSettings = {...settings, now: () => time, lock: true};
			const writer = got.extend(cacheHooks({...common, store, ...(title === 'a replay' && {mode: 'record'})}));
			for (const path of paths) {
				await writer(`${origin.url}${path}`, {headers: path === '/secret' ? authorized : {}});
			}

			await writer(`${origin.url}/vary-unreadable`, {headers: {'accept-language': 'de'}});
			await getCache(writer).idle();
			for await (const {url, cacheKey} of getCache(writer).responses()) {
				if (url.endsWith('unreadable')) {
					store.values.set(cacheKey, Buffer.from('rubbish'));
				}
			}

			time += 2000;
			const before = new Map(store.values);
			store.writes.length = 0;
			const client = makeClient(store, {...common, filterFn: ({url}) => !url.endsWith('/filtered')});
			const faults: string[] = [];
			getCache(client).on('storeError', ({operation, error}) => {
				faults.push(`${operation}: ${(error as {code?: string}).code ?? String(error)}`);
			});
			const results = await askAll(client, origin.url, title.startsWith('requests') ? {readOnly: true} : {});
			t.true(results.some(([, result]) => result === 'cached'));
			await getCache(client).explain({url: `${origin.url}/unreadable`});
			await getCache(client).get({url: `${origin.url}/hit`});
			await getCache(client).idle();
			t.deepEqual(store.writes, []);
			t.deepEqual(faults.filter(fault => !fault.startsWith('decode: ')), []);
			t.true(faults.some(fault => fault.startsWith('decode: ')));
			t.is(getCache(client).circuit, 'closed');
			await getCache(client).close();
			t.deepEqual(store.writes, []);
			t.deepEqual(store.values, before);
		});
	}
}

test('stored results of functions are read, and neither written nor deleted', async t => {
	const store = new RecordingStore();
	const cache = new HttpCache({store, readOnly: true});
	let calls = 0;
	const add = cached(async (one: number, other: number) => {
		calls++;
		return one + other;
	}, '1h', {result: true, name: 'add', cache});
	t.is(await add(1, 2), 3);
	t.is(await add(1, 2), 3);
	t.is(calls, 2);
	await t.throwsAsync(invalidate(add, 1, 2), {code: 'ERR_STORE_READ_ONLY'});
	await cache.idle();
	t.deepEqual(store.writes, []);
});

const managing: Readonly<Record<string, (cache: HttpCache, url: string) => Promise<unknown>>> = {
	clear: async cache => cache.clear(),
	delete: async cache => cache.delete({expired: true, tags: ['one']}),
	expire: async cache => cache.expire({valid: true}),
	save: async (cache, url) => cache.save({url}, {body: 'x'}),
	update: async cache => cache.update(new HttpCache({store: 'memory'})),
	recreateKeys: async cache => cache.recreateKeys(),
	resetExpiration: async cache => cache.resetExpiration('1h'),
	fromHar: async cache => cache.fromHar({log: {entries: []}}),
};

for (const [method, call] of Object.entries(managing)) {
	for (const settings of [{readOnly: true}, {mode: 'replay'}] as const) {
		test(`\`${method}\` of a cache with ${JSON.stringify(settings)} rejects with the reason`, async t => {
			const store = new RecordingStore();
			const cache = new HttpCache({store, ...settings});
			const {message} = await t.throwsAsync(call(cache, 'http://127.0.0.1/'), {code: 'ERR_STORE_READ_ONLY'});
			t.true(message.includes(`\`${method}\``));
			t.regex(message, 'mode' in settings ? /mode: 'replay'/v : /readOnly: true/v);
			t.deepEqual(store.writes, []);
		});
	}
}

test('methods that only read work in a read-only cache', async t => {
	await using origin = await Origin.start(answer);
	const store = new RecordingStore();
	await using writer = new HttpCache({store});
	await writer.save({url: origin.url}, {body: 'x'});
	store.writes.length = 0;
	await using cache = new HttpCache({store, readOnly: true});
	await cache.ready();
	t.is(await cache.count(), 1);
	t.true(await cache.size() > 0);
	t.true(await cache.contains({url: origin.url}));
	t.is((await Array.fromAsync(cache.sorted())).length, 1);
	t.is((await cache.toHar()).log.entries.length, 1);
	t.deepEqual(store.writes, []);
});

test('a read-only store gets no calls that write, and all others', async t => {
	const store = new RecordingStore();
	const reading = readOnlyStore(store);
	t.is(reading.name, 'sqlite');
	t.is(reading.keepRecordings, undefined);
	t.is(reading.find, undefined);
	store.values.set('key', Buffer.from('x'));
	t.deepEqual(reading.get('key'), Buffer.from('x'));
	t.deepEqual(await Array.fromAsync(reading.iterate(), ([key]) => key), ['key']);
	for (const name of writeNames) {
		t.throws(() => (reading[name] as () => unknown)(), {code: 'ERR_STORE_READ_ONLY', message: 'The store `sqlite` is read-only.'});
	}

	t.deepEqual(store.writes, []);
});

test('writes that are refused by a store that its owner opened read-only do not open the circuit', async t => {
	await using origin = await Origin.start(answer);
	const client = got.extend(cacheHooks({store: readOnlyStore(new RecordingStore()), expireAfter: '1h'}));
	const reported = new Set<unknown>();
	getCache(client).on('storeError', ({error}) => {
		reported.add((error as {code: unknown}).code);
	});
	for (let index = 0; index < 7; index++) {
		await client(`${origin.url}/${index}`);
	}

	await getCache(client).idle();
	t.deepEqual([...reported], ['ERR_STORE_READ_ONLY']);
	t.is(getCache(client).circuit, 'closed');
	await t.throwsAsync(getCache(client).clear(), {code: 'ERR_STORE_READ_ONLY'});
});

/** Returns all files below a folder with their contents and times of change. */
function filesIn(folder: string): Readonly<Record<string, string>> {
	return Object.fromEntries(readdirSync(folder, {recursive: true, encoding: 'utf8'}).toSorted().map(name => {
		const path = join(folder, name);
		const stats = statSync(path);
		return [name, `${stats.mtimeMs} ${stats.isDirectory() ? '' : readFileSync(path).toString('base64')}`];
	}));
}

/** Returns the codes of an error and of its causes, each once. */
function codesOf(error: unknown): readonly string[] {
	const codes: string[] = [];
	for (let cause = error as {code?: string; cause?: unknown} | undefined; cause?.code !== undefined; cause = cause.cause as typeof cause) {
		codes.push(cause.code);
	}

	return [...new Set(codes)];
}

for (const store of ['sqlite', 'filesystem'] as const) {
	for (const settings of [{readOnly: true}, {mode: 'replay'}] as const) {
		test(`${store}: a cache with ${JSON.stringify(settings)} changes no byte of the files`, async t => {
			await using origin = await Origin.start(answer);
			const folder = testFolder(t);
			const cacheName = join(folder, 'cache');
			const writer = got.extend(cacheHooks({store, cacheName, expireAfter: '1h'}));
			await writer(`${origin.url}/hit`);
			await getCache(writer).close();
			const before = filesIn(folder);
			const client = got.extend(cacheHooks({
				store, cacheName, expireAfter: '1h', ...settings,
			}));
			t.true((await client(`${origin.url}/hit`)).isFromCache);
			await askAll(client, origin.url);
			await getCache(client).close();
			t.deepEqual(filesIn(folder), before);
		});

		test(`${store}: a cache with ${JSON.stringify(settings)} creates no files, and reports that they are missing`, async t => {
			await using origin = await Origin.start(answer);
			const folder = testFolder(t);
			const client = got.extend({retry: {limit: 0}}, cacheHooks({store, cacheName: join(folder, 'mistyped'), ...settings}));
			const reported: unknown[] = [];
			getCache(client).on('storeError', ({error}) => {
				reported.push((error as {code: unknown}).code);
			});
			await t.throwsAsync(getCache(client).ready(), {code: 'ERR_STORE_OPEN'});
			if ('mode' in settings) {
				const error: unknown = await client(`${origin.url}/hit`).catch((error: unknown) => error);
				reported.push(...codesOf(error).slice(0, 2));
			} else {
				const {body} = await client(`${origin.url}/hit`);
				reported.push(body);
			}

			t.is(reported[0], 'ERR_STORE_OPEN');
			t.deepEqual(reported.slice(1), 'mode' in settings ? ['ERR_NOT_RECORDED', 'ERR_STORE_OPEN'] : ['answer to /hit']);
			await getCache(client).close();
			t.deepEqual(readdirSync(folder), []);
		});
	}
}
