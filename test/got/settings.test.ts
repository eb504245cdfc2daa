import test from 'ava';
import {
	DO_NOT_CACHE,
	NEVER_EXPIRE,
	cacheHooks,
	cacheInfo,
	getCache,
	type CacheSettings,
} from '../../source/index.ts';
import {createClient} from '../helpers/clients.ts';
import {Origin, type Handler} from '../helpers/origin.ts';

const counting = (origin: () => Origin): Handler => (request, response) => {
	response.writeHead(200, request.url === '/tagged' ? {etag: '"1"'} : {});
	response.end(`${request.method} ${request.url} ${origin().count}`);
};

async function startOrigin(): Promise<Origin> {
	const origin = await Origin.start((...arguments_) => {
		counting(() => origin)(...arguments_);
	});
	return origin;
}

const wrong: ReadonlyArray<readonly [settings: unknown, message: RegExp]> = [
	[{expireAfter: '5 parsecs'}, /cache\.expireAfter.*5 parsecs/v],
	[{expireAfter: /5m/v}, /cache\.expireAfter.*RegExp/v],
	[JSON.parse('{"expire_after": 5}'), /cache\.expire_after.*expireAfter/v],
	[{urlsExpireAfter: [['*', 'x']]}, /cache\.urlsExpireAfter\[0\]\[1\]/v],
	[{allowableCodes: ['200']}, /cache\.allowableCodes\[0\]/v],
	[{store: 42}, /cache\.store.*42/v],
	[{store: 'nowhere'}, /cache\.store.*nowhere/v],
	[{store: {get() {}}}, /cache\.store/v],
	[{storeTimeout: /1/v}, /cache\.storeTimeout.*RegExp/v],
	[{filterFn: true}, /cache\.filterFn/v],
	[null, /cache.*null/v],
];

for (const [settings, message] of wrong) {
	test(`a wrong setting is a TypeError at once: ${String(message)}`, t => {
		t.throws(() => cacheHooks(settings as CacheSettings), {instanceOf: TypeError, message});
	});
}

