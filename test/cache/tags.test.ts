import test from 'ava';
import {
	cacheInfo,
	type CacheSettings,
	type HttpCache,
	type RequestSettings,
	type Store,
} from '../../source/index.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {Origin} from '../helpers/origin.ts';
import {manage, testStores} from './test-stores.ts';

for (const [name, open] of testStores) {
	test(`${name}: entries with a tag are deleted at once for all caches on the store, and later ones stay`, async t => {
		const {client, cache, origin, another} = await manage(t, open, {tags: response => response.size > 4 ? ['large'] : []});
		const other = another();
		const urls = ['/a?cache-tag=one,%20two', '/b?surrogate-key=two%20three', '/large', '/c'].map(path => origin.url + path);
		for (const url of urls) {
			await client(url);
		}

		await client(`${origin.url}/d`, {context: {cache: {tags: ['four']}}});
		await cache.idle();
		const tags = await Array.fromAsync(cache.responses(), response => response.tags);
		t.deepEqual(tags.map(String).toSorted(), ['one,two', 'two,three', 'large', '', 'four'].toSorted());

		t.is(await other.cache.delete({tags: ['two', 'large']}), 0);
		const isCached = async (url: string): Promise<boolean> => (await client(url)).isFromCache;
		t.false(await cache.contains({url: urls[0]!}));
		t.is(await cache.count(), 2);

		// The clock does not move: the next response is stored in the same millisecond.
		t.deepEqual(await Array.fromAsync(urls, isCached), [false, false, false, true]);
		t.deepEqual(await Array.fromAsync(urls, isCached), [true, true, true, true]);
		t.true((await other.client(urls[1]!)).isFromCache);
		t.is(await cache.count(), 5);
		t.is(await cache.delete({tags: ['four'], urls: [urls[3]!]}), 1);
		t.is(await cache.count(), 3);
	});

	test(`${name}: entries with an expired tag are stale at once, and are served in place of an error`, async t => {
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

	test(`${name}: a response that was requested before its tag was deleted is not stored`, async t => {
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

test('a tag deletes one variant without the others', async t => {
	const {client, cache, origin} = await manage(t, testStores[0]![1]);
	const url = `${origin.url}/a?vary=accept-language`;
	const ask = async (language: string, tags: string[]): Promise<string> => cacheInfo(await client(url, {headers: {'accept-language': language}, context: {cache: {tags}}})).reason;
	await ask('de', ['one']);
	await ask('en', ['two']);
	await ask('fr', ['three']);
	await cache.delete({tags: ['one', 'two']});
	t.deepEqual([await ask('fr', []), await ask('de', []), await ask('en', [])], ['fresh', 'miss', 'miss']);
});

test('a bounded store that has evicted the record of a tag serves no deleted entry', async t => {
	const {client, cache, origin, store, another} = await manage(t, testStores[0]![1]);
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

test('if the journal cannot be read, entries with tags are not used, and none is deleted', async t => {
	const inner = new MemoryStore();
	let isBroken = false;
	const store: Store = Object.assign(Object.create(inner) as Store, {
		valueType: 'objects',
		name: 'broken',
		scope: 'network',
		get(key: string) {
			if (isBroken && key.includes(':journal')) {
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

const many = (length: number): string[] => Array.from({length}, (_, index) => String(index));
const overBound: ReadonlyArray<readonly [title: string, headers: Readonly<Record<string, string>>, client: CacheSettings, request: RequestSettings]> = [
	['of `Cache-Tag`', {'cache-tag': many(3000).join(',')}, {}, {}],
	['of `Surrogate-Key`', {'surrogate-key': many(3000).join(' ')}, {}, {}],
	['of both tag headers', {'cache-tag': many(128).join(','), 'surrogate-key': 'a'}, {}, {}],
	['of a header and the request', {'cache-tag': many(128).join(',')}, {}, {tags: ['a']}],
	['of a header and a function', {'cache-tag': many(128).join(',')}, {tags: () => ['a']}, {}],
	['of a function', {}, {tags: () => many(129)}, {}],
	['of a function, one of them too long,', {}, {tags: () => ['x'.repeat(257)]}, {}],
];

for (const [title, headers, ofClient, ofRequest] of overBound) {
	test(`a response with too many tags ${title} is not stored, deletes the stored one, and costs no reads`, async t => {
		const store = new MemoryStore();
		let reads = 0;
		store.get = function (...args) {
			reads++;
			return MemoryStore.prototype.get.apply(this, args);
		};

		const {client, cache} = await manage(t, async () => store, ofClient);
		await using origin = await Origin.start((_request, response) => {
			response.writeHead(200, headers).end('new');
		});
		const refused: string[] = [];
		cache.on('refused', ({reason}) => {
			refused.push(reason);
		});
		const {url} = origin;
		await cache.save({url}, {body: 'old'}, {expireAfter: 0});
		reads = 0;
		const response = await client(url, {context: {cache: {...ofRequest, forceRefresh: true}}});
		await cache.idle();
		t.is(response.body, 'new');
		t.is(cacheInfo(response).stored, 'too-many-tags');
		t.deepEqual(refused, ['too-many-tags']);
		t.true(reads < 5, `${reads} reads`);
		t.false(await cache.contains({url}));
	});
}

test('a 304 with too many tags serves the stored response, and deletes it', async t => {
	const {client, cache, origin, clock} = await manage(t, testStores[0]![1]);
	const url = `${origin.url}/a?cache-tag=${many(128).join(',')}`;
	await cache.save({url}, {headers: {etag: '"1"'}, body: 'old'}, {tags: ['one']});
	clock.advance(61);
	const response = await client(url);
	t.is(response.body, 'old');
	t.is(cacheInfo(response).reason, 'revalidated');
	await cache.idle();
	t.false(await cache.contains({url}));
});

test('`save` refuses more tags than are allowed', async t => {
	const {client, cache, origin} = await manage(t, testStores[0]![1]);
	const url = `${origin.url}/a`;
	const save = async (tags: string[], headers = {}): Promise<unknown> => cache.save({url}, {headers}, {tags});
	await t.throwsAsync(save(many(129)), {instanceOf: TypeError, message: /`options\.tags` to be an array of at most 128 strings of 1 to 256 characters/v});
	await t.throwsAsync(save(['x'.repeat(257)]), {instanceOf: TypeError});
	await t.throwsAsync(save(['a'], {'cache-tag': many(128).join(',')}), {code: 'ERR_NOT_STORABLE', message: /too-many-tags/v});
	const saved = await cache.save({url}, {}, {tags: [...many(128), '0', '1']});
	t.is(saved.tags.length, 128);
	await t.throwsAsync(cache.save(saved, {tags: ['another']}), {code: 'ERR_NOT_STORABLE', message: /too-many-tags/v});
	await t.throwsAsync(client(url, {context: {cache: {tags: many(129)}}}), {message: /`context.cache.tags` to be an array of at most 128 tags/v});
	await t.throwsAsync(client(url, {context: {cache: {tags: ['a', 'x'.repeat(257)]}}}), {message: /`context.cache.tags\[1\]` to be a string of 1 to 256 characters/v});
});

test('a tag function that fails keeps the response out of the store, and is reported', async t => {
	const settings: string[] = [];
	for (const tags of [() => {
		throw new Error('no');
	}, () => 'one' as unknown as string[], () => ['']]) {
		const {client, cache, origin} = await manage(t, testStores[0]![1], {tags});
		cache.on('settingError', ({setting}) => {
			settings.push(setting);
		});
		const response = await client(`${origin.url}/a`);
		t.is(cacheInfo(response).stored, 'filtered');
		t.false(await cache.contains({url: `${origin.url}/a`}));
	}

	t.deepEqual(settings, ['tags', 'tags', 'tags']);
});
