import {setImmediate as turn} from 'node:timers/promises';
import type {Got} from 'got';
import {StartedRequests} from './started-requests.ts';

/** Asks once, so that what is asked for is stored, and a copy of Got is known. */
export async function warm(client: Got, url: string, options: object = {}): Promise<void> {
	await client(url, {...options, throwHttpErrors: false});
	await turn();
}

/** How many requests Got starts for one call. */
export async function startedBy(instance: Got, action: () => Promise<unknown>): Promise<number> {
	const started = new StartedRequests(instance);
	await action();
	return started.take();
}
