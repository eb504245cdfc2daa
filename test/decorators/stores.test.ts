import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import {Keyv} from 'keyv';
import {
	cached,
	cacheKeyOf,
	cacheOf,
	withCacheSettings,
	type CacheConfigOptions,
} from '../../source/index.ts';

type Value = {when: Date; bytes: Uint8Array; big: bigint; set: Set<number>};

/** Creates the class and its functions, as a new process would. */
function createClient(settings: CacheConfigOptions) {
	const calls: number[] = [];
	const client = withCacheSettings(settings, class {
		readonly name = 'client';
	});
	const ask = cached(async (id: number): Promise<Value> => {
		calls.push(id);
		return {
			when: new Date(id), bytes: Uint8Array.of(id), big: BigInt(id), set: new Set([id]),
		};
	}, '1h', {result: true, name: 'ask', cache: cacheOf(client)});
	return {cache: cacheOf(client), ask, calls};
}

const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'got-cache-hooks-decorators-'));
test.after.always(async () => {
	await fs.rm(folder, {recursive: true});
});

const stores: ReadonlyArray<readonly [name: string, settings: CacheConfigOptions]> = [
	['a Map', {store: new Map()}],
	['Keyv', {store: new Keyv({store: new Map()})}],
	// The time limit is long, so that the store is not too slow on a busy machine.
	['SQLite', {store: 'sqlite', cacheName: path.join(folder, 'results'), storeTimeout: 20_000}],
];

for (const [name, settings] of stores) {
	test(`results are read from ${name} by another client, and keep their keys when keys are recreated`, async t => {
		const first = createClient(settings);
		const value = await first.ask(7);
		await first.cache.idle();

		const second = createClient({...settings, matchHeaders: true, keyFn: () => 'one key for all'});
		const expected = {
			when: new Date(7), bytes: [7], big: 7n, set: new Set([7]),
		};
		for (const answer of [value, await second.ask(7)]) {
			t.deepEqual({...answer, bytes: [...answer.bytes]}, expected);
		}

		await second.ask(8);
		await second.cache.idle();
		t.deepEqual(await second.cache.recreateKeys(), {kept: 2, moved: 0, dropped: 0});
		await second.ask(7);
		await second.ask(8);
		t.deepEqual(second.calls, [8]);
		t.is(cacheKeyOf(first.ask, 7), cacheKeyOf(second.ask, 7));

		await first.cache.close();
		await second.cache.close();
	});
}

test('a failing store is a miss', async t => {
	const store: unknown = {
		get() {
			throw new Error('gone');
		},
		set() {
			throw new Error('gone');
		},
		delete() {},
		clear() {},
	};
	const {ask, calls, cache} = createClient({store: store as Map<unknown, unknown>});
	cache.on('storeError', () => {});
	await ask(1);
	await ask(1);
	t.deepEqual(calls, [1, 1]);
});

test('a result that is too large is returned, and not stored', async t => {
	const {ask, calls, cache} = createClient({store: 'memory', maxEntryBytes: 10});
	await ask(1);
	await ask(1);
	t.deepEqual(calls, [1, 1]);
	await cache.close();
});
