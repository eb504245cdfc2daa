import path from 'node:path';
import type {ExecutionContext} from 'ava';
import got from 'got';
import {Keyv} from 'keyv';
import {
	cacheHooks,
	getCache,
	type CacheSettings,
	type HttpCache,
	type Store,
} from '../../source/index.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {FilesystemStore} from '../../source/stores/filesystem/store.ts';
import {SqliteStore} from '../../source/stores/sqlite/store.ts';
import {Clock, Origin} from '../helpers/origin.ts';
import {testFolder} from '../helpers/temporary-folder.ts';

export type TestStore = Store | Keyv;

/** The stores on which the tests run. */
export const testStores: ReadonlyArray<readonly [name: string, open: (t: ExecutionContext, now: () => number) => Promise<TestStore>]> = [
	['memory', async (_t, now) => new MemoryStore({now})],
	['sqlite', async (t, now) => {
		const folder = testFolder(t);
		const store = new SqliteStore({path: path.join(folder, 'cache.sqlite'), now});
		t.teardown(async () => store.close());
		return store;
	}],
	['filesystem', async (t, now) => {
		const folder = testFolder(t);
		const store = new FilesystemStore({path: folder, now});
		t.teardown(async () => store.close());
		return store;
	}],
	['a Keyv', async () => new Keyv({store: new Map()})],
];

export type Managed = {
	readonly origin: Origin;
	readonly store: TestStore;
	readonly clock: Clock;
	readonly client: typeof got;
	readonly cache: HttpCache;

	/** Makes another client on the same store, like one of another process. */
	readonly another: (settings?: CacheSettings) => {readonly client: typeof got; readonly cache: HttpCache};
};

/** Makes a client on a store, with a clock that the test moves, and an origin that answers with its path. */
export async function manage(t: ExecutionContext, open: (typeof testStores)[number][1], settings: CacheSettings = {}): Promise<Managed> {
	const origin = await Origin.start((request, response, body) => {
		const {pathname, searchParams} = new URL(request.url!, 'http://localhost');
		const etag = `"${request.headers['accept-language'] ?? 1}"`;
		response.setHeader('etag', etag);
		for (const [name, value] of searchParams) {
			response.setHeader(name, value);
		}

		response.statusCode = request.headers['if-none-match']?.includes(etag) === true ? 304 : Number(searchParams.get('status') ?? 200);
		response.end(response.statusCode === 304 ? undefined : `${pathname} ${request.headers['accept-language'] ?? ''}${body}`);
	});
	t.teardown(async () => {
		await origin[Symbol.asyncDispose]();
	});
	// Keyv has no other clock than the machine's.
	const clock = new Clock(Date.now());
	const store = await open(t, clock.now);
	const another = (own: CacheSettings = {}): {client: typeof got; cache: HttpCache} => {
		const client = got.extend({retry: {limit: 0}}, cacheHooks({
			store, storeTimeout: 20_000, now: clock.now, expireAfter: 60, partitionSecret: 'secret', ...settings, ...own,
		}));
		return {client, cache: getCache(client)};
	};

	return {
		origin, store, clock, another, ...another(),
	};
}
