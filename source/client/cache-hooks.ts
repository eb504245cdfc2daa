import type {
	BeforeRequestHook,
	ExtendOptions,
	Got,
	Options,
} from 'got';
import {HttpCache} from '../cache/http-cache.ts';
import {Engine} from '../engine/engine.ts';
import {resolveSettings, type CacheSettings} from '../settings.ts';
import {arm} from './transport.ts';

const engines = new WeakMap<BeforeRequestHook, Engine>();

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
export function cacheHooks(settings: CacheSettings = {}): Pick<ExtendOptions, 'hooks'> {
	const resolved = resolveSettings(settings);
	const engine = new Engine(new HttpCache(resolved), resolved, settings);
	const beforeRequest: BeforeRequestHook = options => {
		// Got's own `cache` calls the request function in a way of its own; two caches in a row serve nobody.
		if (options.cache === undefined) {
			arm(options as Options, engine.here);
		}
	};

	engines.set(beforeRequest, engine);
	return {hooks: {beforeRequest: [beforeRequest]}};
}

/**
The cache of a Got instance; of the last one, if it was extended twice.

@returns `undefined` for an instance without one.
*/
export function getCache(instance: Pick<Got, 'defaults'>): HttpCache | undefined {
	return engineOf(instance)?.cache;
}

/** The engine of a Got instance, for what else is asked of it. */
export function engineOf(instance: Pick<Got, 'defaults'>): Engine | undefined {
	const hook = instance.defaults.options.hooks.beforeRequest.findLast(candidate => engines.has(candidate));
	return hook === undefined ? undefined : engines.get(hook);
}
