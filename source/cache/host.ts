import type {DescribedRequest} from '../identity/sent-request.ts';
import type {LiveSettings, RequestSettings} from '../settings/settings.ts';
import type {Explanation} from './explanation.ts';

/**
What a cache asks of the client that it serves.
*/
export type CacheHost = {
	readonly explain: (request: DescribedRequest, settings: RequestSettings | undefined) => Promise<Explanation>;

	/** Runs a function in whose call tree the cache's requests have these settings. */
	readonly run: <Result>(settings: RequestSettings, action: () => Result) => Result;

	/** The client's settings, which may change. */
	readonly settings: LiveSettings;
};

/**
The client of a cache.

@throws {TypeError} Where there is none.
*/
export function required(host: CacheHost | undefined): CacheHost {
	if (host === undefined) {
		throw new TypeError('Expected a cache that a client uses: give it to `cacheHooks({cache})`, or take that of a client by `getCache(client)`');
	}

	return host;
}
