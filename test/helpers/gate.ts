import {once} from 'node:events';
import type {ServerResponse} from 'node:http';
import {connect, createServer, type AddressInfo} from 'node:net';
import {setImmediate as turn, setTimeout as delay} from 'node:timers/promises';
import type {Handler} from './origin.ts';

/** Answers each request when it is told to. */
export class Gate {
	readonly held: ServerResponse[] = [];
	readonly handler: Handler = (_request, response) => {
		this.held.push(response);
		this.#waiting.shift()?.();
	};

	readonly #waiting: Array<() => void> = [];

	/** The response that was held first and not yet given. */
	async next(): Promise<ServerResponse> {
		if (this.held.length === 0) {
			await new Promise<void>(resolve => {
				this.#waiting.push(resolve);
			});
		}

		return this.held.shift()!;
	}

	/** The responses that are held once so many requests have come, and all that come with them. */
	async take(count: number): Promise<ServerResponse[]> {
		while (this.held.length < count) {
			await turn();
		}

		await settle();
		return this.held.splice(0);
	}
}

/**
Resolves when requests that need not wait have reached an origin of this process: it makes as many connections to a server of its own, one after the other, so that a busy machine makes it last longer.
*/
export async function settle(): Promise<void> {
	await delay(20);
	const {port} = await probed();
	for (let round = 0; round < 20; round++) {
		await probe(port);
	}
}

let server: Promise<AddressInfo> | undefined;

async function probed(): Promise<AddressInfo> {
	server ??= (async () => {
		const listening = createServer(socket => {
			socket.on('error', () => {}).pipe(socket);
		}).unref();
		listening.listen(0, '127.0.0.1');
		await once(listening, 'listening');
		return listening.address() as AddressInfo;
	})();
	return server;
}

async function probe(port: number): Promise<void> {
	const socket = connect(port, '127.0.0.1');
	socket.end('probe');
	socket.resume();
	await once(socket, 'close');
}

/** Keeps all responses, for a test to end them in any order. */
export function holdResponses(): {readonly held: ServerResponse[]; readonly handler: Handler; readonly reach: (count: number) => Promise<void>} {
	const held: ServerResponse[] = [];
	return {
		held,
		handler(_request, response) {
			held.push(response);
		},
		async reach(count) {
			while (held.length < count) {
				await turn();
			}
		},
	};
}
