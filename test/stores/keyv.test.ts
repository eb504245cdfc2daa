import test from 'ava';
import {Keyv, KeyvMemoryAdapter} from 'keyv';
import {Keyv as Keyv5} from 'keyv5';
import {KeyvStore} from '../../source/stores/keyv.ts';
import {shapeOf, type KeyvLike} from '../../source/stores/keyv-instances.ts';
import {ListlessAdapter, NamespacedAdapter, PromiseAdapter} from './fake-adapters.ts';
import {listed} from './contract.ts';

const kept = {expires: undefined} as const;
const start = Date.UTC(2030, 0, 1);
const options = {cacheName: 'n1', now: () => start};
const prefix = 'got-cache-hooks:n1::';

test('Keyv instances, adapters and Maps are recognized by their shape', t => {
	for (const [value, shape] of [
		[new Map(), 'map'],
		[new Keyv(), 'keyv6'],
		[new Keyv5(), 'keyv5'],
		[new PromiseAdapter(), 'adapter'],
		[new NamespacedAdapter(), 'adapter'],
		[new KeyvMemoryAdapter(new Map()), 'adapter'],
		[new WeakMap(), undefined],
		[new Set(), undefined],
		[{}, undefined],
		[null, undefined],
		['map', undefined],
		[Keyv, undefined],
	] as const) {
		t.is(shapeOf(value), shape);
	}
});

test('an instance is used with its own namespace, and every key begins with the name of the cache', async t => {
	const map = new Map<string, unknown>();
	await new KeyvStore(new Keyv({store: map, namespace: 'mine'}), options).set('key', 'one', kept);
	await new KeyvStore(new Keyv5({store: map, namespace: 'mine'}), options).set('key', 'two', kept);
	t.deepEqual(map.keys().toArray(), [`mine::${prefix}key`, `mine:${prefix}key`]);
});

test('in a Map and an adapter every key begins with the name of the cache', async t => {
	const map = new Map<string, unknown>();
	await new KeyvStore(map, options).set('key', 'one', kept);
	t.deepEqual(map.keys().toArray(), [`${prefix}key`]);
	const adapter = new PromiseAdapter();
	await new KeyvStore(adapter, options).set('key', 'one', kept);
	t.deepEqual(adapter.entries.keys().toArray(), [`${prefix}key`]);
});

test('an adapter keeps the namespace that it has, or has none', t => {
	for (const namespace of ['mine', undefined]) {
		const adapter = new NamespacedAdapter();
		adapter.namespace = namespace;
		t.notThrows(() => [new KeyvStore(adapter, options), new KeyvStore(adapter, {...options, cacheName: 'n2'})]);
		t.is(adapter.namespace, namespace);
	}
});

test('the time to live is what remains by the clock of the store', async t => {
	const adapters = [new PromiseAdapter(), new PromiseAdapter(), new PromiseAdapter()] as const;
	const stores = [new KeyvStore(adapters[0], options), new KeyvStore(new Keyv({store: adapters[1]}), options), new KeyvStore(new Keyv5({store: adapters[2]}), options)];
	for (const [index, store] of stores.entries()) {
		await store.set('key', 'one', {expires: start + 60_000});
		const timeToLive = adapters[index]!.lastTimeToLive!;
		t.true(timeToLive > 50_000 && timeToLive <= 60_001, String(timeToLive));
		for (const expires of [undefined, Infinity]) {
			await store.set('key', 'one', {expires});
			t.is(adapters[index]!.lastTimeToLive, undefined);
		}

		await store.set('key', 'one', {expires: start - 1});
		t.is(await store.get('key'), undefined);
	}
});

test('an instance\'s own time to live is used for entries that never expire', async t => {
	const adapter = new PromiseAdapter();
	await new KeyvStore(new Keyv5({store: adapter, ttl: 5000}), options).set('key', 'one', kept);
	t.is(adapter.lastTimeToLive, 5000);
});

const instances: Record<string, (adapter: ListlessAdapter) => KeyvLike> = {
	'raw adapter': adapter => adapter,
	'Keyv 6': adapter => new Keyv({store: adapter}),
	'Keyv 5': adapter => new Keyv5({store: adapter}),
};

