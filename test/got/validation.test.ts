import zlib from 'node:zlib';
import test from 'ava';
import {cacheInfo} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin, type Handler} from '../helpers/origin.ts';

/** Answers with a 304 and the given headers to requests with the entity tag. */
function tagged(body: string, notModified: Record<string, string> = {}): Handler {
	return (request, response) => {
		if (request.headers['if-none-match'] === '"1"') {
			response.writeHead(304, {etag: '"1"', ...notModified});
			response.end();
			return;
		}

		response.writeHead(200, {etag: '"1"', 'x-version': 'old', 'content-type': 'text/plain'});
		response.end(body);
	};
}

for (const [name, instance] of majors) {
	test(`${name}: a stale response is validated, and a 304 becomes the stored response`, async t => {
		await using origin = await Origin.start(tagged('body', {'x-version': 'new'}));
		const {client, clock} = createClient({expireAfter: 60}, instance);
		await client(origin.url);
		clock.advance(100);
		const second = await client(origin.url);
		t.is(origin.requests[1]!.headers['if-none-match'], '"1"');
		t.is(second.statusCode, 200);
		t.is(second.body, 'body');
		t.is(second.headers['x-version'], 'new');
		t.true(second.isFromCache);
		const info = cacheInfo(second);
		t.is(info.reason, 'revalidated');
		t.true(info.revalidated);
		t.false(info.isExpired);
		t.deepEqual(info.createdAt, new Date(clock.now()));
		t.deepEqual(info.expires, new Date(clock.now() + 60_000));

		clock.advance(59);
		const third = await client(origin.url);
		t.is(cacheInfo(third).reason, 'fresh');
		t.is(third.headers['x-version'], 'new');
		t.is(origin.count, 2);
	});

	test(`${name}: stale responses are validated for streams as well`, async t => {
		await using origin = await Origin.start(tagged('body'));
		const {client} = createClient({expireAfter: 0}, instance);
		for (let round = 0; round < 3; round++) {
			const stream = client.stream(origin.url);
			t.is(await readStream(stream), 'body');
			t.is(stream.isFromCache, round > 0);
			t.is(stream.response!.statusCode, 200);
			t.is(typeof stream.timings!.phases.total, 'number');
		}

		t.is(origin.count, 3);
	});

	test(`${name}: validators are sent once, and do not remain in the options`, async t => {
		let failures = 0;
		await using origin = await Origin.start((request, response) => {
			if (request.url === '/next') {
				response.end('next');
			} else if (request.headers['if-none-match'] !== undefined && failures++ === 0) {
				response.writeHead(503);
				response.end();
			} else if (request.headers['if-none-match'] === undefined) {
				response.writeHead(200, {etag: '"1"'});
				response.end('first');
			} else {
				response.writeHead(302, {location: '/next'});
				response.end();
			}
		});
		const {client} = createClient({expireAfter: 0}, instance);
		await client(origin.url);
		const second = await client(origin.url, {retry: {limit: 1, calculateDelay: ({computedValue}) => Math.min(computedValue, 1)}});
		t.is(second.body, 'next');
		t.deepEqual(origin.requests.map(request => request.headers['if-none-match']), [undefined, '"1"', '"1"', undefined]);
		t.is(second.request.options.headers['if-none-match'], undefined);
	});
}

test('a caller without a precondition never gets a 304', async t => {
	await using origin = await Origin.start(tagged('body'));
	const {client} = createClient({expireAfter: 0});
	for (let round = 0; round < 3; round++) {
		t.is((await client(origin.url)).statusCode, 200);
	}
});

test('RFC 9111 §4.3.2: a caller\'s own precondition is evaluated by the cache for a fresh response, otherwise by the origin, and the caller gets the 304', async t => {
	await using origin = await Origin.start(tagged('body'));
	const {client, clock} = createClient({expireAfter: 60});
	await client(origin.url);
	const own = await client(origin.url, {headers: {'if-none-match': 'W/"0", "1"'}});
	t.is(own.statusCode, 304);
	t.is(own.body, '');
	t.is(own.headers['x-version'], undefined);
	t.true(own.isFromCache);
	t.is(cacheInfo(own).reason, 'fresh');
	const other = await client(origin.url, {headers: {'if-none-match': '"2"'}});
	t.is(other.statusCode, 200);
	t.is(other.body, 'body');
	t.true(other.isFromCache);
	t.is(origin.count, 1);

	clock.advance(60);
	const stale = await client(origin.url, {headers: {'if-none-match': '"1"'}});
	t.is(stale.statusCode, 304);
	t.false(stale.isFromCache);
	t.is(origin.requests[1]!.headers['if-modified-since'], undefined);
	t.is(cacheInfo(stale).stored, 'not-modified');

	// The origin has said that what is stored is right: it is fresh again (§4.3.4).
	t.is(cacheInfo(await client(origin.url)).reason, 'fresh');
	t.is(origin.count, 2);
});

