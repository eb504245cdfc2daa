import {Buffer} from 'node:buffer';
import {inspect} from 'node:util';
import {brotliCompressSync, gzipSync} from 'node:zlib';
import test from 'ava';
import got from 'got';
import {Keyv} from 'keyv';
import {
	cacheHooks,
	CachedResponse,
	cacheInfo,
	getCache,
	HttpCache,
	InvalidEntry,
	NEVER_EXPIRE,
	DO_NOT_CACHE,
	type Criteria,
	type Store,
} from '../../source/index.ts';
import {cannedResponse} from '../helpers/canned-response.ts';
import {IndexedStore} from './indexed-store.ts';
import {manage, testStores, type Managed} from './test-stores.ts';

const paths = ({cache}: Managed, criteria: Criteria = {}): Promise<string[]> => Array.fromAsync(cache.urls(criteria), url => new URL(url).pathname);

for (const [name, open] of testStores) {
	test(`${name}: a stored response is found by key, URL and request`, async t => {
		const managed = await manage(t, open);
		const {client, cache, origin} = managed;
		const url = `${origin.url}/a`;
		const key = cacheInfo(await client(url)).key!;
		await client(`${origin.url}/mine`, {headers: {authorization: 'one'}});

		t.true(await cache.contains({url}));
		t.true(await cache.contains({key}));
		t.is(await cache.createKey({url}), key);
		t.false(await cache.contains({url: `${origin.url}/b`}));
		t.false(await cache.contains({url: `${origin.url}/mine`}));
		t.true(await cache.contains({request: {url: `${origin.url}/mine`, headers: {authorization: 'one'}}}));

		const response = await cache.get({url});
		t.is(response!.text(), '/a ');
		t.is(response!.cacheKey, key);
		t.is(await cache.get({key: 'nothing'}), undefined);
	});

	test(`${name}: a variant is found by its request, and deleted with its resource`, async t => {
		const managed = await manage(t, open);
		const {client, cache, origin} = managed;
		const url = `${origin.url}/a?vary=accept-language`;
		for (const language of ['de', 'en', 'fr']) {
			await client(url, {headers: {'accept-language': language}});
		}

		const request = {url, headers: {'accept-language': 'en'}};
		t.is((await cache.get({request}))!.text(), '/a en');
		t.false(await cache.contains({request: {url, headers: {'accept-language': 'it'}}}));
		t.is(await cache.count(), 3);
		const variant = (await cache.get({request}))!.cacheKey;
		t.true(await cache.contains({key: variant}));

		t.is(await cache.delete({urls: [url]}), 1);
		t.false(await cache.contains({key: variant}));
		t.is(await cache.count(), 0);
		t.deepEqual(await paths(managed), []);
		t.is((await Array.fromAsync(cache.filter({invalid: true}))).length, 2);
		t.is(await cache.delete({invalid: true}), 2);
		t.is((await Array.fromAsync(cache.filter({invalid: true}))).length, 0);
	});

	test(`${name}: entries that match any criterion are listed, counted and deleted`, async t => {
		const managed = await manage(t, open);
		const {client, cache, origin, clock} = managed;
		await client(`${origin.url}/old`, {context: {cache: {expireAfter: NEVER_EXPIRE}}});
		await client(`${origin.url}/expired`);
		clock.advance(100);
		await client(`${origin.url}/new`);
		await client(`${origin.url}/tagged?cache-tag=one,two`);

		t.deepEqual((await paths(managed)).toSorted(), ['/expired', '/new', '/old', '/tagged']);
		t.deepEqual((await paths(managed, {valid: true})).toSorted(), ['/new', '/old', '/tagged']);
		t.deepEqual(await paths(managed, {expired: true}), ['/expired']);
		t.deepEqual((await paths(managed, {olderThan: '1m'})).toSorted(), ['/expired', '/old']);
		t.deepEqual(await paths(managed, {olderThan: new Date(clock.now() - 200_000)}), []);
		t.deepEqual(await paths(managed, {tags: ['two', 'three']}), ['/tagged']);
		t.deepEqual((await paths(managed, {patterns: ['*/old', /new$/v]})).toSorted(), ['/new', '/old']);
		t.deepEqual((await paths(managed, {urls: [`${origin.url}/new`], expired: true})).toSorted(), ['/expired', '/new']);
		t.is(await cache.count(), 4);
		t.is(await cache.count({expired: true}), 1);
		t.true(await cache.size() > 100);

		t.is(await cache.delete({expired: true, requests: [{url: `${origin.url}/new`}], keys: ['nothing']}), 2);
		t.deepEqual((await paths(managed)).toSorted(), ['/old', '/tagged']);
		t.is(await cache.delete({olderThan: 60}), 1);
		t.is(await cache.delete({patterns: ['*/tagged']}), 1);
		t.is(await cache.count(), 0);
	});

	test(`${name}: \`sorted\` lists responses in order`, async t => {
		const managed = await manage(t, open);
		const {client, cache, origin, clock} = managed;
		for (const [path, expireAfter] of [['/bbb', 30], ['/a', 20], ['/cc', 10]] as const) {
			await client(origin.url + path, {context: {cache: {expireAfter}}});
			clock.advance(1);
		}

		const order = (...sorting: Parameters<HttpCache['sorted']>): Promise<string[]> => Array.fromAsync(cache.sorted(...sorting), ({url}) => new URL(url).pathname);
		t.deepEqual(await order(), ['/bbb', '/a', '/cc']);
		t.deepEqual(await order({by: 'expires'}), ['/cc', '/a', '/bbb']);
		t.deepEqual(await order({by: 'size', descending: true}), ['/bbb', '/cc', '/a']);
		const keys = await Array.fromAsync(cache.sorted({by: 'key'}), ({cacheKey}) => cacheKey);
		t.deepEqual(keys, keys.toSorted((one, other) => one.localeCompare(other, 'en')));
		await t.throwsAsync(order({by: 'url' as 'key'}), {instanceOf: TypeError, message: /`sorting.by`/v});
	});

	test(`${name}: \`sorted\` orders by the size of responses, and applies \`limit\` and \`expired: false\``, async t => {
		const {cache, clock} = await manage(t, open);
		const saved: ReadonlyArray<readonly [string, number, string]> = [
			['large-headers', 1, 'a'],
			['json', 1, JSON.stringify(Array.from({length: 100}, () => 1))],
			['compressible', 1, 'x'.repeat(5000)],
			['digits', 300, Buffer.from(Array.from({length: 3000}, (_, index) => (index * 7919) % 251)).toString('latin1')],
			['two-bytes', 300, 'ж'.repeat(1000)],
			['empty', 300, ''],
		];
		for (const [path, expireAfter, body] of saved) {
			await cache.save({url: `http://127.0.0.1/${path}`}, {headers: path === 'large-headers' ? {'x-large': 'h'.repeat(9000)} : {'content-type': path === 'json' ? 'application/json' : 'text/plain'}, body}, {expireAfter});
		}

		clock.advance(10);
		const order = (...sorting: Parameters<HttpCache['sorted']>): Promise<string[]> => Array.fromAsync(cache.sorted(...sorting), ({url}) => new URL(url).pathname.slice(1));
		const bySize = ['empty', 'large-headers', 'json', 'two-bytes', 'digits', 'compressible'];
		t.deepEqual(await order({by: 'size'}), bySize);
		const sizes = await Array.fromAsync(cache.sorted({by: 'size', descending: true}), ({size}) => size);
		t.deepEqual(sizes, sizes.toSorted((one, other) => other - one));
		t.deepEqual(await order({by: 'size', descending: true, limit: 2}), ['compressible', 'digits']);
		t.deepEqual(await order({by: 'size', limit: 0}), []);
		for (const by of ['size', 'createdAt', 'expires', 'key'] as const) {
			t.deepEqual((await order({by, expired: false})).toSorted(), ['digits', 'empty', 'two-bytes']);
			t.is((await order({by, expired: false, limit: 2})).length, 2);
			t.is((await order({by, expired: true, limit: 10})).length, 6);
		}

		const wrong: ReadonlyArray<readonly [object, RegExp]> = [
			[{limt: 3}, /`sorting.limt`.*`by`, `descending`, `limit` and `expired`/v],
			[{by: 'hits'}, /`sorting.by`.*`'createdAt'`, `'expires'`, `'key'` or `'size'`/v],
			[{limit: -1}, /`sorting.limit`/v],
			[{limit: '3'}, /`sorting.limit`/v],
			[{expired: 'no'}, /`sorting.expired`/v],
			[{descending: 1}, /`sorting.descending`/v],
		];
		for (const [sorting, message] of wrong) {
			await t.throwsAsync(order(sorting), {instanceOf: TypeError, message});
		}

		await t.throwsAsync(order({}, {limit: 3} as object), {instanceOf: TypeError, message: /`task.limit`.*`signal` and `onProgress`/v});
	});

	test(`${name}: \`valid: false\` and \`expired: false\` exclude entries, whatever the other criteria select`, async t => {
		const managed = await manage(t, open);
		const {client, cache, origin, clock} = managed;
		await client(`${origin.url}/old?cache-tag=one`);
		clock.advance(100);
		await client(`${origin.url}/new?cache-tag=one`);
		clock.advance(1);
		const {url} = origin;
		const rows: ReadonlyArray<readonly [Criteria, readonly string[]]> = [
			[{}, ['/new', '/old']],
			[{expired: false}, ['/new']],
			[{valid: false}, ['/old']],
			[{valid: false, expired: true}, ['/old']],
			[{valid: true, expired: false}, ['/new']],
			[{valid: false, expired: false}, []],
			[{valid: true, expired: true}, ['/new', '/old']],
			[{expired: true}, ['/old']],
			[{valid: true}, ['/new']],
			[{patterns: ['*/new', '*/old'], expired: false}, ['/new']],
			[{urls: [`${url}/new?cache-tag=one`, `${url}/old?cache-tag=one`], expired: false}, ['/new']],
			[{tags: ['one'], valid: false}, ['/old']],
			[{olderThan: 0.5, expired: false}, ['/new']],
			[{invalid: false, expired: false}, ['/new']],
			[{keys: []}, []],
			[{urls: [], tags: [], expired: false}, []],
		];
		for (const [criteria, expected] of rows) {
			t.deepEqual((await paths(managed, criteria)).toSorted(), expected, JSON.stringify(criteria));
			t.is(await cache.count(criteria), expected.length, JSON.stringify(criteria));
			t.is((await Array.fromAsync(cache.filter(criteria as {invalid?: false}))).length, expected.length);
		}

		t.is((await Array.fromAsync(cache.filter({invalid: true, expired: false}))).length, 1);
		t.is((await Array.fromAsync(cache.filter({invalid: true}))).length, 0);
		t.is(await cache.resetExpiration('1h', {expired: false}), 1);
		for (const call of [
			async () => cache.count({expred: true} as object),
			async () => cache.count({}, {sginal: 1} as object),
			async () => cache.size({sginal: 1} as object),
			async () => cache.delete({expired: true}, {sginal: 1} as object),
			async () => cache.expire({expired: true}, {sginal: 1} as object),
			async () => Array.fromAsync(cache.filter({}, {sginal: 1} as object)),
			async () => Array.fromAsync(cache.urls({}, {sginal: 1} as object)),
			async () => cache.resetExpiration('1h', {}, {sginal: 1} as object),
			async () => cache.recreateKeys({sginal: 1} as object),
			async () => cache.toHar({}, {sginal: 1} as object),
			async () => cache.save({url}, {}, {expireafter: 1} as object),
		]) {
			await t.throwsAsync(call, {instanceOf: TypeError, message: /Unknown option .* The options are/v});
		}

		// For `delete`, `false` means the same as absent.
		t.is(await cache.delete({patterns: ['*'], expired: false}), 2);
	});

	test(`${name}: \`expire\` keeps an entry and its variants, to be validated`, async t => {
		const managed = await manage(t, open);
		const {client, cache, origin, clock} = managed;
		const url = `${origin.url}/a?vary=accept-language`;
		const ask = async (language: string): Promise<string> => cacheInfo(await client(url, {headers: {'accept-language': language}})).reason;
		await ask('de');
		await ask('en');
		await client(`${origin.url}/b`, {context: {cache: {expireAfter: NEVER_EXPIRE}}});
		clock.advance(1);
		t.is(await cache.expire({urls: [url], patterns: ['*/b']}), 2);
		t.is(await cache.count({expired: true}), 3);
		t.is(cacheInfo(await client(`${origin.url}/b`)).reason, 'revalidated');
		const reasons = await Array.fromAsync(['en', 'de', 'en', 'de'], ask);
		t.deepEqual(reasons, ['revalidated', 'revalidated', 'fresh', 'fresh']);

		t.is(await cache.expire({expired: true}), 0);
	});

	test(`${name}: \`resetExpiration\` gives all entries another expiration`, async t => {
		const managed = await manage(t, open);
		const {client, cache, origin, clock} = managed;
		await client(`${origin.url}/a`);
		await client(`${origin.url}/b`);
		clock.advance(100);
		t.is(await cache.resetExpiration('1h'), 2);
		t.is((await cache.get({url: `${origin.url}/a`}))!.expiresDelta, 3600);
		t.is(cacheInfo(await client(`${origin.url}/a`)).reason, 'fresh');
		t.is(await cache.resetExpiration(NEVER_EXPIRE, {urls: [`${origin.url}/a`]}), 1);
		t.is((await Array.fromAsync(cache.responses())).filter(({expires}) => expires === undefined).length, 1);
		await t.throwsAsync(cache.resetExpiration(DO_NOT_CACHE), {instanceOf: TypeError, message: /`expireAfter`/v});
	});

	test(`${name}: a response that a user saves answers requests`, async t => {
		const managed = await manage(t, open);
		const {client, cache, origin, clock} = managed;
		const url = `${origin.url}/saved?api_key=SECRET`;
		const saved = await cache.save({url}, {
			statusCode: 203, headers: {'Content-Type': 'text/plain', 'set-cookie': ['a=1'], 'content-encoding': 'gzip'}, body: 'by hand',
		}, {expireAfter: 10, tags: ['hand']});
		t.true(saved instanceof CachedResponse);
		t.notRegex(inspect(saved.toJSON(), {depth: 9}), /SECRET|gzip|a=1/v);

		const response = await client(url);
		t.true(response.isFromCache);
		t.deepEqual([response.statusCode, response.body, response.headers['set-cookie']], [203, 'by hand', undefined]);
		t.is(origin.count, 0);

		clock.advance(10);
		t.true((await cache.get({url}))!.isExpired);
		const again = (await cache.get({url}))!;
		t.false(again.resetExpiration('1m'));
		await cache.save(again);
		t.false((await cache.get({url}))!.isExpired);

		const live = await client(`${origin.url}/live`, {context: {cache: {disabled: true}}});
		await cache.save({url: `${origin.url}/live`}, live);
		t.is((await client(`${origin.url}/live`)).body, '/live ');
		t.is(origin.count, 1);
	});

	test(`${name}: \`save\` decodes a response that Got did not decode`, async t => {
		const {cache} = await manage(t, open);
		const url = 'https://example.com/coded';
		for (const [coding, encode] of [['gzip', gzipSync], ['br', brotliCompressSync]] as const) {
			const coded = encode('{"a":1}');
			const response = await got(url, {
				decompress: false,
				responseType: 'buffer',
				request: () => cannedResponse({headers: {'content-encoding': coding}, body: coded}),
			});
			const saved = await cache.save({url}, response);
			t.deepEqual([saved.json(), saved.headers['content-encoding']], [{a: 1}, undefined]);
		}

		const plain = await cache.save({url}, {headers: {'content-encoding': 'gzip'}, rawBody: Buffer.from('not coded')});
		t.is(plain.text(), 'not coded');
	});

	test(`${name}: \`update\` copies the entries of another cache with their expirations`, async t => {
		const managed = await manage(t, open, {partitionSecret: undefined});
		const {client, cache, origin, clock} = managed;
		const url = `${origin.url}/a?vary=accept-language`;
		for (const language of ['de', 'en']) {
			await client(url, {headers: {'accept-language': language}});
		}

		await client(`${origin.url}/mine`, {headers: {authorization: 'one'}});
		await client(`${origin.url}/plain`);

		for (const [otherName, openOther] of testStores) {
			const store = await openOther(t, clock.now);
			const other = new HttpCache({store, now: clock.now});
			const progress: number[] = [];
			t.deepEqual(await other.update(cache, {
				onProgress(done) {
					progress.push(done);
				},
			}), {copied: 4, skipped: 0}, otherName);
			t.deepEqual(progress, [1, 2, 3, 4]);
			const sent = origin.count;
			const copy = managed.another({store}).client;
			t.true((await copy(`${origin.url}/mine`, {headers: {authorization: 'one'}})).isFromCache);
			t.is((await copy(url, {headers: {'accept-language': 'en'}})).body, '/a en');
			t.is(origin.count, sent);
			t.is((await other.get({url: `${origin.url}/plain`}))!.expiresDelta, 60);

			// A copied entry can be changed like any other.
			t.is(await other.expire({patterns: ['*/plain']}), 1);
			t.true((await other.get({url: `${origin.url}/plain`}))?.isExpired, otherName);
		}

		const own = new HttpCache({store: 'memory', now: clock.now, partitionSecret: 'own'});
		t.deepEqual(await own.update(cache), {copied: 1, skipped: 3});
		await t.throwsAsync(own.update(own), {instanceOf: TypeError});
		await t.throwsAsync(own.update({} as HttpCache), {instanceOf: TypeError});
	});

	test(`${name}: a long task reports its progress, and ends by its signal`, async t => {
		const managed = await manage(t, open);
		const {client, cache, origin} = managed;
		for (const path of ['/a', '/b', '/c']) {
			await client(origin.url + path);
		}

		const controller = new AbortController();
		const progress: number[] = [];
		const task = {
			signal: controller.signal,
			onProgress(done: number) {
				progress.push(done);
				controller.abort(new Error('enough'));
			},
		};
		await t.throwsAsync(Array.fromAsync(cache.responses(task)), {message: 'enough'});
		t.deepEqual(progress, [1]);
		for (const run of [() => cache.delete({patterns: ['*']}, task), () => cache.expire({valid: true}, task), () => cache.count({valid: true}, task), () => cache.toHar({}, task), () => new HttpCache({store: 'memory'}).update(cache, task)]) {
			await t.throwsAsync(run(), {message: 'enough'});
		}

		t.is(await cache.count({valid: true}), 3);
	});
}

