import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import {Readable} from 'node:stream';
import {setImmediate as turn, setTimeout as delay} from 'node:timers/promises';
import zlib from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import type {Got} from 'got';
import {getCache, type CacheSettings, type Store} from '../../source/index.ts';
import {Sharing} from '../../source/exchange/sharing.ts';
import {clientOfInstance} from '../../source/got/cache-hooks.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Origin, type Clock, type Handler} from '../helpers/origin.ts';
import {until} from '../helpers/until.ts';
import {testUnhandledRejections} from '../helpers/unhandled-rejections.ts';

testUnhandledRejections(test);

type Setup = {
	readonly t: ExecutionContext;
	readonly client: Got;
	readonly clock: Clock;
	readonly origin: Origin;
};

type Scenario = {
	readonly title: string;
	readonly settings?: CacheSettings;
	readonly handler?: Handler;
	readonly run: (stage: Setup) => Promise<void>;
};

const answer: Handler = (_request, response) => {
	setTimeout(() => {
		response.end('answer');
	}, 10);
};

const validated: Handler = (request, response) => {
	const isAsked = request.headers['if-none-match'] !== undefined;
	response.writeHead(isAsked ? 304 : 200, {etag: '"1"'});
	response.end(isAsked ? undefined : 'answer');
};

const hang: Handler = () => {};

const fail = (): never => {
	throw new Error('a fault of the user\'s');
};

const failLater = async (): Promise<never> => {
	await turn();
	return fail();
};

/** Sends two concurrent requests, of which one waits for the other. */
async function askTwice({client, origin}: Setup): Promise<void> {
	await Promise.allSettled([client(origin.url), client(origin.url)]);
}

async function askStale(stage: Setup): Promise<void> {
	await askTwice(stage);
	stage.clock.advance(600);
	await askTwice(stage);
}

