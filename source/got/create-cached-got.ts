/* eslint-disable @typescript-eslint/ban-ts-comment, import-x/no-duplicates -- A name that one major of Got lacks is imported by itself. */
import got, {
	type ExtendOptions,
	type Got,
	type GotReturn,
	type HTTPAlias,
	type Options,
	type OptionsInit,
	type OptionsOfBufferResponseBody,
	type OptionsOfBufferResponseBodyOnly,
	type OptionsOfJSONResponseBody,
	type OptionsOfJSONResponseBodyOnly,
	type OptionsOfTextResponseBody,
	type OptionsOfTextResponseBodyOnly,
	type OptionsWithPagination,
	type Request,
	type Response,
	type StreamOptions,
} from 'got';
/** @ts-ignore -- Got 14 has no `RequestPromise`. */
import type {RequestPromise} from 'got';
/** @ts-ignore -- Only Got 14 has a `CancelableRequest`. */
import type {CancelableRequest} from 'got';
import type {HttpCache} from '../cache/http-cache.ts';
import {asObject, parseInput} from '../parse.ts';
import {requestSettingNames, type LiveSettings, type RequestSettings} from '../settings/settings.ts';
import {
	cacheHooks,
	getCache,
	gotInstance,
	type ClientSettings,
} from './cache-hooks.ts';
import {FastHits} from './fast-hit.ts';
import {requireSupportedGot} from './supported-got.ts';

type IsGot14 = [Extract<GotReturn, {readonly cancel: unknown}>] extends [never] ? false : true;

/** The promise of a request, by its name in the Got that is installed. */
type Answer<Body> = IsGot14 extends true ? CancelableRequest<Body> : RequestPromise<Body>;

type WithSettings<Given> = Given & RequestSettings & {
	/** Got's `context`, where the settings of a request may be as well. */
	readonly context?: {readonly cache?: RequestSettings};
};

/** Got's options, with any type of the body. */
type AnyOptions = Omit<OptionsInit, 'resolveBodyOnly' | 'responseType'> & {
	readonly responseType?: OptionsInit['responseType'] | undefined;
	readonly resolveBodyOnly?: boolean | undefined;
};

/** Got's request function, which takes the cache settings of a request beside Got's own options. */
export type CachedRequestFunction = {
	(url: string | URL, options?: WithSettings<OptionsOfTextResponseBody>): Answer<Response<string>>;
	<T>(url: string | URL, options?: WithSettings<OptionsOfJSONResponseBody>): Answer<Response<T>>;
	(url: string | URL, options?: WithSettings<OptionsOfBufferResponseBody>): Answer<Response<Uint8Array<ArrayBuffer>>>;
	(url: string | URL, options?: WithSettings<OptionsOfTextResponseBodyOnly>): Answer<string>;
	<T>(url: string | URL, options?: WithSettings<OptionsOfJSONResponseBodyOnly>): Answer<T>;
	(url: string | URL, options?: WithSettings<OptionsOfBufferResponseBodyOnly>): Answer<Uint8Array<ArrayBuffer>>;
	(url: string | URL, options?: WithSettings<StreamOptions>): Answer<unknown>;

	/** Any other call that Got allows, such as one with the URL among the options. In Got 14, it may return a stream. */
	(url?: string | URL | WithSettings<AnyOptions>, options?: WithSettings<AnyOptions>, defaults?: Options): IsGot14 extends true ? any : Answer<any>;
};

/** Got's stream function, which takes the cache settings of a request beside Got's own options. */
export type CachedStreamFunction = {
	(url?: string | URL, options?: WithSettings<StreamOptions>): Request;
	(options?: WithSettings<StreamOptions>): Request;
};

type CachedPagination = {
	<T, R = unknown>(url: string | URL, options?: WithSettings<OptionsWithPagination<T, R>>): AsyncIterableIterator<T>;
	<T, R = unknown>(options?: WithSettings<OptionsWithPagination<T, R>>): AsyncIterableIterator<T>;
};

