import dns from 'node:dns';
import http from 'node:http';
import net from 'node:net';
import type {Duplex} from 'node:stream';
import test from 'ava';
import type {ExtendOptions, Got} from 'got';
import {cacheHooks, HttpCache} from '../../source/index.ts';
import {majors, readStream} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {standClock} from '../helpers/hand-clock.ts';

type Ask = () => Promise<unknown>;

/** An agent that asks for something before it connects. */
class AskingAgent extends http.Agent {
	readonly #ask: Ask;

	constructor(ask: Ask) {
		super();
		this.#ask = ask;
	}

	override createConnection(options: http.ClientRequestArgs, callback?: (error: Error | null, stream: Duplex) => void): undefined {
		void (async () => {
			await this.#ask();
			callback!(null, net.connect(options as net.NetConnectOpts));
		})();
	}
}

/** The places where code of the user runs inside a request: its requests are nested in that one. */
const places: Readonly<Record<string, (ask: Ask, cache: HttpCache) => ExtendOptions>> = {
	'a request function': ask => ({
		request: (async (url: URL, options: http.RequestOptions, callback: () => void) => {
			await ask();
			return http.request(url, options, callback);
		}) as never,
	}),
	'a hook before the request': ask => ({
		hooks: {
			beforeRequest: [async () => {
				await ask();
			}],
		},
	}),
	'a `dnsLookup`': ask => ({
		dnsLookup: ((hostname: string, options: dns.LookupOptions, callback: () => void) => {
			void (async () => {
				await ask();
				dns.lookup(hostname, {...options, family: 4}, callback); // eslint-disable-line n/prefer-promises/dns -- Node.js gives a callback.
			})();
		}) as never,
	}),
	'an agent': ask => ({agent: {http: new AskingAgent(ask)}}),
	'a filter': (ask, cache) => cacheHooks({
		cache,
		async filterFn() {
			await ask();
			return true;
		},
	}),
};

/** Only the first call sends a nested request. */
function onceOnly(ask: Ask): Ask {
	let hasAsked = false;
	return async () => {
		if (hasAsked) {
			return;
		}

		hasAsked = true;
		await ask();
	};
}

for (const [name, instance] of majors) {
	for (const [place, nest] of Object.entries(places)) {
		for (const paths of [['/a'], ['/a', '/b'], ['/a', '/b', '/c']]) {
			for (const isShared of [true, false]) {
				test.serial(`${name}: a call from ${place} does not wait for the request that it is part of: ${paths.join(' → ')} → /a by ${isShared ? 'one client' : 'clients of one cache'}`, async t => {
					await using origin = await Origin.start((request, response) => {
						response.end(request.url);
					});
					const url = origin.url.replace('127.0.0.1', 'localhost');
					await using cache = new HttpCache({store: 'memory'});
					const open = (): Got => instance.extend({retry: {limit: 0}}, cacheHooks({cache}));
					const one = open();
					const asked: string[] = [];
					// Each asks for the next one in its midst, and the last one for the first.
					let client = one;
					for (const path of [...paths.slice(1), '/a'].toReversed()) {
						const inner = client;
						const askInner = onceOnly(async () => {
							asked.push(await inner(url + path).text());
						});
						client = (isShared ? one : open()).extend(nest(askInner, cache));
					}

					// A wait for a request that waits for this one would never end.
					standClock(t);
					const [first, second] = await Promise.all([client(`${url}/a`), readStream(one.stream(`${url}/a`))]);
					t.is(first.body, '/a');
					t.is(second, '/a');
					// What is filtered is so after it was given.
					await cache.idle();
					t.deepEqual(asked.toSorted(), paths);
				});
			}
		}
	}

	test.serial(`${name}: two requests that each make the other one inside do not wait for each other`, async t => {
		await using origin = await Origin.start((request, response) => {
			response.end(request.url);
		});
		await using cache = new HttpCache({store: 'memory'});
		const plain = instance.extend({retry: {limit: 0}}, cacheHooks({cache}));
		const both = Promise.withResolvers<void>();
		let begun = 0;
		const asking = (path: string): Got => plain.extend(places['a request function']!(onceOnly(async () => {
			begun++;
			if (begun === 2) {
				both.resolve();
			}

			// Both are in flight before either requests the other.
			await both.promise;
			await plain(origin.url + path);
		}), cache));
		// A wait for one another would never end.
		standClock(t);
		const answers = await Promise.all([asking('/b')(`${origin.url}/a`), asking('/a')(`${origin.url}/b`)]);
		t.deepEqual(answers.map(({body}) => body), ['/a', '/b']);
	});

	test.serial(`${name}: a call from a listener of a stream does not wait for that stream`, async t => {
		await using origin = await Origin.start((request, response) => {
			response.writeHead(200, {'content-length': '5'});
			response.end('whole');
		});
		await using cache = new HttpCache({store: 'memory'});
		const client = instance.extend({retry: {limit: 0}}, cacheHooks({cache}));
		// A wait for the stream, which is paused, would never end.
		standClock(t);
		for (const event of ['request', 'response', 'data', 'end'] as const) {
			const url = `${origin.url}/${event}`;
			const stream = client.stream(url);
			const asked = new Promise<string>(resolve => {
				stream.once(event, () => {
					stream.pause();
					resolve(client(url).text());
				});
			});
			stream.resume();
			t.is(await asked, 'whole', `on ${event}`);
			stream.destroy();
		}
	});
}