test('an index is used to delete, count and measure as long as the store has no unreachable entries', async t => {
	const managed = await manage(t, async (_t, now) => new IndexedStore({now}));
	const {client, cache, origin, clock} = managed;
	const store = managed.store as IndexedStore;
	await client(`${origin.url}/a`);
	await client(`${origin.url}/b`);
	clock.advance(60);
	await client(`${origin.url}/c`);
	const events: unknown[] = [];
	cache.on('deleted', event => {
		events.push(event);
	});
	t.is(await cache.count(), 3);
	t.is(await cache.size(), store.size());
	await t.throwsAsync(cache.delete({expired: true}, {signal: AbortSignal.abort(new Error('enough'))}), {message: 'enough'});
	const progress: number[] = [];
	t.is(await cache.delete({expired: true}, {
		onProgress(done) {
			progress.push(done);
		},
	}), 2);
	t.deepEqual(progress, [2]);
	t.is(await cache.delete({olderThan: new Date(clock.now() + 1)}), 1);
	t.deepEqual(events, [{reason: 'expired', count: 2}, {reason: 'olderThan', count: 1}]);
	t.is(store.lists, 0);

	await client(`${origin.url}/tagged?cache-tag=one`);
	await cache.delete({tags: ['one']});
	t.is(await cache.count(), 0);
	t.is(store.lists, 1);
});

