import {request as sendRequest} from 'node:http';
import {Writable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {createGunzip, createGzip} from 'node:zlib';
import test from 'ava';
import {gotSsrf} from 'got-ssrf';
import {HttpProxyAgent} from 'hpagent';
import {CookieJar} from 'tough-cookie';
import {createCachedGot, getCache} from '../../../source/index.ts';
import {createClient, majors} from '../../helpers/clients.ts';
import {Origin} from '../../helpers/origin.ts';
import {startProxy} from '../../helpers/proxy.ts';

async function startOrigin(): Promise<Origin> {
	return Origin.start((request, response) => {
		response.end(`${request.url} ${request.headers.cookie ?? ''}`);
	});
}

for (const [name, instance] of majors) {
	test(`${name}: a limiter in \`beforeRequest\` or a handler counts hits, before the cache or after it; one in \`request\` counts only what is sent`, async t => {
		await using origin = await startOrigin();
		const counts = {
			before: 0, after: 0, handler: 0, request: 0,
		};
		const limiter = (place: 'after' | 'before') => ({
			hooks: {
				beforeRequest: [async () => {
					counts[place]++;
				}],
			},
		});
		const client = createCachedGot({store: 'memory'}, instance.extend(limiter('before'))).extend(limiter('after'), {
			handlers: [(options, next) => {
				counts.handler++;
				return next(options);
			}],
			// A limiter would wait here: Got takes a promise.
			async request(url, options, callback) {
				counts.request++;
				return sendRequest(url, options, callback);
			},
		});
		await client(origin.url);
		t.deepEqual(counts, {
			before: 1, after: 1, handler: 1, request: 1,
		});
		t.true((await client(origin.url)).isFromCache);
		t.deepEqual(counts, {
			before: 2, after: 2, handler: 2, request: 1,
		});
	});

	test(`${name}: behind a proxy of hpagent a hit opens no tunnel`, async t => {
		await using origin = await startOrigin();
		const proxy = await startProxy(t);
		const {client} = createClient({}, instance);
		const proxied = client.extend({agent: {http: new HttpProxyAgent({proxy: proxy.url})}});
		t.false((await proxied(origin.url)).isFromCache);
		t.is(proxy.tunnels(), 1);
		t.true((await proxied(origin.url)).isFromCache);

		// The proxy is no part of the key.
		t.true((await client(origin.url)).isFromCache);
		t.is(proxy.tunnels(), 1);
		t.is(origin.count, 1);
	});

	test(`${name}: the cookies of a jar are included in the key, and a hit sets no cookies`, async t => {
		await using origin = await Origin.start((request, response) => {
			response.setHeader('set-cookie', 'seen=1');
			response.end(request.headers.cookie ?? 'none');
		});
		const {client} = createClient({}, instance);
		const jar = (user?: string): CookieJar => {
			const cookieJar = new CookieJar();
			if (user !== undefined) {
				cookieJar.setCookieSync(`user=${user}`, origin.url);
			}

			return cookieJar;
		};

		t.is((await client(origin.url, {cookieJar: jar('ada')})).body, 'user=ada');
		t.is((await client(origin.url, {cookieJar: jar('bob')})).body, 'user=bob');
		const cookieJar = jar('ada');
		const {body, isFromCache} = await client(origin.url, {cookieJar});
		t.deepEqual([body, isFromCache], ['user=ada', true]);
		t.is(cookieJar.getCookieStringSync(origin.url), 'user=ada');
		t.is(origin.count, 2);
	});

	test(`${name}: each page of a pagination is cached`, async t => {
		await using origin = await Origin.start((request, response) => {
			const page = Number(new URL(request.url!, 'http://x').searchParams.get('page') ?? 1);
			response.setHeader('content-type', 'application/json');
			if (page < 3) {
				response.setHeader('link', `</?page=${page + 1}>; rel="next"`);
			}

			response.end(JSON.stringify([page * 10, (page * 10) + 1]));
		});
		const {client} = createClient({}, instance);
		const pages = [10, 11, 20, 21, 30, 31];
		t.deepEqual(await client.paginate.all<number>(origin.url), pages);
		t.deepEqual(await Array.fromAsync(client.paginate<number>(origin.url)), pages);
		t.is(origin.count, 3);
	});

	test(`${name}: a stream in a pipeline is stored, and served to another stream`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end('x'.repeat(500_000));
		});
		const {client} = createClient({}, instance);
		for (let round = 0; round < 2; round++) {
			let length = 0;
			const sink = new Writable({
				write(chunk: Uint8Array, _encoding, done) {
					length += chunk.length;
					done();
				},
			});
			const stream = client.stream(origin.url);
			await pipeline(stream, createGzip(), createGunzip(), sink);
			t.is(length, 500_000);
			t.is(stream.isFromCache, round === 1);
			await getCache(client).idle();
		}

		t.is(origin.count, 1);
	});
}

test('got-ssrf refuses an address whose response is stored, and the responses that it allows are cached', async t => {
	await using origin = await startOrigin();
	const store = new Map();
	const open = createCachedGot({store});
	await open(origin.url);
	t.true((await open(origin.url)).isFromCache);
	for (const guarded of [createCachedGot({store}, gotSsrf), createCachedGot({store}).extend(gotSsrf)]) {
		await t.throwsAsync(guarded(origin.url), {message: /reserved/v});

		// Its own lookup, which has no options, gets a public address.
		const dnsLookup = (_host: string, options: unknown, callback?: (error: null, addresses: unknown, family?: number) => void): void => {
			if (typeof options === 'function') {
				(options as (error: null, found: unknown) => void)(null, {address: '93.184.215.14'});
			} else {
				callback!(null, (options as {all?: boolean}).all === true ? [{address: '127.0.0.1', family: 4}] : '127.0.0.1', 4);
			}
		};

		const ask = async () => guarded(origin.url.replace('127.0.0.1', 'public.example'), {dnsLookup: dnsLookup as never});
		await ask();
		t.true((await ask()).isFromCache);
	}
});