test('URL patterns take precedence over the expiration of the client, and the first that matches applies', async t => {
	await using origin = await startOrigin();
	const {client, clock} = createClient({
		expireAfter: '5m',
		urlsExpireAfter: [
			['127.0.0.1*/live', '10s'],
			[/\/static\//v, NEVER_EXPIRE],
			[new URLPattern({pathname: '/private/*'}), DO_NOT_CACHE],
			['*', '1m'],
		],
	});
	const get = async (path: string): Promise<boolean> => (await client(origin.url + path)).isFromCache;
	for (const path of ['/live/1', '/static/x', '/private/x', '/other']) {
		t.false(await get(path));
	}

	clock.advance(9);
	t.true(await get('/live/1'));
	t.false(await get('/private/x'));
	clock.advance(1);
	t.false(await get('/live/1'));
	t.true(await get('/other'));
	clock.advance(60);
	t.false(await get('/other'));
	clock.advance(1e9);
	t.true(await get('/static/x'));
});

test('filterFn receives the whole response before it is stored and when it is read, and what it rejects is deleted', async t => {
	await using origin = await startOrigin();
	let refuses = false;
	const seen: string[] = [];
	const {client} = createClient({
		filterFn(response) {
			seen.push(`${response.statusCode} ${response.text()} ${String(response.headers['x-none'])}`);
			return !refuses;
		},
	});
	await client(origin.url);
	t.true((await client(origin.url)).isFromCache);
	t.deepEqual(seen, ['200 GET / 1 undefined', '200 GET / 1 undefined']);
	refuses = true;
	const refused = await client(origin.url);
	t.is(cacheInfo(refused).reason, 'filtered');
	t.is(cacheInfo(refused).stored, 'filtered');
	refuses = false;
	t.is(cacheInfo(await client(origin.url)).reason, 'miss');
	t.is(origin.count, 3);
});

test('filterFn may be asynchronous, and its failure is an event and no error of the request', async t => {
	await using origin = await startOrigin();
	const {client} = createClient({filterFn: async response => response.url.endsWith('/yes')});
	await client(`${origin.url}/yes`);
	await client(`${origin.url}/no`);
	t.true((await client(`${origin.url}/yes`)).isFromCache);
	t.false((await client(`${origin.url}/no`)).isFromCache);

	for (const filterFn of [() => {
		throw new Error('fault');
	}, async () => {
		throw new Error('fault');
	}]) {
		const {client: faulty} = createClient({filterFn});
		const faults: unknown[] = [];
		getCache(faulty).on('settingError', event => {
			faults.push(event);
		});
		t.is((await faulty(origin.url)).statusCode, 200);
		await getCache(faulty).idle();
		t.is(faults.length, 1);
	}
});

test('keyFn decides which requests share a response, and may call the default createKey', async t => {
	await using origin = await startOrigin();
	const {client} = createClient({
		keyFn(request, createKey) {
			if (request.url.includes('skip')) {
				return undefined;
			}

			const url = new URL(request.url);
			url.searchParams.delete('utm');
			return createKey({...request, url: url.href});
		},
	});
	await client(`${origin.url}/?a=1&utm=x`);
	t.true((await client(`${origin.url}/?utm=y&a=1`)).isFromCache);
	t.false((await client(`${origin.url}/?a=2`)).isFromCache);
	await client(`${origin.url}/skip`);
	const skipped = await client(`${origin.url}/skip`);
	t.is(cacheInfo(skipped).reason, 'key-refused');
	t.is(cacheInfo(skipped).key, undefined);
});

test('a failure of keyFn is an event, and the request is sent to the origin', async t => {
	await using origin = await startOrigin();
	for (const keyFn of [() => {
		throw new Error('fault');
	}, async () => {
		throw new Error('fault');
	}]) {
		const {client} = createClient({keyFn});
		const faults: unknown[] = [];
		getCache(client).on('settingError', event => {
			faults.push(event);
		});
		const response = await client(origin.url);
		t.is(response.statusCode, 200);
		t.is(cacheInfo(response).reason, 'error');
		t.is(faults.length, 1);
	}
});

test('a disabled cache neither reads nor stores, and a read-only cache only reads', async t => {
	await using origin = await startOrigin();
	const {client} = createClient();
	const disabled = {context: {cache: {disabled: true}}};
	const readOnly = {context: {cache: {readOnly: true}}};
	t.is(cacheInfo(await client(origin.url, disabled)).reason, 'disabled');
	t.is(cacheInfo(await client(origin.url, readOnly)).stored, 'read-only');
	t.is(cacheInfo(await client(origin.url)).reason, 'miss');
	t.true((await client(origin.url, readOnly)).isFromCache);
	t.false((await client(origin.url, disabled)).isFromCache);
});

test('refresh validates or sends again, forceRefresh sends again, and both replace the stored response', async t => {
	await using origin = await startOrigin();
	const {client} = createClient();
	const url = `${origin.url}/tagged`;
	await client(url);
	const refreshed = await client(url, {context: {cache: {refresh: true}}});
	t.is(refreshed.body, 'GET /tagged 2');
	t.is(origin.requests[1]!.headers['if-none-match'], '"1"');
	t.is((await client(url)).body, 'GET /tagged 2');
	const forced = await client(url, {context: {cache: {forceRefresh: true}}});
	t.is(forced.body, 'GET /tagged 3');
	t.is(origin.requests[2]!.headers['if-none-match'], undefined);
	t.is((await client(url)).body, 'GET /tagged 3');
});

test('the Cache-Control of a request takes precedence over its settings', async t => {
	await using origin = await startOrigin();
	const {client, clock} = createClient({expireAfter: '5m'});
	const control = (value: string): object => ({headers: {'cache-control': value}});
	t.is(cacheInfo(await client(origin.url, control('no-store'))).reason, 'request-no-store');
	const limited = await client(origin.url, {...control('max-age=60'), context: {cache: {expireAfter: '1h'}}});
	t.deepEqual(cacheInfo(limited).expires, new Date(clock.now() + 60_000));
	clock.advance(59);
	t.false((await client(origin.url, control('min-fresh=30'))).isFromCache);
	clock.advance(400);
	t.true((await client(origin.url, control('max-stale'))).isFromCache);
	t.is(cacheInfo(await client(origin.url, control('no-cache'))).reason, 'refresh');
});

test('alwaysRevalidate validates fresh responses', async t => {
	await using origin = await startOrigin();
	const {client} = createClient({alwaysRevalidate: true});
	await client(`${origin.url}/tagged`);
	t.is(cacheInfo(await client(`${origin.url}/tagged`)).reason, 'always-revalidate');
	t.is(origin.count, 2);
});

test('other methods are cached when they are allowed, and their bodies are included in the key', async t => {
	await using origin = await startOrigin();
	const {client} = createClient({allowableMethods: ['post']});
	await client.post(origin.url, {json: {a: 1}});
	t.true((await client.post(origin.url, {json: {a: 1}})).isFromCache);
	t.false((await client.post(origin.url, {json: {a: 2}})).isFromCache);
	t.is(cacheInfo(await client(origin.url)).reason, 'method');
	const stream = client.stream.post(origin.url);
	stream.end('x');
	await Array.fromAsync(stream as AsyncIterable<Uint8Array>);
	t.is(cacheInfo(stream.response!).reason, 'body-not-keyable');
	const overridden = await client.post(origin.url, {headers: {'x-http-method-override': 'GET'}, json: {a: 1}});
	t.is(cacheInfo(overridden).reason, 'method');
});

test('several variants are stored at the same time', async t => {
	await using origin = await Origin.start((request, response) => {
		response.writeHead(200, {vary: 'Accept-Language, Cookie'});
		response.end(`${request.headers['accept-language']} ${request.headers.cookie}`);
	});
	const {client} = createClient({partitionBy: false});
	const languages = ['de', 'fr', 'en'];
	for (let round = 0; round < 3; round++) {
		for (const language of languages) {
			const response = await client(origin.url, {headers: {'accept-language': language, cookie: 'a=1'}});
			t.is(response.body, `${language} a=1`);
			t.is(response.isFromCache, round > 0);
		}
	}

	t.is((await client(origin.url, {headers: {'accept-language': 'de', cookie: 'a=2'}})).body, 'de a=2');
	t.is(origin.count, 4);
});

test('two users share no response, unless partitionBy is false', async t => {
	await using origin = await Origin.start((request, response) => {
		response.end(`${request.headers.authorization} ${request.headers.cookie} ${String(request.headers['x-api-key'])}`);
	});
	const {client} = createClient();
	for (const headers of [{}, {authorization: 'a'}, {authorization: 'b'}, {cookie: 'a=1'}, {cookie: 'a=2'}, {'x-api-key': '1'}, {'x-api-key': '2'}]) {
		const response = await client(origin.url, {headers});
		t.false(response.isFromCache);
		t.true((await client(origin.url, {headers})).isFromCache);
	}

	await client(origin.url.replace('//', '//user:secret@'));
	t.is(origin.count, 8);
	const {client: sharing} = createClient({partitionBy: false});
	await sharing(origin.url, {headers: {authorization: 'a'}});
	t.true((await sharing(origin.url, {headers: {authorization: 'b'}})).isFromCache);
});

test('the headers that matchHeaders lists are included in the key', async t => {
	await using origin = await startOrigin();
	const {client} = createClient({matchHeaders: ['X-Team']});
	await client(origin.url, {headers: {'x-team': 'a', 'x-other': '1'}});
	t.true((await client(origin.url, {headers: {'X-Team': 'a', 'x-other': '2'}})).isFromCache);
	t.false((await client(origin.url, {headers: {'x-team': 'b'}})).isFromCache);
});

test('concurrent requests do not disturb each other', async t => {
	await using origin = await Origin.start((request, response) => {
		setTimeout(() => {
			response.end(request.url);
		}, Math.random() * 5);
	});
	const {client} = createClient();
	const answers = await Promise.all(Array.from({length: 200}, async (_, index) => {
		const path = `/${index % 20}`;
		return [path, await client(origin.url + path).text()] as const;
	}));
	for (const [path, body] of answers) {
		t.is(body, path);
	}
});
