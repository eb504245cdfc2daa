import {AsyncLocalStorage} from 'node:async_hooks';
import {CacheHooksError} from '../errors.ts';
import type {CacheCore} from '../cache/core.ts';
import {coreOf, type HttpCache} from '../cache/http-cache.ts';
import {anyFunction, parseInput} from '../parse.ts';
import {resolveRequestSettings, type CacheSettings, type RequestSettings} from '../settings/settings.ts';

/** Client settings that hold in a call tree, over those of the clients that are used there. */
export type ScopedClient = {
	readonly settings: CacheSettings;

	/** The cache that is used there; `undefined` for the cache of each client. */
	readonly cache: CacheCore | undefined;
};

export type LayerOptions = {
	/** Request settings that have been checked. */
	readonly settings: RequestSettings;

	/** The cache whose requests have the settings; `undefined` for all caches. */
	readonly cache?: CacheCore | undefined;
	readonly client?: ScopedClient | undefined;

	/** Whether an `expireAfter` of outer layers does not hold here, since the client settings have URL patterns of their own. */
	readonly endsExpireAfter?: boolean | undefined;

	/** Called with each cache that is used in the call tree. */
	readonly onCache?: ((cache: CacheCore) => void) | undefined;
};

export type Scope = {
	readonly layer: Layer;
	readonly outer: Scope | undefined;

	/** The innermost layer of a class. */
	readonly classLayer: Layer | undefined;

	/** The client settings, from the outermost to the innermost. */
	readonly clients: readonly ScopedClient[];
	readonly observers: ReadonlyArray<(cache: CacheCore) => void>;

	/** The request settings that hold in the scope, by cache. They are merged once, so that all requests of a scope have the same object. */
	readonly merged: WeakMap<CacheCore, RequestSettings>;
};

/** The scope in which the code runs. */
export const scopes: AsyncLocalStorage<Scope | undefined> = new AsyncLocalStorage<Scope | undefined>();

const noSettings: RequestSettings = Object.freeze({});

/** The settings that one function or class adds to its call tree. The same layers in the same order are the same scope. A layer that is entered twice counts where it was entered last, so that scopes do not grow with the depth of calls. */
export class Layer {
	readonly options: LayerOptions;
	readonly isClass: boolean;
	#outermost: Scope | undefined;
	readonly #nested = new WeakMap<Scope, Scope>();

	constructor(options: LayerOptions, isClass = false) {
		this.options = options;
		this.isClass = isClass;
	}

	/** Returns the scope of this layer inside another scope. */
	within(outer: Scope | undefined): Scope {
		if (outer === undefined) {
			this.#outermost ??= scopeOf(this, undefined);
			return this.#outermost;
		}

		const known = this.#nested.get(outer);
		if (known !== undefined) {
			return known;
		}

		const rest = without(outer, this);
		const scope = rest === outer ? scopeOf(this, outer) : this.within(rest);
		this.#nested.set(outer, scope);
		return scope;
	}
}

function scopeOf(layer: Layer, outer: Scope | undefined): Scope {
	const {client, onCache} = layer.options;
	const clients = outer?.clients ?? [];
	const observers = outer?.observers ?? [];
	return {
		layer,
		outer,
		classLayer: layer.isClass ? layer : outer?.classLayer,
		clients: client === undefined ? clients : [...clients, client],
		observers: onCache === undefined ? observers : [...observers, onCache],
		merged: new WeakMap(),
	};
}

function without(scope: Scope | undefined, layer: Layer): Scope | undefined {
	if (scope === undefined || scope.layer === layer) {
		return scope?.outer;
	}

	const outer = without(scope.outer, layer);
	return outer === scope.outer ? scope : scope.layer.within(outer);
}

/** Calls a function in a scope, or outside of any for `undefined`. */
export function callInScope<This, Arguments extends readonly unknown[], Result>(scope: Scope | undefined, action: (this: This, ...inputs: Arguments) => Result, self: This, inputs: Arguments): Result {
	return scopes.run(scope, () => Reflect.apply<This, Arguments, Result>(action, self, inputs));
}

/**
Runs a function in whose call tree, and only there, requests have these settings. A request's own settings take precedence over them; they take precedence over URL patterns and the client's settings. Of nested calls, the inner one takes precedence.

@param cache - The cache whose requests have the settings. Default: all caches.
@throws {TypeError} If a setting is wrong, before the function is called.
*/
export function runWithSettings<Result>(settings: RequestSettings, action: () => Result, cache?: HttpCache): Result {
	resolveRequestSettings(settings, 'settings');
	parseInput(anyFunction, action, 'action');
	return scopes.run(new Layer({settings, cache: cache && coreOf(cache)}).within(scopes.getStore()), action);
}

/** Returns the request settings of the scope for a cache, the same object for all requests; `undefined` if there are none. */
export function scopedSettings(cache: CacheCore): RequestSettings | undefined {
	const scope = scopes.getStore();
	const merged = scope && mergedSettings(scope, cache);
	return merged === noSettings ? undefined : merged;
}

/** Merges settings. Values that are not `undefined` in `above` take precedence. */
export function mergeSettings(below: RequestSettings, above: RequestSettings): RequestSettings {
	const given = Object.entries(above).filter(([, value]) => value !== undefined);
	return Object.freeze({...below, ...Object.fromEntries(given)});
}

function mergedSettings(scope: Scope, cache: CacheCore): RequestSettings {
	const known = scope.merged.get(cache);
	if (known !== undefined) {
		return known;
	}

	const {settings, cache: concerned, endsExpireAfter} = scope.layer.options;
	const outer = scope.outer === undefined ? noSettings : mergedSettings(scope.outer, cache);
	const {expireAfter: _, ...others} = outer;
	const below = endsExpireAfter === true ? others : outer;
	const merged = concerned === undefined || concerned === cache ? mergeSettings(below, settings) : outer;
	scope.merged.set(cache, merged);
	return merged;
}

/** `true` for code that runs inside `withoutNetwork`, where no cache sends a request. */
export const networkRefusals: AsyncLocalStorage<true> = new AsyncLocalStorage<true>();

/**
Runs a function in whose call tree, and only there, no cache sends a request: a request that would be sent fails with an error that names it. Where the process was started with `got-cache-hooks/register`, this holds for Got instances without a cache, too.

@returns What the function returns.
@throws {CacheHooksError} `ERR_NO_NETWORK`, as the cause of Got's `RequestError`, if a request would be sent.

@example
```ts
import got from 'got';
import {cacheHooks, withoutNetwork} from 'got-cache-hooks';

const client = got.extend(cacheHooks({store: 'memory'}));
await client('https://api.example.com/users/1');
const {isFromCache} = await withoutNetwork(async () => client('https://api.example.com/users/1'));
console.log(isFromCache);
//=> true
```
*/
export function withoutNetwork<Result>(action: () => Result): Result {
	parseInput(anyFunction, action, 'action');
	return networkRefusals.run(true, action);
}

/**
Makes the error of a request that `withoutNetwork` refuses.

@param url - The URL without credentials.
@param reason - Why the request would be sent.
*/
export function networkRefusal(method: string, url: string, reason: string): CacheHooksError {
	return new CacheHooksError('ERR_NO_NETWORK', `No response is stored for \`${method} ${url}\` (${reason}), and \`withoutNetwork\` prevents the request.`);
}
