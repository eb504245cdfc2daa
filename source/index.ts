export {HttpCache, type CacheEvents, type StoreErrorEvent} from './cache/http-cache.ts';
export {cacheHooks, getCache} from './client/cache-hooks.ts';
export {cacheInfo, type CacheInfo} from './client/cache-info.ts';
export {
	createCachedGot, type CachedGot, type CachedRequestFunction, type CachedStreamFunction,
} from './client/create-cached-got.ts';
export {explain, type DescribedRequest} from './client/explain.ts';
export {
	Cached, cached, Refresh, Uncached,
} from './decorators/cached.ts';
export {CacheSettings, withCacheSettings} from './decorators/class-decorator.ts';
export type {ClassSettings} from './decorators/class-settings.ts';
export type {
	CallDecorator, ClassDecorator, FunctionDecorator, ResultDecorator,
} from './decorators/decorator-types.ts';
export {cacheKeyOf, cacheOf, invalidate} from './decorators/helpers.ts';
export {Invalidates, type Invalidated} from './decorators/invalidates.ts';
export type {MethodSettings, ResultSettings} from './decorators/settings-types.ts';
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
	getExpirationDatetime, getUrlExpiration, type RequestSettings,
} from './settings.ts';
export type {
	MaybePromise, SetOptions, Store, StoredValue,
} from './stores/types.ts';
