import {Buffer} from 'node:buffer';
import process from 'node:process';
import got from 'got';
import {cacheHooks, type CacheSettings} from '../../source/index.ts';
import {Clock} from './origin.ts';

type Major = readonly [name: string, instance: typeof got];

const newest: Major = ['Got 16', got];

const older = async (): Promise<readonly Major[]> => [
	['Got 15', (await import('got15')).default as unknown as typeof got],
	['Got 14', (await import('got14')).default as unknown as typeof got],
];

/** The major versions of Got that the tests run on, all with the types of 16: the newest and, with `CI=true`, the others that the package supports, so that `npm test` takes less time. */
export const majors: readonly Major[] = process.env.CI === undefined ? [newest] : [newest, ...await older()];

export type TestClient = {
	readonly client: typeof got;
	readonly clock: Clock;
};

/**
Creates a client with a memory store, a clock that the test moves, and no retries. The time limit of the store is long, so that no store is too slow on a busy machine.
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
