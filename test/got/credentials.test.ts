import {Buffer} from 'node:buffer';
import {Agent} from 'node:https';
import test from 'ava';
import type {ExtendOptions, OptionsOfTextResponseBody} from 'got';
import {startTlsOrigin} from '../helpers/tls-origin.ts';
import {
	cacheInfo,
	explain,
	getCache,
	type CacheSettings,
} from '../../source/index.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Origin, type Handler} from '../helpers/origin.ts';
import {cert, key} from '../helpers/certificates.ts';

const marker = 'MARKER';

class FaultyMap extends Map<string, unknown> {
	override get(): never {
		throw new Error('fault');
	}

	override set(): never {
		throw new Error('fault');
	}
}

const whoAsks: Handler = (request, response) => {
	response.writeHead(200, {etag: `"${String(request.headers.authorization)}"`});
	response.end(`${String(request.headers.authorization)} ${request.url}`);
};

/** Every form in which a request carries a credential. */
const forms: ReadonlyArray<readonly [form: string, path: string, options: OptionsOfTextResponseBody]> = [
	...['authorization', 'proxy-authorization', 'cookie', 'x-api-key', 'api-key', 'apikey', 'x-access-token', 'x-auth-token', 'x-csrf-token', 'x-amz-security-token']
		.map(name => [name, '/', {headers: {[name]: `a=${marker}`}}] as const),
	['user info', '/', {username: 'user', password: marker}],
	['query', `/?api_key=${marker}&access_token=${marker}&APIKEY=${marker}&x=kept`, {}],
	['form', '/', {method: 'POST', form: {access_token: marker, a: 1}}], // eslint-disable-line @typescript-eslint/naming-convention -- OAuth's name.
	['JSON', '/', {method: 'POST', json: {a: [{apikey: marker}]}}],
];

for (const [form, target, options] of forms) {
	test(`two users never share a response: ${form}`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end(String(origin.count));
		});
		const {client} = createClient({allowableMethods: ['GET', 'POST']});
		const of = (who: string): [string, OptionsOfTextResponseBody] => [origin.url + target.split(marker).join(who), JSON.parse(JSON.stringify(options).split(marker).join(who)) as OptionsOfTextResponseBody];
		t.is((await client(...of('a'))).body, '1');
		t.is((await client(...of('b'))).body, '2');
		t.is((await client(...of('a'))).body, '1');
		t.is((await client(...of('b'))).body, '2');
	});
}

const stores: ReadonlyArray<readonly [name: string, store: () => NonNullable<CacheSettings['store']>]> = [
	['memory', () => 'memory'],
	['a Map', () => new Map()],
];

for (const [name, instance] of majors) {
	for (const [storeName, store] of stores) {
		test(`${name}, ${storeName}: concurrent requests of many tenants never get the body of another tenant, whether fresh, stale, redirected or instead of an error`, async t => {
			let isDown = false;
			await using origin = await Origin.start((request, response) => {
				setTimeout(() => {
					if (isDown) {
						response.writeHead(503);
						response.end('down');
					} else if (request.url!.startsWith('/to')) {
						response.writeHead(302, {location: `/of/${String(request.headers.authorization)}${request.url!.slice(3)}`});
						response.end();
					} else {
						response.writeHead(200, {vary: request.url!.includes('vary') ? 'cookie' : 'accept'});
						response.end(`${String(request.headers.authorization)} ${request.url!}`);
					}
				}, Math.random() * 5);
			});
			const {client, clock} = createClient({
				store: store(), expireAfter: 60, staleWhileRevalidate: '1h', staleIfError: true,
			}, instance);
			const tenants = Array.from({length: 8}, (_, index) => `tenant-${index}`);
			const round = async (): Promise<void> => {
				await Promise.all(tenants.flatMap(tenant => ['/a', '/vary', '/to/a', '/to/vary', '/a'].map(async target => {
					const body = await client(origin.url + target, {headers: {authorization: tenant}}).text();
					t.is(body, `${tenant} ${target.startsWith('/to') ? `/of/${tenant}${target.slice(3)}` : target}`);
				})));
				await getCache(client).idle();
			};

			await round();
			await round();
			clock.advance(600);
			await round();
			clock.advance(7200);
			isDown = true;
			await round();
			isDown = false;
			await round();
		});
	}
}

