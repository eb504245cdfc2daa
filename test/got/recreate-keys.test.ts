import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import got from 'got';
import {Keyv} from 'keyv';
import {
	cacheHooks,
	createKey,
	DEFAULT_IGNORED_PARAMETERS,
	getCache,
	type CacheSettings,
	type HttpCache,
	type Store,
} from '../../source/index.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {SqliteStore} from '../../source/stores/sqlite/store.ts';
import {Origin} from '../helpers/origin.ts';
import {testFolder} from '../helpers/temporary-folder.ts';

type Place = Store | Keyv;

const places: ReadonlyArray<readonly [name: string, open: (t: ExecutionContext) => Promise<Place>]> = [
	['memory', async () => new MemoryStore()],
	['sqlite', async t => {
		const folder = testFolder(t);
		const store = new SqliteStore({path: path.join(folder, 'cache.sqlite')});
		t.teardown(async () => store.close());
		return store;
	}],
	['a Keyv', async () => new Keyv({store: new Map()})],
];

function clientOf(store: Place, settings: CacheSettings = {}): {client: typeof got; cache: HttpCache} {
	const client = got.extend({retry: {limit: 0}}, cacheHooks({
		store, storeTimeout: 20_000, failFast: true, partitionSecret: 'secret', ...settings,
	}));
	return {client, cache: getCache(client)};
}

async function startOrigin(): Promise<Origin> {
	return Origin.start((request, response, body) => {
		if (request.url!.startsWith('/varies')) {
			response.setHeader('vary', 'accept-language');
		}

		response.end([request.url, request.headers['accept-language'], request.headers.authorization, body].join(' '));
	});
}

const ignoring = {ignoredParameters: [...DEFAULT_IGNORED_PARAMETERS, 'utm']};

for (const [name, open] of places) {
	test(`${name}: after a change of settings, stored responses are found by the new keys`, async t => {
		await using origin = await startOrigin();
		const store = await open(t);
		const before = clientOf(store);
		const users = ['one', 'two'].map(user => ({headers: {authorization: user}}));
		await before.client(`${origin.url}/a?utm=1&b=2`);
		for (const user of users) {
			await before.client(`${origin.url}/mine?utm=1`, user);
		}

		await before.client(`${origin.url}/same`);
		await before.cache.idle();

		const after = clientOf(store, ignoring);
		const progress: number[] = [];
		t.deepEqual(await after.cache.recreateKeys({
			onProgress(done) {
				progress.push(done);
			},
		}), {kept: 1, moved: 3, dropped: 0});
		t.deepEqual(progress, [1, 2, 3, 4]);

		const sent = origin.count;
		t.is(await after.client(`${origin.url}/a?b=2&utm=other`).text(), '/a?utm=1&b=2   ');
		for (const user of users) {
			t.is(await after.client(`${origin.url}/mine`, user).text(), `/mine?utm=1  ${user.headers.authorization} `);
		}

		await after.client(`${origin.url}/same`);
		t.is(origin.count, sent);
		t.false((await before.client(`${origin.url}/a?utm=1&b=2`)).isFromCache);
	});

	test(`${name}: a response whose key had a value that was not stored is deleted, and never served to another request`, async t => {
		await using origin = await startOrigin();
		const store = await open(t);
		const shared = clientOf(store, {...ignoring, partitionBy: false});
		await shared.client(`${origin.url}/a?utm=1`);
		await shared.client(`${origin.url}/mine`, {headers: {authorization: 'one'}});
		await shared.cache.idle();

		const parted = clientOf(store);
		t.deepEqual(await parted.cache.recreateKeys(), {kept: 0, moved: 0, dropped: 2});
		for (const user of ['one', 'two', 'REDACTED']) {
			t.is(await parted.client(`${origin.url}/mine`, {headers: {authorization: user}}).text(), `/mine  ${user} `);
		}
	});

	test(`${name}: the variants of a response get new keys, too`, async t => {
		await using origin = await startOrigin();
		const store = await open(t);
		const languages = ['de', 'en', 'fr'];
		const ask = async ({client}: {client: typeof got}, utm: string): Promise<string[]> => Array.fromAsync(
			languages,
			async language => client(`${origin.url}/varies?utm=${utm}`, {headers: {'accept-language': language}}).text(),
		);

		const before = clientOf(store);
		const answers = await ask(before, '1');
		await before.cache.idle();

		const after = clientOf(store, ignoring);
		t.deepEqual(await after.cache.recreateKeys(), {kept: 0, moved: 1, dropped: 0});
		t.deepEqual(await ask(after, '2'), answers);
		t.is(origin.count, 3);

		// The parameter that counts again has been redacted meanwhile.
		t.deepEqual(await before.cache.recreateKeys(), {kept: 0, moved: 0, dropped: 1});
		await ask(before, '1');
		t.is(origin.count, 6);
	});

	test(`${name}: of two entries that get the same key the newer one stays`, async t => {
		await using origin = await startOrigin();
		const store = await open(t);
		let now = Date.now();
		const before = clientOf(store, {now: () => now});
		for (const utm of ['1', '2', '3']) {
			await before.client(`${origin.url}/a?utm=${utm}`);
			now += 1000;
		}

		await before.cache.idle();
		const after = clientOf(store, {...ignoring, now: () => now});
		const {kept, moved, dropped} = await after.cache.recreateKeys();
		t.is(kept + moved + dropped, 3);
		t.is(await after.client(`${origin.url}/a`).text(), '/a?utm=3   ');
	});

	test(`${name}: a response that was deleted by a tag does not replace another one`, async t => {
		await using origin = await startOrigin();
		const store = await open(t);
		let now = Date.now();
		const before = clientOf(store, {now: () => now, tags: ({url}) => [new URL(url).searchParams.get('utm')!]});
		for (const utm of ['1', '2']) {
			await before.client(`${origin.url}/a?utm=${utm}`);
			now += 1000;
		}

		await before.cache.delete({tags: ['2']});
		const after = clientOf(store, {...ignoring, now: () => now});
		t.deepEqual(await after.cache.recreateKeys(), {kept: 0, moved: 1, dropped: 1});
		const response = await after.client(`${origin.url}/a`);
		t.true(response.isFromCache);
		t.is(response.body, '/a?utm=1   ');
	});

	test(`${name}: keys of another format are converted, and include bodies again`, async t => {
		await using origin = await startOrigin();
		const store = await open(t);
		const format = {allowableMethods: ['GET', 'POST'], keyFn: (request: Parameters<typeof createKey>[0]) => `old-format:${createKey(request)}`};
		const before = clientOf(store, format);
		await before.client(`${origin.url}/a`);
		await before.client.post(`${origin.url}/query`, {json: {b: 1, a: 2}});
		await before.client.post(`${origin.url}/query`, {body: 'text'});
		await before.cache.idle();

		const after = clientOf(store, {allowableMethods: ['GET', 'POST']});
		t.deepEqual(await after.cache.recreateKeys(), {kept: 0, moved: 3, dropped: 0});
		t.true((await after.client(`${origin.url}/a`)).isFromCache);
		t.true((await after.client.post(`${origin.url}/query`, {json: {a: 2, b: 1}})).isFromCache);
		t.true((await after.client.post(`${origin.url}/query`, {body: 'text'})).isFromCache);
		t.false((await after.client.post(`${origin.url}/query`, {body: 'other'})).isFromCache);
	});

	test(`${name}: entries that exchange their keys both remain`, async t => {
		await using origin = await startOrigin();
		const store = await open(t);
		const names = new Map([['/a', 'first'], ['/b', 'second'], ['/c', 'third']]);
		const keyFn = ({url}: {url: string}): string => names.get(new URL(url).pathname)!;
		const before = clientOf(store, {keyFn});
		for (const resource of names.keys()) {
			await before.client(origin.url + resource);
		}

		await before.cache.idle();
		names.set('/a', 'second').set('/b', 'third').set('/c', 'first');
		const after = clientOf(store, {keyFn});
		t.deepEqual(await after.cache.recreateKeys(), {kept: 0, moved: 3, dropped: 0});
		for (const resource of names.keys()) {
			const {body, isFromCache} = await after.client(origin.url + resource);
			t.deepEqual([body, isFromCache], [`${resource}   `, true]);
		}
	});
}

