import type {ServerResponse} from 'node:http';
import {setImmediate as turn, setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {
	cacheInfo,
	getCache,
	type CacheSettings,
	type Store,
} from '../../source/index.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {createClient} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {settle} from '../helpers/gate.ts';
import {standClock} from '../helpers/hand-clock.ts';
import {until} from '../helpers/until.ts';

test('when `close` resolves, an aborted request has released its lock, and so has one that is still in flight after a second', async t => {
	await using origin = await Origin.start(() => {});
	const {store, first, second} = createPair();
	const locks = async () => Array.fromAsync(store.iterate(), ([key]) => key).then(keys => keys.filter(key => key.includes(':lock:')));
	const controller = new AbortController();
	const one = first(origin.url, {signal: controller.signal});
	const other = second(`${origin.url}/other`, {timeout: {request: 5000}});
	await until(() => origin.count >= 2);

	t.is((await locks()).length, 2);
	controller.abort();
	await getCache(first).close();
	t.is((await locks()).length, 1);
	const graceTimer = delay(900, 'the timer');
	const closed = (async () => {
		await getCache(second).close();
		return 'the end of `close`';
	})();
	t.is(await Promise.race([graceTimer, closed]), 'the timer');
	await closed;
	t.deepEqual(await locks(), []);
	await t.throwsAsync(one, {name: 'AbortError'});
	await t.throwsAsync(other, {name: 'TimeoutError'});
});

test('`close` waits for a request in flight, and its response is stored', async t => {
	await using origin = await Origin.start((_request, response) => {
		setTimeout(() => {
			response.end('answer');
		}, 200);
	});
	const {store, first} = createPair();
	const one = first(origin.url);
	await until(() => origin.count > 0);

	await getCache(first).close();
	const keys = await Array.fromAsync(store.iterate(), ([key]) => key);
	t.is(keys.filter(key => !key.includes(':lock:')).length, 1);
	t.is((await one).body, 'answer');
});

/** Makes two clients that share a store like two processes. */
function createPair(others: CacheSettings = {}) {
	const store = new MemoryStore();
	const named = new Proxy(store, {
		get(target, name) {
			const value: unknown = Reflect.get(target, name);
			return typeof value === 'function' ? value.bind(target) as unknown : value;
		},
	}) as unknown as Store;
	const settings = {
		store: named, lock: true, cacheControl: true, now: () => Date.now(), ...others,
	} as const;
	return {store, first: createClient(settings).client, second: createClient(settings).client};
}

test('if a response cannot be shared, waiting processes all send their requests instead of waiting one after the other', async t => {
	const held: ServerResponse[] = [];
	await using origin = await Origin.start((_request, response) => {
		held.push(response);
		if (origin.count === 1) {
			return;
		}

		response.setHeader('cache-control', 'no-store');
		response.end('own');
	});
	const {first, second} = createPair();
	const leader = first(origin.url);
	await until(() => held.length > 0);

	const others = Array.from({length: 5}, async () => second(origin.url));
	await settle();
	t.is(origin.count, 1);
	held[0]!.setHeader('cache-control', 'no-store');
	held[0]!.end('first');
	await leader;
	t.true((await Promise.all(others)).every(({body}) => body === 'own'));
	t.is(origin.count, 6);
});

test('a lock is released when the response is stored, and does not count as an entry', async t => {
	await using origin = await Origin.start((_request, response) => {
		setTimeout(() => {
			response.end('answer');
		}, 20);
	});
	const {store, first, second} = createPair();
	const [one, other] = await Promise.all([first(origin.url), second(origin.url)]);
	t.is(origin.count, 1);
	t.is(one.body, other.body);
	t.is([one, other].filter(response => response.isFromCache).length, 1);
	t.like(cacheInfo(one.isFromCache ? one : other), {reason: 'fresh', collapsed: false});
	await getCache(first).idle();
	await getCache(second).idle();
	const keys = await Array.fromAsync(store.iterate(), ([key]) => key);
	t.deepEqual(keys.filter(key => key.includes(':lock:')), []);
});

test('a request waits for another process longer than the time limit of the store', async t => {
	await using origin = await Origin.start((_request, response) => {
		setTimeout(() => {
			response.end('answer');
		}, 1000);
	});
	const {store, first, second} = createPair();
	const get = store.get.bind(store);
	store.get = async key => {
		await delay(5);
		return get(key) as never;
	};

	const bodies = await Promise.all([first, second].map(async client => client(origin.url).text()));
	t.deepEqual(bodies, ['answer', 'answer']);
	t.is(origin.count, 1);
});

test.serial('the store calls for a lock get the rest of the time limit of the store', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end('answer');
	});
	// A call that had all of it would take longer than the test may.
	const storeTimeout = 600_000;
	const clock = standClock(t);
	const {promise: never, resolve: release} = Promise.withResolvers<never>();
	const called: string[] = [];
	const store = {
		name: 'hanging',
		valueType: 'bytes' as const,
		async get() {
			called.push('get');
			clock.advance(storeTimeout - 1);
			return undefined;
		},
		async add() {
			called.push('add');
			return never;
		},
		set() {},
		delete: () => false,
		deleteMany() {},
		clear() {},
		async * iterate() {},
		close() {},
	};
	const {client} = createClient({store, lock: true, storeTimeout});
	t.is((await client(origin.url)).body, 'answer');
	t.true(called.includes('add'));
	release(undefined as never);
});