const scenarios: readonly Scenario[] = [
	{title: 'a miss and a request that waits for it', run: askTwice},
	{
		title: 'a hit',
		async run(stage) {
			await askTwice(stage);
			await askTwice(stage);
		},
	},
	{title: 'a validation', handler: validated, run: askStale},
	{
		title: 'a refresh in the background',
		settings: {staleWhileRevalidate: '1h'},
		handler: validated,
		async run(stage) {
			await askStale(stage);
			await getCache(stage.client).idle();
		},
	},
	{
		title: 'a refresh in the background that fails',
		settings: {staleWhileRevalidate: '1h'},
		handler(request, response) {
			if (request.headers['if-none-match'] === undefined) {
				validated(request, response, '');
			} else {
				response.writeHead(503, {'retry-after': '9'}).end();
			}
		},
		async run(stage) {
			await askStale(stage);
			await getCache(stage.client).idle();
		},
	},
	{
		title: 'a stale response instead of an error status',
		settings: {staleIfError: true},
		handler(request, response) {
			if (request.headers['if-none-match'] === undefined) {
				validated(request, response, '');
			} else {
				response.writeHead(503).end();
			}
		},
		run: askStale,
	},
	{
		title: 'a stale response instead of a failure',
		settings: {staleIfError: true},
		handler(request, response) {
			if (request.headers['if-none-match'] === undefined) {
				validated(request, response, '');
			} else {
				response.socket!.destroy();
			}
		},
		run: askStale,
	},
	{
		title: 'a failure',
		handler(_request, response) {
			response.socket!.destroy();
		},
		run: askTwice,
	},
	{
		title: 'a 504 instead of a failure',
		settings: {gatewayTimeout: 'respond'},
		handler(_request, response) {
			response.socket!.destroy();
		},
		run: askTwice,
	},
	{
		title: 'a 504 of the cache without a request',
		async run({client, origin}) {
			await client(origin.url, {throwHttpErrors: false, context: {cache: {onlyIfCached: true}}});
		},
	},
	{
		title: 'an abort before there is a response',
		handler: hang,
		async run({client, origin}) {
			const controller = new AbortController();
			const {signal} = controller;
			const asked = Promise.allSettled([client(origin.url, {signal}), client(origin.url, {signal}), client(`${origin.url}/other`, {timeout: {request: 20}})]);
			// The other one may time out before it is sent.
			await until(() => origin.requests.some(({url}) => url === '/'));
			controller.abort();
			await asked;
		},
	},
	{
		title: 'a stream that is destroyed in the middle of its body',
		handler(_request, response) {
			response.writeHead(200, {'content-length': '1000'});
			response.write('begun');
		},
		async run({client, origin}) {
			const stream = client.stream(origin.url);
			stream.on('error', () => {});
			await once(stream, 'data');
			stream.destroy();
			await once(stream, 'close');
		},
	},
	{
		title: 'a truncated body',
		handler(_request, response) {
			response.writeHead(200, {'content-length': '1000'});
			response.write('begun', () => {
				response.socket!.destroy();
			});
		},
		run: askTwice,
	},
	{
		title: 'a body that cannot be decoded',
		handler(_request, response) {
			response.setHeader('content-encoding', 'gzip');
			response.end(zlib.gzipSync('answer').subarray(0, 15));
		},
		run: askTwice,
	},
	{
		title: 'a response that must not be stored',
		settings: {cacheControl: true},
		handler(_request, response) {
			response.setHeader('cache-control', 'no-store');
			response.end('answer');
		},
		run: askTwice,
	},
	{
		title: 'a response that must not be stored and replaces a stored one',
		settings: {cacheControl: true, expireAfter: 60},
		handler(request, response) {
			const isAsked = request.headers['if-none-match'] !== undefined;
			response.writeHead(isAsked ? 304 : 200, {etag: '"1"', ...(isAsked && {'cache-control': 'no-store'})});
			response.end(isAsked ? undefined : 'answer');
		},
		run: askStale,
	},
	{
		title: 'a response with Vary: *',
		handler(_request, response) {
			response.setHeader('vary', '*');
			response.end('answer');
		},
		run: askTwice,
	},
	{
		title: 'a body with a Content-Length that is too large',
		settings: {maxEntryBytes: 1000},
		handler(_request, response) {
			response.setHeader('content-length', '2000');
			response.end(Buffer.alloc(2000));
		},
		run: askTwice,
	},
	{
		title: 'a body that turns out to be too large',
		settings: {maxEntryBytes: 1000},
		handler(_request, response) {
			response.write(Buffer.alloc(2000));
			response.end();
		},
		run: askTwice,
	},
	{
		title: 'a HEAD without and with a stored GET',
		settings: {cacheControl: true, expireAfter: 60},
		handler: validated,
		async run({client, origin, clock}) {
			await Promise.all([client.head(origin.url), client.head(origin.url)]);
			await client(origin.url);
			clock.advance(600);
			await client.head(origin.url);
		},
	},
	{
		title: 'a request with a precondition of its own',
		settings: {cacheControl: true, expireAfter: 60},
		handler: validated,
		async run({client, origin, clock}) {
			await client(origin.url);
			clock.advance(600);
			await client(origin.url, {headers: {'if-none-match': '"1"'}, throwHttpErrors: false});
		},
	},
	{
		title: 'an unsafe method, and one whose response answers a later GET',
		settings: {cacheControl: true},
		handler(_request, response) {
			response.writeHead(200, {'cache-control': 'max-age=60', 'content-location': '/'});
			response.end('answer');
		},
		async run({client, origin}) {
			await client(origin.url);
			await client.post(origin.url, {body: 'a'});
			await client.delete(origin.url);
		},
	},
	{
		title: 'a 304 to an unconditional request',
		handler(_request, response) {
			response.writeHead(304).end();
		},
		run: askTwice,
	},
	{
		title: 'a 304 to an unconditional request, and an abort while that is sent once more',
		handler(request, response) {
			if (request.headers['x-second'] !== undefined) {
				return;
			}

			response.writeHead(304).end();
		},
		async run({client, origin}) {
			const controller = new AbortController();
			const asked = client(origin.url, {
				signal: controller.signal,
				hooks: {
					beforeRequest: [options => {
						const send = options.createNativeRequestOptions.bind(options);
						Object.assign(options, {createNativeRequestOptions: () => ({...send(), headers: {...options.headers, ...(origin.count > 0 && {'x-second': '1'})}})});
					}],
				},
			});
			while (origin.count < 2) {
				await turn();
			}

			controller.abort();
			await Promise.allSettled([asked]);
		},
	},
	{
		title: 'a redirect that is followed',
		handler(request, response) {
			if (request.url === '/') {
				response.writeHead(302, {location: '/there'}).end('elsewhere');
			} else {
				response.end('answer');
			}
		},
		run: askTwice,
	},
	...([['throws', fail], ['rejects', failLater], ['refuses', () => false]] as const).map(([how, filterFn]): Scenario => ({
		title: `a filter that ${how}`, settings: {filterFn}, handler: validated, run: askStale,
	})),
	{
		title: 'tags that throw', settings: {tags: fail}, handler: validated, run: askStale,
	},
	...([['throws', fail], ['rejects', failLater], ['gives no key', () => undefined]] as const).map(([how, keyFn]): Scenario => ({
		title: `a keyFn that ${how}`, settings: {keyFn}, handler: validated, run: askStale,
	})),
	{
		title: 'a partitionBy that throws', settings: {partitionBy: fail}, handler: validated, run: askStale,
	},
	{
		title: 'a keyFn that rejects after the caller gave up',
		settings: {
			failFast: true,
			keyFn: (async () => new Promise<never>((_resolve, reject) => {
				setTimeout(() => {
					reject(new Error('too late'));
				}, 60);
			})),
		},
		async run({client, origin}) {
			await Promise.allSettled([client(origin.url, {timeout: {request: 20}}), client(origin.url, {signal: AbortSignal.timeout(20)})]);
			await delay(100);
		},
	},
	{
		title: 'a response of a request function of a user',
		async run({client}) {
			const request = (): never => Object.assign(Readable.from([Buffer.from('answer')]), {statusCode: 200, headers: {}, complete: true}) as never;
			await Promise.allSettled([client('http://127.0.0.1:1/', {request}), client('http://127.0.0.1:1/', {request})]);
		},
	},
	...([['throws', fail], ['rejects', failLater], ['gives nothing', () => undefined], ['gives no response', () => 'answer'], ['gives no stream', () => ({statusCode: 200, headers: {}})]] as const).map(([how, request]): Scenario => ({
		title: `a request function of a user that ${how}`,
		async run({client, origin}) {
			const gone = Promise.allSettled([client(origin.url, {request: request as never}), client(origin.url, {request: request as never})]);
			// What is no response may never be read.
			await Promise.race([gone, delay(100)]);
		},
	})),
	{
		title: 'a request function of a user whose caller gives up',
		async run({client, origin}) {
			const request = async (): Promise<never> => new Promise<never>(() => {});
			await Promise.allSettled([client(origin.url, {request, signal: AbortSignal.timeout(20)})]);
		},
	},
	{
		title: 'an upgrade',
		handler(_request, response) {
			response.socket!.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: test\r\n\r\n');
		},
		async run({client, origin}) {
			await Promise.allSettled([client(origin.url, {headers: {connection: 'upgrade', upgrade: 'test'}, signal: AbortSignal.timeout(50)})]);
		},
	},
	{
		title: 'writes beyond the limit of pending writes',
		settings: {storeTimeout: 100},
		handler(_request, response) {
			response.end(Buffer.alloc(40_000_000));
		},
		async run({client, origin}) {
			const store = clientOfInstance(client).cache.store as MemoryStore;
			Object.assign(store, {set: async () => delay(50)});
			await Promise.all(Array.from({length: 5}, async (_, index) => client(`${origin.url}/${index}`)));
			await getCache(client).idle();
		},
	},
	{
		title: 'a store that fails, with `failFast`',
		settings: {failFast: true},
		async run({client, origin}) {
			const store = clientOfInstance(client).cache.store as MemoryStore;
			store.get = failLater;
			await askTwice({client, origin} as Setup);
			store.get = fail;
			await askTwice({client, origin} as Setup);
		},
	},
	{
		title: 'a redirect whose cookies cannot be read',
		settings: {cacheControl: true},
		handler(request, response) {
			if (request.url === '/') {
				response.writeHead(302, {location: '/there', 'set-cookie': 'a=1', 'cache-control': 'max-age=60'}).end();
			} else {
				response.end('answer');
			}
		},
		async run({client, origin}) {
			const cookieJar = {getCookieString: failLater, setCookie: failLater};
			await client(origin.url);
			await Promise.allSettled([client(origin.url, {cookieJar}), client(origin.url, {cookieJar})]);
		},
	},
];

