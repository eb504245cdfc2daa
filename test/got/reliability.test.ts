/* eslint-disable node-test/prefer-context-mock -- AVA's context has none. */
import {setTimeout as delay} from 'node:timers/promises';
import {mock} from 'node:test';
import test from 'ava';
import {cacheInfo, getCache, type StoreErrorEvent} from '../../source/index.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {CacheWrites} from '../../source/cache/writes.ts';
import {createClient} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {standClock} from '../helpers/hand-clock.ts';

// How much later it is than the machine's clock says, in milliseconds.
let passed = 0;
const {now} = performance;
performance.now = () => now.call(performance) + passed;

test.serial('events and the cache report the circuit: open after five faults, half-open after a while, closed after a success', async t => {
	t.teardown(() => {
		passed = 0;
	});
	await using origin = await Origin.start((_request, response) => {
		response.end('answer');
	});
	const store = new MemoryStore();
	let isBroken = true;
	const get = store.get.bind(store);
	store.get = key => {
		if (isBroken) {
			throw new Error('on fire');
		}

		return get(key);
	};

	const {client} = createClient({store});
	const cache = getCache(client);
	const states: string[] = [];
	cache.on('circuit', ({state, of}) => {
		states.push(`${of} ${state}`);
	});
	t.is(cache.circuit, 'closed');
	for (let index = 0; index < 5; index++) {
		await client(`${origin.url}/${index}`, {context: {cache: {readOnly: true}}});
	}

	t.is(cache.circuit, 'open');
	await client(origin.url);
	t.like(await cache.explain({url: origin.url}), {circuit: {reads: 'open', writes: 'open'}});
	t.regex((await cache.explain({url: origin.url})).text, /the store is not used after faults: its circuit is open/v);
	passed += 10_000;
	await client(origin.url, {context: {cache: {readOnly: true}}});
	t.is(cache.circuit, 'open');
	isBroken = false;
	passed += 10_000;
	await client(origin.url);
	t.is(cache.circuit, 'closed');
	t.deepEqual(states, ['reads open', 'reads half-open', 'reads open', 'reads half-open', 'reads closed']);
	t.like(await cache.explain({url: origin.url}), {circuit: {reads: 'closed', writes: 'closed'}});
});

test('`ready` resolves if the store can be used; requests do not wait for it', async t => {
	const store = new MemoryStore();
	await getCache(createClient({store}).client).ready();
	store.get = () => {
		throw new Error('no such folder');
	};

	await t.throwsAsync(getCache(createClient({store}).client).ready(), {message: 'no such folder'});
	await t.throwsAsync(getCache(createClient({store: 'sqlite', cacheName: '/dev/null/at/all'}).client).ready(), {code: 'ERR_STORE_OPEN'});
});

test.serial('`ready` waits longer than requests do, since the first call of a store may connect, but not forever', async t => {
	const late = Object.assign(new MemoryStore(), {
		async get() {
			await delay(50);
			return undefined;
		},
	});
	await t.notThrowsAsync(getCache(createClient({store: late, storeTimeout: 1}).client).ready());

	const hanging = Object.assign(new MemoryStore(), {get: async () => new Promise<undefined>(() => {})});
	mock.timers.enable({apis: ['setTimeout']});
	t.teardown(() => {
		mock.timers.reset();
	});
	const ready = t.throwsAsync(getCache(createClient({store: hanging, storeTimeout: 1}).client).ready(), {code: 'ERR_STORE_TIMEOUT'});
	mock.timers.tick(29_999);
	mock.timers.tick(1);
	await ready;
});

test('a slow store delays no response, and writes over the limit of the queue are dropped with an event', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end('answer');
	});
	const gate = Promise.withResolvers<void>();
	const store = new MemoryStore();
	const set = store.set.bind(store);
	const slow = Object.assign(store, {
		async set(...parameters: Parameters<typeof set>) {
			await gate.promise;
			set(...parameters);
		},
	});
	const {client} = createClient({
		store: slow, storeTimeout: 600_000, now: () => Date.now(),
	});
	const events: StoreErrorEvent[] = [];
	getCache(client).on('storeError', event => {
		events.push(event);
	});
	await Promise.all(Array.from({length: 998}, async (_, index) => client(`${origin.url}/many/${index}`)));
	// The store waits for the end of all of them, and its time limit is over after the test's.
	const responses = [];
	for (let index = 0; index < 4; index++) {
		responses.push(await client(`${origin.url}/${index}`));
	}

	t.deepEqual(responses.map(response => cacheInfo(response).stored), ['stored', 'stored', 'queue-full', 'queue-full']);
	t.deepEqual(events.map(({operation, error}) => [operation, (error as {code: string}).code]), [['set', 'ERR_STORE_QUEUE'], ['set', 'ERR_STORE_QUEUE']]);
	gate.resolve();
	await getCache(client).idle();
	t.true((await client(`${origin.url}/0`)).isFromCache);
	t.false((await client(`${origin.url}/3`)).isFromCache);
	t.is(cacheInfo(await client(`${origin.url}/3`)).reason, 'fresh');
});

