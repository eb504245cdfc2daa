import {Buffer} from 'node:buffer';
import {spawn} from 'node:child_process';
import {getEventListeners, once} from 'node:events';
import {Agent, type IncomingMessage, type ServerResponse} from 'node:http';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import type {Got} from 'got';
import {getCache, withoutNetwork} from '../../source/index.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {lateStore, reasonOf, refreshingClient} from '../helpers/refreshing.ts';
import {standClock} from '../helpers/hand-clock.ts';
import {until} from '../helpers/until.ts';

/** An origin that holds its second answer back. */
class HoldingOrigin {
	readonly origin: Origin;
	readonly held: Promise<ServerResponse>;

	private constructor(origin: Origin, held: Promise<ServerResponse>) {
		this.origin = origin;
		this.held = held;
	}

	static async start(): Promise<HoldingOrigin & AsyncDisposable> {
		const {promise, resolve} = Promise.withResolvers<ServerResponse>();
		const origin: Origin = await Origin.start((_request, response) => {
			if (origin.count === 2) {
				resolve(response);
			} else {
				response.end(`answer ${origin.count}`);
			}
		});
		return Object.assign(new HoldingOrigin(origin, promise), {[Symbol.asyncDispose]: async () => origin[Symbol.asyncDispose]()});
	}
}

type GiveUp = (client: Got, url: string) => Promise<void>;

/** How callers end after they have got their stale response. */
const callers: Readonly<Record<string, GiveUp>> = {
	async 'aborts'(client, url) {
		const controller = new AbortController();
		const response = await client(url, {signal: controller.signal}) as {body: string};
		controller.abort();
		if (response.body !== 'answer 1') {
			throw new Error(response.body);
		}
	},
	async 'destroys its stream'(client, url) {
		const stream = client.stream(url);
		await once(stream, 'response');
		stream.destroy();
		await once(stream, 'close');
	},
	async 'aborts its stream'(client, url) {
		const controller = new AbortController();
		const stream = client.stream(url, {signal: controller.signal});
		stream.on('error', () => {});
		await once(stream, 'response');
		controller.abort();
		await Promise.allSettled([once(stream, 'close')]);
	},
	async 'never reads its stream'(client, url) {
		await once(client.stream(url), 'response');
	},
	async 'fails in a hook'(client, url) {
		const slow = client.extend({
			hooks: {
				afterResponse: [() => {
					throw new Error('enough');
				}],
			},
		});
		await slow(url).catch(() => undefined);
	},
};

