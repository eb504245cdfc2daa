import {Buffer} from 'node:buffer';
import path from 'node:path';
import test from 'ava';
import type {Got, OptionsInit} from 'got';
import {CookieJar} from 'tough-cookie';
import {
	cacheInfo,
	explain,
	getCache,
} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {byOrigin} from '../helpers/dated.ts';
import {Origin, type Handler} from '../helpers/origin.ts';
import {temporaryFolder} from '../helpers/temporary-folder.ts';
import {modes, storesIn} from '../helpers/modes.ts';

/** An origin that sets a cookie by each redirect to its end. */
async function startLogin(cookie: string): Promise<Origin> {
	return Origin.start((request, response) => {
		if (request.url === '/end') {
			response.end('end');
			return;
		}

		response.writeHead(302, {location: '/end', 'set-cookie': cookie});
		response.end();
	});
}

/** Paths that lead back to themselves, and end the second time. */
const rings: Readonly<Record<string, string>> = {
	'/x': '/x',
	'/query?a=1&b=2': '/query?b=2&a=1',
	'/query?b=2&a=1': '/query?a=1&b=2',
	'/fragment': '/fragment#part',
	'/escaped/~': '/escaped/%7E',
	'/escaped/%7E': '/escaped/~',
	'/%C3%BC': Buffer.from('/ü').toString('latin1'),
	'/ping': '/pong',
	'/pong': '/ping',
	'/one': '/two',
	'/two': '/three',
	'/three': '/one',
};

/** Those that never end a ring. */
const between = new Set(['/pong', '/two', '/three']);

/** A site with sessions, and with paths that lead back to themselves. */
function site(): Handler {
	const visits = new Map<string, number>();
	let sessions = 0;
	return (request, response) => {
		const url = request.url!;
		const visit = (visits.get(url) ?? 0) + 1;
		visits.set(url, visit);
		const next = rings[url];
		const redirect = (location: string, headers: Record<string, string | string[]> = {}): void => {
			response.writeHead(302, {location, 'cache-control': 'max-age=600', ...headers});
			response.end();
		};

		const session = /session=(?<id>\d+)/v.exec(request.headers.cookie ?? '')?.groups?.id;
		if (url === '/login') {
			sessions++;
			redirect('/home', {'set-cookie': `session=${sessions}; Path=/home`});
		} else if (url === '/home' && session === undefined) {
			redirect('/login');
		} else if (url === '/logout') {
			redirect('/bye', {'set-cookie': 'session=; Path=/home; Max-Age=0'});
		} else if (next !== undefined && (visit % 2 === 1 || between.has(url))) {
			redirect(next);
		} else {
			response.writeHead(200, {'cache-control': 'max-age=600'});
			response.end(`${url} ${session ?? 'nobody'}`);
		}
	};
}

type Jar = NonNullable<OptionsInit['cookieJar']>;

const jars: ReadonlyArray<readonly [kind: string, create: () => Jar | undefined]> = [
	['no jar', () => undefined],
	['a jar', () => new CookieJar()],
	['a jar with a promise API', () => {
		const jar = new CookieJar();
		return {
			getCookieString: async (url: string) => jar.getCookieString(url),
			setCookie: async (cookie: string, url: string) => jar.setCookie(cookie, url),
		};
	}],
	['a jar with a callback API', () => {
		const jar = new CookieJar();
		type Callback = (error: Error | null, result?: unknown) => void;
		// Got knows them by the number of their parameters.
		const own: unknown = {
			getCookieString(...parameters: readonly unknown[]) {
				jar.getCookieString(parameters[0] as string, {}, parameters.at(-1) as never);
			},
			setCookie(cookie: string, url: string, options: Callback, _callback: unknown) {
				jar.setCookie(cookie, url, {}, options as never);
			},
		};
		return own as Jar;
	}],
];

async function follow(client: Got, url: string, options: OptionsInit): Promise<readonly string[]> {
	return [await client(url, options as object).text(), await readStream(client.stream(url, options as object))];
}

