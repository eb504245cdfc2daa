import type {IncomingMessage} from 'node:http';
import test from 'ava';
import {parseList, Token} from 'structured-headers';
import {DO_NOT_CACHE, getCache} from '../../source/index.ts';
import {byOrigin, dated, httpDate} from '../helpers/dated.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

const plain = {throwHttpErrors: false};
const fresh = {'cache-control': 'max-age=60'};

type Parameters = Readonly<Record<string, unknown>>;

/** The members of the list, by a parser that is not ours. */
function statuses(value: string | string[] | undefined): ReadonlyArray<readonly [name: string, parameters: Parameters]> {
	return parseList(String(value)).map(([name, parameters]) => [
		name instanceof Token ? name.toString() : name as string,
		Object.fromEntries([...parameters].map(([key, parameter]) => [key, parameter instanceof Token ? parameter.toString() : parameter])),
	]);
}

/** Returns the member of this cache, the last of the list. */
function status({headers}: {readonly headers: IncomingMessage['headers']}): Parameters {
	const [name, parameters] = statuses(headers['cache-status']).at(-1)!;
	if (name !== 'got-cache-hooks') {
		throw new Error(`Not our name: ${name}`);
	}

	return parameters;
}

for (const [name, instance] of majors) {
	test(`${name}: RFC 9211 §2 Cache-Status describes a miss, a hit and a validation, through both APIs`, async t => {
		const {client, clock} = createClient(byOrigin, instance);
		await using origin = await Origin.start(dated(clock, request => request.headers['if-none-match'] === undefined ? {headers: {...fresh, etag: '"1"'}} : {status: 304, headers: fresh}));
		const streamed = async (path: string) => {
			const stream = client.stream(origin.url + path);
			await readStream(stream);
			return status(stream.response!);
		};

		for (const path of ['/promise', '/stream']) {
			const ask = async () => path === '/stream' ? streamed(path) : status(await client(origin.url + path));
			t.like(await ask(), {
				fwd: 'uri-miss', stored: true, hit: undefined, 'fwd-status': 200,
			});
			clock.advance(10);
			t.deepEqual(await ask(), {hit: true, ttl: 50});
			clock.advance(60);
			const validated = await ask();
			t.like(validated, {
				fwd: 'stale', 'fwd-status': 304, hit: undefined, ttl: 60,
			});
			clock.advance(1);
			t.deepEqual(await ask(), {hit: true, ttl: 59});
		}
	});
}

test('RFC 9211 §2.2 Cache-Status describes a miss, a hit and a validation in the default mode', async t => {
	const {client, clock} = createClient({expireAfter: 60});
	await using origin = await Origin.start(dated(clock, () => ({headers: {etag: '"1"'}})));
	t.like(status(await client(origin.url)), {fwd: 'uri-miss', stored: true});
	clock.advance(20);
	t.deepEqual(status(await client(origin.url)), {hit: true, ttl: 40});
	clock.advance(60);
	t.like(status(await client(origin.url)), {fwd: 'stale', 'fwd-status': 200, stored: true});
});

test('RFC 9211 §2.4 a response that is not stored has no `stored`', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: {'cache-control': 'no-store'}})));
	const parameters = status(await client(origin.url));
	t.is(parameters.fwd, 'uri-miss');
	t.not(parameters.stored, true);
	t.is(parameters.hit, undefined);
});

