import {readFileSync} from 'node:fs';
import test from 'ava';
import {fc} from '../helpers/fast-check.ts';
import {maxJsonLength} from '../../source/identity/json.ts';
import {createKey, type KeyRequest, type KeySettings} from '../../source/index.ts';

const partitionSecret = 'of the tests';
const keyOf = (request: Partial<KeyRequest>, settings: KeySettings = {}): string => createKey({
	method: 'GET',
	url: 'https://example.com/',
	headers: {},
	...request,
}, {partitionSecret, ...settings});

const url = (path: string): Partial<KeyRequest> => ({url: `https://example.com${path}`});
const body = (type: string, content: string | Uint8Array): Partial<KeyRequest> => ({method: 'POST', headers: {'content-type': type}, body: content});
const json = (content: string): Partial<KeyRequest> => body('application/json', content);
const form = (content: string): Partial<KeyRequest> => body('application/x-www-form-urlencoded', content);
const multipart = (boundary: string, content: string): Partial<KeyRequest> => body(`multipart/form-data; boundary="${boundary}"`, `--${boundary}\r\n${content}\r\n--${boundary}--\r\n`);
const header = (name: string, value: string | string[]): Partial<KeyRequest> => ({headers: {[name]: value}});
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

type Pair = readonly [title: string, one: Partial<KeyRequest>, other: Partial<KeyRequest>, settings?: KeySettings];

const same: readonly Pair[] = [
	['the letter case of scheme and host', {url: 'HTTPS://EXAMPLE.com'}, url('/')],
	['the default port', {url: 'https://example.com:443/'}, url('/')],
	['dot segments', url('/a/./b/../c'), url('/a/c')],
	['an IDN and its Punycode', {url: 'https://bücher.example/'}, {url: 'https://xn--bcher-kva.example/'}],
	['escapes of unreserved characters', url('/%7Ea?%61=%2d'), url('/~a?a=-')],
	['the letter case of escapes', url('/%c3%a4?a=%c3%a4'), url('/ä?a=ä')],
	['the order of parameters', url('/?b=2&a=1'), url('/?a=1&b=2')],
	['empty parameters', url('/?&a=1&&'), url('/?a=1')],
	['the fragment', url('/?a#b'), url('/?a')],
	['an ignored parameter', url('/?a=1&utm=2'), url('/?a=1'), {ignoredParameters: ['UTM']}],
	['an ignored parameter that is escaped', url('/?%75tm=2'), url('/'), {ignoredParameters: new Set(['utm'])}],
	['an ignored parameter by pattern', url('/?utm_source=1&utm_medium=2'), url('/?utm_x=3'), {ignoredParameters: [/^utm_/gv]}],
	['the letter case of the method', {method: 'get'}, {}],
	['the letter case of an override header\'s value', {method: 'POST', headers: {'X-HTTP-Method': 'put'}}, {method: 'POST', headers: {'x-http-method': 'PUT'}}],

	['the order of JSON members, at any depth', json('{"b":[{"d":1,"c":2}],"a":null}'), json('{"a":null,"b":[{"c":2,"d":1}]}')],
	['white space in JSON', json(' { "a" :\t[ 1 ,\r\n2 ] } '), json('{"a":[1,2]}')],
	['escapes in JSON strings', json(String.raw`{"\u0061":"\u00e4\/"}`), json('{"a":"ä/"}')],
	['the letter case of a type and of its charset', body('Application/JSON; Charset="UTF-8"', '{"a":1}'), body('application/json;charset=utf-8', '{"a":1}')],
	['the order of a type\'s parameters', body('text/plain; a=1; b=2', 'x'), body('text/plain;b=2;a=1', 'x')],
	['text and bytes of JSON', body('application/problem+json', '{"b":"ä","a":1}'), body('application/problem+json', bytes('{"a":1,"b":"ä"}'))],
	['an ignored member of JSON, however deep', json('{"a":[{"UTM":1,"b":2}]}'), json('{"a":[{"b":2}]}'), {ignoredParameters: ['utm']}],
	['an ignored member below the root', json('{"data":{"utm":1}}'), json('{"data":{}}'), {ignoredParameters: ['utm'], contentRootKey: 'data'}],
	['an ignored JSON path', json('{"a":{"id":1},"id":2}'), json('{"a":{"id":3},"id":2}'), {ignoredParameters: ['$.a.id']}],
	['a JSON path with steps of all kinds', json('{"a":[{"b c":1},{"b c":2}]}'), json('{"a":[{"b c":1},{"b c":3}]}'), {ignoredParameters: ['$[\'a\'][1]["b c"]']}],
	['a JSON path of any item', json('{"a":[{"b":1},{"b":2}]}'), json('{"a":[{"b":3},{"b":4}]}'), {ignoredParameters: ['$.a[*].b']}],
	['the order of a form', form('b=2&a=1'), form('a=1&b=2')],
	['ways to write a form\'s space', form('a=b+c'), form('a=b%20c')],
	['an ignored parameter of a form', form('a=1&utm=2'), form('a=1'), {ignoredParameters: ['utm']}],
	['the boundary', multipart('x', 'content-disposition: form-data; name="a"\r\n\r\n1'), multipart('--y', 'content-disposition: form-data; name="a"\r\n\r\n1')],
	['text and bytes', body('text/plain', 'ä'), body('text/plain', bytes('ä'))],

	['the Host of the URL, although it is listed', header('host', 'Example.com'), {}, {matchHeaders: ['host']}],
	['a number as a header', {headers: {'x-team': 5 as unknown as string}}, header('x-team', '5'), {matchHeaders: true}],
	['headers that are not matched', header('x-team', 'a'), {}],
	['the letter case of a header\'s name', header('X-Team', 'a'), header('x-team', 'a'), {matchHeaders: ['X-TEAM']}],
	['white space around the commas of a list, and its lines', header('x-team', 'a ,b'), header('x-team', ['a', 'b']), {matchHeaders: ['x-team']}],
	['the order and the letter case of content codings', header('accept-encoding', 'br, GZIP;q=0.5'), header('accept-encoding', 'gzip; q=0.5,br'), {matchHeaders: true}],
	['the letter case of languages', header('accept-language', 'de-AT, EN'), header('accept-language', 'de-at,en'), {matchHeaders: true}],
	['the order of matchHeaders', {headers: {a: '1', b: '2'}}, {headers: {b: '2', a: '1'}}, {matchHeaders: true}],
	['headers of the connection, and of caching', {
		headers: {
			connection: 'close', host: 'EXAMPLE.com:443', 'cache-control': 'no-cache', range: 'bytes=0-1', ':path': '/',
		},
	}, {}, {matchHeaders: true}],
	['ignored headers', header('X-Trace-Id', '1'), header('x-trace-id', '2'), {matchHeaders: true, ignoredParameters: [/^X-Trace/v]}],

	['credentials where they are shared', header('authorization', 'a'), header('authorization', 'b'), {partitionBy: false}],
	['credentials in a query where they are shared', url('/?api_key=a'), url('/?API_KEY=b'), {partitionBy: false}],
	['credentials of one tenant', {headers: {authorization: 'a', tenant: 't'}}, {headers: {authorization: 'b', tenant: 't'}}, {partitionBy: ({headers}) => String(headers.tenant)}],
	['the order of credentials', url('/?api_key=1&access_token=2'), url('/?access_token=2&api_key=1')],
	['the order of credentials in JSON', json('{"api_key":1,"access_token":2}'), json('{"access_token":2,"api_key":1}')],
];

