import {setImmediate as turn} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import type got from 'got';
import {
	cacheInfo,
	getCache,
	type CacheSettings,
	type HttpCache,
} from '../../source/index.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {Random} from '../chaos/random.ts';
import {createClient} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {SharedStore} from './shared-store.ts';

const headKey = 'got-cache:1:journal';
const isRecord = (key: string): boolean => key.startsWith('got-cache:1:');

type Party = {readonly client: typeof got; readonly cache: HttpCache; readonly store: SharedStore; readonly errors: string[]};

/** Makes a client like one of another process, on a shared store. */
function party(values: SharedStore['values'], settings: CacheSettings = {}): Party {
	const store = new SharedStore(values);
	const {client} = createClient({
		store, cacheControl: true, expireAfter: undefined, partitionSecret: 'secret', storeTimeout: 20_000, now: () => Date.now(), ...settings,
	});
	const cache = getCache(client);
	const errors: string[] = [];
	cache.on('storeError', ({error}) => {
		errors.push(String(error));
	});
	return {
		client, cache, store, errors,
	};
}

/** An origin whose responses are fresh for an hour, tagged, and name their version. */
async function versions(t: ExecutionContext): Promise<{readonly url: string; version: number; readonly count: number; readonly end: () => Promise<void>}> {
	let version = 1;
	const origin = await Origin.start((request, response) => {
		if (request.method !== 'GET') {
			version++;
		}

		response.setHeader('cache-control', 'max-age=3600');
		response.setHeader('cache-tag', 'tag');
		if (request.url === '/own') {
			response.setHeader('content-location', request.url);
		}

		response.end(`version ${version}`);
	});
	t.teardown(async () => {
		await origin[Symbol.asyncDispose]();
	});
	return {
		url: origin.url,
		get version() {
			return version;
		},
		set version(value) {
			version = value;
		},
		get count() {
			return origin.count;
		},
		end: async () => origin[Symbol.asyncDispose](),
	};
}

test('a lookup reads the head together with the entry, and nothing else', async t => {
	const {url} = await versions(t);
	const {client, cache, store} = party(new Map());
	await client(url);
	await cache.idle();
	store.takeCalls();
	const held = Promise.withResolvers<void>();
	store.before = async () => held.promise;
	const response = client(url);
	while (store.reads.length === 0) {
		await turn();
	}

	await turn();
	t.is(store.reads.length, 2);
	t.is(store.reads[1], headKey);
	held.resolve();
	t.true((await response).isFromCache);
	t.deepEqual([store.reads.length, store.writes], [2, []]);
});

test('a store of one process has no reads or writes for invalidations', async t => {
	const {url} = await versions(t);
	const store = new MemoryStore();
	const keys: string[] = [];
	for (const name of ['get', 'set', 'add', 'delete'] as const) {
		const call = store[name].bind(store) as (...args: unknown[]) => unknown;
		Object.assign(store, {
			[name](...args: unknown[]) {
				keys.push(args[0] as string);
				return call(...args);
			},
		});
	}

	const {client} = createClient({
		store, cacheControl: true, expireAfter: undefined, now: () => Date.now(),
	});
	const cache = getCache(client);
	await client(url);
	t.true((await client(url)).isFromCache);
	await client.post(url);
	t.false((await client(url)).isFromCache);
	await cache.expire({tags: ['tag']});
	t.is(cacheInfo(await client(url)).reason, 'stale');
	await cache.delete({tags: ['tag'], urls: [url]});
	t.false((await client(url)).isFromCache);
	t.true((await client(url)).isFromCache);
	t.deepEqual([...new Set(keys)].filter(key => isRecord(key) && !/:(?:unreachable|aliases)$/v.test(key)), []);
});