test('pending writes are bounded by their bytes; one alone may be larger, and deletions are never dropped', async t => {
	const mebibyte = 1_048_576;
	const gate = Promise.withResolvers<void>();
	const dropped: string[] = [];
	const queue = new CacheWrites({
		settings: () => ({storeTimeout: 1000}),
		events: {
			emit(_event, payload) {
				dropped.push((payload as {readonly key: string}).key);
			},
			removed() {},
		},
		store: {delete: () => true},
		variants: {save: () => undefined},
	});
	const wait = async (): Promise<void> => gate.promise;
	t.true(queue.run('large', wait, {size: {bytes: 500 * mebibyte}}));
	t.false(queue.run('small', wait, {size: {bytes: 1}}));
	t.true(queue.run('gone', wait));
	t.is(queue.pending.size, 2);
	gate.resolve();
	await queue.idle();
	t.is(queue.pending.size, 0);
	t.true(queue.run('small', wait, {size: {bytes: 40 * mebibyte}}));
	t.false(queue.run('more', wait, {size: {bytes: 40 * mebibyte}}));
	t.true(queue.run('less', wait, {size: {bytes: 24 * mebibyte}}));
	t.deepEqual(dropped, ['small', 'more']);
	await queue.idle();
	await delay(0);
});

test('an entry that a store returns for another key, or with a flipped bit, is a miss', async t => {
	await using origin = await Origin.start((request, response) => {
		response.end(request.url);
	});
	const values = new Map<string, Uint8Array>();
	const store = {
		name: 'lying',
		valueType: 'bytes' as const,
		get: (key: string) => values.get(key),
		set(key: string, value: unknown) {
			values.set(key, Uint8Array.from(value as Uint8Array));
		},
		delete: (key: string) => values.delete(key),
		deleteMany() {},
		clear() {},
		async * iterate() {},
		close() {},
	};
	const {client} = createClient({store});
	await client(`${origin.url}/a`);
	await client(`${origin.url}/b`);
	await getCache(client).idle();
	const [[first, a], [second]] = [...values] as [[string, Uint8Array], [string, Uint8Array]];
	values.set(second, a);
	t.is((await client(`${origin.url}/b`)).body, '/b');
	t.true((await client(`${origin.url}/a`)).isFromCache);
	for (let index = 0; index < a.length; index += 7) {
		const flipped = Uint8Array.from(a);
		flipped[index]! += flipped[index]! % 2 === 0 ? 1 : -1;
		values.set(first, flipped);
		const response = await client(`${origin.url}/a`);
		t.is(response.body, '/a');
	}
});

test.serial('all delays of a store for one request add up to at most its time limit', async t => {
	await using origin = await Origin.start((request, response) => {
		response.setHeader('vary', 'accept-language');
		response.end(request.headers['accept-language']);
	});
	// A second lookup that had all of that, too, would take longer than the test may.
	const storeTimeout = 600_000;
	const clock = standClock(t);
	const store = new MemoryStore();
	const {client} = createClient({
		store, storeTimeout, cacheControl: true, expireAfter: '1h', now: () => Date.now(),
	});
	for (const language of ['de', 'fr', 'it']) {
		await client(origin.url, {headers: {'accept-language': language}});
	}

	await getCache(client).idle();
	const get = store.get.bind(store);
	const {promise: never, resolve: release} = Promise.withResolvers<undefined>();
	let calls = 0;
	// The first call is within its limit; a variant takes two.
	Object.assign(store, {
		async get(key: string) {
			calls++;
			if (calls > 1) {
				return never;
			}

			clock.advance(storeTimeout - 1);
			return get(key);
		},
	});
	const {body} = await client(origin.url, {headers: {'accept-language': 'it'}});
	t.is(body, 'it');
	t.true(calls > 1);
	release(undefined);
	t.is(origin.count, 4);
});