for (const [name, instance] of majors) {
	for (const [mode, settings] of modes) {
		for (const [storeName, open] of storesIn) {
			test(`${name}, ${mode}, ${storeName}: a redirect loop ends, on the first run, on repeats, and from another client`, async t => {
				await using folder = await temporaryFolder();
				await using origin = await Origin.start(site());
				const shared = open(folder.path);
				const clients = [1, 2].map(() => createClient({...settings, ...shared}, instance).client as Got);
				for (const [kind, create] of jars.slice(0, 2)) {
					for (const where of Object.keys(rings)) {
						for (const client of clients) {
							for (const _round of [1, 2, 3]) {
								for (const body of await follow(client, origin.url + where, {cookieJar: create()})) {
									t.regex(body, /nobody$/v, `${kind} ${where}`);
								}
							}
						}
					}
				}

				for (const client of clients) {
					await getCache(client).close();
				}
			});
		}

		for (const [kind, create] of jars.slice(1)) {
			test(`${name}, ${mode}, ${kind}: each login gets its own session, first or later, alone or concurrent, through this client or another`, async t => {
				await using folder = await temporaryFolder();
				await using origin = await Origin.start(site());
				const shared = {store: 'sqlite', cacheName: path.join(folder.path, 'cache')} as const;
				const clients = [1, 2].map(() => createClient({...settings, ...shared}, instance).client as Got);
				const seen = new Set<string>();
				for (const where of ['/login', '/home']) {
					for (const client of clients) {
						for (const read of [async (options: OptionsInit) => client(origin.url + where, options as object).text(), async (options: OptionsInit) => readStream(client.stream(origin.url + where, options as object))]) {
							const cookieJar = create();
							const body = await read({cookieJar});
							t.regex(body, /^\/home \d+$/v);
							t.false(seen.has(body));
							seen.add(body);
							// The session stays.
							t.is(await client(`${origin.url}/home`, {cookieJar} as object).text(), body);
						}
					}

					const bodies = await Promise.all(Array.from({length: 8}, async (_, index) => clients[index % 2]!(origin.url + where, {cookieJar: create()} as object).text()));
					t.true(bodies.every(body => /^\/home \d+$/v.test(body) && !seen.has(body)), String(bodies));
					t.is(new Set(bodies).size, 8);
					for (const body of bodies) {
						seen.add(body);
					}
				}

				for (const client of clients) {
					await getCache(client).close();
				}
			});

			test(`${name}, ${mode}, ${kind}: a logout removes the session`, async t => {
				await using origin = await Origin.start(site());
				const {client} = createClient(settings, instance);
				for (const _user of [1, 2]) {
					const cookieJar = create()!;
					for (const _round of [1, 2]) {
						t.regex(await client(`${origin.url}/login`, {cookieJar} as object).text(), /^\/home \d+$/v);
						t.is(await client(`${origin.url}/logout`, {cookieJar} as object).text(), '/bye nobody');
						t.regex(await client(`${origin.url}/home`, {cookieJar} as object).text(), /^\/home \d+$/v);
					}
				}
			});
		}
	}

	test(`${name}: a stored redirect that set a cookie is reused without a jar, or if the jar has the cookie`, async t => {
		await using origin = await Origin.start((request, response) => {
			if (request.url === '/end') {
				response.end('end');
				return;
			}

			response.writeHead(302, {location: '/end', 'set-cookie': ['cdn=1; Path=/other', 'second=2; Path=/other; HttpOnly']});
			response.end();
		});
		const {client} = createClient({}, instance);
		await client(`${origin.url}/old`);
		await client(`${origin.url}/old`);
		t.is(origin.count, 2);
		const cookieJar = new CookieJar();
		await client(`${origin.url}/old`, {cookieJar});
		t.is(origin.count, 3);
		for (const options of [{}, {cookieJar}, {followRedirect: false}, {followRedirect: false, cookieJar: new CookieJar()}]) {
			await client(`${origin.url}/old`, options);
		}

		t.is(origin.count, 3);
		await cookieJar.removeAllCookies();
		await client(`${origin.url}/old`, {cookieJar});
		t.is(origin.count, 4);
		t.is(await cookieJar.getCookieString(`${origin.url}/other`), 'cdn=1; second=2');
	});

	test(`${name}: a cookie from the jar is part of the key, and causes one more request`, async t => {
		await using origin = await startLogin('cdn=1; Path=/');
		const {client} = createClient({}, instance);
		const cookieJar = new CookieJar();
		for (const expected of [2, 3, 3, 3]) {
			await client(`${origin.url}/old`, {cookieJar});
			t.is(origin.count, expected);
		}
	});
}

const names = ['www.shop.example', 'cdn.shop.example', 'shop.example', 'other.example'];

