/* eslint-disable unicorn/prefer-https -- Both schemes are meant. */
import {once} from 'node:events';
import {createServer} from 'node:http';
import path from 'node:path';
import test from 'ava';
import type {OptionsInit} from 'got';
import {
	cacheHooks,
	cacheInfo,
	explain,
	getCache,
	HttpCache,
} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {byOrigin} from '../helpers/dated.ts';
import {Origin, type Handler} from '../helpers/origin.ts';
import {temporaryFolder} from '../helpers/temporary-folder.ts';
import {modesWithHeaders, storesIn} from '../helpers/modes.ts';

/** Says whom it answers as, and how often it has answered. */
function tenants(): Handler {
	let count = 0;
	return (request, response) => {
		count++;
		response.writeHead(200, {'cache-control': 'max-age=600'});
		response.end([request.headers.host, request.headers['x-forwarded-host'], request.headers['x-original-url'], request.headers['x-rewrite-url'], request.headers.forwarded, request.url, count].join(' '));
	};
}

const of = (host: string): OptionsInit => ({headers: {host}});

/** Requests to one URL for different hosts. */
const others: ReadonlyArray<readonly [title: string, options: OptionsInit]> = [
	['no header', {}],
	['a host', of('a.example')],
	['another host', of('b.example')],
	['another port', of('a.example:8080')],
	['an IPv6 address', of('[::1]')],
	['another IPv6 address', of('[::2]')],
	['a trailing dot', of('a.example.')],
	['a host that is not a valid authority', of('a.example/x')],
	['another invalid authority', of('a.example?')],
	['a list', of('a.example, b.example')],
	['a value that a URL parser would read as a host', of('a%2Eexample')],
	['no host at all', {setHost: false}],
	['X-Forwarded-Host', {headers: {'x-forwarded-host': 'a.example'}}],
	['another X-Forwarded-Host', {headers: {'x-forwarded-host': 'b.example'}}],
	['X-Original-URL', {headers: {'x-original-url': '/a'}}],
	['X-Rewrite-URL', {headers: {'x-rewrite-url': '/a'}}],
	['X-Forwarded-Proto', {headers: {'x-forwarded-proto': 'https'}}],
	...['x-forwarded-protocol', 'x-forwarded-ssl', 'x-url-scheme', 'front-end-https'].map(name => [name, {headers: {[name]: 'on'}}] as const),
	['X-Forwarded-Port', {headers: {'x-forwarded-port': '8443'}}],
	['X-Forwarded-Prefix', {headers: {'x-forwarded-prefix': '/a'}}],
	['Forwarded', {headers: {forwarded: 'host=a.example'}}],
	['another Forwarded', {headers: {forwarded: 'for=1.2.3.4;host=b.example'}}],
	['X-HTTP-Host-Override', {headers: {'x-http-host-override': 'a.example'}}],
	['two Host headers', {headers: {host: 'a.example', 'x-forwarded-host': 'a.example'}}],
];

