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

/** Got's function, whose options include the cache settings of the request. */
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

/** A Got instance with a cache, whose options include the cache settings of a request. */
export type CachedGot = CachedRequestFunction & Record<Method, CachedRequestFunction> & {
	readonly stream: CachedStreamFunction & Record<Method, CachedStreamFunction>;

	/** The cache of the instance. */
	readonly cache: HttpCache;

	/** The settings, which may be changed while the client runs. An assignment holds for the requests that begin after it. */
	readonly cacheSettings: LiveSettings;

	/** Extends the instance as in Got; the options may include the cache settings of a request. The new instance shares the cache and its settings, unless an argument has a cache of its own. */
	readonly extend: (...instancesOrOptions: ReadonlyArray<ExtendedBy | Cached<ExtendOptions>>) => CachedGot;
} & Pick<Got, 'defaults' | 'paginate'>;

/** A Got instance, with a cache or without. */
type ExtendedBy = ((...parameters: never) => unknown) & Pick<Got, 'defaults'>;

const names: ReadonlySet<string> = new Set(requestSettingNames);

/**
Creates a Got instance with a cache, whose options may include the cache settings of a request at the top level.

@param instance - The instance to extend. Default: Got itself.
@throws {TypeError} If a setting is wrong.

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

/** Moves the cache settings of each argument to its `context`, merged with those of the previous ones: Got replaces `context.cache` as a whole. */
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

/** Moves cache settings from the options to `context.cache`: Got refuses unknown options, but merges `context`. */
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
