import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import fs from 'node:fs/promises';
import http, {createServer} from 'node:http';
import net, {type AddressInfo} from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {PassThrough, Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {setImmediate as nextTurn} from 'node:timers/promises';
import test from 'ava';
import type {
	ExtendOptions,
	Options,
	Progress,
	Request,
	Response,
} from 'got';
import {CookieJar} from 'tough-cookie';
import {compare, type Scenario, type Setup} from '../helpers/behavior.ts';
import {majors} from '../helpers/clients.ts';
import {testUnhandledRejections} from '../helpers/unhandled-rejections.ts';

testUnhandledRejections(test);

type Own = Omit<ExtendOptions, 'hooks'> & {readonly hooks?: ExtendOptions['hooks']};

/** Retries without long delays. */
const retry: ExtendOptions['retry'] = {limit: 2, calculateDelay: ({computedValue}) => Math.min(computedValue, 1)};

/** The same request through the promise and the stream API. */
function both(title: string, where: string, options: (stage: Setup) => Own = () => ({})): Scenario {
	return {
		title,
		async run(stage) {
			const {client, url, recorder} = stage;
			const mark = where.includes('?') ? '&' : '?';
			await recorder.promise(client(`${url}${where}${mark}api=promise`, options(stage) as object));
			const stream = client.stream(`${url}${where}${mark}api=stream`, options(stage) as object);
			await recorder.stream(stream);
		},
	};
}

const answers: readonly Scenario[] = [
	both('a text is received', '/text'),
	both('JSON is received', '/json', () => ({responseType: 'json'})),
	both('bytes are received', '/bytes', () => ({responseType: 'buffer'})),
	both('another encoding is read', '/bytes', () => ({encoding: 'latin1'})),
	{
		title: 'json(), text() and buffer() return the body',
		async run({client, url, recorder}) {
			await recorder.settle(client(`${url}/json?1`).json());
			await recorder.settle(client(`${url}/json?2`).text());
			await recorder.settle(client(`${url}/json?3`).buffer());
			await recorder.settle(client(`${url}/json?4`, {resolveBodyOnly: true}));
			await recorder.settle(client(`${url}/bad-json`).json());
		},
	},
	both('a body that is not JSON is an error', '/bad-json', () => ({responseType: 'json'})),
	both('an error status is an error', '/status/404'),
	both('an error status is no error with `throwHttpErrors: false`', '/status/500', () => ({throwHttpErrors: false})),
	both('a status message is preserved', '/status/418', () => ({throwHttpErrors: false})),
	both('a response without a body is received', '/empty'),
	both('a precondition of the caller gets a 304', '/not-modified', () => ({headers: {'if-none-match': '"1"'}})),
	both('early hints are received before the response', '/early'),
	both('trailers are received', '/trailers'),
	both('a body that ends with its connection is received', '/close'),
	both('a HEAD has no body', '/text', () => ({method: 'HEAD'})),
	both('a HEAD of a compressed body has no body', '/coded/gzip', () => ({method: 'HEAD'})),
	...['gzip', 'deflate', 'br'].map(coding => both(`${coding} is decoded`, `/coded/${coding}`)),
	both('a compressed body stays compressed with `decompress: false`', '/coded/gzip', () => ({decompress: false, headers: {'accept-encoding': 'gzip'}, responseType: 'buffer'})),
	both('the length of a compressed body is checked', '/coded/gzip', () => ({strictContentLength: true})),
	both('an unknown content coding is not decoded', '/unknown-coding'),
	both('a body without the coding of its Content-Encoding is an error', '/bad-gzip'),
	both('a truncated compressed body is an error', '/short-gzip'),
	both('`searchParams` are sent', '/echo', () => ({searchParams: {a: 'b c', d: [1].join(','), e: undefined}})),
	{
		title: 'a prefix is put before the path',
		async run({client, url, recorder}) {
			const prefixed = client.extend({prefixUrl: `${url}/echo`});
			await recorder.promise(prefixed('below', {searchParams: new URLSearchParams([['a', '1'], ['a', '2']])}));
			await recorder.stream(prefixed.stream('stream'));
			await recorder.settle(prefixed('/slash').text());
		},
	},
	both('credentials in the options are sent', '/echo', () => ({username: 'käthe', password: 'p:w'})),
	{
		title: 'credentials in the URL are sent, and not shown',
		async run({client, url, recorder}) {
			await recorder.promise(client(url.replace('//', '//user:pass@') + '/echo'));
			await recorder.promise(client(url.replace('//', '//user:pass@') + '/status/404'));
			await recorder.promise(client(url.replace('//', '//user:pass@') + '/echo?none', {headers: {authorization: undefined}}));
		},
	},
	both('headers are sent as they are given', '/echo', () => ({headers: {'X-Mixed': 'Case', 'x-list': ['1', '2'], 'user-agent': undefined}})),
	both('explicit Host and Connection headers are sent', '/echo', () => ({headers: {host: 'example.com', connection: 'close'}})),
	{
		title: 'an invalid URL, header or option is an error',
		async run({client, url, recorder}) {
			await recorder.settle(client('not a url'));
			await recorder.settle(client('ftp://example.com'));
			await recorder.settle(client(`${url}/text`, {headers: {'x-wrong': 'line\nbreak'}}));
			await recorder.settle(client(`${url}/text`, {method: 'GET', json: {}}));
			await recorder.settle(client('http://unix:/nowhere:/'));
		},
	},
	{
		title: 'a request to a Unix socket is answered',
		async run({client, recorder}) {
			const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'got-cache-'));
			const server = createServer((request, response) => {
				response.end(`${request.url} of ${request.headers.host}`);
			});
			const socket = path.join(folder, 's');
			server.listen(socket);
			await once(server, 'listening');
			await recorder.settle(client(`unix:${socket}:/a`, {enableUnixSockets: true}).text());
			await recorder.settle(client(`http://unix:${socket}:/b?c`, {enableUnixSockets: true}).text());
			server.closeAllConnections();
			server.close();
			await fs.rm(folder, {recursive: true});
		},
	},
];

