import test from 'ava';
import {cacheInfo, type CacheSettings} from '../../source/index.ts';
import {
	byOrigin,
	dated,
	httpDate,
	type Answer,
} from '../helpers/dated.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin, type Clock} from '../helpers/origin.ts';

const plain = {throwHttpErrors: false, followRedirect: false};

type Row = readonly [title: string, answer: (clock: Clock) => Answer, byOrigin: boolean, byUser: boolean];

const fresh = {'cache-control': 'max-age=60'};
const tenDays = -864_000;
const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status);
const redirecting = (status: number): Readonly<Record<string, string>> => isRedirect(status) ? {location: '/next'} : {};

/** Whether a second request, a second later, is answered without asking the origin: with `cacheControl`, and by the user's five minutes. */
const table: readonly Row[] = [
	['§3 a response with explicit freshness is stored', () => ({headers: fresh}), true, true],
	['§3 a response with Expires is stored', clock => ({headers: {expires: httpDate(clock, 60)}}), true, true],
	['§3 a response without explicit freshness is not reused', () => ({}), false, true],
	...[201, 203, 204, 299, 300, 301, 302, 303, 307, 308, 400, 403, 404, 410, 414, 418, 451, 499, 500, 501, 502, 503, 504, 599].map(status => [
		`§3 a final ${status} with explicit freshness is stored`, () => ({status, headers: {...fresh, ...redirecting(status)}}), true, isRedirect(status),
	] as const),
	...[200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501].map(status => [
		`§4.2.2 a ${status} is heuristically cacheable`,
		(clock: Clock) => ({status, headers: {'last-modified': httpDate(clock, tenDays), ...redirecting(status)}}),
		true,
		[200, 301, 308].includes(status),
	] as const),
	...[201, 202, 302, 303, 307, 400, 403, 500, 502, 503, 504, 599].map(status => [
		`§4.2.2 a ${status} gets no heuristic lifetime`, (clock: Clock) => ({status, headers: {'last-modified': httpDate(clock, tenDays), ...redirecting(status)}}), false, isRedirect(status),
	] as const),
	['§4.2.2 public makes a heuristic lifetime possible for any status', clock => ({status: 403, headers: {'cache-control': 'public', 'last-modified': httpDate(clock, tenDays)}}), true, false],
	['§3 s-maxage does not permit a private cache to store', () => ({status: 403, headers: {'cache-control': 's-maxage=60'}}), false, false],

	['§5.2.2.5 no-store is not stored', () => ({headers: {'cache-control': 'no-store'}}), false, true],
	['§5.2.2.5 no-store comes before max-age', () => ({headers: {'cache-control': 'max-age=60, no-store'}}), false, true],
	['§5.2.2.5 no-store comes before Expires', clock => ({headers: {'cache-control': 'no-store', expires: httpDate(clock, 60)}}), false, true],
	['§5.2.2.5 no-store counts on its own line, in any letter case', () => ({headers: {'cache-control': ['max-age=60', 'No-StOrE']}}), false, true],
	['§5.2.2.5 no-store counts with an argument that it should not have', () => ({headers: {'cache-control': 'max-age=60, no-store=1'}}), false, true],
	['§5.2 no-store in a quoted string is no directive', () => ({headers: {'cache-control': 'max-age=60, ext="no-store"'}}), true, true],
	['§5.2.2.7 private is stored by a private cache', () => ({headers: {'cache-control': 'private, max-age=60'}}), true, true],
	['§5.2.2.7 private with fields is stored by a private cache', () => ({headers: {'cache-control': 'private="x-one", max-age=60'}}), true, true],
	['§5.2.2.9 public is stored', () => ({headers: {'cache-control': 'public, max-age=60'}}), true, true],
	['§5.2.2.3 must-understand permits a known status to be stored despite no-store', () => ({headers: {'cache-control': 'must-understand, no-store, max-age=60'}}), true, true],
	['§5.2.2.3 must-understand keeps an unknown status out', () => ({status: 299, headers: {'cache-control': 'must-understand, max-age=60'}}), false, false],
	['§4.1 Vary: * is not used again', () => ({headers: {...fresh, vary: '*'}}), false, false],
	['§4.1 Vary: * among other fields is not used again', () => ({headers: {...fresh, vary: 'accept, *'}}), false, false],
	['§3.3 a partial response is not stored', () => ({status: 206, headers: {...fresh, 'content-range': 'bytes 0-7/100'}}), false, false],
];