for (const [name, instance] of majors) {
	for (const [mode, settings] of modesWithHeaders) {
		test(`${name}, ${mode}: no request gets the response of another host, through both APIs`, async t => {
			await using origin = await Origin.start(tenants());
			const {client} = createClient(settings, instance);
			const bodies = new Map<string, string>();
			for (const [title, options] of others) {
				const {body, isFromCache} = await client(origin.url, options as object);
				t.false(isFromCache, title);
				bodies.set(title, body);
			}

			t.is(origin.count, others.length);
			for (const [title, options] of others) {
				const response = await client(origin.url, options as object);
				t.deepEqual([title, response.body, cacheInfo(response).reason], [title, bodies.get(title)!, 'fresh']);
				t.deepEqual([title, await readStream(client.stream(origin.url, options as object))], [title, bodies.get(title)!]);
			}

			t.is(origin.count, others.length);
		});

		test(`${name}, ${mode}: a Host that equals the authority of the URL changes nothing`, async t => {
			await using origin = await Origin.start(tenants());
			const {client} = createClient(settings, instance);
			const {port} = new URL(origin.url);
			const url = `http://localhost:${port}/`;
			// It listens on 127.0.0.1 alone.
			const options = {dnsLookupIpVersion: 4} as const;
			const {body} = await client(url, options);
			for (const host of [`localhost:${port}`, `LocalHost:${port}`, ` localhost:${port} `]) {
				t.deepEqual([host, (await client(url, {...options, headers: {host}})).body], [host, body]);
			}

			t.is(origin.count, 1);
		});

		test(`${name}, ${mode}: a Host that a hook sets before or after the cache counts as one in the options`, async t => {
			await using origin = await Origin.start(tenants());
			const withTenant: OptionsInit = {
				hooks: {
					beforeRequest: [options => {
						options.headers.host = options.context.tenant as string;
					}],
				},
			};
			const {client} = createClient(settings, instance);
			const before = instance.extend({retry: {limit: 0}}, withTenant as object, cacheHooks({cache: getCache(client), ...(settings !== byOrigin && {expireAfter: '5m'})}));
			const after = client.extend(withTenant as object);
			const ask = async (asked: typeof client, tenant: string): Promise<string> => asked(origin.url, {context: {tenant}}).text();
			const [a, b] = [await client(origin.url, of('a.example') as object).text(), await client(origin.url, of('b.example') as object).text()];
			for (const asked of [before, after]) {
				t.is(await ask(asked, 'a.example'), a);
				t.is(await ask(asked, 'b.example'), b);
			}

			t.is(await ask(after, 'c.example'), 'c.example     / 3');
			t.is(await ask(before, 'd.example'), 'd.example     / 4');
			t.is(await client(origin.url, of('d.example') as object).text(), 'd.example     / 4');
		});

		test(`${name}, ${mode}: concurrent requests to several hosts wait only for requests to their own host`, async t => {
			const gate = Promise.withResolvers<void>();
			const answer = tenants();
			await using origin = await Origin.start((...exchange) => {
				void gate.promise.then(() => {
					answer(...exchange);
				});
			});
			const {client} = createClient(settings, instance);
			const hosts = ['a.example', 'b.example', 'A.example', 'b.example:80', 'a.example'];
			const asked = hosts.map(async host => client(origin.url, of(host) as object));
			const forwarded = ['a.example', 'b.example', 'a.example'].map(async host => client(origin.url, {headers: {'x-forwarded-host': host}}));
			await new Promise(resolve => {
				setTimeout(resolve, 50);
			});
			gate.resolve();
			const responses = await Promise.all(asked);
			for (const [index, {body}] of responses.entries()) {
				t.is(body.split(' ', 1)[0]!.toLowerCase(), hosts[index]!.toLowerCase());
			}

			for (const [index, {body}] of (await Promise.all(forwarded)).entries()) {
				t.is(body.split(' ', 2)[1], ['a.example', 'b.example', 'a.example'][index]);
			}

			t.is(origin.count, 5);
		});
	}

	test(`${name}: explain returns what the client does for each host`, async t => {
		await using origin = await Origin.start(tenants());
		const {client} = createClient({}, instance);
		await client(origin.url, of('a.example') as object);
		const reasonFor = async (headers: Record<string, string>): Promise<string> => (await explain(client, {url: origin.url, headers})).reason;
		t.is(await reasonFor({}), 'miss');
		t.is(await reasonFor({host: 'a.example'}), 'fresh');
		t.is(await reasonFor(Object.fromEntries([['HOST', 'A.EXAMPLE']])), 'fresh');
		t.is(await reasonFor({host: 'b.example'}), 'miss');
		t.is(await reasonFor({host: 'a.example', 'x-forwarded-host': 'b.example'}), 'miss');
		const {key, text} = await explain(client, {url: origin.url, headers: {host: 'a.example'}});
		t.is(key, cacheInfo(await client(origin.url, of('a.example') as object)).key);
		t.true(text.startsWith('GET http://a.example/: serve'));
		const without = client.extend({setHost: false});
		const response = await without(origin.url);
		t.is((await explain(without, {url: origin.url})).key, cacheInfo(response).key);
	});
}

