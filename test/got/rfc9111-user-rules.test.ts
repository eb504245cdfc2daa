import test from 'ava';
import {
	cacheInfo,
	DO_NOT_CACHE,
	EXPIRE_IMMEDIATELY,
	getCache,
	NEVER_EXPIRE,
	type CacheSettings,
} from '../../source/index.ts';
import {dated} from '../helpers/dated.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

const plain = {throwHttpErrors: false};
const cached = (cache: object) => ({context: {cache}});

/** Response headers that the default mode ignores. */
const sayings: ReadonlyArray<Readonly<Record<string, string>>> = [
	{'cache-control': 'no-store'},
	{'cache-control': 'no-cache'},
	{'cache-control': 'private, max-age=0, must-revalidate'},
	{'cache-control': 'max-age=1'},
	{'cache-control': 'max-age=86400'},
	{expires: 'Thu, 01 Jan 2015 00:00:00 GMT'},
	{expires: 'Fri, 01 Jan 2027 00:00:00 GMT'},
	{expires: '0'},
	{age: '86400', 'cache-control': 'max-age=60'},
	{date: 'Thu, 01 Jan 2015 00:00:00 GMT'},
	{pragma: 'no-cache'},
	{'cache-control': 'immutable, max-age=86400'},
	{'cache-control': 'must-understand, no-store'},
	{'cache-control': 'stale-while-revalidate=600, stale-if-error=600'},
];

for (const headers of sayings) {
	test(`cacheControl: false: expireAfter decides, not ${JSON.stringify(headers)}`, async t => {
		const {client, clock} = createClient({expireAfter: 60});
		await using origin = await Origin.start(dated(clock, () => ({headers})));
		await client(origin.url);
		clock.advance(59);
		t.true((await client(origin.url)).isFromCache);
		clock.advance(1);
		t.false((await client(origin.url)).isFromCache);
		t.is(origin.count, 2);
	});
}

for (const [name, instance] of majors) {
	test(`${name}: expireAfter 0 with a validator is stored and validated each time; without one it is not stored`, async t => {
		const {client, clock} = createClient({expireAfter: EXPIRE_IMMEDIATELY}, instance);
		await using origin = await Origin.start(dated(clock, request => {
			if (request.headers['if-none-match'] !== undefined || request.headers['if-modified-since'] !== undefined) {
				return {status: 304};
			}

			const validators: Record<string, Record<string, string>> = {'/tag': {etag: '"1"'}, '/date': {'last-modified': 'Thu, 01 Jan 2015 00:00:00 GMT'}};
			return {headers: validators[request.url!] ?? {}};
		}));
		for (const path of ['/tag', '/date']) {
			const first = await client(origin.url + path);
			for (let round = 0; round < 2; round++) {
				const again = await client(origin.url + path);
				t.is(again.body, first.body);
				t.is(cacheInfo(again).reason, 'revalidated');
				t.is(await readStream(client.stream(origin.url + path)), first.body);
			}
		}

		t.is(origin.count, 10);
		t.is(cacheInfo(await client(`${origin.url}/none`)).stored, 'expired-without-validator');
		t.is(cacheInfo(await client(`${origin.url}/none`)).reason, 'miss');
	});
}

test('DO_NOT_CACHE neither reads nor writes, for a client, a URL or a request', async t => {
	const cases: ReadonlyArray<readonly [CacheSettings, object]> = [
		[{expireAfter: DO_NOT_CACHE}, {}],
		[{urlsExpireAfter: [['*', DO_NOT_CACHE]]}, {}],
		[{}, cached({expireAfter: DO_NOT_CACHE})],
	];
	for (const [settings, options] of cases) {
		const store = new Map();
		const reader = createClient({store}).client;
		const {client, clock} = createClient({...settings, store});
		await using origin = await Origin.start(dated(clock, () => ({headers: {etag: '"1"'}})));
		await client(origin.url, options);
		await getCache(client).idle();
		t.is(store.size, 0);
		t.is((await reader(origin.url)).body, 'answer 2');
		t.is((await client(origin.url, options)).body, 'answer 3');
		t.is(origin.requests[2]!.headers['if-none-match'], undefined);
		t.is((await reader(origin.url)).body, 'answer 2');
	}
});

type Precedence = readonly [title: string, settings: CacheSettings, request: object, response: Readonly<Record<string, string>>, seconds: number];

