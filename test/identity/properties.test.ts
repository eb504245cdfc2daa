import {Buffer} from 'node:buffer';
import process from 'node:process';
import test from 'ava';
import {fc} from '../helpers/fast-check.ts';
import {createKey, type KeyRequest, type KeySettings} from '../../source/index.ts';
import {identify} from '../../source/identity/identify.ts';
import {compileIgnored, ignoredByDefault, type Ignored} from '../../source/identity/credentials.ts';
import {describedRequest} from '../../source/identity/sent-request.ts';
import {recreatedKey} from '../../source/identity/stored-request.ts';
import type {KeySettingsOfCache} from '../../source/identity/key-parts.ts';
import {fieldsOf} from '../../source/entry/stored-response.ts';

const seed = 20_261_600;
const partitionSecret = 'of the tests';

type Pairs = ReadonlyArray<readonly [name: string, value: string]>;
type Body =
	| {readonly as: 'none'}
	| {readonly as: 'text'; readonly type: string; readonly content: string}
	| {readonly as: 'json' | 'form' | 'parts'; readonly members: Pairs};

/** The meaning of a request, regardless of its spelling. */
type Meant = {
	readonly method: string;
	readonly override: readonly [name: string, method: string] | undefined;
	readonly scheme: 'http' | 'https';
	readonly connection: string;
	readonly path: string;
	readonly query: Pairs;
	readonly host: string | undefined;
	readonly forwarded: readonly [name: string, value: string] | undefined;
	readonly trust: string | undefined;
	readonly credential: readonly [name: string, value: string] | undefined;
	readonly language: string | undefined;
	readonly body: Body;
};

/** The spelling of a request. */
type Spelling = {
	readonly capitals: boolean;
	readonly port: boolean;
	readonly fragment: string;
	readonly boundary: string;
	readonly bytes: boolean;
	readonly escapes: boolean;
	readonly noise: Readonly<Record<string, string>>;
	readonly order: number;
};

const word = fc.string({unit: fc.constantFrom('a', 'b', 'c', '1', '-', 'ä'), minLength: 1, maxLength: 4});
const parameterName = fc.constantFrom('a', 'b', 'c', 'page_token', 'state', 'access_token', 'code', 'password');
const pairs = fc.uniqueArray(fc.tuple(parameterName, word), {selector: ([name]) => name, maxLength: 4});

const meant: fc.Arbitrary<Meant> = fc.record({
	method: fc.constantFrom('GET', 'POST', 'PUT', 'QUERY'),
	override: fc.option(fc.tuple(fc.constantFrom('x-http-method-override', 'x-http-method', 'x-method-override'), fc.constantFrom('GET', 'PUT', 'DELETE')), {nil: undefined}),
	scheme: fc.constantFrom('http', 'https'),
	connection: fc.constantFrom('api.example', '127.0.0.1', '[::1]', 'b.example'),
	path: fc.constantFrom('/', '/a', '/a/', '/A', '/a%2Fb', '/ü'),
	query: pairs,
	host: fc.option(fc.constantFrom('a.example', 'b.example', 'a.example:8080', '[::2]', 'no host', ''), {nil: undefined}),
	forwarded: fc.option(fc.tuple(fc.constantFrom('x-forwarded-host', 'x-original-url', 'x-rewrite-url', 'forwarded'), word), {nil: undefined}),
	trust: fc.option(fc.constantFrom('one', 'two'), {nil: undefined}),
	credential: fc.option(fc.tuple(fc.constantFrom('authorization', 'cookie', 'x-api-key', 'x-otp'), word), {nil: undefined}),
	language: fc.option(fc.constantFrom('de', 'en'), {nil: undefined}),
	body: fc.oneof(
		fc.constant({as: 'none'} as const),
		fc.record({as: fc.constant('text' as const), type: fc.constantFrom('text/plain', 'text/plain; charset=utf-8', 'text/plain; charset=iso-8859-1', 'text/html'), content: word}),
		fc.record({as: fc.constantFrom('json', 'form', 'parts'), members: pairs}),
	),
});

const spelling: fc.Arbitrary<Spelling> = fc.record({
	capitals: fc.boolean(),
	port: fc.boolean(),
	fragment: fc.constantFrom('', '#', '#part'),
	boundary: fc.constantFrom('x', 'other', '----1234'),
	bytes: fc.boolean(),
	escapes: fc.boolean(),
	noise: fc.dictionary(fc.constantFrom('user-agent', 'accept', 'x-request-number', 'cache-control', 'x-forwarded-for'), word),
	order: fc.nat(5),
});

function rotated(items: Pairs, by: number): Pairs {
	const at = items.length === 0 ? 0 : by % items.length;
	return [...items.slice(at), ...items.slice(0, at)];
}

/** All characters as escapes, or those alone that have to be. */
function escaped(text: string, isAll: boolean): string {
	const whole = encodeURIComponent(text);
	return isAll ? whole.matchAll(/%[\dA-F]{2}|./gv).map(([part]) => part.length === 3 ? part.toLowerCase() : `%${part.codePointAt(0)!.toString(16)}`).toArray().join('') : whole;
}

