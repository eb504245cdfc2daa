import type {MaybePromise} from '../maybe-promise.ts';
import {settingsOfMode} from '../policy/modes.ts';
import type {PolicySettings} from '../policy/types.ts';
import type {ResolvedRequestSettings, ResolvedSettings} from '../settings.ts';

/**
Everything that one exchange asks of the settings.
*/
export type ExchangeSettings = PolicySettings & Pick<ResolvedSettings, 'cacheStatus' | 'contentRootKey' | 'failFast' | 'filterFn' | 'ignoredParameters' | 'keyFn' | 'matchHeaders' | 'maxEntryBytes' | 'mode' | 'now' | 'partitionBy' | 'singleFlight' | 'staleIfErrorAfter' | 'storeEncoded' | 'storeSetCookie' | 'storeTimeout' | 'tags' | 'trust'> & {
	/** What credentials are digested with. */
	readonly secret: () => MaybePromise<string | Uint8Array>;

	/** The request's own, beside the client's `tags`. */
	readonly requestTags: readonly string[];

	/** Whether nobody waits for the answer. */
	readonly background?: boolean;
};

/**
The client's settings with the request's own above them. `expireAfter` is kept apart, since URL patterns stand between.
*/
export function exchangeSettings(client: ResolvedSettings, {expireAfter, tags: requestTags = [], ...own}: ResolvedRequestSettings, secret: ExchangeSettings['secret']): ExchangeSettings {
	return {
		...client,
		...own,
		refresh: own.refresh ?? false,
		forceRefresh: own.forceRefresh ?? false,
		requestExpireAfter: expireAfter,
		requestTags,
		secret,
		...settingsOfMode(client.mode),
	};
}
