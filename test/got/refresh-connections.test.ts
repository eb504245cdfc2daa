import dns from 'node:dns';
import {once} from 'node:events';
import {
	Agent,
	createServer,
	request as sendRequest,
	type IncomingMessage,
} from 'node:http';
import {constants, type Http2ServerResponse} from 'node:http2';
import {Agent as HttpsAgent, request as sendSecurely} from 'node:https';
import {
	connect,
	type LookupFunction,
} from 'node:net';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {ExtendOptions, Got} from 'got';
import {HttpProxyAgent, HttpsProxyAgent} from 'hpagent';
import {cannedResponse} from '../helpers/canned-response.ts';
import {majors} from '../helpers/clients.ts';
import {Origin, type Handler} from '../helpers/origin.ts';
import {reasonOf, refreshingClient} from '../helpers/refreshing.ts';
import {secure, SecureOrigin} from '../helpers/secure-origin.ts';
import {temporaryFolder} from '../helpers/temporary-folder.ts';
import {startTlsOrigin} from '../helpers/tls-origin.ts';
import {startProxy} from '../helpers/proxy.ts';
import {cert, key} from '../helpers/certificates.ts';

/** Ways to an origin by HTTP: what a client is extended by, its URL, and how often the way was gone. */
type Way = (t: ExecutionContext, origin: Origin) => Promise<{
	readonly options: ExtendOptions;
	readonly url?: string;
	readonly count: () => number;
}>;

const ways: Readonly<Record<string, Way>> = {
	async 'an agent'() {
		let count = 0;
		class CountingAgent extends Agent {
			override createConnection(...inputs: Parameters<Agent['createConnection']>): ReturnType<Agent['createConnection']> {
				count++;
				return super.createConnection(...inputs);
			}
		}

		const agent = new CountingAgent({keepAlive: false});
		return {options: {agent: {http: agent}}, count: () => count};
	},
	async 'a proxy'(t) {
		const {url, tunnels} = await startProxy(t);
		return {options: {agent: {http: new HttpProxyAgent({proxy: url, keepAlive: false})}}, count: tunnels};
	},
	async '`dnsLookup`'(_t, {url}) {
		let count = 0;
		const dnsLookup = ((_hostname, options, callback) => {
			count++;
			dns.lookup('127.0.0.1', options, callback); // eslint-disable-line n/prefer-promises/dns -- Got gives a callback.
		}) as LookupFunction;
		return {options: {dnsLookup, agent: {http: new Agent({keepAlive: false})}}, url: url.replace('127.0.0.1', 'origin.example'), count: () => count};
	},
	async '`createConnection`'(_t, {url}) {
		let count = 0;
		const port = Number(new URL(url).port);
		return {
			options: {
				createConnection() {
					count++;
					return connect(port, '127.0.0.1');
				},
			},
			url: 'https://origin.example',
			count: () => count,
		};
	},
	async 'a `request` function that gives a request'() {
		let count = 0;
		return {
			options: {
				request(...inputs) {
					count++;
					return sendRequest(...inputs as Parameters<typeof sendRequest>);
				},
			},
			count: () => count,
		};
	},
	async 'a `request` function that promises a request'() {
		let count = 0;
		return {
			options: {
				async request(...inputs) {
					count++;
					return sendRequest(...inputs as Parameters<typeof sendRequest>);
				},
			},
			count: () => count,
		};
	},
	async 'a `request` function that gives nothing'() {
		let count = 0;
		return {
			options: {
				request() {
					count++;
					return undefined;
				},
			},
			count: () => count,
		};
	},
	async 'a `request` function that promises a response of Node\'s'() {
		let count = 0;
		return {
			options: {
				async request(...inputs) {
					count++;
					const request = sendRequest(...inputs as Parameters<typeof sendRequest>);
					request.end();
					const [response] = await once(request, 'response') as [IncomingMessage];
					return response;
				},
			},
			count: () => count,
		};
	},
	async 'a `request` function that gives an object like a response'(_t, origin) {
		let count = 0;
		return {
			options: {
				request() {
					count++;
					// The origin is not asked, but counts.
					origin.requests.push({
						method: 'GET', url: '/', headers: {}, body: '',
					});
					return cannedResponse({body: `answer ${count}`});
				},
			},
			count: () => count,
		};
	},
};

const answer = (origin: () => Origin | SecureOrigin): Handler => (_request, response) => {
	response.end(`answer ${origin().requests.length}`);
};

