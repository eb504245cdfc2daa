import {Agent} from 'node:http';
import {setTimeout as delay} from 'node:timers/promises';
import {SpanKind, type Attributes} from '@opentelemetry/api';
import test from 'ava';
import {cached, createCachedGot, getCache} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {secure, SecureOrigin} from '../helpers/secure-origin.ts';
import {startTelemetry} from './telemetry.ts';

async function startOrigin(): Promise<Origin> {
	return Origin.start((request, response) => {
		const {pathname, searchParams} = new URL(request.url!, 'http://origin');
		response.statusCode = request.headers['if-none-match'] === '"1"' ? 304 : Number(searchParams.get('status') ?? 200);
		response.setHeader('etag', '"1"');
		if (pathname === '/redirect') {
			response.statusCode = 302;
			response.setHeader('location', '/target');
		}

		response.end(response.statusCode === 304 ? undefined : pathname);
	});
}

/** The attributes of HTTP on the span of a request. */
function http(origin: Origin, path: string, more: Attributes = {}): Attributes {
	return {
		'http.request.method': 'GET',
		'url.full': origin.url + path,
		'server.address': '127.0.0.1',
		'server.port': Number(new URL(origin.url).port),
		'http.response.status_code': 200,
		...more,
	};
}

function answer(result: string, reason: string, more: Attributes = {}): Attributes {
	return {
		'got_cache_hooks.result': result,
		'got_cache_hooks.reason': reason,
		'got_cache_hooks.store': 'memory',
		'got_cache_hooks.cache_name': 'http_cache',
		[`got_cache_hooks.${result}.count`]: 1,
		...more,
	};
}

const size = (bytes: number): Attributes => ({'got_cache_hooks.body.size': bytes});

test.serial('the span in which a request is made has the result, its reason, and the attributes of HTTP', async t => {
	const {inSpan} = startTelemetry(t);
	const origin = await startOrigin();
	const {client, clock} = createClient({expireAfter: 60, staleIfError: true, cacheName: 'http_cache'});
	const {url} = origin;

	t.deepEqual(await inSpan(() => client(`${url}/a`)), {...answer('miss', 'miss'), ...http(origin, '/a')});
	t.deepEqual(await inSpan(() => client(`${url}/a`)), {...answer('hit', 'fresh', size(2)), ...http(origin, '/a')});
	clock.advance(60);
	t.deepEqual(await inSpan(() => client(`${url}/a`)), {...answer('revalidated', 'revalidated', size(2)), ...http(origin, '/a')});
	t.deepEqual(await inSpan(() => client.post(`${url}/a`)), {...answer('bypassed', 'method'), ...http(origin, '/a', {'http.request.method': 'POST'})});
	const failed = (statusCode: number): Attributes => ({'http.response.status_code': statusCode, 'error.type': String(statusCode)});
	const quiet = client.extend({throwHttpErrors: false});
	t.deepEqual(await inSpan(() => quiet(`${url}/b?status=404`)), {...answer('miss', 'miss'), ...http(origin, '/b?status=404', failed(404))});
	t.deepEqual(await inSpan(() => quiet(`${url}/c`, {context: {cache: {onlyIfCached: true}}})), {...answer('miss', 'only-if-cached'), ...http(origin, '/c', failed(504))});

	await client(`${url}/d`);
	clock.advance(60);
	const {port} = new URL(url);
	await origin[Symbol.asyncDispose]();
	t.deepEqual(await inSpan(() => client(`${url}/d`)), {...answer('stale', 'stale-if-error', size(2)), ...http(origin, '/d')});
	const {'http.response.status_code': _none, ...others} = http(origin, '/e');
	const failing = await inSpan(async () => {
		await t.throwsAsync(client(`http://127.0.0.1:${port}/e`));
	});
	t.deepEqual(failing, {...answer('miss', 'miss'), ...others, 'error.type': 'ECONNREFUSED'});
});

test.serial('a method that the conventions do not know is `_OTHER`, and the address of IPv6 has no brackets', async t => {
	const {inSpan, points} = startTelemetry(t);
	const {client} = createClient();
	const attributes = await inSpan(async () => t.throwsAsync(client('http://[::1]:1/', {method: 'PURGE' as 'GET'})));
	t.like(attributes, {
		'http.request.method': '_OTHER', 'http.request.method_original': 'PURGE', 'server.address': '::1', 'server.port': 1, 'got_cache_hooks.result': 'bypassed',
	});
	const [point] = await points('got_cache_hooks.requests');
	t.is(point!.attributes['http.request.method'], '_OTHER');
});

