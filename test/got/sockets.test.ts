import {Buffer} from 'node:buffer';
import {getEventListeners, once} from 'node:events';
import http from 'node:http';
import type {Socket} from 'node:net';
import test from 'ava';
import type {Got} from 'got';
import {cacheHooks, getCache, type CacheSettings} from '../../source/index.ts';
import {majors, readStream} from '../helpers/clients.ts';
import {Clock, Origin, type Handler} from '../helpers/origin.ts';
import {until} from '../helpers/until.ts';

type Setup = {
	readonly client: Got;
	readonly origin: Origin;
	readonly clock: Clock;
	readonly signal: AbortSignal;
};

type Scenario = {
	readonly handler: Handler;
	readonly settings?: CacheSettings;
	readonly run: (stage: Setup) => Promise<unknown>;

	/** Whether the connection is used up, as without a cache. */
	readonly isEnded?: true;
};

const isValidation = ({headers}: http.IncomingMessage): boolean => headers['if-none-match'] !== undefined;

const validated: Handler = (request, response) => {
	response.writeHead(isValidation(request) ? 304 : 200, {etag: '"1"'});
	response.end(isValidation(request) ? undefined : 'answer');
};

async function askStale({client, origin, clock, signal}: Setup): Promise<unknown> {
	await client(origin.url, {signal});
	clock.advance(600);
	return client(origin.url, {signal});
}

const scenarios: Readonly<Record<string, Scenario>> = {
	'a hit': {
		handler: validated,
		async run({client, origin, signal}) {
			await client(origin.url, {signal});
			await Promise.all(Array.from({length: 20}, async () => client(origin.url, {signal})));
			// Streams of Got 15 keep theirs on the signal.
			await Promise.all(Array.from({length: 20}, async () => readStream(client.stream(origin.url))));
		},
	},
	'requests that wait for another one': {
		handler(_request, response) {
			setTimeout(() => {
				response.end('answer');
			}, 30);
		},
		run: async ({client, origin, signal}) => Promise.all(Array.from({length: 20}, async () => client(origin.url, {signal}))),
	},
	'a validation': {handler: validated, run: askStale},
	'a stale response in the place of an error': {
		handler(request, response) {
			response.writeHead(isValidation(request) ? 503 : 200, {etag: '"1"'});
			response.end(isValidation(request) ? 'down' : 'answer');
		},
		settings: {staleIfError: true},
		run: askStale,
	},
	'a stale response in the place of an error without end': {
		handler(request, response) {
			response.writeHead(isValidation(request) ? 503 : 200, {etag: '"1"'});
			if (!isValidation(request)) {
				response.end('answer');
				return;
			}

			const timer = setInterval(() => {
				response.write(Buffer.alloc(1000));
			}, 5);
			response.on('close', () => {
				clearInterval(timer);
			});
		},
		settings: {staleIfError: true},
		run: askStale,
		isEnded: true,
	},
	'a 304 that nobody asked for': {
		handler(_request, response) {
			response.writeHead(304).end();
		},
		run: async ({client, origin, signal}) => client(origin.url, {signal}),
	},
	'a refresh in the background': {
		handler(_request, response) {
			response.writeHead(200, {etag: '"1"'});
			response.end(Buffer.alloc(1_000_000));
		},
		settings: {staleWhileRevalidate: '1h'},
		run: askStale,
	},
	'a body that is too large': {
		handler(_request, response) {
			response.end(Buffer.alloc(1_000_000));
		},
		settings: {maxEntryBytes: 1000},
		run: async ({client, origin, signal}) => client(origin.url, {signal}),
	},
	'a redirect': {
		handler(request, response) {
			if (request.url === '/') {
				response.writeHead(302, {location: '/there'}).end(Buffer.alloc(10_000));
			} else {
				response.end('answer');
			}
		},
		async run({client, origin, signal}) {
			await client(origin.url, {signal});
			await client(origin.url, {signal});
		},
	},
	'a HEAD': {
		handler({method}, response) {
			response.writeHead(200, {'content-length': '6'});
			response.end(method === 'HEAD' ? undefined : 'answer');
		},
		run: async ({client, origin, signal}) => client.head(origin.url, {signal}),
	},
	'an abort before there is a response': {
		handler() {},
		async run({client, origin}) {
			await Promise.allSettled(Array.from({length: 5}, async () => client(origin.url, {signal: AbortSignal.timeout(50)})));
		},
		isEnded: true,
	},
	'an abort in the middle of a body': {
		handler(_request, response) {
			response.write('begun');
		},
		run: async ({client, origin}) => Promise.allSettled([client(origin.url, {signal: AbortSignal.timeout(50)})]),
		isEnded: true,
	},
	'an abort of a 304 that is asked for once more': {
		handler(_request, response) {
			if (response.req.headers['x-count'] === undefined) {
				response.writeHead(304).end();
			}
		},
		async run({client, origin}) {
			let count = 0;
			await Promise.allSettled([client(origin.url, {
				signal: AbortSignal.timeout(100),
				request: ((url: URL, options: http.RequestOptions, callback: () => void) => {
					count++;
					return http.request(url, {...options, headers: {...options.headers as object, ...(count > 1 && {'x-count': '2'})}}, callback);
				}) as never,
			})]);
		},
		isEnded: true,
	},
	'a body that nobody reads': {
		handler(_request, response) {
			response.end(Buffer.alloc(1_000_000));
		},
		async run({client, origin}) {
			const stream = client.stream(origin.url);
			await once(stream, 'response');
			stream.destroy();
		},
		isEnded: true,
	},
};

const listenersOf = (socket: Socket): Record<string, number> => Object.fromEntries(socket.eventNames().map(name => [String(name), socket.listenerCount(name)]));

for (const [name, instance] of majors) {
	for (const [title, {handler, settings, run, isEnded}] of Object.entries(scenarios)) {
		test(`${name}: ${title} releases its connection, and leaves no listener`, async t => {
			await using origin = await Origin.start(handler);
			const agent = new http.Agent({keepAlive: true, maxSockets: 1});
			t.teardown(() => {
				agent.destroy();
			});
			const {signal} = new AbortController();
			const clock = new Clock();
			const base = instance.extend({retry: {limit: 0}, agent: {http: agent}});
			const client = base.extend(cacheHooks({
				store: 'memory', expireAfter: '5m', now: clock.now, ...settings,
			}) as object) as Got;
			await run({
				client, origin, clock, signal,
			});
			await getCache(client).idle();
			const host = agent.getName({host: '127.0.0.1', port: new URL(origin.url).port as never});
			await until(() => (agent.sockets[host]?.length ?? 0) === 0);

			t.deepEqual(Object.keys(agent.sockets), []);
			t.deepEqual(Object.keys(agent.requests), []);
			const free = agent.freeSockets[host] ?? [];
			t.is(free.length, isEnded ? 0 : 1);
			t.is(getEventListeners(signal, 'abort').length, 0);
			if (isEnded) {
				return;
			}

			const after = listenersOf(free[0]!);
			// The same connection, after a request of Got's own.
			await base(`${origin.url}/plain`, {throwHttpErrors: false});
			await until(() => agent.freeSockets[host]?.length === 1);
			t.deepEqual(after, listenersOf(agent.freeSockets[host]![0]!));
		});
	}
}