const url = {urlsExpireAfter: [['*/path', 30]]} as const;
const precedence: readonly Precedence[] = [
	['the client', {expireAfter: 40}, {}, {}, 40],
	['a URL pattern before the client', {expireAfter: 40, ...url}, {}, {}, 30],
	['the request before a URL pattern', {expireAfter: 40, ...url}, cached({expireAfter: 20}), {}, 20],
	['the request\'s Cache-Control before its setting', {expireAfter: 40, ...url}, {...cached({expireAfter: 20}), headers: {'cache-control': 'max-age=10'}}, {}, 10],
	['response headers do not count by default', {expireAfter: 40, ...url}, cached({expireAfter: 20}), {'cache-control': 'max-age=5'}, 20],
	['with cacheControl, the client if the response has no expiration', {cacheControl: true, expireAfter: 40}, {}, {}, 40],
	['with cacheControl, a URL pattern before the client', {cacheControl: true, expireAfter: 40, ...url}, {}, {}, 30],
	['with cacheControl, the request before a URL pattern', {cacheControl: true, expireAfter: 40, ...url}, cached({expireAfter: 20}), {}, 20],
	['with cacheControl, the response before all', {cacheControl: true, expireAfter: 40, ...url}, cached({expireAfter: 20}), {'cache-control': 'max-age=5'}, 5],
	['the first pattern that matches', {expireAfter: 40, urlsExpireAfter: [[/\/pat/v, 15], ['*/path', 30]]}, {}, {}, 15],
];

for (const [title, settings, request, headers, seconds] of precedence) {
	test(`precedence: ${title}`, async t => {
		const {client, clock} = createClient(settings);
		await using origin = await Origin.start(dated(clock, () => ({headers})));
		const response = await client(`${origin.url}/path`, request);
		t.deepEqual(cacheInfo(response).expires, new Date(clock.now() + (seconds * 1000)));
		clock.advance(seconds - 1);
		t.true((await client(`${origin.url}/path`)).isFromCache);
		clock.advance(1);
		t.false((await client(`${origin.url}/path`)).isFromCache);
	});
}

test('NEVER_EXPIRE is fresh for ever', async t => {
	const {client, clock} = createClient({expireAfter: NEVER_EXPIRE});
	await using origin = await Origin.start(dated(clock, () => ({headers: {'cache-control': 'no-store, max-age=0'}})));
	await client(origin.url);
	clock.advance(1e10);
	t.true((await client(origin.url)).isFromCache);
});

for (const [name, instance] of majors) {
	test(`${name}: staleIfError replaces error statuses outside allowableCodes, and not those within`, async t => {
		const {client, clock} = createClient({expireAfter: 60, staleIfError: true, allowableCodes: [200, 404]}, instance);
		let status = 200;
		await using origin = await Origin.start(dated(clock, () => ({status})));
		await client(origin.url);
		clock.advance(100);
		for (status of [400, 403, 429, 500, 501, 503, 599]) {
			const response = await client(origin.url);
			t.is(response.body, 'answer 1', String(status));
			t.is(cacheInfo(response).reason, 'stale-if-error');
		}

		status = 404;
		t.is((await client(origin.url, plain)).statusCode, 404);
		t.true((await client(origin.url, plain)).isFromCache);
	});
}

test('staleIfError without a stored response passes the error on', async t => {
	const {client, clock} = createClient({staleIfError: true});
	await using origin = await Origin.start(dated(clock, () => ({status: 500})));
	await t.throwsAsync(client(origin.url), {message: /500/v});
});

test('onlyIfCached serves an expired response with staleIfError, and a 504 without', async t => {
	const {client, clock} = createClient({expireAfter: 60});
	await using origin = await Origin.start(dated(clock, () => ({})));
	await client(origin.url);
	t.true((await client(origin.url, cached({onlyIfCached: true}))).isFromCache);
	clock.advance(100);
	const expired = await client(origin.url, {...plain, ...cached({onlyIfCached: true})});
	t.is(expired.statusCode, 504);
	t.is(expired.statusMessage, 'Not Cached');
	t.true((await client(origin.url, cached({onlyIfCached: true, staleIfError: true}))).isFromCache);
	t.true((await client(origin.url, cached({onlyIfCached: true, staleIfError: 60}))).isFromCache);
	t.is((await client(origin.url, {...plain, ...cached({onlyIfCached: true, staleIfError: 30})})).statusCode, 504);
	t.is(origin.count, 1);
});

test('filterFn keeps a response out of the store, and deletes a stored one when it is read', async t => {
	let refused = 'answer 1';
	const filterFn = (response: {text: () => string}) => response.text() !== refused;
	const {client, clock} = createClient({filterFn, expireAfter: 60});
	await using origin = await Origin.start(dated(clock, () => ({headers: {etag: '"1"'}})));
	await client(origin.url);
	t.is((await client(origin.url)).body, 'answer 2');
	t.true((await client(origin.url)).isFromCache);
	refused = 'answer 2';
	const only = await client(origin.url, {...plain, ...cached({onlyIfCached: true})});
	t.is(only.statusCode, 504);
	refused = '';
	const third = await client(origin.url);
	t.is(third.body, 'answer 3');
	t.is(origin.requests[2]!.headers['if-none-match'], undefined);
});