async function isReused(answer: (clock: Clock) => Answer, settings: CacheSettings): Promise<boolean> {
	const {client, clock} = createClient(settings);
	await using origin = await Origin.start(dated(clock, () => answer(clock)));
	const first = await client(origin.url, plain);
	clock.advance(1);
	const second = await client(origin.url, plain);
	const isHit = origin.count === 1;
	if (second.isFromCache !== isHit || (isHit && second.body !== first.body) || second.statusCode !== first.statusCode) {
		throw new Error('The second answer is not what it says');
	}

	return isHit;
}

for (const [title, answer, withCacheControl, withoutCacheControl] of table) {
	test(`RFC 9111 ${title}`, async t => {
		t.is(await isReused(answer, byOrigin), withCacheControl, 'cacheControl: true');
		t.is(await isReused(answer, {expireAfter: '5m'}), withoutCacheControl, 'cacheControl: false');
	});
}

for (const [name, instance] of majors) {
	test(`${name}: RFC 9111 §3 a response stored by a stream answers the promise API, and vice versa`, async t => {
		const {client, clock} = createClient(byOrigin, instance);
		await using origin = await Origin.start(dated(clock, () => ({headers: fresh})));
		t.is(await readStream(client.stream(`${origin.url}/a`)), 'answer 1');
		t.is((await client(`${origin.url}/a`)).body, 'answer 1');
		await client(`${origin.url}/b`);
		t.is(await readStream(client.stream(`${origin.url}/b`)), 'answer 2');
		t.is(origin.count, 2);
	});

	test(`${name}: RFC 9111 §3.3 a truncated body is not stored, whether its length was announced or not`, async t => {
		const {client, clock} = createClient(byOrigin, instance);
		let isCut = true;
		await using origin = await Origin.start((request, response) => {
			response.writeHead(200, {...fresh, date: httpDate(clock), ...(request.url === '/announced' && {'content-length': '10'})});
			response.write('01234');
			if (isCut) {
				setImmediate(() => {
					response.socket!.destroy();
				});
			} else {
				response.end('56789');
			}
		});
		for (const path of ['/announced', '/chunked']) {
			const url = origin.url + path;
			isCut = true;
			await t.throwsAsync(client(url));
			await t.throwsAsync(readStream(client.stream(url)));
			isCut = false;
			const whole = await client(url);
			t.is(whole.body, '0123456789');
			t.false(whole.isFromCache);
			t.true((await client(url)).isFromCache);
		}
	});
}

test('RFC 9111 §3.3 the response to a stream that its reader destroys is not stored', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start((_request, response) => {
		response.writeHead(200, {...fresh, date: httpDate(clock)});
		response.write('01234');
		if (origin.count > 1) {
			response.end();
		}
	});
	const stream = client.stream(origin.url);
	stream.on('error', () => {});
	await new Promise<void>(resolve => {
		stream.once('data', () => {
			stream.destroy();
			resolve();
		});
	});
	t.false((await client(origin.url)).isFromCache);
	t.is(origin.count, 2);
});