test.serial('a span shows no credential', async t => {
	const {inSpan} = startTelemetry(t);
	await using origin = await startOrigin();
	const {client} = createClient();
	const {host} = new URL(origin.url);
	const failing = await inSpan(async () => {
		await t.throwsAsync(client(`${origin.url}/b?token=SECRET-5`, {
			request() {
				throw Object.assign(new Error('https://user:SECRET-6@example.com failed'), {code: 'SECRET-7', options: {headers: {authorization: 'SECRET-8'}}});
			},
		}));
	});
	t.is(failing['error.type'], 'Error');
	t.notRegex(JSON.stringify(failing), /SECRET/v);

	const attributes = await inSpan(() => client(`http://user:SECRET-1@${host}/a?api_key=SECRET-2#SECRET-3`, {headers: {authorization: 'Bearer SECRET-4'}}));
	t.is(attributes['url.full'], `http://${host}/a?api_key=REDACTED`);
	t.notRegex(JSON.stringify(attributes), /SECRET/v);
});

test.serial('what describes another request stays as it is: the span of a server, and a span that has the attributes of HTTP already', async t => {
	const {tracer} = startTelemetry(t);
	await using origin = await startOrigin();
	const {client} = createClient();
	const kinds: ReadonlyArray<readonly [kind: SpanKind, given: Attributes, isDescribed: boolean]> = [
		[SpanKind.SERVER, {'http.request.method': 'PUT', 'url.path': '/users'}, false],
		[SpanKind.SERVER, {}, false],
		[SpanKind.CONSUMER, {}, false],
		[SpanKind.CLIENT, {'http.request.method': 'PUT', 'url.full': 'https://example.com/'}, false],
		[SpanKind.CLIENT, {}, true],
		[SpanKind.INTERNAL, {}, true],
	];
	for (const [kind, given, isDescribed] of kinds) {
		await tracer.startActiveSpan('own', {kind, attributes: given}, async span => {
			await client(`${origin.url}/a`);
			span.end();
			const {attributes} = span as unknown as {readonly attributes: Attributes};
			t.truthy(attributes['got_cache_hooks.result']);
			t.is(attributes['url.full'], isDescribed ? `${origin.url}/a` : given['url.full']);
			t.is(attributes['http.request.method'], isDescribed ? 'GET' : given['http.request.method']);
		});
	}
});

test.serial('a span with several requests has the last answer, and the number of answers of each result', async t => {
	const {inSpan} = startTelemetry(t);
	await using origin = await startOrigin();
	const {client} = createClient();
	const attributes = await inSpan(async () => {
		await client(`${origin.url}/a`);
		await client(`${origin.url}/a`);
		await client(`${origin.url}/a`);
		await client(`${origin.url}/b`);
	});
	t.like(attributes, {
		'got_cache_hooks.result': 'miss', 'got_cache_hooks.hit.count': 2, 'got_cache_hooks.miss.count': 2, 'url.full': `${origin.url}/b`,
	});
});

test.serial('each hop of a redirect is an answer in the span of its request', async t => {
	const {inSpan} = startTelemetry(t);
	await using origin = await startOrigin();
	const {client} = createClient();
	t.like(await inSpan(() => client(`${origin.url}/redirect`)), {'got_cache_hooks.miss.count': 2, 'url.full': `${origin.url}/target`});
	t.like(await inSpan(() => client(`${origin.url}/redirect`)), {'got_cache_hooks.hit.count': 2, 'url.full': `${origin.url}/target`});
});

test.serial('a stream, a decorated call and a fast hit are answers in the span in which they begin', async t => {
	const {inSpan} = startTelemetry(t);
	await using origin = await startOrigin();
	const {client} = createClient();
	const created = createCachedGot({store: 'memory', expireAfter: '5m'});
	t.like(await inSpan(() => created(`${origin.url}/a`)), {'got_cache_hooks.result': 'miss', 'url.full': `${origin.url}/a`});
	t.like(await inSpan(() => created(`${origin.url}/a`).text()), {'got_cache_hooks.result': 'hit', 'got_cache_hooks.hit.count': 1});

	t.like(await inSpan(() => readStream(client.stream(`${origin.url}/a`))), {'got_cache_hooks.result': 'miss', 'url.full': `${origin.url}/a`});
	t.like(await inSpan(() => readStream(client.stream(`${origin.url}/a`))), {'got_cache_hooks.result': 'hit'});

	const call = cached(async (id: number) => ({id}), '1h', {result: true, name: 'users', cache: getCache(client)});
	t.deepEqual(await inSpan(() => call(1)), answer('miss', 'miss', {'got_cache_hooks.call': 'users'}));
	const {'got_cache_hooks.body.size': bytes, ...others} = await inSpan(() => call(1));
	t.deepEqual(others, answer('hit', 'fresh', {'got_cache_hooks.call': 'users'}));
	t.true(Number(bytes) > 0);
});