test('a cached response has all facts that requests-cache gives', async t => {
	const managed = await manage(t, testStores[0]![1], {allowableCodes: [200, 404], expireAfter: '5m'});
	const {client, cache, origin, clock} = managed;
	await client(`${origin.url}/a?api_key=SECRET`, {headers: {'x-note': 'yes', authorization: 'SECRET'}});
	clock.advance(60);
	const [response] = await Array.fromAsync(cache.responses());
	t.is(inspect(response), `GET ${origin.url}/a?api_key=REDACTED 200 (3 B) fresh, expires in 4 m`);
	t.is(inspect(response!.request), `GET ${origin.url}/a?api_key=REDACTED`);
	t.is(response!.request!.headers['x-note'], 'yes');
	t.notRegex(JSON.stringify(response), /SECRET/v);
	t.like(response, {
		fromCache: true, isExpired: false, revalidated: false, expiresDelta: 240, size: 3, statusCode: 200, redirectUrls: [], tags: [],
	});
	t.is(response!.expiresUnix, Math.round(response!.expires!.getTime() / 1000));
	t.true(response!.isOlderThan('59s'));
	t.false(response!.isOlderThan('60s'));
	t.true(response!.isOlderThan(new Date(clock.now())));
	t.throws(() => response!.isOlderThan(NEVER_EXPIRE), {instanceOf: TypeError});
	t.throws(() => response!.resetExpiration(DO_NOT_CACHE), {instanceOf: TypeError});
	t.true(response!.resetExpiration(0));
	t.regex(inspect(response), /stale, expired 0 ms ago$/v);
	response!.resetExpiration(NEVER_EXPIRE);
	t.regex(inspect(response), /fresh, never expires$/v);
	t.deepEqual([response!.expires, response!.expiresDelta, response!.expiresUnix], [undefined, undefined, undefined]);
	t.false((await cache.get({key: response!.cacheKey}))!.isExpired);

	await client(`${origin.url}/from?status=302&location=/to`);
	t.deepEqual((await cache.get({url: `${origin.url}/from?status=302&location=/to`}))!.redirectUrls, [`${origin.url}/to`]);

	clock.advance(300);
	await client(`${origin.url}/from?status=302&location=/to`);
	t.true((await cache.get({url: `${origin.url}/to`}))!.revalidated);
});