/** Cookies of a redirect at `www.shop.example/a/old`, and where a jar has them. */
const cookies: ReadonlyArray<readonly [cookie: string, where: string | undefined]> = [
	['a=1', '/a/old'],
	['a=1; Path=/b', '/b'],
	['a=1; path=/b', '/b'],
	['a=1; Path=b', '/a/old'],
	['a=1; Path=', '/a/old'],
	['a=1; Path=/b; Domain=shop.example', '/b'],
	['a=1; Path=/b; Domain=.shop.example', '/b'],
	['a=1; Path=/b; Domain=SHOP.example', '/b'],
	['a=1; Path=/b; Domain=www.shop.example', '/b'],
	['a=1; Path=/b; Domain=', '/b'],
	['a=1; Path=/b; Max-Age=60', '/b'],
	['a=1; Path=/b; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT', '/b'],
	['a=1; Path=/b; Max-Age=; Expires=Fri, 01 Jan 2100 00:00:00 GMT', '/b'],
	['a=1; Path=/b; Max-Age=x', '/b'],
	['a=1; Path=/b; Expires=never', '/b'],
	['a=; Path=/b', '/b'],
	['a=b=c; Path=/b; HttpOnly; SameSite=Strict', '/b'],
	// No jar takes these, so that they cost no hit.
	['a=1; Path=/b; Domain=cdn.shop.example', undefined],
	['a=1; Path=/b; Domain=other.example', undefined],
	['a=1; Path=/b; Domain=op.example', undefined],
	['=1; Path=/b', undefined],
	['; Path=/b', undefined],
	// Who never had them has nothing to lose.
	['a=1; Path=/b; Max-Age=0', undefined],
	['a=1; Path=/b; Max-Age=-1', undefined],
	['a=1; Path=/b; Expires=Thu, 01 Jan 1970 00:00:00 GMT', undefined],
	['a=1; Path=/b; Max-Age=0; Expires=Fri, 01 Jan 2100 00:00:00 GMT', undefined],
];

for (const [cookie, where] of cookies) {
	test(`the jar is asked for the cookie ${JSON.stringify(cookie)} by the path and the domain of the cookie`, async t => {
		await using origin = await Origin.start((request, response) => {
			if (request.url === '/end') {
				response.end('end');
				return;
			}

			response.writeHead(302, {location: '/end', 'set-cookie': cookie});
			response.end();
		});
		const {client} = createClient({now: Date.now});
		const {port} = new URL(origin.url);
		const lookup = ((_host: string, _options: unknown, callback: (error: null, address: unknown) => void) => {
			callback(null, [{address: '127.0.0.1', family: 4}]);
		}) as never;
		const ask = async (cookieJar: CookieJar): Promise<number> => {
			const before = origin.count;
			await client(`http://${names[0]}:${port}/a/old`, {cookieJar, ignoreInvalidCookies: true, dnsLookup: lookup});
			return origin.count - before;
		};

		const jar = new CookieJar();
		t.is(await ask(jar), 2);
		// Its own cookie may be part of the key.
		const isSent = await jar.getCookieString(`http://${names[0]}:${port}/a/old`) !== '';
		t.is(await ask(jar), isSent ? 1 : 0);
		t.is(await ask(jar), 0);
		t.is(await ask(new CookieJar()), where === undefined ? 0 : 1);
		if (where !== undefined) {
			t.not(await jar.getCookieString(`http://${names[0]}:${port}${where}`), ''); // eslint-disable-line ava/no-conditional-assertion
		}
	});
}

