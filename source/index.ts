export {HttpCache, type CacheEvents, type StoreErrorEvent} from './cache/http-cache.ts';
export {cacheHooks, getCache} from './client/cache-hooks.ts';
export {cacheInfo, type CacheInfo} from './client/cache-info.ts';
export {
	createCachedGot, type CachedGot, type CachedRequestFunction, type CachedStreamFunction,
} from './client/create-cached-got.ts';
export {
	clear, deleteResponses, disabled, enabled, installCache, isInstalled, uninstallCache,
} from './client/install/install-cache.ts';
export type {Installation} from './client/install/installation.ts';
export {withoutNetwork} from './client/install/without-network.ts';
export {explain, type DescribedRequest} from './client/explain.ts';
export type {Explanation} from './engine/explain.ts';
export type {AskedRule} from './policy/rule.ts';
export {CacheHooksError, SettingError, StoreTimeoutError} from './errors.ts';
export {DEFAULT_IGNORED_PARAMETERS} from './matching/credentials.ts';
export type {IgnoredParameter} from './matching/ignored.ts';
export {createKey, type KeySettings} from './matching/key.ts';
export type {KeyRequest, PartitionFunction} from './matching/types.ts';
export {CachedResponse} from './model/cached-response.ts';
export {
	DO_NOT_CACHE, EXPIRE_IMMEDIATELY, NEVER_EXPIRE, type DurationLike, type ExpireAfter,
} from './policy/expiration.ts';
export type {
	PassReason, ReadReason, Reason, WriteReason,
} from './policy/reasons.ts';
export {
	getExpirationDatetime, getUrlExpiration, type CacheSettings, type LiveSettings, type RequestSettings,
} from './settings.ts';
export type {
	MaybePromise, SetOptions, Store, StoredValue,
} from './stores/types.ts';