const wrong: ReadonlyArray<readonly [criteria: unknown, message: RegExp]> = [
	['key', /Expected `criteria` to be an object/v],
	[[], /Expected `criteria` to be an object/v],
	[{}, /has no criterion/v],
	[{expired: false, keys: undefined}, /has no criterion/v],
	[{key: ['a']}, /Unknown option `criteria\.key`\. .*`keys`/v],
	[{keys: 'a'}, /`criteria\.keys` to be an array/v],
	[{keys: ['a', '']}, /`criteria\.keys\[1\]` to be a key/v],
	[{urls: ['nowhere']}, /`criteria\.urls\[0\]` to be a URL/v],
	[{requests: [{}]}, /`criteria\.requests\[0\]\.url` to be an absolute URL/v],
	[{patterns: [1]}, /`criteria\.patterns\[0\]` to be a glob/v],
	[{tags: ['']}, /`criteria\.tags\[0\]` to be a tag/v],
	[{expired: 'yes'}, /`criteria\.expired` to be a boolean/v],
	[{olderThan: '5'}, /`criteria\.olderThan` to be a moment/v],
];

for (const [criteria, message] of wrong) {
	test(`wrong criteria are named in the error: ${inspect(criteria)}`, async t => {
		const cache = new HttpCache({store: 'memory'});
		await t.throwsAsync(cache.delete(criteria as Criteria), {instanceOf: TypeError, message});
		await t.throwsAsync(cache.expire(criteria as Criteria), {instanceOf: TypeError, message});
	});
}

