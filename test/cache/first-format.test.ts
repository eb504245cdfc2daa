/* eslint-disable unicorn/prefer-https -- Both schemes are meant. */
import {Buffer} from 'node:buffer';
import {createHash} from 'node:crypto';
import test from 'ava';
import type {OptionsInit} from 'got';
import {
	cacheInfo,
	createKey,
	getCache,
	type CacheSettings,
	type KeyRequest,
} from '../../source/index.ts';
import {coreOf} from '../../source/cache/http-cache.ts';
import {storedResponse, type StoredResponse} from '../../source/entry/stored-response.ts';
import type {StoredRequest} from '../../source/identity/stored-request.ts';
import {createClient} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {temporaryFolder} from '../helpers/temporary-folder.ts';

/** A key of the first format. */
const formerKey = (text: string): string => `got-cache:1:${createHash('sha256').update(text).digest('hex')}`;

const now = Date.UTC(2026, 0, 1);

/** A request as the first format stored it. */
type Former = Omit<Partial<StoredRequest>, 'partition' | 'bodyParts' | 'trust'> & {
	readonly matchedBody?: readonly string[];
	readonly partition?: {readonly sealed: ReadonlyArray<readonly [string, string]>; readonly digest: string};
};

function former(request: Former, own: Partial<StoredResponse> = {}): StoredResponse {
	const whole = {
		method: 'GET', url: 'http://api.example/', rawHeaders: [], ...request,
	};
	return storedResponse({
		method: whole.method.split(':', 1)[0]!,
		url: whole.url,
		statusCode: 200,
		statusMessage: 'OK',
		rawHeaders: ['content-type', 'text/plain'],
		createdAt: now - 1000,
		initialAge: 0,
		expires: now + 60_000,
		retainUntil: undefined,
		decidedBy: 'user',
		generation: 'of-the-former',
		request: whole as unknown as StoredRequest,
		...own,
	}, Buffer.from('stored'));
}

const stores: ReadonlyArray<readonly [name: string, open: (folder: string) => CacheSettings]> = [
	['memory', () => ({store: 'memory'})],
	['a Map', () => ({store: new Map()})],
	['a Map of JSON', () => ({store: new Map(), serializer: 'json'})],
	['SQLite', folder => ({store: 'sqlite', cacheName: `${folder}/cache`})],
];

const allowing = {allowableMethods: ['GET', 'HEAD', 'POST'], partitionSecret: 'a'} as const;
const json = ['content-type', 'application/json'];
const form = 'application/x-www-form-urlencoded';
const post = (headers: readonly string[], rest: Former): Former => ({method: 'POST', rawHeaders: headers, ...rest});

/** A request in the first format, and the request that its entry answers by current keys; `dropped` where that cannot be known. */
const entries: ReadonlyArray<readonly [title: string, stored: Former, answers: Partial<KeyRequest> | 'dropped']> = [
	['a GET', {}, {}],
	['a GET with query parameters', {url: 'http://api.example/?b=1&a=2'}, {url: 'http://api.example/?a=2&b=1'}],
	['a HEAD', {method: 'HEAD'}, {method: 'HEAD'}],
	['headers that are not part of the key', {rawHeaders: ['user-agent', 'got', 'accept', 'text/html']}, {}],
	['a Host', {rawHeaders: ['host', 'a.example']}, {headers: {host: 'a.example'}}],
	['a `Host` equal to that of the URL', {rawHeaders: ['host', 'api.example']}, {}],
	['headers from which frameworks build URLs', {rawHeaders: ['x-forwarded-host', 'a.example']}, {headers: {'x-forwarded-host': 'a.example'}}],
	['a credential that the first format did not know', {rawHeaders: ['x-rapidapi-key', 'one']}, {headers: {'x-rapidapi-key': 'one'}}],
	['a credential in a query that the first format did not know', {url: 'http://api.example/?password=one'}, {url: 'http://api.example/?password=one'}],
	['a redacted credential that was not part of the key', {rawHeaders: ['authorization', 'REDACTED']}, 'dropped'],
	['a redacted credential in a query', {url: 'http://api.example/?api_key=REDACTED'}, 'dropped'],
	['a partition', {rawHeaders: ['authorization', 'REDACTED'], partition: {sealed: [['header', 'authorization']], digest: 'a'.repeat(64)}}, 'dropped'],
	['a certificate', {partition: {sealed: [['certificate', '0']], digest: 'a'.repeat(64)}}, 'dropped'],
	['JSON', post(json, {body: '{"b":1,"a":2}'}), {method: 'POST', headers: {'content-type': 'application/json'}, body: '{"a":2,"b":1}'}],
	['JSON with a Content-Language', post([...json, 'content-language', 'de'], {body: '{"a":1}'}), {method: 'POST', headers: {'content-type': 'application/json', 'content-language': 'de'}, body: '{"a":1}'}],
	['JSON with a credential that the first format did not know', post(json, {body: '{"password":"one"}'}), {method: 'POST', headers: {'content-type': 'application/json'}, body: '{"password":"one"}'}],
	['JSON with a credential that was redacted', post(json, {body: '{"api_key":"REDACTED"}'}), 'dropped'],
	['a form', post(['content-type', form], {body: 'b=1&a=2'}), {method: 'POST', headers: {'content-type': form}, body: 'a=2&b=1'}],
	['a form whose text was decoded', post(['content-type', `${form}; charset=iso-8859-1`], {body: 'a=é'}), 'dropped'],
	['JSON whose text was decoded', post(['content-type', 'application/json; charset=utf-16'], {body: '{}'}), 'dropped'],
	['JSON that is longer than the current limit', post(json, {body: `"${'x'.repeat(300_000)}"`}), 'dropped'],
	['parts of another body', post(['content-type', 'text/plain'], {matchedBody: ['bytes', 'a'.repeat(64)]}), 'dropped'],
	['an overriding method', post(['x-http-method-override', 'GET'], {method: 'POST:GET'}), {method: 'POST', headers: {'x-http-method-override': 'GET'}}],
	['one of two overriding methods', post(['x-http-method-override', 'GET', 'x-http-method-override', 'DELETE'], {method: 'POST:GET'}), 'dropped'],
	['one of a list of overriding methods', post(['x-http-method-override', 'GET, DELETE'], {method: 'POST:GET'}), 'dropped'],
	['HTTPS, whose TLS settings are unknown', {url: 'https://api.example/'}, 'dropped'],
	['no URL', {url: 'nowhere'}, 'dropped'],
];