for (const [name, instance] of majors) {
	for (const [title, giveUp] of Object.entries(callers)) {
		test(`${name}: a refresh continues when its caller ${title}`, async t => {
			await using holding = await HoldingOrigin.start();
			const {origin: {url}} = holding;
			const {client, expire, idle, errors} = refreshingClient(instance);
			await client(url);
			expire();
			await giveUp(client, url);
			const response = await holding.held;
			await delay(20);
			response.end('answer 2');
			await idle();
			t.deepEqual(errors, []);
			const last = await client(url);
			t.deepEqual([last.body, reasonOf(last)], ['answer 2', 'fresh']);
		});
	}

	test(`${name}: \`clear()\` does not wait for a refresh, and its response is not stored`, async t => {
		await using holding = await HoldingOrigin.start();
		const {origin: {url}} = holding;
		const {client, cache, expire, idle, errors} = refreshingClient(instance);
		await client(url);
		expire();
		await client(url);
		const response = await holding.held;
		await cache.clear();
		t.is(await cache.count(), 0);
		response.end('answer 2');
		await idle();
		t.is(await cache.count(), 0);
		t.deepEqual(errors, []);
	});

	for (const method of ['idle', 'close'] as const) {
		test(`${name}: \`${method}()\` waits for a refresh`, async t => {
			await using holding = await HoldingOrigin.start();
			const {origin: {url}} = holding;
			const {client, cache, expire} = refreshingClient(instance, {store: lateStore(5)});
			await client(url);
			await cache.idle();
			expire();
			await client(url);
			let isOver = false;
			const waiting = (async () => {
				await cache[method]();
				isOver = true;
			})();
			const response = await holding.held;
			await delay(20);
			t.false(isOver);
			response.end('answer 2');
			await waiting;
			t.is(cache.stats().stored, 2);
		});
	}

	test(`${name}: during a refresh, a request gets the stale response, or waits if it must not get it`, async t => {
		await using holding = await HoldingOrigin.start();
		const {origin} = holding;
		const {client, expire, idle} = refreshingClient(instance);
		await client(origin.url);
		expire();
		await client(origin.url);
		const response = await holding.held;
		t.is(reasonOf(await client(origin.url)), 'stale-while-revalidate');
		const waiting = client(origin.url, {context: {cache: {staleWhileRevalidate: false}}});
		await delay(20);
		response.end('answer 2');
		t.is((await waiting).body, 'answer 2');
		await idle();
		t.is(origin.count, 2);
	});

	test(`${name}: without \`singleFlight\`, a response has one refresh at a time`, async t => {
		await using holding = await HoldingOrigin.start();
		const {origin} = holding;
		const {client, expire, idle} = refreshingClient(instance, {singleFlight: false});
		await client(origin.url);
		expire();
		await Promise.all(Array.from({length: 5}, async () => client(origin.url)));
		const response = await holding.held;
		await Promise.all(Array.from({length: 5}, async () => client(origin.url)));
		t.is(origin.count, 2);
		response.end('answer 2');
		await idle();
		t.is((await client(origin.url)).body, 'answer 2');
		t.is(origin.count, 2);
	});

	test.serial(`${name}: no request waits for a refresh that was sent before its resource was changed`, async t => {
		const held = Promise.withResolvers<ServerResponse>();
		let gets = 0;
		await using origin = await Origin.start((request, response) => {
			if (request.method === 'POST') {
				response.end('changed');
				return;
			}

			gets++;
			response.writeHead(200, {'cache-control': 'max-age=60, stale-while-revalidate=6000', date: new Date(clock.now()).toUTCString()});
			if (gets === 2) {
				response.flushHeaders();
				held.resolve(response);
			} else {
				response.end(`answer ${gets}`);
			}
		});
		const {client, clock, expire, idle} = refreshingClient(instance, {cacheControl: true, expireAfter: undefined, staleWhileRevalidate: undefined});
		await client(origin.url);
		expire();
		t.is((await client(origin.url)).body, 'answer 1');
		const response = await held.promise;
		await client.post(origin.url);
		// A wait would never end.
		standClock(t);
		t.is((await client(origin.url)).body, 'answer 3');
		response.end('answer 2');
		await idle();
		t.is((await client(origin.url)).body, 'answer 3');
	});

	test(`${name}: with a lock, a response that another process refreshes is not refreshed here`, async t => {
		await using holding = await HoldingOrigin.start();
		const {origin} = holding;
		const values = new Map<string, string>();
		const store = () => ({
			...lateStore(1),
			get: (key: string) => values.get(key),
			set(key: string, value: unknown) {
				values.set(key, value as string);
			},
			add(key: string, value: unknown) {
				const isNew = !values.has(key);
				values.set(key, values.get(key) ?? value as string);
				return isNew;
			},
			delete: (key: string) => values.delete(key),
		});
		const here = refreshingClient(instance, {store: store(), lock: true});
		const there = createClient({
			store: store(), lock: true, expireAfter: 60, staleWhileRevalidate: true, now: here.clock.now,
		}, instance).client;
		await here.client(origin.url);
		await here.idle();
		here.expire();
		await there(origin.url);
		const response = await holding.held;
		const stale = await here.client(origin.url);
		t.is(reasonOf(stale), 'stale-while-revalidate');
		await here.idle();
		t.is(origin.count, 2);
		response.end('answer 2');
		await getCache(there).idle();
		t.deepEqual(here.errors, []);
		t.is((await here.client(origin.url)).body, 'answer 2');

		// It is given back.
		here.expire();
		await here.client(origin.url);
		await here.idle();
		t.is(origin.count, 3);
	});

	test(`${name}: no refresh starts without network, and one that has begun continues`, async t => {
		await using holding = await HoldingOrigin.start();
		const {origin} = holding;
		const {client, expire, idle, errors} = refreshingClient(instance);
		await client(origin.url);
		expire();
		t.is(reasonOf(await withoutNetwork(async () => client(origin.url))), 'stale-while-revalidate');
		await idle();
		t.is(origin.count, 1);
		await client(origin.url);
		const response = await holding.held;
		t.is(reasonOf(await withoutNetwork(async () => client(origin.url))), 'stale-while-revalidate');
		response.end('answer 2');
		await idle();
		t.deepEqual(errors, []);
		t.is(origin.count, 2);
	});

	test(`${name}: if filterFn refuses the response of a refresh, the stored response is deleted`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end(`answer ${origin.count}`);
		});
		const {client, expire, idle, errors} = refreshingClient(instance, {filterFn: response => response.text() !== 'answer 2'});
		await client(origin.url);
		expire();
		t.is((await client(origin.url)).body, 'answer 1');
		await idle();
		t.deepEqual(errors, []);
		t.is((await client(origin.url)).body, 'answer 3');
	});

	test(`${name}: a refresh is one event with \`background\`, and does not count as a request`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.statusCode = origin.count === 3 ? 401 : 200;
			response.end(`answer ${origin.count}`);
		});
		const {client, cache, expire, idle} = refreshingClient(instance, {staleIfError: true});
		const emitted: string[] = [];
		for (const event of ['hit', 'miss', 'stale', 'revalidated', 'bypassed'] as const) {
			cache.on(event, ({reason, background}) => {
				emitted.push(`${event} ${reason}${background ? ' in the background' : ''}`);
			});
		}

		for (const event of ['stored', 'refused'] as const) {
			cache.on(event, ({reason}) => {
				emitted.push(`${event} ${reason}`);
			});
		}

		await client(origin.url);
		expire();
		await client(origin.url);
		await idle();
		expire();
		await client(origin.url);
		await idle();
		t.deepEqual(emitted, [
			'miss miss',
			'stored stored',
			'stale stale-while-revalidate',
			'miss refresh in the background',
			'stored stored',
			'stale stale-while-revalidate',
			'stale stale-if-error in the background',
		]);
		t.is(cache.stats().misses, 1);
		t.is(cache.stats().stale, 2);
	});
}