test('wrong arguments of other methods are named in the error', async t => {
	const cache = new HttpCache({store: 'memory'});
	const url = 'https://example.com';
	const type = {instanceOf: TypeError};
	await t.throwsAsync(cache.get({} as {key: string}), {...type, message: /either `key`, `url` or `request`/v});
	await t.throwsAsync(cache.get({key: 'a', url}), {...type, message: /either `key`/v});
	await t.throwsAsync(cache.contains({key: 1} as unknown as {key: string}), {...type, message: /`target.key`/v});
	await t.throwsAsync(cache.contains({url: 'nowhere'}), {...type, message: /`target\.url`/v});
	await t.throwsAsync(cache.createKey({} as {url: string}), {...type, message: /`request\.url`/v});
	await t.throwsAsync(cache.save({url}, {statusCode: 99}), {...type, message: /`response.statusCode`/v});
	await t.throwsAsync(cache.save({url}, {body: {}}), {...type, message: /`response.body`/v});
	await t.throwsAsync(cache.save({url}, {headers: {a: 1 as unknown as string}}), {...type, message: /`response.headers\["a"\]`/v});
	await t.throwsAsync(cache.save({url}, {}, {expireAfter: '5'}), {...type, message: /`options\.expireAfter`/v});
	await t.throwsAsync(cache.save({url}, {}, {tags: ['']}), {...type, message: /`options\.tags`/v});
	await t.throwsAsync(cache.save({url}, {headers: {vary: 'accept, "cookie'}}), {code: 'ERR_NOT_STORABLE', message: /vary-star/v});
	await t.throwsAsync(cache.save({url}, {statusCode: 302, headers: {location: '/?api_key=a'}}), {code: 'ERR_NOT_STORABLE', message: /secret-in-header/v});
	await t.throwsAsync(cache.explain({url}), {...type, message: /client/v});
	t.throws(() => cacheHooks({cache: new Map() as unknown as HttpCache}), {...type, message: /HttpCache/v});
	t.throws(() => cacheHooks({cache, store: 'memory'}), {...type, message: /`cache.store`/v});
});