const failures: readonly Scenario[] = [
	both('a truncated body is an error', '/short'),
	both('a body that is shorter than its Content-Length is an error', '/short', () => ({strictContentLength: true})),
	both('a shorter body is no error with `strictContentLength: false`', '/short', () => ({strictContentLength: false})),
	both('a truncated chunked body is an error', '/cut'),
	both('a connection reset is an error', '/reset/9'),
	both('a response that is not HTTP is an error', '/rubbish'),
	{
		title: 'a refused connection is an error',
		async run({client, recorder}) {
			const server = net.createServer();
			server.listen(0, '127.0.0.1');
			await once(server, 'listening');
			const {port} = server.address() as AddressInfo;
			recorder.addPort(port);
			server.close();
			await once(server, 'close');
			await recorder.promise(client(`http://127.0.0.1:${port}/`));
			await recorder.stream(client.stream(`http://127.0.0.1:${port}/`));
		},
	},
	both('a late response causes a request timeout', '/hang', () => ({timeout: {request: 600}})),
	both('a late response causes a response timeout', '/hang', () => ({timeout: {response: 600}})),
	both('a late body causes a request timeout', '/hang-body', () => ({timeout: {request: 600}})),
	both('a late body causes a read timeout', '/hang-body', () => ({timeout: {read: 600}})),
	both('a silent socket causes a socket timeout', '/hang', () => ({timeout: {socket: 600}})),
	both('a signal with a time limit ends the request', '/hang', ({site}) => ({signal: site.timeoutSignal()})),
	both('a response within all timeouts is no error', '/text', () => ({
		timeout: {
			request: 60_000, response: 60_000, read: 60_000, socket: 60_000, connect: 60_000, send: 60_000, lookup: 60_000,
		},
	})),
	{
		title: 'a slow DNS lookup causes a lookup timeout',
		async run({client, recorder}) {
			await recorder.promise(client('https://nowhere.test', {dnsLookup() {}, timeout: {lookup: 600}} as object));
		},
	},
	{
		title: 'a slow handshake causes a secureConnect timeout',
		async run({client, recorder}) {
			const server = net.createServer(socket => {
				socket.on('error', () => {}).resume();
			});
			server.listen(0, '127.0.0.1');
			await once(server, 'listening');
			const {port} = server.address() as AddressInfo;
			recorder.addPort(port);
			await recorder.promise(client(`https://127.0.0.1:${port}/`, {timeout: {secureConnect: 600}}));
			server.close();
			await once(server, 'close');
		},
	},
	both('a 503 is retried', '/flaky/2', () => ({retry})),
	both('a 503 with Retry-After is retried', '/flaky/1?after', () => ({retry: {limit: 1}})),
	both('a repeated 503 is an error after the last retry', '/flaky/5', () => ({retry})),
	both('a repeated 503 is no error with `throwHttpErrors: false`', '/flaky/5', () => ({retry, throwHttpErrors: false})),
	both('a connection reset is retried', '/reset/2', () => ({retry})),
	both('a truncated body is retried', '/cut-once', () => ({retry})),
	both('a response timeout is retried', '/hang', () => ({retry: {...retry, limit: 1}, timeout: {response: 600}})),
	{
		title: 'a listener of `retry` creates the stream again',
		async run({client, url, recorder}) {
			const first = client.stream(`${url}/flaky/2`, {retry});
			await new Promise<void>(resolve => {
				const follow = (stream: Request): void => {
					recorder.watch(stream);
					stream.once('retry', (count, error, createRetryStream: (options?: object) => Request) => {
						recorder.note('retry', [count, recorder.error(error)]);
						follow(createRetryStream());
					});
					stream.on('data', (chunk: Uint8Array) => {
						recorder.note('data', Buffer.from(chunk).toString());
					});
					stream.once('end', resolve);
				};

				follow(first);
			});
		},
	},
	{
		title: 'the stream of a retry may have other options',
		async run({client, url, recorder}) {
			const first = client.stream(`${url}/flaky/9`, {retry: {...retry, limit: 1}});
			const again = await new Promise<Request>(resolve => {
				first.once('retry', (_count, _error, createRetryStream: (options?: object) => Request) => {
					resolve(createRetryStream({headers: {'x-again': 'yes'}, searchParams: {again: 1}}));
				});
			});
			await recorder.stream(again);
		},
	},
	{
		title: 'a stream that was retried is piped to its destination',
		async run({client, url, recorder}) {
			const stream = client.stream(`${url}/reset/1`, {retry});
			const target = new PassThrough();
			recorder.watch(stream);
			stream.once('retry', (_count, _error, createRetryStream: (options?: object) => Request) => {
				createRetryStream().pipe(target);
			});
			recorder.note('body', Buffer.concat(await Array.fromAsync(target)).toString());
		},
	},
	{
		title: '`beforeRetry` and `beforeError` hooks are called',
		async run({client, url, recorder}) {
			const hooked = client.extend({
				retry,
				hooks: {
					beforeRetry: [(error, count) => {
						recorder.note('beforeRetry', [count, recorder.error(error)]);
						error.options.headers['x-count'] = String(count);
						error.options.searchParams = new URLSearchParams({try: String(count)});
					}],
					beforeError: [error => {
						recorder.note('beforeError', recorder.error(error));
						error.message = 'Told otherwise';
						return error;
					}],
				},
			});
			await recorder.promise(hooked(`${url}/flaky/9`));
			await recorder.stream(hooked.stream(`${url}/flaky/9?stream`));
		},
	},
	{
		title: 'an error of `calculateDelay` is the error of the request',
		async run({client, url, recorder}) {
			await recorder.promise(client(`${url}/flaky/1`, {
				retry: {
					limit: 1,
					calculateDelay() {
						throw new Error('No more retries');
					},
				},
			}));
		},
	},
];