/** The open resources of this process. */
function countOpen(): {readonly sockets: number; readonly timers: number} {
	const resources = process.getActiveResourcesInfo();
	return {
		sockets: resources.filter(resource => resource === 'TCPSocketWrap').length,
		timers: resources.filter(resource => resource === 'Timeout').length,
	};
}

type Ending = readonly [title: string, answer: (response: ServerResponse, request: IncomingMessage) => void, keepsSocket: boolean];

const endings: readonly Ending[] = [
	['a response', response => {
		response.end('answer');
	}, true],
	['a 304', response => {
		response.writeHead(304);
		response.end();
	}, true],
	['a 401', response => {
		response.writeHead(401);
		response.end('who?');
	}, true],
	['a 404 with a chunked body', response => {
		response.writeHead(404);
		response.write('a');
		setImmediate(() => {
			response.end('b');
		});
	}, true],
	['a truncated body', response => {
		response.write('part', () => {
			response.destroy();
		});
	}, false],
	['a body that is too large', response => {
		response.writeHead(200, {'content-length': '1000000'});
		response.write('part');
	}, false],
	['an endless body', response => {
		response.write('part');
	}, false],
	['no response', () => {}, false],
];

for (const [name, instance] of majors) {
	for (const [title, answer, keepsSocket] of endings) {
		test.serial(`${name}: a refresh that ends with ${title} leaves no listener, timer or socket`, async t => {
			await using origin = await Origin.start((request, response) => {
				if (origin.count === 1) {
					response.end('answer');
				} else {
					answer(response, request);
				}
			});
			const agent = new Agent({keepAlive: true, maxSockets: 1});
			t.teardown(() => {
				agent.destroy();
			});
			const controller = new AbortController();
			const {client: plain, expire, idle} = refreshingClient(instance, {maxEntryBytes: 100_000});
			const client = plain.extend({agent: {http: agent}, signal: controller.signal}) as Got;
			await client(origin.url);
			expire();
			const before = countOpen();
			const [socket] = Object.values(agent.freeSockets).flat();
			const listeners = socket!.eventNames().map(event => [event, socket!.listenerCount(event)]);
			// The refresh has the limit of this request.
			await client(origin.url, {timeout: {request: 1000}});
			await idle();
			await until(() => Object.values(agent.sockets).flat().length === 0 && countOpen().timers <= before.timers);
			t.is(getEventListeners(controller.signal, 'abort').length, 0);
			t.is(Object.values(agent.sockets).flat().length, 0);
			t.is(Object.values(agent.requests).flat().length, 0);
			const after = Object.values(agent.freeSockets).flat();
			t.is(after.length, keepsSocket ? 1 : 0);
			t.is(countOpen().timers, before.timers);
			t.is(socket!.destroyed, !keepsSocket);
			t.deepEqual(keepsSocket ? socket!.eventNames().map(event => [event, socket!.listenerCount(event)]) : [], keepsSocket ? listeners : []);
		});
	}

	test.serial(`${name}: the connection of an ended refresh keeps the process alive when the next request uses it`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end('answer');
		});
		const agent = new Agent({keepAlive: true, maxSockets: 1});
		t.teardown(() => {
			agent.destroy();
		});
		const {client: plain, expire, idle} = refreshingClient(instance);
		const client = plain.extend({agent: {http: agent}}) as Got;
		await client(origin.url);
		expire();
		await client(origin.url);
		await idle();
		await until(() => Object.values(agent.freeSockets).flat().length > 0);
		const [socket] = Object.values(agent.freeSockets).flat();
		const refs: string[] = [];
		const {ref, unref} = socket!;
		Object.assign(socket!, {
			ref() {
				refs.push('ref');
				return ref.call(socket);
			},
			unref() {
				refs.push('unref');
				return unref.call(socket);
			},
		});
		await client(`${origin.url}/other`);
		t.is(refs[0], 'ref');
	});
}

