import {AsyncLocalStorage} from 'node:async_hooks';
import {spawnSync} from 'node:child_process';
import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import http from 'node:http';
import process from 'node:process';
import test from 'ava';
import {isDebugEnabled} from '../../source/cache/event-output.ts';
import type {CacheEvents} from '../../source/index.ts';
import {Origin} from '../helpers/origin.ts';
import {manage, testStores, type Managed} from './test-stores.ts';

const names = ['hit', 'stale', 'revalidated', 'miss', 'bypassed', 'stored', 'refused', 'deleted', 'expired', 'evicted'] as const satisfies Array<keyof CacheEvents>;

function record({cache, origin}: Managed): string[] {
	const events: string[] = [];
	for (const name of names) {
		cache.on(name, (payload: {readonly reason: string; readonly url?: string}) => {
			events.push([name, payload.reason, payload.url?.slice(origin.url.length)].filter(Boolean).join(' '));
		});
	}

	return events;
}

for (const [name, open] of testStores) {
	test(`${name}: each answer and each write emits one event with its reason`, async t => {
		const managed = await manage(t, open, {staleIfError: true});
		const {client, cache, origin, clock} = managed;
		const events = record(managed);
		const take = async (): Promise<string[]> => {
			await cache.idle();
			return events.splice(0);
		};

		await client(`${origin.url}/a?api_key=SECRET`);
		t.deepEqual(await take(), ['miss miss /a?api_key=REDACTED', 'stored stored /a?api_key=REDACTED']);
		await client(`${origin.url}/a?api_key=SECRET`);
		t.deepEqual(await take(), ['hit fresh /a?api_key=REDACTED']);
		clock.advance(60);
		await client(`${origin.url}/a?api_key=SECRET`);
		t.deepEqual((await take()).toSorted(), ['revalidated revalidated /a?api_key=REDACTED', 'stored revalidated /a?api_key=REDACTED']);
		await client.post(`${origin.url}/b`);
		t.deepEqual(await take(), ['bypassed method /b']);
		await client(`${origin.url}/c?status=404`, {throwHttpErrors: false});
		t.deepEqual(await take(), ['miss miss /c?status=404', 'refused status-code /c?status=404']);
		await client(`${origin.url}/d`, {throwHttpErrors: false, context: {cache: {onlyIfCached: true}}});
		t.deepEqual(await take(), ['miss only-if-cached /d']);
		await client(`${origin.url}/a?api_key=SECRET`, {context: {cache: {filterFn: () => false}}});
		t.deepEqual(await take(), ['deleted filtered', 'miss filtered /a?api_key=REDACTED', 'refused filtered /a?api_key=REDACTED'].toSorted().toSorted((one, other) => Number(other.startsWith('deleted')) - Number(one.startsWith('deleted'))));

		await client(`${origin.url}/e`);
		await cache.expire({urls: [`${origin.url}/e`], tags: ['one']});
		await origin[Symbol.asyncDispose]();
		await client(`${origin.url}/e`);
		await t.throwsAsync(client(`${origin.url}/f`));
		await cache.delete({patterns: ['*'], tags: ['one']});
		t.deepEqual(await take(), ['miss miss /e', 'stored stored /e', 'expired tags', 'expired expire', 'stale stale-if-error /e', 'miss miss /f', 'deleted tags', 'deleted criteria']);
	});
}

test('stats add up, and can be reset', async t => {
	const {client, cache, origin, clock} = await manage(t, testStores[0]![1]);
	t.is(cache.stats().hits, 0);
	const slow = client.extend({
		hooks: {
			beforeRequest: [() => {
				clock.advance(0);
			}],
		},
	});
	await slow(`${origin.url}/a`);
	await slow(`${origin.url}/a`);
	await slow(`${origin.url}/a`);
	await client(`${origin.url}/missing?status=404`, {throwHttpErrors: false});
	await client.post(`${origin.url}/a`);
	clock.advance(60);
	await client(`${origin.url}/a`);
	await cache.idle();
	const {since, ...figures} = cache.stats();
	t.is(since.getTime(), clock.now() - 60_000);
	t.deepEqual(figures, {
		circuit: 'closed',
		hits: 2,
		stale: 0,
		revalidated: 1,
		misses: 2,
		missesByReason: {miss: 2},
		bypassed: 1,
		stored: 2,
		refused: 1,
		refusedByReason: {'status-code': 1},
		evicted: 0,
		errors: 0,
		bytesSaved: 9,
		millisecondsSaved: 0,
	});
	cache.resetStats();
	t.like(cache.stats(), {
		hits: 0, misses: 0, bytesSaved: 0, since: new Date(clock.now()),
	});
});

test('each hit saves the time that the origin took', async t => {
	let now = Date.now();
	await using origin = await Origin.start((_request, response) => {
		now += 250;
		response.end('slow');
	});
	const {client, cache} = await manage(t, testStores[0]![1], {now: () => now});
	for (let round = 0; round < 3; round++) {
		await client(origin.url);
	}

	t.is(cache.stats().millisecondsSaved, 500);
});

test('entries that a store evicts emit events', async t => {
	const managed = await manage(t, testStores[0]![1], {store: 'memory', maxEntries: 2});
	const {client, cache, origin} = managed;
	const events = record(managed);
	for (const path of ['/a', '/b', '/c']) {
		await client(origin.url + path);
	}

	t.true(events.includes('evicted bounds'));
	t.is(cache.stats().evicted, events.filter(event => event.startsWith('evicted')).length);
	t.true(await cache.count() <= 2);
});

