import test from 'ava';
import {cacheInfo, type HttpCache, type Store} from '../../source/index.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {manage, places} from './places.ts';

for (const [name, open] of places) {
	test(`${name}: what has a tag is deleted at once, for every cache on the store, and what came after stays`, async t => {
		const {client, cache, origin, another} = await manage(t, open, {tags: response => response.size > 4 ? ['large'] : []});
		const other = another();
		const urls = ['/a?cache-tag=one,%20two', '/b?surrogate-key=two%20three', '/large', '/c'].map(path => origin.url + path);
		for (const url of urls) {
			await client(url);
		}

		await client(`${origin.url}/d`, {context: {cache: {tags: ['four']}}});
		await cache.idle();
		const tags = await Array.fromAsync(cache.responses(), response => response.tags);
		t.deepEqual(new Set(tags.map(String)), new Set(['one,two', 'two,three', 'large', '', 'four']));

		t.is(await other.cache.delete({tags: ['two', 'large']}), 0);
		const isCached = async (url: string): Promise<boolean> => (await client(url)).isFromCache;
		t.false(await cache.contains({url: urls[0]!}));
		t.is(await cache.count(), 2);

		// The clock stands: what is stored now was stored in the same millisecond.
		t.deepEqual(await Array.fromAsync(urls, isCached), [false, false, false, true]);
		t.deepEqual(await Array.fromAsync(urls, isCached), [true, true, true, true]);
		t.true((await other.client(urls[1]!)).isFromCache);
		t.is(await cache.count(), 5);
		t.is(await cache.delete({tags: ['four'], urls: [urls[3]!]}), 1);
		t.is(await cache.count(), 3);
	});

	test(`${name}: what has a tag is stale at once, and stands in for an error`, async t => {
		const {client, cache, origin, another} = await manage(t, open, {staleIfError: true});
		const url = `${origin.url}/a?cache-tag=one`;
		await client(url);
		await another().cache.expire({tags: ['one']});
		t.true((await cache.get({url}))!.isExpired);
		t.is(await cache.count({expired: true}), 1);
		t.is(cacheInfo(await client(url)).reason, 'revalidated');
		t.is(cacheInfo(await client(url)).reason, 'fresh');
		await cache.expire({tags: ['one']});
		await origin[Symbol.asyncDispose]();
		t.is(cacheInfo(await client(url)).reason, 'stale-if-error');
		t.is(await cache.resetExpiration('1m'), 1);
		t.is(cacheInfo(await client(url)).reason, 'fresh');
	});

	test(`${name}: what was asked for before its tag was deleted is not stored after`, async t => {
		const {client, cache, origin, clock} = await manage(t, open);
		const url = `${origin.url}/a?cache-tag=one`;
		const stream = client.stream(url);
		await new Promise(resolve => {
			stream.once('response', resolve);
		});
		clock.advance(1);
		await cache.delete({tags: ['one']});
		await stream.toArray();
		await cache.idle();
		t.is(cacheInfo(stream.response!).stored, 'invalidated');
		t.false(await cache.contains({url}));
		await client(url);
		t.true(await cache.contains({url}));
	});
}

test('a tagged variant goes without the others', async t => {
	const {client, cache, origin} = await manage(t, places[0]![1]);
	const url = `${origin.url}/a?vary=accept-language`;
	const ask = async (language: string, tags: string[]): Promise<string> => cacheInfo(await client(url, {headers: {'accept-language': language}, context: {cache: {tags}}})).reason;
	await ask('de', ['one']);
	await ask('en', ['two']);
	await ask('fr', ['three']);
	await cache.delete({tags: ['one', 'two']});
	t.deepEqual([await ask('fr', []), await ask('de', []), await ask('en', [])], ['fresh', 'miss', 'miss']);
});

test('a bounded store that has dropped the record of a tag brings nothing back', async t => {
	const {client, cache, origin, store, another} = await manage(t, places[0]![1]);
	const url = `${origin.url}/a?cache-tag=one`;
	await client(url);
	await cache.delete({tags: ['one']});
	for await (const [key] of (store as MemoryStore).iterate()) {
		if (key.includes(':tag:')) {
			(store as MemoryStore).delete(key);
		}
	}

	t.false(await another().cache.contains({url}));
	t.false((await client(url)).isFromCache);
});

test('where the records of tags cannot be read, what has tags is not used, and nothing is deleted', async t => {
	const inner = new MemoryStore();
	let isBroken = false;
	const store: Store = Object.assign(Object.create(inner) as Store, {
		holds: 'objects',
		name: 'broken',
		get(key: string) {
			if (isBroken && key.includes(':tag:')) {
				throw new Error('gone');
			}

			return inner.get(key);
		},
		set: inner.set.bind(inner),
		delete: inner.delete.bind(inner),
		deleteMany: inner.deleteMany.bind(inner),
		clear: inner.clear.bind(inner),
		iterate: inner.iterate.bind(inner),
		close: inner.close.bind(inner),
		watchEvictions: undefined,
	});
	const {client, cache, origin} = await manage(t, async () => store);
	const url = `${origin.url}/a?cache-tag=one`;
	const errors: unknown[] = [];
	cache.on('storeError', ({error}) => {
		errors.push(String(error));
	});
	await client(url);
	isBroken = true;
	t.false((await client(url)).isFromCache);
	t.deepEqual(new Set(errors), new Set(['Error: gone']));
	isBroken = false;
	t.true((await client(url)).isFromCache);
	await t.throwsAsync((async (broken: HttpCache) => {
		isBroken = true;
		await broken.get({url});
	})(cache), {message: 'gone'});
});

test('a function of tags that fails keeps the response out, and is told', async t => {
	const settings: string[] = [];
	for (const tags of [() => {
		throw new Error('no');
	}, () => 'one' as unknown as string[], () => ['']]) {
		const {client, cache, origin} = await manage(t, places[0]![1], {tags});
		cache.on('settingError', ({setting}) => {
			settings.push(setting);
		});
		const response = await client(`${origin.url}/a`);
		t.is(cacheInfo(response).stored, 'filtered');
		t.false(await cache.contains({url: `${origin.url}/a`}));
	}

	t.deepEqual(settings, ['tags', 'tags', 'tags']);
});