const sources: ReadonlyArray<readonly [source: string, before: (token: string) => ExtendOptions, after: (token: string) => ExtendOptions]> = [
	['a hook before the cache', token => ({
		hooks: {
			beforeRequest: [options => {
				options.headers.authorization = token;
			}],
		},
	}), () => ({})],
	['a hook after the cache', () => ({}), token => ({
		hooks: {
			beforeRequest: [options => {
				options.headers.authorization = token;
			}],
		},
	})],
	['a handler', () => ({}), token => ({
		handlers: [(options, next) => {
			options.headers.authorization = token;
			return next(options);
		}],
	})],
	['an extended instance', () => ({}), token => ({headers: {authorization: token}})],
	['a query that a hook after the cache sets', () => ({}), token => ({
		hooks: {
			beforeRequest: [options => {
				(options.url!).searchParams.set('api_key', token);
			}],
		},
	})],
	['a body that a hook after the cache sets', () => ({}), token => ({
		method: 'POST', body: 'a', hooks: {
			beforeRequest: [options => {
				options.body = JSON.stringify({token});
				options.headers['content-length'] = String((options.body as string).length);
			}],
		},
	})],
];

for (const [name, instance] of majors) {
	for (const [source, before, after] of sources) {
		test(`${name}: a credential from ${source} is part of the key as if the caller had set it`, async t => {
			await using origin = await Origin.start((_request, response) => {
				response.end(String(origin.count));
			});
			const store = new Map();
			const ask = async (token: string): Promise<string> => {
				const {client} = createClient({store, allowableMethods: ['GET', 'POST']}, instance.extend(before(token)));
				const extended = client.extend({headers: {'x-own': 'a'}}).extend(after(token)) as typeof instance;
				const {body} = await extended(origin.url);
				await getCache(client).idle();
				return body;
			};

			t.deepEqual([await ask('a'), await ask('b'), await ask('a'), await ask('b')], ['1', '2', '1', '2']);
		});
	}
}

test('a function names the tenant; if it throws, an event reports the error and nothing is cached', async t => {
	await using origin = await Origin.start(whoAsks);
	const {client} = createClient({
		partitionBy({headers}) {
			if (headers.tenant === undefined) {
				throw new Error('nobody');
			}

			return String(headers.tenant);
		},
	});
	const ask = async (tenant: string, authorization: string): Promise<string> => client(origin.url, {headers: {tenant, authorization}}).text();
	t.is(await ask('1', 'a'), 'a /');
	t.is(await ask('1', 'b'), 'a /');
	t.is(await ask('2', 'b'), 'b /');
	const settings: string[] = [];
	getCache(client).on('settingError', ({setting}) => {
		settings.push(setting);
	});
	const nobodys = await client(origin.url);
	t.is(cacheInfo(nobodys).reason, 'error');
	t.is(nobodys.body, 'undefined /');
	t.deepEqual(settings, ['partitionBy']);
});

test('explain treats user info in a URL as Got does', async t => {
	await using origin = await Origin.start(whoAsks);
	const {client} = createClient();
	const url = origin.url.replace('//', '//us%C3%A9r:p%40ss@');
	await client(url);
	t.is((await explain(client, {url})).reason, 'fresh');
	t.is((await explain(client, {url: url.replace('p%40ss', '%ZZ')})).reason, 'miss');
	t.is(origin.requests[0]!.headers.authorization, `Basic ${Buffer.from('usér:p@ss').toString('base64')}`);
});

test('keyFn has the secret of the cache in its second argument', async t => {
	await using origin = await Origin.start(whoAsks);
	const {client} = createClient({partitionSecret: 'a', keyFn: (request, createKey) => createKey({...request, method: 'get', headers: {...request.headers, 'X-Not-Matched': 'a'}})});
	const plain = createClient({partitionSecret: 'a'}).client;
	const request = {headers: {authorization: 'a', accept: 'text/html'}};
	t.is(cacheInfo(await client(origin.url, request)).key, cacheInfo(await plain(origin.url, request)).key);
});

for (const [name, instance] of majors) {
	test(`${name}: clients with the same certificate share responses, in whatever form it is given, by the request or by its agent`, async t => {
		const url = await startTlsOrigin(t, {cert, key}, (_request, response) => {
			response.end();
		});
		const client = createClient({partitionSecret: 'a'}, instance).client.extend({https: {rejectUnauthorized: false}});
		const keyOf = async (options: OptionsOfTextResponseBody): Promise<string | undefined> => cacheInfo(await client(url, options)).key;
		const keys = [
			await keyOf({}),
			await keyOf({https: {certificate: cert, key}}),
			await keyOf({https: {certificate: [`${cert}\n`], key: [{pem: key}]}}),
			await keyOf({agent: {https: new Agent({cert: Buffer.from(`\n${cert}`), key})}}),
		];
		t.is(new Set(keys).size, 2);
		t.not(keys[0], keys[1]);
		t.is(await keyOf({https: {key}}), keys[0]);
	});
}

