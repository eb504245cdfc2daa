import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {setImmediate as turn} from 'node:timers/promises';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import type {PlainResponse} from 'got';
import Keyv from 'keyv';
import {
	cacheInfo,
	createStore,
	getCache,
	HttpCache,
	SerializerPipeline,
	type CacheSettings,
	type Store,
} from '../../source/index.ts';
import {answeringStore, type Operation} from '../helpers/answering-store.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {until} from '../helpers/until.ts';
import {temporaryFolder} from '../helpers/temporary-folder.ts';

type Case = {
	readonly title: string;
	readonly settings: (folder: string) => CacheSettings | Promise<CacheSettings>;
	readonly reason: string;
	readonly body?: string;
};

const failing = (failures: readonly Operation[], fail: () => unknown): Store => answeringStore((operation, action) => failures.includes(operation) ? fail() as never : action());

const throwing = (): never => {
	throw new Error('no');
};

const rejecting = async (): Promise<never> => {
	throw new Error('no');
};

const rejectingLate = async (): Promise<never> => {
	for (let turns = 0; turns < 20; turns++) {
		await turn();
	}

	throw new Error('no');
};

const keyvThat = (set: () => unknown): Keyv => new Keyv({
	store: {
		opts: {}, get: async () => undefined, set, delete: async () => true, clear: async () => undefined, on() {},
	},
});

/** A path below a file, where no folder can be made. */
async function belowFile(folder: string): Promise<string> {
	const file = path.join(folder, 'file');
	await writeFile(file, '');
	return path.join(file, 'below', 'cache.sqlite');
}

async function emptySqlite(folder: string): Promise<string> {
	const file = path.join(folder, 'cache.sqlite');
	const store = createStore('sqlite', {path: file});
	await store.set('key', new Uint8Array(1), {expires: undefined});
	await store.close();
	return file;
}

const large = 'x'.repeat(1_200_000);

const cases: readonly Case[] = [
	{title: 'SQLite in a folder that cannot be made', settings: async folder => ({store: createStore('sqlite', {path: await belowFile(folder)})}), reason: 'store-error'},
	{title: 'files in a folder that cannot be made', settings: async folder => ({store: createStore('filesystem', {path: await belowFile(folder)})}), reason: 'store-error'},
	{title: 'a Redis that refuses connections', settings: () => ({store: 'redis://127.0.0.1:1'}), reason: 'store-error'},
	{title: 'a store of which everything throws', settings: () => ({store: failing(['get', 'set', 'delete'], throwing)}), reason: 'store-error'},
	{title: 'a store of which everything rejects', settings: () => ({store: failing(['get', 'set', 'delete'], rejecting)}), reason: 'store-error'},
	{title: 'a store of which `set` throws', settings: () => ({store: failing(['set'], throwing)}), reason: 'store-error'},
	{title: 'a store of which `set` rejects', settings: () => ({store: failing(['set'], rejecting)}), reason: 'store-error'},
	{title: 'a store of which `set` rejects late', settings: () => ({store: failing(['set'], rejectingLate)}), reason: 'store-error'},
	{title: 'a store of which `set` hangs', settings: () => ({store: failing(['set'], async () => new Promise(() => {})), storeTimeout: 20}), reason: 'store-error'},
	{title: 'a store of which `set` returns false', settings: () => ({store: failing(['set'], () => false)}), reason: 'store-error'},
	{title: 'a store of which `set` resolves to false', settings: () => ({store: failing(['set'], async () => false)}), reason: 'store-error'},
	{title: 'a Keyv adapter of which `set` throws', settings: () => ({store: keyvThat(throwing)}), reason: 'store-error'},
	{title: 'a Keyv adapter of which `set` rejects', settings: () => ({store: keyvThat(rejecting)}), reason: 'store-error'},
	{title: 'a Keyv adapter of which `set` resolves to false', settings: () => ({store: keyvThat(async () => false)}), reason: 'store-error'},
	{
		title: 'SQLite on a file that may only be read', settings: async folder => ({store: createStore('sqlite', {path: await emptySqlite(folder), readOnly: true})}), reason: 'store-error',
	},
	{
		title: 'a serializer that throws',
		settings: () => ({
			store: failing([], throwing), serializer: new SerializerPipeline([{
				name: 'failing', takes: 'json', gives: 'text', dumps: throwing, loads: throwing,
			}]),
		}),
		reason: 'store-error',
	},
	{title: 'a memory that is too small', settings: () => ({maxBytes: 100}), reason: 'too-large'},
	{
		title: 'SQLite that is too small', settings: folder => ({store: createStore('sqlite', {path: path.join(folder, 'cache.sqlite'), maxBytes: 1_048_576})}), reason: 'too-large', body: large,
	},
	{
		title: 'files that are too small', settings: folder => ({store: createStore('filesystem', {path: folder, maxCacheBytes: 1_048_576})}), reason: 'too-large', body: large,
	},
	{
		title: 'a response over `maxEntryBytes`', settings: () => ({maxEntryBytes: 100}), reason: 'too-large', body: 'x'.repeat(1000),
	},
	{title: 'a read-only cache', settings: () => ({readOnly: true}), reason: 'read-only'},
	{
		title: 'a filter that refuses the response', settings: () => ({filterFn: () => false}), reason: 'filtered',
	},
	{
		title: 'tags that fail', settings: () => ({tags: throwing}), reason: 'filtered',
	},
];