test.serial('of 64 requests in flight over few connections, each answer is in the span of its own request', async t => {
	const {inSpan} = startTelemetry(t);
	await using origin = await Origin.start((request, response) => {
		// The answers come in another order than the requests.
		void (async () => {
			await delay(Number(/\d+/v.exec(request.url!)) % 7);
			response.end(request.url);
		})();
	});
	for (const maxSockets of [1, 4, Infinity]) {
		const {client} = createClient();
		const agent = new Agent({keepAlive: true, maxSockets});
		const requests = Array.from({length: 64}, (_, index) => `${origin.url}/${index}`);
		for (const result of ['miss', 'hit']) {
			const spans = await Promise.all(requests.map(async url => inSpan(() => client(url, {agent: {http: agent}}))));
			t.deepEqual(spans.map(attributes => attributes['url.full']), requests);
			t.true(spans.every(attributes => attributes[`got_cache_hooks.${result}.count`] === 1));
		}

		agent.destroy();
	}
});

for (const [name, instance] of majors) {
	test.serial(`${name}: of 64 requests and streams over one connection of HTTP/2, with redirects, each answer is in the span of its own request`, async t => {
		const {inSpan} = startTelemetry(t);
		await using origin = await SecureOrigin.start((request, response) => {
			const [, kind, number] = request.url!.split('/', 3);
			if (kind === 'from') {
				response.writeHead(302, {location: `/to/${number}`}).end();
			} else {
				response.end(request.url);
			}
		});
		const {client} = createClient({}, instance);
		await client(`${origin.url}/first`, secure as object);
		const spans = await Promise.all(Array.from({length: 64}, async (_, index) => inSpan(() => {
			const url = `${origin.url}/from/${index}`;
			return index % 2 === 0 ? client(url, secure as object) : readStream(client.stream(url, secure as object));
		})));
		t.deepEqual(spans.map(attributes => attributes['url.full']), Array.from({length: 64}, (_, index) => `${origin.url}/to/${index}`));
		t.deepEqual(spans.map(attributes => attributes['got_cache_hooks.miss.count']), Array.from({length: 64}, () => 2));
	});
}

for (const [name, instance] of majors) {
	test.serial(`${name}: retries are answers in the span of their request, and requests with the same options, and pages, in spans of their own`, async t => {
		const {inSpan} = startTelemetry(t);
		let count = 0;
		await using origin = await Origin.start((request, response) => {
			response.statusCode = request.url === '/flaky' && count++ === 0 ? 503 : 200;
			response.end(request.url);
		});
		const {client} = createClient({}, instance);
		const {url} = origin;
		const retry = {limit: 1, calculateDelay: ({computedValue}: {readonly computedValue: number}) => Math.min(computedValue, 1)};
		t.like(await inSpan(() => client(`${url}/flaky`, {retry})), {'got_cache_hooks.miss.count': 2, 'http.response.status_code': 200});

		const options = Object.freeze({context: Object.freeze({cache: Object.freeze({expireAfter: '1h'})})});
		const spans = [await inSpan(() => client(`${url}/1`, options)), await inSpan(() => client(`${url}/2`, options))];
		const pages = client.paginate<string>(`${url}/3`, {
			...options,
			pagination: {
				transform: response => [response.url],
				paginate: ({response}) => response.url.endsWith('4') ? false : {url: new URL(`${url}/4`)},
			},
		});
		spans.push(await inSpan(() => pages.next()), await inSpan(() => pages.next()));
		t.deepEqual(spans.map(attributes => attributes['url.full']), [1, 2, 3, 4].map(page => `${url}/${page}`));
		t.true(spans.every(attributes => attributes['got_cache_hooks.miss.count'] === 1));
	});
}

test.serial('requests that wait for one another are answers in their own spans', async t => {
	const {inSpan} = startTelemetry(t);
	await using origin = await startOrigin();
	const {client} = createClient();
	const spans = await Promise.all(Array.from({length: 8}, async () => inSpan(() => client(`${origin.url}/a`))));
	t.is(origin.count, 1);
	const counts = spans.map(({'got_cache_hooks.hit.count': hits, 'got_cache_hooks.miss.count': misses}) => [hits, misses]);
	t.deepEqual(counts.filter(([hits]) => hits === 1), Array.from({length: 7}, () => [1, undefined]));
	t.deepEqual(counts.filter(([hits]) => hits === undefined), [[undefined, 1]]);
});

test.serial('a refresh in the background changes no span, and a request without a span harms nothing', async t => {
	const {inSpan} = startTelemetry(t);
	await using origin = await startOrigin();
	const {client, clock} = createClient({expireAfter: 60, staleWhileRevalidate: true});
	await client(`${origin.url}/a`);
	clock.advance(60);
	const attributes = await inSpan(async () => {
		await client(`${origin.url}/a`);
		await getCache(client).idle();
	});
	t.is(origin.count, 2);
	t.deepEqual(attributes, {...answer('stale', 'stale-while-revalidate', size(2)), ...http(origin, '/a')});
});

test.serial('a span that has ended stays as it is', async t => {
	const {tracer} = startTelemetry(t);
	await using origin = await startOrigin();
	const {client} = createClient();
	await tracer.startActiveSpan('ended', async span => {
		const pending = client(`${origin.url}/a`);
		span.end();
		await pending;
		t.deepEqual((span as unknown as {readonly attributes: Attributes}).attributes, {});
	});
});
