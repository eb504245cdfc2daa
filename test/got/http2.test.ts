import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import {constants, type Http2ServerResponse} from 'node:http2';
import net, {type AddressInfo, type Socket} from 'node:net';
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import type {ExtendOptions, Got, Response} from 'got';
import {getCache} from '../../source/index.ts';
import {compare, type Scenario} from '../helpers/behavior.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {secure, SecureOrigin} from '../helpers/secure-origin.ts';
import {standClock} from '../helpers/hand-clock.ts';
import {listen} from '../helpers/listen.ts';

type Own = Omit<ExtendOptions, 'hooks'>;

function both(title: string, where: string, options: () => Own = () => ({})): Scenario {
	return {
		title,
		async run({client, url, recorder}) {
			const mark = where.includes('?') ? '&' : '?';
			const own = client.extend(secure);
			await recorder.promise(own(`${url}${where}${mark}api=promise`, options() as object));
			await recorder.stream(own.stream(`${url}${where}${mark}api=stream`, options() as object));
		},
	};
}

const scenarios: readonly Scenario[] = [
	both('a text is received', '/text'),
	both('the request is sent as it is', '/echo', () => ({headers: {'x-own': 'yes'}, searchParams: {a: 1}})),
	both('a body is sent', '/echo', () => ({method: 'POST', json: {a: 1}})),
	// It comes back in one frame: how a larger one is cut differs from time to time.
	both('a body in bytes is sent', '/echo', () => ({method: 'PUT', body: Buffer.alloc(10_000, 'x')})),
	both('a compressed body is decoded', '/coded/gzip'),
	both('a response without a body is received', '/empty'),
	both('a HEAD has no body', '/text', () => ({method: 'HEAD'})),
	both('an error status is an error', '/status/404'),
	both('a 503 is retried', '/flaky/1', () => ({retry: {limit: 1, calculateDelay: ({computedValue}) => Math.min(computedValue, 1)}})),
	both('a redirect is followed', '/redirect/302?to=/echo'),
	both('a cookie is received', '/cookie/a'),
	both('a truncated body is received up to where it ends', '/reset-stream'),
	both('a late response causes a request timeout', '/hang', () => ({timeout: {request: 600}})),
	both('a late response causes a response timeout', '/hang', () => ({timeout: {response: 600}})),
	both('a late body causes a read timeout', '/hang-body', () => ({timeout: {read: 600}})),
	both('a silent socket causes a socket timeout', '/hang', () => ({timeout: {socket: 600}})),
	both('a certificate without a trusted authority is an error', '/text', () => ({https: {certificateAuthority: []}})),
	{
		title: 'a signal ends the wait for a response, and a body',
		async run({client, url, recorder, site}) {
			const own = client.extend(secure);
			const waiting = new AbortController();
			const pending = recorder.promise(own(`${url}/hang`, {signal: waiting.signal}));
			await site.held();
			waiting.abort();
			await pending;

			const reading = new AbortController();
			const stream = own.stream(`${url}/hang-body`, {signal: reading.signal});
			stream.once('data', () => {
				reading.abort();
			});
			await recorder.stream(stream, async () => once(stream, 'close'));
		},
	},
	{
		title: 'concurrent requests share a connection',
		async run({client, url, recorder}) {
			const own = client.extend(secure);
			await own(`${url}/text`);
			const found = await Promise.all(Array.from({length: 10}, async (_, index) => own(`${url}/echo?${index}`) as Promise<Response<string>>));
			recorder.note('versions', found.map(({httpVersion, body}) => [httpVersion, body]));
		},
	},
	...['promise', 'stream'].map((api): Scenario => ({
		title: `a handshake ends when its caller gives up (${api})`,
		async run({client, recorder}) {
			const {server, connected, port} = await silentServer();
			recorder.addPort(port);
			const own = client.extend(secure);
			const controller = new AbortController();
			if (api === 'promise') {
				const pending = recorder.settle(own(`https://127.0.0.1:${port}/`, {signal: controller.signal}));
				await connected;
				controller.abort();
				await pending;
			} else {
				const stream = own.stream(`https://127.0.0.1:${port}/`);
				recorder.watch(stream);
				await connected;
				stream.destroy();
			}

			recorder.note('is closed', await closes(await connected));
			server.close();
		},
	})),
	{
		title: 'a handshake that takes too long is an error',
		async run({client, recorder}) {
			const {server, connected, port} = await silentServer();
			recorder.addPort(port);
			await recorder.promise(client.extend(secure)(`https://127.0.0.1:${port}/`, {timeout: {secureConnect: 600}}));
			recorder.note('is closed', await closes(await connected));
			server.close();
		},
	},
];

