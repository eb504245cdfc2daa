import {PassThrough} from 'node:stream';
import {setImmediate as nextTurn} from 'node:timers/promises';
import test from 'ava';
import type {
	ExtendOptions,
	Got,
	Options,
	Response,
} from 'got';
import {cacheHooks, getCache} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Clock, Origin, type Handler} from '../helpers/origin.ts';

/** Answers with the method, the URL and the user of the request. */
const echo: Handler = ({method, url, headers: {authorization, cookie, ...headers}}, response, body) => {
	response.end(JSON.stringify({
		method, url, authorization, cookie, key: headers['x-api-key'], body,
	}));
};

const settings = {store: 'memory', expireAfter: '5m', allowableMethods: ['GET', 'HEAD', 'POST']} as const;
const calm: ExtendOptions = {retry: {limit: 0}};
const retrying: ExtendOptions = {retry: {limit: 2, calculateDelay: ({computedValue}) => Math.min(computedValue, 1)}};

/** A part of a request that distinguishes users: how a hook sets it, and how a caller sets it. */
const marks: ReadonlyArray<{
	readonly name: string;
	readonly set: (options: Options, user: string) => void;
	readonly give: (user: string) => object;
}> = [
	{
		name: 'token',
		set(options, user) {
			options.headers.authorization = `Bearer ${user}`;
		},
		give: user => ({headers: {authorization: `Bearer ${user}`}}),
	},
	{
		name: 'cookie',
		set(options, user) {
			options.headers.cookie = `user=${user}`;
		},
		give: user => ({headers: {cookie: `user=${user}`}}),
	},
	{
		name: 'key',
		set(options, user) {
			options.headers['x-api-key'] = user;
		},
		give: user => ({headers: {'x-api-key': user}}),
	},
	{
		name: 'password',
		set(options, user) {
			options.username = user;
			options.password = user;
		},
		give: user => ({username: user, password: user}),
	},
	{
		name: 'query',
		set(options, user) {
			options.searchParams = new URLSearchParams({user});
			// Got 14 does not send what is assigned so late.
			if (!String(options.url).includes('user=')) {
				options.url = `${String(options.url)}?user=${user}`;
			}
		},
		give: user => ({searchParams: {user}}),
	},
	{
		name: 'body',
		set(options, user) {
			options.method = 'POST';
			options.body = user;
		},
		give: user => ({method: 'POST', body: user}),
	},
];

type Mark = typeof marks[number];

const hook = ({set}: Mark): ExtendOptions => ({
	hooks: {
		beforeRequest: [async options => {
			await nextTurn();
			set(options as Options, options.context.user as string);
		}],
	},
});

const leaveToGot = (): undefined => undefined;

/** The sources of a mark: each returns an instance, and the options for a user. */
type Place = (base: Got, cache: ExtendOptions, mark: Mark) => (user: string) => readonly [client: Got, options: object];

const asUser = (client: Got) => (user: string) => [client, {context: {user}}] as const;

const places: Readonly<Record<string, Place>> = {
	'a hook before the cache\'s': (base, cache, mark) => asUser(base.extend(hook(mark), cache)),
	'a hook after the cache\'s': (base, cache, mark) => asUser(base.extend(cache, hook(mark))),
	'a hook in the request itself': (base, cache, mark) => user => [base.extend(cache), {context: {user}, ...hook(mark)}],
	'a handler': (base, cache, mark) => asUser(base.extend(cache, {
		handlers: [(options, next) => {
			mark.set(options, options.context.user as string);
			return next(options);
		}],
	})),
	'an init hook': (base, cache, mark) => asUser(base.extend({
		hooks: {
			init: [raw => {
				if (raw.context !== undefined) {
					Object.assign(raw, mark.give(raw.context.user as string));
				}
			}],
		},
	}, cache)),
	'an instance that is extended after the cache': (base, cache, mark) => user => mark.name === 'body' ? [base.extend(cache), mark.give(user)] : [base.extend(cache).extend(mark.give(user)), {}],
	'an instance that is extended before the cache': (base, cache, mark) => user => mark.name === 'body' ? [base.extend(cache), mark.give(user)] : [base.extend(mark.give(user)).extend(cache), {}],
};