function content(body: Body, {boundary, escapes, order}: Spelling): {readonly type?: string; readonly text?: string} {
	switch (body.as) {
		case 'none': {
			return {};
		}

		case 'text': {
			return {type: body.type, text: body.content};
		}

		case 'json': {
			return {type: escapes ? 'Application/JSON' : 'application/json', text: `{${rotated(body.members, order).map(([name, value]) => `${escapes ? ' ' : ''}${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`};
		}

		case 'form': {
			return {type: 'application/x-www-form-urlencoded', text: rotated(body.members, order).map(pair => pair.map(part => escaped(part, escapes)).join('=')).join('&')};
		}

		case 'parts': {
			// Their order counts.
			return {type: `multipart/form-data; boundary="${boundary}"`, text: `${body.members.map(([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`).join('')}--${boundary}--\r\n`};
		}

		default: {
			return body satisfies never;
		}
	}
}

function written(request: Meant, how: Spelling): KeyRequest {
	const {type, text} = content(request.body, how);
	const headers: Record<string, string> = {...how.noise};
	const set = (name: string, value: string | undefined): void => {
		if (value !== undefined) {
			headers[how.capitals ? name.toUpperCase() : name] = value;
		}
	};

	const authority = `${how.capitals ? request.connection.toUpperCase() : request.connection}${how.port ? (request.scheme === 'http' ? ':80' : ':443') : ''}`;
	set('content-type', type);
	set('content-language', text === undefined ? undefined : request.language);
	// The authority itself is as good as none.
	set('host', request.host ?? (how.port ? authority : undefined));
	set(request.override?.[0] ?? '', request.override?.[1]);
	set(request.forwarded?.[0] ?? '', request.forwarded?.[1]);
	set(request.credential?.[0] ?? '', request.credential?.[1]);
	const query = request.query.map(pair => pair.map(part => escaped(part, how.escapes)).join('=')).join('&');
	return {
		method: how.capitals ? request.method.toLowerCase() : request.method,
		url: `${request.scheme}://${authority}${request.path}${query === '' ? '' : '?'}${query}${how.fragment}`,
		headers,
		body: text !== undefined && how.bytes ? Buffer.from(text) : text,
		trust: request.trust,
	};
}

const settings: ReadonlyArray<readonly [title: string, settings: KeySettings]> = [
	['default settings', {}],
	['cacheControl: true', {cacheControl: true}],
	['shared by all users', {partitionBy: false, ignoredParameters: []}],
];

/** Returns the parts of a request that count. */
function counted({body, language, query, credential, host, connection, scheme, ...request}: Meant, title: string): string {
	const sorted = (items: Pairs): Pairs => items.toSorted(([one], [other]) => one < other ? -1 : 1);
	const hasOrder = title === 'cacheControl: true' ? (items: Pairs): Pairs => items.filter(([name]) => name !== 'access_token' && name !== 'code' && name !== 'password') : sorted;
	return JSON.stringify({
		...request,
		scheme,
		connection,
		host: host === connection ? undefined : host,
		query: [hasOrder(query), sorted(query)],
		body: body.as === 'json' || body.as === 'form' ? {...body, members: sorted(body.members)} : body,
		language: body.as === 'none' ? undefined : language,
		credential: title === 'shared by all users' ? undefined : credential,
	});
}

// A property costs a second for a thousand requests: CI and the nightly run try more of them.
const rounds = process.env.CI === undefined && process.env.FUZZ === undefined ? 1 : 3;

for (const [title, own] of settings) {
	const keyOf = (request: KeyRequest): string => createKey(request, {partitionSecret, ...own});

	test(`${title}: the key does not depend on the spelling of a request`, t => {
		t.log(`seed ${seed}`);
		fc.assert(fc.property(meant, spelling, spelling, (request, one, other) => {
			t.is(keyOf(written(request, one)), keyOf(written(request, other)));
		}), {seed, numRuns: 1000 * rounds});
	});

	test(`${title}: two different requests have different keys`, t => {
		t.log(`seed ${seed}`);
		fc.assert(fc.property(meant, meant, spelling, spelling, (request, other, one, another) => {
			t.is(keyOf(written(request, one)) === keyOf(written(other, another)), counted(request, title) === counted(other, title));
		}), {seed, numRuns: 1000 * rounds});
	});

	test(`${title}: the key changes with each part of a request`, t => {
		t.log(`seed ${seed}`);
		fc.assert(fc.property(meant, meant, spelling, spelling, (request, other, one, another) => {
			for (const part of Object.keys(request) as Array<keyof Meant>) {
				const changed: Meant = {...request, [part]: other[part]};
				t.deepEqual([part, keyOf(written(request, one)) === keyOf(written(changed, another))], [part, counted(request, title) === counted(changed, title)]);
			}
		}), {seed, numRuns: 1000});
	});

	test(`${title}: the key of a cache is that of createKey, and can be made again from the stored request`, async t => {
		t.log(`seed ${seed}`);
		const compiled: Ignored = own.ignoredParameters === undefined ? ignoredByDefault : compileIgnored([]) as Ignored;
		const ofCache: KeySettingsOfCache = {
			matchHeaders: false, partitionBy: own.partitionBy ?? 'credentials', ignoredParameters: compiled, cacheControl: own.cacheControl, keyFn: undefined,
		};
		await fc.assert(fc.asyncProperty(meant, spelling, async (request, how) => {
			const {trust, ...sent} = written(request, how);
			const identity = identify({...describedRequest(sent), trust}, ofCache);
			const key = await identity.key(() => partitionSecret);
			t.is(key, keyOf({...sent, trust}));
			const {partition, rawHeaders, ...stored} = await identity.stored(() => partitionSecret);
			t.is(recreatedKey({...stored, headers: fieldsOf(rawHeaders)}, partition, ofCache, partitionSecret), key);
		}), {seed, numRuns: 1000});
	});
}