type Api = (client: ReturnType<typeof createClient>['client'], url: string) => Promise<PlainResponse>;

const promise: Api = async (client, url) => client(url);

const stream: Api = async (client, url) => {
	const reading = client.stream(url);
	await readStream(reading);
	return reading.response!;
};

const apis: ReadonlyArray<readonly [name: string, api: Api]> = [['promise', promise], ['stream', stream]];

const requests = 7;

for (const {title, settings, reason, body = 'body'} of cases) {
	for (const [name, api] of apis) {
		test(`nothing says of a response that it is stored if the store has not taken it: ${title}, ${name} API`, async t => {
			await using folder = await temporaryFolder();
			await mkdir(folder.path, {recursive: true});
			await using origin = await Origin.start((_request, response) => {
				response.end(body);
			});
			const {client} = createClient(await settings(folder.path));
			const cache = getCache(client);
			const events: string[] = [];
			for (const event of ['stored', 'refused'] as const) {
				cache.on(event, payload => {
					events.push(`${event} ${payload.reason}`);
				});
			}

			cache.on('storeError', () => {});
			const published: unknown[] = [];
			const note = (message: unknown): void => {
				if ((message as {url: string}).url.startsWith(origin.url)) {
					published.push(message);
				}
			};

			subscribe('got-cache-hooks:stored', note);
			t.teardown(() => {
				unsubscribe('got-cache-hooks:stored', note);
			});
			for (let index = 0; index < requests; index++) {
				const response = await api(client, `${origin.url}/${index}`);
				const early = cacheInfo(response).stored;
				t.true(early === undefined || early === reason, String(early));
				t.false(name === 'promise' && response.headers['cache-status']!.includes('stored'));
				await cache.idle();
				t.like(cacheInfo(response), {
					stored: reason, createdAt: undefined, expires: undefined, fromCache: false, reason: 'miss',
				});
				t.is(response.headers['cache-status'], 'got-cache-hooks;fwd=uri-miss;fwd-status=200');
				t.false(response.rawHeaders.some(text => text.includes('stored')));
			}

			t.deepEqual(events, Array.from({length: requests}, () => `refused ${reason}`));
			t.deepEqual(published, []);
			t.like(cache.stats(), {stored: 0, refused: requests, refusedByReason: {[reason]: requests}});
			t.is(origin.count, requests);
			await cache.close();
		});
	}
}