/** Whether the journal still records invalidations for an exchange in progress. */
function isUnderWay(client: Got): boolean {
	const {journal} = clientOfInstance(client).cache;
	void journal.invalidate([{kind: 'key', key: 'probe'}]);
	const probe = {
		keys: ['probe'], resource: '', url: '', tags: [],
	};
	return journal.concerns(probe, {local: 0, head: undefined, time: 0});
}

/** One that answers at once, and one that is waited for and that others may share. */
const stores: Readonly<Record<string, () => Store | Map<string, unknown>>> = {memory: () => new MemoryStore(), keyv: () => new Map<string, unknown>()};

const places = majors.flatMap(([name, instance]) => Object.entries(stores).map(([store, open]) => ({
	name: `${name}, ${store}`, instance, open,
})));

for (const {name, instance, open} of places) {
	for (const {title, settings, handler = answer, run} of scenarios) {
		test(`${name}: no request, timer or read remains after ${title}`, async t => {
			await using origin = await Origin.start(handler);
			const {client, clock} = createClient({store: open() as never, ...settings}, instance);
			await run({
				t, client, clock, origin,
			});
			await getCache(client).idle();
			// What is destroyed closes later.
			await until(() => !isUnderWay(client));
			t.false(isUnderWay(client), 'The journal keeps nothing for an exchange');
			t.is(Sharing.of(clientOfInstance(client).cache).size, 0, 'Nobody can wait for a request that has ended');
		});
	}
}
