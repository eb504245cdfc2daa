import {
	createServer,
	type IncomingMessage,
	type Server,
	type ServerResponse,
} from 'node:http';
import {once} from 'node:events';
import type {AddressInfo} from 'node:net';
import {listen} from './listen.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/**
A real origin on loopback that counts what it is asked.
*/
export class Origin implements AsyncDisposable {
	readonly url: string;
	readonly requests: Array<{method: string; url: string; headers: IncomingMessage['headers']; body: string}> = [];
	readonly #server: Server;

	private constructor(server: Server) {
		this.#server = server;
		this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	}

	static async start(handler: Handler): Promise<Origin> {
		// An idle connection stays open for longer than a busy machine takes between two requests: a request on a connection that is being closed fails.
		const server = createServer({requireHostHeader: false, keepAliveTimeout: 600_000});
		await listen(server);
		const origin = new Origin(server);
		server.on('request', (request, response) => {
			void origin.#answer(handler, request, response);
		});
		return origin;
	}

	get count(): number {
		return this.requests.length;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#server.closeAllConnections();
		this.#server.close();
		await once(this.#server, 'close');
	}

	async #answer(handler: Handler, request: IncomingMessage, response: ServerResponse): Promise<void> {
		let body = '';
		for await (const chunk of request) {
			body += String(chunk);
		}

		this.requests.push({
			method: request.method!, url: request.url!, headers: request.headers, body,
		});
		handler(request, response, body);
	}
}

/** A clock that stands until it is moved. */
export class Clock {
	#time: number;

	constructor(time: number = Date.UTC(2026, 0, 1)) {
		this.#time = time;
	}

	readonly now = (): number => this.#time;

	advance(seconds: number): void {
		this.#time += seconds * 1000;
	}
}