for (const [name, instance] of majors) {
	for (const [title, settings, isCoded] of [
		['memory', () => ({}), true],
		['SQLite', (folder: string) => ({store: createStore('sqlite', {path: path.join(folder, 'cache.sqlite')})}), true],
		['files', (folder: string) => ({store: createStore('filesystem', {path: folder})}), false],
	] as const) {
		for (const [apiName, api] of apis) {
			test(`${name}: a response that is expected to be stored is called stored at once: ${title}, ${apiName} API`, async t => {
				await using folder = await temporaryFolder();
				await using origin = await Origin.start((_request, response) => {
					if (isCoded) {
						response.setHeader('content-encoding', 'gzip');
					}

					response.end(isCoded ? gzipSync('body') : 'body');
				});
				const {client} = createClient(settings(folder.path), instance);
				const cache = getCache(client);
				const response = await api(client, origin.url);
				t.is(cacheInfo(response).stored, 'stored');
				t.is(response.headers['cache-status'], 'got-cache-hooks;fwd=uri-miss;fwd-status=200;stored');
				await cache.idle();
				t.is(cacheInfo(response).stored, 'stored');
				t.like(cache.stats(), {stored: 1, refused: 0});
				await cache.close();
			});
		}
	}
}

for (const [apiName, api] of apis) {
	test(`the first response is called stored once a store has it of which nothing is known before, and a later one is not any more when the store refuses it, ${apiName} API`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.setHeader('Cache-Status', 'cdn;fwd=miss');
			response.end('body');
		});
		const gates: Array<PromiseWithResolvers<void>> = [];
		const {client} = createClient({
			store: answeringStore(async (operation, action) => {
				if (operation === 'set') {
					const gate = Promise.withResolvers<void>();
					gates.push(gate);
					await gate.promise;
				}

				return action();
			}),
		});
		const cache = getCache(client);
		cache.on('storeError', () => {});
		const first = await api(client, `${origin.url}/1`);
		t.is(cacheInfo(first).stored, undefined);
		t.is(first.headers['cache-status'], 'cdn;fwd=miss, got-cache-hooks;fwd=uri-miss;fwd-status=200');
		gates[0]!.resolve();
		await cache.idle();
		t.is(cacheInfo(first).stored, 'stored');
		t.is(first.headers['cache-status'], 'cdn;fwd=miss, got-cache-hooks;fwd=uri-miss;fwd-status=200;stored');
		t.true(first.rawHeaders.includes('got-cache-hooks;fwd=uri-miss;fwd-status=200;stored'));

		const second = await api(client, `${origin.url}/2`);
		t.is(cacheInfo(second).stored, 'stored');
		gates[1]!.reject(new Error('no'));
		await cache.idle();
		t.like(cacheInfo(second), {stored: 'store-error', createdAt: undefined});
		t.is(second.headers['cache-status'], 'cdn;fwd=miss, got-cache-hooks;fwd=uri-miss;fwd-status=200');

		const third = await api(client, `${origin.url}/3`);
		t.is(cacheInfo(third).stored, undefined);
		gates[2]!.resolve();
		await cache.idle();
		t.is(cacheInfo(third).stored, 'stored');
		t.like(cache.stats(), {stored: 2, refused: 1, refusedByReason: {'store-error': 1}});
	});
}

test('a 304 whose response could not be stored is served as stored before, and is no stored response', async t => {
	await using origin = await Origin.start((request, response) => {
		response.setHeader('ETag', '"1"');
		response.statusCode = request.headers['if-none-match'] === undefined ? 200 : 304;
		response.end(request.headers['if-none-match'] === undefined ? 'body' : undefined);
	});
	let isFailing = false;
	const {client, clock} = createClient({
		store: answeringStore(async (operation, action) => {
			if (isFailing && operation === 'set') {
				throw new Error('no');
			}

			return action();
		}),
	});
	const cache = getCache(client);
	cache.on('storeError', () => {});
	const events: string[] = [];
	for (const event of ['stored', 'refused'] as const) {
		cache.on(event, ({reason}) => {
			events.push(`${event} ${reason}`);
		});
	}

	await client(origin.url);
	await cache.idle();
	clock.advance(600);
	const freshened = await client(origin.url);
	await cache.idle();
	t.like(cacheInfo(freshened), {reason: 'revalidated', fromCache: true, stored: undefined});
	clock.advance(600);
	isFailing = true;
	const unstored = await client(origin.url);
	await cache.idle();
	t.is(unstored.body, 'body');
	t.like(cacheInfo(unstored), {
		reason: 'revalidated', fromCache: true, stored: 'store-error', createdAt: new Date(clock.now()),
	});
	t.false(unstored.headers['cache-status']!.includes('stored'));
	t.deepEqual(events, ['stored stored', 'stored revalidated', 'refused store-error']);
	t.like(cache.stats(), {stored: 2, refused: 1});
});