for (const [title, one, other, settings] of same) {
	test(`${title}: the key is the same`, t => {
		t.is(keyOf(one, settings), keyOf(other, settings));
	});
}

const deep = '['.repeat(600);
const different: readonly Pair[] = [
	['a method override, and the method itself', {method: 'POST', headers: {'X-HTTP-Method-Override': 'GET'}}, {method: 'GET'}],
	['the header that overrides the method', {method: 'POST', headers: {'X-HTTP-Method-Override': 'put'}}, {method: 'POST', headers: {'x-http-method': 'PUT'}}],
	['the order of parameters, with cacheControl', url('/?a=1&b=2'), url('/?b=2&a=1'), {cacheControl: true}],
	['an empty parameter, with cacheControl', url('/?a=1&&b=2'), url('/?a=1&b=2'), {cacheControl: true}],
	['the method', {method: 'HEAD'}, {}],
	['the scheme', {url: 'http://localhost/'}, {url: 'https://localhost/'}],
	['the port', {url: 'https://example.com:444/'}, {}],
	['the letter case of a path', url('/A'), url('/a')],
	['an escape of a reserved character', url('/a%2Fb'), url('/a/b')],
	['a slash at the end', url('/a/'), url('/a')],
	['a parameter without a value', url('/?a'), url('/?a=')],
	['the order of a repeated parameter', url('/?a=1&a=2'), url('/?a=2&a=1')],
	['a repeated parameter', url('/?a=1&a=1'), url('/?a=1')],
	['a parameter with a similar name', url('/?utm2=1'), url('/'), {ignoredParameters: ['utm']}],

	['a body', {body: ''}, {}],
	['a GET\'s body', {body: 'a'}, {body: 'b'}],
	['a QUERY\'s body', {method: 'QUERY', body: 'a'}, {method: 'QUERY', body: 'b'}],
	['the type of a body', body('text/plain', '1'), body('text/html', '1')],
	['a parameter of a body\'s type', body('application/x-www-form-urlencoded; charset=iso-8859-1', 'a=%E9'), body('application/x-www-form-urlencoded; charset=windows-1251', 'a=%E9')],
	['the language of a body', {method: 'POST', headers: {'content-type': 'text/plain', 'content-language': 'de'}, body: 'a'}, body('text/plain', 'a')],
	['the content coding of a body', {headers: {'content-type': 'application/json', 'content-encoding': 'gzip'}, body: '1'}, {headers: {'content-type': 'application/json'}, body: '1'}],
	['numbers that a double cannot distinguish', json('{"a":9007199254740993}'), json('{"a":9007199254740992}')],
	['numbers beyond a double', json('[1e400]'), json('[1e401]')],
	['a number and a string', json('{"a":1}'), json('{"a":"1"}')],
	['the order of an array', json('[1,2]'), json('[2,1]')],
	['members of the same name', json('{"a":1,"a":2}'), json('{"a":2}')],
	['the order of members of the same name', json('{"a":1,"a":2}'), json('{"a":2,"a":1}')],
	['null and no member', json('{"a":null}'), json('{}')],
	['invalid JSON', json('{"b":1,"a":2'), json('{"a":2,"b":1')],
	['JSON that is not text', body('application/json', new Uint8Array([34, 255, 34])), body('application/json', new Uint8Array([34, 254, 34]))],
	['JSON in an unknown charset', body('application/json; charset=x', bytes('{ }')), body('application/json; charset=x', bytes('{}'))],
	['JSON that is too deep to be sorted', json(`${deep}{"a":1, "b":2}${']'.repeat(600)}`), json(`${deep}{"b":2, "a":1}${']'.repeat(600)}`)],
	['JSON that is too long to be sorted', json(`{"a":1,"b":"${'x'.repeat(maxJsonLength)}"}`), json(`{"b":"${'x'.repeat(maxJsonLength)}","a":1}`)],
	['a member that is ignored only below the root', json('{"utm":1,"data":{}}'), json('{"utm":2,"data":{}}'), {ignoredParameters: ['utm'], contentRootKey: 'data'}],
	['a member that is ignored only elsewhere', json('{"id":2}'), json('{"id":3}'), {ignoredParameters: ['$.a.id']}],
	['the place of an ignored item', json('[1,2]'), json('[2]'), {ignoredParameters: ['$[0]']}],
	['the order of a form\'s repeated parameter', form('a=1&a=2'), form('a=2&a=1')],
	['a form and a text', form('a=1'), body('text/plain', 'a=1')],
	['the parts of a multipart body', multipart('x', 'a'), multipart('x', 'b')],
	['the end of the parts of a multipart body', multipart('x', 'a\r\n--x\r\nb'), multipart('x', 'a\r\n--y\r\nb')],
	['text like a boundary within a line', multipart('x', 'a --x'), multipart('y', 'a --y')],
	['bytes', body('image/png', new Uint8Array([1])), body('image/png', new Uint8Array([2]))],

	['a matched header', header('x-team', 'a'), header('x-team', 'b'), {matchHeaders: true}],
	['the order of languages', header('accept-language', 'de, en'), header('accept-language', 'en, de'), {matchHeaders: true}],
	['the order of a header\'s list', header('x-team', 'b, a'), header('x-team', 'a, b'), {matchHeaders: true}],
	['white space in a quoted string', header('x-team', '"a  b"'), header('x-team', '"a b"'), {matchHeaders: true}],
	['the letter case of a matched header\'s value', header('x-team', 'a, b'), header('x-team', 'A, b'), {matchHeaders: ['x-team']}],
	['a missing matched header', header('x-team', ''), {}, {matchHeaders: ['x-team']}],
	['a secret header that is listed, although everything else is shared', header('authorization', 'a'), header('authorization', 'b'), {matchHeaders: ['Authorization'], partitionBy: false}],
	['a secret parameter that is not ignored, although everything else is shared', url('/?api_key=a'), url('/?api_key=b'), {ignoredParameters: [], partitionBy: false}],

	['the tenant', header('tenant', 'a'), header('tenant', 'b'), {partitionBy: ({headers}) => String(headers.tenant)}],
	['user info', {url: 'https://a:b@example.com/'}, {url: 'https://a:c@example.com/'}],
	['the TLS settings', {trust: 'a'}, {trust: 'b'}],
	['TLS settings that are not the defaults', {trust: 'a'}, {}],
	['a credential in a query', url('/?access_token=a'), url('/?access_token=b')],
	['a credential in a form', form('api_key=a'), form('api_key=b')],
	['a credential deep in JSON', json('{"a":[{"apikey":"a"}]}'), json('{"a":[{"apikey":"b"}]}')],
	['an ignored parameter named like a credential', url('/?session_id=a'), url('/?session_id=b'), {ignoredParameters: ['session_id']}],
	['a credential in a path', url('/a;jsessionid=a'), url('/a;jsessionid=b')],
	['the place of a credential in a path', url('/a;sid=a/b'), url('/a/b;sid=a')],
	['the order of two credentials in a path', url('/a;sid=a/b;token=b'), url('/a;token=b/b;sid=a')],
	['a parameter of a path', url('/a;v=1'), url('/a;v=2')],
	['a URL with a credential as a parameter', url('/?next=https://a:b@a.test'), url('/?next=https://a:c@a.test')],
	['a URL with a credential in JSON', json('{"a":"https://a:b@a.test"}'), json('{"a":"https://a:c@a.test"}')],
	['a credential after a semicolon', url('/?a=1;token=a'), url('/?a=1;token=b')],
	['a URL with a credential in a matched header', header('referer', 'https://a.test/?token=a'), header('referer', 'https://a.test/?token=b'), {matchHeaders: ['referer']}],
	['a URL with a credential in another target', header('x-original-url', '/?token=a'), header('x-original-url', '/?token=b')],
	['several lines of a credential, and one with a comma', header('cookie', ['a=1', 'b=2']), header('cookie', 'a=1, b=2')],
	['another Host, although it is listed', header('host', 'a.example'), {}, {matchHeaders: ['host']}],
	['white space in a credential', header('authorization', 'a'), header('authorization', 'a ')],
	...['Authorization', 'Proxy-Authorization', 'Cookie', 'X-API-Key', 'Api-Key', 'ApiKey', 'X-Auth-Token', 'X-Amz-Security-Token', 'X-Session-Id', 'Private-Token'].map((name): Pair => [`the credential \`${name}\``, header(name, 'a'), header(name, 'b')]),
];

