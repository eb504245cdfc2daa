// The first module, since it checks the version of Node.js.
export {
	CacheHooksError, NotRecordedError, RedactedError, SettingError, StoreTimeoutError,
} from './errors.ts';
export type {
	Criteria, LongTask, Sorting, Target,
} from './cache/criteria.ts';
export type {DescribedRequest} from './identity/sent-request.ts';
export type {
	AnswerEvent, CacheEvents, CacheStats, Explanation, RemovalEvent, StoreErrorEvent, WriteEvent,
} from './cache/types.ts';
export type {Har, HarEntry, ImportedHar} from './cache/har.ts';
export {HttpCache} from './cache/http-cache.ts';
export type {RecreatedKeys} from './cache/recreate-keys.ts';
export type {DescribedResponse, SaveOptions, UpdatedCache} from './cache/saving.ts';
export {
	cacheContext, cacheHooks, getCache, type ClientSettings,
} from './got/cache-hooks.ts';
export {cacheInfo, explain, type CacheInfo} from './got/cache-info.ts';
export {
	createCachedGot, type CachedGot, type CachedRequestFunction, type CachedStreamFunction,
} from './got/create-cached-got.ts';
export {
	clear, deleteResponses, disabled, enabled, installCache, isInstalled, uninstallCache, type Installation,
} from './got/global/install-cache.ts';
export {withoutNetwork} from './exchange/scope.ts';
export {
	Cached, cached, Refresh, Uncached,
} from './decorators/cached.ts';
export {CacheConfig, withCacheSettings} from './decorators/cache-config.ts';
export type {CacheConfigOptions} from './decorators/class-settings.ts';
export type {
	CallDecorator, ClassDecorator, FunctionDecorator, ResultDecorator,
} from './decorators/method-decorator.ts';
export {cacheKeyOf, cacheOf, invalidate} from './decorators/cached-calls.ts';
export {Invalidates, type Invalidated} from './decorators/invalidates.ts';
export type {MethodSettings, ResultSettings} from './decorators/method-settings.ts';
export {DEFAULT_IGNORED_PARAMETERS, type IgnoredParameter} from './identity/credentials.ts';
export {createKey, type KeySettings} from './identity/key.ts';
export {
	normalizeBody, normalizeHeaders, normalizeParams, normalizeRequest, normalizeUrl, redactResponse, type NormalizedRequest, type NormalizeSettings, type RedactedResponse, type ResponseToRedact,
} from './identity/normalize.ts';
export type {KeyCallback, KeyRequest, PartitionCallback} from './identity/key-parts.ts';
export {CachedRequest, CachedResponse, InvalidEntry} from './entry/cached-response.ts';
export type {EvaluatedRule} from './policy/facts.ts';
export type {CacheDirectives} from './policy/directives.ts';
export type {ExpirationPattern, ExpirationPatterns, UrlPattern} from './policy/url-patterns.ts';
export {
	DO_NOT_CACHE, EXPIRE_IMMEDIATELY, NEVER_EXPIRE, type DurationLike, type ExpirationTime,
} from './policy/expiration.ts';
export type {Mode, ModeOptions} from './policy/modes.ts';
export type {
	PassReason, ReadReason, Reason, WriteReason,
} from './policy/types.ts';
export {
	compressed, type CompressedOptions, type CompressionName,
} from './entry/serializers/compression.ts';
export {
	encrypted, signed, type EncryptedOptions, type EncryptionKey, type SignedOptions,
} from './entry/serializers/cryptography.ts';
export type {FormatName} from './entry/serializers/formats.ts';
export {
	initSerializer, SerializerPipeline, type PipelineOptions, type PipelineStage,
} from './entry/serializers/pipeline.ts';
export {
	UnreadableError, type EntryBody, type EntryDocument, type Stage, type StageContext, type StageInput, type StageOutput, type UnreadableReason,
} from './entry/serializers/stage.ts';
export {
	getExpirationDatetime, getUrlExpiration, parseCacheControl, type CacheSettings, type FilterCallback, type LiveSettings, type RequestSettings, type TagCallback,
} from './settings/settings.ts';
export type {MaybePromise} from './maybe-promise.ts';
export type {CircuitState} from './stores/circuits.ts';
export {
	createStore, type NamedStores, type StoreName, type StoreOptions, type StoreUrl,
} from './stores/create-store.ts';
export {
	asKeyvAdapter, type KeyvAdapter, type KeyvAdapterOptions, type KeyvEntry,
} from './stores/keyv-adapter.ts';
export type {StoreSetting} from './stores/open.ts';
export type {StoreCallEvent} from './stores/store-calls.ts';
export type {
	IndexedTimes, SetOptions, SetResult, Store, StoredValue, StoreQuery,
} from './stores/types.ts';
