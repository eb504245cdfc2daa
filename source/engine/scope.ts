import {AsyncLocalStorage} from 'node:async_hooks';
import type {CacheCore} from '../cache/core.ts';
import {coreOf, type HttpCache} from '../cache/http-cache.ts';
import {resolveRequestSettings, type RequestSettings} from '../settings.ts';

type Scope = {
	readonly settings: RequestSettings;

	/** Whose requests they are for; `undefined` is everybody's. */
	readonly cache: CacheCore | undefined;
	readonly outer: Scope | undefined;

	/** What holds here, by cache: made once. */
	readonly merged: WeakMap<CacheCore, RequestSettings>;
};

const scopes = new AsyncLocalStorage<Scope>();
const nothing: RequestSettings = Object.freeze({});

/**
Runs a function in whose call tree, and only there, requests have these settings: below their own, above URL patterns and the client's. Where scopes are nested, the inner one stands above the outer one.

@param cache - The cache whose requests have them; those of every cache by default.
@throws {TypeError} Where a setting is wrong, before the function is called.

@example
```
await runWithSettings({expireAfter: '1m'}, async () => client('https://example.com'));
```
*/
export function runWithSettings<Result>(settings: RequestSettings, action: () => Result, cache?: HttpCache): Result {
	resolveRequestSettings(settings, 'settings');
	return scopes.run({
		settings, cache: cache && coreOf(cache), outer: scopes.getStore(), merged: new WeakMap(),
	}, action);
}

/** The settings that hold for a cache's requests here: always the same object in one scope; `undefined` outside of any. */
export function scopedSettings(cache: CacheCore): RequestSettings | undefined {
	const scope = scopes.getStore();
	const merged = scope && mergedSettings(scope, cache);
	return merged === nothing ? undefined : merged;
}

/** Settings above others: what is `undefined` leaves the others' as they are. */
export function mergeSettings(below: RequestSettings, above: RequestSettings): RequestSettings {
	const given = Object.entries(above).filter(([, value]) => value !== undefined);
	return Object.freeze({...below, ...Object.fromEntries(given)});
}

function mergedSettings(scope: Scope, cache: CacheCore): RequestSettings {
	const known = scope.merged.get(cache);
	if (known !== undefined) {
		return known;
	}

	const outer = scope.outer === undefined ? nothing : mergedSettings(scope.outer, cache);
	const merged = scope.cache === undefined || scope.cache === cache ? mergeSettings(outer, scope.settings) : outer;
	scope.merged.set(cache, merged);
	return merged;
}
