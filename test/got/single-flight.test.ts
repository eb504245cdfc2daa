import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import {request as sendByNode, type ServerResponse} from 'node:http';
import {setImmediate as turn, setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import got from 'got';
import {
	cacheHooks,
	cacheInfo,
	getCache,
	HttpCache,
	withCacheSettings,
	type RequestSettings,
} from '../../source/index.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Gate, holdResponses, settle} from '../helpers/gate.ts';
import {openedStores} from '../helpers/opened-stores.ts';
import {Origin} from '../helpers/origin.ts';
import {standClock} from '../helpers/hand-clock.ts';
import {until} from '../helpers/until.ts';
import {testColdRequests} from './cold-requests.ts';

for (const [name, instance] of majors) {
	for (const opened of Object.entries(openedStores)) {
		testColdRequests(test, [name, instance], opened);
	}

	test.serial(`${name}: without singleFlight each request is sent`, async t => {
		await using origin = await Origin.start((_request, response) => {
			setTimeout(() => {
				response.end('answer');
			}, 20);
		});
		const {client} = createClient({singleFlight: false}, instance);
		await Promise.all(Array.from({length: 5}, async () => client(origin.url)));
		t.is(origin.count, 5);
	});

	test.serial(`${name}: a response that another request got is marked as collapsed, and may be changed by its caller`, async t => {
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		const {client} = createClient({}, instance);
		const leader = client(origin.url, {responseType: 'buffer'});
		const response = await gate.next();
		const waiter = client(origin.url, {responseType: 'buffer'});
		const other = client(origin.url, {responseType: 'buffer'});
		await turn();
		response.end('answer');
		const [first, second, third] = await Promise.all([leader, waiter, other]);
		t.false(first.isFromCache);
		t.true(second.isFromCache);
		t.like(cacheInfo(first), {reason: 'miss', collapsed: false, stored: 'stored'});
		t.like(cacheInfo(second), {reason: 'fresh', collapsed: true, fromCache: true});
		t.is(second.headers['cache-status'], 'got-cache-hooks;fwd=uri-miss;collapsed;ttl=300');
		second.body.fill(0);
		second.headers['x-mine'] = 'yes';
		t.is(Buffer.from(third.body).toString(), 'answer');
		t.is(third.headers['x-mine'], undefined);
		t.is(origin.count, 1);
	});

	test.serial(`${name}: an abort or a timeout of a waiting request affects no other request`, async t => {
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		const {client} = createClient({}, instance);
		const leader = client(origin.url);
		const response = await gate.next();
		const controller = new AbortController();
		const aborted = client(origin.url, {signal: controller.signal});
		const late = client(origin.url, {timeout: {request: 50}});
		const lateError = t.throwsAsync(late, {name: 'TimeoutError', code: 'ETIMEDOUT', message: 'Timeout awaiting \'request\' for 50ms'});
		const stream = client.stream(origin.url);
		stream.on('error', () => {});
		const unlimited = client(origin.url);
		await turn();
		stream.destroy();
		controller.abort();
		await t.throwsAsync(aborted, {name: 'AbortError'});
		// It does not wait for the response, which is not there yet.
		await lateError;
		t.is(origin.count, 1);
		response.end('answer');
		t.is((await leader).body, 'answer');
		t.is((await unlimited).body, 'answer');
		t.is(origin.count, 1);
	});

	test.serial(`${name}: if a request is aborted, one that waits for it is sent instead`, async t => {
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		const {client} = createClient({}, instance);
		const controller = new AbortController();
		const leader = client(origin.url, {signal: controller.signal});
		await gate.next();
		const waiters = Array.from({length: 10}, async () => client(origin.url));
		await turn();
		controller.abort();
		await t.throwsAsync(leader, {name: 'AbortError'});
		(await gate.next()).end('second');
		for (const {body} of await Promise.all(waiters)) {
			t.is(body, 'second');
		}

		t.is(origin.count, 2);
	});

	test.serial(`${name}: if a stream is destroyed or its body is truncated, one that waits for it is sent instead`, async t => {
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		const {client} = createClient({}, instance);
		const stream = client.stream(origin.url);
		const first = await gate.next();
		first.writeHead(200, {'content-length': '1000'});
		first.write('begun');
		await once(stream, 'data');
		const waiters = Array.from({length: 10}, async () => client(origin.url));
		await turn();
		stream.on('error', () => {});
		stream.destroy();
		const second = await gate.next();
		second.writeHead(200, {'content-length': '1000'});
		second.write('cut', () => {
			second.socket!.destroy();
		});
		// The end by the caller was no failure of the origin: this is the first one, after which one asks.
		(await gate.next()).end('third');
		const settled = await Promise.allSettled(waiters);
		t.is(settled.filter(({status}) => status === 'rejected').length, 1);
		t.is(settled.filter(result => result.status === 'fulfilled' && result.value.body === 'third').length, 9);
		t.is(origin.count, 3);
	});

	test.serial(`${name}: a timeout of one request does not shorten the timeouts of those that wait for it`, async t => {
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		const {client} = createClient({}, instance);
		const leader = client(origin.url, {timeout: {request: 1000}});
		await gate.next();
		const waiter = client(origin.url);
		await t.throwsAsync(leader, {name: 'TimeoutError'});
		(await gate.next()).end('second');
		t.is((await waiter).body, 'second');
	});

	test.serial(`${name}: a request that is sent after a wait has the rest of its timeout`, async t => {
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		const {client} = createClient({}, instance);
		const leader = client(origin.url, {timeout: {request: 1000}});
		await gate.next();
		const waiter = client(origin.url, {timeout: {request: 2000}});
		// With its whole timeout again, it would end after this one.
		const laterTimer = delay(2900, 'a later timer');
		const ended = (async () => {
			await t.throwsAsync(waiter, {name: 'TimeoutError'});
			return 'the waiter';
		})();
		await t.throwsAsync(leader, {name: 'TimeoutError'});
		t.is(await Promise.race([ended, laterTimer]), 'the waiter');
	});

	test.serial(`${name}: after a response that must not be stored, all waiting requests are sent at once, and for a while none waits`, async t => {
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		const {client} = createClient({cacheControl: true}, instance);
		const leader = client(origin.url);
		const first = await gate.next();
		const waiters = Array.from({length: 20}, async () => client(origin.url));
		await settle();
		t.is(origin.count, 1);
		first.setHeader('cache-control', 'no-store');
		// The head decides: no request waits for a body that is not shared.
		first.write('first');
		await delay(10);
		while (origin.count < 21) {
			await turn();
		}

		first.end();
		t.is((await leader).body, 'first');
		for (const response of gate.held) {
			response.setHeader('cache-control', 'no-store');
			response.end('own');
		}

		t.true((await Promise.all(waiters)).every(({body}) => body === 'own'));
		gate.held.length = 0;
		const later = Array.from({length: 5}, async () => client(origin.url));
		while (gate.held.length < 5) {
			await turn();
		}

		for (const response of gate.held) {
			response.end('later');
		}

		await Promise.all(later);
	});

	test.serial(`${name}: a failing origin gets 1, 1, 2, 4 requests, not all at once`, async t => {
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		// So long that no waiter is sent meanwhile.
		const {client} = createClient({storeTimeout: 20_000}, instance);
		const all = Array.from({length: 8}, async () => client(origin.url, {throwHttpErrors: false}));
		for (const count of [1, 1, 2, 4]) {
			const held = await gate.take(count);
			t.is(held.length, count);
			for (const response of held) {
				response.statusCode = 503;
				response.end('down');
			}
		}

		t.true((await Promise.all(all)).every(({statusCode}) => statusCode === 503));
		t.is(origin.count, 8);
	});

	test.serial(`${name}: requests that wait for one that stalls and fails are all sent within its time and the store's, and not all at once`, async t => {
		const clock = standClock(t);
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		const {client} = createClient({storeTimeout: 400}, instance);
		const responses = Promise.all(Array.from({length: 64}, async () => client(origin.url, {throwHttpErrors: false})));
		const fail = (held: readonly ServerResponse[]): void => {
			for (const response of held) {
				response.statusCode = 503;
				response.end('down');
			}
		};

		const first = await gate.take(1);
		clock.advance(300);
		await settle();
		t.is(origin.count, 1);
		fail(first);
		// The next one stalls as well.
		const held = await gate.take(1);
		clock.advance(100);
		await settle();
		t.true(origin.count < 16, `${origin.count} came at once`);
		clock.advance(300);
		await until(() => origin.count === 64);
		fail(held);
		fail(gate.held);
		t.true((await responses).every(({statusCode}) => statusCode === 503));
		t.is(origin.count, 64);
	});

	test.serial(`${name}: \`maxWait\` limits how long a request waits for others and for the store`, async t => {
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		const store = new MemoryStore();
		const get = store.get.bind(store);
		const {promise: never, resolve: release} = Promise.withResolvers<undefined>();
		let hangs = false;
		store.get = key => hangs ? never : get(key);
		const clock = standClock(t);
		const {client} = createClient({store, storeTimeout: 600_000, singleFlight: {maxWait: '200ms'}}, instance);
		const leader = client(origin.url);
		const first = await gate.next();
		const waiters = Array.from({length: 5}, async () => client(origin.url));
		await settle();
		clock.advance(199);
		await settle();
		t.is(origin.count, 1);
		clock.advance(1);
		(await gate.next()).end('own');
		for (const _ of waiters.slice(1)) {
			(await gate.next()).end('own');
		}

		t.true((await Promise.all(waiters)).every(({body}) => body === 'own'));
		first.end('first');
		t.is((await leader).body, 'first');

		// The store is let no longer than that either: its own time limit is over after the test's.
		hangs = true;
		const hung = client(`${origin.url}/hung`);
		(await gate.next()).end('hung');
		t.is((await hung).body, 'hung');
		release(undefined);
	});

	test.serial(`${name}: a response that only one request's settings refuse is still shared by others; one that the client's settings refuse is not`, async t => {
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		const {client, clock} = createClient({expireAfter: 60}, instance);
		const askTwice = async (url: string, settings?: RequestSettings): Promise<void> => {
			const leader = client(url);
			const response = await gate.next();
			const waiter = client(url, {context: {cache: settings}});
			await settle();
			response.end('first');
			await leader;
			(await gate.next()).end('own');
			t.is((await waiter).body, 'own');
		};

		const own = `${origin.url}/own`;
		await askTwice(own, {filterFn: () => false});
		await getCache(client).idle();
		clock.advance(61);
		const all = Array.from({length: 5}, async () => client(own));
		const shared = await gate.next();
		await settle();
		t.is(gate.held.length, 0);
		shared.end('shared');
		t.true((await Promise.all(all)).every(({body}) => body === 'shared'));

		const unusable = `${origin.url}/unusable`;
		getCache(client).settings.expireAfter = 0;
		await askTwice(unusable);
		const each = Array.from({length: 5}, async () => client(unusable));
		while (gate.held.length < 5) {
			await turn();
		}

		for (const response of gate.held.splice(0)) {
			response.end('own');
		}

		await Promise.all(each);
	});

	test.serial(`${name}: waiting requests for another variant are sent when the response has a Vary`, async t => {
		await using origin = await Origin.start((request, response) => {
			setTimeout(() => {
				response.setHeader('vary', 'accept-language');
				response.end(request.headers['accept-language']);
			}, 20);
		});
		const {client} = createClient({cacheControl: true, expireAfter: '1h'}, instance);
		const languages = ['de', 'fr', 'it', 'de', 'fr', 'it', 'de', 'fr', 'it'];
		const bodies = await Promise.all(languages.map(async language => client(origin.url, {headers: {'accept-language': language}}).text()));
		t.deepEqual(bodies, languages);
		t.is(origin.count, 3);
	});

	test.serial(`${name}: requests with different credentials do not share a response`, async t => {
		await using origin = await Origin.start((request, response) => {
			setTimeout(() => {
				response.end(request.headers.authorization);
			}, 20);
		});
		const {client} = createClient({}, instance);
		const users = ['a', 'b', 'a', 'b'];
		const bodies = await Promise.all(users.map(async user => client(origin.url, {headers: {authorization: user}}).text()));
		t.deepEqual(bodies, users);
		t.is(origin.count, 2);
	});

	test.serial(`${name}: a stale response is validated once for all waiting requests`, async t => {
		await using origin = await Origin.start((request, response) => {
			setTimeout(() => {
				response.writeHead(request.headers['if-none-match'] === undefined ? 200 : 304, {etag: '"1"'});
				response.end(request.headers['if-none-match'] === undefined ? 'answer' : undefined);
			}, 20);
		});
		const {client, clock} = createClient({expireAfter: 60}, instance);
		await client(origin.url);
		clock.advance(61);
		const responses = await Promise.all(Array.from({length: 50}, async () => client(origin.url)));
		t.true(responses.every(({body}) => body === 'answer'));
		t.is(origin.count, 2);
	});

	test.serial(`${name}: requests that must be sent do not wait for others`, async t => {
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		const {client} = createClient({cacheControl: true, allowableMethods: ['GET', 'HEAD', 'POST']}, instance);
		const leader = client(origin.url);
		const first = await gate.next();
		const own = [
			client(origin.url, {headers: {'cache-control': 'no-cache'}}),
			client(origin.url, {headers: {'cache-control': 'max-age=5'}}),
			client(origin.url, {headers: {'if-none-match': '"1"'}, throwHttpErrors: false}),
			client(origin.url, {headers: {range: 'bytes=0-1'}}),
			client(origin.url, {context: {cache: {refresh: true}}}),
			client(origin.url, {context: {cache: {forceRefresh: true}}}),
			client(origin.url, {context: {cache: {readOnly: true}}}),
			client(origin.url, {context: {cache: {disabled: true}}}),
		];
		for (const _ of own) {
			(await gate.next()).end('own');
		}

		await Promise.all(own);
		const posts = [client.post(origin.url, {body: 'a'}), client.post(origin.url, {body: 'a'})];
		(await gate.next()).end('post');
		(await gate.next()).end('post');
		await Promise.all(posts);
		first.end('first');
		await leader;
		t.is(origin.count, 11);
	});

	test.serial(`${name}: a retry, a redirect to itself and a request inside another one cause no deadlock`, async t => {
		await using origin = await Origin.start((request, response) => {
			const {pathname} = new URL(request.url!, origin.url);
			if (pathname === '/flaky' && origin.count === 1) {
				response.writeHead(503, {'retry-after': '0'});
			}

			if (pathname === '/self' && request.headers.cookie === undefined) {
				response.writeHead(302, {location: '/self', 'set-cookie': 'seen=1'});
			}

			response.end(pathname);
		});
		const {client} = createClient({allowableCodes: [200]}, instance);
		const flaky = await Promise.all(Array.from({length: 4}, async () => client(`${origin.url}/flaky`, {retry: {limit: 2}})));
		t.true(flaky.every(({body}) => body === '/flaky'));

		let hops = 0;
		const redirecting = client.extend({
			hooks: {
				beforeRedirect: [options => {
					hops++;
					options.headers.cookie = 'seen=1';
				}],
			},
		});
		t.is((await redirecting(`${origin.url}/self`)).body, '/self');
		t.is(hops, 1);

		let nested: string | undefined;
		const nesting = client.extend({
			hooks: {
				beforeRedirect: [async () => {
					nested = await client(`${origin.url}/self`, {followRedirect: false}).text();
				}],
			},
		});
		await t.throwsAsync(nesting(`${origin.url}/self`, {maxRedirects: 1}), {name: 'MaxRedirectsError'});
		t.is(nested, '/self');

		// By the user's own function, while the request is in flight.
		const inner = await client(`${origin.url}/nest`, {
			async request(url, options, callback) {
				t.is((await client(`${origin.url}/nest`)).body, '/nest');
				return sendByNode(url, options as never, callback as never);
			},
		});
		t.is(inner.body, '/nest');
	});

	test.serial(`${name}: a stream that is not read delays other requests only briefly`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end(Buffer.alloc(origin.count === 1 ? 10_000_000 : 5));
		});
		const clock = standClock(t);
		const {client} = createClient({}, instance);
		const idle = client.stream(origin.url);
		await once(idle, 'response');
		const response = client(origin.url);
		await settle();
		clock.advance(3000);
		const {rawBody} = await response;
		t.is(rawBody.byteLength, 5);
		idle.on('error', () => {});
		idle.destroy();
	});

	test.serial(`${name}: a store that hangs delays waiting requests by at most its time limit`, async t => {
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		const hang = async (): Promise<never> => new Promise(() => {});
		let lookups = 0;
		const get = async (): Promise<never> => {
			lookups++;
			return hang();
		};

		const store = {
			name: 'hanging', valueType: 'bytes' as const, get, set: hang, delete: hang, deleteMany: hang, clear: hang, async * iterate() {}, close() {},
		};
		const {client} = createClient({store, storeTimeout: 100}, instance);
		const responses = Promise.all(Array.from({length: 50}, async () => client(origin.url)));
		const [response] = await gate.take(1);
		const before = lookups;
		response!.end('answer');
		t.true((await responses).every(({body}) => body === 'answer'));
		t.is(origin.count, 1);
		t.is(lookups, before, 'nobody asks the store once more');
	});
}

