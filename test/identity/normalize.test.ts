import {expectTypeOf} from 'expect-type';
import test from 'ava';
import {fc} from '../helpers/fast-check.ts';
import {
	createKey,
	DEFAULT_IGNORED_PARAMETERS,
	HttpCache,
	normalizeBody,
	normalizeHeaders,
	normalizeParams,
	normalizeRequest,
	normalizeUrl,
	redactResponse,
	type DescribedRequest,
	type NormalizedRequest,
	type NormalizeSettings,
} from '../../source/index.ts';

const urls: ReadonlyArray<readonly [url: string | URL, normal: string, settings?: NormalizeSettings]> = [
	['HTTPS://EXAMPLE.com', 'https://example.com/'],
	[new URL('https://example.com:443/a/./b/../c#d'), 'https://example.com/a/c'],
	['https://bücher.example/', 'https://xn--bcher-kva.example/'],
	['https://example.com/%7Ea?%61=%2d&b=%c3%a4', 'https://example.com/~a?a=-&b=%C3%A4'],
	['https://example.com/?b=2&a=1&&a=0', 'https://example.com/?a=1&a=0&b=2'],
	['https://example.com/?a&a=', 'https://example.com/?a&a='],
	['https://me:pass@example.com/', 'https://example.com/'],
	['https://example.com/?token=abc&page=1', 'https://example.com/?page=1&token=REDACTED'],
	['https://example.com/a;jsessionid=abc/b', 'https://example.com/a;jsessionid=REDACTED/b'],
	['https://example.com/?next=https%3A%2F%2Fother.example%2F%3Fsig%3Dabc', 'https://example.com/?next=REDACTED'],
	['https://example.com/?utm=mail&a=1', 'https://example.com/?a=1&utm=REDACTED', {ignoredParameters: ['utm']}],
	['https://example.com/?UTM_source=1&utm_x=2', 'https://example.com/?UTM_source=REDACTED&utm_x=REDACTED', {ignoredParameters: new Set([/^utm_/iv])}],
	['http://unix:/run/a.sock:/b?token=1', 'http://unix/run/a.sock:/b?token=REDACTED'],
];

for (const [url, normal, settings] of urls) {
	test(`normalizeUrl makes ${normal} of ${url}`, t => {
		t.is(normalizeUrl(url, settings), normal);
		t.is(normalizeUrl(normal, settings), normal);
	});
}

const parameters: ReadonlyArray<readonly [text: string, normal: string]> = [
	['', ''],
	['b=2&a=1', 'a=1&b=2'],
	['a=2&a=1', 'a=2&a=1'],
	['key&b=%7e', 'b=~&key'],
	['api_key=abc&password=&q=1', 'api_key=REDACTED&password=&q=1'],
	['%74oken=abc', 'token=REDACTED'],
	['q=%zz', 'q=%zz'],
];

for (const [text, normal] of parameters) {
	test(`normalizeParams makes "${normal}" of "${text}"`, t => {
		t.is(normalizeParams(text), normal);
	});
}

test('normalizeHeaders sorts fields, joins their lines, and replaces credentials and ignored headers', t => {
	/* eslint-disable @typescript-eslint/naming-convention -- The names of headers. */
	t.deepEqual(normalizeHeaders({
		'X-Team': ['b', 'a'],
		Authorization: 'Bearer abc',
		Cookie: 'session=abc',
		'accept-encoding': 'gzip ,  BR',
		Referer: 'https://example.com/?token=abc',
		Accept: undefined,
		':path': '/?token=abc',
		'x-trace': '1',
	}, {ignoredParameters: ['X-Trace']}), {
		'accept-encoding': 'br,gzip',
		authorization: 'REDACTED',
		cookie: 'REDACTED',
		referer: 'https://example.com/?token=REDACTED',
		'x-team': 'b,a',
		'x-trace': 'REDACTED',
	});
	/* eslint-enable @typescript-eslint/naming-convention */
	const headers = normalizeHeaders(JSON.parse('{"__proto__": "a", "constructor": "b"}') as Record<string, string>);
	t.deepEqual(Object.entries(headers), [['__proto__', 'a'], ['constructor', 'b']]);
});

