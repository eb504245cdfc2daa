import {setTimeout as delay} from 'node:timers/promises';
import type got from 'got';
import type {Response} from 'got';
import {
	cacheInfo,
	getCache,
	type CacheSettings,
	type HttpCache,
	type Store,
} from '../../source/index.ts';
import {createClient, type TestClient} from './clients.ts';
import {answeringStore} from './answering-store.ts';

export type RefreshingClient = TestClient & {
	readonly cache: HttpCache;

	/** The errors of refreshes. */
	readonly errors: Array<Error & {readonly code?: string}>;

	/** Lets what is stored expire. */
	readonly expire: () => void;

	/** Resolves when the refreshes that run have ended. */
	readonly idle: () => Promise<void>;
};

/** A client that serves what has expired, and refreshes it in the background. */
export function refreshingClient(instance: typeof got, settings: CacheSettings = {}): RefreshingClient {
	const {client, clock} = createClient({expireAfter: 60, staleWhileRevalidate: true, ...settings}, instance);
	const cache = getCache(client);
	const errors: RefreshingClient['errors'] = [];
	cache.on('backgroundError', ({error}) => {
		errors.push(error as Error);
	});
	return {
		client,
		clock,
		cache,
		errors,
		expire() {
			clock.advance(120);
		},
		idle: async () => cache.idle(),
	};
}

export function reasonOf(response: unknown): string {
	return cacheInfo(response as Response).reason;
}

/** A store that answers some milliseconds later, so that a refresh is sent long after the answer. */
export function lateStore(milliseconds = 20): Store {
	return answeringStore(async (_operation, action) => {
		await delay(milliseconds);
		return action();
	});
}
