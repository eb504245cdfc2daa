import type {IncomingMessage} from 'node:http';
import test from 'ava';
import {cacheInfo, getCache} from '../../source/index.ts';
import {byOrigin, dated, type Answer} from '../helpers/dated.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

const plain = {throwHttpErrors: false, followRedirect: false, retry: {limit: 0}};
const fresh = {'cache-control': 'max-age=3600'};

/** Answers GET and HEAD for an hour; other methods with the status that the request's `x-status` names. */
function changeable(headers: Answer['headers'] = {}): (request: IncomingMessage) => Answer {
	return request => request.method === 'GET' || request.method === 'HEAD' ? {headers: fresh} : {status: Number(request.headers['x-status'] ?? 200), headers};
}

for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
	test(`RFC 9111 §4.4 a ${method} that succeeds invalidates the stored response, one that fails does not`, async t => {
		for (const settings of [byOrigin, {}]) {
			const {client, clock} = createClient(settings);
			await using origin = await Origin.start(dated(clock, changeable({location: 'https://other.invalid/'})));
			for (const status of [200, 201, 202, 204, 299, 300, 301, 302, 303, 307, 308, 304]) {
				const url = `${origin.url}/${status}`;
				await client(url);
				await client(url, {...plain, method, headers: {'x-status': String(status)}});
				t.is((await client(url)).isFromCache, settings !== byOrigin, String(status));
			}

			for (const status of [400, 404, 409, 410, 412, 500, 502, 503]) {
				const url = `${origin.url}/${status}`;
				await client(url);
				await client(url, {...plain, method, headers: {'x-status': String(status)}});
				t.true((await client(url)).isFromCache, String(status));
			}
		}
	});
}

for (const [name, instance] of majors) {
	test(`${name}: RFC 9111 §4.4 streams invalidate, too, and so does a POST with a body`, async t => {
		const {client, clock} = createClient(byOrigin, instance);
		await using origin = await Origin.start(dated(clock, changeable()));
		await client(origin.url);
		await readStream(client.stream.post(origin.url, {body: 'x'}));
		t.false((await client(origin.url)).isFromCache);
		const stream = client.stream.put(origin.url);
		stream.end('written');
		await readStream(stream);
		t.false((await client(origin.url)).isFromCache);
		await client.post(origin.url, {json: {a: 1}});
		t.false((await client(origin.url)).isFromCache);
		await client.post(origin.url, {form: {a: 1}});
		t.false((await client(origin.url)).isFromCache);
		t.is(origin.count, 9);
	});

	test(`${name}: RFC 9111 §4.4 each hop of a redirected POST invalidates its own URI`, async t => {
		const {client, clock} = createClient(byOrigin, instance);
		await using origin = await Origin.start(dated(clock, request => {
			if (request.method === 'GET') {
				return {headers: fresh};
			}

			return request.url === '/a' ? {status: 307, headers: {location: '/b'}} : {};
		}));
		for (const path of ['/a', '/b', '/c']) {
			await client(origin.url + path);
		}

		t.is((await client.post(`${origin.url}/a`, {body: 'x'})).url, `${origin.url}/b`);
		t.false((await client(`${origin.url}/a`)).isFromCache);
		t.false((await client(`${origin.url}/b`)).isFromCache);
		t.true((await client(`${origin.url}/c`)).isFromCache);
	});

	test(`${name}: RFC 9111 §4.4 a POST that is redirected to a GET invalidates its target, which Location names`, async t => {
		const {client, clock} = createClient(byOrigin, instance);
		await using origin = await Origin.start(dated(clock, request => request.method === 'GET' ? {headers: fresh} : {status: 303, headers: {location: '/list'}}));
		t.is((await client(`${origin.url}/list`)).body, 'answer 1');
		t.is((await client.post(`${origin.url}/list`, {body: 'x'})).body, 'answer 3');
		t.is((await client(`${origin.url}/list`)).body, 'answer 3');
	});
}

