import test from 'ava';
import {CookieJar} from 'tough-cookie';
import {cacheInfo, getCache, type CacheSettings} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {byOrigin, dated} from '../helpers/dated.ts';
import {Origin, type Clock, type Handler} from '../helpers/origin.ts';

type Headers = Readonly<Record<string, string | string[]>>;

type Client = ReturnType<typeof createClient>['client'];

/** The body, through one API or the other. */
async function read(client: Client, url: string, headers: Headers, isStream: boolean): Promise<string> {
	return isStream ? readStream(client.stream(url, {headers})) : client(url, {headers}).text();
}

const byUser = {expireAfter: 60};
const modes: ReadonlyArray<readonly [name: string, settings: CacheSettings]> = [['byOrigin', byOrigin], ['byUser', byUser]];
const plain = {throwHttpErrors: false};
const fresh = {'cache-control': 'max-age=60'};
const quick = {limit: 2, backoffLimit: 1};

for (const [name, instance] of majors) {
	test(`${name}: RFC 9111 §4 the answer to a POST or a HEAD with X-HTTP-Method-Override: GET never answers a plain GET, nor the other way round`, async t => {
		for (const [mode, settings] of modes) {
			for (const field of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
				const {client, clock} = createClient(settings, instance);
				await using origin = await Origin.start(dated(clock, request => ({headers: fresh, body: `${request.method} as ${String(request.headers[field])}`})));
				const headers = {[field]: 'GET'};
				for (const path of ['/overridden-first', '/plain-first']) {
					const url = origin.url + path;
					const overridden = async () => {
						t.is(await client.post(url, {headers}).text(), 'POST as GET', mode);
						t.is(await client.head(url, {headers}).text(), '', mode);
						const stream = client.stream.post(url, {headers, body: 'x'});
						t.is(await readStream(stream), 'POST as GET', mode);
					};

					if (path === '/overridden-first') {
						await overridden();
					}

					t.is(await client(url).text(), 'GET as undefined', mode);
					t.is(await readStream(client.stream(url)), 'GET as undefined', mode);
					await overridden();
					t.is(await client(url).text(), 'GET as undefined', mode);
				}
			}
		}
	});

	test(`${name}: RFC 9111 §4 a GET with X-HTTP-Method-Override: HEAD works twice, through both APIs, and answers no plain HEAD`, async t => {
		for (const [mode, settings] of modes) {
			const {client, clock} = createClient(settings, instance);
			await using origin = await Origin.start(dated(clock, request => ({headers: {...fresh, 'x-as': `${request.method} as ${String(request.headers['x-http-method-override'])}`}})));
			const headers = {'x-http-method-override': 'HEAD'};
			const first = await client(origin.url, {headers});
			const second = await client(origin.url, {headers});
			t.is(second.statusCode, 200, mode);
			t.is(second.body, first.body, mode);
			t.true(second.isFromCache, mode);
			t.is(await readStream(client.stream(origin.url, {headers})), first.body, mode);
			t.is(origin.count, 1, mode);
			t.is((await client.head(origin.url)).headers['x-as'], 'HEAD as undefined', mode);
			t.is((await client(origin.url)).headers['x-as'], 'GET as undefined', mode);
			t.is(await client(origin.url, {headers}).text(), first.body, mode);
			t.is(origin.count, 3, mode);
		}
	});
}

test('RFC 9111 §4.4 a POST with X-HTTP-Method-Override: GET is a POST, and makes what is stored invalid', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: fresh})));
	await client(origin.url);
	await client.post(origin.url, {headers: {'x-http-method-override': 'GET'}});
	t.false((await client(origin.url)).isFromCache);
});

test('RFC 9111 §4 a POST with X-HTTP-Method-Override: GET is unsafe, and is written through each time', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: fresh})));
	for (const body of ['answer 1', 'answer 2']) {
		t.is(await client.post(origin.url, {headers: {'x-http-method-override': 'GET'}}).text(), body);
	}
});

type Fields = {readonly foo: string; readonly bar: string};

/** First `foo` parts what the origin has, then `bar`; tags say which it is. */
class Parting {
	by: keyof Fields = 'foo';

	readonly handler: Handler;

	constructor(clock: Clock) {
		this.handler = dated(clock, ({headers}) => {
			const body = this.expected(headers as Fields);
			const known = {...fresh, vary: this.by, etag: `"${body}"`};
			return headers['if-none-match']?.includes(`"${body}"`) === true ? {status: 304, headers: known} : {headers: known, body};
		});
	}