test('RFC 9211 §2.2 `fwd` has the reason why a request was forwarded', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, request => ({
		status: request.headers['if-match'] === undefined ? 200 : 412,
		headers: {
			...fresh, vary: 'foo', etag: '"1"', ...(request.url === '/no-cache' && {'cache-control': 'no-cache'}),
		},
	})));
	await client(origin.url);
	await client(`${origin.url}/no-cache`);
	const reason = async (options: Parameters, path = '') => status(await client(origin.url + path, {...plain, ...options})).fwd;
	t.is(await reason({}, '/other'), 'uri-miss');
	t.is(await reason({headers: {foo: '2'}}), 'vary-miss');
	t.is(await reason({headers: {'cache-control': 'no-cache'}}), 'request');
	t.is(await reason({headers: {'cache-control': 'no-store'}}), 'request');
	t.is(await reason({headers: {pragma: 'no-cache'}}), 'request');
	t.is(await reason({headers: {'if-match': '"1"'}}), 'request');
	t.is(await reason({context: {cache: {refresh: true}}}), 'request');
	t.is(await reason({context: {cache: {forceRefresh: true}}}), 'request');
	t.is(await reason({}, '/no-cache'), 'stale');
	t.is(await reason({headers: {range: 'bytes=0-1,3-4'}}), 'partial');
	t.is(await reason({method: 'POST'}), 'method');
	t.is(await reason({method: 'DELETE'}), 'method');
	t.is(await reason({context: {cache: {expireAfter: DO_NOT_CACHE}}}), 'bypass');
	t.is((await client(origin.url, {...plain, context: {cache: {disabled: true}}})).headers['cache-status'], undefined, 'a disabled cache does nothing');
});

test('RFC 9211 §2.2 if only the request refuses a fresh response, the reason to forward is the request', async t => {
	for (const directive of ['max-age=5', 'min-fresh=55']) {
		const {client, clock} = createClient(byOrigin);
		await using origin = await Origin.start(dated(clock, () => ({headers: {...fresh, etag: '"1"'}})));
		await client(origin.url);
		clock.advance(10);
		t.is(status(await client(origin.url, {headers: {'cache-control': directive}})).fwd, 'request', `with ${directive}`);
	}
});

test('RFC 9211 §2.1, §2.7 a stale response is a hit with a negative ttl', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: {'cache-control': 'max-age=60, stale-while-revalidate=30', etag: '"1"'}})));
	await client(origin.url);
	clock.advance(70);
	t.like(status(await client(origin.url, {headers: {'cache-control': 'max-stale=20'}})), {hit: true, ttl: -10});
	t.like(status(await client(origin.url)), {hit: true, ttl: -10});
	await getCache(client).idle();
});

test('RFC 9211 §2.3 a stale response instead of an error has the error\'s status, and its reason as `detail`', async t => {
	const {client, clock} = createClient({...byOrigin, staleIfError: true});
	let isGone = false;
	await using origin = await Origin.start((_request, response) => {
		if (isGone) {
			response.socket!.destroy();
			return;
		}

		response.writeHead(origin.count === 1 ? 200 : 503, {date: httpDate(clock), ...fresh});
		response.end();
	});
	await client(origin.url);
	clock.advance(70);
	t.like(status(await client(origin.url)), {
		fwd: 'stale', 'fwd-status': 503, ttl: -10, hit: undefined,
	});
	isGone = true;
	const parameters = status(await client(origin.url));
	t.like(parameters, {fwd: 'stale', ttl: -10, hit: undefined});
	t.is(parameters['fwd-status'], undefined);
});

test('RFC 9211 §2 a 504 of the cache is no hit, and is only marked as forwarded if a request was sent', async t => {
	const {client, clock} = createClient({...byOrigin, gatewayTimeout: 'respond'});
	await using origin = await Origin.start((_request, response) => {
		response.socket!.destroy();
	});
	const only = status(await client(origin.url, {...plain, headers: {'cache-control': 'only-if-cached'}}));
	t.is(only.hit, undefined);
	t.is(only.fwd, undefined);
	t.is(origin.count, 0);
	const gone = status(await client(origin.url, plain));
	t.is(gone.hit, undefined);
	t.is(gone.fwd, 'uri-miss');
	clock.advance(1);
});

test('RFC 9211 §2.1 the cache\'s own 304, 206 and 416 are hits', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: {...fresh, etag: '"1"'}})));
	await client(origin.url);
	for (const headers of [{'if-none-match': '"1"'}, {range: 'bytes=0-1'}, {range: 'bytes=99-'}]) {
		t.deepEqual(status(await client(origin.url, {...plain, headers})), {hit: true, ttl: 60});
	}
});