for (const phase of ['its head', 'its body', 'its second attempt', 'its jar', 'its connection']) {
	test.serial(`a process ends while refreshes wait for ${phase}`, async t => {
		const paths = new Set<string>();
		await using origin = await Origin.start((request, response) => {
			if (paths.has(request.url!)) {
				switch (phase) {
					case 'its body': {
						response.write('part');

						break;
					}

					case 'its second attempt': {
						response.writeHead(503);
						response.end();

						break;
					}

					case 'its jar': {
						response.setHeader('set-cookie', 'a=1');
						response.end();

						break;
					}
 // No default
				}
			} else {
				paths.add(request.url!);
				response.end('answer');
			}
		});
		const connection = phase === 'its connection' ? 'dnsLookup() {}, agent: {http: new Agent()}' : '';
		const script = `
			import {Agent} from 'node:http';
			import got from 'got';
			import got14 from 'got14';
			import got15 from 'got15';
			import {cacheHooks, cacheInfo} from './source/index.ts';
			const reasons = await Promise.all([got14, got15, got].map(async (instance, index) => {
				let now = 0;
				const client = instance.extend(cacheHooks({store: new Map(), expireAfter: 1, staleWhileRevalidate: true, now: () => now}), {
					cookieJar: {getCookieString: async () => '', setCookie: async () => new Promise(() => {})},
				});
				const url = '${origin.url}/' + index;
				await client(url);
				now = 5000;
				return cacheInfo(await client(url, {${connection}})).reason;
			}));
			process.stdout.write(reasons.join(' '));
			// Time enough for the origin's answer, whatever it is.
			await new Promise(resolve => {
				setTimeout(resolve, 300);
			});
		`;
		const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {stdio: ['ignore', 'pipe', 'inherit'], timeout: 240_000});
		const output = (async () => Buffer.concat(await Array.fromAsync(child.stdout as AsyncIterable<Uint8Array>)).toString())();
		const [code] = await once(child, 'exit') as [number | null];
		t.is(code, 0);
		t.is(await output, 'stale-while-revalidate stale-while-revalidate stale-while-revalidate');
	});
}