const aborts: readonly Scenario[] = [
	both('an aborted signal ends the request', '/text', () => ({signal: AbortSignal.abort()})),
	{
		title: 'a signal ends the wait for a response',
		async run({client, url, recorder, site}) {
			const promise = new AbortController();
			const pending = recorder.promise(client(`${url}/hang?promise`, {signal: promise.signal}));
			const response = await site.held();
			promise.abort();
			await pending;
			await closed(response);

			const stream = new AbortController();
			const reading = recorder.stream(client.stream(`${url}/hang?stream`, {signal: stream.signal}));
			const other = await site.held();
			stream.abort();
			await reading;
			await closed(other);
		},
	},
	{
		title: 'a signal ends reading the body',
		async run({client, url, recorder, site}) {
			for (const api of ['promise', 'stream']) {
				const controller = new AbortController();
				const {signal} = controller;
				const where = `${url}/hang-body?${api}`;
				const abortOn = <T extends {on: (event: 'downloadProgress', listener: (progress: {transferred: number}) => void) => unknown}>(request: T): T => {
					request.on('downloadProgress', ({transferred}) => {
						if (transferred > 0) {
							controller.abort(new Error('Enough'));
						}
					});
					return request;
				};

				await (api === 'promise' ? recorder.promise(abortOn(client(where, {signal}))) : recorder.stream(abortOn(client.stream(where, {signal}))));
				await closed(await site.held());
			}
		},
	},
	{
		title: 'a signal ends the delay before a retry',
		async run({client, url, recorder}) {
			const controller = new AbortController();
			await recorder.promise(client(`${url}/flaky/9`, {
				signal: controller.signal,
				retry: {
					limit: 1,
					calculateDelay() {
						setImmediate(() => {
							controller.abort();
						});
						return 10_000;
					},
				},
			}));
		},
	},
	{
		title: 'a signal that aborts after the response has no effect',
		async run({client, url, recorder}) {
			const controller = new AbortController();
			await recorder.promise(client(`${url}/text?promise`, {signal: controller.signal}));
			await recorder.stream(client.stream(`${url}/text?stream`, {signal: controller.signal}));
			controller.abort();
			await nextTurn();
			recorder.note('done');
		},
	},
	{
		title: 'a stream is destroyed before its response, and while its body is read',
		async run({client, url, recorder, site}) {
			for (const error of [undefined, new Error('Enough')]) {
				const waiting = client.stream(`${url}/hang?${error}`);
				recorder.watch(waiting);
				const response = await site.held();
				waiting.destroy(error);
				await closed(response);

				const reading = client.stream(`${url}/hang-body?${error}`);
				recorder.watch(reading);
				reading.once('data', (chunk: Uint8Array) => {
					recorder.note('data', Buffer.from(chunk).toString());
					reading.destroy(error);
				});
				await closed(await site.held());
				recorder.note('destroyed', {isAborted: reading.isAborted, destroyed: reading.destroyed, timings: Object.keys(reading.timings ?? {})});
			}
		},
	},
	{
		title: 'a reader that stops reading a stream destroys it',
		async run({client, url, recorder, site}) {
			const iterator = client.stream(`${url}/hang-body`)[Symbol.asyncIterator]();
			const {value} = await iterator.next() as {value: Uint8Array};
			recorder.note('chunk', Buffer.from(value).toString());
			await iterator.return!();

			await closed(await site.held());
		},
	},
];