for (const [name, instance] of majors) {
	for (const [title, way] of Object.entries(ways)) {
		test(`${name}: a refresh uses ${title} as its request does`, async t => {
			await using origin: Origin = await Origin.start(answer(() => origin));
			const {options, url = origin.url, count} = await way(t, origin);
			const {client: plain, expire, idle, errors} = refreshingClient(instance);
			const client = plain.extend(options) as Got;
			await client(url);
			expire();
			t.is((await client(url)).body, 'answer 1');
			await idle();
			t.deepEqual(errors, []);
			t.is(origin.count, 2);
			t.is(count(), 2);
			const last = await client(url);
			t.deepEqual([last.body, reasonOf(last)], ['answer 2', 'fresh']);
		});
	}

	test(`${name}: a refresh uses the Unix socket of its request`, async t => {
		await using folder = await temporaryFolder();
		const socketPath = path.join(folder.path, 'socket');
		let count = 0;
		const server = createServer({keepAliveTimeout: 600_000}, (_request, response) => {
			response.end(`answer ${++count}`);
		}).listen(socketPath);
		await once(server, 'listening');
		t.teardown(() => {
			server.closeAllConnections();
			server.close();
		});
		const {client: plain, expire, idle, errors} = refreshingClient(instance);
		const client = plain.extend({enableUnixSockets: true}) as Got;
		const url = `http://unix:${socketPath}:/path`;
		await client(url);
		expire();
		t.is((await client(url)).body, 'answer 1');
		await idle();
		t.deepEqual(errors, []);
		t.is(count, 2);
		t.is((await client(url)).body, 'answer 2');
	});

	test(`${name}: a refresh uses the client certificate of its request, and verifies the server in the same way`, async t => {
		let count = 0;
		const origin = await startTlsOrigin(t, {cert, key}, (request, response) => {
			const {authorized, authorizationError} = request.socket as unknown as {authorized: boolean; authorizationError: unknown};
			const {subject} = (request.socket as unknown as {getPeerCertificate: () => {subject?: object}}).getPeerCertificate();
			response.end(`answer ${++count} ${subject === undefined ? 'no' : 'a'} certificate ${authorized} ${String(authorizationError)}`);
		});
		const {client: plain, expire, idle, errors} = refreshingClient(instance);
		const agent = {https: new HttpsAgent({keepAlive: false})};
		const client = plain.extend({agent, https: {certificateAuthority: cert, certificate: cert, key}}) as Got;
		const first = await client(origin);
		expire();
		await client(origin);
		await idle();
		t.deepEqual(errors, []);
		t.is(count, 2);
		const last = await client(origin);
		t.is(reasonOf(last), 'fresh');
		t.is(last.body, first.body.replace('answer 1', 'answer 2'));
		t.regex(last.body, / a certificate/v);
	});

	test(`${name}: a refresh uses the proxy tunnel of its request`, async t => {
		let count = 0;
		const origin = await startTlsOrigin(t, {cert, key}, (_request, response) => {
			response.end(`answer ${++count}`);
		});
		const proxy = await startProxy(t);
		const {client: plain, expire, idle, errors} = refreshingClient(instance);
		const client = plain.extend({agent: {https: new HttpsProxyAgent({proxy: proxy.url, keepAlive: false})}, https: {certificateAuthority: cert}}) as Got;
		await client(origin);
		expire();
		await client(origin);
		await idle();
		t.deepEqual(errors, []);
		t.is(proxy.tunnels(), 2);
		t.is((await client(origin)).body, 'answer 2');
	});

	test(`${name}: a refresh is retried after a connection reset`, async t => {
		await using origin: Origin = await Origin.start((_request, response) => {
			if (origin.count === 2) {
				response.socket!.destroy();
			} else {
				response.end(`answer ${origin.count}`);
			}
		});
		const {client, expire, idle, errors} = refreshingClient(instance);
		await client(origin.url);
		expire();
		await client(origin.url);
		await idle();
		t.deepEqual(errors, []);
		t.is((await client(origin.url)).body, 'answer 3');
	});

	for (const [protocol, alpnProtocols] of [['2.0', ['h2', 'http/1.1']], ['1.1', ['http/1.1']]] as const) {
		const over = `over HTTP ${protocol}`;
		const extend = (client: Got): Got => client.extend(secure, {https: {alpnProtocols: [...alpnProtocols]}});

		for (const method of ['GET', 'POST', 'QUERY']) {
			test(`${name}: a ${method} is refreshed ${over}`, async t => {
				await using origin: SecureOrigin = await SecureOrigin.start(answer(() => origin));
				const {client: plain, expire, idle, errors} = refreshingClient(instance, {allowableMethods: ['GET', 'POST', 'QUERY']});
				const client = extend(plain);
				const ask = async () => client(origin.url, {method: method as 'POST', ...(method !== 'GET' && {json: {a: 1}})});
				await ask();
				expire();
				t.is((await ask()).body, 'answer 1');
				await idle();
				t.deepEqual(errors, []);
				t.deepEqual(origin.versions, [protocol, protocol]);
				t.deepEqual(origin.requests[1], origin.requests[0]);
				const last = await ask();
				t.deepEqual([last.body, reasonOf(last)], ['answer 2', 'fresh']);
			});
		}

		test(`${name}: a refresh is validated ${over}`, async t => {
			await using origin = await SecureOrigin.start((request, response) => {
				const isKnown = request.headers['if-none-match'] === '"1"';
				response.writeHead(isKnown ? 304 : 200, {etag: '"1"'});
				response.end(isKnown ? undefined : 'answer');
			});
			const {client: plain, expire, idle, errors} = refreshingClient(instance);
			const client = extend(plain);
			await client(origin.url);
			expire();
			await client(origin.url);
			await idle();
			t.deepEqual(errors, []);
			t.is(origin.requests.length, 2);
			const last = await client(origin.url);
			t.deepEqual([last.body, reasonOf(last)], ['answer', 'fresh']);
		});

		test(`${name}: a refresh is retried once after a 503 ${over}`, async t => {
			await using origin: SecureOrigin = await SecureOrigin.start((_request, response) => {
				response.statusCode = origin.requests.length === 2 ? 503 : 200;
				response.end(`answer ${origin.requests.length}`);
			});
			const {client: plain, expire, idle, errors} = refreshingClient(instance);
			const client = extend(plain);
			await client(origin.url);
			expire();
			await client(origin.url);
			await idle();
			t.deepEqual(errors, []);
			t.is((await client(origin.url)).body, 'answer 3');
		});

		test(`${name}: a refresh ends if its body is too large or endless ${over}`, async t => {
			const closed = Promise.withResolvers<void>();
			await using origin: SecureOrigin = await SecureOrigin.start((_request, response) => {
				if (origin.requests.length === 1) {
					response.end('answer');
					return;
				}

				response.once('close', () => {
					closed.resolve();
				});
				const more = (error?: Error | null): void => {
					if (!error && !response.destroyed) {
						response.write('x'.repeat(10_000), more);
					}
				};

				more();
			});
			const {client: plain, expire, idle, errors} = refreshingClient(instance, {maxEntryBytes: 100_000});
			const client = extend(plain);
			await client(origin.url);
			expire();
			await client(origin.url);
			await idle();
			await closed.promise;
			t.deepEqual(errors, []);
			t.is(reasonOf(await client(origin.url)), 'stale-while-revalidate');
			await idle();
		});

		test(`${name}: a refresh that takes too long is aborted ${over}`, async t => {
			const closed = Promise.withResolvers<void>();
			await using origin: SecureOrigin = await SecureOrigin.start((_request, response) => {
				if (origin.requests.length === 1) {
					response.end('answer');
				} else {
					response.once('close', () => {
						closed.resolve();
					});
				}
			});
			const {client: plain, expire, idle, errors} = refreshingClient(instance);
			const client = extend(plain);
			await client(origin.url);
			expire();
			await client(origin.url, {timeout: {request: 1000}});
			await idle();
			// On a busy machine it may not have been sent.
			await (origin.requests.length === 1 ? undefined : closed.promise);
			t.deepEqual(errors.map(({code}) => code), ['ERR_REFRESH_TIMEOUT']);
		});
	}

	test(`${name}: a refresh is retried after an HTTP/2 stream is reset`, async t => {
		await using origin: SecureOrigin = await SecureOrigin.start((_request, response) => {
			if (origin.requests.length === 2) {
				(response as unknown as Http2ServerResponse).stream.close(constants.NGHTTP2_INTERNAL_ERROR);
			} else {
				response.end(`answer ${origin.requests.length}`);
			}
		});
		const {client: plain, expire, idle, errors} = refreshingClient(instance);
		const client = plain.extend(secure) as Got;
		await client(origin.url);
		expire();
		await client(origin.url);
		await idle();
		t.deepEqual(errors, []);
		t.is((await client(origin.url)).body, 'answer 3');
	});

	test(`${name}: a truncated body of a refresh over HTTP/2 is not stored`, async t => {
		await using origin: SecureOrigin = await SecureOrigin.start((_request, response) => {
			if (origin.requests.length === 1) {
				response.end('answer');
				return;
			}

			const {stream} = response as unknown as Http2ServerResponse;
			response.write('partial', () => {
				stream.close(constants.NGHTTP2_INTERNAL_ERROR);
			});
		});
		const {client: plain, expire, idle} = refreshingClient(instance);
		const client = plain.extend(secure) as Got;
		await client(origin.url);
		expire();
		await client(origin.url);
		await idle();
		const last = await client(origin.url);
		t.deepEqual([last.body, reasonOf(last)], ['answer', 'stale-while-revalidate']);
		await idle();
	});

	test(`${name}: a refresh over HTTP/2 uses the agents of its request`, async t => {
		await using origin: SecureOrigin = await SecureOrigin.start(answer(() => origin));
		const {client: plain, expire, idle, errors} = refreshingClient(instance);
		const agent = {https: new HttpsAgent({keepAlive: false})};
		const client = plain.extend(secure, {agent}) as Got;
		await client(origin.url);
		expire();
		await client(origin.url);
		await idle();
		t.deepEqual(errors, []);
		t.is((await client(origin.url)).body, 'answer 2');
	});

	test(`${name}: a refresh over TLS uses the \`request\` function of its request`, async t => {
		let count = 0;
		const origin = await startTlsOrigin(t, {cert, key}, (_request, response) => {
			response.end(`answer ${++count}`);
		});
		const {client: plain, expire, idle, errors} = refreshingClient(instance, {trust: 'by hand'});
		const client = plain.extend({
			request: (url, options, callback) => sendSecurely(url, {...options as object, ca: cert}, callback as never),
		}) as Got;
		await client(origin);
		expire();
		await client(origin);
		await idle();
		t.deepEqual(errors, []);
		t.is((await client(origin)).body, 'answer 2');
	});
}
