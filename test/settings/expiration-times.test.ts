/*
Wherever the library takes an expiration, it takes an HTTP date of each form of RFC 9110 §5.6.7, and refuses what is none with a `TypeError` that names the place.
*/
import got from 'got';
import test from 'ava';
import {
	cached,
	cacheHooks,
	cacheInfo,
	getCache,
	getExpirationDatetime,
	getUrlExpiration,
	HttpCache,
	withCacheSettings,
	type CacheSettings,
	type CachedResponse,
} from '../../source/index.ts';
import {criteriaOf, expirationOf} from '../../source/cli/selection.ts';
import {settingsOfVariables} from '../../source/got/global/configuration.ts';
import {createClient} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

const moment = Date.UTC(2030, 0, 1);
const dates = ['Tue, 01 Jan 2030 00:00:00 GMT', 'Tuesday, 01-Jan-30 00:00:00 GMT', 'Tue Jan  1 00:00:00 2030'];
const wrong = ['Sat, 30 Feb 2030 00:00:00 GMT', 'Tue, 01 Jan 2030 00:00:00', 'Tue, 01 Jan 2030 24:00:00 GMT', 'Tue, 1 Jan 2030 00:00:00 GMT', '2030-01-01', '2030-01-01T00:00:00Z'];

const url = 'https://example.com/';

async function stored(cache: HttpCache): Promise<CachedResponse> {
	return (await cache.get({url}))!;
}

function newCache(settings: CacheSettings = {}): HttpCache {
	return new HttpCache({store: 'memory', now: () => Date.UTC(2026, 6, 1), ...settings});
}

/** What takes an expiration: returns the moment at which something expires by it. */
const places: ReadonlyArray<readonly [name: string, path: RegExp, use: (expireAfter: string) => Promise<Date | undefined> | Date | undefined]> = [
	['the setting `expireAfter`', /`cache\.expireAfter`/v, async expireAfter => {
		const cache = newCache({expireAfter});
		await cache.save({url}, {});
		return (await stored(cache)).expires;
	}],
	['the setting `urlsExpireAfter`', /`cache\.urlsExpireAfter\[0\]\[1\]`/v, async expireAfter => {
		const cache = newCache({urlsExpireAfter: [['example.com', expireAfter]]});
		await cache.save({url}, {});
		return (await stored(cache)).expires;
	}],
	['`getUrlExpiration`', /`urlsExpireAfter\[0\]\[1\]`/v, expireAfter => getExpirationDatetime(getUrlExpiration(url, [['example.com', expireAfter]]))],
	['`getExpirationDatetime`', /`expireAfter`/v, expireAfter => getExpirationDatetime(expireAfter)],
	['`save`', /`options\.expireAfter`/v, async expireAfter => {
		const cache = newCache();
		return (await cache.save({url}, {}, {expireAfter})).expires;
	}],
	['`save` of a stored response', /`options\.expireAfter`/v, async expireAfter => {
		const cache = newCache();
		return (await cache.save(await cache.save({url}, {}), {expireAfter})).expires;
	}],
	['`fromHar`', /`options\.expireAfter`/v, async expireAfter => {
		const cache = newCache();
		const other = newCache();
		await other.save({url}, {});
		await cache.fromHar(await other.toHar(), {expireAfter});
		return (await stored(cache)).expires;
	}],
	['`resetExpiration` of a cache', /`expireAfter`/v, async expireAfter => {
		const cache = newCache();
		await cache.save({url}, {});
		await cache.resetExpiration(expireAfter);
		return (await stored(cache)).expires;
	}],
	['`resetExpiration` of a response', /`expireAfter`/v, async expireAfter => {
		const response = await newCache().save({url}, {});
		response.resetExpiration(expireAfter);
		return response.expires;
	}],
	['the variable `GOT_CACHE_EXPIRE_AFTER`', /GOT_CACHE_EXPIRE_AFTER: /v, async expireAfter => {
		const cache = newCache(settingsOfVariables({GOT_CACHE_EXPIRE_AFTER: expireAfter})); // eslint-disable-line @typescript-eslint/naming-convention -- The name of a variable.
		await cache.save({url}, {});
		return (await stored(cache)).expires;
	}],
	['`cached` of a result', /`cached\.expireAfter`|`expireAfter`/v, async expireAfter => {
		const cache = newCache();
		const call = cached(async () => 1, expireAfter, {result: true, name: 'call', cache});
		await call();
		await cache.idle();
		const [entry] = await Array.fromAsync(cache.responses());
		return entry!.expires;
	}],
];

