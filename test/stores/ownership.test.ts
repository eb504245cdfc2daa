import test from 'ava';
import {Keyv} from 'keyv';
import {Keyv as Keyv5} from 'keyv5';
import {HttpCache} from '../../source/index.ts';
import type {KeyvLike} from '../../source/stores/keyv-instances.ts';
import {ListlessAdapter, NamespacedAdapter, PromiseAdapter} from './fake-adapters.ts';

const past = Date.UTC(2001, 0, 1);

/** The data of an application beside the cache: in its own form, expired, undecodable, and under keys that look like those of caches. */
const foreign: Record<string, unknown> = {
	session: 'a text',
	user: {value: {name: 'Ada'}},
	expired: {value: 'gone', expires: past},
	'expired as text': JSON.stringify({value: 'gone', expires: past}),
	'no JSON': '{"value":',
	'keyv:session': '{"value":"of an instance"}',
	'got-cache:2:0123': '{"value":"the key of an entry, without the name of a cache"}',
	'got-cache-hooks:': 'no name',
	'got-cache-hooks:http_cache': 'no separator',
	'got-cache-hooks:http_cacheX::got-cache:2:01': '{"value":"of another cache"}',
	'got-cache-hooks:httpXcache::got-cache:2:01': '{"value":"of a cache that a pattern of SQL takes for this one"}',
	'http_cache::a': '{"value":"the name as a namespace"}',
	['x'.repeat(300)]: 12,
};

type Shape = {
	readonly name: string;
	readonly make: () => {readonly store: KeyvLike; readonly entries: Map<string, unknown>};
	readonly isListless?: boolean;
};

const onMap = (make: (map: Map<string, unknown>) => KeyvLike): Shape['make'] => () => {
	const entries = new Map<string, unknown>();
	return {store: make(entries), entries};
};

const onAdapter = (Adapter: typeof ListlessAdapter, make: (adapter: ListlessAdapter) => KeyvLike): Shape['make'] => () => {
	const adapter = new Adapter();
	return {store: make(adapter), entries: adapter.entries};
};

const shapes: readonly Shape[] = [
	{name: 'a Map', make: onMap(map => map)},
	{name: 'Keyv 5 with its own namespace on a Map', make: onMap(store => new Keyv5({store}))},
	{name: 'Keyv 5 without a namespace on a Map', make: onMap(store => new Keyv5({store, namespace: ''}))},
	{name: 'Keyv 6 with a namespace on a Map', make: onMap(store => new Keyv({store, namespace: 'app'}))},
	{name: 'Keyv 6 without a namespace on a Map', make: onMap(store => new Keyv({store}))},
	...(([['an adapter', PromiseAdapter], ['an adapter that keeps the namespace', NamespacedAdapter], ['an adapter that cannot list', ListlessAdapter]] as const).flatMap(([name, Adapter]) => {
		const isListless = Adapter === ListlessAdapter;
		return [
			{name: `${name}, raw`, make: onAdapter(Adapter, adapter => adapter), isListless},
			{name: `${name}, in Keyv 5`, make: onAdapter(Adapter, store => new Keyv5({store, namespace: 'a.b*'})), isListless},
			{name: `${name}, in Keyv 6`, make: onAdapter(Adapter, store => new Keyv({store, namespace: 'app'})), isListless},
			{name: `${name}, in Keyv 6 without a namespace`, make: onAdapter(Adapter, store => new Keyv({store})), isListless},
		];
	})),
];

const url = 'https://example.com/';
const save = async (cache: HttpCache, path = ''): Promise<void> => {
	await cache.save({url: url + path}, {headers: {'cache-control': 'max-age=60'}, body: path}, {tags: ['tag']});
};

const clean = (entries: Map<string, unknown>): unknown => structuredClone(Object.fromEntries(Object.keys(foreign).map(key => [key, entries.get(key)])));