test.serial('requests that must not get a stale response wait for its refresh in the background', async t => {
	const gate = new Gate();
	await using origin = await Origin.start(gate.handler);
	const {client, clock} = createClient({expireAfter: 60, staleWhileRevalidate: 600});
	const first = client(origin.url);
	(await gate.next()).end('first');
	await first;
	clock.advance(61);
	t.is((await client(origin.url)).body, 'first');
	const refresh = await gate.next();
	t.is((await client(origin.url)).body, 'first');
	clock.advance(600);
	const late = client(origin.url);
	await settle();
	refresh.end('second');
	t.is((await late).body, 'second');
	t.is(origin.count, 2);
});

test.serial('a body over the maximum size is not slower than without a cache', async t => {
	await using origin = await Origin.start((_request, response) => {
		const body = Buffer.alloc(2000, 'x');
		if (origin.count % 2 === 0) {
			response.setHeader('content-length', body.length);
		}

		response.write(body);
		response.end();
	});
	const client = got.extend(cacheHooks({store: 'memory', maxEntryBytes: 1000}));
	const responses = await Promise.all(Array.from({length: 10}, async () => client(origin.url)));
	t.true(responses.every(response => response.body.length === 2000 && cacheInfo(response).stored === 'too-large'));
	t.is(origin.count, 10);
});

