import type {IncomingMessage} from 'node:http';
import test from 'ava';
import {cacheInfo} from '../../source/index.ts';
import {
	byOrigin,
	dated,
	httpDate,
	type Answer,
} from '../helpers/dated.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

const fresh = {'cache-control': 'max-age=60'};

/** Answers with a 304 to requests with the entity tag. */
function tagged(first: Answer['headers'], notModified: Answer['headers'] = {}): (request: IncomingMessage) => Answer {
	return request => request.headers['if-none-match'] === '"1"'
		? {status: 304, headers: {etag: '"1"', ...notModified}}
		: {headers: {etag: '"1"', ...first}, body: 'body'};
}

type Headers = Readonly<Record<string, string | string[]>>;
type VaryRow = readonly [title: string, vary: string | string[], first: Headers, second: Headers, isReused: boolean];

const varyTable: readonly VaryRow[] = [
	['the same value matches', 'foo', {foo: '1'}, {foo: '1'}, true],
	['another value does not', 'foo', {foo: '1'}, {foo: '2'}, false],
	['a field that was there and is not does not', 'foo', {foo: '1'}, {}, false],
	['a field that was not there and is does not', 'foo', {}, {foo: '1'}, false],
	['a field that is not there, twice, does', 'foo', {}, {}, true],
	['an empty field is not an absent one', 'foo', {}, {foo: ''}, false],
	['an empty field matches an empty one', 'foo', {foo: ''}, {foo: ''}, true],
	['fields that are not named do not count', 'foo', {foo: '1', bar: '1'}, {foo: '1', bar: '2'}, true],
	['names are case-insensitive', 'FOO', {foo: '1'}, {foo: '2'}, false],
	['values are case-sensitive', 'foo', {foo: 'a'}, {foo: 'A'}, false],
	['all of several fields must match', 'foo, bar', {foo: '1', bar: '1'}, {foo: '1', bar: '1'}, true],
	['one of several fields that differs is enough', 'foo, bar', {foo: '1', bar: '1'}, {foo: '1', bar: '2'}, false],
	['the last of several fields that differs is enough', 'foo, bar, baz', {foo: '1', bar: '1', baz: '1'}, {foo: '1', bar: '1', baz: '2'}, false],
	['several fields on several lines count', ['foo', 'bar'], {foo: '1', bar: '1'}, {foo: '1', bar: '2'}, false],
	['several fields on several lines match', ['foo', 'bar'], {foo: '1', bar: '1'}, {foo: '1', bar: '1'}, true],
	['white space around list members does not count', 'foo', {foo: 'a, b'}, {foo: 'a,b'}, true],
	['white space around names does not count', ' foo ,	bar ', {foo: '1', bar: '1'}, {bar: '2', foo: '1'}, false],
	['lines of one field are one list', 'foo', {foo: ['a', 'b']}, {foo: 'a, b'}, true],
	['an order that differs in the list is another value', 'foo', {foo: 'a, b'}, {foo: 'b, a'}, false],
	['an empty Vary names nothing', '', {foo: '1'}, {foo: '2'}, true],
	['Cookie selects variants as any field does', 'cookie', {cookie: 'a=1'}, {cookie: 'a=2'}, false],
	['* never matches', '*', {foo: '1'}, {foo: '1'}, false],
	['* among others never matches', 'foo, *', {foo: '1'}, {foo: '1'}, false],
	['white space in quotes counts', 'foo', {foo: '"a, b"'}, {foo: '"a,b"'}, false],
	['white space in comments counts', 'foo', {foo: '(a, b)'}, {foo: '(a,b)'}, false],
	['neither order nor case nor white space of codings counts', 'accept-encoding', {'accept-encoding': 'gzip, br;q=0.5'}, {'accept-encoding': 'BR; q=0.5 , GZIP'}, true],
	['the case of languages does not count', 'accept-language', {'accept-language': 'de-CH, en'}, {'accept-language': 'DE-ch,en'}, true],
	['the order of languages counts', 'accept-language', {'accept-language': 'de, en'}, {'accept-language': 'en, de'}, false],
	['a malformed Vary never matches', '"foo"', {foo: '1'}, {foo: '1'}, false],
	['a Vary of many fields matches', Array.from({length: 32}, (_, index) => `foo-${index}`).join(', '), {foo: '1'}, {foo: '1'}, true],
	['a Vary of more than 32 fields never matches', Array.from({length: 33}, (_, index) => `foo-${index}`).join(', '), {foo: '1'}, {foo: '1'}, false],
];