test('a 304 with another coding and length changes neither the stored body nor the headers that describe it', async t => {
	const text = 'text '.repeat(1000);
	await using origin = await Origin.start((request, response) => {
		if (request.headers['if-none-match'] !== undefined) {
			response.writeHead(304, {
				etag: '"1"', 'content-encoding': 'br', 'content-length': '7', 'content-type': 'image/png', 'x-new': 'yes',
			});
			response.end();
			return;
		}

		response.writeHead(200, {etag: '"1"', 'content-type': 'text/plain', ...(request.url === '/gzip' && {'content-encoding': 'gzip'})});
		response.end(request.url === '/gzip' ? zlib.gzipSync(text) : text);
	});
	for (const storeEncoded of [false, true]) {
		const {client} = createClient({expireAfter: 0, storeEncoded});
		for (const path of ['/gzip', '/plain']) {
			const url = origin.url + path;
			const first = await client(url);
			for (let round = 0; round < 2; round++) {
				const again = await client(url);
				t.true(again.isFromCache);
				t.is(again.body, text);
				t.is(again.headers['x-new'], 'yes');
				t.is(again.headers['content-type'], 'image/png');
				t.is(again.headers['content-length'], first.headers['content-length']);
				t.is(await readStream(client.stream(url)), text);
			}
		}
	}
});

test('a new response replaces the stale one', async t => {
	let version = 1;
	await using origin = await Origin.start((_request, response) => {
		response.writeHead(200, {etag: `"${version}"`});
		response.end(`body ${version}`);
	});
	const {client, clock} = createClient({expireAfter: 60});
	await client(origin.url);
	version = 2;
	clock.advance(60);
	const second = await client(origin.url);
	t.is(second.body, 'body 2');
	t.false(second.isFromCache);
	t.is(cacheInfo(second).reason, 'stale');
	t.is((await client(origin.url)).body, 'body 2');
	t.is(origin.count, 2);
});

test('a read-only cache serves a response that a 304 validates, and writes nothing', async t => {
	await using origin = await Origin.start(tagged('body', {'x-version': 'new'}));
	const {client, clock} = createClient({expireAfter: 60});
	await client(origin.url);
	clock.advance(60);
	const second = await client(origin.url, {context: {cache: {readOnly: true}}});
	t.is(second.headers['x-version'], 'new');
	const third = await client(origin.url);
	t.is(cacheInfo(third).reason, 'revalidated');
	t.is(origin.count, 3);
});

for (const [name, instance] of majors) {
	test(`${name}: RFC 9110 §15.4.5: a request without a precondition that gets a 304 is sent once more`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.writeHead(origin.count % 2 === 1 ? 304 : 200, {etag: '"a"'});
			response.end(origin.count % 2 === 1 ? undefined : 'answer');
		});
		const {client} = createClient({}, instance);
		t.is(await client(origin.url).text(), 'answer');
		t.is(await readStream(client.stream(`${origin.url}/stream`)), 'answer');
		t.is(origin.count, 4);
		t.deepEqual(origin.requests.map(({headers}) => headers['if-none-match']), [undefined, undefined, undefined, undefined]);
		t.true((await client(origin.url)).isFromCache);
	});

	test(`${name}: a second 304 reaches the caller, and is not stored`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.writeHead(304);
			response.end();
		});
		const {client} = createClient({}, instance);
		const response = await client(origin.url);
		t.is(response.statusCode, 304);
		t.is(cacheInfo(response).stored, 'not-modified');
		t.is(origin.count, 2);
	});
}

test('if a caller gives up while its request is sent once more, that request ends without a response', async t => {
	const controller = new AbortController();
	await using origin = await Origin.start((request, response) => {
		if (origin.count === 2) {
			controller.abort();
			return;
		}

		response.writeHead(304);
		response.end();
	});
	const {client} = createClient();
	await t.throwsAsync(client(origin.url, {signal: controller.signal}), {name: 'AbortError'});
	t.is(origin.count, 2);
});

test('if the request that is sent once more fails, the caller gets the failure', async t => {
	await using origin = await Origin.start((request, response) => {
		if (origin.count >= 2) {
			response.socket!.destroy();
			return;
		}

		response.writeHead(304);
		response.end();
	});
	const {client} = createClient();
	await t.throwsAsync(client(origin.url, {retry: {limit: 0}}), {code: 'ECONNRESET'});
	t.is(origin.count, 2);
});