for (const [title, one, other, settings] of different) {
	test(`${title}: the keys are different`, t => {
		t.not(keyOf(one, settings), keyOf(other, settings));
	});
}

test('only credentials are hashed with the secret', t => {
	const credentials = header('authorization', 'a');
	t.not(keyOf(credentials, {partitionSecret: 'a'}), keyOf(credentials, {partitionSecret: 'b'}));
	t.is(keyOf({}, {partitionSecret: 'a'}), keyOf({}, {partitionSecret: 'b'}));
	t.is(createKey({method: 'GET', url: 'https://a.test', headers: {cookie: 'a'}}), createKey({method: 'GET', url: 'https://a.test', headers: {cookie: 'a'}}));
});

const held: readonly Pair[] = [
	['in a path', url('/a;jsessionid=a'), {}],
	['in a URL that is a parameter', url('/?next=https://a:b@a.test'), {}],
	['in a path that is a parameter', form('next=/?token=a'), {}],
	['in a URL in JSON', json('{"a":["https://a:b@a.test"]}'), {}],
	['in JSON in JSON', json(String.raw`{"a":"{\"token\":1}"}`), {}],
	['behind a semicolon', url('/?a=1;token=a'), {}],
	['in a matched header', header('referer', 'https://a.test/?token=a'), {}, {matchHeaders: ['referer']}],
	['in another target', header('x-original-url', '/?token=a'), {}],
];