const bodyOf = async (client: Got, api: 'promise' | 'stream', url: string, options: object): Promise<string> => api === 'promise'
	? (client(url, options) as unknown as {text: () => Promise<string>}).text()
	: readStream(client.stream(url, options) as AsyncIterable<Uint8Array>);

for (const [name, instance] of majors) {
	for (const [place, prepare] of Object.entries(places)) {
		for (const mark of marks) {
			test(`${name}: a ${mark.name} from ${place} is part of the key as if the caller had set it`, async t => {
				await using origin = await Origin.start(echo);
				const base = instance.extend(calm) as Got;
				const cache = cacheHooks(settings);
				const ask = prepare(base, cache, mark);
				const plain = base.extend(cache);
				const expected = new Map<string, string>();
				for (const user of ['ann', 'bob']) {
					expected.set(user, await base(`${origin.url}/own`, mark.give(user)).text());
				}

				t.not(expected.get('ann'), expected.get('bob'));
				const before = origin.count;
				for (const api of ['promise', 'stream', 'promise'] as const) {
					for (const user of ['ann', 'bob']) {
						const [client, options] = ask(user);
						t.is(await bodyOf(client, api, `${origin.url}/own`, options), expected.get(user)!, `${user} by ${api}`);
					}
				}

				for (const user of ['ann', 'bob']) {
					const response = await plain<string>(`${origin.url}/own`, mark.give(user));
					t.true(response.isFromCache);
					t.is(response.body, expected.get(user)!);
				}

				// A caller without credentials gets no response of others.
				t.false((await plain(`${origin.url}/own`)).isFromCache);
				t.is(origin.count - before, 3);
			});
		}
	}

	test(`${name}: concurrent requests of different users get their own responses`, async t => {
		await using origin = await Origin.start(echo);
		const client = instance.extend(calm, cacheHooks(settings), hook(marks[0]!)) as Got;
		for (let round = 0; round < 2; round++) {
			await Promise.all(Array.from({length: 12}, async (_, index) => {
				const user = `user-${index % 4}`;
				const body = await bodyOf(client, index < 6 ? 'promise' : 'stream', origin.url, {context: {user}});
				t.is((JSON.parse(body) as {authorization: string}).authorization, `Bearer ${user}`);
			}));
		}

		t.true(origin.count <= 12);
	});

	test(`${name}: a request whose URL a later hook replaces has the key of the new URL`, async t => {
		await using origin = await Origin.start(echo);
		const {client} = createClient({}, instance);
		const elsewhere = client.extend({
			hooks: {
				beforeRequest: [options => {
					options.url = new URL('/b', options.url);
				}],
			},
		});
		t.regex(await elsewhere(`${origin.url}/a`).text(), /"url":"\/b"/v);
		t.regex(await readStream(elsewhere.stream(`${origin.url}/c`) as AsyncIterable<Uint8Array>), /"url":"\/b"/v);
		t.true((await client(`${origin.url}/b`)).isFromCache);
		t.is(origin.count, 1);
		t.regex(await client(`${origin.url}/a`).text(), /"url":"\/a"/v);
		t.is(origin.count, 2);
	});

	test(`${name}: a token that a hook gets after a 401 is part of the key`, async t => {
		await using origin = await Origin.start((request, response, body) => {
			if (!request.headers.authorization?.endsWith('-fresh')) {
				response.writeHead(401);
			}

			echo(request, response, body);
		});
		const {client} = createClient({}, instance);
		const as = (user: string): Got => client.extend({
			retry: {limit: 1},
			headers: {authorization: user},
			hooks: {
				afterResponse: [(response, retryWithMergedOptions) => response.statusCode === 401 ? retryWithMergedOptions({headers: {authorization: `${user}-fresh`}}) : response],
			},
		});
		for (let round = 0; round < 2; round++) {
			for (const user of ['ann', 'bob']) {
				const response = await as(user)<string>(origin.url);
				t.is((JSON.parse(response.body) as {authorization: string}).authorization, `${user}-fresh`);
				t.is(response.isFromCache, round === 1);
			}
		}

		// Each has been refused twice, and let in once.
		t.is(origin.count, 6);
	});

	test(`${name}: a response that a later hook returns is neither stored nor looked up`, async t => {
		await using origin = await Origin.start(echo);
		const {client} = createClient({}, instance);
		const own = client.extend({hooks: {beforeRequest: [() => canned('mine')]}});
		t.is(await own(origin.url).text(), 'mine');
		t.is(await readStream(own.stream(origin.url) as AsyncIterable<Uint8Array>), 'mine');
		t.is(origin.count, 0);
		t.false((await client(origin.url)).isFromCache);
		t.is(await own(origin.url).text(), 'mine');
		t.true((await client(origin.url)).isFromCache);
	});

	for (const own of [undefined, leaveToGot]) {
		const initialValue = own === undefined ? 'that is not set' : 'that the user sets';
		test(`${name}: \`options.request\` ${initialValue} is unchanged after requests, redirects and retries`, async t => {
			await using origin = await Origin.start((request, response) => {
				const isFirst = origin.count === 1;
				response.writeHead(request.url === '/redirect' ? 302 : isFirst ? 503 : 200, {location: '/target'}); // eslint-disable-line unicorn/no-nested-ternary
				response.end();
			});
			const seen: unknown[] = [];
			const client = instance.extend(retrying, own === undefined ? {} : {request: own}, {
				hooks: {
					beforeRequest: [options => {
						seen.push(options.request);
					}],
					beforeRetry: [error => {
						seen.push(error.options.request);
					}],
					beforeRedirect: [options => {
						seen.push(options.request);
					}],
				},
			}, cacheHooks(settings)) as Got;
			const response = await client(`${origin.url}/flaky`);
			const redirected = await client(`${origin.url}/redirect`);
			const served = await client(`${origin.url}/redirect`);
			t.true(served.isFromCache);
			t.true(seen.length >= 8);
			t.deepEqual([...new Set(seen)], [own]);
			for (const {request} of [response, redirected, served]) {
				t.is(request.options.request, own);
			}
		});

		test(`${name}: \`options.request\` ${initialValue} is unchanged after a later hook returns a response`, async t => {
			await using origin = await Origin.start(echo);
			const seen: unknown[] = [];
			const client = instance.extend(calm, own === undefined ? {} : {request: own}, {
				hooks: {
					beforeRequest: [options => {
						seen.push(options.request);
					}],
				},
			}, cacheHooks(settings), {
				hooks: {
					beforeRequest: [({url}) => (url!).pathname === '/canned' ? canned('', {statusCode: 302, headers: {location: '/target'}}) : undefined],
				},
			}) as Got;
			const response = await client(`${origin.url}/canned`);
			t.deepEqual(seen, [own, own]);
			t.is(response.request.options.request, own);
			t.true((await client(`${origin.url}/target`)).isFromCache);
			t.is(origin.count, 1);

			const last = await client(origin.url, {hooks: {beforeRequest: [() => canned('mine')]}});
			t.is(last.request.options.request, own);
		});
	}

	test(`${name}: a response is stored under its own URL, whatever redirects and retries lead to it`, async t => {
		await using origin = await Origin.start((request, response, body) => {
			if (request.url === '/first') {
				response.writeHead(302, {location: '/second'});
			} else if (request.url === '/second') {
				const isFirst = origin.requests.filter(({url}) => url === '/second').length === 1;
				response.writeHead(isFirst ? 503 : 307, isFirst ? {} : {location: '/third'});
			}

			echo(request, response, body);
		});
		for (const api of ['promise', 'stream'] as const) {
			const store = new Map<string, unknown>();
			const client = instance.extend(retrying, cacheHooks({store})) as Got;
			origin.requests.length = 0;
			if (api === 'promise') {
				t.regex(await client(`${origin.url}/first`).text(), /"\/third"/v);
			} else {
				const stream = client.stream(`${origin.url}/first`);
				const again = new Promise<AsyncIterable<Uint8Array>>(resolve => {
					stream.once('retry', (_count, _error, createRetryStream: () => AsyncIterable<Uint8Array>) => {
						resolve(createRetryStream());
					});
				});
				t.regex(await readStream(await again), /"\/third"/v);
			}

			await getCache(client).idle();
			t.deepEqual(origin.requests.map(({url}) => url), ['/first', '/second', '/second', '/third']);
			t.is(store.size, 3);
			const still = client.extend({followRedirect: false});
			for (const [where, status] of [['/first', 302], ['/second', 307], ['/third', 200]] as const) {
				const response = await still<string>(origin.url + where);
				t.true(response.isFromCache);
				t.is(response.statusCode, status);
				t.is((JSON.parse(response.body) as {url: string}).url, where);
			}

			t.is(origin.count, 4);
		}
	});

	test(`${name}: an instance that is extended with two caches uses only the later one`, async t => {
		await using origin = await Origin.start(echo);
		const [first, second] = [new Map<string, unknown>(), new Map<string, unknown>()];
		const client = instance.extend(calm, cacheHooks({store: first})).extend(cacheHooks({store: second})) as Got;
		t.false((await client(origin.url)).isFromCache);
		await getCache(client).idle();
		t.true((await client(origin.url)).isFromCache);
		t.is(await readStream(client.stream(`${origin.url}/stream`) as AsyncIterable<Uint8Array>), await client(`${origin.url}/stream`).text());
		t.is(origin.count, 2);
		await getCache(client).idle();
		t.is(first.size, 0);
		t.is(second.size, 2);
	});

	test(`${name}: validators are sent with one attempt of one redirect hop, and do not remain in the options`, async t => {
		await using origin = await Origin.start((request, response, body) => {
			const validated = request.headers['if-none-match'] !== undefined;
			const isBusy = validated && origin.requests.filter(({headers}) => headers['if-none-match'] !== undefined).length === 1;
			const headers = {
				...(request.url === '/first' && {location: '/second', etag: '"1"'}),
				...(request.url === '/tagged' && {etag: '"2"'}),
			};
			if (isBusy || validated) {
				response.writeHead(isBusy ? 503 : 304, isBusy ? {} : headers);
				response.end();
				return;
			}

			response.writeHead(request.url === '/first' ? 302 : 200, headers);
			echo(request, response, body);
		});
		for (const api of ['promise', 'stream'] as const) {
			const clock = new Clock();
			const kept: unknown[] = [];
			const client = instance.extend(retrying, {
				hooks: {
					beforeRequest: [options => {
						kept.push(options.headers['if-none-match']);
					}],
					beforeRetry: [error => {
						kept.push(error.options.headers['if-none-match']);
					}],
					beforeRedirect: [options => {
						kept.push(options.headers['if-none-match']);
					}],
				},
			}, cacheHooks({store: 'memory', expireAfter: 60, now: clock.now})) as Got;
			const ask = async (): Promise<string> => {
				if (api === 'promise') {
					return client(`${origin.url}/first`).text();
				}

				const stream = client.stream(`${origin.url}/first`);
				const source = await new Promise<AsyncIterable<Uint8Array>>(resolve => {
					stream.once('retry', (_count, _error, createRetryStream: () => AsyncIterable<Uint8Array>) => {
						resolve(createRetryStream());
					});
					stream.once('response', () => {
						resolve(stream as AsyncIterable<Uint8Array>);
					});
				});
				return readStream(source);
			};

			origin.requests.length = 0;
			const first = await ask();
			clock.advance(100);
			t.is(await ask(), first);
			t.deepEqual(origin.requests.map(({url, headers}) => [url, headers['if-none-match']]), [
				['/first', undefined],
				['/second', undefined],
				['/first', '"1"'],
				['/first', '"1"'],
				['/second', undefined],
			]);
			t.deepEqual([...new Set(kept)], [undefined]);
		}
	});
}

function canned(body: string, own: object = {}): Response {
	const response = new PassThrough();
	response.end(body);
	return Object.assign(response, {statusCode: 200, headers: {}, ...own}) as unknown as Response;
}
