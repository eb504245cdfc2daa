import {once} from 'node:events';
import {
	createSecureServer,
	type Http2SecureServer,
	type Http2ServerRequest,
	type Http2ServerResponse,
	type ServerHttp2Session,
} from 'node:http2';
import type {AddressInfo} from 'node:net';
import type {ExtendOptions} from 'got';
import type {Handler, Origin} from './origin.ts';
import {cert, key} from './certificates.ts';
import {listen} from './listen.ts';

/** An origin on loopback that speaks HTTP/2, or HTTP/1.1 to those who do not. */
export class SecureOrigin implements AsyncDisposable {
	readonly url: string;
	readonly requests: Origin['requests'] = [];
	readonly versions: string[] = [];
	readonly #server: Http2SecureServer;
	readonly #sessions = new Set<ServerHttp2Session>();

	private constructor(server: Http2SecureServer) {
		this.#server = server;
		this.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
	}

	static async start(this: void, handler: Handler): Promise<SecureOrigin> {
		const server = createSecureServer({key, cert, allowHTTP1: true}); // eslint-disable-line @typescript-eslint/naming-convention -- Node.js's name.
		await listen(server);
		const origin = new SecureOrigin(server);
		server.on('session', session => {
			origin.#sessions.add(session);
		});
		server.on('request', (request, response) => {
			void origin.#answer(handler, request, response);
		});
		return origin;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const session of this.#sessions) {
			session.destroy();
		}

		this.#server.close();
		await once(this.#server, 'close');
	}

	async #answer(handler: Handler, request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
		let body = '';
		for await (const chunk of request) {
			body += String(chunk);
		}

		this.versions.push(request.httpVersion);
		this.requests.push({
			method: request.method, url: request.url, headers: request.headers, body,
		});
		handler(request as never, response as never, body);
	}
}

export const secure: ExtendOptions = {http2: true, https: {certificateAuthority: cert}};
