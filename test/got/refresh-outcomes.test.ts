import {Buffer} from 'node:buffer';
import type {ServerResponse} from 'node:http';
import {gunzipSync, gzipSync} from 'node:zlib';
import test from 'ava';
import {clientOfInstance} from '../../source/got/cache-hooks.ts';
import {cacheInfo} from '../../source/index.ts';
import {cannedResponse} from '../helpers/canned-response.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Origin, type Handler} from '../helpers/origin.ts';
import {reasonOf, refreshingClient} from '../helpers/refreshing.ts';

const megabyte = 1_000_000;

/** The first answer is the same for all; then `answer` answers. */
const after = (answer: Handler): Handler => {
	let isFirst = true;
	return (request, response, body) => {
		if (isFirst) {
			isFirst = false;
			response.writeHead(200, {etag: '"1"', 'x-count': '1'});
			response.end('first');
		} else {
			answer(request, response, body);
		}
	};
};

/** Answers of the origin to a refresh, what is stored then, what it failed with, and how often it was sent. */
const outcomes: ReadonlyArray<{
	readonly title: string;
	readonly answer: Handler;
	readonly stored: readonly [body: string, reason: 'fresh' | 'stale-while-revalidate'];
	readonly error?: {readonly code?: string; readonly message?: RegExp};

	/** The number of requests of the refresh. Default: 1. */
	readonly asked?: number;
}> = [
	{
		title: 'a complete response, it is stored',
		answer(_request, response) {
			response.end('second');
		},
		stored: ['second', 'fresh'],
	},
	{
		title: 'a 304, the stored response is freshened',
		answer(_request, response) {
			response.writeHead(304, {etag: '"1"'});
			response.end();
		},
		stored: ['first', 'fresh'],
	},
	{
		title: 'a 404, the stored response stays',
		answer(_request, response) {
			response.writeHead(404);
			response.end('missing');
		},
		stored: ['first', 'stale-while-revalidate'],
	},
	{
		title: 'a 501, it is reported',
		answer(_request, response) {
			response.writeHead(501);
			response.end('no');
		},
		stored: ['first', 'stale-while-revalidate'],
		error: {code: 'ERR_REFRESH_FAILED', message: /501/v},
	},
	{
		title: 'a truncated body, it is not stored',
		answer(_request, response) {
			response.writeHead(200, {'content-length': '100'});
			response.write('part', () => {
				response.destroy();
			});
		},
		stored: ['first', 'stale-while-revalidate'],
		error: {code: 'ECONNRESET'},
		asked: 2,
	},
	{
		title: 'a truncated chunked body, it is not stored',
		answer(_request, response) {
			response.write('part', () => {
				response.destroy();
			});
		},
		stored: ['first', 'stale-while-revalidate'],
		error: {code: 'ECONNRESET'},
		asked: 2,
	},
	{
		title: 'a body with a Content-Length that is too large, it is not read',
		answer(_request, response) {
			response.writeHead(200, {'content-length': String(100 * megabyte)});
			response.write('x'.repeat(megabyte));
		},
		stored: ['first', 'stale-while-revalidate'],
	},
	{
		title: 'a body that turns out to be too large, reading stops',
		answer(_request, response) {
			const more = (): void => {
				if (!response.destroyed) {
					response.write('x'.repeat(megabyte), more);
				}
			};

			more();
		},
		stored: ['first', 'stale-while-revalidate'],
	},
	{
		title: 'an endless body of a response that is not stored, reading stops',
		answer(_request, response) {
			response.writeHead(404);
			const more = (): void => {
				if (!response.destroyed) {
					response.write('x'.repeat(1000), more);
				}
			};

			more();
		},
		stored: ['first', 'stale-while-revalidate'],
	},
	{
		title: 'a response that is not HTTP, it is an error event and is not retried',
		answer(_request, response) {
			response.socket!.end('rubbish\r\n\r\n');
		},
		stored: ['first', 'stale-while-revalidate'],
		error: {code: 'HPE_INVALID_CONSTANT'},
	},
];

for (const [name, instance] of majors) {
	for (const {title, answer, stored, error, asked = 1} of outcomes) {
		test(`${name}: if a refresh gets ${title}`, async t => {
			await using origin = await Origin.start(after(answer));
			const {client, expire, idle, errors} = refreshingClient(instance, {maxEntryBytes: 2 * megabyte});
			await client(origin.url);
			expire();
			t.is((await client(origin.url)).body, 'first');
			await idle();
			t.is(origin.count, 1 + asked);
			t.is(errors.length, error === undefined ? 0 : 1);
			t.is(errors[0]?.code, error?.code);
			t.regex(errors[0]?.message ?? '', error?.message ?? /^/v);

			const last = await client(origin.url);
			t.deepEqual([last.body, reasonOf(last)], stored);
			await idle();
		});
	}
}