test('save stores a response as if the origin had sent it: without the fields of no-cache, and a redirect as long as its target', async t => {
	const cache = new HttpCache({
		store: 'memory', cacheControl: true, urlsExpireAfter: {'example.com/long': '1h'}, now: () => 0,
	});
	const saved = await cache.save({url: 'https://example.com/'}, {headers: {'cache-control': 'max-age=60, no-cache="x-one"', 'x-one': '1', 'x-two': '2'}});
	t.is(saved.headers['x-one'], undefined);
	t.is(saved.headers['x-two'], '2');
	const redirect = await cache.save({url: 'https://example.com/short'}, {statusCode: 301, headers: {location: '/long'}});
	t.deepEqual(redirect.expires, new Date(3_600_000));
});

test('an entry that cannot be read is listed and deleted only as invalid', async t => {
	const keyv = new Keyv({store: new Map()});
	const {client, cache, origin} = await manage(t, async () => keyv);
	await client(`${origin.url}/a`);
	await cache.idle();
	const rubbish = 'got-cache-hooks:http_cache::rubbish';
	await keyv.set(rubbish, 'no entry');
	const invalid = await Array.fromAsync(cache.filter({invalid: true}));
	t.deepEqual(invalid.map(entry => [entry.cacheKey, entry instanceof InvalidEntry]), [['rubbish', true]]);
	t.is(await cache.count(), 1);
	for (const criteria of [{}, {valid: true}, {patterns: ['nothing']}, {tags: ['nothing']}, {invalid: true}]) {
		t.is((await cache.toHar(criteria)).log._unreadable, 1, JSON.stringify(criteria));
	}

	t.is((await cache.toHar({})).log.entries.length, 1);
	t.false('_unreadable' in (await cache.toHar({urls: [`${origin.url}/a`]})).log);
	t.is(await cache.delete({patterns: ['nothing']}), 0);
	t.is(await cache.delete({invalid: true}), 1);
	t.is(await keyv.get(rubbish), undefined);
	t.false('_unreadable' in (await cache.toHar()).log);
	t.true(await cache.contains({url: `${origin.url}/a`}));
});

