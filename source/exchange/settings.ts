import type {KeySettingsOfCache} from '../identity/key-parts.ts';
import type {MaybePromise} from '../maybe-promise.ts';
import {settingsOfMode, type PolicySettings} from '../policy/types.ts';
import type {ResolvedRequestSettings, ResolvedSettings} from '../settings/settings.ts';

/**
The settings that hold for one exchange.
*/
export type ExchangeSettings = PolicySettings & KeySettingsOfCache & Pick<ResolvedSettings, 'cacheStatus' | 'failFast' | 'filterFn' | 'maxEntryBytes' | 'mode' | 'now' | 'singleFlight' | 'staleIfErrorAfter' | 'storeEncoded' | 'storeSetCookie' | 'storeTimeout' | 'tags' | 'trust'> & {
	/** Gives the secret of the digests of credentials. */
	readonly secret: () => MaybePromise<string | Uint8Array>;

	/** The tags of the request, beside those of the client. */
	readonly requestTags: readonly string[];

	/** Whether nobody waits for the response. */
	readonly background?: boolean;
};

/**
The client's settings with the request's own above them. `expireAfter` is kept apart, since URL patterns stand between.
*/
export function exchangeSettings(client: ResolvedSettings, {expireAfter, tags: requestTags = [], ...own}: ResolvedRequestSettings, cache: Pick<ExchangeSettings, 'secret'> & {readonly isReadOnly: boolean}): ExchangeSettings {
	return {
		...client,
		...own,
		refresh: own.refresh ?? false,
		forceRefresh: own.forceRefresh ?? false,
		requestExpireAfter: expireAfter,
		requestTags,
		secret: cache.secret,
		...settingsOfMode(client.mode),
		...(cache.isReadOnly && {readOnly: true}),
	};
}

/** The setting whose fault it is where a key cannot be made. */
export function settingOfKey({keyFn, partitionBy}: ExchangeSettings): 'keyFn' | 'partitionBy' {
	return keyFn === undefined && typeof partitionBy === 'function' ? 'partitionBy' : 'keyFn';
}