test('RFC 9111 §3.1 hop-by-hop header fields are not stored, and all others are', async t => {
	const own = {
		connection: 'X-Hop, keep-alive', 'x-hop': '1', 'keep-alive': 'timeout=5', te: 'trailers', upgrade: 'h2c',
		'proxy-authenticate': 'Basic', 'proxy-authentication-info': 'x', 'proxy-connection': 'close',
	};
	const kept = {
		'content-type': 'text/plain', 'x-unknown': '1', 'content-language': 'de', 'content-security-policy': 'x', 'x-list': ['1', '2'],
		'last-modified': 'Thu, 01 Jan 2015 00:00:00 GMT', link: '</a>; rel=b',
	};
	for (const settings of [byOrigin, {}]) {
		const {client, clock} = createClient(settings);
		await using origin = await Origin.start(dated(clock, () => ({headers: {...fresh, ...own, ...kept}})));
		const first = await client(origin.url);
		t.is(first.headers['x-hop'], '1');
		const {headers} = await client(origin.url);
		t.is(origin.count, 1);
		for (const name of Object.keys(own)) {
			t.is(headers[name], undefined, `with ${name}`);
		}

		for (const name of Object.keys(kept)) {
			t.deepEqual(headers[name], first.headers[name], name);
		}
	}
});

test('RFC 9111 §3.1, §7.3 Set-Cookie reaches the first caller, is not replayed, and does not prevent storing', async t => {
	for (const settings of [byOrigin, {}]) {
		const {client, clock} = createClient(settings);
		await using origin = await Origin.start(dated(clock, () => ({headers: {...fresh, 'set-cookie': ['a=1', 'b=2']}})));
		t.deepEqual((await client(origin.url)).headers['set-cookie'], ['a=1', 'b=2']);
		const second = await client(origin.url);
		t.true(second.isFromCache);
		t.is(second.headers['set-cookie'], undefined);
	}
});

test('RFC 9111 §3.1 trailers do not become headers', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start((_request, response) => {
		response.writeHead(200, {...fresh, date: httpDate(clock), trailer: 'x-trailer'});
		response.write('answer');
		response.addTrailers({'x-trailer': '1', 'cache-control': 'no-store'});
		response.end();
	});
	await client(origin.url);
	const {headers, isFromCache} = await client(origin.url);
	t.true(isFromCache);
	t.is(headers['x-trailer'], undefined);
	t.is(headers.trailer, undefined);
	t.is(headers['cache-control'], 'max-age=60');
});

test('RFC 9111 §5.2.2.4 the fields that no-cache names are not served without validation, and all others are', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, request => request.headers['if-none-match'] === undefined
		? {
			headers: {
				'cache-control': 'max-age=60, no-cache="X-One, x-two"', etag: '"1"', 'x-one': '1', 'x-two': '2', 'x-three': '3',
			},
		}
		: {
			status: 304, headers: {
				'cache-control': 'max-age=60, no-cache="X-One, x-two"', etag: '"1"', 'x-one': '4', 'x-two': '5',
			},
		}));
	const first = await client(origin.url);
	t.is(first.headers['x-one'], '1');
	const second = await client(origin.url);
	t.is(origin.count, 1);
	t.is(second.headers['x-one'], undefined);
	t.is(second.headers['x-two'], undefined);
	t.is(second.headers['x-three'], '3');

	clock.advance(60);
	t.is((await client(origin.url)).statusCode, 200);
	t.is(origin.count, 2);
	const afterValidation = await client(origin.url);
	t.is(origin.count, 2);
	t.is(afterValidation.headers['x-one'], undefined);
	t.is(afterValidation.headers['x-two'], undefined);
	t.is(afterValidation.headers['x-three'], '3');

	const user = createClient();
	t.is((await user.client(origin.url)).headers['x-one'], '1');
	t.is((await user.client(origin.url)).headers['x-one'], '1');
});

test('RFC 9111 §5.2.2.4 no-cache with an invalid list applies to the whole response', async t => {
	for (const value of ['max-age=60, no-cache', 'max-age=60, no-cache=""', 'max-age=60, no-cache="a b"']) {
		t.false(await isReused(() => ({headers: {'cache-control': value, etag: '"1"'}}), byOrigin), `with ${value}`);
	}
});