for (const [title, vary, first, second, isReused] of varyTable) {
	test(`RFC 9111 §4.1 ${title}`, async t => {
		for (const settings of [byOrigin, {}]) {
			const {client, clock} = createClient(settings);
			await using origin = await Origin.start(dated(clock, () => ({headers: {...fresh, vary}})));
			await client(origin.url, {headers: first});
			const response = await client(origin.url, {headers: second});
			t.is(response.isFromCache, isReused);
			t.is(origin.count, isReused ? 1 : 2);
		}
	});
}

test('RFC 9111 §4.1 several variants are stored, through both APIs', async t => {
	for (const settings of [byOrigin, {}]) {
		const {client, clock} = createClient(settings);
		await using origin = await Origin.start(dated(clock, request => ({headers: {...fresh, vary: 'accept-language'}, body: request.headers['accept-language'] ?? 'none'})));
		for (let round = 0; round < 3; round++) {
			for (const language of ['de', 'en', 'fr']) {
				t.is(await client(origin.url, {headers: {'accept-language': language}}).text(), language);
				t.is(await readStream(client.stream(origin.url, {headers: {'accept-language': language, accept: 'application/json'}})), language);
			}
		}

		t.is(origin.count, 3);
	}
});

test('RFC 9111 §4.1 each variant has its own age', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, request => ({headers: {...fresh, vary: 'foo'}, body: String(request.headers.foo)})));
	await client(origin.url, {headers: {foo: '1'}});
	clock.advance(40);
	await client(origin.url, {headers: {foo: '2'}});
	clock.advance(30);
	t.is((await client(origin.url, {headers: {foo: '2'}})).headers.age, '30');
	t.is(origin.count, 2);
	t.false((await client(origin.url, {headers: {foo: '1'}})).isFromCache);
});

test('RFC 9111 §4.1 a response whose Vary changed never answers a request for another variant', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, ({headers: {foo, bar}}, count) => ({headers: {...fresh, vary: count < 3 ? 'foo' : 'bar'}, body: `${String(foo)} ${String(bar)}`})));
	const ask = async (foo: string, bar: string) => client(origin.url, {headers: {foo, bar}}).text();
	t.is(await ask('1', '1'), '1 1');
	t.is(await ask('2', '1'), '2 1');
	t.is(await ask('3', '1'), '3 1');

	// By the newest response, `foo` no longer parts.
	t.regex(await ask('4', '1'), /^[34] 1$/v);
	t.is(await ask('5', '2'), '5 2');
	t.regex(await ask('6', '2'), /^[56] 2$/v);
});

test('RFC 9111 §4.1 a stored variant is never served to a request that it does not match, even if the origin has the same entity tag for all', async t => {
	for (const settings of [byOrigin, {}]) {
		const {client, clock} = createClient(settings);
		await using origin = await Origin.start(dated(clock, request => request.headers['if-none-match'] === '"same"'
			? {status: 304, headers: {...fresh, vary: 'x-tenant', etag: '"same"'}}
			: {headers: {...fresh, vary: 'x-tenant', etag: '"same"'}, body: String(request.headers['x-tenant'])}));
		const ask = async (tenant: string, refresh = false): Promise<string> => client(origin.url, {headers: {'x-tenant': tenant}, context: {cache: {refresh}}}).text();
		t.is(await ask('a'), 'a');
		t.is(await ask('b'), 'b');
		t.is(origin.requests[1]!.headers['if-none-match'], undefined);
		t.is(await ask('a', true), 'a');
		t.is(await ask('b', true), 'b');
		t.is(await ask('c', true), 'c');
		t.deepEqual(origin.requests.slice(2).map(({headers}) => headers['if-none-match']), ['"same"', '"same"', undefined]);
	}
});

test('RFC 9111 §4 a response is used only for its own URI', async t => {
	for (const settings of [byOrigin, {}]) {
		const {client, clock} = createClient(settings);
		await using origin = await Origin.start(dated(clock, request => ({headers: fresh, body: request.url!})));
		const paths = ['/', '/a', '/A', '/a/', '/a?b=1', '/a?b=2', '/a?B=1', '/%2Fa', '/a;b', '/a%3Fb=1'];
		for (const path of [...paths, ...paths]) {
			t.is(await client(origin.url + path).text(), path);
		}
	}
});