for (const skew of [0, 3_600_000, -3_600_000]) {
	test(`after an unsafe method the next response is new and is stored, even if the clock of another process is ${skew} ms ahead`, async t => {
		const origin = await versions(t);
		const values: SharedStore['values'] = new Map();
		const [one, other] = [party(values), party(values, {now: () => Date.now() + skew})];
		await other.client.post(`${origin.url}/another`);
		for (let round = 0; round < 3; round++) {
			await one.client(origin.url);
			await one.client.post(origin.url);
			t.is((await one.client(origin.url)).body, `version ${origin.version}`);
			t.true((await one.client(origin.url)).isFromCache);
			const response = await other.client(origin.url);
			t.is(response.body, `version ${origin.version}`);
			await other.client.post(origin.url);
			await other.cache.idle();
			t.is((await one.client(origin.url)).body, `version ${origin.version}`);
		}
	});

	test(`a response to an unsafe method that may answer later requests does so, even if the clock of another process is ${skew} ms ahead`, async t => {
		const origin = await versions(t);
		const values: SharedStore['values'] = new Map();
		const [one, other] = [party(values), party(values, {now: () => Date.now() + skew})];
		const url = `${origin.url}/own`;
		await other.client.post(`${origin.url}/another`);
		await other.cache.idle();
		await one.client.post(url);
		await one.cache.idle();
		const response = await one.client(url);
		t.true(response.isFromCache);
		t.is(response.body, `version ${origin.version}`);
	});
}

const invalidations: ReadonlyArray<readonly [title: string, change: (party: Party, url: string) => Promise<unknown>]> = [
	['an unsafe method', async ({client}, url) => client.post(url)],
	['`delete` of a tag', async ({cache}) => cache.delete({tags: ['tag']})],
	['`delete` of a URL', async ({cache}, url) => cache.delete({urls: [url]})],
	['`delete` of a pattern', async ({cache}) => cache.delete({patterns: ['*/*', '*']})],
	['`delete` of all valid entries', async ({cache}) => cache.delete({valid: true})],
	['`clear`', async ({cache}) => cache.clear()],
];

for (const [title, change] of invalidations) {
	for (const isOther of [true, false]) {
		test(`no outdated response is served after ${title} by ${isOther ? 'another' : 'the same'} process, while 50 requests are under way`, async t => {
			for (let seed = 1; seed <= 3; seed++) {
				const random = new Random(seed);
				const pause = async (most: number): Promise<void> => {
					for (let turns = random.below(most); turns > 0; turns--) {
						await turn();
					}
				};

				const origin = await versions(t);
				const values: SharedStore['values'] = new Map();
				const one = party(values);
				const other = isOther ? party(values) : one;
				one.store.before = async () => pause(4);
				other.store.before = one.store.before;
				const isUnsafe = title === 'an unsafe method';
				const urls = Array.from({length: 50}, (_, index) => `${origin.url}/${isUnsafe ? index % 5 : index}`);
				const asked = urls.map(async url => {
					await pause(40);
					await one.client(url);
				});
				await pause(60);
				origin.version = 100;
				await Promise.all(urls.slice(0, isUnsafe ? 5 : 1).map(async url => change(other, url)));
				await Promise.all(asked);
				await Promise.all([one.cache.idle(), other.cache.idle()]);
				for (const {client} of [other, one]) {
					const responses = await Promise.all((title === '`delete` of a URL' ? urls.slice(0, 1) : urls).map(async url => client(url)));
					const given = responses.map(({body}) => Number(body.split(' ', 2)[1]));
					t.true(given.every(version => version >= 100), `seed ${seed}: ${given.join(' ')}`);
				}

				await origin.end();
			}
		});
	}
}

test('if the head cannot be read, entries that may be invalidated are not used, and requests succeed', async t => {
	const {url} = await versions(t);
	const values: SharedStore['values'] = new Map();
	const {client, cache, store, errors} = party(values);
	await client(url);
	await cache.idle();
	store.before = (operation, key) => {
		if (key === headKey) {
			throw new Error(`no ${operation}`);
		}
	};

	t.false((await client(url)).isFromCache);
	await cache.idle();
	t.deepEqual(new Set(errors), new Set(['Error: no get']));
	await client.post(url);
	await t.throwsAsync(cache.delete({tags: ['tag']}), {message: 'no get'});
	await t.throwsAsync(cache.clear(), {message: 'no get'});
	store.before = () => undefined;
	const strict = party(values, {failFast: true});
	strict.store.before = (operation, key) => {
		if (key === headKey) {
			throw new Error(`no ${operation}`);
		}
	};

	await t.throwsAsync(strict.client(url), {message: 'no get'});
});