for (const [title, request, , settings] of held) {
	test(`a credential ${title} is hashed with the secret`, t => {
		t.not(keyOf(request, {...settings, partitionSecret: 'a'}), keyOf(request, {...settings, partitionSecret: 'b'}));
	});
}

test('values without a credential need no secret', t => {
	for (const request of [url('/a;v=1'), url('/?next=https://a.test/?page=2'), json('{"a":"https://a.test","b":"{}"}'), url('/?a=1;b=2'), header('x-original-url', '/?page=2')]) {
		t.is(keyOf(request, {partitionSecret: 'a'}), keyOf(request, {partitionSecret: 'b'}));
	}
});

test('invalid settings and requests are refused', t => {
	t.throws(() => keyOf({url: 'nowhere'}), {instanceOf: TypeError});
	t.throws(() => keyOf({}, {ignoredParameters: ['a', '$.']}), {instanceOf: TypeError, message: /ignoredParameters\[1\]/v});
	t.throws(() => keyOf({}, {partitionBy: () => undefined as unknown as string}), {instanceOf: TypeError, message: /partitionBy.*undefined/v});
	t.throws(() => keyOf({}, {partitionBy: () => null as unknown as string}), {instanceOf: TypeError, message: /null/v});
});

const golden = JSON.parse(readFileSync(new URL('golden-keys.json', import.meta.url), 'utf8')) as ReadonlyArray<{readonly request: KeyRequest; readonly settings: KeySettings; readonly key: string}>;