test('an `HttpCache` serves several clients, and explains requests', async t => {
	const cache = new HttpCache({store: 'memory', expireAfter: '1h'});
	const managed = await manage(t, testStores[0]![1]);
	const one = got.extend(cacheHooks({cache}));
	const other = got.extend(cacheHooks({cache, expireAfter: '1m'}));
	t.is(getCache(one), cache);
	const url = `${managed.origin.url}/a`;
	t.like(cacheInfo(await one(url)), {stored: 'stored'});
	t.true((await other(url)).isFromCache);
	const {decision, reason, stored} = await cache.explain({url});
	t.deepEqual([decision, reason, stored?.statusCode], ['serve', 'fresh', 200]);
	t.is((await cache.explain({url}, {refresh: true})).reason, 'refresh');
	t.is((await cache.get({url}))!.expiresDelta, 3600);
});

test('methods of `HttpCache` throw the faults of the store', async t => {
	const broken: Store = {
		name: 'broken', valueType: 'objects', get() {
			throw new Error('gone');
		}, set() {}, delete() {
			throw new Error('gone');
		}, deleteMany() {}, clear() {
			throw new Error('gone');
		}, iterate() {
			throw new Error('gone');
		}, close() {},
	};
	const cache = new HttpCache({store: broken});
	for (const run of [() => cache.get({key: 'a'}), () => cache.delete({keys: ['a']}), () => cache.count(), () => cache.clear(), () => cache.delete({expired: true})]) {
		await t.throwsAsync(run(), {message: 'gone'});
	}
});