test('RFC 9111 §4.4 an unknown method invalidates, safe ones do not', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, changeable()));
	for (const [method, isReused] of [['REPORT', false], ['MKCOL', false], ['OPTIONS', true], ['TRACE', true], ['HEAD', true]] as const) {
		await client(`${origin.url}/${method}`);
		await client(`${origin.url}/${method}`, {...plain, method: method as 'GET'});
		t.is((await client(`${origin.url}/${method}`)).isFromCache, isReused, `with ${method}`);
	}
});

for (const field of ['location', 'content-location']) {
	test(`RFC 9111 §4.4 ${field} invalidates a URI of the same origin, relative or absolute`, async t => {
		const {client, clock} = createClient(byOrigin);
		let value = '';
		await using origin = await Origin.start(dated(clock, request => request.method === 'GET' ? {headers: fresh} : {status: 201, headers: {[field]: value}}));
		for (const named of [`${origin.url}/named`, '/named', 'named', '../named', '/named#fragment', origin.url.replace('http:', 'HTTP:') + '/named']) {
			value = named;
			await client(`${origin.url}/named`);
			await client(`${origin.url}/kept`);
			await client.post(`${origin.url}/target`);
			t.false((await client(`${origin.url}/named`)).isFromCache, `with ${named}`);
			t.true((await client(`${origin.url}/kept`)).isFromCache);
		}
	});

	test(`RFC 9111 §4.4 ${field} does not invalidate a URI of another origin`, async t => {
		const {client, clock} = createClient(byOrigin);
		await using other = await Origin.start(dated(clock, () => ({headers: fresh})));
		await using origin = await Origin.start(dated(clock, () => ({status: 201, headers: {[field]: `${other.url}/named`}})));
		await client(`${other.url}/named`);
		await client.post(origin.url, plain);
		t.true((await client(`${other.url}/named`)).isFromCache);
	});

	test(`RFC 9111 §4.4 ${field} of an error, of a safe method, or with an invalid value invalidates nothing`, async t => {
		const {client, clock} = createClient(byOrigin);
		await using origin = await Origin.start(dated(clock, request => request.url === '/named' ? {headers: fresh} : {status: request.url === '/error' ? 404 : 200, headers: {[field]: request.url === '/rubbish' ? 'http://[' : '/named'}}));
		await client(`${origin.url}/named`);
		await client.post(`${origin.url}/error`, plain);
		await client(`${origin.url}/safe`, plain);
		await client.post(`${origin.url}/rubbish`, plain);
		t.true((await client(`${origin.url}/named`)).isFromCache);
	});
}

test('RFC 9111 §4.4 all variants and the HEAD of the target are invalidated, and other queries are not', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, request => request.method === 'POST' ? {} : {headers: {...fresh, vary: 'foo'}}));
	const url = `${origin.url}/a?b=1`;
	await client.head(`${origin.url}/head`);
	await client(`${origin.url}/a?b=2`);
	for (const foo of ['1', '2', '3']) {
		await client(url, {headers: {foo}});
	}

	await client.post(url, {headers: {foo: '2'}});
	await client.post(`${origin.url}/head`);
	for (const foo of ['1', '2', '3']) {
		t.false((await client(url, {headers: {foo}})).isFromCache, `with ${foo}`);
	}

	t.false((await client.head(`${origin.url}/head`)).isFromCache);
	t.true((await client(`${origin.url}/a?b=2`)).isFromCache);
});

test('RFC 9111 §4.4 a request with no-store, and one with a method in allowableMethods, invalidate as well', async t => {
	const {client, clock} = createClient({...byOrigin, allowableMethods: ['GET', 'HEAD', 'PUT']});
	await using origin = await Origin.start(dated(clock, changeable(fresh)));
	await client(origin.url);
	await client.post(origin.url, {headers: {'cache-control': 'no-store'}});
	t.false((await client(origin.url)).isFromCache);
	await client.put(origin.url, {body: 'x'});
	t.false((await client(origin.url)).isFromCache);
});

test('RFC 9111 §4.4 a method in X-HTTP-Method-Override is the one that counts', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, changeable()));
	await client(origin.url);
	await client.post(origin.url, {headers: {'x-http-method-override': 'DELETE'}});
	t.false((await client(origin.url)).isFromCache);
});