test('50 keys stay the same in every release with this format, on every machine', t => {
	t.is(golden.length, 50);
	t.is(new Set(golden.map(({key}) => key)).size, 50);
	t.deepEqual(golden.map(({request, settings}) => createKey(request, settings)), golden.map(({key}) => key));
});

const text = fc.string({unit: 'binary', maxLength: 8});
const word = fc.string({unit: fc.constantFrom(...String.raw`abcAB12%&=+ ä"\,;`), minLength: 1, maxLength: 6});
const uniqueParameters = fc.uniqueArray(fc.tuple(word, word), {selector: ([name]) => name, maxLength: 6});
const shuffled = <Item>(items: fc.Arbitrary<Item[]>): fc.Arbitrary<readonly [Item[], Item[]]> => items.chain(list => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, {minLength: list.length})));

test('reordering parameters, JSON members, headers and lists keeps the key', t => {
	fc.assert(fc.property(shuffled(uniqueParameters), pair => {
		const [query, otherQuery] = pair.map(list => url(`/?${list.map(part => part.map(side => encodeURIComponent(side)).join('=')).join('&')}`));
		t.is(keyOf(query!), keyOf(otherQuery!));
		const [one, other] = pair.map(list => json(`{${list.map(part => part.map(side => JSON.stringify(side)).join(': ')).join(', ')}}`));
		t.is(keyOf(one!), keyOf(other!));
		const [list, otherList] = pair.map(items => header(items === pair[0] ? 'Accept-Encoding' : 'accept-eNCODING', items.map(([name]) => ` ${encodeURIComponent(name)} `).join(',')));
		t.is(keyOf(list!, {matchHeaders: true}), keyOf(otherList!, {matchHeaders: true}));
	}), {numRuns: 300});
});

test('JSON with equal members has the same key at any depth', t => {
	const reversed = (value: unknown): unknown => {
		if (Array.isArray(value)) {
			return value.map(item => reversed(item));
		}

		return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).toReversed().map(([name, member]) => [name, reversed(member)])) : value;
	};

	fc.assert(fc.property(fc.jsonValue({noUnicodeString: false}), value => {
		t.is(keyOf(json(JSON.stringify(value))), keyOf(json(JSON.stringify(reversed(value), undefined, '\t'))));
	}), {numRuns: 300});
});

test('changing any matched part changes the key', t => {
	const parts = fc.record({
		path: word, name: word, value: word, json: text, header: word, credential: word,
	});
	const keyOfParts = (of: typeof parts extends fc.Arbitrary<infer Value> ? Value : never): string => keyOf({
		url: `https://example.com/${encodeURIComponent(of.path)}?${encodeURIComponent(of.name)}=${encodeURIComponent(of.value)}`,
		method: 'POST',
		headers: {'content-type': 'application/json', 'x-team': encodeURIComponent(of.header), authorization: of.credential},
		body: JSON.stringify({content: of.json}),
	}, {matchHeaders: ['x-team']});

	fc.assert(fc.property(parts, parts, (one, other) => {
		for (const part of Object.keys(one) as Array<keyof typeof one>) {
			const changed = {...one, [part]: other[part]};
			t.deepEqual([part, keyOfParts(changed) === keyOfParts(one)], [part, changed[part] === one[part]]);
		}
	}), {numRuns: 300});
});

test('no two of 100,000 requests have the same key', t => {
	const keys = new Set<string>();
	for (let index = 0; index < 100_000; index++) {
		const [low, high] = [index % 10, Math.floor(index / 10)];
		const requests: ReadonlyArray<() => Partial<KeyRequest>> = [
			() => url(`/${high}`),
			() => url(`/?${high}`),
			() => url(`/?${high}=`),
			() => url(`/?a=${high}&b`),
			() => json(String(high)),
			() => json(`{"a":"${high}"}`),
			() => form(String(high)),
			() => ({body: String(high)}),
			() => header('authorization', String(high)),
			() => url(`/?api_key=${high}`),
		];
		keys.add(keyOf(requests[low]!()));
	}

	t.is(keys.size, 100_000);
});
