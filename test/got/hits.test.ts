import {Buffer} from 'node:buffer';
import zlib from 'node:zlib';
import test from 'ava';
import type {Response} from 'got';
import {cacheInfo} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin, type Handler} from '../helpers/origin.ts';

const text = 'Grüße '.repeat(2000);

const handler: Handler = (request, response) => {
	switch (request.url) {
		case '/gzip': {
			response.writeHead(200, {'content-type': 'text/plain', 'content-encoding': 'gzip', etag: '"z"'});
			response.end(zlib.gzipSync(text));
			return;
		}

		case '/missing': {
			response.writeHead(404);
			response.end('no');
			return;
		}

		case '/cookie': {
			response.writeHead(200, {'set-cookie': 'a=1', 'x-list': ['1', '2']});
			response.end('cookie');
			return;
		}

		default: {
			response.writeHead(200, {'content-type': 'application/json', 'x-custom': 'yes'});
			response.end(request.method === 'HEAD' ? '' : JSON.stringify({url: request.url}));
		}
	}
};

for (const [name, instance] of majors) {
	test(`${name}: the second request is answered from the cache by the promise API`, async t => {
		await using origin = await Origin.start(handler);
		const {client, clock} = createClient({}, instance);
		const first = await client(`${origin.url}/a?b=1`);
		const second = await client(`${origin.url}/a?b=1`);
		t.is(origin.count, 1);
		t.false(first.isFromCache);
		t.true(second.isFromCache);
		t.is(second.body, first.body);
		t.is(second.statusCode, 200);
		t.is(second.statusMessage, 'OK');
		t.is(second.headers['x-custom'], 'yes');
		t.is(second.url, first.url);
		t.true(second.ok);
		t.is(typeof second.timings!.phases.total, 'number');
		const {key, ...info} = cacheInfo(second);
		t.regex(key!, /^got-cache:2:[\da-f]{64}$/v);
		t.deepEqual(info, {
			fromCache: true,
			reason: 'fresh',
			stored: undefined,
			createdAt: new Date(clock.now()),
			expires: new Date(clock.now() + 300_000),
			isExpired: false,
			revalidated: false,
			collapsed: false,
		});
		t.is(cacheInfo(first).reason, 'miss');
		t.is(cacheInfo(first).stored, 'stored');
		t.deepEqual(cacheInfo(first).expires, new Date(clock.now() + 300_000));
	});

	test(`${name}: json(), text() and buffer() return the cached body`, async t => {
		await using origin = await Origin.start(handler);
		const {client} = createClient({}, instance);
		for (let round = 0; round < 2; round++) {
			t.deepEqual(await client(`${origin.url}/x`).json(), {url: '/x'});
			t.is(await client(`${origin.url}/x`).text(), '{"url":"/x"}');
			t.deepEqual(Buffer.from(await client(`${origin.url}/x`).buffer()), Buffer.from('{"url":"/x"}'));
		}

		// `json()` asks with another `Accept`, which parts nothing while the response does not vary.
		t.is(origin.count, 1);
	});

	test(`${name}: the response to a stream is stored, and a stream reads it from the cache`, async t => {
		await using origin = await Origin.start(handler);
		const {client} = createClient({}, instance);
		t.is(await readStream(client.stream(`${origin.url}/s`)), '{"url":"/s"}');
		const stream = client.stream(`${origin.url}/s`);
		let response: Response | undefined;
		stream.once('response', (received: Response) => {
			response = received;
		});
		t.is(await readStream(stream), '{"url":"/s"}');
		t.true(stream.isFromCache);
		t.true(response!.isFromCache);
		t.is(cacheInfo(response!).reason, 'fresh');
		t.true((await client(`${origin.url}/s`)).isFromCache);
		t.is(origin.count, 1);
	});

	test(`${name}: a compressed body is stored decoded, with headers to match`, async t => {
		await using origin = await Origin.start(handler);
		const {client} = createClient({}, instance);
		const first = await client(`${origin.url}/gzip`);
		const second = await client(`${origin.url}/gzip`);
		t.is(first.body, text);
		t.is(second.body, text);
		t.true(second.isFromCache);
		t.is(second.headers['content-encoding'], undefined);
		t.is(second.headers['content-length'], undefined);
		t.is(second.headers.etag, '"z"');
		t.is(await readStream(client.stream(`${origin.url}/gzip`)), text);
		t.is(origin.count, 1);
	});

	test(`${name}: with storeEncoded, or without decompression, a body is stored as it was sent`, async t => {
		await using origin = await Origin.start(handler);
		const {client} = createClient({storeEncoded: true}, instance);
		await client(`${origin.url}/gzip`);
		const second = await client(`${origin.url}/gzip`);
		t.is(second.body, text);
		t.true(second.isFromCache);

		const raw = createClient({}, instance).client.extend({decompress: false, headers: {'accept-encoding': 'gzip'}});
		const wire = await raw(`${origin.url}/gzip`).buffer();
		const again = await raw(`${origin.url}/gzip`, {responseType: 'buffer'});
		t.true(again.isFromCache);
		t.deepEqual(again.rawBody, wire);
		t.is(again.headers['content-encoding'], 'gzip');
		t.is(zlib.gunzipSync(again.rawBody).toString(), text);
		t.is(origin.count, 2);
	});
}

