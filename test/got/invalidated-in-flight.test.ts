import {fork} from 'node:child_process';
import {once} from 'node:events';
import test, {type ExecutionContext} from 'ava';
import {getCache, type CacheSettings, type Store} from '../../source/index.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {settle} from '../helpers/gate.ts';
import {openedStores} from '../helpers/opened-stores.ts';
import {Clock} from '../helpers/origin.ts';
import type {Task} from './invalidating-caller.ts';
import {
	actions,
	open,
	partitionSecret,
	renewed,
	states,
	testInvalidatedInFlight,
	versions,
	VersionedOrigin,
} from './invalidating.ts';

// Those on stores in files and on servers take longer: see in-flight.long.test.ts.
testInvalidatedInFlight(test, 'memory', openedStores.memory!);

/** Another process that has the same file open. */
async function startOther(t: ExecutionContext, settings: CacheSettings): Promise<(task: Task) => Promise<void>> {
	const child = fork(new URL('invalidating-caller.ts', import.meta.url), [JSON.stringify({...settings, partitionSecret})], {execArgv: ['--disable-warning=ExperimentalWarning']});
	t.teardown(() => {
		child.kill();
	});
	await once(child, 'message');
	return async task => {
		const done = once(child, 'message');
		child.send(task);
		await done;
	};
}

for (const cacheControl of [false, true]) {
	for (const state of Object.keys(states)) {
		const tasks: Readonly<Record<string, (urls: readonly string[]) => Task>> = {
			'by a tag': () => ({tags: ['tagged']}),
			...(cacheControl && {'by an unsafe method': urls => ({post: urls})}),
		};
		for (const [how, task] of Object.entries(tasks)) {
			test(`cacheControl ${cacheControl}: no outdated response is served to 50 requests (${state}) after another process invalidates them ${how}`, async t => {
				await using origin = await VersionedOrigin.start();
				await using opened = await openedStores.sqlite!();
				const clock = new Clock(Date.now());
				const settings = {...opened.settings, cacheControl};
				const other = await startOther(t, settings);
				const client = open(settings, clock);
				await using cache = getCache(client);
				const asked = await states[state]!({
					origin, client, cache, clock, keys: [],
				});
				origin.version = 2;
				origin.how = 'at once';
				await other(task(origin.urls));
				const after = versions(client, origin.urls);
				await settle();
				origin.release();
				t.deepEqual(await after, renewed);
				await Promise.all(asked);
				await cache.idle();
				t.deepEqual(await versions(client, origin.urls), renewed);
			});
		}
	}
}

/** A store whose writes wait to be let through. */
function heldStore(): {readonly store: MemoryStore; readonly letThrough: () => void} {
	const store = new MemoryStore();
	const set = store.set.bind(store);
	const hold = Promise.withResolvers<void>();
	const changed: Pick<Store, 'set'> = {
		async set(key, value, options) {
			await hold.promise;
			set(key, value, options);
		},
	};
	return {store: Object.assign(store, changed), letThrough: hold.resolve};
}

for (const [action, invalidate] of Object.entries(actions)) {
	test(`a response whose write waits for a slow store is not stored after ${action}`, async t => {
		await using origin = await VersionedOrigin.start();
		const {store, letThrough} = heldStore();
		const clock = new Clock(Date.now());
		const client = open({store, cacheControl: true, storeTimeout: 20_000}, clock);
		await using cache = getCache(client);
		const keys = await Promise.all(origin.urls.map(async url => (await cache.createKey({url}))!));
		t.deepEqual([...new Set(await versions(client, origin.urls))], ['version 1']);
		origin.version = 2;
		clock.advance(1);
		const invalidated = invalidate({
			origin, client, cache, clock, keys,
		});
		await settle();
		letThrough();
		await invalidated;
		await cache.idle();
		t.deepEqual(await versions(client, origin.urls), renewed);
		await cache.idle();
		t.deepEqual(await versions(client, origin.urls), renewed);
	});
}

const named = Object.entries(actions).filter(([action]) => action !== 'save' && !action.endsWith('by a tag'));

for (const [action, invalidate] of named) {
	test(`a response that the store writes after its time limit is not available after ${action}`, async t => {
		await using origin = await VersionedOrigin.start();
		const {store, letThrough} = heldStore();
		const clock = new Clock(Date.now());
		const client = open({store, cacheControl: true, storeTimeout: 50}, clock);
		await using cache = getCache(client);
		// With more faults, the store would be left alone.
		const urls = origin.urls.slice(0, 1);
		const keys = [(await cache.createKey({url: urls[0]!}))!];
		t.deepEqual(await versions(client, urls), ['version 1']);
		await cache.idle();
		origin.version = 2;
		clock.advance(1);
		const invalidated = invalidate({
			origin: {urls} as unknown as VersionedOrigin, client, cache, clock, keys,
		});
		await settle();
		letThrough();
		await invalidated;
		await cache.idle();
		await settle();
		t.deepEqual(await versions(client, urls), ['version 2']);
		await cache.idle();
		t.deepEqual(await versions(client, urls), ['version 2']);
	});
}
