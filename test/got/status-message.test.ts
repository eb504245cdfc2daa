import {once} from 'node:events';
import net, {type AddressInfo} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import type got from 'got';
import type {Got, RequestError, Response} from 'got';
import {getCache} from '../../source/index.ts';
import {cannedResponse} from '../helpers/canned-response.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {reasonOf, refreshingClient} from '../helpers/refreshing.ts';
import {secure, SecureOrigin} from '../helpers/secure-origin.ts';

/** An origin that says what stands on its status line, and 304 to a request with a condition. */
async function startRawOrigin(t: ExecutionContext, line: string): Promise<{url: string; fail: () => void}> {
	let isFailing = false;
	const server = net.createServer(socket => {
		socket.on('error', () => {});
		socket.on('data', data => {
			const isConditional = /^if-none-match:/imv.test(String(data));
			const status = isFailing ? '503 Not Now' : (isConditional ? '304 Same As Ever' : line);
			const body = isConditional || String(data).startsWith('HEAD') ? '' : 'a body';
			socket.write(`HTTP/1.1 ${status}\r\nETag: "1"\r\nContent-Length: 6\r\n\r\n${isFailing ? 'a body' : body}`);
		});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => {
		server.close();
	});
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		fail() {
			isFailing = true;
		},
	};
}

const lines = ['200 OK', '200 Fine', '200 ', '200', '200 Very Fine: 100%', '404 Not Found', '404 Gone Fishing', '418 ', '299 ', '299 Unheard Of', '599 '];

/** Returns the status messages of the promise API and of the stream API. */
async function messagesOf(client: Got, url: string, options: object = {}): Promise<readonly [promise: string | undefined, stream: string | undefined]> {
	const response = await client(url, {throwHttpErrors: false, ...options}) as Response;
	const stream = client.stream(url, {throwHttpErrors: false, ...options});
	const [streamed] = await once(stream, 'response') as [Response];
	await Array.fromAsync(stream as AsyncIterable<Uint8Array>);
	return [response.statusMessage, streamed.statusMessage];
}

function plainClient(instance: typeof got): Got {
	return instance.extend({retry: {limit: 0}});
}

for (const [name, instance] of majors) {
	for (const line of lines) {
		const statusCode = Number(line.slice(0, 3));
		const settings = {allowableCodes: [200, statusCode]};

		test(`${name}: after the status line "${line}", a miss, a hit, a validation, a stale and an imported response have the message of Got`, async t => {
			const origin = await startRawOrigin(t, line);
			const expected = await messagesOf(plainClient(instance), origin.url);
			t.is(expected[0], expected[1]);
			const {client, clock} = createClient({...settings, staleIfError: true, expireAfter: 60}, instance);

			// A miss, and hits.
			t.is((await client(origin.url, {throwHttpErrors: false})).statusMessage, expected[0]);
			t.deepEqual(await messagesOf(client, origin.url), expected);
			t.is((await client.head(origin.url, {throwHttpErrors: false})).statusMessage, expected[0]);

			// Validated.
			const validated = await client(origin.url, {throwHttpErrors: false, context: {cache: {refresh: true}}});
			t.deepEqual([validated.statusMessage, reasonOf(validated)], [expected[0], 'revalidated']);

			// A stale response instead of an error.
			clock.advance(600);
			origin.fail();
			const standIn = await client(origin.url, {throwHttpErrors: false});
			t.deepEqual([standIn.statusMessage, reasonOf(standIn)], [expected[0], 'stale-if-error']);
			t.deepEqual(await messagesOf(client, origin.url), expected);

			// The stored response, and its copy through an archive.
			const cache = getCache(client);
			const stored = await cache.get({url: origin.url});
			t.is(stored!.statusMessage, expected[0] ?? '');
			const copy = createClient({...settings, now: clock.now}, instance).client;
			await getCache(copy).fromHar(await cache.toHar());
			t.is((await getCache(copy).get({url: origin.url}))!.statusMessage, expected[0] ?? '');
		});

		test(`${name}: after the status line "${line}", a refreshed response has the message of Got`, async t => {
			const origin = await startRawOrigin(t, line);
			const expected = await messagesOf(plainClient(instance), origin.url);
			const {client, expire, idle} = refreshingClient(instance, settings);
			await client(origin.url, {throwHttpErrors: false});
			expire();
			t.deepEqual(await messagesOf(client, origin.url), expected);
			await idle();
			t.deepEqual(await messagesOf(client, origin.url), expected);
		});
	}

	test(`${name}: an error from the cache has the message of the error from the origin`, async t => {
		const origin = await startRawOrigin(t, '404 Gone Fishing');
		const expected = await t.throwsAsync<RequestError>(plainClient(instance)(origin.url));
		const {client} = createClient({allowableCodes: [404]}, instance);
		for (let round = 0; round < 2; round++) {
			const error = await t.throwsAsync<RequestError>(client(origin.url));
			t.is(error.message, expected.message);
			t.is(error.response!.statusMessage, 'Gone Fishing');
		}
	});

	test(`${name}: over HTTP/2, which has no status messages, a miss and a hit have the message of Got`, async t => {
		await using origin = await SecureOrigin.start((request, response) => {
			const isKnown = request.headers['if-none-match'] !== undefined;
			response.writeHead(isKnown ? 304 : 200, {etag: '"1"'});
			response.end(isKnown ? undefined : 'answer');
		});
		const expected = await messagesOf(plainClient(instance).extend(secure), origin.url);
		t.deepEqual(expected, ['OK', 'OK']);
		const {client: plain} = createClient({}, instance);
		const client = plain.extend(secure) as Got;
		t.is((await client(origin.url) as Response).statusMessage, 'OK');
		t.deepEqual(await messagesOf(client, origin.url), expected);
		t.deepEqual(await messagesOf(client, origin.url, {context: {cache: {refresh: true}}}), expected);
		const stored = await Array.fromAsync(getCache(client).filter());
		t.deepEqual(stored.map(({statusMessage}) => statusMessage), ['OK']);
	});

	test(`${name}: a response without a message from a \`request\` function has the message of Got`, async t => {
		const {client: plain} = createClient({}, instance);
		const client = plain.extend({
			request: () => Object.assign(cannedResponse({body: 'answer'}), {statusMessage: undefined}) as never,
		}) as Got;
		t.deepEqual(await messagesOf(client, 'https://example.com'), ['OK', 'OK']);
		t.deepEqual(await messagesOf(client, 'https://example.com'), ['OK', 'OK']);
		t.is((await getCache(client).get({url: 'https://example.com'}))!.statusMessage, 'OK');
	});

	test(`${name}: a response of the cache itself has its own status message`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.setHeader('etag', '"1"');
			response.setHeader('accept-ranges', 'bytes');
			response.end('a body');
		});
		const {client} = createClient({gatewayTimeout: 'respond'}, instance);
		t.deepEqual(await messagesOf(client, origin.url, {context: {cache: {onlyIfCached: true}}}), ['Not Cached', 'Not Cached']);
		await client(origin.url);
		t.deepEqual(await messagesOf(client, origin.url, {headers: {'if-none-match': '"1"'}}), ['Not Modified', 'Not Modified']);
		t.deepEqual(await messagesOf(client, origin.url, {headers: {range: 'bytes=0-1'}}), ['Partial Content', 'Partial Content']);
		t.deepEqual(await messagesOf(client, origin.url, {headers: {range: 'bytes=100-'}}), ['Range Not Satisfiable', 'Range Not Satisfiable']);
		t.deepEqual(await messagesOf(client, 'http://127.0.0.1:1'), ['Gateway Timeout', 'Gateway Timeout']);
	});
}