for (const [name, open] of stores) {
	for (const [title, request, answers] of entries) {
		test(`${name}: an entry of the first format for ${title} is ${answers === 'dropped' ? 'dropped' : 'moved to its current key'}`, async t => {
			await using folder = await temporaryFolder();
			const {client} = createClient({...open(folder.path), ...allowing});
			await using cache = getCache(client);
			await coreOf(cache).managedEntries.write(formerKey(title), former(request, request.url === 'nowhere' ? {url: 'http://api.example/'} : {}));
			t.is(await cache.count(), 1);
			t.deepEqual(await cache.recreateKeys(), answers === 'dropped' ? {kept: 0, moved: 0, dropped: 1} : {kept: 0, moved: 1, dropped: 0});
			t.is(await cache.count(), answers === 'dropped' ? 0 : 1);
			const found = await cache.get(answers === 'dropped'
				? {url: 'http://api.example/'}
				: {
					key: createKey({
						method: 'GET', url: 'http://api.example/', headers: {}, ...answers,
					}, {partitionSecret: 'a'}),
				});
			t.is(found?.text(), answers === 'dropped' ? undefined : 'stored');
			t.deepEqual(await cache.recreateKeys(), {kept: answers === 'dropped' ? 0 : 1, moved: 0, dropped: 0});
		});
	}

	test(`${name}: an entry of the first format is a miss, and no error, before it is moved`, async t => {
		await using folder = await temporaryFolder();
		await using origin = await Origin.start((_request, response) => {
			response.end('sent');
		});
		const {client} = createClient({...open(folder.path), ...allowing});
		await using cache = getCache(client);
		const faults: unknown[] = [];
		for (const event of ['storeError', 'settingError', 'internalError'] as const) {
			cache.on(event, (fault: unknown) => {
				faults.push(fault);
			});
		}

		const core = coreOf(cache);
		for (const [title, request] of entries) {
			await core.managedEntries.write(formerKey(title), former({...request, url: `${origin.url}/`}));
		}

		t.is(await client(origin.url).text(), 'sent');
		t.true(await cache.contains({url: origin.url}));
		t.is(await cache.count(), entries.length + 1);
		await Array.fromAsync(cache.urls());
		await cache.toHar();
		t.true(await cache.delete({urls: [origin.url]}) >= 1);
		await cache.recreateKeys();
		t.deepEqual(faults, []);
		// An entry that was stored for another host is listed under its real one.
		t.true((await Array.fromAsync(cache.urls())).includes('http://a.example/'));
	});
}

test('variants of the first format move with their primary entry', async t => {
	await using origin = await Origin.start((request, response) => {
		response.writeHead(200, {vary: 'x-team'});
		response.end(`of ${String(request.headers['x-team'])}`);
	});
	const {client} = createClient(allowing);
	const cache = getCache(client);
	const core = coreOf(cache);
	const ask = async (team: string): Promise<{body: string; isFromCache: boolean}> => {
		const options: OptionsInit = {headers: {'x-team': team}};
		const {body, isFromCache} = await client(origin.url, options as object);
		return {body, isFromCache};
	};

	for (const team of ['a', 'b']) {
		await ask(team);
	}

	await cache.idle();
	// The keys of variants in the first format.
	const {key} = cacheInfo(await client(origin.url, {headers: {'x-team': 'a'}}));
	for (const [place, stored] of await Array.fromAsync(core.managedEntries.inspect(), entry => [entry.key, entry.stored!] as const)) {
		await core.managed.delete(place);
		await core.managedEntries.write(formerKey(place), {...stored, ...(stored.primary !== undefined && {primary: formerKey(key!)})});
	}

	t.deepEqual(await cache.recreateKeys(), {kept: 0, moved: 1, dropped: 0});
	for (const team of ['a', 'b']) {
		t.deepEqual(await ask(team), {body: `of ${team}`, isFromCache: true});
	}

	t.is(origin.count, 2);
});

test('a keyFn gets no request of the first format that is incomplete', async t => {
	const seen: string[] = [];
	const {client} = createClient({
		...allowing,
		keyFn({method, url}) {
			seen.push(`${method} ${url}`);
			return `mine:${method} ${url}`;
		},
	});
	const cache = getCache(client);
	for (const [title, request] of entries) {
		await coreOf(cache).managedEntries.write(formerKey(title), former(request, request.url === 'nowhere' ? {url: 'http://api.example/'} : {}));
	}

	await cache.recreateKeys();
	t.true(seen.length > 0 && seen.every(request => /^(?:GET|HEAD|POST(?::GET)?) http:/v.test(request) && !request.includes('REDACTED')), seen.join('\n'));
});