for (const [name, path, use] of places) {
	test(`${name} takes an HTTP date of each form`, async t => {
		for (const date of dates) {
			t.deepEqual(await use(date), new Date(moment), date);
		}
	});

	test(`${name} refuses what is no HTTP date, and names the place`, async t => {
		for (const date of wrong) {
			const error = await t.throwsAsync(async () => use(date), undefined, date);
			t.regex(error.message, path, date);
			t.regex(error.message, /HTTP date/v, date);
			t.true(error instanceof TypeError || error.cause instanceof TypeError, date);
		}
	});
}

test('a request, a decorated function and one with settings expire at an HTTP date', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end('answer');
	});
	for (const date of dates) {
		const {client} = createClient({expireAfter: '1h'});
		const cache = getCache(client);

		const ofMethod = cached(async () => client(`${origin.url}/method`), date);
		const ofClass = withCacheSettings({expireAfter: date}, async () => client(`${origin.url}/class`));
		await client(`${origin.url}/request`, {context: {cache: {expireAfter: date}}});
		await ofMethod();
		await ofClass();
		await cache.idle();
		for (const path of ['request', 'method', 'class']) {
			t.deepEqual((await cache.get({url: `${origin.url}/${path}`}))!.expires, new Date(moment), `${path} ${date}`);
		}
	}

	const {client} = createClient();
	await t.throwsAsync(client(origin.url, {context: {cache: {expireAfter: wrong[0]!}}}), {message: /`context\.cache\.expireAfter`.*HTTP date/v});
});

test('a criterion and `isOlderThan` take an HTTP date as a moment', async t => {
	const cache = newCache({now: () => moment - 1000});
	const response = await cache.save({url}, {});
	for (const date of dates) {
		t.true(response.isOlderThan(date));
		t.is(await cache.count({olderThan: date}), 1, date);
	}

	t.is(await cache.count({olderThan: 'Mon, 31 Dec 2029 00:00:00 GMT'}), 0);
	for (const date of wrong) {
		t.throws(() => response.isOlderThan(date), {instanceOf: TypeError, message: /`time`.*HTTP date/v});
		await t.throwsAsync(cache.count({olderThan: date}), {instanceOf: TypeError, message: /`criteria\.olderThan`.*HTTP date/v});
	}
});

test('the command line takes an HTTP date', t => {
	for (const date of dates) {
		t.deepEqual(getExpirationDatetime(expirationOf(date)), new Date(moment), date);
		t.is(criteriaOf({olderThan: date}).olderThan, date);
	}

	t.throws(() => expirationOf(wrong[0]!), {message: /`--expire-after Sat, 30 Feb 2030 00:00:00 GMT` is no time/v});
	t.throws(() => criteriaOf({olderThan: wrong[0]!}), {message: /`--older-than Sat, 30 Feb 2030 00:00:00 GMT` is no time/v});
});

test('a date is no length of time, such as that of `staleIfError`', t => {
	for (const [name, value] of [['staleIfError', dates[0]], ['staleWhileRevalidate', dates[1]], ['ttlOffset', dates[2]]] as const) {
		t.throws(() => newCache({[name]: value}), {instanceOf: TypeError, message: new RegExp(`\`cache\\.${name}\``, 'v')});
	}
});

test('with an HTTP date that is past, a response is stale at once', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.setHeader('etag', '"a"');
		response.end('answer');
	});
	const client = got.extend(cacheHooks({store: 'memory', expireAfter: 'Sun, 06 Nov 1994 08:49:37 GMT'}));
	await client(origin.url);
	t.not(cacheInfo(await client(origin.url)).reason, 'fresh');
});
