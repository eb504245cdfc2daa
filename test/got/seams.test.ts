import type {ServerResponse} from 'node:http';
import {setImmediate as turn, setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import got from 'got';
import {
	cacheHooks,
	getCache,
	HttpCache,
	withCacheSettings,
	withoutNetwork,
} from '../../source/index.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Origin, type Handler} from '../helpers/origin.ts';

/** Keeps the requests that it gets, to be answered when it is told to. */
function gate(): {readonly held: ServerResponse[]; readonly handler: Handler; readonly reach: (count: number) => Promise<void>} {
	const held: ServerResponse[] = [];
	return {
		held,
		handler(_request, response) {
			held.push(response);
		},
		async reach(count) {
			while (held.length < count) {
				await turn();
			}
		},
	};
}

for (const [name, instance] of majors) {
	test(`${name}: what is kept from the network leads nobody, and waits for nobody`, async t => {
		const {held, handler, reach} = gate();
		await using origin = await Origin.start(handler);
		const {client} = createClient({}, instance);
		await t.throwsAsync(withoutNetwork(async () => client(origin.url)), {code: 'ERR_NO_NETWORK'});
		const leader = client(origin.url);
		await reach(1);
		await t.throwsAsync(withoutNetwork(async () => client(origin.url)), {code: 'ERR_NO_NETWORK'});
		held[0]!.end('answer');
		t.is((await leader).body, 'answer');
	});

	test(`${name}: nobody waits for what was asked for before the resource was changed`, async t => {
		const {held, handler, reach} = gate();
		await using origin = await Origin.start(handler);
		const {client} = createClient({cacheControl: true}, instance);
		const before = client(origin.url);
		await reach(1);
		const change = client.post(origin.url, {body: 'new'});
		await reach(2);
		held[1]!.end('changed');
		await change;
		const after = [client(origin.url), client(origin.url)];
		await delay(50);
		held[0]!.end('old');
		await reach(3);
		held[2]!.end('new');
		t.is((await before).body, 'old');
		t.deepEqual(await Promise.all(after.map(async response => (await response).body)), ['new', 'new']);
		t.is(origin.count, 3);
	});

	test(`${name}: nobody is given what was asked for before its tag was deleted`, async t => {
		const {held, handler, reach} = gate();
		await using origin = await Origin.start(handler);
		const {client, clock} = createClient({}, instance);
		const before = client(origin.url);
		await reach(1);
		clock.advance(1);
		await getCache(client).delete({tags: ['one']});
		const after = client(origin.url);
		await delay(50);
		held[0]!.setHeader('cache-tag', 'one');
		held[0]!.end('old');
		await reach(2);
		held[1]!.setHeader('cache-tag', 'one');
		held[1]!.end('new');
		t.is((await before).body, 'old');
		t.is((await after).body, 'new');
	});
}

test('clients of one cache, and classes with settings of their own, ask once', async t => {
	const {held, handler, reach} = gate();
	await using origin = await Origin.start(handler);
	const cache = new HttpCache({store: 'memory'});
	const one = got.extend(cacheHooks({cache}));
	const other = got.extend(cacheHooks({cache, expireAfter: '1m'}));
	const inClass = withCacheSettings({urlsExpireAfter: [['*', '1h']]}, async () => one(origin.url));
	const asked = [one(origin.url), other(origin.url), inClass()];
	await reach(1);
	await delay(50);
	t.is(held.length, 1);
	held[0]!.end('answer');
	for (const {body} of await Promise.all(asked)) {
		t.is(body, 'answer');
	}

	t.is(origin.count, 1);
	await cache.close();
});

test('who was told that nothing is stored while another got it looks once more', async t => {
	const {held, handler, reach} = gate();
	await using origin = await Origin.start(handler);
	const store = new MemoryStore();
	const {client} = createClient({store, storeTimeout: 20_000, now: () => Date.now()});
	const get = store.get.bind(store);
	const first = client(origin.url);
	await reach(1);
	const asked = Promise.withResolvers<void>();
	const stored = Promise.withResolvers<void>();
	store.get = async (key: string) => {
		store.get = get;
		const value = get(key);
		asked.resolve();
		await stored.promise;
		return value;
	};

	const second = client(origin.url);
	await asked.promise;
	held[0]!.end('answer');
	await first;
	await getCache(client).idle();
	stored.resolve();
	t.true((await second).isFromCache);
	t.is(origin.count, 1);
});
