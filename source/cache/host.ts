import {CacheHooksError} from '../errors.ts';
import type {LiveSettings, RequestSettings} from '../settings.ts';
import type {KeyMaking} from './request-keys.ts';

/**
What a cache asks of the client that it serves.
*/
export type CacheHost = {
	/** Runs a function in whose call tree the cache's requests have these settings. */
	readonly run: <Result>(settings: RequestSettings, action: () => Result) => Result;

	/** The client's settings, which may change. */
	readonly settings: LiveSettings;

	/** What keys are made by, as the settings are now. */
	readonly keys: () => KeyMaking;
};

/** Stands in where a cache serves no client. */
export function noHost(keys: KeyMaking): CacheHost {
	const refuse = (): never => {
		throw new CacheHooksError('ERR_CACHE_NO_CLIENT', 'This cache was made without a client: `cacheHooks()` and `createCachedGot()` make one with it');
	};

	return {
		run: refuse,
		get settings() {
			return refuse();
		},
		keys: () => keys,
	};
}
