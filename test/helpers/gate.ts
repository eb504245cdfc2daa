import {once} from 'node:events';
import type {ServerResponse} from 'node:http';
import {connect, createServer, type AddressInfo} from 'node:net';
import {setImmediate as turn, setTimeout as delay} from 'node:timers/promises';
import type {Handler} from './origin.ts';

/** A handler that holds requests until the test answers them. */
export class Gate {
	readonly held: ServerResponse[] = [];
	readonly handler: Handler = (_request, response) => {
		this.held.push(response);
		this.#waiting.shift()?.();
	};

	readonly #waiting: Array<() => void> = [];

	/** Returns the first held response that was not yet returned. */
	async next(): Promise<ServerResponse> {
		if (this.held.length === 0) {
			await new Promise<void>(resolve => {
				this.#waiting.push(resolve);
			});
		}

		return this.held.shift()!;
	}

	/** Waits until the given number of requests has arrived, and returns the responses to them and to those that arrive with them. */
	async take(count: number): Promise<ServerResponse[]> {
		while (this.held.length < count) {
			await turn();
		}

		await settle();
		return this.held.splice(0);
	}
}

/**
Resolves when requests that do not wait have reached an origin of this process. It makes connections to its own server, one after the other, so that it takes longer on a busy machine.
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

/** Returns a handler that holds all responses, so that a test can end them in any order. */
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