const progress: readonly Scenario[] = [
	...['', '/unknown-length'].map((kind): Scenario => ({
		title: `the progress of a download is emitted (/steps${kind})`,
		async run({client, url, recorder, site}) {
			const promise = client(`${url}/steps${kind}?promise`);
			void site.answerInSteps(seen => {
				void promise.on('downloadProgress', ({transferred}) => {
					seen(transferred);
				});
				seen(0);
			});
			await recorder.promise(promise);

			const stream = client.stream(`${url}/steps${kind}?stream`);
			void site.answerInSteps(seen => {
				stream.on('downloadProgress', ({transferred}: Progress) => {
					seen(transferred);
				});
				seen(0);
			});
			await recorder.stream(stream);
		},
	})),
	// The answer is short: in how many pieces a long one comes is up to the network.
	both('the progress of an upload is emitted', '/text', () => ({method: 'POST', body: Buffer.alloc(200_000, 'x')})),
	{
		title: 'a chunk reaches the caller before the next one is sent, with backpressure',
		async run({client, url, recorder, site}) {
			const stream = client.stream(`${url}/steps`);
			const response = await site.held();
			response.write('first');
			const [chunk] = await once(stream, 'data') as [Uint8Array];
			recorder.note('data', Buffer.from(chunk).toString());
			stream.pause();
			response.write('second');
			await once(stream, 'readable');
			recorder.note('read', Buffer.from(stream.read() as Uint8Array).toString());
			stream.destroy();
			await closed(response);
		},
	},
];

async function * generate(): AsyncGenerator<string> {
	yield 'one ';
	yield 'two';
}

const form = (): FormData => {
	const data = new FormData();
	data.set('field', 'value');
	data.set('file', new File(['content'], 'name.txt', {type: 'text/plain'}));
	return data;
};

const bodies: ReadonlyArray<readonly [name: string, options: () => Own]> = [
	['a string', () => ({body: 'text'})],
	['JSON', () => ({json: {a: [1]}})],
	['a form', () => ({form: {a: 'b c'}})],
	['a buffer', () => ({body: Buffer.from('bytes')})],
	['a view', () => ({body: new Uint16Array([1, 2])})],
	['a stream', () => ({body: Readable.from(['one ', 'two'])})],
	['a generator', () => ({body: generate()})],
	['FormData', () => ({body: form() as never})],
	['nothing', () => ({})],
];