const json = {'content-type': 'application/json'};
const form = {'content-type': 'application/x-www-form-urlencoded'};
const multipart = {'content-type': 'multipart/form-data; boundary=x'};
const bodies: ReadonlyArray<readonly [title: string, headers: Record<string, string>, body: string | Uint8Array, normal: string | Uint8Array, settings?: NormalizeSettings]> = [
	['JSON', json, ' {"b": [2, {"d": 1.0, "c": "\\u0061"}],\n"a": null} ', '{"a":null,"b":[2,{"c":"a","d":1.0}]}'],
	['JSON as bytes', {'content-type': 'application/problem+json'}, new TextEncoder().encode('{"b":"ä","a":1}'), '{"a":1,"b":"ä"}'],
	['a credential in JSON', json, '{"user": {"password": "abc", "name": "Ada"}}', '{"user":{"name":"Ada","password":"REDACTED"}}'],
	['a credential in a string of JSON', json, '{"next": "https://example.com/?token=abc"}', '{"next":"REDACTED"}'],
	['an ignored path of JSON', json, '{"id": 5, "a": {"id": 6}}', '{"a":{"id":"REDACTED"},"id":5}', {ignoredParameters: ['$.a.id']}],
	['an ignored member below the root', json, '{"id": 5, "data": {"id": 6}}', '{"data":{"id":"REDACTED"},"id":5}', {ignoredParameters: ['id'], contentRootKey: 'data'}],
	['a form', form, 'b=x+y&a=1&token=abc', 'a=1&b=x%20y&token=REDACTED'],
	['a text', {'content-type': 'text/plain'}, 'Hello ', 'Hello '],
	['bytes', {}, new Uint8Array([1, 2]), new Uint8Array([1, 2])],
	['a text that is JSON with a credential', {'content-type': 'text/plain'}, '{"password": "abc"}', 'REDACTED'],
	['JSON that is invalid', json, '{"password": "abc"', 'REDACTED'],
	['JSON that is too long', json, `{"password": "${'a'.repeat(300_000)}"}`, 'REDACTED'],
	['a compressed form', {...form, 'content-encoding': 'gzip'}, new Uint8Array([1, 2]), 'REDACTED'],
	['a form in another charset', {'content-type': 'application/x-www-form-urlencoded; charset=latin1'}, 'password=abc', 'REDACTED'],
	['a multipart body', multipart, '--x\r\ncontent-disposition: form-data; name="password"\r\n\r\nabc\r\n--x--\r\n', 'REDACTED'],
];

for (const [title, headers, body, normal, settings] of bodies) {
	test(`normalizeBody: ${title}`, t => {
		t.deepEqual(normalizeBody({
			method: 'POST', url: 'https://example.com', headers, body,
		}, settings), normal);
	});
}

test('normalizeBody returns nothing if there is no body, and an empty one as it is', t => {
	t.is(normalizeBody({url: 'https://example.com', headers: json}), undefined);
	t.is(normalizeBody({url: 'https://example.com', body: ''}), '');
});

test('normalizeRequest makes requests with one key the same, and shows no credential', t => {
	const one = normalizeRequest({
		method: 'post', url: 'https://me:pass@EXAMPLE.com/?b=2&a=1', headers: {...json, 'X-HTTP-Method': 'put'}, body: '{"b": 1, "a": 2}',
	});
	t.deepEqual(one, {
		method: 'POST:PUT',
		url: 'https://example.com/?a=1&b=2',
		headers: {authorization: 'REDACTED', 'content-type': 'application/json', 'x-http-method': 'put'},
		body: '{"a":2,"b":1}',
	});
	t.deepEqual(normalizeRequest({url: new URL('https://example.com')}), {method: 'GET', url: 'https://example.com/', headers: {}});
	t.throws(() => normalizeRequest({url: '/path'}), {instanceOf: TypeError, message: /`request\.url`/v});
	t.throws(() => normalizeRequest({url: 'https://example.com'}, {matchHeaders: true} as object), {instanceOf: TypeError, message: /`settings\.matchHeaders`/v});
});