for (const [name, open] of storesIn) {
	test(`${name}: a stored response is found and deleted by the URL that the origin sees`, async t => {
		await using folder = await temporaryFolder();
		await using origin = await Origin.start(tenants());
		const {client} = createClient(open(folder.path));
		await using cache = getCache(client);
		const [a, b] = ['http://a.example/x?q=1', 'http://b.example/x?q=1'];
		const url = `${origin.url}/x?q=1`;
		const stored = async (): Promise<boolean[]> => Promise.all([a, b, url].map(async target => cache.contains({url: target})));
		await client(url, of('a.example') as object);
		t.deepEqual(await stored(), [true, false, false]);
		await client(url, of('b.example') as object);
		t.deepEqual(await stored(), [true, true, false]);
		await client(url);
		t.deepEqual(await stored(), [true, true, true]);
		t.deepEqual((await Array.fromAsync(cache.urls())).toSorted(), [url, a, b].toSorted());
		t.is((await cache.get({url: a}))?.text(), 'a.example     /x?q=1 1');
		t.is((await cache.get({url: 'HTTP://A.example:80/x?q=1#fragment'}))?.url, a);
		t.is((await cache.get({request: {url, headers: {host: 'b.example'}}}))?.url, b);
		t.is((await cache.get({request: {url}}))?.url, url);
		t.deepEqual((await Array.fromAsync(cache.filter({patterns: ['a.example/*']}))).map(response => response.url), [a]);
		t.deepEqual((await Array.fromAsync(cache.filter({urls: [b]}))).map(response => response.url), [b]);
		t.is(await cache.count({urls: [a, b, url]}), 3);

		t.is(await cache.delete({urls: [a]}), 1);
		t.deepEqual(await stored(), [false, true, true]);
		t.is(await cache.delete({urls: [url]}), 1);
		t.deepEqual(await stored(), [false, true, false]);
		t.is(await cache.delete({requests: [{url, headers: {host: 'b.example'}}]}), 1);
		t.deepEqual(await stored(), [false, false, false]);
	});

	test(`${name}: a response is deleted by its URL despite headers that name another URL`, async t => {
		await using folder = await temporaryFolder();
		await using origin = await Origin.start(tenants());
		const {client} = createClient(open(folder.path));
		await using cache = getCache(client);
		for (const [, options] of others) {
			await client(origin.url, options as object);
		}

		const targets = [...new Set(await Array.fromAsync(cache.urls()))];
		t.true(targets.includes('http://a.example/') && targets.includes(`${origin.url}/`));
		for (const url of targets) {
			t.true(await cache.contains({url}), url);
			t.true(await cache.delete({urls: [url]}) > 0, url);
			t.false(await cache.contains({url}), url);
		}

		t.is(await cache.count(), 0);
	});
}

test('the variants of a response of another host are deleted by its URL', async t => {
	await using origin = await Origin.start((request, response) => {
		response.writeHead(200, {vary: 'accept-language'});
		response.end(`${request.headers.host} ${request.headers['accept-language']}`);
	});
	const {client} = createClient();
	const cache = getCache(client);
	for (const language of ['de', 'en']) {
		await client(origin.url, {headers: {host: 'a.example', 'accept-language': language}});
	}

	t.is(await cache.delete({urls: ['http://a.example/']}), 1);
	for (const language of ['de', 'en']) {
		t.false((await client(origin.url, {headers: {host: 'a.example', 'accept-language': language}})).isFromCache);
	}
});