for (const [name, instance] of majors) {
	test(`${name}: a cookie jar that fails or is slow counts as empty, and delays no request`, async t => {
		await using origin = await startLogin('a=1; Path=/other');
		const {client} = createClient({storeTimeout: 50}, instance);
		await client(`${origin.url}/old`);
		for (const other of [async () => {
			throw new Error('fault');
		}, async () => {
			await new Promise(() => {});
			return 'a=1';
		}, () => undefined, () => 5] as ReadonlyArray<() => unknown>) {
			const before = origin.count;
			const jar = {
				getCookieString: (url: string) => url.endsWith('/other') ? other() : '',
				async setCookie() {},
			};
			t.is(await client(`${origin.url}/old`, {cookieJar: jar as never}).text(), 'end');
			t.is(origin.count, before + 1);
		}
	});

	test(`${name}: a redirect that must not be reused is not served instead of an error, and has its own reason`, async t => {
		let isDown = false;
		await using origin = await Origin.start((request, response) => {
			if (isDown) {
				response.writeHead(503);
				response.end('down');
				return;
			}

			response.writeHead(302, {location: request.url === '/x' ? '/x' : '/end', ...(request.url === '/login' && {'set-cookie': 'session=1; Path=/end'})});
			response.end();
			isDown = true;
		});
		for (const settings of [{staleIfError: true}, {staleIfError: true, staleIfErrorAfter: 'retries'}] as const) {
			for (const where of ['/x', '/login']) {
				isDown = false;
				const {client} = createClient({...settings, allowableCodes: [200]}, instance);
				await client(origin.url + where, {followRedirect: false});
				const error = await t.throwsAsync<Error & {response: {statusCode: number; body: string; redirectUrls: URL[]; request: never}}>(client(origin.url + where, {cookieJar: new CookieJar(), retry: {limit: 1, calculateDelay: ({computedValue}) => computedValue === 0 ? 0 : 1}}));
				t.is(error.response.statusCode, 503);
				t.is(error.response.redirectUrls.length, 0);
				t.is(cacheInfo(error.response).reason, where === '/x' ? 'redirect-loop' : 'redirect-cookie');
			}
		}
	});

	test(`${name}: redirects of a recording are replayed whatever cookies the jar has`, async t => {
		for (const mode of ['record', 'record-missing'] as const) {
			const origin = await Origin.start(site());
			const store = new Map();
			const recorder = createClient({store, mode}, instance).client;
			// Two of them are one to the cache.
			const wheres = ['/login', '/home', ...Object.keys(rings).filter(where => where !== '/query?b=2&a=1' && where !== '/escaped/~')];
			const recorded: string[] = [];
			for (const where of wheres) {
				recorded.push(await recorder(origin.url + where, {cookieJar: new CookieJar()}).text());
			}

			t.true(recorded.slice(0, 2).every(body => /^\/home \d+$/v.test(body)), String(recorded));
			await getCache(recorder).idle();
			const {url} = origin;
			await origin[Symbol.asyncDispose]();
			const player = createClient({store, mode: 'replay'}, instance).client;
			for (const [index, where] of wheres.entries()) {
				for (const cookieJar of [undefined, new CookieJar()]) {
					const body = await player(url + where, {cookieJar}).text();
					// Of two that were recorded under one key, the last is there.
					t.is(body.split(' ', 1)[0], recorded[index]!.split(' ', 1)[0], where);
				}
			}
		}
	});

	test(`${name}: with storeSetCookie, each hit has the Set-Cookie headers`, async t => {
		await using folder = await temporaryFolder();
		let answers = 0;
		await using origin = await Origin.start((request, response) => {
			answers++;
			const cookie = [`a=${answers}; Path=/other`, `b=${answers}; Path=/other`];
			if (request.headers['if-none-match'] !== undefined) {
				response.writeHead(304, {etag: '"a"', 'cache-control': 'max-age=60', ...(request.url !== '/silent' && {'set-cookie': cookie})});
				response.end();
			} else if (request.url === '/moved') {
				response.writeHead(302, {location: '/end', 'cache-control': 'max-age=60', 'set-cookie': cookie});
				response.end();
			} else {
				response.writeHead(200, {
					etag: '"a"', 'cache-control': 'max-age=60', 'set-cookie': cookie, ...(request.url === '/varies' && {vary: 'accept-language'}),
				});
				response.end('body');
			}
		});
		const shared = {store: 'sqlite', cacheName: path.join(folder.path, 'cache'), ...byOrigin} as const;
		const {client, clock} = createClient({...shared, storeSetCookie: true}, instance);
		const {client: without} = createClient({...shared, now: clock.now}, instance);
		const cookieOf = async (where: string, options: OptionsInit = {}): Promise<string> => {
			const cookieJar = new CookieJar();
			await client(origin.url + where, {cookieJar, ...options} as object);
			const ofPromise = await cookieJar.getCookieString(`${origin.url}/other`);
			await cookieJar.removeAllCookies();
			await readStream(client.stream(origin.url + where, {cookieJar, ...options} as object));
			t.is(await cookieJar.getCookieString(`${origin.url}/other`), ofPromise);
			return ofPromise;
		};

		t.is(await cookieOf('/'), 'a=1; b=1');
		t.is(await cookieOf('/'), 'a=1; b=1');
		t.deepEqual((await client(`${origin.url}/`)).headers['set-cookie'], ['a=1; Path=/other', 'b=1; Path=/other']);
		// Who did not ask for them gets none, though it has the same file.
		const hit = await without(`${origin.url}/`);
		t.deepEqual([hit.isFromCache, hit.headers['set-cookie'], hit.rawHeaders.includes('Set-Cookie') || hit.rawHeaders.includes('set-cookie')], [true, undefined, false]);

		clock.advance(61);
		t.is(await cookieOf('/'), 'a=2; b=2');
		t.is(await cookieOf('/'), 'a=2; b=2');
		t.is(await cookieOf('/silent'), 'a=3; b=3');
		clock.advance(61);
		t.is(await cookieOf('/silent'), 'a=3; b=3');
		t.is(answers, 4);

		t.is(await cookieOf('/varies', {headers: {'accept-language': 'de'}}), 'a=5; b=5');
		t.is(await cookieOf('/varies', {headers: {'accept-language': 'en'}}), 'a=6; b=6');
		t.is(await cookieOf('/varies', {headers: {'accept-language': 'de'}}), 'a=5; b=5');

		const jar = new CookieJar();
		await client(`${origin.url}/moved`, {cookieJar: jar});
		const before = answers;
		const other = new CookieJar();
		await client(`${origin.url}/moved`, {cookieJar: other});
		t.is(answers, before);
		t.is(await other.getCookieString(`${origin.url}/other`), await jar.getCookieString(`${origin.url}/other`));
		await without(`${origin.url}/moved`, {cookieJar: new CookieJar()});
		t.is(answers, before + 1);
		await getCache(client).close();
		await getCache(without).close();
	});

	test(`${name}: without storeSetCookie, only the response from the origin has the Set-Cookie headers, and they are not stored`, async t => {
		const store = new Map();
		await using origin = await Origin.start((request, response) => {
			response.writeHead(request.headers['if-none-match'] === undefined ? 200 : 304, {etag: '"a"', 'cache-control': 'max-age=60', 'set-cookie': `a=MARKER${origin.count}`});
			response.end(request.headers['if-none-match'] === undefined ? 'body' : undefined);
		});
		const {client, clock} = createClient({...byOrigin, store, serializer: 'json'}, instance);
		t.deepEqual((await client(origin.url)).headers['set-cookie'], ['a=MARKER1']);
		t.is((await client(origin.url)).headers['set-cookie'], undefined);
		clock.advance(61);
		t.deepEqual((await client(origin.url)).headers['set-cookie'], ['a=MARKER2']);
		t.is((await client(origin.url)).headers['set-cookie'], undefined);
		await getCache(client).idle();
		t.notRegex(JSON.stringify([...store]), /MARKER/v);
	});
}

