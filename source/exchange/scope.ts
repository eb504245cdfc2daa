import {AsyncLocalStorage} from 'node:async_hooks';
import {CacheHooksError} from '../errors.ts';
import type {CacheCore} from '../cache/core.ts';
import {coreOf, type HttpCache} from '../cache/http-cache.ts';
import {resolveRequestSettings, type CacheSettings, type RequestSettings} from '../settings/settings.ts';

/** Settings of a client that hold in a call tree above those of the clients that are used there. */
export type ScopedClient = {
	readonly settings: CacheSettings;

	/** Where responses are kept there; `undefined` leaves them where each client keeps its own. */
	readonly cache: CacheCore | undefined;
};

export type LayerOptions = {
	/** Checked already. */
	readonly settings: RequestSettings;

	/** Whose requests have them; `undefined` is everybody's. */
	readonly cache?: CacheCore | undefined;
	readonly client?: ScopedClient | undefined;

	/** Whether an `expireAfter` from outside ends here: the client's settings have URL patterns of their own. */
	readonly endsExpireAfter?: boolean | undefined;

	/** Told of each cache that is asked here. */
	readonly onCache?: ((cache: CacheCore) => void) | undefined;
};

export type Scope = {
	readonly layer: Layer;
	readonly outer: Scope | undefined;

	/** The innermost layer that is a class's. */
	readonly classLayer: Layer | undefined;

	/** From the outermost to the innermost. */
	readonly clients: readonly ScopedClient[];
	readonly observers: ReadonlyArray<(cache: CacheCore) => void>;

	/** What holds here, by cache: made once. */
	readonly merged: WeakMap<CacheCore, RequestSettings>;
};

const storage = new AsyncLocalStorage<Scope | undefined>();

/** The scope in which the code runs; `undefined` outside of any. */
export function currentScope(): Scope | undefined {
	return storage.getStore();
}

const nothing: RequestSettings = Object.freeze({});

/**
What one function or class says of the requests in its call tree. It can be entered again and again: the same layers in the same order are the same scope, and one that is entered twice counts where it was entered last, so that scopes do not grow with the depth of calls.
*/
export class Layer {
	readonly options: LayerOptions;
	readonly isClass: boolean;
	#outermost: Scope | undefined;
	readonly #nested = new WeakMap<Scope, Scope>();

	/**
	Nothing is entered yet.

	@param isClass - Whether it is what a class says.
	*/
	constructor(options: LayerOptions, isClass = false) {
		this.options = options;
		this.isClass = isClass;
	}

	/** The scope of this layer within another. */
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

/** Calls a function in a scope; `undefined` is outside of any. */
export function callInScope<This, Arguments extends readonly unknown[], Result>(scope: Scope | undefined, action: (this: This, ...inputs: Arguments) => Result, self: This, inputs: Arguments): Result {
	return storage.run(scope, () => Reflect.apply<This, Arguments, Result>(action, self, inputs));
}

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
	return storage.run(new Layer({settings, cache: cache && coreOf(cache)}).within(currentScope()), action);
}

/** The settings that hold for a cache's requests here: always the same object in one scope; `undefined` outside of any. */
export function scopedSettings(cache: CacheCore): RequestSettings | undefined {
	const scope = currentScope();
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

	const {settings, cache: concerned, endsExpireAfter} = scope.layer.options;
	const outer = scope.outer === undefined ? nothing : mergedSettings(scope.outer, cache);
	const {expireAfter: _, ...others} = outer;
	const below = endsExpireAfter === true ? others : outer;
	const merged = concerned === undefined || concerned === cache ? mergeSettings(below, settings) : outer;
	scope.merged.set(cache, merged);
	return merged;
}

const refusedNetworks = new AsyncLocalStorage<true>();

/** Whether the code that runs was called inside `withoutNetwork`, where no cache sends a request. */
export function isNetworkRefused(): boolean {
	return refusedNetworks.getStore() === true;
}

/**
Runs a function in whose call tree, and only there, no cache sends a request: a request that would be sent fails with an error that names it. Where the process was started with `got-cache-hooks/register`, this holds for Got instances without a cache, too.

@returns What the function returns.
@throws {CacheHooksError} `ERR_NO_NETWORK`, as the cause of Got's `RequestError`, where a request would be sent.

@example
```
await withoutNetwork(async () => client('https://example.com'));
```
*/
export function withoutNetwork<Result>(action: () => Result): Result {
	return refusedNetworks.run(true, action);
}

/**
Makes the error of a request that `withoutNetwork` refuses.

@param url - The URL without credentials.
@param reason - Why the cache has no answer.
*/
export function networkRefusal(method: string, url: string, reason: string): CacheHooksError {
	return new CacheHooksError('ERR_NO_NETWORK', `No answer is stored for ${method} ${url} (${reason}), and \`withoutNetwork\` lets nothing out`);
}