test('a response to a request with credentials is found neither by the URL of another host nor by its own', async t => {
	await using origin = await Origin.start(tenants());
	const {client} = createClient();
	const cache = getCache(client);
	await client(origin.url, {headers: {host: 'a.example', authorization: 'one'}});
	t.false(await cache.contains({url: 'http://a.example/'}));
	t.is(await cache.delete({urls: ['http://a.example/']}), 0);
	t.true(await cache.contains({request: {url: origin.url, headers: {host: 'a.example', authorization: 'one'}}}));
	t.false(await cache.contains({request: {url: origin.url, headers: {host: 'a.example', authorization: 'two'}}}));
});

test('with a tenant for each request, a response of another host is found by its URL', async t => {
	await using origin = await Origin.start(tenants());
	const {client} = createClient({partitionBy: ({headers}) => String(headers['x-tenant'])});
	const cache = getCache(client);
	await client(origin.url, of('a.example') as object);
	await client(origin.url, {headers: {host: 'a.example', 'x-tenant': 'one'}});
	t.is(await cache.count(), 2);
	t.is(await cache.delete({urls: ['http://a.example/']}), 1);
	t.is(await cache.count(), 1);
});

for (const [name, instance] of majors) {
	test(`${name}: an unsafe request invalidates only the responses of its own host through its own connection`, async t => {
		let answers: Record<string, string> = {};
		const handler: Handler = (request, response) => {
			response.writeHead(request.method === 'GET' ? 200 : 201, {'cache-control': 'max-age=600', ...(request.method !== 'GET' && answers)});
			response.end(`${request.headers.host} ${request.url}`);
		};

		await using origin = await Origin.start(handler);
		await using second = await Origin.start(handler);
		const {client} = createClient({...byOrigin, store: new Map()}, instance);
		const isStored = async (base: string, where: string, options: object): Promise<boolean> => (await client(base + where, {...options, headers: {...(options as OptionsInit).headers, 'cache-control': 'only-if-cached'}, throwHttpErrors: false})).statusCode === 200;
		const all: ReadonlyArray<readonly [name: string, base: string, options: object]> = [
			['a', origin.url, of('a.example')],
			['a, for a user', origin.url, {headers: {host: 'a.example', authorization: 'one'}}],
			['a, forwarded', origin.url, {headers: {host: 'a.example', 'x-forwarded-host': 'x.example'}}],
			['b', origin.url, of('b.example')],
			['own', origin.url, {}],
			['own, forwarded', origin.url, {headers: {'x-forwarded-host': 'a.example'}}],
			['a, elsewhere', second.url, of('a.example')],
			['own, elsewhere', second.url, {}],
		];
		const fill = async (where: string): Promise<void> => {
			for (const [, base, options] of all) {
				await client(base + where, options);
			}
		};

		const left = async (where: string): Promise<string[]> => {
			const names: string[] = [];
			for (const [title, base, options] of all) {
				if (await isStored(base, where, options)) {
					names.push(title);
				}
			}

			return names;
		};

		const notOfA = ['b', 'own', 'own, forwarded', 'a, elsewhere', 'own, elsewhere'];
		const cases: ReadonlyArray<readonly [title: string, where: string, fields: Record<string, string>, options: object, expected: readonly string[]]> = [
			['the URL itself, by the host', '/1', {}, of('a.example'), notOfA],
			['by the host in another letter case', '/2', {}, of('A.Example'), notOfA],
			['by a request that is forwarded', '/3', {}, {headers: {host: 'a.example', 'x-forwarded-host': 'y.example'}}, notOfA],
			['by no Host', '/4', {}, {}, ['a', 'a, for a user', 'a, forwarded', 'b', 'a, elsewhere', 'own, elsewhere']],
			['by another host', '/5', {}, of('c.example'), all.map(([title]) => title)],
			['by a relative Location', '/6', {location: '/6'}, of('a.example'), notOfA],
			['by an absolute Location of the host', '/7', {location: 'http://a.example/7'}, of('a.example'), notOfA],
			['by a relative Content-Location', '/8', {'content-location': '8'}, of('a.example'), notOfA],
			['by an absolute Content-Location', '/9', {'content-location': 'http://a.example/9'}, of('a.example'), notOfA],
			['by a Location of another host', '/10', {location: 'http://b.example/10'}, of('a.example'), all.map(([title]) => title)],
			['by a Location of the connection', '/11', {location: `${origin.url}/11`}, of('a.example'), all.map(([title]) => title)],
			['by a Content-Location of the other connection', '/12', {'content-location': `${second.url}/12`}, {}, all.map(([title]) => title)],
		];
		for (const [title, where, fields, options, expected] of cases) {
			await fill(where);
			answers = fields;
			await client.post(`${origin.url}${'location' in fields || 'content-location' in fields ? '/other' : where}`, {...options, followRedirect: false});
			await getCache(client).idle();
			t.deepEqual([title, await left(where)], [title, [...expected]]);
		}
	});

	test(`${name}: redirects of another host are stored, and followed in the same way on a hit`, async t => {
		await using origin = await Origin.start((request, response) => {
			if (request.url === '/moved') {
				response.writeHead(302, {location: '/end'});
				response.end();
			} else if (request.url === '/away') {
				response.writeHead(302, {location: `http://localhost:${new URL(origin.url).port}/end`});
				response.end();
			} else {
				response.end(`${request.headers.host} ${request.url}`);
			}
		});
		const {client} = createClient({}, instance);
		for (const where of ['/moved', '/away']) {
			const ask = async (host: string): Promise<string> => client(origin.url + where, {...of(host), dnsLookupIpVersion: 4} as object).text();
			const first = [await ask('a.example'), await ask('b.example')];
			const {count} = origin;
			t.deepEqual([await ask('a.example'), await ask('b.example')], first);
			t.is(origin.count, count);
			// Got sends a Host to its own origin alone.
			const {host} = new URL(origin.url.replace('127.0.0.1', 'localhost'));
			t.deepEqual(first, where === '/moved' ? ['a.example /end', 'b.example /end'] : [`${host} /end`, `${host} /end`]);
		}
	});

	test(`${name}: a Unix socket is one origin, whatever Host is sent to it`, async t => {
		await using folder = await temporaryFolder();
		const answer = tenants();
		const open = async (file: string): Promise<string> => {
			const server = createServer({keepAliveTimeout: 600_000}, (request, response) => {
				answer(request, response, '');
			});
			const socket = path.join(folder.path, file);
			server.listen(socket);
			await once(server, 'listening');
			t.teardown(() => {
				server.closeAllConnections();
				server.close();
			});
			return socket;
		};

		const [one, two] = [await open('1.sock'), await open('2.sock')];
		const errors: unknown[] = [];
		for (const [settings, form] of [[{}, 'unix:'], [{}, 'http://unix:'], [byOrigin, 'unix:'], [byOrigin, 'http://unix:']] as const) {
			const {client} = createClient(settings, instance);
			const cache = getCache(client);
			cache.on('internalError', (error: unknown) => {
				errors.push(error);
			});
			const socketed = client.extend({enableUnixSockets: true});
			const [ofOne, ofTwo] = [one, two].map(socket => `${form}${socket}:/x`) as [string, string];
			const forwarded = {headers: {'x-forwarded-host': 'a.example'}};
			const requests: ReadonlyArray<readonly [url: string, options: OptionsInit]> = [[ofOne, {}], [ofTwo, {}], [ofOne, of('a.example')], [ofOne, of('b.example')], [ofTwo, of('a.example')], [ofOne, forwarded]];
			const ask = async (): Promise<Array<readonly [body: string, isFromCache: boolean]>> => Array.fromAsync(requests, async ([url, options]) => {
				const {body, isFromCache} = await socketed(url, options as object);
				return [body, isFromCache];
			});
			const first = await ask();
			t.is(new Set(first.map(([body]) => body)).size, requests.length);
			t.deepEqual(await ask(), first.map(([body]) => [body, true]));

			// The socket is the authority that the URL names.
			t.true(await cache.contains({url: ofOne.replace(/^unix:/v, 'http://unix')}));
			await socketed.post(ofOne, of('a.example') as object);
			t.deepEqual((await ask()).map(([, isFromCache]) => isFromCache), settings === byOrigin ? [false, true, false, false, true, false] : requests.map(() => true));
		}

		t.deepEqual(errors, []);
	});
}

