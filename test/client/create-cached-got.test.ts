import test from 'ava';
import {expectTypeOf} from 'expect-type';
import type {RequestPromise, Response} from 'got';
import {
	cacheInfo,
	createCachedGot,
	HttpCache,
	type CachedGot,
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
		const extended = client.extend({context: {cache: {expireAfter: '2m'}}}) as unknown as CachedGot;
		const response = await extended(origin.url, {forceRefresh: true});
		t.deepEqual(cacheInfo(response).expires, new Date(clock.now() + 120_000));
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
		// @ts-expect-error -- A setting of the client is none of a request.
		void client('x', {store: 'memory'});
		// @ts-expect-error -- Not an expiration.
		void client('x', {expireAfter: /5m/v});
	};

	t.is(typeof call, 'function');
});