const uploads: readonly Scenario[] = [
	...bodies.map(([name, options]): Scenario => ({
		title: `${name} is sent as a body`,
		async run({client, url, recorder}) {
			for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
				await recorder.promise(client(`${url}/echo?${method}`, {method, ...options()} as object));
			}

			if (name === 'nothing') {
				return;
			}

			await recorder.stream(client.stream.post(`${url}/echo?stream`, options() as object));
			await recorder.promise(client(`${url}/echo?get`, {...options(), allowGetBody: true} as object));
		},
	})),
	{
		title: 'a body is piped into a stream',
		async run({client, url, recorder}) {
			await recorder.stream(client.stream.post(`${url}/echo`), async stream => {
				let body = '';
				await pipeline(Readable.from(['piped ', 'body']), stream, async source => {
					for await (const chunk of source as AsyncIterable<Uint8Array>) {
						body += String(chunk);
					}
				});
				return body;
			});
			const stream = client.stream.put(`${url}/echo?end`);
			stream.end('ended');
			await recorder.stream(stream);
		},
	},
	{
		title: 'an error of the request body is the error of the request',
		async run({client, url, recorder}) {
			const failing = (): Readable => new Readable({
				read() {
					this.destroy(new Error('No more'));
				},
			});
			await recorder.promise(client.post(`${url}/echo`, {body: failing()}));
			await recorder.stream(client.stream.post(`${url}/echo`, {body: failing()}));
		},
	},
	{
		title: 'a retry sends the body again, unless it can be read only once',
		async run({client, url, recorder}) {
			const retrying = client.extend({retry: {...retry, methods: ['POST']}});
			// Got 14 by itself never ends a retry with form data.
			const sendable = bodies.filter(([name]) => name !== 'FormData' || 'isHeaderExplicitlySet' in client.defaults.options);
			for (const [name, options] of sendable) {
				await recorder.promise(retrying.post(`${url}/flaky/1?${encodeURIComponent(name)}`, options() as object));
			}
		},
	},
	{
		title: 'a stream is piped to a server\'s response with its status and headers',
		async run({client, url, recorder}) {
			const proxy = createServer((request, response) => {
				const stream = client.stream(url + request.url!, {throwHttpErrors: false, method: request.method as 'GET'});
				stream.on('error', () => {
					response.destroy();
				});
				request.pipe(stream).pipe(response);
			});
			proxy.listen(0, '127.0.0.1');
			await once(proxy, 'listening');
			const {port} = proxy.address() as AddressInfo;
			recorder.addPort(port);
			for (const [where, init] of [['/text'], ['/coded/gzip'], ['/status/404'], ['/echo', {method: 'POST', body: 'from afar'}], ['/short']] as ReadonlyArray<[string, RequestInit?]>) {
				try {
					const response = await fetch(`http://127.0.0.1:${port}${where}`, init);
					recorder.note(where, [response.status, [...response.headers], await response.text()]);
				} catch (error) {
					recorder.note(where, (error as Error).message);
				}
			}

			proxy.closeAllConnections();
			proxy.close();
		},
	},
];

const redirects: readonly Scenario[] = [
	...[300, 301, 302, 303, 307, 308].map((code): Scenario => both(`a ${code} is followed`, `/redirect/${code}?to=${encodeURIComponent('/echo?followed=')}`)),
	...[301, 302, 303, 307, 308].map((code): Scenario => ({
		title: `a ${code} to a POST is followed, with its method rewritten if required`,
		async run({client, url, recorder}) {
			for (const [index, methodRewriting] of [true, false].entries()) {
				await recorder.promise(client.post(`${url}/redirect/${code}?to=/echo%3Fjson${index}`, {json: {a: 1}, methodRewriting}));
				await recorder.promise(client.post(`${url}/redirect/${code}?to=/echo%3Fstream${index}`, {body: Readable.from(['once']), methodRewriting}));
				await recorder.stream(client.stream.post(`${url}/redirect/${code}?to=/echo%3Fs${index}`, {body: 'text', methodRewriting}));
			}
		},
	})),
	both('endless redirects are an error', '/loop/1'),
	both('redirects are followed up to `maxRedirects`', '/loop/1', () => ({maxRedirects: 2})),
	both('a redirect is not followed with `followRedirect: false`', '/redirect/302?to=/text', () => ({followRedirect: false})),
	both('a `followRedirect` function decides about each redirect', '/redirect/302?to=/redirect/301%3Fto%3D/text', ({recorder}) => ({
		followRedirect(response) {
			recorder.note('followRedirect', response.statusCode);
			return response.statusCode === 302;
		},
	})),
	both('a redirect to an invalid URL is an error', '/redirect/302?to=http://['),
	both('a redirect to another protocol is an error', '/redirect/302?to=unix:/tmp/x:/'),
	both('a redirect keeps the fragment', '/redirect/302?to=/echo#part'),
	both('`beforeRedirect` hooks are called, and change the request', '/redirect/302?to=/echo', ({recorder}) => ({
		hooks: {
			beforeRedirect: [(options, response) => {
				recorder.note('beforeRedirect', [options.url, response.statusCode, response.url]);
				options.headers['x-hop'] = 'second';
				options.searchParams = new URLSearchParams({hop: '2'});
			}],
		},
	})),
	both('a 503 of the target of a redirect is retried', '/redirect/302?to=/flaky/1', () => ({retry})),
	{
		title: 'a redirect to another origin does not send credentials',
		async run({client, url, recorder}) {
			const other = createServer((request, response) => {
				response.end(JSON.stringify({...request.headers, connection: 'any'}));
			});
			other.listen(0, '127.0.0.1');
			await once(other, 'listening');
			const {port} = other.address() as AddressInfo;
			recorder.addPort(port);
			await recorder.promise(client(`${url}/redirect/302?to=http://127.0.0.1:${port}/`, {
				username: 'user',
				password: 'pass',
				headers: {cookie: 'a=1', 'x-kept': 'yes'},
			}));
			other.closeAllConnections();
			other.close();
		},
	},
];