test('an invalidation that cannot be written holds in this process, and rejects for callers that wait for it', async t => {
	const {url} = await versions(t);
	const values: SharedStore['values'] = new Map();
	const [one, other] = [party(values), party(values)];
	await one.client(url);
	await one.cache.idle();
	one.store.before = (operation, key) => {
		if (operation === 'set' && isRecord(key)) {
			throw new Error('full');
		}
	};

	await t.throwsAsync(one.cache.delete({tags: ['tag']}), {message: 'full'});
	await one.client.post(url);
	await one.cache.idle();
	t.true(one.errors.includes('Error: full'));
	t.is((await one.client(url)).body, 'version 2');
	await one.cache.idle();
	one.store.before = () => undefined;
	await one.client.post(`${url}/other`);
	await one.cache.idle();
	t.is((await other.client(url)).body, 'version 3', 'the unpublished invalidation is published with the next one');
});

test('a store that never answers delays an invalidation by its time limit, and a request by no more', async t => {
	const {url} = await versions(t);
	const {client, cache, store} = party(new Map(), {storeTimeout: 100});
	await client(url);
	await cache.idle();
	store.before = async (_operation, key) => isRecord(key) ? new Promise(() => {}) : undefined;
	t.is((await client.post(url)).body, 'version 2');
	t.is((await client(url)).body, 'version 2');
	await t.throwsAsync(cache.delete({tags: ['tag']}), {code: 'ERR_STORE_TIMEOUT'});
	await cache.idle();
});

test('only requests for the same resource wait while the invalidation by an unsafe method is published', async t => {
	const {url} = await versions(t);
	const {client, cache, store} = party(new Map());
	await client(url);
	await client(`${url}/other`);
	await cache.idle();
	const held = Promise.withResolvers<void>();
	store.before = async (operation, key) => operation === 'set' && isRecord(key) ? held.promise : undefined;
	await client.post(url);
	const pending = client(url);
	t.true((await client(`${url}/other`)).isFromCache);
	held.resolve();
	t.is((await pending).body, 'version 2');
	await cache.idle();
	t.true((await client(url)).isFromCache);
});

for (const isShared of [true, false]) {
	test(`a variant that is deleted by its key while it is validated stays deleted, on a store of ${isShared ? 'several processes' : 'one process'}`, async t => {
		const isAsked = Promise.withResolvers<void>();
		const isReleased = Promise.withResolvers<void>();
		await using origin = await Origin.start((request, response) => {
			const isValidation = request.headers['if-none-match'] !== undefined;
			response.writeHead(isValidation ? 304 : 200, {'cache-control': 'no-cache', etag: '"1"', vary: 'accept-language'});
			if (!isValidation) {
				response.end(request.headers['accept-language']);
				return;
			}

			isAsked.resolve();
			void (async () => {
				await isReleased.promise;
				response.end();
			})();
		});
		const {client, cache} = party(new Map(), isShared ? {} : {store: 'memory'});
		const ask = async (language: string): Promise<unknown> => client(origin.url, {headers: {'accept-language': language}});
		await ask('de');
		await ask('en');
		await cache.idle();
		const entries = await Array.fromAsync(cache.responses());
		t.is(entries.length, 2);
		const {cacheKey} = entries.find(entry => entry.text() === 'en')!;
		const pending = ask('en');
		await isAsked.promise;
		await cache.delete({keys: [cacheKey]});
		isReleased.resolve();
		await pending;
		await cache.idle();
		t.deepEqual((await Array.fromAsync(cache.responses())).map(entry => entry.text()), ['de']);
	});
}

test('requests that wait for a response that another process invalidates meanwhile share the next request', async t => {
	const isReleased = Promise.withResolvers<void>();
	let version = 1;
	await using origin = await Origin.start((request, response) => {
		const given = version;
		void (async () => {
			if (request.method === 'GET') {
				await isReleased.promise;
			} else {
				version++;
			}

			response.writeHead(200, {'cache-control': 'max-age=60'}).end(`version ${given}`);
		})();
	});
	const values: SharedStore['values'] = new Map();
	const [one, other] = [party(values), party(values)];
	const leader = one.client(origin.url).text();
	while (origin.count === 0) {
		await turn();
	}

	const waiting = Array.from({length: 20}, async () => one.client(origin.url).text());
	for (let turns = 0; turns < 20; turns++) {
		await turn();
	}

	await other.client.post(origin.url);
	await other.cache.idle();
	isReleased.resolve();
	t.is(await leader, 'version 1');
	t.deepEqual(new Set(await Promise.all(waiting)), new Set(['version 2']));
	t.is(origin.requests.filter(({method}) => method === 'GET').length, 2);
	t.true((await other.client(origin.url)).isFromCache);
});