	expected(fields: Fields): string {
		return fields[this.by];
	}
}

for (const [name, instance] of majors) {
	test(`${name}: RFC 9111 §4.1, §4.3.4 a 304 that changes Vary never gives one variant to another's request`, async t => {
		const values = ['1', '2', '3'];
		const everybody = values.flatMap(foo => values.map(bar => ({foo, bar})));
		for (const [mode, settings] of modes) {
			for (const store of [() => 'memory' as const, () => new Map()]) {
				// Whose request comes next: the first variant's, the second's (each brings a 304), and one that matches neither.
				for (const asking of [{foo: '1', bar: '1'}, {foo: '2', bar: '2'}, {foo: '3', bar: '2'}]) {
					const {client, clock} = createClient({...settings, store: store()}, instance);
					const parting = new Parting(clock);
					await using origin = await Origin.start(parting.handler);
					await client(origin.url, {headers: {foo: '1', bar: '1'}});
					clock.advance(30);
					await client(origin.url, {headers: {foo: '2', bar: '1'}});
					clock.advance(asking.foo === '1' ? 40 : 70);
					parting.by = 'bar';
					t.is(await client(origin.url, {headers: asking}).text(), asking.bar, mode);
					const requests = [false, true, false].flatMap(isStream => everybody.map(fields => ({fields, isStream})));
					for (const {fields, isStream} of requests) {
						t.is(await read(client, origin.url, fields, isStream), fields.bar, `${mode}: ${JSON.stringify(fields)} after ${JSON.stringify(asking)}`);
					}

					t.is(origin.requests.some(({headers}) => headers['if-none-match'] !== undefined), asking.foo !== '3', mode);
				}
			}
		}
	});

	type Ending = readonly [title: string, headers: Headers, settings: CacheSettings];
	const endings: readonly Ending[] = [
		['RFC 9111 §4.1 a 304 with Vary: *', {vary: '*'}, byOrigin],
		['RFC 9111 §4.1 a 304 with Vary: *, in the default mode as well,', {vary: 'foo, *'}, byUser],
		['RFC 9111 §5.2.2.5 a 304 with no-store', {'cache-control': 'no-store'}, byOrigin],
		['RFC 9111 §5.2.2.5 a 304 with no-store beside max-age', {'cache-control': 'max-age=60, no-store'}, byOrigin],
	];

	for (const [title, headers, settings] of endings) {
		test(`${name}: ${title} is answered by what is stored, and ends it`, async t => {
			for (const store of ['memory', new Map()] as const) {
				for (const isStream of [false, true]) {
					const {client, clock} = createClient({...settings, store, staleIfError: true}, instance);
					await using origin = await Origin.start(dated(clock, request => request.headers['if-none-match'] === undefined
						? {headers: {...fresh, etag: '"1"'}}
						: {status: 304, headers: {...fresh, etag: '"1"', ...headers}}));
					await client(origin.url);
					clock.advance(60);
					t.is(await read(client, origin.url, {}, isStream), 'answer 1');
					t.is(origin.requests[1]!.headers['if-none-match'], '"1"');
					await getCache(client).idle();
					t.is(await read(client, origin.url, {}, isStream), 'answer 3');
					t.is(origin.requests[2]!.headers['if-none-match'], undefined);
				}
			}
		});
	}

	test(`${name}: RFC 9111 §3 two clients on one store, one with cacheControl and one without, never find each other's entries`, async t => {
		for (const vary of [{}, {vary: 'foo'}]) {
			const store = new Map();
			const {client, clock} = createClient({
				...byOrigin, store, staleIfError: true, staleWhileRevalidate: true,
			}, instance);
			const shared = {...byUser, store, now: clock.now};
			const {client: lax} = createClient({...shared, staleIfError: true, staleWhileRevalidate: true}, instance);
			const {client: alsoLax} = createClient(shared, instance);
			await using origin = await Origin.start(dated(clock, ({headers}) => {
				const tag = `"${String(headers.by)}"`;
				const known = {...fresh, ...vary, etag: tag};
				return headers['if-none-match']?.includes(tag) === true ? {status: 304, headers: known} : {headers: known, body: String(headers.by)};
			}));
			const idle = async () => Promise.all([client, lax, alsoLax].map(async one => getCache(one).idle()));

			// That they share the store at all, a third shows.
			await lax(origin.url, {headers: {foo: '0', by: 'lax'}});
			await idle();
			t.true((await alsoLax(origin.url, {headers: {foo: '0', by: 'lax'}})).isFromCache);
			const clients = [[client, 'strict'], [lax, 'lax']] as const;
			const askAll = async () => {
				for (const [one, by] of [...clients, ...clients.toReversed(), ...clients]) {
					for (const foo of ['1', '2', '1']) {
						t.is(await read(one, origin.url, {foo, by}, false), by);
						await idle();
						t.is(await read(one, origin.url, {foo, by}, true), by);
						await idle();
					}
				}
			};

			for (const step of [0, 1, 100, 1000, 1, 0]) {
				clock.advance(step);
				await askAll();
			}

			const offered = origin.requests.filter(({headers}) => headers['if-none-match'] !== undefined);
			t.true(offered.every(({headers}) => headers['if-none-match'] === `"${String(headers.by)}"`));
		}
	});

	test(`${name}: RFC 9111 §3.1 Set-Cookie of a 304 reaches the caller and the jar, and is not replayed on the next hit`, async t => {
		for (const [mode, settings] of modes) {
			// A stream of Got 15 with a jar loses the body of whatever sets a cookie, without a cache as well.
			for (const isStream of name === 'Got 15' ? [false] : [false, true]) {
				const cookieJar = new CookieJar();
				const {client, clock} = createClient({...settings, partitionBy: false}, instance);
				await using origin = await Origin.start(dated(clock, request => request.headers['if-none-match'] === undefined
					? {headers: {...fresh, etag: '"1"'}, body: 'body'}
					: {status: 304, headers: {...fresh, etag: '"1"', 'set-cookie': ['a=1; Path=/', 'b=2; Path=/']}}));
				const ask = async () => {
					if (!isStream) {
						return client(origin.url, {cookieJar});
					}

					const stream = client.stream(origin.url, {cookieJar});
					t.is(await readStream(stream), 'body');
					return stream.response!;
				};

				await ask();
				clock.advance(60);
				const validated = await ask();
				t.is(validated.statusCode, 200, mode);
				t.deepEqual(validated.headers['set-cookie'], ['a=1; Path=/', 'b=2; Path=/'], mode);
				t.is(await cookieJar.getCookieString(origin.url), 'a=1; b=2', mode);
				await cookieJar.removeAllCookies();
				const hit = await ask();
				t.true(hit.isFromCache, mode);
				t.is(hit.headers['set-cookie'], undefined, mode);
				t.false(hit.rawHeaders.some(line => line.toLowerCase() === 'set-cookie'), mode);
				t.is(await cookieJar.getCookieString(origin.url), '', mode);
				t.is(origin.count, 2, mode);
			}
		}
	});
}