/** A server that says nothing, to whom a handshake never ends. */
async function silentServer(): Promise<{server: net.Server; connected: Promise<Socket>; port: number}> {
	const server = net.createServer();
	await listen(server);
	const connected = (async () => {
		const [socket] = await once(server, 'connection') as [Socket];
		return socket.on('error', () => {}).resume();
	})();
	return {server, connected, port: (server.address() as AddressInfo).port};
}

async function closes(socket: Socket): Promise<boolean> {
	const isClosed = await Promise.race([
		(async () => {
			if (!socket.closed) {
				await once(socket, 'close');
			}

			return true;
		})(),
		delay(2000, false, {ref: false}),
	]);
	socket.destroy();
	return isClosed;
}

for (const [name, instance] of majors) {
	for (const scenario of scenarios) {
		test.serial(`${name} behaves the same with and without a cache over HTTP/2: ${scenario.title}`, async t => {
			await compare(t, scenario, instance, SecureOrigin.start);
		});
	}

	for (const [protocol, alpnProtocols] of [['2.0', ['h2', 'http/1.1']], ['1.1', ['http/1.1']]] as const) {
		test(`${name}: a response over HTTP ${protocol} is served from the cache`, async t => {
			await using origin = await SecureOrigin.start((request, response) => {
				response.writeHead(200, {'content-type': 'text/plain', 'x-path': request.url});
				response.end('secure');
			});
			const client = createClient({}, instance).client.extend(secure, {https: {alpnProtocols: [...alpnProtocols]}}) as Got;
			const first = await client(`${origin.url}/a`);
			const second = await client(`${origin.url}/a`);
			t.false(first.isFromCache);
			t.true(second.isFromCache);
			t.is(second.body, 'secure');
			t.is(second.headers['x-path'], '/a');
			t.deepEqual(Object.keys(second.headers).filter(header => header.startsWith(':')), []);
			t.deepEqual(second.rawHeaders.filter(header => header.startsWith(':')), []);
			t.is(await readStream(client.stream(`${origin.url}/a`) as AsyncIterable<Uint8Array>), 'secure');
			t.is(await readStream(client.stream(`${origin.url}/b`) as AsyncIterable<Uint8Array>), 'secure');
			t.true((await client(`${origin.url}/b`)).isFromCache);
			t.deepEqual(origin.versions, [protocol, protocol]);
		});
	}

	test(`${name}: a truncated body over HTTP/2 is not stored`, async t => {
		await using origin = await SecureOrigin.start((_request, response) => {
			const {stream} = response as unknown as Http2ServerResponse;
			if (origin.requests.length === 3) {
				response.end('whole');
				return;
			}

			response.write('partial', () => {
				stream.close(constants.NGHTTP2_INTERNAL_ERROR);
			});
		});
		const client = createClient({}, instance).client.extend(secure) as Got;

		// Got 15 takes the end of the stream for the end of the body; a cache may not.
		await Promise.allSettled([client(origin.url)]);
		const stream = client.stream(origin.url);
		stream.on('error', () => {});
		await Promise.allSettled([readStream(stream as AsyncIterable<Uint8Array>)]);
		t.is(origin.requests.length, 2);
		const whole = await client(origin.url);
		t.false(whole.isFromCache);
		t.is(whole.body, 'whole');
		t.true((await client(origin.url)).isFromCache);
		t.is(origin.requests.length, 3);
	});

	test.serial(`${name}: a request that waits for a body that is truncated over HTTP/2 is sent at once`, async t => {
		const held = Promise.withResolvers<Http2ServerResponse>();
		await using origin = await SecureOrigin.start((_request, response) => {
			if (origin.requests.length > 1) {
				response.end('whole');
				return;
			}

			response.writeHead(200, {'content-length': '1000'});
			response.write('partial', () => {
				held.resolve(response as unknown as Http2ServerResponse);
			});
		});
		const client = createClient({}, instance).client.extend(secure) as Got;
		const reasons: string[] = [];
		getCache(client).on('refused', ({reason}) => {
			reasons.push(reason);
		});
		const all = Promise.allSettled([client(origin.url), client(origin.url), client(origin.url)]);
		const {stream} = await held.promise;
		// A wait would never end.
		standClock(t);
		stream.close(constants.NGHTTP2_INTERNAL_ERROR);
		// Got 14 and 15 may take the end of the stream for the end of the body.
		const bodies = (await all).slice(1).map(settled => settled.status === 'fulfilled' ? settled.value.body : settled.status);
		t.deepEqual(reasons, ['incomplete']);
		t.deepEqual(bodies, ['whole', 'whole']);
		t.is(origin.requests.length, 2);
	});
}