test('refresh validates and forceRefresh does not, and both store the response', async t => {
	const {client, clock} = createClient();
	await using origin = await Origin.start(dated(clock, () => ({headers: {etag: '"1"'}})));
	await client(origin.url);
	await client(origin.url, cached({refresh: true}));
	t.is(origin.requests[1]!.headers['if-none-match'], '"1"');
	t.is((await client(origin.url)).body, 'answer 2');
	await client(origin.url, cached({forceRefresh: true}));
	t.is(origin.requests[2]!.headers['if-none-match'], undefined);
	t.is((await client(origin.url)).body, 'answer 3');
	t.is(origin.count, 3);
});

test('alwaysRevalidate validates responses with validators, and reuses the others', async t => {
	const {client, clock} = createClient({alwaysRevalidate: true});
	await using origin = await Origin.start(dated(clock, request => ({headers: request.url === '/tag' ? {etag: '"1"'} : {}})));
	for (const path of ['/tag', '/tag', '/none', '/none']) {
		await client(origin.url + path);
	}

	t.deepEqual(origin.requests.map(request => request.url), ['/tag', '/tag', '/none']);
});

test('readOnly reads the cache but does not write it, disabled does neither', async t => {
	const {client, clock} = createClient();
	await using origin = await Origin.start(dated(clock, () => ({})));
	await client(origin.url, cached({readOnly: true}));
	t.is((await client(origin.url)).body, 'answer 2');
	t.is((await client(origin.url, cached({readOnly: true}))).body, 'answer 2');
	t.is((await client(origin.url, cached({disabled: true}))).body, 'answer 3');
	t.is((await client(origin.url)).body, 'answer 2');
});

test('allowableCodes and allowableMethods decide which responses are stored; redirects are stored, too', async t => {
	const {client, clock} = createClient({allowableCodes: [200, 404], allowableMethods: ['GET', 'POST']});
	await using origin = await Origin.start(dated(clock, request => ({status: Number(request.url!.slice(1)), headers: request.url === '/302' ? {location: '/200'} : {}})));
	const cases = [
		[200, 'GET', true],
		[404, 'GET', true],
		[500, 'GET', false],
		[201, 'GET', false],
		[302, 'GET', true],
		[200, 'POST', true],
		[200, 'PUT', false],
		[200, 'HEAD', false],
	] as const;
	for (const [status, method, isStored] of cases) {
		const options = {
			...plain, method, followRedirect: false, ...(method !== 'GET' && method !== 'HEAD' && {body: 'x'}),
		};
		await client(`${origin.url}/${status}`, options);
		t.is((await client(`${origin.url}/${status}`, options)).isFromCache, isStored, `${method} ${status}`);
	}
});

test('the body of a POST in allowableMethods is part of the key', async t => {
	const {client, clock} = createClient({allowableMethods: ['POST']});
	await using origin = await Origin.start(dated(clock, () => ({})));
	await client.post(origin.url, {body: 'a'});
	t.false((await client.post(origin.url, {body: 'b'})).isFromCache);
	t.true((await client.post(origin.url, {body: 'a'})).isFromCache);
});

test('Vary also applies in the default mode', async t => {
	const {client, clock} = createClient({expireAfter: NEVER_EXPIRE});
	await using origin = await Origin.start(dated(clock, () => ({headers: {vary: 'accept'}})));
	await client(origin.url, {headers: {accept: 'a/a'}});
	t.false((await client(origin.url, {headers: {accept: 'b/b'}})).isFromCache);
	t.true((await client(origin.url, {headers: {accept: 'a/a'}})).isFromCache);
});

test('an unsafe method invalidates nothing in the default mode', async t => {
	const {client, clock} = createClient();
	await using origin = await Origin.start(dated(clock, () => ({})));
	await client(origin.url);
	await client.delete(origin.url);
	t.is((await client(origin.url)).body, 'answer 1');
});

test('staleWhileRevalidate with a duration serves a stale response and refreshes it', async t => {
	const {client, clock} = createClient({expireAfter: 60, staleWhileRevalidate: 30});
	await using origin = await Origin.start(dated(clock, () => ({headers: {'cache-control': 'must-revalidate'}})));
	await client(origin.url);
	clock.advance(80);
	t.is((await client(origin.url)).body, 'answer 1');
	await getCache(client).idle();
	t.is((await client(origin.url)).body, 'answer 2');
	clock.advance(91);
	t.is((await client(origin.url)).body, 'answer 3');
});
