export {HttpCache, type CacheEvents, type StoreErrorEvent} from './cache/http-cache.ts';
export {cacheHooks, getCache} from './client/cache-hooks.ts';
export {cacheInfo, type CacheInfo} from './client/cache-info.ts';
