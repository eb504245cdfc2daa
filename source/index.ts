export {HttpCache, type CacheEvents, type StoreErrorEvent} from './cache/http-cache.ts';
export {cacheHooks, getCache} from './client/cache-hooks.ts';
export {cacheInfo, type CacheInfo} from './client/cache-info.ts';
export {
	createCachedGot, type CachedGot, type CachedRequestFunction, type CachedStreamFunction,
} from './client/create-cached-got.ts';
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
	compressed, type CompressedOptions, type CompressionName,
} from './serializers/compressed.ts';
export {encrypted, type EncryptedOptions, type EncryptionKey} from './serializers/encrypted.ts';
export type {FormatName} from './serializers/formats.ts';
export {
	initSerializer, SerializerPipeline, type PipelineOptions, type PipelineStage,
} from './serializers/pipeline.ts';
export {signed, type SignedOptions} from './serializers/signed.ts';
export type {
	EntryBody, EntryDocument, Stage, StageContext, StageInput, StageOutput,
} from './serializers/stage.ts';
export {UnreadableError, type UnreadableReason} from './serializers/unreadable.ts';
export {
	getExpirationDatetime, getUrlExpiration, type CacheSettings, type RequestSettings,
} from './settings.ts';
export {
	createStore, type NamedStores, type StoreName, type StoreOptions, type StoreUrl,
} from './stores/create-store.ts';
export {
	asKeyvAdapter, type KeyvAdapter, type KeyvAdapterOptions, type KeyvEntry,
} from './stores/keyv-adapter.ts';
export type {StoreSetting} from './stores/open.ts';
export type {
	IndexedTimes, MaybePromise, SetOptions, Store, StoredValue, StoreQuery,
} from './stores/types.ts';