/**
A Got instance with a cache. It takes the cache settings of a request beside Got's own options, and is accepted wherever a Got instance is.
*/
export type CachedGot = CachedRequestFunction & Record<HTTPAlias, CachedRequestFunction> & {
	/** Got's stream API. */
	readonly stream: CachedStreamFunction & Record<HTTPAlias, CachedStreamFunction>;

	/** Got's pagination: each page is a request of its own. */
	readonly paginate: CachedPagination & {
		/** Gives the items one at a time. */
		readonly each: CachedPagination;

		/** Gives all items in an array. */
		readonly all: {
			<T, R = unknown>(url: string | URL, options?: WithSettings<OptionsWithPagination<T, R>>): Promise<T[]>;
			<T, R = unknown>(options?: WithSettings<OptionsWithPagination<T, R>>): Promise<T[]>;
		};
	};

	/** The cache, with everything that is stored. */
	readonly cache: HttpCache;

	/** The settings of the client. An assignment takes effect for the requests that begin after it. */
	readonly cacheSettings: LiveSettings;

	/** Got's `extend`, which takes the cache settings of a request beside Got's options. The new instance shares the cache and its settings, unless it is extended with an instance that has its own cache. */
	readonly extend: ((...instancesOrOptions: ReadonlyArray<ExtendedBy | WithSettings<ExtendOptions>>) => CachedGot) & Got['extend'];
} & Pick<Got, Exclude<keyof Got, HTTPAlias | 'extend' | 'paginate' | 'stream'>>;

/** A Got instance, with a cache or without. */
type ExtendedBy = ((...parameters: never) => unknown) & Pick<Got, 'defaults'>;

/**
Creates a Got instance with a cache, which takes the cache settings of a request beside Got's own options.

@param instance - The instance to extend. Default: Got itself.
@throws {TypeError} When a setting is wrong.
@throws {CacheHooksError} `ERR_UNSUPPORTED_GOT` if the instance is of an older Got.

@example
```ts
import {cacheInfo, createCachedGot} from 'got-cache-hooks';

const client = createCachedGot({store: 'memory', expireAfter: '5m'});
await client('https://api.example.com/users/1');
const response = await client('https://api.example.com/users/1', {expireAfter: '1m', refresh: true});
console.log(cacheInfo(response).reason);
//=> revalidated

await client.cache.close();
```
*/
export function createCachedGot(settings: ClientSettings = {}, instance: Pick<Got, 'extend'> = got): CachedGot {
	const parsed = parseInput(gotInstance, instance, 'instance');
	requireSupportedGot(parsed.defaults.options);
	return withCache(parsed.extend(cacheHooks(settings), {hooks: {init: [moveSettings]}}));
}

function withCache(instance: Got): CachedGot {
	const {extend, defaults} = instance;
	const cache = getCache(instance);
	return Object.defineProperties(withFastHits(instance), {
		cache: {value: cache, enumerable: true},
		cacheSettings: {value: cache.settings, enumerable: true},
		extend: {
			value: (...given: ReadonlyArray<ExtendedBy | WithSettings<ExtendOptions>>) => withCache(extend(...extensions(given, defaults.options.context)) as Got),
			enumerable: true,
		},
	}) as unknown as CachedGot;
}

/** Puts the fast hit before the functions of an instance, if its requests are plain. */
function withFastHits(instance: Got): Got {
	const hits = FastHits.of(instance, moveSettings);
	if (hits === undefined) {
		return instance;
	}

	type Call = (url: unknown, options: unknown, defaults: unknown) => unknown;
	const before = (request: Call): Call => (url, options, defaults) => (defaults === undefined ? hits.answer(url, options) : undefined) ?? request(url, options, defaults);
	return Object.defineProperties(before(instance as Call), {
		...Object.getOwnPropertyDescriptors(instance),
		get: {...Object.getOwnPropertyDescriptor(instance, 'get'), value: before(instance.get as Call)},
	}) as unknown as Got;
}

/** Moves the cache settings of each argument to its `context`, merged with those of the previous ones: Got replaces `context.cache` as a whole. */
function extensions(given: ReadonlyArray<ExtendedBy | WithSettings<ExtendOptions>>, inherited: Context): Array<Got | ExtendOptions> {
	let context = inherited;
	return given.map(item => {
		if (typeof item === 'function') {
			context = {...context, ...item.defaults.options.context};
			return item as unknown as Got;
		}

		// Got refuses what is neither a function nor an object.
		if (asObject(item) === undefined) {
			return item;
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
	const given = Object.keys(plain).filter(name => requestSettingNames.has(name));
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