test('a newly ignored parameter is redacted in stored responses, even if their keys stay the same', async t => {
	await using origin = await startOrigin();
	const map = new Map<string, unknown>();
	const store = new Keyv({store: map});
	const headers = {'x-note': 'MARKER', 'accept-language': 'de'};
	// Not as base64: it is read here.
	const readable = {serializer: 'json'} as const;
	const before = clientOf(store, readable);
	for (const language of ['de', 'en']) {
		await before.client(`${origin.url}/varies`, {headers: {...headers, 'accept-language': language}});
	}

	await before.cache.idle();
	const after = clientOf(store, {...readable, ignoredParameters: [...DEFAULT_IGNORED_PARAMETERS, 'x-note']});
	t.regex(JSON.stringify([...map]), /MARKER/v);
	t.deepEqual(await after.cache.recreateKeys(), {kept: 1, moved: 0, dropped: 0});
	t.notRegex(JSON.stringify([...map]), /MARKER/v);
	t.true((await after.client(`${origin.url}/varies`, {headers})).isFromCache);
});

test('a signal ends recreateKeys, and a keyFn never gets an incomplete request', async t => {
	await using origin = await startOrigin();
	const store = new MemoryStore();
	const before = clientOf(store);
	await before.client(`${origin.url}/a`);
	await before.client(`${origin.url}/mine`, {headers: {authorization: 'one'}});
	await before.cache.idle();

	const seen: unknown[] = [];
	const after = clientOf(store, {
		keyFn({headers, url}) {
			seen.push(headers.authorization);
			return `mine:${url}`;
		},
	});
	await t.throwsAsync(after.cache.recreateKeys({signal: AbortSignal.abort(new Error('enough'))}), {message: 'enough'});
	t.deepEqual(await after.cache.recreateKeys(), {kept: 0, moved: 1, dropped: 1});
	t.deepEqual(seen, [undefined]);
});
