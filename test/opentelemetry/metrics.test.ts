import test from 'ava';
import {
	cached,
	getCache,
	HttpCache,
	type CacheSettings,
} from '../../source/index.ts';
import {createClient} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {temporaryFolder} from '../helpers/temporary-folder.ts';
import {startTelemetry, valuesBy} from './telemetry.ts';

const result = 'got_cache_hooks.result';
const reason = 'got_cache_hooks.reason';
const store = 'got_cache_hooks.store';
const cacheName = 'got_cache_hooks.cache_name';
const operation = 'got_cache_hooks.operation';

async function startOrigin(): Promise<Origin> {
	return Origin.start((request, response) => {
		response.statusCode = request.headers['if-none-match'] === '"1"' ? 304 : Number(new URL(request.url!, 'http://origin').searchParams.get('status') ?? 200);
		response.setHeader('etag', '"1"');
		response.end(response.statusCode === 304 ? undefined : 'content');
	});
}

test.serial('the counters are what `stats()` says: answers by result and reason, writes, removals and bytes', async t => {
	const {points, instruments} = startTelemetry(t);
	const origin = await startOrigin();
	const {client, clock} = createClient({expireAfter: 60, staleIfError: true});
	const cache = getCache(client);
	const {url} = origin;
	await client(`${url}/a`);
	await client(`${url}/a`);
	await client(`${url}/a`);
	await client(`${url}/b?status=404`, {throwHttpErrors: false});
	await client.post(`${url}/c`);
	await cache.expire({urls: [`${url}/a`]});
	await client(`${url}/a`);
	clock.advance(60);
	await origin[Symbol.asyncDispose]();
	await client(`${url}/a`);
	await t.throwsAsync(client(`${url}/d`));
	await cache.delete({urls: [`${url}/a`], tags: ['one']});
	const stats = cache.stats();
	t.like(stats, {
		hits: 2, misses: 3, bypassed: 1, stale: 1, revalidated: 1,
	});

	const requests = await points('got_cache_hooks.requests');
	t.deepEqual(valuesBy(requests, result, reason), {
		'miss miss': 3, 'hit fresh': 2, 'bypassed method': 1, 'revalidated revalidated': 1, 'stale stale-if-error': 1,
	});
	t.deepEqual(valuesBy(requests, result, 'error.type'), {
		'miss -': 1, 'hit -': 2, 'miss 404': 1, 'bypassed -': 1, 'revalidated -': 1, 'stale -': 1, 'miss ECONNREFUSED': 1,
	});
	t.deepEqual(valuesBy(requests, result, 'http.request.method'), {
		'miss GET': 3, 'hit GET': 2, 'bypassed POST': 1, 'revalidated GET': 1, 'stale GET': 1,
	});
	t.deepEqual(valuesBy(await points('got_cache_hooks.writes'), result, reason), {'stored stored': 1, 'refused status-code': 1, 'stored revalidated': 1});
	t.deepEqual(valuesBy(await points('got_cache_hooks.removals'), result, reason), {'expired expire': 1, 'deleted tags': 1, 'deleted keys': 1});
	t.deepEqual(valuesBy(await points('got_cache_hooks.served'), result), {hit: 14, revalidated: 7, stale: 7});
	t.is(stats.bytesSaved, 28);
	const [stored] = await points('got_cache_hooks.stored');
	t.true(stored!.value > 2 * 7);
	t.deepEqual(await instruments(), {
		'got_cache_hooks.requests': '{request}',
		'got_cache_hooks.served': 'By',
		'got_cache_hooks.writes': '{response}',
		'got_cache_hooks.stored': 'By',
		'got_cache_hooks.removals': '{entry}',
		'got_cache_hooks.store.duration': 's',
	});
});

test.serial('a refresh in the background counts as a refresh, and as no request', async t => {
	const {points} = startTelemetry(t);
	await using origin = await startOrigin();
	const {client, clock} = createClient({expireAfter: 60, staleWhileRevalidate: true});
	await client(`${origin.url}/a`);
	clock.advance(60);
	await client(`${origin.url}/a`);
	await getCache(client).idle();
	t.deepEqual(valuesBy(await points('got_cache_hooks.requests'), result), {miss: 1, stale: 1});
	t.deepEqual(valuesBy(await points('got_cache_hooks.refreshes'), result, reason), {'revalidated revalidated': 1});
	t.deepEqual(valuesBy(await points('got_cache_hooks.served'), result), {stale: 7});
});

test.serial('a decorated call counts by its name, and has no method', async t => {
	const {points} = startTelemetry(t);
	const {client} = createClient();
	const call = cached(async (id: number) => ({id}), '1h', {result: true, name: 'users.find', cache: getCache(client)});
	await call(1);
	await call(1);
	await call(2);
	t.deepEqual(valuesBy(await points('got_cache_hooks.requests'), result, 'got_cache_hooks.call', 'http.request.method'), {'miss users.find -': 2, 'hit users.find -': 1});
});

