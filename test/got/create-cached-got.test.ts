import test from 'ava';
import {expectTypeOf} from 'expect-type';
import got, {
	type Got,
	type Request,
	type RequestPromise,
	type Response,
} from 'got';
import {
	cacheContext,
	cacheHooks,
	cacheInfo,
	createCachedGot,
	explain,
	getCache,
	HttpCache,
	type CachedGot,
	type ExpirationTime,
	type RequestSettings,
} from '../../source/index.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Clock, Origin} from '../helpers/origin.ts';

for (const [name, instance] of majors) {
	test(`${name}: a request accepts cache settings in addition to Got's options, and does not change the user's object`, async t => {
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

	test(`${name}: the settings of a request take precedence over those of an extended instance`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end('body');
		});
		const clock = new Clock();
		const client = createCachedGot({store: 'memory', now: clock.now}, instance);
		const extended = client.extend({context: {cache: {expireAfter: '2m'}}});
		const response = await extended(origin.url, {forceRefresh: true});
		t.deepEqual(cacheInfo(response).expires, new Date(clock.now() + 120_000));
	});

	test(`${name}: an extended client keeps its cache and its settings, and accepts the settings of a request and of other instances`, async t => {
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

for (const [name, instance] of majors) {
	test(`${name}: \`paginate\` takes the settings of a request`, async t => {
		await using origin = await Origin.start((request, response) => {
			response.setHeader('content-type', 'application/json');
			response.end(JSON.stringify([request.method]));
		});
		const client = createCachedGot({store: 'memory'}, instance);
		t.deepEqual(await client.paginate.all<string>(origin.url, {expireAfter: '1h'}), ['GET']);
		t.deepEqual(await client.paginate.all<string>(origin.url, {forceRefresh: true}), ['GET']);
		t.is(origin.count, 2);
	});

	test(`${name}: \`cacheContext\` makes a context of the settings of a request, and refuses wrong ones`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end('body');
		});
		const clock = new Clock();
		const {client} = createClient({now: clock.now}, instance);
		const context = cacheContext({expireAfter: '1m'});
		const response = await client(origin.url, {context: {...context, other: true}});
		t.deepEqual(cacheInfo(response).expires, new Date(clock.now() + 60_000));
		t.throws(() => cacheContext({store: 'memory'} as RequestSettings), {instanceOf: TypeError, message: '`context.cache.store` is not a setting of a request. Set `store` for the client.'});
	});

	test(`${name}: \`getCache\` and \`explain\` of an instance without a cache, and \`cacheInfo\` of something that is not a response, are TypeErrors that say what to do`, async t => {
		t.throws(() => getCache(instance), {instanceOf: TypeError, message: /^This instance of Got has no cache\. Use .*cacheHooks/v});
		await t.throwsAsync(explain(instance, {url: 'https://example.com'}), {instanceOf: TypeError, message: /has no cache/v});
		t.throws(() => getCache({} as never), {instanceOf: TypeError, message: 'Expected `instance` to be an instance of Got, got an instance of Object.'});
		t.is(getCache(), undefined);
		t.throws(() => getCache({defaults: {}} as never), {instanceOf: TypeError, message: /^Expected `instance` to be an instance of Got/v});
		for (const value of [undefined, null, 'body', {}, {request: {}}, {request: undefined}, {request: {options: null}}]) {
			t.throws(() => cacheInfo(value as never), {instanceOf: TypeError, message: /^Expected `response` to be a response of Got.*, got .*\.$/v});
		}
	});
}

for (const settings of [5, 'memory', null, [], () => ({})]) {
	test(`settings that are not an object are refused: ${String(settings)}`, t => {
		const expected = {instanceOf: TypeError, code: 'ERR_CACHE_SETTING', message: /^Expected `cache` to be an object with settings, got /v};
		t.throws(() => cacheHooks(settings as never), expected);
		t.throws(() => createCachedGot(settings as never), expected);
	});
}

test('the client has its cache in the property `cache`', async t => {
	const client = createCachedGot({store: 'memory'});
	t.true(client.cache instanceof HttpCache);
	await client.cache.close();
});

test('the types of responses follow from the options', t => {
	type Item = {name: string};
	const call = (client: CachedGot): void => {
		expectTypeOf(client('x', {expireAfter: '1m'})).toEqualTypeOf<RequestPromise<Response<string>>>();
		expectTypeOf(client<Item>('x', {responseType: 'json', resolveBodyOnly: true, refresh: true})).toEqualTypeOf<RequestPromise<Item>>();
		expectTypeOf(client.extend({prefixUrl: 'https://example.com', expireAfter: '1m'}, got)).toEqualTypeOf<CachedGot>();
		expectTypeOf(client.extend(client).cacheSettings.expireAfter).toEqualTypeOf<ExpirationTime | undefined>();
		expectTypeOf(client.extend().stream('x', {refresh: true})).toEqualTypeOf<Request>();
		expectTypeOf<CachedGot>().toExtend<Got>();
		expectTypeOf<CachedGot['stream']>().toExtend<Got['stream']>();
		expectTypeOf<CachedGot['paginate']>().toExtend<Got['paginate']>();
		expectTypeOf(client.query('x', {refresh: true})).toEqualTypeOf<RequestPromise<Response<string>>>();
		expectTypeOf(client.paginate.all<Item>('x', {expireAfter: '1m'})).toEqualTypeOf<Promise<Item[]>>();
		expectTypeOf(cacheContext({refresh: true})).toExtend<{cache: RequestSettings}>();
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
