import type {PolicySettings} from '../policy/types.ts';
import type {ResolvedRequestSettings, ResolvedSettings} from '../settings.ts';

/**
Everything that one exchange asks of the settings.
*/
export type ExchangeSettings = PolicySettings & Pick<ResolvedSettings, 'cacheStatus' | 'filterFn' | 'keyFn' | 'matchHeaders' | 'maxEntryBytes' | 'now' | 'partitionBy' | 'staleIfErrorAfter' | 'storeEncoded'>;

/**
The client's settings with the request's own above them. `expireAfter` is kept apart, since URL patterns stand between.
*/
export function exchangeSettings(client: ResolvedSettings, {expireAfter, ...own}: ResolvedRequestSettings): ExchangeSettings {
	return {
		...client,
		...own,
		refresh: own.refresh ?? false,
		forceRefresh: own.forceRefresh ?? false,
		requestExpireAfter: expireAfter,
	};
}