test('RFC 9111 §3.5 a private cache stores the response to a request with Authorization, for its user', async t => {
	for (const settings of [byOrigin, {}]) {
		const {client, clock} = createClient(settings);
		await using origin = await Origin.start(dated(clock, request => ({headers: fresh, body: String(request.headers.authorization)})));
		for (const authorization of ['Bearer one', 'Bearer two', undefined]) {
			for (const isFromCache of [false, true]) {
				const response = await client(origin.url, {headers: {authorization}});
				t.is(response.body, String(authorization));
				t.is(response.isFromCache, isFromCache);
			}
		}

		t.is(origin.count, 3);
	}
});

test('RFC 9111 §5.2.1.5 nothing of a request with no-store is stored', async t => {
	for (const settings of [byOrigin, {}]) {
		const {client, clock} = createClient(settings);
		await using origin = await Origin.start(dated(clock, () => ({headers: fresh})));
		await client(origin.url, {headers: {'cache-control': 'no-store'}});
		await readStream(client.stream(origin.url, {headers: {'cache-control': 'no-store'}}));
		const third = await client(origin.url);
		t.false(third.isFromCache);
		t.is(third.body, 'answer 3');
	}
});

test('RFC 9111 §3 the responses to other methods than GET and HEAD are not stored', async t => {
	for (const settings of [byOrigin, {}]) {
		const {client, clock} = createClient(settings);
		await using origin = await Origin.start(dated(clock, () => ({headers: fresh})));
		for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
			await client(origin.url, {method});
			await client(origin.url, {method});
		}

		t.is(origin.count, 10);
		t.false((await client(origin.url)).isFromCache);
	}
});

test('RFC 9111 §3 an interim response is not stored as the final one', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start((_request, response) => {
		response.writeEarlyHints({link: '</style.css>; rel=preload'});
		response.writeHead(200, {...fresh, date: httpDate(clock)});
		response.end('final');
	});
	await client(origin.url);
	const second = await client(origin.url);
	t.is(second.statusCode, 200);
	t.is(second.body, 'final');
	t.is(second.headers.link, undefined);
	t.is(origin.count, 1);
});

test('RFC 9110 §6.6.1 a response without a Date gets the time when it was received', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: {...fresh, date: undefined}})));
	const received = httpDate(clock);
	t.is((await client(origin.url)).headers.date, undefined);
	clock.advance(10);
	const second = await client(origin.url);
	t.true(second.isFromCache);
	t.is(second.headers.date, received);
	t.is(second.headers.age, '10');
});

test('RFC 9111 §3 the response to a precondition does not answer a request without one', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, request => {
		const {headers} = request;
		if (headers['if-match'] !== undefined) {
			return {status: 412, headers: fresh};
		}

		return headers.range === undefined ? {headers: fresh} : {status: 416, headers: fresh};
	}));
	t.is((await client(`${origin.url}/match`, {...plain, headers: {'if-match': '"x"'}})).statusCode, 412);
	t.is((await client(`${origin.url}/match`, plain)).statusCode, 200);
	t.is((await client(`${origin.url}/range`, {...plain, headers: {range: 'bytes=1000-'}})).statusCode, 416);
	t.is((await client(`${origin.url}/range`, plain)).statusCode, 200);
});

test('RFC 9111 §3 with allowableCodes, no other status is stored', async t => {
	const {client, clock} = createClient({...byOrigin, allowableCodes: [404]});
	await using origin = await Origin.start(dated(clock, request => ({status: request.url === '/found' ? 200 : 404, headers: fresh})));
	for (const path of ['/found', '/missing']) {
		await client(origin.url + path, plain);
		await client(origin.url + path, plain);
	}

	t.is(origin.count, 3);
});

test('RFC 9111 §4.2.4 a response that could be neither reused nor validated is not stored', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, request => ({headers: {'cache-control': 'max-age=0', ...(request.url === '/tagged' && {etag: '"1"'})}})));
	t.is(cacheInfo(await client(origin.url)).stored, 'expired-without-validator');
	t.is(cacheInfo(await client(`${origin.url}/tagged`)).stored, 'stored');
});