test('RFC 9211 §2 members of other caches stay unchanged before ours, and do not multiply', async t => {
	for (const upstream of ['ExampleCache; hit; ttl=376', 'a;hit,  b;fwd=miss', ['"One";hit', 'Two;fwd=miss;stored'], 'not; a (valid']) {
		const {client, clock} = createClient(byOrigin);
		await using origin = await Origin.start(dated(clock, () => ({headers: {...fresh, 'cache-status': upstream}})));
		for (const ours of [/;fwd=uri-miss/v, /;hit/v, /;hit/v]) {
			const value = String((await client(origin.url)).headers['cache-status']);
			const theirs = [upstream].flat().join(', ');
			t.is(value.slice(0, theirs.length), theirs);
			t.regex(value.slice(theirs.length), /^, got-cache-hooks/v);
			t.regex(value.slice(theirs.length), ours);
			t.is(value.split('got-cache-hooks').length, 2);
		}
	}
});

test('RFC 9211 §2 each response has the field, whatever the status, and redirects have one for each hop', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, request => request.url === '/from' ? {status: 302, headers: {...fresh, location: '/to'}} : {status: request.url === '/to' ? 200 : 404}));
	t.like(status(await client(`${origin.url}/from`)), {fwd: 'uri-miss', 'fwd-status': 200});
	t.like(status(await client(`${origin.url}/missing`, plain)), {fwd: 'uri-miss', 'fwd-status': 404});
});

test('RFC 9211 §2 the name of the cache is that of the setting, as a token if possible, else as a string', async t => {
	for (const [cacheStatus, expected] of [['api-client', 'api-client;'], ['an API client', '"an API client";'], [{name: 'named'}, 'named;'], [true, 'got-cache-hooks;']] as const) {
		const {client, clock} = createClient({...byOrigin, cacheStatus});
		await using origin = await Origin.start(dated(clock, () => ({headers: fresh})));
		t.true(String((await client(origin.url)).headers['cache-status']).startsWith(expected));
		t.true(String((await client(origin.url)).headers['cache-status']).startsWith(expected));
	}
});

test('RFC 9211 §2.8 the key is included if the setting asks for it', async t => {
	const {client, clock} = createClient({...byOrigin, cacheStatus: {key: true}});
	await using origin = await Origin.start(dated(clock, () => ({headers: fresh})));
	const first = status(await client(origin.url));
	const second = status(await client(origin.url));
	t.regex(first.key as string, /^got-cache:/v);
	t.is(second.key, first.key);
	t.not(status(await client(`${origin.url}/other`)).key, first.key);
	t.is(status(await client.post(origin.url)).key, undefined);
});

test('with cacheStatus: false, headers are unchanged', async t => {
	for (const upstream of [undefined, 'ExampleCache; hit']) {
		for (const settings of [byOrigin, {}]) {
			const {client, clock} = createClient({...settings, cacheStatus: false});
			await using origin = await Origin.start(dated(clock, () => ({headers: {...fresh, ...(upstream !== undefined && {'cache-status': upstream})}})));
			for (let round = 0; round < 2; round++) {
				t.is((await client(origin.url)).headers['cache-status'], upstream);
			}

			t.is((await client.post(origin.url)).headers['cache-status'], upstream);
			t.is((await client(`${origin.url}/x`, {...plain, headers: {'cache-control': 'only-if-cached'}})).headers['cache-status'], undefined);
		}
	}
});

test('RFC 9211 §2 the field is added to the raw headers as well', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: fresh})));
	for (let round = 0; round < 2; round++) {
		const {headers, rawHeaders} = await client(origin.url);
		const index = rawHeaders.findIndex((line, position) => position % 2 === 0 && line.toLowerCase() === 'cache-status');
		t.is(rawHeaders[index + 1], String(headers['cache-status']));
	}
});

test('RFC 9211 §2 Cache-Status works even if the origin names it in Connection or no-cache', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: {'cache-control': 'max-age=60, no-cache="cache-status"', 'cache-status': 'Example;hit'}})));
	await client(origin.url);
	t.deepEqual(statuses((await client(origin.url)).headers['cache-status']).map(([name]) => name), ['got-cache-hooks']);
});