test.serial('the calls of each store are measured by operation, store and cache, in seconds', async t => {
	const {points} = startTelemetry(t);
	await using origin = await startOrigin();
	await using folder = await temporaryFolder();
	const settings: readonly CacheSettings[] = [
		{store: 'memory', cacheName: 'one'},
		{store: 'memory', cacheName: 'two'},
		{store: 'sqlite', cacheName: `${folder.path}/three`},
		{store: new Map(), cacheName: 'four'},
	];
	for (const own of settings) {
		const {client} = createClient(own);
		await client(`${origin.url}/a`);
		await getCache(client).idle();
		await client(`${origin.url}/a`);
		await getCache(client).close();
	}

	const calls = await points('got_cache_hooks.store.duration');
	const entries = calls.filter(({attributes}) => ['get', 'set'].includes(String(attributes[operation])));
	const values = valuesBy(entries, store, cacheName, operation);
	for (const [name, cache] of [['memory', 'one'], ['memory', 'two'], ['sqlite', `${folder.path}/three`], ['keyv', 'four']]) {
		t.true(values[`${name} ${cache} get`]! >= 2);
		t.true(values[`${name} ${cache} set`]! >= 1);
	}

	t.deepEqual(valuesBy(await points('got_cache_hooks.requests'), store, cacheName), {
		'memory one': 2, 'memory two': 2, [`sqlite ${folder.path}/three`]: 2, 'keyv four': 2,
	});
});

test.serial('a store that fails or hangs is measured with the kind of its error, and its circuit', async t => {
	const {points} = startTelemetry(t);
	await using origin = await startOrigin();
	const broken = {
		get() {
			throw new Error('https://user:SECRET@example.com is gone');
		},
		set() {},
		delete() {},
		clear() {},
	};
	const {client} = createClient({store: broken, failFast: false});
	for (let round = 0; round < 6; round++) {
		await client(`${origin.url}/a`);
	}

	const {client: hanging} = createClient({
		store: {
			...broken,
			async get() {
				return new Promise(() => {});
			},
		},
		storeTimeout: 1,
	});
	await hanging(`${origin.url}/a`);
	await getCache(hanging).idle();
	const calls = await points('got_cache_hooks.store.duration');
	const reads = calls.filter(({attributes}) => attributes[operation] === 'get');
	const values = valuesBy(reads, operation, 'error.type');
	t.deepEqual(Object.keys(values).toSorted(), ['get ERR_STORE_TIMEOUT', 'get Error']);
	const errors = await points('got_cache_hooks.errors');
	const kinds = valuesBy(errors, 'got_cache_hooks.error_kind', operation, 'error.type');
	t.like(kinds, {'storeError get Error': 5, 'storeError circuit ERR_STORE_CIRCUIT': 1});
	t.true(kinds['storeError get ERR_STORE_TIMEOUT']! > 0);
	t.like(valuesBy(await points('got_cache_hooks.circuit_changes'), 'got_cache_hooks.circuit', 'got_cache_hooks.circuit_state'), {'reads open': 1});
	t.notRegex(JSON.stringify([...calls, ...errors]), /SECRET/v);
});

test.serial('a function of the settings that fails, and a refresh that fails, are errors', async t => {
	const {points} = startTelemetry(t);
	const origin = await startOrigin();
	class NoAnswer extends Error {}
	const {client, clock} = createClient({
		expireAfter: 60,
		staleWhileRevalidate: true,
		filterFn(response) {
			if (response.url.endsWith('/bad')) {
				throw new NoAnswer('SECRET');
			}

			return true;
		},
	});
	await client(`${origin.url}/bad`);
	await client(`${origin.url}/a`);
	clock.advance(60);
	await origin[Symbol.asyncDispose]();
	await client(`${origin.url}/a`);
	await getCache(client).idle();
	const errors = await points('got_cache_hooks.errors');
	t.deepEqual(valuesBy(errors, 'got_cache_hooks.error_kind', 'got_cache_hooks.setting', 'error.type'), {
		'settingError filterFn NoAnswer': 1, 'backgroundError - ECONNREFUSED': 1,
	});
});

test.serial('no attribute of a metric has a URL, a key or a credential, and their number does not grow with the requests', async t => {
	const {points, instruments} = startTelemetry(t);
	await using origin = await startOrigin();
	const {client} = createClient();
	const cache = getCache(client);
	const count = async (): Promise<number> => {
		let series = 0;
		for (const name of Object.keys(await instruments())) {
			const found = await points(name);
			series += found.length;
			for (const {attributes} of found) {
				t.notRegex(JSON.stringify(attributes), /SECRET|127\.0\.0\.1|:\/\/|got-cache:/v);
			}
		}

		return series;
	};

	const send = async (from: number, to: number): Promise<void> => {
		for (let index = from; index < to; index++) {
			const url = `${origin.url}/SECRET-${index}?token=SECRET-${index}`;
			await client(url, {headers: {authorization: `Bearer SECRET-${index}`}});
			await client(url, {method: `SECRET${index}` as 'GET', throwHttpErrors: false});
			await client(url);
			await cache.delete({urls: [url], tags: [`SECRET-${index}`], patterns: [`*SECRET-${index}`]});
		}
	};

	await send(0, 4);
	const series = await count();
	await send(4, 20);
	t.is(await count(), series);
});

test.serial('a cache without a client is measured as well', async t => {
	const {points} = startTelemetry(t);
	const cache = new HttpCache({store: 'memory', cacheName: 'lonely'});
	await cache.save({url: 'https://example.com/'}, {body: 'content'});
	await cache.delete({urls: ['https://example.com/']});
	t.deepEqual(valuesBy(await points('got_cache_hooks.removals'), result), {deleted: 1});
	t.is(valuesBy(await points('got_cache_hooks.store.duration'), operation, cacheName)['set lonely'], 1);
});
