import {randomUUID} from 'node:crypto';
import path from 'node:path';
import type {TestFn} from 'ava';
import {createStore, type CacheSettings} from '../../source/index.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {reportServer, startRedis} from './servers.ts';
import {temporaryFolder} from './temporary-folder.ts';

// A busy machine must not make a slow store of one that is none.
const storeTimeout = 20_000;

export type OpenedStore = AsyncDisposable & {
	/** The same store for each cache that is made with them. */
	readonly settings: CacheSettings;
};

/** Where the same must hold: a store of one process, and one in a file. A store more is a line more. */
export const openedStores: Readonly<Record<string, () => Promise<OpenedStore>>> = {
	memory: async () => ({settings: {store: new MemoryStore()}, async [Symbol.asyncDispose]() {}}),
	async sqlite() {
		const folder = await temporaryFolder();
		return {
			settings: {store: 'sqlite', cacheName: path.join(folder.path, 'cache'), storeTimeout},
			async [Symbol.asyncDispose]() {
				await folder[Symbol.asyncDispose]();
			},
		};
	},
};

/**
Where the same must hold across a network, if there is a Redis.

To be called before the first test: AVA wants all of them declared at once.
*/
export async function openedRedis(test: TestFn, title: string): Promise<(() => Promise<OpenedStore>) | undefined> {
	const redis = await startRedis();
	reportServer(test, `${title} on redis`, redis && '`redis-server`', '`redis-server` on the PATH');
	test.after.always(async () => {
		await redis?.stop();
	});
	return redis && (async () => {
		const store = createStore('redis', {url: `redis://127.0.0.1:${redis.port}`, cacheName: randomUUID()});
		return {
			settings: {store, storeTimeout},
			async [Symbol.asyncDispose]() {
				await store.close();
			},
		};
	});
}
