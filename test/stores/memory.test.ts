import test from 'ava';
import {MemoryStore} from '../../source/stores/memory.ts';
import {listed} from './contract.ts';

const noExpiry = {expires: undefined} as const;
const sized = (size: number) => ({expires: undefined, size});

test('get returns the same object that was set, synchronously', t => {
	const store = new MemoryStore();
	const value = {body: 'one'};
	store.set('key', value, noExpiry);
	t.is(store.get('key'), value);
	t.true(store.delete('key'));
});

test('entries that were read recently are evicted last', async t => {
	const store = new MemoryStore({maxEntries: 10});
	for (let index = 0; index < 10; index += 1) {
		store.set(`old ${index}`, {}, noExpiry);
	}

	for (let index = 0; index < 10; index += 2) {
		store.get(`old ${index}`);
	}

	for (let index = 0; index < 5; index += 1) {
		store.set(`new ${index}`, {}, noExpiry);
	}

	t.deepEqual(await listed(store), [
		'new 0', 'new 1', 'new 2', 'new 3', 'new 4', 'old 0', 'old 2', 'old 4', 'old 6', 'old 8',
	]);
});

test('an entry that is read constantly is never evicted', t => {
	const store = new MemoryStore({maxEntries: 3});
	store.set('hot', {}, noExpiry);
	for (let index = 0; index < 1000; index += 1) {
		t.truthy(store.get('hot'));
		store.set(`key ${index}`, {}, noExpiry);
	}
});

test('a new entry is not the first to be evicted', t => {
	const store = new MemoryStore({maxEntries: 3});
	for (let index = 0; index < 100; index += 1) {
		store.set(`key ${index}`, {}, noExpiry);
		t.truthy(store.get(`key ${index}`));
		t.is(store.entryCount, Math.min(index + 1, 3));
	}
});

test('maxBytes and maxEntries are never exceeded, and size is exact', async t => {
	const store = new MemoryStore({maxBytes: 1000, maxEntries: 20});
	let seed = 1;
	const random = (below: number) => {
		seed = (seed * 16_807) % 2_147_483_647;
		return seed % below;
	};

	let mostBytes = 0;
	let mostEntries = 0;
	const sizes = new Map<string, number>();
	for (let turn = 0; turn < 20_000; turn += 1) {
		const key = `k${random(60)}`;
		const action = random(10);
		if (action < 5) {
			const size = random(turn < 10_000 ? 300 : 30);
			store.set(key, {}, sized(size));
			sizes.set(key, size + key.length);
		} else if (action < 9) {
			store.get(key);
		} else {
			store.delete(key);
		}

		mostBytes = Math.max(mostBytes, store.size());
		mostEntries = Math.max(mostEntries, store.entryCount);
	}

	t.true(mostBytes > 900 && mostBytes <= 1000);
	t.is(mostEntries, 20);
	const left = await listed(store);
	t.is(store.entryCount, left.length);
	t.is(store.size(), left.reduce((sum, key) => sum + sizes.get(key)!, 0));
	store.deleteMany(left);
	t.is(store.size(), 0);
	store.set('again', {}, sized(10));
	t.is(store.size(), 15);
	store.clear();
	t.is(store.size(), 0);
});

test('an entry as large as maxBytes is stored alone; a larger one is not stored and removes the older value', async t => {
	const store = new MemoryStore({maxBytes: 100});
	store.set('other', {}, sized(10));
	store.set('key', {}, sized(97));
	t.deepEqual(await listed(store), ['key']);
	store.set('other', {}, sized(1));
	store.set('key', {}, sized(2));
	t.deepEqual(await listed(store), ['key', 'other']);
	store.set('key', {}, sized(98));
	t.deepEqual(await listed(store), ['other']);
});

test('an entry that grows evicts others and stays', async t => {
	const store = new MemoryStore({maxBytes: 100});
	for (const key of ['a', 'b', 'c']) {
		store.set(key, {}, sized(29));
		store.get(key);
	}

	store.set('b', {}, sized(99));
	t.deepEqual(await listed(store), ['b']);
});

test('without a size, strings and bytes count their length', t => {
	const store = new MemoryStore();
	store.set('a', 'four', noExpiry);
	store.set('b', new Uint8Array(10), noExpiry);
	store.set('c', {}, noExpiry);
	t.is(store.size(), 3 + 14);
});

test('expired entries are evicted first, and are removed when they are read', async t => {
	let time = 0;
	const store = new MemoryStore({maxEntries: 3, now: () => time});
	store.set('expired', {}, {expires: 10});
	store.get('expired');
	store.set('a', {}, noExpiry);
	store.set('b', {}, noExpiry);
	time = 10;
	store.set('c', {}, noExpiry);
	t.deepEqual(await listed(store), ['a', 'b', 'c']);
	store.set('a', {}, {expires: 20});
	time = 20;
	t.is(store.entryCount, 3);
	t.is(store.get('a'), undefined);
	t.is(store.entryCount, 2);
});

test('an iteration leaves out entries that are added meanwhile, even under a deleted key', async t => {
	const store = new MemoryStore();
	for (const key of ['a', 'b', 'c']) {
		store.set(key, {}, noExpiry);
	}

	const met = [];
	for await (const [key] of store.iterate()) {
		met.push(key);
		store.delete(key);
		store.set(key, {}, noExpiry);
		store.set(`${key} too`, {}, noExpiry);
	}

	t.deepEqual(met, ['a', 'b', 'c']);
});

test('100,000 entries are counted, found and deleted by their times', async t => {
	const store = new MemoryStore({maxEntries: 200_000});
	for (let index = 0; index < 100_000; index += 1) {
		store.set(`key ${index}`, {}, {expires: undefined, size: 1, indexed: {createdAt: index, freshUntil: index}});
	}

	t.is(store.count(), 100_000);
	t.is(store.size(), store.size());
	t.is(store.deleteFound({staleAt: 99_997}), 99_998);
	t.deepEqual(await Array.fromAsync(store.find({orderBy: 'createdAt', descending: true})), ['key 99999', 'key 99998']);
	t.is(store.entryCount, 2);
});

test('an entry that does not fit is not added', t => {
	const store = new MemoryStore({maxBytes: 10});
	t.false(store.add('key', {}, sized(100)));
	t.true(store.add('key', {}, sized(1)));
});

test('bounds must be positive integers', t => {
	for (const bound of [0, -1, 1.5, NaN, Infinity, '10' as unknown as number]) {
		t.throws(() => new MemoryStore({maxBytes: bound}), {instanceOf: TypeError, message: /\.maxBytes`.*positive integer/v});
		t.throws(() => new MemoryStore({maxEntries: bound}), {instanceOf: TypeError, message: /\.maxEntries`.*positive integer/v});
	}
});
