import got, {
	type ExtendOptions,
	type Got,
	type OptionsInit,
	type OptionsOfBufferResponseBody,
	type OptionsOfBufferResponseBodyOnly,
	type OptionsOfJSONResponseBody,
	type OptionsOfJSONResponseBodyOnly,
	type OptionsOfTextResponseBody,
	type OptionsOfTextResponseBodyOnly,
	type Request,
	type RequestPromise,
	type Response,
	type StreamOptions,
} from 'got';
import type {HttpCache} from '../cache/http-cache.ts';
import {requestSettingNames, type LiveSettings, type RequestSettings} from '../settings/settings.ts';
import {cacheHooks, getCache, type ClientSettings} from './cache-hooks.ts';

type Cached<Options> = Options & RequestSettings;

/** Got's function, with the request's cache settings beside Got's own options. */
export type CachedRequestFunction = {
	(url: string | URL, options?: Cached<OptionsOfTextResponseBody>): RequestPromise<Response<string>>;
	<T>(url: string | URL, options?: Cached<OptionsOfJSONResponseBody>): RequestPromise<Response<T>>;
	(url: string | URL, options?: Cached<OptionsOfBufferResponseBody>): RequestPromise<Response<Uint8Array<ArrayBuffer>>>;
	(url: string | URL, options?: Cached<OptionsOfTextResponseBodyOnly>): RequestPromise<string>;
	<T>(url: string | URL, options?: Cached<OptionsOfJSONResponseBodyOnly>): RequestPromise<T>;
	(url: string | URL, options?: Cached<OptionsOfBufferResponseBodyOnly>): RequestPromise<Uint8Array<ArrayBuffer>>;
	(url: string | URL, options?: Cached<StreamOptions>): RequestPromise;
};

export type CachedStreamFunction = (url: string | URL, options?: Cached<StreamOptions>) => Request;

type Method = 'get' | 'post' | 'put' | 'patch' | 'head' | 'delete';

/**
A Got instance with a cache, and with the cache's settings typed beside Got's options.
*/
export type CachedGot = CachedRequestFunction & Record<Method, CachedRequestFunction> & {
	readonly stream: CachedStreamFunction & Record<Method, CachedStreamFunction>;

	/** What is cached. */
	readonly cache: HttpCache;

	/** The settings, which may be changed while the client runs: an assignment holds for the requests that begin after it. */
	readonly cacheSettings: LiveSettings;

	/** As Got's, with the settings of a request beside Got's options. The instance that it makes shares the cache and its settings, unless it is extended by another that has its own. */
	readonly extend: (...instancesOrOptions: ReadonlyArray<ExtendedBy | Cached<ExtendOptions>>) => CachedGot;
} & Pick<Got, 'defaults' | 'paginate'>;

/** An instance of Got, with a cache or without. */
type ExtendedBy = ((...parameters: never) => unknown) & Pick<Got, 'defaults'>;

const names: ReadonlySet<string> = new Set(requestSettingNames);

/**
A Got instance with a cache that takes the settings of a request at the top level of its options.

@param instance - What is extended; Got itself by default.
@throws {TypeError} Where a setting is wrong.

@example
```
import {createCachedGot} from 'got-cache-hooks';

const client = createCachedGot({store: 'memory', expireAfter: '5m'});
await client('https://example.com', {expireAfter: '1m', refresh: true});
await client.cache.close();
```
*/
export function createCachedGot(settings: ClientSettings = {}, instance: Pick<Got, 'extend'> = got): CachedGot {
	return withCache(instance.extend(cacheHooks(settings), {hooks: {init: [moveSettings]}}));
}

function withCache(client: Got): CachedGot {
	const {extend, defaults} = client;
	const cache = getCache(client)!;
	return Object.defineProperties(client, {
		cache: {value: cache, enumerable: true},
		cacheSettings: {value: cache.settings, enumerable: true},
		extend: {
			value: (...given: ReadonlyArray<ExtendedBy | Cached<ExtendOptions>>) => withCache(extend(...extensions(given, defaults.options.context)) as Got),
			enumerable: true,
		},
	}) as unknown as CachedGot;
}

/** The settings of each in its `context`, which takes the place of the one before. */
function extensions(given: ReadonlyArray<ExtendedBy | Cached<ExtendOptions>>, inherited: Context): Array<Got | ExtendOptions> {
	let context = inherited;
	return given.map(item => {
		if (typeof item === 'function') {
			context = {...context, ...item.defaults.options.context};
			return item as unknown as Got;
		}

		const options = {...item};
		moveSettings(options, {context});
		context = {...context, ...options.context};
		return options;
	});
}

type Context = Readonly<Record<string, unknown>>;

/** Got refuses options that it does not know; in `context` they are free, and Got merges it. */
function moveSettings(options: OptionsInit, self: {readonly context: Context}): void {
	const plain = options as OptionsInit & Record<string, unknown>;
	const given = Object.keys(plain).filter(name => names.has(name));
	if (given.length === 0) {
		return;
	}

	const cache: Record<string, unknown> = {...self.context.cache as object | undefined, ...plain.context?.cache as object | undefined};
	for (const name of given) {
		cache[name] = plain[name];
		Reflect.deleteProperty(plain, name);
	}

	plain.context = {...plain.context, cache};
}