test('RFC 9110 §9.3.2: the response to a GET answers a HEAD without its content, but not vice versa', async t => {
	await using origin = await Origin.start(handler);
	const {client} = createClient();
	const first = await client.head(`${origin.url}/h`);
	const second = await client.head(`${origin.url}/h`);
	t.is(first.body, '');
	t.is(second.body, '');
	t.true(second.isFromCache);
	t.is(second.headers['x-custom'], 'yes');
	t.false((await client(`${origin.url}/h`)).isFromCache);
	await client(`${origin.url}/g`);
	const third = await client.head(`${origin.url}/g`);
	t.true(third.isFromCache);
	t.is(third.body, '');
	t.is(await client(`${origin.url}/g`).text(), '{"url":"/g"}');
	t.is(origin.count, 3);
});

test('the response to a HEAD never replaces the response to a GET', async t => {
	await using origin = await Origin.start((request, response) => {
		response.writeHead(request.method === 'HEAD' ? 404 : 200);
		response.end(request.method === 'HEAD' ? '' : 'content');
	});
	const {client, clock} = createClient({allowableCodes: [200, 404], expireAfter: 60});
	await client(origin.url);
	clock.advance(60);
	const head = await client.head(origin.url, {throwHttpErrors: false});
	t.is(head.statusCode, 404);
	const again = await client(origin.url);
	t.is(again.statusCode, 200);
	t.is(again.body, 'content');
	t.is(cacheInfo(again).reason, 'stale');
});

test('headers that the caller changes before the body is stored are stored as they were received', async t => {
	await using origin = await Origin.start(handler);
	const {client} = createClient();
	const stream = client.stream(`${origin.url}/gzip`);
	stream.once('response', (response: Response) => {
		response.rawHeaders.length = 0;
		response.headers.etag = 'changed';
	});
	await readStream(stream);
	t.is((await client(`${origin.url}/gzip`)).headers.etag, '"z"');
	t.is(origin.count, 1);
});

test('an expired response is requested again', async t => {
	await using origin = await Origin.start(handler);
	const {client, clock} = createClient({expireAfter: 60});
	await client(origin.url);
	clock.advance(59);
	t.true((await client(origin.url)).isFromCache);
	clock.advance(1);
	const third = await client(origin.url);
	t.false(third.isFromCache);
	t.is(cacheInfo(third).reason, 'stale');
	t.is(origin.count, 2);
});

test('a status that is not allowed is not stored', async t => {
	await using origin = await Origin.start(handler);
	const {client} = createClient();
	for (let round = 0; round < 2; round++) {
		const error = await t.throwsAsync<Error & {response: Response}>(client(`${origin.url}/missing`));
		t.is(cacheInfo(error.response).stored, 'status-code');
	}

	t.is(origin.count, 2);
});

test('a stored error status is served without a retry', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.writeHead(503);
		response.end('busy');
	});
	const {client} = createClient({allowableCodes: [503]});
	let delays = 0;
	const retrying = client.extend({retry: {limit: 5, enforceRetryRules: false, calculateDelay: ({attemptCount}) => attemptCount === 1 ? ++delays : 0}});
	await t.throwsAsync(client(origin.url), {message: /503/v});
	const error = await t.throwsAsync<Error & {response: Response}>(retrying(origin.url), {message: /503/v});
	t.true(error.response.isFromCache);
	t.is(delays, 0);
	t.is(origin.count, 1);
});

test('cookies are not replayed, and headers with several values have the form of Node.js', async t => {
	await using origin = await Origin.start(handler);
	const {client} = createClient();
	const first = await client(`${origin.url}/cookie`);
	const second = await client(`${origin.url}/cookie`);
	t.deepEqual(first.headers['set-cookie'], ['a=1']);
	t.is(second.headers['set-cookie'], undefined);
	t.is(second.headers['x-list'], first.headers['x-list']);
});

test('callers cannot change a stored response', async t => {
	await using origin = await Origin.start(handler);
	const {client} = createClient();
	for await (const chunk of client.stream(`${origin.url}/m`)) {
		(chunk as Uint8Array).fill(0);
	}

	for (let round = 0; round < 2; round++) {
		const response = await client(`${origin.url}/m`, {responseType: 'buffer'});
		t.true(response.isFromCache);
		t.is(Buffer.from(response.body).toString(), '{"url":"/m"}');
		response.rawBody.fill(0);
		response.headers['x-custom'] = 'changed';
		response.rawHeaders.length = 0;
		for await (const chunk of client.stream(`${origin.url}/m`)) {
			(chunk as Uint8Array).fill(0);
		}
	}

	const last = await client(`${origin.url}/m`);
	t.is(last.headers['x-custom'], 'yes');
	t.true(last.rawHeaders.length > 0);
	t.is(origin.count, 1);
});

test('a large body is served completely from the cache, chunk by chunk', async t => {
	const large = Buffer.alloc(1_000_003, 'abcdefg');
	await using origin = await Origin.start((_request, response) => {
		response.end(large);
	});
	const {client} = createClient();
	for (let round = 0; round < 2; round++) {
		t.true(large.equals(Buffer.concat(await Array.fromAsync(client.stream(origin.url) as AsyncIterable<Uint8Array>))));
		t.true(large.equals(await client(origin.url).buffer()));
	}

	t.is(origin.count, 1);
});
