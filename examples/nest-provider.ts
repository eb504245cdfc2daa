/**
A NestJS module that gives services a Got with a cache. It imports nothing of Nest: a dynamic module is a plain object, and a factory needs no decorators. `nest-main.js` is a program that uses it.
*/
import {createCachedGot, type CachedGot, type CacheSettings} from 'got-cache-hooks';

/** The token by which a service asks for the client. */
export const CACHED_HTTP: unique symbol = Symbol('CACHED_HTTP');

/** Nest calls `onApplicationShutdown` of each provider, but not of a function such as a client of Got: so the cache is closed by a provider of its own. */
class CloseOnShutdown {
	readonly #client: CachedGot;

	constructor(client: CachedGot) {
		this.#client = client;
	}

	async onApplicationShutdown(): Promise<void> {
		await this.#client.cache.close();
	}
}

/** Nest knows modules by their classes. */
class CachedHttpModule {} // eslint-disable-line @typescript-eslint/no-extraneous-class

/** Returns the dynamic module. Import it once, in the root module: it is global. */
export function cachedHttp(settings: CacheSettings): object {
	return {
		module: CachedHttpModule,
		global: true,
		providers: [
			{provide: CACHED_HTTP, useFactory: () => createCachedGot(settings)},
			{provide: CloseOnShutdown, useFactory: (client: CachedGot) => new CloseOnShutdown(client), inject: [CACHED_HTTP]},
		],
		exports: [CACHED_HTTP],
	};
}
