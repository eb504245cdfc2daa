import {Buffer} from 'node:buffer';
import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import http, {type ClientRequest, type IncomingMessage, type ServerResponse} from 'node:http';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import got, {type Got} from 'got';
import {getCache} from '../../source/index.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

const text = 'Grüße '.repeat(100);

/** How an origin sends the body: with its head, or later. */
const origins: ReadonlyArray<readonly [title: string, respond: (response: ServerResponse) => void]> = [
	['with its length', response => {
		response.end(text);
	}],
	['in chunks, at once', response => {
		response.write(text.slice(0, 10));
		response.end(text.slice(10));
	}],
	['in chunks that come later', response => {
		response.write(text.slice(0, 10));
		setTimeout(() => {
			response.end(text.slice(10));
		}, 20);
	}],
	['on a connection that ends', response => {
		response.setHeader('Connection', 'close').end(text);
	}],
	['compressed', response => {
		response.setHeader('Content-Encoding', 'gzip').end(gzipSync(text));
	}],
	['with a cookie', response => {
		response.setHeader('Set-Cookie', 'a=b').end(text);
	}],
];

const respondWithText = origins[0]![1];

async function startOrigin(respond: (response: ServerResponse) => void): Promise<Origin> {
	return Origin.start((_request, response) => {
		respond(response);
	});
}

/** Asserts that the cache has the whole body, and gives it. */
async function assertStored(t: ExecutionContext, client: Got, url: string): Promise<void> {
	await getCache(client).idle();
	const {body, isFromCache, rawBody} = await client(url);
	t.true(isFromCache);
	t.is(body, text);
	t.deepEqual(Buffer.from(rawBody).toString(), text);
}

for (const [major, instance] of majors) {
	for (const [title, respond] of origins) {
		test(`${major}: a body that comes ${title} is received and stored, and a caller who changes it changes only its own`, async t => {
			await using origin = await startOrigin(respond);
			const {client} = createClient({storeSetCookie: true}, instance);
			for (let count = 0; count < 3; count++) {
				const {body, rawBody, headers} = await client(origin.url);
				t.is(body, text);
				rawBody.fill(0);
				headers['content-type'] = 'changed';
			}

			t.is(origin.count, 1);
			await assertStored(t, client, origin.url);
		});

		test(`${major}: another listener of the response reads a body that comes ${title}, and it is stored`, async t => {
			await using origin = await startOrigin(respond);
			const {client} = createClient({storeSetCookie: true}, instance);
			const read = async (cached: Got): Promise<readonly unknown[]> => {
				const chunks: Uint8Array[] = [];
				let isEnded = false;
				const promise = cached(origin.url);
				void promise.on('request', (request: ClientRequest) => {
					request.on('response', (response: IncomingMessage) => {
						response.on('data', (chunk: Uint8Array) => {
							chunks.push(chunk);
						});
						response.on('end', () => {
							isEnded = true;
						});
					});
				});
				const {body} = await promise;
				return [body, Buffer.concat(chunks).toString('base64'), isEnded];
			};

			t.deepEqual(await read(client), await read(instance));
			await assertStored(t, client, origin.url);
		});
	}

	test.serial(`${major}: a subscriber that reads the response before Got does not keep it from being stored`, async t => {
		await using origin = await startOrigin(respondWithText);
		const {client} = createClient({}, instance);
		const onResponse = (message: unknown): void => {
			const {response} = message as {readonly response: IncomingMessage};
			if (response.headers['x-read'] === undefined) {
				response.on('data', () => {});
			}
		};

		subscribe('http.client.response.finish', onResponse);
		t.teardown(() => {
			unsubscribe('http.client.response.finish', onResponse);
		});
		t.is((await client(origin.url)).body, text);
		await assertStored(t, client, origin.url);
	});
}

test('a response has ended when Got gives it, and its connection is used again', async t => {
	await using origin = await startOrigin(respondWithText);
	const agent = {http: new http.Agent({keepAlive: true})};
	t.teardown(() => {
		agent.http.destroy();
	});
	const client = createClient().client.extend({agent});
	const sockets = new Set<unknown>();
	for (let index = 0; index < 3; index++) {
		const promise = client(`${origin.url}/${index}`);
		void promise.on('request', (request: ClientRequest) => {
			request.once('socket', socket => {
				sockets.add(socket);
			});
		});
		const response = await promise as unknown as IncomingMessage;
		t.true(response.readableEnded);
		t.true(response.complete);
		t.deepEqual(Object.keys(response).filter(name => name === 'toArray' || name === 'readableEnded'), []);
		const hit = await client(`${origin.url}/${index}`) as unknown as IncomingMessage;
		t.true(hit.readableEnded);
		t.deepEqual(await Array.fromAsync(hit), []);
	}

	t.is(sockets.size, 1);
});

test('a promise that is canceled while the body comes rejects, and stores nothing that is incomplete', async t => {
	await using origin = await startOrigin(response => {
		response.write('begun');
		setTimeout(() => {
			response.end();
		}, 50);
	});
	const {client} = createClient();
	const controller = new AbortController();
	const promise = client(origin.url, {signal: controller.signal});
	void promise.on('downloadProgress', () => {
		controller.abort();
	});
	await t.throwsAsync(promise, {code: 'ERR_ABORTED'});
	t.is(await getCache(client).count(), 0);
	t.is((await got(origin.url)).body, 'begun');
});