const cookies: readonly Scenario[] = [
	{
		title: 'cookies are stored and sent, also across redirects',
		async run({client, url, recorder}) {
			const cookieJar = new CookieJar();
			const own = client.extend({cookieJar});
			await recorder.promise(own(`${url}/echo?before`));
			await recorder.promise(own(`${url}/cookie/first`));
			await recorder.promise(own(`${url}/cookie/second?to=/echo%3Fafter`));
			await recorder.stream(own.stream(`${url}/cookie/third?to=/echo%3Fstream`));
			await recorder.stream(own.stream(`${url}/cookie/fourth`));
			recorder.note('jar', await cookieJar.getCookieString(url));
		},
	},
	{
		title: 'a request waits for a slow jar',
		async run({client, url, recorder}) {
			const jar = new CookieJar();
			const cookieJar = {
				async getCookieString(where: string) {
					await nextTurn();
					return jar.getCookieString(where);
				},
				async setCookie(cookie: string, where: string) {
					await nextTurn();
					return jar.setCookie(cookie, where);
				},
			};
			await recorder.promise(client(`${url}/cookie/a`, {cookieJar}));
			await recorder.stream(client.stream(`${url}/cookie/b`, {cookieJar}));
			await recorder.promise(client(`${url}/echo`, {cookieJar}));
		},
	},
	both('an invalid cookie is an error', '/bad-cookie', () => ({cookieJar: new CookieJar()})),
	both('an invalid cookie is ignored with `ignoreInvalidCookies`', '/bad-cookie', () => ({cookieJar: new CookieJar(), ignoreInvalidCookies: true})),
];

const canned = (body: string, own: object = {}): Response => {
	const response = new PassThrough();
	response.end(body);
	return Object.assign(response, {statusCode: 200, headers: {'x-canned': 'yes'}, ...own}) as unknown as Response;
};