test('clients of one cache, and classes with settings of their own, share one request', async t => {
	const {held, handler, reach} = holdResponses();
	await using origin = await Origin.start(handler);
	const cache = new HttpCache({store: 'memory'});
	const one = got.extend(cacheHooks({cache}));
	const other = got.extend(cacheHooks({cache, expireAfter: '1m'}));
	const inClass = withCacheSettings({urlsExpireAfter: [['*', '1h']]}, async () => one(origin.url));
	const asked = [one(origin.url), other(origin.url), inClass()];
	await reach(1);
	await delay(50);
	t.is(held.length, 1);
	held[0]!.end('answer');
	for (const {body} of await Promise.all(asked)) {
		t.is(body, 'answer');
	}

	t.is(origin.count, 1);
	await cache.close();
});

test('after a miss, a request repeats its lookup if another request has stored a response since', async t => {
	const {held, handler, reach} = holdResponses();
	await using origin = await Origin.start(handler);
	const store = new MemoryStore();
	const {client} = createClient({store, storeTimeout: 20_000, now: () => Date.now()});
	const get = store.get.bind(store);
	const first = client(origin.url);
	await reach(1);
	const asked = Promise.withResolvers<void>();
	const stored = Promise.withResolvers<void>();
	store.get = async (key: string) => {
		store.get = get;
		const value = get(key);
		asked.resolve();
		await stored.promise;
		return value;
	};

	const second = client(origin.url);
	await asked.promise;
	held[0]!.end('answer');
	await first;
	await getCache(client).idle();
	stored.resolve();
	t.true((await second).isFromCache);
	t.is(origin.count, 1);
});
