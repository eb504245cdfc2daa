import test from 'ava';
import {getCache, type Store} from '../../source/index.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {settle} from '../helpers/gate.ts';
import {openedStores} from '../helpers/opened-stores.ts';
import {Clock} from '../helpers/origin.ts';
import {
	actions,
	open,
	renewed,
	testInvalidatedInFlight,
	versions,
	VersionedOrigin,
} from './invalidating.ts';

// Those on stores in files and on servers, and those with other processes, take longer: see in-flight.long.test.ts.
testInvalidatedInFlight(test, 'memory', openedStores.memory!);

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