for (const [name, instance] of majors) {
	test(`${name}: a refresh follows no redirect, and stores it as any other`, async t => {
		await using origin = await Origin.start((request, response) => {
			if (request.url === '/' && origin.count > 1) {
				response.writeHead(302, {location: '/elsewhere'});
			}

			response.end(request.url);
		});
		const {client, expire, idle, errors} = refreshingClient(instance);
		await client(`${origin.url}/`);
		expire();
		t.is((await client(`${origin.url}/`)).body, '/');
		await idle();
		t.deepEqual(origin.requests.map(({url}) => url), ['/', '/']);
		t.deepEqual(errors, []);
		const last = await client(`${origin.url}/`);
		t.is(last.body, '/elsewhere');
		t.is(last.redirectUrls.length, 1);
		t.deepEqual(origin.requests.map(({url}) => url), ['/', '/', '/elsewhere']);
	});

	test(`${name}: each redirect of a chain is refreshed separately`, async t => {
		await using origin = await Origin.start((request, response) => {
			if (request.url === '/') {
				response.writeHead(302, {location: '/elsewhere'});
			}

			response.end(`answer ${origin.count}`);
		});
		const {client, expire, idle, errors} = refreshingClient(instance);
		t.is((await client(`${origin.url}/`)).body, 'answer 2');
		expire();
		t.is((await client(`${origin.url}/`)).body, 'answer 2');
		await idle();
		t.deepEqual(origin.requests.map(({url}) => url).toSorted(), ['/', '/', '/elsewhere', '/elsewhere']);
		t.deepEqual(errors, []);
		const last = await client(`${origin.url}/`);
		t.is(reasonOf(last), 'fresh');
		t.not(last.body, 'answer 2');
	});

	test(`${name}: a refresh without validators that gets a 304 is sent again`, async t => {
		await using origin = await Origin.start((request, response) => {
			if (origin.count === 2) {
				response.writeHead(304, {etag: '"other"'});
			}

			response.end(request.method === 'HEAD' || origin.count === 2 ? undefined : `answer ${origin.count}`);
		});
		const {client, expire, idle, errors} = refreshingClient(instance);
		await client(origin.url);
		expire();
		await client(origin.url);
		await idle();
		t.is(origin.count, 3);
		t.is(origin.requests[2]!.headers['if-none-match'], undefined);
		t.deepEqual(errors, []);
		const last = await client(origin.url);
		t.deepEqual([last.body, reasonOf(last)], ['answer 3', 'fresh']);
	});

	test(`${name}: a refresh without validators that gets only 304s is sent twice`, async t => {
		await using origin = await Origin.start((_request, response) => {
			if (origin.count > 1) {
				response.writeHead(304);
			}

			response.end(origin.count > 1 ? undefined : 'answer');
		});
		const {client, expire, idle, errors} = refreshingClient(instance);
		await client(origin.url);
		expire();
		await client(origin.url);
		await idle();
		t.is(origin.count, 3);
		t.deepEqual(errors, []);
	});

	for (const decompress of [true, false]) {
		test(`${name}: with \`decompress: ${decompress}\`, the compressed body of a refresh is stored as that of a request`, async t => {
			await using origin = await Origin.start((_request, response) => {
				response.writeHead(200, {'content-encoding': 'gzip'});
				response.end(gzipSync(`answer ${origin.count}`));
			});
			const {client, expire, idle} = refreshingClient(instance);
			const ask = async () => client(origin.url, {decompress, responseType: 'buffer', headers: {'accept-encoding': 'gzip'}});
			const first = await ask();
			expire();
			await ask();
			await idle();
			const last = await ask();
			t.is(reasonOf(last), 'fresh');
			t.is(last.headers['content-encoding'], decompress ? undefined : 'gzip');
			t.is((decompress ? Buffer.from(last.body) : gunzipSync(last.body)).toString(), 'answer 2');
			t.is((decompress ? Buffer.from(first.body) : gunzipSync(first.body)).toString(), 'answer 1');
			t.is(origin.count, 2);
		});
	}

	test(`${name}: with \`cacheControl\`, a refresh that gets \`no-store\` deletes the stored response`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.writeHead(200, {'cache-control': origin.count === 2 ? 'no-store' : 'max-age=60, stale-while-revalidate=600', date: new Date(clock.now()).toUTCString()});
			response.end(`answer ${origin.count}`);
		});
		const {client, clock, expire, idle, errors} = refreshingClient(instance, {cacheControl: true, expireAfter: undefined, staleWhileRevalidate: undefined});
		await client(origin.url);
		expire();
		t.is((await client(origin.url)).body, 'answer 1');
		await idle();
		t.deepEqual(errors, []);
		const last = await client(origin.url);
		t.deepEqual([last.body, reasonOf(last)], ['answer 3', 'miss']);
	});

	test(`${name}: each variant is refreshed with the headers of its own request`, async t => {
		await using origin = await Origin.start((request, response) => {
			response.writeHead(200, {vary: 'accept-language'});
			response.end(`${request.headers['accept-language']} ${origin.count}`);
		});
		const {client, expire, idle} = refreshingClient(instance);
		const ask = async (language: string) => client(origin.url, {headers: {'accept-language': language}});
		await ask('de');
		await ask('en');
		expire();
		t.deepEqual((await Promise.all(['de', 'en', 'de', 'en'].map(async language => ask(language)))).map(({body}) => body), ['de 1', 'en 2', 'de 1', 'en 2']);
		await idle();
		t.is(origin.count, 4);
		t.deepEqual(origin.requests.slice(2).map(({headers}) => headers['accept-language']), ['de', 'en']);
		for (const language of ['de', 'en']) {
			const last = await ask(language);
			t.is(reasonOf(last), 'fresh');
			t.regex(last.body, new RegExp(`^${language} [34]$`, 'v'));
		}
	});

	test(`${name}: responses that \`matchHeaders\` separates are refreshed separately`, async t => {
		await using origin = await Origin.start((request, response) => {
			response.end(`${String(request.headers['x-tenant'])} ${origin.count}`);
		});
		const {client, expire, idle} = refreshingClient(instance, {matchHeaders: ['x-tenant']});
		const ask = async (tenant: string) => client(origin.url, {headers: {'x-tenant': tenant}});
		await ask('a');
		await ask('b');
		expire();
		await Promise.all([ask('a'), ask('b'), ask('a')]);
		await idle();
		t.deepEqual([(await ask('a')).body.slice(0, 1), (await ask('b')).body.slice(0, 1)], ['a', 'b']);
		t.is(origin.count, 4);
	});

	test(`${name}: the refresh of a HEAD that a stored GET answered does not change the body of the GET`, async t => {
		await using origin = await Origin.start((request, response) => {
			response.end(request.method === 'HEAD' ? undefined : `answer ${origin.count}`);
		});
		const {client, expire, idle, errors} = refreshingClient(instance);
		await client(origin.url);
		expire();
		const head = await client.head(origin.url);
		t.is(reasonOf(head), 'stale-while-revalidate');
		await idle();
		t.deepEqual(errors, []);
		t.deepEqual(origin.requests.map(({method}) => method), ['GET', 'HEAD']);
		t.is((await client(origin.url)).body, 'answer 1');
		await idle();
	});

	test(`${name}: a response that is deleted during its refresh stays deleted`, async t => {
		const held = Promise.withResolvers<ServerResponse>();
		await using origin = await Origin.start((_request, response) => {
			if (origin.count === 2) {
				held.resolve(response);
			} else {
				response.end(`answer ${origin.count}`);
			}
		});
		const {client, cache, expire, idle} = refreshingClient(instance);
		await client(origin.url);
		expire();
		await client(origin.url);
		const response = await held.promise;
		await cache.delete({urls: [origin.url]});
		response.end('answer 2');
		await idle();
		const last = await client(origin.url);
		t.deepEqual([last.body, reasonOf(last)], ['answer 3', 'miss']);
	});
}

test('rejected credentials are stored for the last 1000 keys', async t => {
	const {client} = createClient();
	const rejected = client.extend({throwHttpErrors: false, request: async () => cannedResponse({statusCode: 401})});
	const keys: string[] = [];
	for (let index = 0; index <= 1000; index++) {
		keys.push(cacheInfo(await rejected(`https://example.com/${index}`)).key!);
	}

	const {rejectedKeys} = clientOfInstance(client).cache;
	t.deepEqual([...rejectedKeys], keys.slice(1));
	await client.extend({request: async () => cannedResponse({})})('https://example.com/1000');
	t.deepEqual([...rejectedKeys], keys.slice(1, -1), 'what the origin accepts is not rejected');
});