const hooks: readonly Scenario[] = [
	{
		title: 'hooks before and after that of the cache change the request',
		async run({client, clientAfter, url, recorder}) {
			const change = (name: string, own: (options: Options) => void): ExtendOptions => ({
				hooks: {
					beforeRequest: [(options, {retryCount}) => {
						recorder.note(name, [options.url, retryCount]);
						own(options as Options);
					}],
				},
			});
			const changes: ReadonlyArray<readonly [string, (options: Options) => void]> = [
				['headers', options => {
					options.headers['x-hook'] = 'yes';
				}],
				['token', options => {
					options.headers.authorization = 'Bearer token';
				}],
				['url', options => {
					options.url = new URL('/echo?changed', url);
				}],
				['query', options => {
					options.searchParams = new URLSearchParams({changed: 'yes'});
				}],
				['body', options => {
					options.method = 'POST';
					options.body = 'changed';
				}],
				['user', options => {
					options.username = 'user';
				}],
			];
			for (const [name, own] of changes) {
				await recorder.promise(client.extend(change(name, own))(`${url}/echo?after-${name}`));
				await recorder.stream(client.extend(change(name, own)).stream(`${url}/echo?after-${name}-stream`));
				await recorder.promise(clientAfter(change(name, own))(`${url}/echo?before-${name}`));
			}
		},
	},
	{
		title: 'a response that a hook returns is the response, and does not affect the next request',
		async run({client, clientAfter, url, recorder}) {
			const own: ExtendOptions = {
				hooks: {
					beforeRequest: [options => {
						recorder.note('request function', options.request?.name);
						return (options.url!).pathname === '/canned' ? canned('canned') : undefined;
					}],
				},
			};
			const before = clientAfter(own);
			await recorder.settle(before(`${url}/canned`).text());
			await recorder.settle(before(`${url}/canned`).text());
			await recorder.promise(before(`${url}/text`));

			// The cache's hook has run already, so its name is to be seen here.
			const after = client.extend({hooks: {beforeRequest: [options => (options.url!).pathname === '/canned' ? canned('canned') : undefined]}});
			await recorder.settle(after(`${url}/canned`).text());
			await recorder.settle(after(`${url}/canned`).text());
			await recorder.promise(after(`${url}/text?after`));
		},
	},
	{
		title: 'a redirect that a hook returns is followed',
		async run({client, clientAfter, url, recorder}) {
			const own: ExtendOptions = {
				hooks: {
					beforeRequest: [options => (options.url!).pathname === '/canned' ? canned('', {statusCode: 302, headers: {location: '/echo'}}) : undefined],
				},
			};
			await recorder.settle(clientAfter(own)(`${url}/canned`).text());
			await recorder.settle(client.extend(own)(`${url}/canned?after`).text());
		},
	},
	{
		title: 'an error of a hook is the error of the request',
		async run({client, clientAfter, url, recorder}) {
			const own: ExtendOptions = {
				hooks: {
					beforeRequest: [() => {
						throw new Error('Not today');
					}],
				},
			};
			await recorder.promise(clientAfter(own)(`${url}/text`));
			await recorder.settle(clientAfter(own).stream(`${url}/text`).toArray());
		},
	},
	{
		title: '`afterResponse` hooks get the response, and retry with another token',
		async run({client, url, recorder}) {
			const refreshing = client.extend({
				mutableDefaults: true,
				hooks: {
					afterResponse: [(response, retryWithMergedOptions) => {
						recorder.note('afterResponse', [response.statusCode, response.body, response.url, response.isFromCache]);
						if (response.statusCode !== 401) {
							return response;
						}

						const fresh = {headers: {authorization: 'Bearer fresh'}};
						refreshing.defaults.options.merge(fresh);
						return retryWithMergedOptions(fresh);
					}],
					beforeRetry: [(error, count) => {
						recorder.note('beforeRetry', [count, error.message]);
					}],
				},
			});
			await recorder.promise(refreshing(`${url}/guarded?1`));
			await recorder.promise(refreshing(`${url}/guarded?2`));
		},
	},
	{
		title: 'an `afterResponse` hook changes the body',
		async run({client, url, recorder}) {
			await recorder.promise(client(`${url}/text`, {
				hooks: {
					afterResponse: [response => {
						response.body = 'changed';
						return response;
					}],
				},
			}));
		},
	},
	{
		title: 'a `beforeError` hook returns another error',
		async run({client, url, recorder}) {
			const own: ExtendOptions = {
				hooks: {
					beforeError: [error => {
						recorder.note('beforeError', recorder.error(error));
						return new RangeError('Mine');
					}],
				},
			};
			await recorder.promise(client(`${url}/status/404`, own as object));
			await recorder.promise(client(`${url}/reset/9`, own as object));
			await recorder.settle(client.stream(`${url}/status/404?stream`, own as object).toArray());
		},
	},
	{
		title: 'handlers wrap the request, and init hooks run before it',
		async run({client, url, recorder}) {
			const handled = client.extend({
				hooks: {
					init: [(raw, options) => {
						recorder.note('init', [Object.keys(raw), options.method]);
					}],
				},
				handlers: [
					(options, next) => {
						options.headers['x-handler'] = 'yes';
						return next(options);
					},
					(async (options: Options, next: (options: Options) => Promise<Response<string>>) => {
						const response = await next(options);
						response.body = response.body.toUpperCase();
						return response;
					}) as never,
				],
			});
			await recorder.settle(handled(`${url}/echo`));
		},
	},
];