test('a listener that throws harms no request, and diagnostics channels get the same payloads', async t => {
	const {client, cache, origin} = await manage(t, testStores[0]![1]);
	const warned = new Promise<Error>(resolve => {
		process.once('warning', resolve);
	});
	cache.on('miss', () => {
		throw new Error('a listener of this test');
	});
	const published: unknown[] = [];
	const listen = (message: unknown): void => {
		if ((message as {url: string}).url.startsWith(origin.url)) {
			published.push(message);
		}
	};

	subscribe('got-cache-hooks:miss', listen);
	t.is((await client(`${origin.url}/a`)).statusCode, 200);
	unsubscribe('got-cache-hooks:miss', listen);
	t.regex((await warned).message, /a listener of this test/v);
	t.like(published, [{
		reason: 'miss', method: 'GET', url: `${origin.url}/a`, background: false,
	}]);
});

test('a refresh in the background emits an event that says so, and does not count as an answer', async t => {
	const {client, cache, origin, clock} = await manage(t, testStores[0]![1], {staleWhileRevalidate: true});
	await client(`${origin.url}/a`);
	clock.advance(60);
	const events: Array<[string, boolean]> = [];
	cache.on('stale', ({background}) => {
		events.push(['stale', background]);
	}).on('revalidated', ({background}) => {
		events.push(['revalidated', background]);
	});
	await client(`${origin.url}/a`);
	await cache.idle();
	t.deepEqual(events, [['stale', false], ['revalidated', true]]);
	t.like(cache.stats(), {stale: 1, revalidated: 0});
});

test('DEBUG may name the library in full or by a wildcard, and exclude it', t => {
	t.deepEqual(['got-cache-hooks', '*', 'a,got-cache-hooks', 'a got-*'].map(given => isDebugEnabled(given)), [true, true, true, true]);
	t.deepEqual([undefined, '', 'got', '*,-got-cache-hooks', 'got-cache-hooks:x'].map(given => isDebugEnabled(given)), [false, false, false, false, false]);
});

test('with DEBUG, each decision is printed as a line on stderr', t => {
	const code = `
		import {HttpCache} from ${JSON.stringify(new URL('../../source/index.ts', import.meta.url).href)};
		const cache = new HttpCache({store: 'memory'});
		await cache.save({url: 'https://user:SECRET@example.com/a'}, {});
		await cache.delete({urls: ['https://user:SECRET@example.com/a']});
	`;
	const {stderr} = spawnSync(process.execPath, ['--input-type=module', '--eval', code], {env: {...process.env, ...Object.fromEntries([['DEBUG', 'got-cache-hooks']])}, encoding: 'utf8'});
	t.regex(stderr, /^got-cache-hooks deleted keys got-cache:2:[\da-f]{64}\n$/v);
});

test('an answer has its store, its status code, the bytes that were served, or why no response came; a write has its bytes', async t => {
	const {client, cache, origin} = await manage(t, testStores[0]![1], {cacheName: 'named', filterFn: ({url}) => !url.endsWith('/refused')});
	const events: unknown[] = [];
	const note = (name: string) => ({
		key: _key, method: _method, url: _url, background: _background, error, ...details
	}: Partial<CacheEvents['miss'][0]>): void => {
		events.push({name, ...details, ...(error !== undefined && {error: (error as {readonly code?: string}).code})});
	};

	for (const name of ['hit', 'miss', 'bypassed', 'stored', 'refused'] as const) {
		cache.on(name, note(name));
	}

	await client(`${origin.url}/a`);
	await client(`${origin.url}/a`);
	await client.head(`${origin.url}/a`);
	await client(`${origin.url}/a`, {headers: {'if-none-match': '"1"'}});
	await client(`${origin.url}/refused`);
	await client.post(`${origin.url}/c?status=404`, {throwHttpErrors: false});
	await cache.idle();
	await t.throwsAsync(client('http://127.0.0.1:1/d'));
	const common = {store: 'memory', cacheName: 'named'};
	const [stored] = events.filter(event => (event as {name: string}).name === 'stored') as [{readonly bytes: number}];
	t.true(stored.bytes > 3);
	t.deepEqual(events.filter(event => event !== stored), [
		{
			name: 'miss', reason: 'miss', ...common, statusCode: 200,
		},
		{
			name: 'hit', reason: 'fresh', ...common, statusCode: 200, bytes: 3,
		},
		{
			name: 'hit', reason: 'fresh', ...common, statusCode: 200, bytes: 0,
		},
		{
			name: 'hit', reason: 'fresh', ...common, statusCode: 304, bytes: 0,
		},
		{
			name: 'miss', reason: 'miss', ...common, statusCode: 200,
		},
		{name: 'refused', reason: 'filtered', ...common},
		{
			name: 'bypassed', reason: 'method', ...common, statusCode: 404,
		},
		{
			name: 'miss', reason: 'miss', ...common, error: 'ECONNREFUSED',
		},
	]);
});

test('listeners run in the async context in which the request was made', async t => {
	const {client, cache, origin} = await manage(t, testStores[0]![1]);
	const requestIds = new AsyncLocalStorage<number>();
	const events: Array<readonly [event: string, id: number | undefined]> = [];
	for (const name of ['miss', 'stored', 'hit'] as const) {
		cache.on(name, () => {
			events.push([name, requestIds.getStore()]);
		});
	}

	// The answer comes in the context of another request, as over a connection that they share.
	const elsewhere = requestIds.run(0, () => AsyncLocalStorage.snapshot());
	for (const id of [1, 2]) {
		await requestIds.run(id, async () => client(`${origin.url}/a`, {
			request: (url, options) => elsewhere(() => http.request(url, options)),
		}));
		await cache.idle();
	}

	t.deepEqual(events, [['miss', 1], ['stored', 1], ['hit', 2]]);
});
