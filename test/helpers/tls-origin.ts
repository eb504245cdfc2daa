import type {RequestListener} from 'node:http';
import {createSecureServer, type ServerHttp2Session} from 'node:http2';
import {createServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import type {ExecutionContext} from 'ava';
import {listen} from './listen.ts';

/**
An origin over TLS that asks for a client's certificate, and takes any or none; it ends with the test.

@returns Its URL.
*/
export async function startTlsOrigin(t: ExecutionContext, identity: {readonly cert: Uint8Array | string; readonly key: Uint8Array | string}, answer: RequestListener): Promise<string> {
	const server = createServer({
		keepAliveTimeout: 600_000,
		cert: identity.cert as string, key: identity.key as string, requestCert: true, rejectUnauthorized: false,
	}, answer);
	await listen(server);
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/**
An origin that speaks HTTP/2, or HTTP/1.1 to those who do not; it ends with the test.

@returns Its URL.
*/
export async function startHttp2Origin(t: ExecutionContext, identity: {readonly cert: string; readonly key: string}, answer: RequestListener): Promise<string> {
	const server = createSecureServer({...identity, allowHTTP1: true}, answer as never); // eslint-disable-line @typescript-eslint/naming-convention -- Node.js's name.
	const sessions = new Set<ServerHttp2Session>();
	server.on('session', session => {
		sessions.add(session);
	});
	await listen(server);
	t.teardown(() => {
		for (const session of sessions) {
			session.destroy();
		}

		server.close();
	});
	return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