/** A user's own function, as it is called: what it is handed is written down. */
const requestFunctions: ReadonlyArray<readonly [name: string, request: ExtendOptions['request']]> = [
	['returns a request', (url, options) => http.request(url, options as never)],
	['resolves to a request', async (url, options) => http.request(url, options as never)],
	['returns `undefined`', () => undefined],
	['resolves to `undefined`', async () => undefined],
	['returns a response', () => canned('mine')],
	['resolves to a response', async () => canned('mine', {statusMessage: 'Mine'})],
	['returns an error status', () => canned('mine', {statusCode: 404})],
	['returns a redirect', url => (url.pathname === '/text' ? canned('', {statusCode: 302, headers: {location: '/json'}}) : undefined)],
	['fails', () => {
		throw new Error('No request today');
	}],
	['fails later', async () => {
		throw new Error('No request today');
	}],
	['returns another value', () => 'nothing' as never],
	['returns a request that fails', (url, options) => {
		const request = http.request(url, options as never);
		process.nextTick(() => {
			request.destroy(new Error('Changed my mind'));
		});
		return request;
	}],
];

const custom: readonly Scenario[] = requestFunctions.map(([name, own]): Scenario => ({
	title: `a request function that ${name}`,
	async run({client, clientAfter, url, recorder}) {
		const request: ExtendOptions['request'] = (where, options, callback) => {
			recorder.note('called', [where, Object.keys(options).toSorted(), options.method, options.headers, typeof callback]);
			return own!(where, options, callback);
		};

		await recorder.promise(client(`${url}/text?1`, {request, timeout: {request: 60_000, socket: 60_000}}));
		await recorder.stream(client.stream(`${url}/text?2`, {request}));
		await recorder.promise(clientAfter({request})(`${url}/flaky/1?3`, {retry}));
		await recorder.promise(clientAfter({request})(`${url}/redirect/302?to=/echo`));
		await recorder.promise(client.post(`${url}/echo?4`, {request, json: {a: 1}}));
	},
}));

const others: readonly Scenario[] = [
	{
		title: 'a request function that a later hook sets is called',
		async run({client, url, recorder}) {
			const setting = client.extend({
				hooks: {
					beforeRequest: [options => {
						options.request ??= where => {
							recorder.note('called', where);
							return canned('mine');
						};
					}],
				},
			});
			await recorder.promise(setting(`${url}/text?1`));
			await recorder.promise(setting(`${url}/redirect/302?to=/text`));
		},
	},
	{
		title: '`paginate` requests one page after the other',
		async run({client, url, recorder}) {
			await recorder.settle(client.paginate.all(`${url}/page/1`, {responseType: 'json'}));
			const items: unknown[] = await Array.fromAsync(client.paginate(`${url}/page/1?each`, {responseType: 'json', pagination: {countLimit: 3, filter: ({item}) => item !== '1a'}}));

			recorder.note('items', items);
			await recorder.settle(client.paginate.all(`${url}/bad-json`, {responseType: 'json'}));
		},
	},
	{
		title: 'concurrent requests get their own responses',
		async run({client, url, recorder}) {
			const found = await Promise.all(Array.from({length: 20}, async (_, index) => client(`${url}/echo?${index}`).json<{url: string}>()));
			recorder.note('found', found.map(({url: where}) => where));
		},
	},
	both('an agent is used', '/echo', () => ({agent: {http: new http.Agent({keepAlive: false})}})),
	both('a custom `dnsLookup` is used', '/echo', ({recorder}) => ({
		dnsLookup(name: string, _options: unknown, callback: (error: undefined, address: string, family: number) => void) {
			recorder.note('lookup', name);
			callback(undefined, '127.0.0.1', 4);
		},
	} as unknown as Own)),
	both('a custom `createConnection` is used', '/echo', ({url, recorder}) => (({
		createConnection() {
			recorder.note('connection');
			return net.connect(Number(new URL(url).port), '127.0.0.1');
		},
	}))),
	both('a response with too large headers is an error', '/text', () => ({maxHeaderSize: 10})),
];

async function closed(response: http.ServerResponse): Promise<void> {
	if (!response.closed) {
		await once(response, 'close');
	}
}

for (const [name, instance] of majors) {
	for (const scenario of [...answers, ...failures, ...aborts, ...progress, ...uploads, ...redirects, ...cookies, ...hooks, ...custom, ...others]) {
		test.serial(`${name} behaves the same with and without a cache: ${scenario.title}`, async t => {
			await compare(t, scenario, instance);
		});
	}
}
