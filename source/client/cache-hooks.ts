import type {
	BeforeRequestHook,
	ExtendOptions,
	Got,
	Options,
} from 'got';
import {describedRequest} from '../cache/described-request.ts';
import {
	connect,
	coreOf,
	givenSettings,
	HttpCache,
} from '../cache/http-cache.ts';
import {SettingError} from '../errors.ts';
import {Engine} from '../engine/engine.ts';
import {resolveSettings, type CacheSettings} from '../settings.ts';
import {arm} from './transport.ts';

/** Settings of a client, which may be given a cache. */
export type ClientSettings = CacheSettings & {
	/** A cache that was made before, in place of one of its own: several clients may share it. Its settings hold where the client does not say otherwise. */
	readonly cache?: HttpCache | undefined;
};

/** What is settled with the cache: its store, and what its keys are made by. */
const settingsOfCache = ['store', 'cacheName', 'storeTimeout', 'failFast', 'autoclose', 'now', 'partitionSecret', 'maxBytes', 'maxEntries', 'matchHeaders', 'ignoredParameters', 'contentRootKey', 'partitionBy', 'cacheControl', 'keyFn', 'mode'] as const;

const clients = new WeakMap<BeforeRequestHook, {readonly engine: Engine; readonly cache: HttpCache}>();

/**
Options for `got.extend()` that give an instance a cache. All of its own options and hooks stay in force.

An instance that is extended twice has the cache of the later call.

@throws {TypeError} Where a setting is wrong: it names the setting, what came, and what is allowed.

@example
```
import got from 'got';
import {cacheHooks} from 'got-cache-hooks';

const client = got.extend(cacheHooks({store: 'memory', expireAfter: '5m'}));
```
*/
export function cacheHooks({cache: given, ...own}: ClientSettings = {}): Pick<ExtendOptions, 'hooks'> {
	const settings = given === undefined ? own : settingsWith(given, own);
	const resolved = resolveSettings(settings);
	const cache = given ?? new HttpCache(settings);
	const engine = new Engine(coreOf(cache), resolved);
	connect(cache, async ({method = 'GET', url, headers = {}, body}, requestSettings) => engine.explain(describedRequest(method, new URL(url), headers, body), engine.settingsFor(requestSettings)));
	const beforeRequest: BeforeRequestHook = options => {
		// Got's own `cache` calls the request function in a way of its own; two caches in a row serve nobody.
		if (options.cache === undefined) {
			arm(options as Options, engine);
		}
	};

	clients.set(beforeRequest, {engine, cache});
	return {hooks: {beforeRequest: [beforeRequest]}};
}

/**
The cache of a Got instance; of the last one, if it was extended twice.

@returns `undefined` for an instance without one.
*/
export function getCache(instance: Pick<Got, 'defaults'>): HttpCache | undefined {
	return clientOf(instance)?.cache;
}

/** The engine of a Got instance, for what else is asked of it. */
export function engineOf(instance: Pick<Got, 'defaults'>): Engine | undefined {
	return clientOf(instance)?.engine;
}

function clientOf({defaults}: Pick<Got, 'defaults'>): {readonly engine: Engine; readonly cache: HttpCache} | undefined {
	const hook = defaults.options.hooks.beforeRequest.findLast(candidate => clients.has(candidate));
	return hook === undefined ? undefined : clients.get(hook);
}

/** The settings of a client whose cache was given: those of the cache, with the client's own above them. */
function settingsWith(cache: unknown, own: CacheSettings): CacheSettings {
	if (!(cache instanceof HttpCache)) {
		throw new SettingError('cache.cache', cache, 'an HttpCache');
	}

	for (const name of settingsOfCache) {
		if (own[name] !== undefined) {
			throw new SettingError(`cache.${name}`, own[name], 'absent, since `cache` is given: it is a setting of that');
		}
	}

	return {...givenSettings(cache), ...own};
}