for (const {name, make, isListless = false} of shapes) {
	test(`${name}: data of others is neither read, counted, changed nor deleted`, async t => {
		const {store, entries} = make();
		for (const [key, value] of Object.entries(foreign)) {
			entries.set(key, entriesHaveExpiry(entries, store) ? {value, expires: Infinity} : value);
		}

		const before = clean(entries);
		const cache = new HttpCache({store, failFast: true});
		await save(cache, 'a');
		await save(cache, 'b');
		t.truthy(await cache.get({url: `${url}a`}));
		const listing = async (): Promise<unknown> => {
			const count = await cache.count();
			const urls = await Array.fromAsync(cache.urls());
			for (const criteria of [{invalid: true}, {expired: true}, {olderThan: '1000d'}]) {
				await cache.delete(criteria);
			}

			return [count, urls.toSorted(), await cache.count()];
		};

		const listed = isListless ? 'unlisted' : await listing();
		t.deepEqual(listed, isListless ? 'unlisted' : [2, [`${url}a`, `${url}b`], 2]);
		await cache.delete({urls: [`${url}a`]});
		t.is(await cache.get({url: `${url}a`}), undefined);
		await cache.clear();
		t.is(await cache.get({url: `${url}b`}), undefined);
		await cache.clear();
		t.deepEqual(clean(entries), before);
		await save(cache, 'b');
		t.truthy(await cache.get({url: `${url}b`}));
	});

	test(`${name}: caches with different names do not see each other`, async t => {
		const {store} = make();
		const names = ['http_cache', 'httpXcache', 'http_cache::x', 'http_', 'a*', 'ab', '[x]', 'x', '(', '%28', 'http_cache:', 'Ж'];
		const caches = names.map(cacheName => new HttpCache({store, cacheName, failFast: true}));
		for (const cache of caches) {
			await save(cache, 'a');
		}

		for (const [index, cache] of caches.entries()) {
			await cache.clear();
			for (const [other, {cache: left}] of caches.map(left => ({cache: left})).entries()) {
				t.is(await left.get({url: `${url}a`}) !== undefined, other > index, `${names[other]} after ${names[index]} is cleared`);
			}
		}
	});
}

test('an instance of Keyv on the same adapter keeps working, whether it is made before or after the cache', async t => {
	for (const open of [(store: PromiseAdapter): KeyvLike => new Keyv({store, namespace: 'app'}), (store: PromiseAdapter): KeyvLike => new Keyv5({store, namespace: 'app'})]) {
		for (const adapterOf of [() => new PromiseAdapter(), () => new NamespacedAdapter()]) {
			for (const isFirst of [true, false]) {
				const adapter = adapterOf();
				const cache = isFirst ? undefined : new HttpCache({store: adapter});
				const app = open(adapter);
				const mine = cache ?? new HttpCache({store: adapter});
				await app.set('session', 'text');
				await save(mine);
				t.truthy(await mine.get({url}));
				t.is(await app.get('session'), 'text');
				await mine.clear();
				await mine.close();
				t.is(await app.get('session'), 'text');
				await app.delete('session');
				t.is(await app.get('session'), undefined);
			}
		}
	}
});

/** An adapter that leaves the namespace to Keyv, as most do: Keyv sets it, and the adapter lists the keys that begin with it. */
class LeavingAdapter extends PromiseAdapter {
	namespace: string | undefined;
	override async * iterator(namespace?: string): AsyncGenerator<[string, unknown], void> {
		for await (const [key, value] of super.iterator()) {
			if (namespace === undefined || key.startsWith(`${namespace}:`)) {
				yield [key, value];
			}
		}
	}
}