test('a redirect to a URL with a secret is followed, but not stored', async t => {
	await using origin = await Origin.start((request, response) => {
		response.writeHead(request.url === '/' ? 302 : 200, request.url === '/' ? {location: '/b?access_token=secret'} : {});
		response.end('answer');
	});
	const {client} = createClient();
	await client(origin.url);
	const response = await client(origin.url);
	t.is(response.body, 'answer');
	t.true(response.isFromCache);
	t.is(origin.count, 3);
	const moved = await client(origin.url, {followRedirect: false});
	t.is(cacheInfo(moved).stored, 'secret-in-header');
	t.is(moved.headers.location, '/b?access_token=secret');
});

test('a 304 adds no credential to the stored response', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.writeHead(origin.count === 1 ? 200 : 304, {
			etag: '"1"',
			link: origin.count === 1 ? '</2>' : '</3?api_key=secret>',
			'x-count': String(origin.count),
			...(origin.count > 1 && {'x-auth-token': 'secret', 'content-location': '/?api_key=secret'}),
		});
		response.end();
	});
	const {client} = createClient();
	await client(origin.url);
	await client(origin.url, {context: {cache: {refresh: true}}});
	const {headers, isFromCache} = await client(origin.url);
	t.true(isFromCache);
	t.like(headers, {
		link: '</2>', 'x-auth-token': undefined, 'content-location': undefined, 'x-count': '2',
	});
});

test('a response with a credential in a header is not stored, and reaches the caller unchanged', async t => {
	const names = ['authorization', 'X-Auth-Token', 'x-session-token', 'x-refresh-token', 'x-subject-token', 'x-amz-security-token'];
	await using origin = await Origin.start((request, response) => {
		response.writeHead(200, {[decodeURIComponent(request.url!.slice(1))]: 'value'});
		response.end();
	});
	const {client} = createClient();
	for (const name of names) {
		await client(`${origin.url}/${name}`);
		const response = await client(`${origin.url}/${name}`);
		t.false(response.isFromCache, name);
		t.is(cacheInfo(response).stored, 'secret-in-header', name);
		t.is(response.headers[name.toLowerCase()], 'value', name);
	}
});

for (const name of ['access-control-allow-credentials', 'github-authentication-token-expiration', 'x-ratelimit-remaining-tokens', 'x-request-token', 'x-ms-continuation-token', 'www-authenticate']) {
	test(`a response with ${name} is stored, and the caller gets its value on a hit`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.writeHead(200, {[name]: 'value'});
			response.end();
		});
		const {client} = createClient();
		await client(origin.url);
		const response = await client(origin.url);
		t.true(response.isFromCache);
		t.is(response.headers[name], 'value');
	});
}

test('deleting or invalidating a resource removes every variant', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.writeHead(200, {vary: 'cookie, accept-language', 'cache-control': 'max-age=60'});
		response.end(String(origin.count));
	});
	const {client} = createClient({cacheControl: true, partitionBy: false});
	const ask = async (cookie: string): Promise<string> => client(origin.url, {headers: {cookie}}).text();
	const askAll = async (): Promise<string> => (await Promise.all(['a', 'b', 'c'].map(async cookie => ask(cookie)))).toSorted().join(' ');
	t.is(await askAll(), '1 2 3');
	t.is(await askAll(), '1 2 3');
	await getCache(client).delete({keys: [cacheInfo(await client(origin.url, {headers: {cookie: 'a'}})).key!]});
	t.is(await askAll(), '4 5 6');
	t.is(await askAll(), '4 5 6');
	await client.post(origin.url);
	t.is(await askAll(), '10 8 9');
	t.is(await askAll(), '10 8 9');
});

test('if the store fails, a secret of the process separates credentials; a cleared store gets a new secret', async t => {
	await using origin = await Origin.start(whoAsks);
	const store = new Map();
	const {client} = createClient({store});
	const ask = async (authorization: string): Promise<string> => client(origin.url, {headers: {authorization}}).text();
	await ask('a');
	await getCache(client).clear();
	t.is(store.size, 0);
	t.is(await ask('a'), 'a /');
	await getCache(client).idle();
	t.is(store.size, 2);
	const other = createClient({store}).client;
	t.true((await other(origin.url, {headers: {authorization: 'a'}})).isFromCache);

	const faulty = createClient({store: new FaultyMap()}).client;
	t.is(await faulty(origin.url, {headers: {authorization: 'a'}}).text(), 'a /');
	t.is(await faulty(origin.url, {headers: {authorization: 'b'}}).text(), 'b /');

	const failing = createClient({store: new FaultyMap(), failFast: true}).client;
	await t.throwsAsync(failing(origin.url, {headers: {authorization: 'a'}}), {message: /fault/v});
});