test('an explicit Host header does not hide the cookies of a redirect from the jar', async t => {
	await using origin = await Origin.start((request, response) => {
		if (request.url === '/end') {
			response.end('end');
			return;
		}

		response.writeHead(302, {location: '/end', 'set-cookie': 'a=1; Path=/other'});
		response.end();
	});
	const {client} = createClient();
	const cookieJar = new CookieJar();
	const ask = async (): Promise<void> => {
		await client(`${origin.url}/old`, {cookieJar, headers: {host: 'a.example'}});
	};

	await ask();
	await ask();
	t.is(origin.count, 2);
	t.is((await explain(client, {url: `${origin.url}/old`, headers: {host: 'a.example'}})).reason, 'fresh');
});

test('requests with the same `context` object do not share information about their redirects', async t => {
	await using origin = await Origin.start((request, response) => {
		response.writeHead(request.url === '/end' ? 200 : 302, {location: '/end', 'cache-control': 'max-age=60'});
		response.end('end');
	});
	const context = {cache: {}};
	const {client} = createClient();
	for (const own of [client, client.extend({context})]) {
		for (let round = 0; round < 3; round++) {
			const response = await own(`${origin.url}/from`, {context});
			t.is(response.redirectUrls.length, 1);
		}
	}

	for (let round = 0; round < 2; round++) {
		t.is((await client(`${origin.url}/from`, {context: Object.freeze({...context})})).redirectUrls.length, 1);
	}

	t.is(origin.count, 2);
	t.deepEqual(Object.getOwnPropertySymbols(context), []);
	t.deepEqual(Object.getOwnPropertySymbols(client.defaults.options.context), []);
});