test('RFC 9111 §4 the fragment of a URI is ignored', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: fresh})));
	await client(`${origin.url}/a#b`);
	t.true((await client(`${origin.url}/a#c`)).isFromCache);
});

test('RFC 9111 §4 of two suitable responses the most recent one is used', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: fresh})));
	await client(origin.url);
	clock.advance(1);
	await client(origin.url, {headers: {'cache-control': 'no-cache'}});
	t.is((await client(origin.url)).body, 'answer 2');
	t.is(origin.count, 2);
});

test('RFC 9111 §4 a response that must not be stored still replaces the older one', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, (_request, count) => ({headers: {'cache-control': count === 1 ? 'max-age=3600' : 'no-store'}})));
	await client(origin.url);
	await client(origin.url, {headers: {'cache-control': 'no-cache'}});
	t.is((await client(origin.url)).body, 'answer 3');
});

for (const [name, instance] of majors) {
	test(`${name}: RFC 9111 §4.3.1, §4.3.3 a stale response is validated by its tag and its date, and a 304 makes it fresh`, async t => {
		const {client, clock} = createClient(byOrigin, instance);
		const lastModified = httpDate(clock, -3600);
		await using origin = await Origin.start(dated(clock, tagged({...fresh, 'last-modified': lastModified}, fresh)));
		await client(origin.url);
		clock.advance(60);
		const second = await client(origin.url);
		t.is(origin.requests[1]!.headers['if-none-match'], '"1"');
		t.is(origin.requests[1]!.headers['if-modified-since'], lastModified);
		t.is(second.statusCode, 200);
		t.is(second.body, 'body');
		t.true(second.isFromCache);
		clock.advance(59);
		t.is(await readStream(client.stream(origin.url)), 'body');
		t.is(origin.count, 2);
		clock.advance(1);
		const stream = client.stream(origin.url);
		t.is(await readStream(stream), 'body');
		t.is(stream.response!.statusCode, 200);
		t.is(origin.count, 3);
	});

	test(`${name}: RFC 9111 §4.3.3 a full response to a validation replaces the stored response`, async t => {
		const {client, clock} = createClient(byOrigin, instance);
		await using origin = await Origin.start(dated(clock, (_request, count) => ({headers: {...fresh, etag: `"${count}"`}})));
		await client(origin.url);
		clock.advance(60);
		t.is((await client(origin.url)).body, 'answer 2');
		t.is(await readStream(client.stream(origin.url)), 'answer 2');
		clock.advance(60);
		await client(origin.url);
		t.is(origin.requests[2]!.headers['if-none-match'], '"2"');
	});
}

test('RFC 9111 §4.3.1 a weak tag, and a date without a tag, are sent back unchanged', async t => {
	const {client, clock} = createClient(byOrigin);
	const lastModified = 'Thursday, 01-Jan-15 00:00:00 GMT';
	await using origin = await Origin.start(dated(clock, request => ({headers: {'cache-control': 'no-cache', ...(request.url === '/weak' ? {etag: 'W/"a,b"'} : {'last-modified': lastModified})}})));
	for (const path of ['/weak', '/weak', '/date', '/date']) {
		await client(origin.url + path);
	}

	t.is(origin.requests[1]!.headers['if-none-match'], 'W/"a,b"');
	t.is(origin.requests[1]!.headers['if-modified-since'], undefined);
	t.is(origin.requests[3]!.headers['if-modified-since'], lastModified);
	t.is(origin.requests[3]!.headers['if-none-match'], undefined);
});

test('RFC 9111 §4.3.1 without a validator the request is not conditional', async t => {
	const {client, clock} = createClient({...byOrigin, staleIfError: true});
	await using origin = await Origin.start(dated(clock, () => ({headers: {'cache-control': 'max-age=1'}})));
	await client(origin.url);
	clock.advance(10);
	t.is((await client(origin.url)).body, 'answer 2');
	t.is(origin.requests[1]!.headers['if-none-match'], undefined);
	t.is(origin.requests[1]!.headers['if-modified-since'], undefined);
});