test('what is normalized is normal, and what has one key is normalized to the same', t => {
	const name = fc.constantFrom('a', 'b', '%61', 'token', 'A');
	const pair = fc.tuple(name, fc.constantFrom('1', '', 'x%2fy', 'ä')).map(([key, value]) => `${key}=${value}`);
	fc.assert(fc.property(fc.array(pair, {maxLength: 5}), fc.array(pair, {maxLength: 5}), (first, second) => {
		const [one, other] = [first, second].map(list => `https://example.com/?${list.join('&')}`) as [string, string];
		const normal = normalizeUrl(one);
		t.is(normalizeUrl(normal), normal);
		const keyOf = (url: string): string => createKey({method: 'GET', url, headers: {}}, {partitionSecret: 'a'});
		t.true(keyOf(one) !== keyOf(other) || normal === normalizeUrl(other), `${one} ${other}`);
	}));
});

test('a response is redacted without the headers that hand out a credential', async t => {
	const url = 'https://me:pass@api.example.com/users?token=abc#x';
	const redacted = redactResponse({
		url,
		headers: {
			'Content-Type': 'text/plain', 'set-cookie': ['session=abc'], location: '/next?access_token=abc', 'x-auth-token': 'abc', 'x-trace': '5', link: ['<https://example.com/?page=2>', '<https://example.com/?sig=abc>'], ':status': '200',
		},
		request: {url, headers: {cookie: 'session=abc'}},
	}, {ignoredParameters: [...DEFAULT_IGNORED_PARAMETERS, 'x-trace']});
	t.deepEqual(redacted, {
		url: 'https://api.example.com/users?token=REDACTED',
		headers: {'content-type': 'text/plain', link: ['<https://example.com/?page=2>']},
		request: {method: 'GET', url: 'https://api.example.com/users?token=REDACTED', headers: {authorization: 'REDACTED', cookie: 'REDACTED'}},
	});
	t.false('request' in redactResponse({url, headers: {}}));
	t.throws(() => redactResponse({url, headers: 5 as never}), {instanceOf: TypeError, message: /`response\.headers`/v});
	t.throws(() => redactResponse({url: 'a', headers: {}}), {instanceOf: TypeError, message: /`response\.url`/v});
	t.throws(() => redactResponse({url, headers: {}, request: 5 as never}), {instanceOf: TypeError, message: /`response\.request`/v});

	const stored = await new HttpCache({store: 'memory', expireAfter: '1h'}).save({method: 'GET', url: 'https://api.example.com/?token=abc&user=5'}, {headers: {'x-user': '5'}});
	t.deepEqual(redactResponse(stored, {ignoredParameters: ['user', 'x-user']}), {
		url: 'https://api.example.com/?token=REDACTED&user=REDACTED',
		headers: {date: stored.headers.date!},
		request: {method: 'GET', url: 'https://api.example.com/?token=REDACTED&user=REDACTED', headers: {}},
	});
});

expectTypeOf<Parameters<typeof normalizeRequest>[0]>().toEqualTypeOf<DescribedRequest>();
expectTypeOf<ReturnType<typeof normalizeRequest>>().toEqualTypeOf<NormalizedRequest>();
expectTypeOf<Parameters<typeof normalizeUrl>>().toEqualTypeOf<[url: string | URL, settings?: NormalizeSettings | undefined]>();
expectTypeOf<ReturnType<typeof normalizeParams>>().toEqualTypeOf<string>();
expectTypeOf<ReturnType<typeof normalizeBody>>().toEqualTypeOf<string | Uint8Array | undefined>();
expectTypeOf<NormalizeSettings>().toHaveProperty('ignoredParameters');
expectTypeOf<'matchHeaders'>().not.toExtend<keyof NormalizeSettings>();