test('RFC 9111 §4 the order of the query and empty members part URIs with cacheControl: true only', async t => {
	const pairs = [['/?a=2&b=1', '/?b=1&a=2'], ['/?a&b', '/?a&&b'], ['/?a=1&b', '/?a=1&b&']] as const;
	for (const [mode, settings] of modes) {
		const {client, clock} = createClient(settings);
		await using origin = await Origin.start(dated(clock, request => ({headers: fresh, body: request.url!})));
		for (const [first, second] of pairs) {
			t.is(await client(origin.url + first).text(), first);
			for (const isStream of [false, true]) {
				t.is(await read(client, origin.url + second, {}, isStream), settings === byOrigin ? second : first, mode);
				t.is(await read(client, origin.url + first, {}, isStream), first, mode);
			}
		}

		t.is(origin.count, settings === byOrigin ? 6 : 3, mode);
	}
});

for (const [name, instance] of majors) {
	test(`${name}: RFC 9111 §4.3.1, RFC 5861 §4 a filterFn that refuses is asked before a stale entry is validated or stands in for a 503, and the entry is deleted`, async t => {
		for (const [mode, settings] of modes) {
			for (const store of ['memory', new Map()] as const) {
				for (const isStream of [false, true]) {
					let isAccepted = true;
					let isDown = true;
					const {client, clock} = createClient({
						...settings, store, staleIfError: true, filterFn: () => isAccepted,
					}, instance);
					await using origin = await Origin.start(dated(clock, (request, count) => {
						if (request.headers['if-none-match'] !== undefined) {
							return {status: 304, headers: {...fresh, etag: '"1"'}};
						}

						return isDown && count > 1 ? {status: 503, body: 'down'} : {headers: {...fresh, etag: '"1"'}};
					}));
					const forgiving = client.extend(plain) as Client;
					await client(origin.url);
					clock.advance(100);
					isAccepted = false;
					t.is(await read(forgiving, origin.url, {}, isStream), 'down', mode);
					isAccepted = true;
					await getCache(client).idle();
					const third = await forgiving(origin.url);
					t.is(third.body, 'down', mode);
					t.is(cacheInfo(third).reason, 'miss', mode);
					isDown = false;
					t.is((await client(origin.url)).body, 'answer 4', mode);
					t.deepEqual(origin.requests.map(({headers}) => headers['if-none-match']), [undefined, undefined, undefined, undefined], mode);
				}
			}
		}
	});

	test(`${name}: RFC 9111 §4.3.1 a variant that filterFn refuses is neither offered to the origin nor given for its 304`, async t => {
		for (const [mode, settings] of modes) {
			let isAccepted = true;
			const {client, clock} = createClient({...settings, filterFn: () => isAccepted}, instance);
			await using origin = await Origin.start(dated(clock, request => request.headers['if-none-match'] === undefined
				? {headers: {...fresh, vary: 'foo', etag: '"1"'}}
				: {status: 304, headers: {...fresh, vary: 'foo', etag: '"1"'}}));
			await client(origin.url, {headers: {foo: '1'}});
			isAccepted = false;
			t.is(await client(origin.url, {headers: {foo: '2'}}).text(), 'answer 2', mode);
			t.is(origin.requests[1]!.headers['if-none-match'], undefined, mode);
		}
	});

	test(`${name}: RFC 5861 §4, RFC 9111 §5.2.2.2 with staleIfErrorAfter 'retries' a 404, a 401 or a 429 is the caller's, and gatewayTimeout 'respond' makes no 504 of it`, async t => {
		for (const status of [400, 401, 404, 410, 429]) {
			for (const response of ['max-age=60', 'max-age=60, must-revalidate', 'max-age=60, stale-if-error=1000']) {
				const {client, clock} = createClient({
					...byOrigin, staleIfError: true, staleIfErrorAfter: 'retries', gatewayTimeout: 'respond',
				}, instance);
				await using origin = await Origin.start(dated(clock, (_request, count) => count === 1
					? {headers: {'cache-control': response, etag: '"1"'}}
					: {status, headers: {'cache-control': 'no-cache'}}));
				await client(origin.url);
				clock.advance(100);
				const error = await t.throwsAsync<Error & {response: {statusCode: number; isFromCache: boolean; body: unknown}}>(client(origin.url, {retry: quick}));
				t.is(error.response.statusCode, status);
				t.false(error.response.isFromCache);
				t.regex(String(error.response.body), /^answer \d$/v);
				t.is(origin.count, status === 429 ? 4 : 2, `${status} after ${response}`);
			}
		}
	});

	test(`${name}: RFC 5861 §4 with staleIfErrorAfter 'retries' a 404 that a retry after a 503 brings is the caller's`, async t => {
		const {client, clock} = createClient({
			...byOrigin, staleIfError: true, staleIfErrorAfter: 'retries', gatewayTimeout: 'respond',
		}, instance);
		await using origin = await Origin.start(dated(clock, (_request, count) => count === 1 ? {headers: {...fresh, etag: '"1"'}} : {status: count === 2 ? 503 : 404}));
		await client(origin.url);
		clock.advance(100);
		const error = await t.throwsAsync<Error & {response: {statusCode: number}}>(client(origin.url, {retry: quick}));
		t.is(error.response.statusCode, 404);
		t.is(origin.count, 3);
	});

	test(`${name}: RFC 9110 §13.1.2 a stale POST that the user lets be stored is sent without If-None-Match`, async t => {
		const {client, clock} = createClient({...byUser, allowableMethods: ['GET', 'POST']}, instance);
		await using origin = await Origin.start(dated(clock, (request, count) => request.headers['if-none-match'] === undefined
			? {headers: {etag: '"1"', 'last-modified': 'Thu, 01 Jan 2015 00:00:00 GMT'}, body: `answer ${count}`}
			: {status: 412}));
		t.is(await client.post(origin.url, {body: 'x'}).text(), 'answer 1');
		t.true((await client.post(origin.url, {body: 'x'})).isFromCache);
		clock.advance(60);
		t.is(await client.post(origin.url, {body: 'x'}).text(), 'answer 2');
		t.is(await client.post(origin.url, {body: 'x', context: {cache: {refresh: true}}}).text(), 'answer 3');
		const {headers} = origin.requests[1]!;
		t.deepEqual([headers['if-none-match'], headers['if-modified-since']], [undefined, undefined]);
		t.is(origin.count, 3);
	});

	test(`${name}: RFC 9111 §4 a POST that the user lets be stored is stored with cacheControl as well, and sent unconditionally when stale`, async t => {
		const {client, clock} = createClient({...byOrigin, allowableMethods: ['GET', 'POST']}, instance);
		await using origin = await Origin.start(dated(clock, () => ({headers: {...fresh, etag: '"1"'}})));
		t.is(cacheInfo(await client.post(origin.url, {body: 'x'})).stored, 'stored');
		t.is(await client.post(origin.url, {body: 'x'}).text(), 'answer 1');
		clock.advance(60);
		t.is(await client.post(origin.url, {body: 'x'}).text(), 'answer 2');
		t.is(origin.requests[1]!.headers['if-none-match'], undefined);
	});

	for (const held of ['head', 'body'] as const) {
		test(`${name}: RFC 9111 §4.4 a GET whose ${held} is under way while a PUT succeeds is given and not stored`, async t => {
			for (const store of ['memory', new Map()] as const) {
				for (const isStream of [false, true]) {
					const {client, clock} = createClient({...byOrigin, store}, instance);
					const arrived = Promise.withResolvers<void>();
					const changed = Promise.withResolvers<void>();
					await using origin = await Origin.start((request, response) => {
						const headers = {date: new Date(clock.now()).toUTCString(), ...fresh};
						if (request.method === 'PUT' || origin.count > 2) {
							response.writeHead(200, headers);
							response.end('new');
							return;
						}

						if (held === 'body') {
							response.writeHead(200, headers);
							response.write('o');
						}

						arrived.resolve();
						void (async () => {
							await changed.promise;
							if (held === 'head') {
								response.writeHead(200, headers);
								response.write('o');
							}

							response.end('ld');
						})();
					});
					const pending = read(client, origin.url, {}, isStream);
					await arrived.promise;
					await client.put(origin.url, {body: 'x'});
					changed.resolve();
					t.is(await pending, 'old');
					await getCache(client).idle();
					const next = await client(origin.url);
					t.false(next.isFromCache);
					t.is(next.body, 'new');
					t.true((await client(origin.url)).isFromCache);
				}
			}
		});
	}

	test(`${name}: RFC 9111 §4.4 a GET under way while a PUT succeeds says why it is not stored`, async t => {
		const {client, clock} = createClient(byOrigin, instance);
		const arrived = Promise.withResolvers<void>();
		const changed = Promise.withResolvers<void>();
		const answer = dated(clock, () => ({headers: fresh}));
		await using origin = await Origin.start((request, response, body) => {
			void (async () => {
				if (request.method === 'GET') {
					arrived.resolve();
					await changed.promise;
				}

				answer(request, response, body);
			})();
		});
		const pending = client(origin.url);
		await arrived.promise;
		await client.put(origin.url);
		changed.resolve();
		t.is(cacheInfo(await pending).stored, 'invalidated');
	});

	test(`${name}: RFC 9111 §4.4 a PUT by one user makes the entry of another invalid, for good and by all variants`, async t => {
		for (const store of ['memory', new Map()] as const) {
			const {client, clock} = createClient({
				...byOrigin, store, staleIfError: true, matchHeaders: ['accept'],
			}, instance);
			await using origin = await Origin.start(dated(clock, (request, count) => request.method === 'PUT' || count < 4 ? {headers: {...fresh, vary: 'foo', etag: `"${count}"`}} : {status: 503}));
			const forgiving = client.extend(plain) as Client;
			const users: readonly Headers[] = [{foo: '1', cookie: 'user=2'}, {foo: '2', cookie: 'user=2'}, {foo: '1', accept: 'text/plain', authorization: 'Bearer 3'}];
			for (const headers of users) {
				t.false((await client(origin.url, {headers})).isFromCache);
			}

			clock.advance(1);
			for (const headers of users) {
				t.true((await client(origin.url, {headers})).isFromCache);
			}

			await client.put(origin.url, {body: 'x', headers: {authorization: 'Bearer 1'}});
			for (const headers of users) {
				for (const isStream of [false, true]) {
					t.regex(await read(forgiving, origin.url, headers, isStream), /^answer (?:[5-9]|10)$/v);
				}
			}

			t.true(origin.requests.slice(4).every(({headers}) => headers['if-none-match'] === undefined));
			t.is(origin.count, 10);
		}
	});

	test(`${name}: RFC 9111 §4.4 a PUT through one client makes invalid what another client of the process has on the same store, for other credentials as well`, async t => {
		const store = new Map();
		const {client, clock} = createClient({...byOrigin, store}, instance);
		const {client: other} = createClient({...byOrigin, store, now: clock.now}, instance);
		await using origin = await Origin.start(dated(clock, () => ({headers: fresh})));
		const users: readonly Headers[] = [{}, {authorization: 'Bearer 2'}];
		for (const headers of users) {
			await other(origin.url, {headers});
		}

		await getCache(other).idle();
		clock.advance(1);
		await client.put(origin.url, {body: 'x'});
		await getCache(client).idle();
		for (const headers of users) {
			t.false((await other(origin.url, {headers})).isFromCache, JSON.stringify(headers));
		}
	});

	test(`${name}: RFC 5861 §3 two stale variants that are asked for together are both refreshed`, async t => {
		for (const [mode, settings] of modes) {
			for (const store of ['memory', new Map()] as const) {
				const {client, clock} = createClient({...settings, store, staleWhileRevalidate: '1h'}, instance);
				await using origin = await Origin.start(dated(clock, request => {
					const tag = `"${String(request.headers.foo)}"`;
					const headers = {...fresh, vary: 'foo', etag: tag};
					return request.headers['if-none-match'] === tag ? {status: 304, headers} : {headers, body: tag};
				}));
				const ask = async () => Promise.all(['1', '2'].map(async foo => client(origin.url, {headers: {foo}})));
				for (const foo of ['1', '2']) {
					await client(origin.url, {headers: {foo}});
				}

				const before = origin.count;
				clock.advance(100);
				for (const response of await ask()) {
					t.is(cacheInfo(response).reason, 'stale-while-revalidate', mode);
				}

				await getCache(client).idle();
				t.deepEqual(new Set(origin.requests.slice(before).map(({headers}) => headers.foo)), new Set(['1', '2']), mode);
				const refreshed = await ask();
				t.deepEqual(refreshed.map(response => cacheInfo(response).reason), ['fresh', 'fresh'], mode);
				t.deepEqual(refreshed.map(({body}) => body), ['"1"', '"2"'], mode);
				t.is(origin.count, before + 2, mode);
			}
		}
	});

	test(`${name}: RFC 9110 §15.5.17 a 416, and a 412 or a 417, for a stale entry is the caller's, in both modes, and leaves the entry`, async t => {
		for (const [mode, settings] of modes) {
			for (const status of [412, 416, 417]) {
				for (const isStream of [false, true]) {
					const {client, clock} = createClient({...settings, staleIfError: true}, instance);
					await using origin = await Origin.start(dated(clock, request => {
						if (request.headers.range !== undefined) {
							return {status, headers: fresh, body: 'refused'};
						}

						return request.headers['if-none-match'] === undefined ? {headers: {...fresh, etag: '"1"'}} : {status: 304, headers: {...fresh, etag: '"1"'}};
					}));
					const forgiving = client.extend(plain) as Client;
					await client(origin.url);
					clock.advance(60);
					t.is(await read(forgiving, origin.url, {range: 'bytes=0-1'}, isStream), 'refused', `${mode} ${status}`);
					await getCache(client).idle();
					const next = await client(origin.url);
					t.is(next.body, 'answer 1', `${mode} ${status}`);
					t.is(cacheInfo(next).reason, 'revalidated', `${mode} ${status}`);
				}
			}
		}
	});

	test(`${name}: RFC 9110 §9.3.3 the 500 of a POST with its own Content-Location and max-age never answers a GET`, async t => {
		for (const allowableCodes of [undefined, [200, 404, 500]]) {
			for (const status of [404, 500]) {
				const {client, clock} = createClient({...byOrigin, ...(allowableCodes !== undefined && {allowableCodes})}, instance);
				await using origin = await Origin.start(dated(clock, request => ({status: request.method === 'POST' ? status : 200, headers: {...fresh, 'content-location': '/target'}})));
				const url = `${origin.url}/target`;
				t.is((await client.post(url, {...plain, body: 'x'})).statusCode, status);
				const stream = client.stream.post(url, {...plain, body: 'x'});
				t.is(await readStream(stream), 'answer 2');
				await getCache(client).idle();
				t.is(await client(url).text(), 'answer 3');
				t.is((await client.post(url, {...plain, body: 'x'})).statusCode, status);
				t.is((await client(url)).body, 'answer 3');
			}
		}
	});
}