test('a store that supports locks and hangs delays a request by its time limit only', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end('answer');
	});
	const hang = async (): Promise<never> => new Promise(() => {});
	const store = {
		name: 'hanging', valueType: 'bytes' as const, get: hang, set: hang, add: hang, delete: hang, deleteMany: hang, clear: hang, async * iterate() {}, close() {},
	};
	const {client} = createClient({store, lock: true, storeTimeout: 300});
	t.is((await client(origin.url)).body, 'answer');
});

test.serial('`maxWait` limits how long a request waits for another process', async t => {
	await using origin = await Origin.start((_request, response) => {
		if (origin.count > 1) {
			response.end('own');
		}
	});
	const clock = standClock(t);
	const {first, second} = createPair({singleFlight: {maxWait: '200ms'}});
	const controller = new AbortController();
	const leader = first(origin.url, {signal: controller.signal});
	await until(() => origin.count > 0);

	const response = second(origin.url);
	await settle();
	for (let step = 0; step < 199; step += 1) {
		clock.advance(1);
		await turn();
	}

	await settle();
	t.is(origin.count, 1);
	clock.advance(1);
	t.is((await response).body, 'own');
	controller.abort();
	await t.throwsAsync(leader, {name: 'AbortError'});
});

test('a request that takes a lock looks up the response again, since another process may have stored it', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end('answer');
	});
	const {store, first, second} = createPair();
	const add = store.add.bind(store);
	const stored = Promise.withResolvers<void>();
	let count = 0;
	store.add = (async (...entry: Parameters<typeof add>) => {
		count++;
		if (count === 2) {
			await stored.promise;
		}

		return add(...entry);
	}) as never;

	const one = first(origin.url);
	const other = second(origin.url);
	const [answered] = await Promise.race([one.then(response => [response]), other.then(response => [response])]);
	t.false(answered!.isFromCache);
	await Promise.all([getCache(first).idle(), getCache(second).idle()]);
	stored.resolve();
	const both = await Promise.all([one, other]);
	t.is(both.filter(response => response.isFromCache).length, 1);
	t.is(origin.count, 1);
});

test('a waiting request ends by its own timeout or signal, and a refused lock delays no request', async t => {
	await using origin = await Origin.start(() => {});
	const {store, first, second} = createPair();
	const controller = new AbortController();
	const leader = first(origin.url, {signal: controller.signal});
	await until(() => origin.count > 0);

	await t.throwsAsync(second(origin.url, {timeout: {request: 50}}), {name: 'TimeoutError'});
	t.is(origin.count, 1);
	controller.abort();
	await t.throwsAsync(leader, {name: 'AbortError'});
	store.add = () => false;
	await t.throwsAsync(second(origin.url, {timeout: {request: 2000}}), {name: 'TimeoutError'});
	t.is(origin.count, 2);
});

test('by default there is no lock in a store across a network, and there is never one in a store without `add`', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end('answer');
	});
	const store = new MemoryStore();
	const added: string[] = [];
	const add = store.add.bind(store);
	store.add = (key, ...rest) => {
		added.push(key);
		return add(key, ...rest);
	};

	await createClient({store}).client(origin.url);
	t.deepEqual(added, []);
	await createClient({store, lock: true}).client(`${origin.url}/other`);
	t.is(added.length, 1);
	const {client} = createClient({store: new Map() as never, lock: true});
	t.is((await client(origin.url)).body, 'answer');
});