test('RFC 9111 §4.4 an unsafe request of one caller invalidates the responses of others, too', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, changeable()));
	await client(origin.url);
	await client(origin.url, {headers: {authorization: 'Bearer other'}});
	await client.post(origin.url, {headers: {authorization: 'Bearer one', 'x-csrf-token': '1'}});
	t.false((await client(origin.url)).isFromCache, 'without credentials');
	t.false((await client(origin.url, {headers: {authorization: 'Bearer other'}})).isFromCache, 'with others');
});

test('RFC 9111 §4.4 an invalidated response is deleted, even for requests that accept stale ones', async t => {
	const {client, clock} = createClient({...byOrigin, staleIfError: true});
	await using origin = await Origin.start(dated(clock, (request, count) => {
		if (request.method === 'POST') {
			return {};
		}

		return count === 1 ? {headers: {...fresh, etag: '"1"'}} : {status: 503};
	}));
	await client(origin.url);
	await client.post(origin.url);
	t.is((await client(origin.url, {...plain, headers: {'cache-control': 'max-stale'}})).statusCode, 503);
	t.is(origin.requests[2]!.headers['if-none-match'], undefined);
});

test('a cache that is read-only or disabled invalidates nothing', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, changeable()));
	await client(origin.url);
	await client.post(origin.url, {context: {cache: {readOnly: true}}});
	await client.post(origin.url, {context: {cache: {disabled: true}}});
	t.true((await client(origin.url)).isFromCache);
});

type PostRow = readonly [title: string, headers: Answer['headers'], isReused: boolean];

const posts: readonly PostRow[] = [
	['explicit freshness and an equal Content-Location', {...fresh, 'content-location': '/target'}, true],
	['no freshness', {'content-location': '/target', etag: '"1"'}, false],
	['no Content-Location', fresh, false],
	['another Content-Location', {...fresh, 'content-location': '/other'}, false],
	['no-store', {'cache-control': 'max-age=60, no-store', 'content-location': '/target'}, false],
];

for (const [title, headers, isReused] of posts) {
	test(`RFC 9110 §9.3.3 a POST with ${title} ${isReused ? 'answers' : 'does not answer'} a later GET, and no later POST`, async t => {
		for (const settings of [byOrigin, {}]) {
			const {client, clock} = createClient(settings);
			await using origin = await Origin.start(dated(clock, () => ({headers: headers!})));
			const url = `${origin.url}/target`;
			await client.post(url, {body: 'x'});
			t.is((await client.post(url, {body: 'x'})).body, 'answer 2');
			const get = await client(url);
			const expected = isReused && settings === byOrigin;
			t.is(get.isFromCache, expected);
			t.is(get.body, expected ? 'answer 2' : 'answer 3');
			t.false((await client(`${origin.url}/other`)).isFromCache);
		}
	});
}

test('RFC 9110 §9.3.3 the response to a POST replaces the stored response, through both APIs', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: {...fresh, 'content-location': '/'}})));
	await client(origin.url);
	const stream = client.stream.post(origin.url);
	stream.end('written');
	t.is(await readStream(stream), 'answer 2');
	await getCache(client).idle();
	const get = await client(origin.url);
	t.is(get.body, 'answer 2');
	t.is(cacheInfo(get).reason, 'fresh');
});

test('RFC 9111 §4.4 a POST that was in flight when another request changed the resource does not answer a later GET', async t => {
	const {client} = createClient(byOrigin);
	const {promise: asked, resolve: ask} = Promise.withResolvers<() => void>();
	await using origin = await Origin.start((request, response) => {
		const answer = (): void => {
			response.writeHead(200, {'cache-control': 'max-age=60', 'content-location': '/x'});
			response.end(request.method);
		};

		if (request.method === 'POST') {
			ask(answer);
		} else {
			answer();
		}
	});
	const url = `${origin.url}/x`;
	const post = client.post(url).text();
	const finish = await asked;
	await client.put(url);
	finish();
	t.is(await post, 'POST');
	t.is(await client(url).text(), 'GET');
});
