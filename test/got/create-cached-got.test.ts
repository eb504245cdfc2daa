import test from 'ava';
import {expectTypeOf} from 'expect-type';
import got, {type Request, type RequestPromise, type Response} from 'got';
import {
	cacheInfo,
	createCachedGot,
	HttpCache,
	type CachedGot,
	type ExpirationTime,
} from '../../source/index.ts';
import {majors} from '../helpers/clients.ts';
import {Clock, Origin} from '../helpers/origin.ts';

for (const [name, instance] of majors) {
	test(`${name}: a request's cache settings stand beside Got's options, and the user's object stays as it was`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end('body');
		});
		const clock = new Clock();
		const client = createCachedGot({store: 'memory', expireAfter: '5m', now: clock.now}, instance);
		const options = {expireAfter: '1m', responseType: 'text'} as const;
		const first = await client(origin.url, options);
		t.deepEqual(cacheInfo(first).expires, new Date(clock.now() + 60_000));
		t.deepEqual(options, {expireAfter: '1m', responseType: 'text'});
		const refreshed = await client.get(origin.url, {refresh: true});
		t.is(cacheInfo(refreshed).reason, 'refresh');
		t.true((await client(origin.url)).isFromCache);
		t.is(origin.count, 2);
	});

	test(`${name}: instances extended from it keep their settings under the request's`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end('body');
		});
		const clock = new Clock();
		const client = createCachedGot({store: 'memory', now: clock.now}, instance);
		const extended = client.extend({context: {cache: {expireAfter: '2m'}}});
		const response = await extended(origin.url, {forceRefresh: true});
		t.deepEqual(cacheInfo(response).expires, new Date(clock.now() + 120_000));
	});

	test(`${name}: extended, it keeps its cache and its settings, takes a request's settings, and those of all it is extended by`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end('body');
		});
		const clock = new Clock();
		const client = createCachedGot({store: 'memory', now: clock.now}, instance);
		const given = {expireAfter: '2m', headers: {'x-a': '1'}} as const;
		const extended = client.extend(given, instance.extend({headers: {'x-b': '2'}}), {allowableMethods: ['POST']}).extend();
		t.deepEqual(given, {expireAfter: '2m', headers: {'x-a': '1'}});
		t.is(extended.cache, client.cache);
		t.is(extended.cacheSettings, client.cacheSettings);
		t.false((await extended.post(origin.url)).isFromCache);
		const again = await extended.post(origin.url);
		t.true(again.isFromCache);
		t.deepEqual(cacheInfo(again).expires, new Date(clock.now() + 120_000));
		t.like(origin.requests[0]!.headers, {'x-a': '1', 'x-b': '2'});
		const other = createCachedGot({store: 'memory'}, instance);
		t.is(client.extend(other).cache, other.cache);
	});

	test(`${name}: a wrong setting of a request is an error that names it`, async t => {
		const client = createCachedGot({store: 'memory'}, instance);
		const error = await t.throwsAsync<Error & {cause?: Error}>(client('http://127.0.0.1:9', {expireAfter: '5 parsecs'}));
		t.regex(error.message, /context\.cache\.expireAfter.*5 parsecs/v);
		t.true(error.cause instanceof TypeError);
	});
}

test('the cache stands on the client', async t => {
	const client = createCachedGot({store: 'memory'});
	t.true(client.cache instanceof HttpCache);
	await client.cache.close();
});

test('types of answers follow the options', t => {
	type Item = {name: string};
	const call = (client: CachedGot): void => {
		expectTypeOf(client('x', {expireAfter: '1m'})).toEqualTypeOf<RequestPromise<Response<string>>>();
		expectTypeOf(client<Item>('x', {responseType: 'json', resolveBodyOnly: true, refresh: true})).toEqualTypeOf<RequestPromise<Item>>();
		expectTypeOf(client.extend({prefixUrl: 'https://example.com', expireAfter: '1m'}, got)).toEqualTypeOf<CachedGot>();
		expectTypeOf(client.extend(client).cacheSettings.expireAfter).toEqualTypeOf<ExpirationTime | undefined>();
		expectTypeOf(client.extend().stream('x', {refresh: true})).toEqualTypeOf<Request>();
		client.cacheSettings.expireAfter = '5m';
		// @ts-expect-error -- The store is opened.
		client.cacheSettings.store = 'memory';
		// @ts-expect-error -- A setting of the client is none of a request.
		void client.extend({store: 'memory'});
		// @ts-expect-error -- A setting of the client is none of a request.
		void client('x', {store: 'memory'});
		// @ts-expect-error -- Not an expiration.
		void client('x', {expireAfter: /5m/v});
	};

	t.is(typeof call, 'function');
});
