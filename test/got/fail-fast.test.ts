import {setTimeout as delay} from 'node:timers/promises';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import type {Got} from 'got';
import {
	cached,
	getCache,
	type CacheSettings,
	type Store,
} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin, type Handler} from '../helpers/origin.ts';
import {refreshingClient} from '../helpers/refreshing.ts';
import {answeringStore, type Operation} from '../helpers/answering-store.ts';

/** A store whose calls fail where a test wants them to, at once or later. */
class FailingStore {
	readonly store: Store;
	failing: Operation | undefined;

	constructor(isLate: boolean) {
		this.store = answeringStore((operation, action) => {
			const act = (): ReturnType<typeof action> => {
				if (this.failing === operation) {
					throw new Error(`no ${operation}`);
				}

				return action();
			};

			return isLate
				? (async () => {
					await delay(5);
					return act();
				})()
				: act();
		});
	}
}

/** Requests in which the cache writes: what is done before the store fails, the request, and what fails. */
const writes: ReadonlyArray<{
	readonly title: string;
	readonly settings?: CacheSettings;
	readonly answer?: Handler;
	readonly before?: (client: Got, url: string) => Promise<unknown>;
	readonly ask: (client: Got, url: string) => Promise<unknown>;
	readonly failing: Operation;
}> = [
	{
		title: 'a miss is stored',
		ask: async (client, url) => client(url),
		failing: 'set',
	},
	{
		title: 'a miss without a body is stored',
		ask: async (client, url) => client.head(url),
		failing: 'set',
	},
	{
		title: 'a coded body is stored',
		answer(_request, response) {
			response.setHeader('content-encoding', 'gzip');
			response.end(gzipSync('answer'));
		},
		ask: async (client, url) => client(url),
		failing: 'set',
	},
	{
		title: 'a stream is stored',
		ask: async (client, url) => readStream(client.stream(url)),
		failing: 'set',
	},
	{
		title: 'a redirect is stored',
		answer(request, response) {
			if (request.url === '/') {
				response.writeHead(302, {location: '/elsewhere'});
			}

			response.end();
		},
		ask: async (client, url) => client(`${url}/`, {followRedirect: false}),
		failing: 'set',
	},
	{
		title: 'a 304 freshens the stored response',
		answer(request, response) {
			response.writeHead(request.headers['if-none-match'] === undefined ? 200 : 304, {etag: '"1"'});
			response.end();
		},
		before: async (client, url) => client(url),
		ask: async (client, url) => client(url, {context: {cache: {refresh: true}}}),
		failing: 'set',
	},
	{
		title: 'an unsafe method invalidates a response',
		settings: {cacheControl: true, expireAfter: undefined},
		answer(_request, response) {
			response.setHeader('cache-control', 'max-age=60');
			response.end();
		},
		before: async (client, url) => client(url),
		ask: async (client, url) => client.post(url),
		failing: 'set',
	},
	{
		title: 'an unsafe method deletes a response',
		settings: {cacheControl: true, expireAfter: undefined},
		answer(_request, response) {
			response.setHeader('cache-control', 'max-age=60');
			response.end();
		},
		before: async (client, url) => client(url),
		ask: async (client, url) => client.post(url),
		failing: 'delete',
	},
	{
		title: 'a filter deletes a response',
		before: async (client, url) => client(url),
		ask: async (client, url) => client(url, {context: {cache: {filterFn: () => false}}}),
		failing: 'delete',
	},
	{
		title: 'a filter deletes a response, and no request may be sent',
		before: async (client, url) => client(url),
		ask: async (client, url) => client(url, {throwHttpErrors: false, context: {cache: {filterFn: () => false, onlyIfCached: true}}}),
		failing: 'delete',
	},
	{
		title: 'a response that must not be stored replaces a stored one',
		settings: {cacheControl: true, expireAfter: undefined},
		answer(request, response) {
			response.setHeader('cache-control', request.headers['x-no-store'] === undefined ? 'max-age=60' : 'no-store');
			response.end();
		},
		before: async (client, url) => client(url),
		ask: async (client, url) => client(url, {headers: {'x-no-store': '1'}, context: {cache: {refresh: true}}}),
		failing: 'delete',
	},
];

