import test from 'ava';
import {lazyStore} from '../../source/stores/lazy-store.ts';
import type {Store} from '../../source/stores/types.ts';

type Called = Store & {readonly calls: string[]; own(value: number): Promise<number>};

function store(): Called {
	const calls: string[] = [];
	return {
		name: 'called', valueType: 'text', calls,
		get(key) {
			calls.push(`get ${key}`);
			return key;
		},
		set() {},
		delete: () => true,
		deleteMany() {},
		clear() {},
		close() {
			calls.push('close');
		},
		async * iterate() {
			yield ['a', 'b'];
		},
		async * find() {
			yield 'found';
		},
		own: async value => value + 1,
	};
}

const facts = {
	name: 'called', valueType: 'text', scope: 'network', methods: ['own'], iterators: ['find'],
} as const;

test('a store is loaded once, from when it is made', async t => {
	let loads = 0;
	const loaded = store();
	const lazy = lazyStore<Called>(facts, async () => {
		loads++;
		return loaded;
	});
	t.is(loads, 1);
	t.like(lazy, {name: 'called', valueType: 'text', scope: 'network'});
	t.deepEqual(await Promise.all([lazy.get('one'), lazy.get('two')]), ['one', 'two']);
	await lazy.close();
	t.is(loads, 1);
	t.deepEqual(loaded.calls, ['get one', 'get two', 'close']);
});

test('what a store has of its own is there, and what it lacks is not', async t => {
	const lazy = lazyStore<Called>(facts, async () => store());
	t.is(await lazy.own(1), 2);
	t.deepEqual(await Array.fromAsync(lazy.find!({})), ['found']);
	t.deepEqual(await Array.fromAsync(lazy.iterate()), [['a', 'b']]);
	t.is(lazy.count, undefined);
	t.is(lazy.path, undefined);
});

test('a store that cannot be loaded is loaded again by a later call', async t => {
	let loads = 0;
	const lazy = lazyStore<Called>(facts, async () => {
		loads++;
		if (loads === 1) {
			throw new Error('no module');
		}

		return store();
	});
	await t.throwsAsync(async () => lazy.get('key'), {message: 'no module'});
	t.is(await lazy.get('key'), 'key');
});

test('a store that is not eager is loaded by its first call, and after `close` never', async t => {
	let loads = 0;
	const make = async () => {
		loads++;
		return store();
	};

	const lazy = lazyStore<Called>({...facts, isEager: false}, make);
	t.is(loads, 0);
	t.is(await lazy.get('key'), 'key');
	await lazy.close();
	await lazy.close();
	await t.throwsAsync(Promise.resolve(lazy.get('key')), {code: 'ERR_STORE_CLOSED', message: /called store is closed/v});
	await t.throwsAsync(Array.fromAsync(lazy.iterate()), {code: 'ERR_STORE_CLOSED'});
	t.is(loads, 1);

	const unused = lazyStore<Called>({...facts, isEager: false}, make);
	await unused.close();
	t.is(loads, 1);
});
