import test from 'ava';
import type {Got, Options, Response} from 'got';
import {
	cacheInfo,
	createCachedGot,
	getCache,
	type CacheSettings,
	type HttpCache,
	type Store,
} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

/** A store that notes each call. */
function notingStore(calls: string[]): Store {
	const noted = (name: string) => () => {
		calls.push(name);
		return undefined as never;
	};

	return {
		name: 'noting',
		valueType: 'text',
		get: noted('get'),
		set: noted('set'),
		delete: noted('delete'),
		deleteMany: noted('deleteMany'),
		clear: noted('clear'),
		async * iterate() {
			calls.push('iterate');
			yield * [];
		},
		close() {},
		add: noted('add'),
	};
}

type Ask = (client: Got, cache: HttpCache, action: (client: Got) => Promise<unknown>) => Promise<unknown>;

/** What disables the cache. */
const switches: ReadonlyArray<readonly [title: string, settings: CacheSettings, ask: Ask]> = [
	['the setting', {disabled: true}, async (client, _cache, action) => action(client)],
	['the request', {}, async (client, _cache, action) => action(client.extend({context: {cache: {disabled: true}}}))],
	['`cache.disabled()`', {}, async (client, cache, action) => cache.disabled(async () => action(client))],
	['`cache.with()`', {}, async (client, cache, action) => cache.with({disabled: true}, async () => action(client))],
	['a setting at run time', {}, async (client, cache, action) => {
		cache.settings.disabled = true;
		await action(client);
		cache.settings.disabled = false;
	}],
];

const formData = (): FormData => {
	const form = new FormData();
	form.set('a', 'b');
	return form;
};

for (const [name, instance] of majors) {
	for (const [title, settings, ask] of switches) {
		test(`${name}: a request for which ${title} disables the cache is sent and answered as without a cache`, async t => {
			await using origin = await Origin.start((request, response) => {
				response.setHeader('etag', '"1"');
				response.setHeader('cache-control', 'max-age=60');
				response.end(`${request.method} ${origin.count}`);
			});
			const calls: string[] = [];
			const note = (what: string) => () => {
				calls.push(what);
				return undefined as never;
			};

			const {client: cached} = createClient({
				...settings,
				store: notingStore(calls),
				cacheControl: true,
				allowableMethods: ['GET', 'HEAD', 'POST'],
				lock: true,
				keyFn: note('keyFn'),
				filterFn: note('filterFn'),
				tags: note('tags'),
				partitionBy: note('partitionBy'),
				now() {
					calls.push('now');
					return 0;
				},
			}, instance);
			const cache = getCache(cached);
			const events = ['hit', 'miss', 'stale', 'revalidated', 'bypassed', 'stored', 'refused', 'deleted', 'expired', 'evicted', 'storeError', 'settingError', 'backgroundError', 'internalError', 'circuit'] as const;
			for (const event of events) {
				cache.on(event, note(`event ${event}`));
			}

			const options: Options[] = [];
			const client = cached.extend({
				hooks: {
					beforeRequest: [given => {
						options.push(given as Options);
					}],
				},
				request: undefined,
			}) as Got;
			calls.length = 0;
			const before = JSON.stringify({...cache.stats(), since: undefined});
			const responses: Response[] = [];
			await ask(client, cache, async own => {
				responses.push(
					await own(origin.url),
					await own(origin.url),
					await own.head(origin.url),
					await own.post(origin.url, {json: {a: 1}}),
					await own.post(origin.url, {body: formData()}),
					await own.delete(origin.url),
				);
				await readStream(own.stream(origin.url));
			});
			t.is(origin.count, 7);
			await cache.idle();
			t.deepEqual(calls, []);
			t.is(JSON.stringify({...cache.stats(), since: undefined}), before);
			t.deepEqual(responses.map(response => [response.headers['cache-status'], response.isFromCache, cacheInfo(response).reason, cacheInfo(response).key]), responses.map(() => [undefined, false, 'disabled', undefined]));
			t.is(options.length, 7);
			t.false(options.some(given => Object.hasOwn(given, 'getRequestFunction')));
			t.false(options.some(given => Reflect.ownKeys(given.context).some(key => typeof key === 'symbol')));
		});
	}

	test(`${name}: a disabled request invalidates nothing, and stored responses are available afterwards`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.setHeader('cache-control', 'max-age=60');
			response.end(`answer ${origin.count}`);
		});
		const {client} = createClient({cacheControl: true, expireAfter: undefined, now: Date.now}, instance);
		await client(origin.url);
		await client.post(origin.url, {context: {cache: {disabled: true}}});
		const last = await client(origin.url);
		t.deepEqual([last.body, last.isFromCache], ['answer 1', true]);
	});

	test(`${name}: a hook that runs before the cache may disable it`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end(`answer ${origin.count}`);
		});
		const client = createCachedGot({store: 'memory'}, instance);
		await client(origin.url);
		const before = createCachedGot({cache: client.cache}, instance.extend({
			hooks: {
				beforeRequest: [options => {
					options.context.cache = {disabled: true};
				}],
			},
		}));
		t.is((await before(origin.url)).body, 'answer 2');
		t.is((await client(origin.url)).body, 'answer 1');
	});
}
