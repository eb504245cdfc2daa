import {Buffer} from 'node:buffer';
import test from 'ava';
import {fc} from '../helpers/fast-check.ts';
import {createKey} from '../../source/index.ts';
import {compileIgnored, ignoredByDefault, type Ignored} from '../../source/identity/credentials.ts';
import {redactJson} from '../../source/identity/json.ts';
import {matchRequest} from '../../source/identity/key.ts';
import {
	partitionOf,
	recreatedKey,
	redactRequest,
	type StoredRequest,
} from '../../source/identity/stored-request.ts';
import type {IdentitySettings, KeyRequest} from '../../source/identity/key-parts.ts';
import {fieldsOf} from '../../source/entry/stored-response.ts';

const secret = 'a secret';
const byDefault: IdentitySettings = {matchHeaders: false, partitionBy: 'credentials', ignoredParameters: ignoredByDefault};
const url = 'https://api.test/a?b=2&a=1';

function ignoring(...parameters: ReadonlyArray<string | RegExp>): Ignored {
	return compileIgnored([...ignoredByDefault.names, ...parameters]) as Ignored;
}

function stored(request: Partial<KeyRequest>, settings: Partial<IdentitySettings> = {}): StoredRequest {
	const whole = {
		method: 'GET', url, headers: {}, ...request,
	};
	const match = {...byDefault, ...settings};
	const {hashed} = matchRequest(whole, match);
	return redactRequest(whole, match, hashed.length === 0 ? undefined : partitionOf(hashed, secret));
}

function rematched({rawHeaders, partition, ...request}: StoredRequest, settings: Partial<IdentitySettings> = {}): string | undefined {
	return recreatedKey({...request, headers: fieldsOf(rawHeaders)}, partition, {...byDefault, ...settings}, secret);
}

function keyOf(request: Partial<KeyRequest>, settings: Parameters<typeof createKey>[1] = {}): string {
	return createKey({
		method: 'GET', url, headers: {}, ...request,
	}, {partitionSecret: secret, ...settings});
}

const json = {'content-type': 'application/json'};
const form = {'content-type': 'application/x-www-form-urlencoded'};

const marked: ReadonlyArray<Partial<KeyRequest>> = [
	{url: 'https://api.test/?api_key=MARKER'},
	{url: 'https://MARKER:MARKER@api.test/#MARKER'},
	{headers: {authorization: 'Bearer MARKER'}},
	{headers: {'proxy-authorization': 'MARKER', cookie: 'a=MARKER', 'x-api-key': 'MARKER'}},
	{headers: {'x-session-id': 'MARKER', 'my-secret': ['MARKER', 'MARKER']}},
	{headers: {referer: 'https://MARKER@api.test/?access_token=MARKER', origin: 'https://MARKER@api.test'}},
	{method: 'POST', headers: json, body: '{"a": {"api_key": "MARKER", "b": [{"access_token": {"c": "MARKER"}}]}}'},
	{method: 'POST', headers: form, body: 'a=1&api_key=MARKER&access%5Ftoken=MARKER'},
	{method: 'POST', headers: {'content-type': 'multipart/form-data; boundary=x'}, body: '--x\r\n\r\nMARKER\r\n--x--'},
	{method: 'POST', headers: {'content-type': 'text/plain'}, body: 'MARKER'},
	{method: 'POST', headers: json, body: '{"api_key": MARKER'},
	{method: 'POST', headers: json, body: Buffer.from([0x4D, 0xFF])},
];

for (const request of marked) {
	test(`${JSON.stringify(request)} is stored without credentials`, t => {
		t.notRegex(JSON.stringify(stored(request)), /MARKER/v);
	});

	test(`${JSON.stringify(request)} has the same key when it is computed again`, t => {
		t.is(rematched(stored(request)), keyOf(request));
	});
}

test('the rest of a JSON body is stored unchanged', t => {
	const secretNames = new Set<string | number | undefined>(['k', 'outer']);
	const redact = (text: string): string | undefined => redactJson(text, path => secretNames.has(path.at(-1)));
	t.is(redact('{ "b": 1.0,\n "k" : [1, {"k": 2}], "a": "\\u0061" }'), '{ "b": 1.0,\n "k" : "REDACTED", "a": "\\u0061" }');
	t.is(redact('[{"outer": {"k": 1, "x": {"k": 2}}, "k": 3}, "k"]'), '[{"outer": "REDACTED", "k": "REDACTED"}, "k"]');
	t.is(redact('1'), '1');
	t.is(redact('{"k": 1'), undefined);
});

type Change = readonly [title: string, request: Partial<KeyRequest>, before: Partial<IdentitySettings>, after: Partial<IdentitySettings>, expected: Parameters<typeof createKey>[1] | 'dropped'];

const team = {headers: {'x-team': 'a'}};
const token = {headers: {authorization: 'Bearer one'}};

