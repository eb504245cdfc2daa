import {Buffer} from 'node:buffer';
import got from 'got';
import got14 from 'got14';
import got15 from 'got15';
import {cacheHooks, type CacheSettings} from '../../source/index.ts';
import {Clock} from './origin.ts';

/** The majors that the package names as peers. The types of 16 serve for all. */
export const majors: ReadonlyArray<readonly [name: string, instance: typeof got]> = [
	['Got 16', got],
	['Got 15', got15 as unknown as typeof got],
	['Got 14', got14 as unknown as typeof got],
];

export type TestClient = {
	readonly client: typeof got;
	readonly clock: Clock;
};

/**
A client with a memory store and a clock that stands; retries are off, so that a failure is one request. A call of a store may take so long that a busy machine makes no slow store of it.
*/
export function createClient(settings: CacheSettings = {}, instance: typeof got = got): TestClient {
	const clock = new Clock();
	const client = instance.extend({retry: {limit: 0}}, cacheHooks({
		store: 'memory', expireAfter: '5m', now: clock.now, storeTimeout: 20_000, ...settings,
	})) as typeof got;
	return {client, clock};
}

export async function readStream(stream: AsyncIterable<Uint8Array>): Promise<string> {
	return Buffer.concat(await Array.fromAsync(stream)).toString();
}