test('a POST through a Unix socket whose response names a resource works', async t => {
	await using folder = await temporaryFolder();
	const socket = path.join(folder.path, 'a.sock');
	const server = createServer({keepAliveTimeout: 600_000}, (_request, response) => {
		response.writeHead(201, {location: '/created', 'content-location': 'x', 'cache-control': 'max-age=60'});
		response.end();
	});
	server.listen(socket);
	await once(server, 'listening');
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	for (const [name, instance] of majors) {
		const {client} = createClient(byOrigin, instance);
		const errors: unknown[] = [];
		for (const event of ['internalError', 'settingError'] as const) {
			getCache(client).on(event, (error: unknown) => {
				errors.push(error);
			});
		}

		for (const form of ['unix:', 'http://unix:']) {
			for (const options of [{}, of('a.example')]) {
				t.is((await client.post(`${form}${socket}:/x`, {enableUnixSockets: true, ...options} as object)).statusCode, 201);
			}
		}

		t.deepEqual(errors, [], name);
	}
});

test('after another process has cleared the store, responses of other hosts are still found by their URL', async t => {
	await using origin = await Origin.start(tenants());
	const store = new Map();
	const clients = [1, 2].map(() => createClient({store}).client);
	const [one, two] = clients.map(client => getCache(client)) as [HttpCache, HttpCache];
	await clients[0]!(origin.url, of('a.example') as object);
	await one.idle();
	await two.clear();
	await clients[0]!(origin.url, of('a.example') as object);
	await one.idle();
	t.true(await two.contains({url: 'http://a.example/'}));
	t.is(await two.delete({urls: ['http://a.example/']}), 1);
});