test('RFC 9111 §3.2, §4.3.4 a 304 updates the headers that it has, except those that describe the stored bytes', async t => {
	const {client, clock} = createClient(byOrigin);
	const first = {
		...fresh, 'content-type': 'text/plain', 'content-language': 'de', 'x-old': 'old', 'x-both': 'old', 'x-list': ['1', '2'],
		expires: httpDate(clock, 10), 'last-modified': httpDate(clock, -10), 'content-length': '4',
	};
	const update = {
		'cache-control': 'max-age=600', 'content-type': 'text/html', 'content-language': 'en', 'x-both': 'new', 'x-new': 'new', 'x-list': '3',
		expires: httpDate(clock, 600), 'content-length': '77', 'content-encoding': 'gzip', 'content-range': 'bytes 0-1/2', connection: 'x-hop', 'x-hop': '1', 'set-cookie': 'a=1',
	};
	await using origin = await Origin.start(dated(clock, tagged(first, update)));
	await client(origin.url);
	clock.advance(100);
	const date = httpDate(clock);
	for (const reason of ['revalidated', 'fresh']) {
		const response = await client(origin.url);
		const {headers} = response;
		t.is(cacheInfo(response).reason, reason as 'fresh');
		t.is(response.statusCode, 200);
		t.is(response.body, 'body');
		t.like(headers, {
			'cache-control': 'max-age=600', 'content-type': 'text/html', 'content-language': 'en', 'x-old': 'old', 'x-both': 'new', 'x-new': 'new', 'x-list': '3',
			expires: update.expires, date, etag: '"1"', 'last-modified': first['last-modified'], 'content-length': '4',
		});
		// A cookie of the 304 is only for this caller.
		t.deepEqual(headers['set-cookie'], reason === 'revalidated' ? ['a=1'] : undefined);
		for (const name of ['content-encoding', 'content-range', 'x-hop', 'connection']) {
			t.is(headers[name], undefined, `with ${name}`);
		}
	}

	clock.advance(599);
	t.true((await client(origin.url)).isFromCache);
	t.is(origin.count, 2);
});

test('RFC 9111 §4.3.4 a 304 about another response updates nothing, and its tag is not served with the stored body', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, (request, count) => request.headers['if-none-match'] === undefined
		? {headers: {...fresh, etag: `"${count}"`, 'x-version': String(count)}}
		: {status: 304, headers: {...fresh, etag: '"other"', 'x-version': 'other'}}));
	await client(origin.url);
	clock.advance(60);
	const second = await client(origin.url);
	t.is(second.statusCode, 200);
	t.not(second.headers.etag, '"other"');
	t.not(second.headers['x-version'], 'other');
	clock.advance(1);
	const third = await client(origin.url);
	t.not(third.headers.etag, '"other"');
	t.not(third.headers['x-version'], 'other');
});

test('RFC 9111 §4.3.4 a 304 with a weak ETag freshens the stored response with that ETag', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, request => request.headers['if-none-match'] === undefined
		? {headers: {...fresh, etag: 'W/"1"'}, body: 'body'}
		: {status: 304, headers: {...fresh, etag: 'W/"1"', 'x-new': '1'}}));
	await client(origin.url);
	clock.advance(60);
	await client(origin.url);
	const third = await client(origin.url);
	t.is(third.headers['x-new'], '1');
	t.is(origin.count, 2);
});

test('RFC 9111 §4.3.3 a 304 without validators freshens the response that was validated', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, request => request.headers['if-none-match'] === undefined
		? {headers: {...fresh, etag: '"1"'}, body: 'body'}
		: {status: 304, headers: {...fresh, 'x-new': '1'}}));
	await client(origin.url);
	clock.advance(60);
	await client(origin.url);
	const third = await client(origin.url);
	t.is(third.headers['x-new'], '1');
	t.is(third.body, 'body');
	t.is(origin.count, 2);
});

test('RFC 9111 §5.2.2.5 nothing of a 304 with no-store is stored', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, tagged(fresh, {'cache-control': 'no-store', 'x-secret': '1'})));
	await client(origin.url);
	clock.advance(60);
	t.is((await client(origin.url)).body, 'body');
	const third = await client(origin.url, {headers: {'cache-control': 'max-stale=1000, only-if-cached'}, throwHttpErrors: false});
	t.is(third.headers['x-secret'], undefined);
});

