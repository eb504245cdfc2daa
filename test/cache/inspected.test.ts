import {inspect} from 'node:util';
import test from 'ava';
import got from 'got';
import {
	cacheHooks,
	encrypted,
	getCache,
	HttpCache,
	SerializerPipeline,
} from '../../source/index.ts';
import {Origin} from '../helpers/origin.ts';

const secret = '4f1c-secret';
const key = 'ab12'.repeat(16);

type Row = readonly [name: string, cache: () => HttpCache, expected: string];

const rows: readonly Row[] = [
	['a cache without settings', () => new HttpCache({store: 'memory'}), 'HttpCache { store: \'memory\' }'],
	['settings that differ from the defaults', () => new HttpCache({
		store: 'memory', cacheName: 'weather', expireAfter: '5m', staleIfError: false, cacheControl: false, allowableCodes: [200], matchHeaders: ['accept'],
	}), 'HttpCache {\n  store: \'memory\',\n  cacheName: \'weather\',\n  expireAfter: \'5m\',\n  matchHeaders: [ \'accept\' ]\n}'],
	['the defaults of RFC 9111', () => new HttpCache({store: 'memory', cacheControl: true}), 'HttpCache { store: \'memory\', cacheControl: true }'],
	['the path of a store', () => new HttpCache({store: 'sqlite:///srv/app/http_cache.sqlite'}), 'HttpCache { store: \'sqlite /srv/app/http_cache.sqlite\' }'],
	['a secret', () => new HttpCache({store: 'memory', partitionSecret: secret}), 'HttpCache { store: \'memory\', partitionSecret: \'REDACTED\' }'],
	['the URL of a server', () => new HttpCache({store: `redis://user:${secret}@127.0.0.1:1/0?password=${secret}`}), 'HttpCache { store: \'redis redis://…@127.0.0.1:1/0?…\' }'],
	['a key of a serializer', () => new HttpCache({store: 'memory', serializer: new SerializerPipeline(['json', encrypted({key})])}), 'HttpCache { store: \'memory\', serializer: \'a serializer\' }'],
	['the settings of a client, as they are now', () => {
		const cache = getCache(got.extend(cacheHooks({store: 'memory', expireAfter: '1m'})));
		cache.settings.expireAfter = '2m';
		return cache;
	}, 'HttpCache { store: \'memory\', expireAfter: \'2m\' }'],
];

for (const [name, create, expected] of rows) {
	test(`a cache is shown with its store and settings: ${name}`, t => {
		const cache = create();
		t.is(inspect(cache, {breakLength: 80}), expected);
		t.notRegex(inspect({client: {cache}}, {depth: 10, showHidden: true}), new RegExp(`${secret}|${key}`, 'v'));
		t.is(inspect({a: {b: cache}}, {depth: 1}), '{ a: { b: [HttpCache] } }');
	});
}

test('the figures of a cache are shown in a few lines, and are a plain object otherwise', async t => {
	await using origin = await Origin.start((request, response) => {
		response.statusCode = request.url === '/missing' ? 404 : 200;
		response.end('body');
	});
	const client = got.extend(cacheHooks({store: 'memory'}), {throwHttpErrors: false, retry: {limit: 0}});
	for (const path of ['a', 'a', 'a', 'missing']) {
		await client(`${origin.url}/${path}`);
	}

	const stats = getCache(client).stats();
	const lines = inspect({stats, nested: [stats]}, {depth: 3}).replaceAll(stats.since.toISOString(), '<time>').replaceAll(/\b\d{1,5} ms/gv, '1 ms');
	t.is(lines, `{
  stats: CacheStats since <time>
    answers    2 hits, 0 stale, 0 revalidated, 2 misses (miss 2), 0 bypassed: 50 % from the cache
    responses  1 stored, 1 refused (status-code 1), 0 evicted
    saved      8 B, 1 ms
    store      0 errors, circuit closed,
  nested: [
    CacheStats since <time>
      answers    2 hits, 0 stale, 0 revalidated, 2 misses (miss 2), 0 bypassed: 50 % from the cache
      responses  1 stored, 1 refused (status-code 1), 0 evicted
      saved      8 B, 1 ms
      store      0 errors, circuit closed
  ]
}`);
	t.deepEqual(structuredClone(stats), {...stats});
	t.true(inspect(new HttpCache({store: 'memory'}).stats()).includes('0 misses, 0 bypassed\n'));
});