for (const [name, instance] of majors) {
	for (const isLate of [false, true]) {
		for (const {title, settings, answer, before, ask, failing} of writes) {
			test(`${name}: with \`failFast\`, a store that fails ${isLate ? 'asynchronously' : 'synchronously'} while ${title} fails the request`, async t => {
				await using origin = await Origin.start(answer ?? ((_request, response) => {
					response.end('answer');
				}));
				const failingStore = new FailingStore(isLate);
				const {client} = createClient({store: failingStore.store, failFast: true, ...settings}, instance);
				await before?.(client, origin.url);
				await getCache(client).idle();
				failingStore.failing = failing;
				await t.throwsAsync(ask(client, origin.url), {message: new RegExp(`no ${failing}`, 'v')});
				failingStore.failing = undefined;
				await getCache(client).idle();
				await ask(client, origin.url);
				await getCache(client).idle();
			});

			test(`${name}: without \`failFast\`, a store that fails ${isLate ? 'asynchronously' : 'synchronously'} while ${title} is a \`storeError\` event`, async t => {
				await using origin = await Origin.start(answer ?? ((_request, response) => {
					response.end('answer');
				}));
				const failingStore = new FailingStore(isLate);
				const {client} = createClient({store: failingStore.store, ...settings}, instance);
				await before?.(client, origin.url);
				await getCache(client).idle();
				failingStore.failing = failing;
				let faults = 0;
				getCache(client).on('storeError', () => {
					faults++;
				});
				await ask(client, origin.url);
				await getCache(client).idle();
				t.true(faults > 0);
			});
		}
	}
}

for (const title of ['nothing', 'an answer', 'an answer with tags']) {
	test(`with \`failFast\`, a store that cannot be read and has ${title} stored fails the request and nothing else`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end('answer');
		});
		const failingStore = new FailingStore(true);
		const {client} = createClient({store: failingStore.store, failFast: true, ...title === 'an answer with tags' && {tags: () => ['tag']}});
		await (title === 'nothing' ? undefined : client(origin.url));
		await getCache(client).idle();
		failingStore.failing = 'get';
		await t.throwsAsync(async () => client(origin.url), {message: /no get/v});
		// AVA fails on an unhandled rejection.
		await delay(20);
	});
}

test('with `failFast`, a result that cannot be stored is an error of its call', async t => {
	const failingStore = new FailingStore(true);
	const {client} = createClient({store: failingStore.store, failFast: true});
	const sum = cached(async (first: number, second: number) => first + second, '1h', {result: true, cache: getCache(client), name: 'sum'});
	failingStore.failing = 'set';
	await t.throwsAsync(sum(1, 2), {message: /no set/v});
	failingStore.failing = undefined;
	t.is(await sum(1, 2), 3);
});

for (const [name, instance] of majors) {
	test(`${name}: with \`failFast\`, a body reaches its reader as it arrives`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.write('first ');
			setTimeout(() => {
				response.end('last');
			}, 20);
		});
		const failingStore = new FailingStore(true);
		const {client} = createClient({store: failingStore.store, failFast: true}, instance);
		t.is(await readStream(client.stream(origin.url)), 'first last');
		t.is(await client(`${origin.url}/other`).text(), 'first last');
		t.true((await client(origin.url)).isFromCache);
		t.true((await client(`${origin.url}/other`)).isFromCache);
	});

	test(`${name}: with \`failFast\`, a fault of the store while a refresh is written is a \`storeError\` event`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end(`answer ${origin.count}`);
		});
		const failingStore = new FailingStore(true);
		const {client, cache, expire, idle} = refreshingClient(instance, {store: failingStore.store, failFast: true});
		const faults: string[] = [];
		cache.on('storeError', ({operation}) => {
			faults.push(operation);
		});
		await client(origin.url);
		expire();
		failingStore.failing = 'set';
		t.is((await client(origin.url)).body, 'answer 1');
		await idle();
		t.deepEqual(faults, ['set']);
	});

	test(`${name}: \`close()\` waits until the invalidation by an unsafe request is written`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end();
		});
		const failingStore = new FailingStore(true);
		const {client} = createClient({store: failingStore.store, cacheControl: true, expireAfter: undefined}, instance);
		await client.post(origin.url);
		await getCache(client).close();
		const keys = await Array.fromAsync(failingStore.store.iterate());
		t.true(keys.some(([key]) => key.includes(':resource:')));
	});
}