test('a Host that equals the authority of the URL makes no difference to Vary and matchHeaders', async t => {
	await using origin = await Origin.start((request, response) => {
		response.writeHead(200, {vary: 'host'});
		response.end(request.headers.host);
	});
	for (const settings of [{}, {matchHeaders: ['Host']}, {matchHeaders: true}]) {
		const {client} = createClient(settings);
		const {count} = origin;
		const {host} = new URL(origin.url);
		for (const options of [{}, of(host), of(` ${host}`)]) {
			t.is(await client(origin.url, options as object).text(), host);
		}

		t.is(origin.count, count + 1);
		t.is(await client(origin.url, of('a.example') as object).text(), 'a.example');
		t.is(origin.count, count + 2);
	}
});

test('a response that is saved for a host is found by requests for that host, and by its URL', async t => {
	await using origin = await Origin.start(tenants());
	const {client} = createClient();
	const cache = getCache(client);
	await cache.save({url: origin.url, headers: {host: 'a.example'}}, {body: 'saved'});
	t.is(await client(origin.url, of('a.example') as object).text(), 'saved');
	t.not(await client(origin.url).text(), 'saved');
	t.is((await cache.get({url: 'http://a.example/'}))?.text(), 'saved');
	const har = await cache.toHar();
	const copy = new HttpCache({store: 'memory'});
	t.is((await copy.fromHar(har)).saved, 2);
	t.is((await copy.get({url: 'http://a.example/'}))?.text(), 'saved');
	t.is((await copy.get({request: {url: origin.url, headers: {host: 'a.example'}}}))?.text(), 'saved');
});