/** An adapter like that for Redis: it adds its namespace to keys, removes it again, and uses it as a pattern when it lists. */
class PrefixingAdapter extends PromiseAdapter {
	namespace: string | undefined;
	override async get(key: string): Promise<unknown> {
		return super.get(this.#prefixed(key));
	}

	override async set(key: string, value: unknown, timeToLive?: number): Promise<boolean> {
		return super.set(this.#prefixed(key), value, timeToLive);
	}

	override async delete(key: string): Promise<boolean> {
		return super.delete(this.#prefixed(key));
	}

	override async * iterator(namespace?: string): AsyncGenerator<[string, unknown], void> {
		for await (const [key, value] of super.iterator()) {
			if (namespace === undefined ? !key.includes('::') : matchesGlob(key, `${namespace}::*`)) {
				yield [namespace === undefined ? key : key.replace(`${namespace}::`, ''), value];
			}
		}
	}

	#prefixed(key: string): string {
		return this.namespace === undefined ? key : `${this.namespace}::${key}`;
	}
}

/** Matches as `KEYS` of Redis does: `*`, `?`, `[…]`, and a backslash before a literal character. */
function matchesGlob(key: string, glob: string): boolean {
	const source = glob.replaceAll(/\\.|\[[^\[\]]*\]|\W/gsv, part => {
		const patterns: Readonly<Record<string, string>> = {'*': '.*', '?': '.'};
		const isSet = part.startsWith('[') && part.length > 1;
		return patterns[part] ?? (isSet ? part : String.raw`\u{${part.codePointAt(part.length > 1 ? 1 : 0)!.toString(16)}}`);
	});
	return new RegExp(`^${source}$`, 'sv').test(key);
}

const openings: ReadonlyArray<readonly [name: string, open: (store: PromiseAdapter, namespace: string) => KeyvLike]> = [
	['raw, after a Keyv 5', (store, namespace) => {
		inKeyv5(store, namespace);
		return store;
	}],
	['in Keyv 5', inKeyv5],
	['in Keyv 6', (store, namespace) => new Keyv({store, namespace})],
];

function inKeyv5(store: PromiseAdapter, namespace: string): Keyv5 {
	return new Keyv5({store, namespace});
}

for (const [adapter, make] of [['an adapter that leaves the namespace to Keyv', () => new LeavingAdapter()], ['an adapter that puts the namespace before keys', () => new PrefixingAdapter()]] as const) {
	for (const [name, open] of openings) {
		test(`${adapter}, ${name}: all entries are listed and cleared with any namespace`, async t => {
			for (const namespace of ['keyv', 'http_cache', 'a.b*', 'x[1]*?', String.raw`a\b`, 'got-cache-hooks', '%', 'Ж ']) {
				const cache = new HttpCache({store: open(make(), namespace), failFast: true});
				await save(cache, 'a');
				await save(cache, 'b');
				t.is(await cache.count(), 2, `namespace ${namespace}`);
				await cache.clear();
				t.is(await cache.get({url: `${url}a`}), undefined, `namespace ${namespace}`);
				t.is(await cache.count(), 0, `namespace ${namespace}`);
			}
		});
	}
}

test('two instances of Keyv 5 on one adapter are two caches, even if the second one sets the namespace of the adapter', async t => {
	const adapter = new LeavingAdapter();
	const [first, second] = [inKeyv5(adapter, 'app1'), inKeyv5(adapter, 'app2')].map(store => new HttpCache({store, failFast: true})) as [HttpCache, HttpCache];
	await save(first, 'a');
	await save(first, 'b');
	await save(second, 'b');
	t.deepEqual([await first.count(), await second.count()], [2, 1]);
	await first.clear();
	t.deepEqual([await first.count(), await second.count()], [0, 1]);
	t.is(await first.get({url: `${url}b`}), undefined);
	t.truthy(await second.get({url: `${url}b`}));
});

test('a name that is not a string is refused', t => {
	for (const cacheName of ['', '\u{D800}']) {
		t.throws(() => new HttpCache({store: new Map(), cacheName}), {instanceOf: TypeError, message: /`cache.cacheName`/v});
	}
});

test('`clear` of a storage that cannot list its keys throws, and cleared entries are misses for all caches', async t => {
	const adapter = new ListlessAdapter();
	const [first, second] = [new HttpCache({store: adapter}), new HttpCache({store: adapter})];
	await save(first);
	t.truthy(await second.get({url}));
	await first.clear();
	t.is(await second.get({url}), undefined);
	t.is(await new HttpCache({store: adapter}).get({url}), undefined);
	await t.throwsAsync(async () => first.count(), {code: 'ERR_STORE_ITERATE'});
	await t.throwsAsync(async () => Array.fromAsync(first.urls()), {code: 'ERR_STORE_ITERATE'});
	await save(second);
	t.truthy(await first.get({url}));
	// The storage has dropped the generation for something else.
	adapter.entries.delete(adapter.entries.keys().find(key => key.endsWith('::generation'))!);
	t.is(await first.get({url}), undefined);
	await save(first, 'new');
	t.is(await first.get({url}), undefined);
	t.truthy(await second.get({url: `${url}new`}));
});

test('`clear` throws if a storage lists nothing although it has entries', async t => {
	class Forgetful extends PromiseAdapter {
		override async * iterator(): AsyncGenerator<[string, unknown], void> {
			// It lists nothing.
		}
	}

	const cache = new HttpCache({store: new Forgetful()});
	await save(cache);
	await t.throwsAsync(async () => cache.clear(), {code: 'ERR_STORE_ITERATE'});
});

test('entries of the cache that cannot be decoded are found by `delete({invalid: true})`', async t => {
	for (const wrap of [(store: PromiseAdapter) => store, (store: PromiseAdapter) => new Keyv5({store}), (store: PromiseAdapter) => new Keyv({store})]) {
		const adapter = new PromiseAdapter();
		const cache = new HttpCache({store: wrap(adapter)});
		await save(cache, 'good');
		await save(cache, 'bad');
		const bad = await keyOf(cache, 'bad');
		const stored = adapter.entries.keys().find(key => key.endsWith(bad))!;
		for (const rubbish of ['{"value":', '{"value":{"a":1}}', '{"value":"rubbish"}']) {
			adapter.entries.set(stored, {value: rubbish, expires: Infinity});
			await cache.delete({invalid: true});
			t.false(adapter.entries.has(stored), `a value of ${rubbish}`);
			t.is(await cache.count(), 1);
		}
	}
});

async function keyOf(cache: HttpCache, path: string): Promise<string> {
	const stored = await cache.get({url: url + path});
	return stored!.cacheKey;
}

/** The adapters keep a value with its time; a Map has the value itself. */
function entriesHaveExpiry(entries: Map<string, unknown>, store: KeyvLike): boolean {
	const storage = (store as {store?: {store?: unknown}}).store;
	return store !== entries && storage !== entries && storage?.store !== entries;
}
