import {once} from 'node:events';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import {
	createSecureServer,
	type Http2ServerRequest,
	type Http2ServerResponse,
	type ServerHttp2Session,
} from 'node:http2';
import type {AddressInfo, Server} from 'node:net';
import type {TLSSocket} from 'node:tls';
import {cert, key} from '../../helpers/certificates.ts';

/** Returns the name of the user who sends a request; the body is that of a POST. */
export type IdentifyUser = (request: IncomingMessage | Http2ServerRequest, body: string) => string;

/**
An origin, once over HTTP/1.1 and once over TLS with HTTP/2, that answers each user with a name, and gives all of them the same tags.
*/
export class PersonalOrigin implements AsyncDisposable {
	/** While it is `true`, the origin fails. */
	isDown = false;
	count = 0;
	readonly url: string;
	readonly secureUrl: string;
	readonly #servers: readonly Server[];
	readonly #sessions: ReadonlySet<ServerHttp2Session>;

	private constructor(servers: readonly [plain: Server, secure: Server], sessions: ReadonlySet<ServerHttp2Session>) {
		const [port, securePort] = servers.map(server => (server.address() as AddressInfo).port);
		this.#servers = servers;
		this.#sessions = sessions;
		this.url = `http://127.0.0.1:${port}`;
		this.secureUrl = `https://127.0.0.1:${securePort}`;
	}

	static async start(identifyUser: IdentifyUser): Promise<PersonalOrigin> {
		const plain = createServer({keepAliveTimeout: 600_000});
		const secure = createSecureServer({
			cert, key, allowHTTP1: true, requestCert: true, rejectUnauthorized: false, // eslint-disable-line @typescript-eslint/naming-convention -- Node.js's name.
		});
		const sessions = new Set<ServerHttp2Session>();
		secure.on('session', session => {
			sessions.add(session);
		});
		for (const server of [plain, secure]) {
			server.listen(0, '127.0.0.1');
			await once(server, 'listening');
		}

		const origin = new PersonalOrigin([plain, secure], sessions);
		for (const server of [plain, secure]) {
			server.on('request', (request: IncomingMessage, response: ServerResponse) => {
				void origin.#answer(request, response, identifyUser);
			});
		}

		return origin;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const session of this.#sessions) {
			session.destroy();
		}

		const [plain, secure] = this.#servers as [ReturnType<typeof createServer>, Server];
		plain.closeAllConnections();
		for (const server of [plain, secure]) {
			server.close();
			await once(server, 'close');
		}
	}

	async #answer(request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse, identifyUser: IdentifyUser): Promise<void> {
		const chunks = await Array.fromAsync(request as AsyncIterable<Uint8Array>);
		const who = identifyUser(request, chunks.map(String).join(''));
		const {pathname, search} = new URL(request.url!, 'http://localhost');
		const headers = {'x-who': who, 'set-cookie': `seen=${who}; Path=/`, date: new Date(0).toUTCString()};
		const send = (statusCode: number, further: Record<string, string> = {}): void => {
			(response as ServerResponse).writeHead(statusCode, {...headers, ...further});
			(response as ServerResponse).end(statusCode === 304 ? undefined : `${who} ${pathname} ${++this.count}`);
		};

		if (this.isDown) {
			send(503);
		} else if (pathname.startsWith('/to/')) {
			// To a place that is named like the user's: who has it from another ends there.
			send(request.method === 'POST' ? 307 : 302, {location: `/home/${who}${search}`});
		} else if (pathname.startsWith('/tagged/')) {
			send(request.headers['if-none-match'] === '"1"' ? 304 : 200, {etag: '"1"'});
		} else if (pathname.startsWith('/varying/')) {
			send(200, {vary: 'authorization, cookie, x-rapidapi-key, x-tenant'});
		} else {
			send(200);
		}
	}
}

/** The name in a client's certificate. */
export function nameInCertificate(request: IncomingMessage | Http2ServerRequest): string {
	const socket = 'stream' in request ? request.stream.session!.socket : request.socket;
	return String((socket as TLSSocket).getPeerCertificate().subject?.CN);
}