test('RFC 9111 §4.3.3 a 304 for one variant freshens only that variant', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, request => {
		const etag = `"${String(request.headers.foo)}"`;
		return request.headers['if-none-match']?.includes(etag) === true ? {status: 304, headers: {...fresh, vary: 'foo', etag}} : {headers: {...fresh, vary: 'foo', etag}, body: etag};
	}));
	const ask = async (foo: string) => client(origin.url, {headers: {foo}});
	await ask('1');
	await ask('2');
	clock.advance(60);
	t.is((await ask('2')).body, '"2"');
	t.true(origin.requests[2]!.headers['if-none-match']?.includes('"2"'));
	t.is((await ask('2')).body, '"2"');
	t.is(origin.count, 3);
	t.is((await ask('1')).body, '"1"');
	t.is(origin.count, 4);
});

for (const [name, instance] of majors) {
	test(`${name}: RFC 9110 §9.3.2 the response to a GET answers a HEAD without its content; the response to a HEAD does not answer a GET`, async t => {
		const {client, clock} = createClient(byOrigin, instance);
		await using origin = await Origin.start(dated(clock, () => ({headers: {...fresh, 'x-one': '1', 'content-length': '8'}})));
		await client(`${origin.url}/get`);
		const head = await client.head(`${origin.url}/get`);
		t.true(head.isFromCache);
		t.is(head.body, '');
		t.is(head.headers['x-one'], '1');
		t.is(head.headers['content-length'], '8');
		t.is(origin.count, 1);
		await client.head(`${origin.url}/head`);
		t.true((await client.head(`${origin.url}/head`)).isFromCache);
		const get = await client(`${origin.url}/head`);
		t.false(get.isFromCache);
		t.is(get.body, 'answer 3');
	});
}

test('RFC 9111 §4.3.5 a HEAD that agrees with a stale GET makes it fresh', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, request => ({
		headers: {
			...fresh, etag: '"1"', 'content-length': '4', 'x-method': request.method!,
		}, body: 'body',
	})));
	await client(origin.url);
	clock.advance(60);
	const head = await client.head(origin.url);
	t.is(head.statusCode, 200);
	const get = await client(origin.url);
	t.is(origin.count, 2);
	t.is(get.body, 'body');
	t.is(get.headers['x-method'], 'HEAD');
	t.is(get.headers['content-length'], '4');
});

for (const [title, changed] of [['tag', {etag: '"2"'}], ['date', {'last-modified': 'Thu, 01 Jan 2015 00:00:01 GMT'}], ['length', {'content-length': '5'}]] as const) {
	test(`RFC 9111 §4.3.5 a HEAD with another ${title} makes a stored GET stale`, async t => {
		const {client, clock} = createClient(byOrigin);
		await using origin = await Origin.start(dated(clock, request => ({
			headers: {
				'cache-control': 'max-age=3600', etag: '"1"', 'last-modified': 'Thu, 01 Jan 2015 00:00:00 GMT', 'content-length': '4', ...(request.method === 'HEAD' && changed),
			}, body: 'body',
		})));
		await client(origin.url);
		const head = await client.head(origin.url, {headers: {'cache-control': 'no-cache'}});
		t.is(head.statusCode, 200);
		t.is(origin.count, 2);
		await client(origin.url);
		t.is(origin.count, 3);
	});
}

test('RFC 9111 §4.3.5 a HEAD that fails leaves the stored GET as it is', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, request => ({status: request.method === 'HEAD' ? 404 : 200, headers: {'cache-control': 'max-age=3600'}})));
	await client(origin.url);
	await client.head(origin.url, {headers: {'cache-control': 'no-cache'}, throwHttpErrors: false});
	t.is((await client(origin.url)).body, 'answer 1');
});

test('RFC 9111 §4.3.3 an error in response to a validation reaches the caller, unless stale responses are allowed', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, (_request, count) => count === 1 ? {headers: {...fresh, etag: '"1"'}} : {status: count === 2 ? 404 : 500}));
	await client(origin.url);
	clock.advance(60);
	t.is((await client(origin.url, {throwHttpErrors: false})).statusCode, 404);
	t.is((await client(origin.url, {throwHttpErrors: false})).statusCode, 500);
	t.is(origin.count, 3);
});

test('RFC 9111 §4 stored redirects are followed from the cache, and have an Age', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, request => request.url === '/from' ? {status: 302, headers: {...fresh, location: '/to'}} : {headers: fresh}));
	for (let round = 0; round < 2; round++) {
		const response = await client(`${origin.url}/from`);
		t.is(response.url, `${origin.url}/to`);
		t.is(response.body, 'answer 2');
	}

	t.is(origin.count, 2);
	clock.advance(60);
	await client(`${origin.url}/from`);
	t.is(origin.count, 4);
});