const changes: readonly Change[] = [
	['a header begins to count', team, {}, {matchHeaders: ['x-team']}, {matchHeaders: ['x-team']}],
	['a header ceases to count', team, {matchHeaders: ['x-team']}, {}, {}],
	['a parameter begins to be ignored', {}, {}, {ignoredParameters: ignoring('b')}, {ignoredParameters: [...ignoredByDefault.names, 'b']}],
	['a parameter that was ignored begins to count', {}, {ignoredParameters: ignoring('b')}, {}, 'dropped'],
	['a JSON field that was ignored begins to count', {method: 'POST', headers: json, body: '{"b":1}'}, {ignoredParameters: ignoring('$.b')}, {}, 'dropped'],
	['a form field that was ignored begins to count', {method: 'POST', headers: form, body: 'b=1'}, {ignoredParameters: ignoring('b')}, {}, 'dropped'],
	['a header that was ignored begins to count', team, {ignoredParameters: ignoring('x-team')}, {matchHeaders: true}, 'dropped'],
	['the order of parameters ceases to count', {}, {cacheControl: true}, {}, {}],
	['contentRootKey changes', {method: 'POST', headers: json, body: '{"data":{"b":1},"c":2}'}, {}, {contentRootKey: 'data', ignoredParameters: ignoring('c')}, {contentRootKey: 'data', ignoredParameters: [...ignoredByDefault.names, 'c']}],
	['all users begin to share', token, {}, {partitionBy: false}, {partitionBy: false}],
	['users no longer share, and the user of the request is unknown', token, {partitionBy: false}, {}, 'dropped'],
	['users no longer share, and the request had no user', {}, {partitionBy: false}, {}, {}],
	['tenants take the place of credentials', token, {}, {partitionBy: () => 'a'}, 'dropped'],
	['tenants are named for requests without credentials', team, {}, {partitionBy: request => String(request.headers['x-team'])}, {partitionBy: () => 'a'}],
	['a tenant stays the same', token, {partitionBy: () => 'a'}, {partitionBy: () => 'a', matchHeaders: ['x-team']}, {partitionBy: () => 'a', matchHeaders: ['x-team']}],
	['credentials take the place of tenants', token, {partitionBy: () => 'a'}, {}, 'dropped'],
	['a header that identifies the user begins to count twice', token, {}, {matchHeaders: ['authorization']}, 'dropped'],
	['a parameter of a path is redacted', {url: 'https://api.test/a;jsessionid=MARKER'}, {}, {}, {}],
	['a header that is a URL begins to count, and was stored incompletely', {headers: {referer: 'https://api.test/?access_token=MARKER'}}, {}, {matchHeaders: ['referer']}, 'dropped'],
	['lines of a header begin to count, and were not stored', {headers: {'x-team': ['a', 'b']}}, {ignoredParameters: ignoring('x-team')}, {matchHeaders: true}, 'dropped'],
	['lines of a credential begin to count, and were not stored', {headers: {cookie: ['a', 'b']}}, {partitionBy: false}, {}, 'dropped'],
	['TLS settings stay part of the key', {trust: 'one'}, {}, {matchHeaders: ['x-team'], partitionBy: false}, {matchHeaders: ['x-team'], partitionBy: false}],
];

for (const [title, request, before, after, expected] of changes) {
	test(`the key after a change of settings: ${title}`, t => {
		t.is(rematched(stored(request, before), after), expected === 'dropped' ? undefined : keyOf(request, expected));
	});
}

test('after any change of settings, a stored request has the key of a new one, or none', t => {
	const word = fc.constantFrom('a', 'b', 'api_key', 'x-team', 'authorization');
	const members = fc.dictionary(word, fc.constantFrom('1', '2', 'REDACTED'), {maxKeys: 4});
	const requests = fc.record({
		query: members, headers: members, body: fc.option(members, {nil: undefined}), isForm: fc.boolean(),
	}).map(({query, headers, body, isForm}): KeyRequest => ({
		method: body === undefined ? 'GET' : 'POST',
		url: `https://api.test/?${new URLSearchParams(query).toString()}`,
		headers: body === undefined ? headers : {...headers, ...(isForm ? form : json)},
		body: body && (isForm ? new URLSearchParams(body).toString() : JSON.stringify(body)),
	}));
	const settings = fc.record({
		matchHeaders: fc.constantFrom(true, false, ['x-team'], ['authorization']),
		partitionBy: fc.constantFrom('credentials' as const, false as const, ({headers}: KeyRequest) => String(headers['x-team'])),
		ignored: fc.subarray(['a', 'b', 'x-team', 'api_key', 'authorization']),
		cacheControl: fc.boolean(),
	});
	const understood = ({ignored, ...others}: typeof settings extends fc.Arbitrary<infer Value> ? Value : never): IdentitySettings => ({...others, ignoredParameters: compileIgnored(ignored) as Ignored});

	let known = 0;
	fc.assert(fc.property(requests, settings, settings, (request, before, after) => {
		const key = rematched(stored(request, understood(before)), understood(after));
		known += key === undefined ? 0 : 1;
		const {ignored, ...others} = after;
		t.true(key === undefined || key === keyOf(request, {...others, ignoredParameters: ignored}), JSON.stringify([request, before, after]));
	}), {numRuns: 3000});
	t.true(known > 300, `only ${known} keys were known`);
});