for (const [name, make] of Object.entries(instances)) {
	test(`${name}: an error of the storage is thrown by the call in which it occurred`, async t => {
		const adapter = new PromiseAdapter();
		const store = new KeyvStore(make(adapter), options);
		await store.set('key', 'one', kept);
		adapter.fault = new Error('The server is gone');
		const gone = {message: 'The server is gone'};
		await t.throwsAsync(async () => store.get('key'), gone);
		await t.throwsAsync(async () => store.set('key', 'two', kept), gone);
		await t.throwsAsync(async () => store.delete('key'), gone);
		await t.throwsAsync(async () => store.deleteMany(['key']), gone);
		await t.throwsAsync(async () => store.clear(), gone);
		await t.throwsAsync(async () => listed(store), gone);
		adapter.fault = undefined;
		t.is(await store.get('key'), 'one');
	});

	test(`${name}: an error event between calls ends neither the process nor a call`, async t => {
		const adapter = new PromiseAdapter();
		const store = new KeyvStore(make(adapter), options);
		await store.set('key', 'one', kept);
		const reading = store.get('key');
		t.true(adapter.emit('error', new Error('ECONNRESET')));
		t.is(await reading, 'one');
	});

	test(`${name}: a storage that refuses a value is an error`, async t => {
		const adapter = new PromiseAdapter();
		adapter.set = async () => false;
		await t.throwsAsync(async () => new KeyvStore(make(adapter), options).set('key', 'one', kept), {code: 'ERR_STORE_FAULT'});
	});

	test(`${name}: a value that is not the text of an entry is an error or a miss`, async t => {
		const adapter = new PromiseAdapter();
		const store = new KeyvStore(make(adapter), options);
		await store.set('key', 'one', kept);
		const [storedKey] = adapter.entries.keys();
		for (const rubbish of ['{"value":', '{"value":{"a":1}}', '{}', '12', '', '"text"', {value: 12}]) {
			adapter.entries.set(storedKey!, {value: rubbish, expires: Infinity});
			const value = await store.get('key').catch((error: unknown) => {
				t.true(error instanceof Error);
			});
			t.is(value, undefined, JSON.stringify(rubbish));
		}
	});
}

test('concurrent calls get their own errors only', async t => {
	const adapter = new PromiseAdapter();
	const {get} = adapter;
	adapter.get = async key => {
		await new Promise(resolve => {
			setImmediate(resolve);
		});
		if (key.includes('bad')) {
			throw new Error(key);
		}

		return get.call(adapter, key);
	};

	const store = new KeyvStore(new Keyv({store: adapter, namespace: 'n'}), options);
	await store.set('good', 'one', kept);
	const results = await Promise.allSettled(['bad 1', 'good', 'bad 2', 'good'].map(async key => store.get(key)));
	t.deepEqual(results.map(result => result.status === 'fulfilled' ? result.value : (result.reason as Error).message), [`n::${prefix}bad 1`, 'one', `n::${prefix}bad 2`, 'one']);
});

test('an instance has one error listener, however many stores use it', t => {
	const keyv5 = new Keyv5();
	const keyv6 = new Keyv();
	for (let index = 0; index < 3; index += 1) {
		t.truthy([new KeyvStore(keyv5, options), new KeyvStore(keyv6, options)]);
	}

	t.is(keyv5.listeners('error').length, 1);
	t.is(keyv6.listeners('error').length, 1);
});

test('iterating a storage that cannot list its keys throws', async t => {
	for (const make of Object.values(instances)) {
		const store = new KeyvStore(make(new ListlessAdapter()), options);
		await t.throwsAsync(async () => listed(store), {code: 'ERR_STORE_ITERATE'});
	}

	const {get, set, delete: remove, clear, has} = Map.prototype;
	const mapLike = Object.assign(Object.create(null) as object, Object.fromEntries(
		Object.entries({
			get, set, delete: remove, clear, has,
		}).map(([name, method]) => [name, method.bind(new Map()) as unknown]),
	)) as KeyvLike;
	await t.throwsAsync(async () => listed(new KeyvStore(mapLike, options)), {code: 'ERR_STORE_ITERATE'});
});

test('a namespace of Keyv 5 with colons is removed from listed keys', async t => {
	const store = new KeyvStore(new Keyv5({store: new PromiseAdapter(), namespace: 'a:b'}), options);
	await store.set('key:1', 'one', kept);
	t.deepEqual(await listed(store), ['key:1']);
});

test('clearing a Keyv 5 on a Map keeps the other entries of the Map', async t => {
	const map = new Map<string, unknown>([['mine', 1]]);
	const store = new KeyvStore(new Keyv5({store: map, namespace: 'n1'}), options);
	await store.set('key', 'one', kept);
	await store.clear();
	t.deepEqual(map.keys().toArray(), ['mine']);
});

test('closing disconnects the storage', async t => {
	let disconnected = 0;
	const adapter = Object.assign(new PromiseAdapter(), {
		async disconnect() {
			disconnected += 1;
		},
	});
	for (const make of Object.values(instances)) {
		await new KeyvStore(make(adapter), options).close();
	}

	t.is(disconnected, 3);
});

test('a value that is no text is refused', async t => {
	await t.throwsAsync(async () => new KeyvStore(new Map(), options).set('key', {}, kept), {code: 'ERR_STORE_VALUE'});
});
