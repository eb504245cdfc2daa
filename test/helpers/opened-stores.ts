import {randomUUID} from 'node:crypto';
import path from 'node:path';
import type {TestFn} from 'ava';
import {createStore, type CacheSettings} from '../../source/index.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {reportServer, startRedis} from './servers.ts';
import {temporaryFolder} from './temporary-folder.ts';

// So that no store is too slow on a busy machine.
const storeTimeout = 20_000;

export type OpenedStore = AsyncDisposable & {
	/** Caches with these settings share one store. */
	readonly settings: CacheSettings;
};

/** A store of one process, and one in a file, for tests that must pass on both. */
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
Starts Redis, if there is one, for tests that must also pass across a network.

Call it before the first test, since AVA requires that all tests are declared at once.
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