test('requests that wait for a response get it, whether the store takes it or not', async t => {
	const gate = Promise.withResolvers<void>();
	await using origin = await Origin.start((_request, response) => {
		void (async () => {
			await gate.promise;
			response.end('body');
		})();
	});
	const {client} = createClient({store: failing(['set'], rejecting)});
	const cache = getCache(client);
	cache.on('storeError', () => {});
	const pending = Array.from({length: 5}, async () => client(origin.url));
	await until(() => origin.count > 0);
	gate.resolve();
	const responses = await Promise.all(pending);
	await cache.idle();
	t.is(origin.count, 1);
	t.deepEqual(responses.map(({body}) => body), Array.from({length: 5}, () => 'body'));
	t.is(responses.filter(response => cacheInfo(response).stored === 'store-error').length, 1);
	t.is(responses.filter(response => cacheInfo(response).stored === undefined).length, 4);
	t.like(cache.stats(), {stored: 0, refused: 1});
});

test('a refresh in the background that could not be stored is refused, and the next request refreshes again', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end(String(origin.count));
	});
	let isFailing = false;
	const {client, clock} = createClient({
		staleWhileRevalidate: true,
		store: answeringStore((operation, action) => {
			if (isFailing && operation === 'set') {
				throw new Error('no');
			}

			return action();
		}),
	});
	const cache = getCache(client);
	cache.on('storeError', () => {});
	await client(origin.url);
	clock.advance(600);
	isFailing = true;
	t.is((await client(origin.url)).body, '1');
	await cache.idle();
	t.like(cache.stats(), {stored: 1, refused: 1, refusedByReason: {'store-error': 1}});
	isFailing = false;
	t.is((await client(origin.url)).body, '1');
	await cache.idle();
	t.is((await client(origin.url)).body, '3');
	t.like(cache.stats(), {stored: 2, refused: 1});
});

test('a response that is invalidated while it is written is not called stored', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.setHeader('Cache-Control', 'max-age=600');
		response.end('body');
	});
	const gate = Promise.withResolvers<void>();
	let sets = 0;
	const {client} = createClient({
		cacheControl: true,
		store: answeringStore(async (operation, action) => {
			if (operation === 'set' && ++sets === 1) {
				await gate.promise;
			}

			return action();
		}),
	});
	const cache = getCache(client);
	const response = await client(origin.url);
	t.is(cacheInfo(response).stored, undefined);
	await client.post(origin.url);
	gate.resolve();
	await cache.idle();
	t.like(cacheInfo(response), {stored: 'invalidated', createdAt: undefined});
	t.false(response.headers['cache-status']!.includes('stored'));
	t.like(cache.stats(), {stored: 0, refusedByReason: {invalidated: 1}});
	t.false((await client(origin.url)).isFromCache);
});

test('`save`, `update` and `fromHar` report what is larger than the bound of a store', async t => {
	const cache = new HttpCache({store: 'memory', maxBytes: 2000});
	const request = {url: 'https://example.com/large'};
	await t.throwsAsync(cache.save(request, {body: large}), {code: 'ERR_NOT_STORABLE', message: /too-large/v});
	t.is(await cache.count(), 0);

	await using other = new HttpCache({store: 'memory'});
	const saved = await other.save(request, {body: large});
	await other.save({url: 'https://example.com/small'}, {body: 'small'});
	t.deepEqual(await cache.update(other), {copied: 1, skipped: 1});
	await t.throwsAsync(cache.save(saved), {code: 'ERR_NOT_STORABLE', message: /too-large/v});
	const {saved: count, skipped} = await cache.fromHar(await other.toHar());
	t.is(count, 1);
	t.deepEqual(skipped.map(({reason}) => reason), ['too-large']);
	await cache.close();
});

test('with `failFast`, a response of which the store refuses the value fails, and is not called stored', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end('body');
	});
	const {client} = createClient({store: failing(['set'], async () => false), failFast: true});
	await t.throwsAsync(async () => client(origin.url), {message: /refused the value/v});
	t.like(getCache(client).stats(), {stored: 0, refused: 1});
});
