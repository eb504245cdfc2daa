import type {ServerResponse} from 'node:http';
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

/** Long enough for requests that need not wait to reach an origin on loopback. */
export async function settle(): Promise<void> {
	await delay(60);
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
