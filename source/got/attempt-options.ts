import {Buffer} from 'node:buffer';
import type {Options, Response} from 'got';
import type {AsyncContext} from '../cache/reporter.ts';
import type {StoredCookie, StoredResponse} from '../entry/stored-response.ts';
import type {
	Exchange,
	ExchangeInfo,
	Redirects,
	RenderedResponse,
} from '../exchange/exchange.ts';
import type {MaybePromise} from '../maybe-promise.ts';
import {withoutFragment} from '../policy/response-facts.ts';
import type {ProcessRegistry} from './global/process-registry.ts';
import {ServedResponse} from './served-response.ts';

// What this library sets and notes on the options that Got creates for one attempt: the request function, the exchange, the retry options, and the redirects that led to the attempt.

/** Makes a transport the request function of these options only. */
export function setTransport(options: Options, transport: unknown): void {
	Object.defineProperty(options, 'getRequestFunction', {value: () => transport, configurable: true, writable: true});
}

/** Removes the transport, and excludes the options from a cache that is installed for the whole process: one request has one cache. */
export function removeTransport(options: Options): void {
	if (Object.hasOwn(options, 'getRequestFunction')) {
		// To delete the property would make Got's options slow.
		const {getRequestFunction} = Object.getPrototypeOf(options) as Options;
		options.getRequestFunction = getRequestFunction;
	}

	findRegistry()?.markServed(options);
}

export const registryName: unique symbol = Symbol.for('got-cache-hooks.registry') as never;

/** Returns the registry of caches that are installed for the whole process, whichever copy of this library has created it; `undefined` if the process was started without `got-cache-hooks/register`. */
export function findRegistry(): ProcessRegistry | undefined {
	return (globalThis as {[registryName]?: ProcessRegistry})[registryName];
}

const infoName = Symbol('got-cache-hooks: info');

/** Notes what is known of the exchange of an attempt, for `cacheInfo`. The exchange itself would stay in memory as long as the options. An entry of a WeakMap would cost several times as much, most of it in garbage collections. */
export function noteInfo(options: Options, {info}: Exchange): void {
	Object.defineProperty(options, infoName, {value: info, configurable: true});
}

export function infoOf(options: Options): ExchangeInfo | undefined {
	return (options as {readonly [infoName]?: ExchangeInfo})[infoName];
}

/** A response that an exchange has served before Got began, for Got to give it to the caller. */
export type Served = {readonly exchange: Exchange; readonly response: RenderedResponse};

/** The name of a served response in `context`, where it is until the hook of the cache runs. Got 15 and 16 take no symbols. */
const servedName = 'got-cache-hooks: served response';

/** Returns a context with which Got gives the caller a served response. */
export function contextWith(served: Served): Record<string, unknown> {
	return {[servedName]: served};
}

/** Returns the served response of a request, and removes it from its context. */
export function takeServed({context}: Options): Served | undefined {
	const served = (context as {[servedName]?: Served})[servedName];
	if (served !== undefined) {
		Reflect.deleteProperty(context, servedName);
	}

	return served;
}

type CalculateDelay = NonNullable<Options['retry']['calculateDelay']>;

type WrappedDelay = {
	readonly calculateDelay: CalculateDelay;
	areRetriesUsed: boolean;
};

/** The functions that `awaitRetries` has set as `calculateDelay`, with the functions that they replace. Got copies `calculateDelay` to the next attempt. */
const wrappedDelays = new WeakMap<CalculateDelay, WrappedDelay>();

// Replaces `true` in `enforceRetryRules`, so that Got always calls `calculateDelay`. A hook may set a boolean of its own meanwhile.
const suspended = null as unknown as boolean;

/**
Lets Got retry by the user's own rules, including their `calculateDelay`. When Got would give up, it makes one more attempt at once, which a stored response answers.
*/
export function awaitRetries({retry: retryOptions}: Options): void {
	const {calculateDelay, enforceRetryRules: areRulesEnforced = false} = retryOptions;
	if (calculateDelay === undefined || wrappedDelays.has(calculateDelay)) {
		return;
	}

	const wrapped: WrappedDelay = {calculateDelay, areRetriesUsed: false};
	const delayWithLastAttempt: CalculateDelay = async retry => {
		// With `enforceRetryRules`, Got does not call the user's function where its own rules refuse a retry.
		const delay = areRulesEnforced && retry.computedValue === 0 ? 0 : await calculateDelay(retry);
		// The last attempt is made once, even where it fails before it comes to the cache.
		if (delay > 0 || wrapped.areRetriesUsed) {
			return delay;
		}

		wrapped.areRetriesUsed = true;
		return 1;
	};

	wrappedDelays.set(delayWithLastAttempt, wrapped);
	retryOptions.calculateDelay = delayWithLastAttempt;
	if (areRulesEnforced) {
		retryOptions.enforceRetryRules = suspended;
	}
}

/**
Restores the user's retry options.

@returns Whether Got has used up its retries, so that this is the last attempt.
*/
export function restoreRetryOptions({retry}: Options): boolean {
	if (retry.enforceRetryRules === suspended) {
		retry.enforceRetryRules = true;
	}

	const wrapped = retry.calculateDelay === undefined ? undefined : wrappedDelays.get(retry.calculateDelay);
	if (wrapped === undefined) {
		return false;
	}

	retry.calculateDelay = wrapped.calculateDelay;
	return wrapped.areRetriesUsed;
}

const refusingDelays = new WeakSet<CalculateDelay>();

// The codes of Got's `HTTPError`, and of a retry that a hook requests.
const errorStatus = 'ERR_NON_2XX_3XX_RESPONSE';
const retrying = 'ERR_RETRYING';

/**
Keeps Got from retrying after an error status that the cache served: the cache would serve it again, and the delay before a retry is meant for the origin.

A retry that a hook requests (`retryWithMergedOptions`) is made all the same. Other failures, such as those of a hook, follow the user's own rules, without regard to the status.
*/
export function refuseRetry({retry: retryOptions}: Options): void {
	const {calculateDelay} = retryOptions;
	if (calculateDelay === undefined || refusingDelays.has(calculateDelay)) {
		return;
	}

	const refuse: CalculateDelay = retry => {
		const {error: {response, code}, retryOptions: {enforceRetryRules}} = retry;
		if (code === retrying || !isServed(response)) {
			return calculateDelay(retry);
		}

		return code === errorStatus || enforceRetryRules === true ? 0 : calculateDelay({...retry, computedValue: 0});
	};

	refusingDelays.add(refuse);
	retryOptions.calculateDelay = refuse;
}

function isServed(response: Response | undefined): boolean {
	return response !== undefined && (response.isFromCache || (response as unknown) instanceof ServedResponse);
}

/** The key of the visited URLs in `context`, which Got copies, symbols included, from one hop to the next. */
const visited = Symbol('got-cache-hooks: visited URLs');

/** The key of the async context of the first attempt in `context`. Over HTTP/2, Got 14 and 15 follow a redirect in that of another request. */
const firstContext = Symbol('got-cache-hooks: async context');

/** The key of the last attempt's information in `context`, where each of several equal requests has a recording of its own. */
const numbered = Symbol('got-cache-hooks: numbered');

type Context = {[visited]?: readonly string[]; [firstContext]?: AsyncContext; [numbered]?: ExchangeInfo};

/** Notes what the next hop or attempt needs of an exchange: its async context and, for a retry, its key. */
export function noteAttempt({context}: Options, exchange: Exchange): void {
	if (exchange.context !== undefined) {
		(context as Context)[firstContext] = exchange.context;
	}

	if (!exchange.settings.recording.allowsRepeats) {
		(context as Context)[numbered] = exchange.info;
	}
}

/** Returns the key of the attempt that a retry repeats, where keys are numbered. */
export function retriedKeyOf({context}: Options): string | undefined {
	return (context as Context)[numbered]?.key;
}

/** Returns the async context of the first hop and attempt of a request; `undefined` if this is the first, or if nobody listened then. */
export function firstContextOf({context}: Options): AsyncContext | undefined {
	return (context as Context)[firstContext];
}

/** The status codes of the redirects that Got follows. */
const followedCodes = new Set([300, 301, 302, 303, 304, 307, 308]);

/**
Returns the redirects that led to a request; `undefined` if it follows none.

@param needsCookies - Whether a stored redirect may be reused only if the cookie jar has the cookies that it set.
*/
export function redirectsOf(options: Options, needsCookies: boolean): Redirects | undefined {
	return options.followRedirect === false ? undefined : new FollowedRedirects(options, needsCookies);
}

class FollowedRedirects implements Redirects {
	readonly #options: Options;
	readonly #needsCookies: boolean;

	constructor(options: Options, needsCookies: boolean) {
		this.#options = options;
		this.#needsCookies = needsCookies;
	}

	check(stored: StoredResponse): MaybePromise<'loop' | 'cookie' | undefined> {
		const location = locationOf(stored.statusCode, stored.fields.location);
		if (location === undefined) {
			return undefined;
		}

		const {context, url, cookieJar} = this.#options;
		const urls = [...(context as Context)[visited] ?? [], url as URL].map(known => withoutFragment(known));
		// Node.js gives each byte of UTF-8 as a character. Got decodes them in the same way.
		const target = URL.parse(Buffer.from(location, 'latin1').toString(), String(url));
		if (target !== null && urls.includes(withoutFragment(target))) {
			return 'loop';
		}

		return cookieJar === undefined || stored.cookies === undefined || !this.#needsCookies ? undefined : checkCookies(stored.cookies, cookieJar as CookieJar);
	}
}

/** Notes the URL of these options for the next hop, if the response is a redirect. */
export function noteRedirect(options: Options, {statusCode, headers: {location}}: {readonly statusCode?: number | undefined; readonly headers: Readonly<Record<string, unknown>>}): void {
	if (locationOf(statusCode ?? 0, location) === undefined) {
		return;
	}

	const context = options.context as Context;
	context[visited] = [...context[visited] ?? [], (options.url as URL).href];
}

function locationOf(statusCode: number, location: unknown): string | undefined {
	const first: unknown = Array.isArray(location) ? location[0] : location;
	return typeof first === 'string' && followedCodes.has(statusCode) ? first : undefined;
}

async function checkCookies(cookies: readonly StoredCookie[], jar: CookieJar): Promise<'cookie' | undefined> {
	try {
		const areKnown = await Promise.all(cookies.map(async cookie => isKnown(cookie, await jar.getCookieString(cookie.url))));
		return areKnown.every(Boolean) ? undefined : 'cookie';
	} catch {
		// If the jar fails, its cookies are not known.
		return 'cookie';
	}
}

/** A cookie jar as Got normalizes it, with promises instead of callbacks. */
type CookieJar = {readonly getCookieString: (url: string) => Promise<string>};

function isKnown({name, isDeleted}: StoredCookie, header: string): boolean {
	const names = header.split(';').map(pair => pair.split('=', 1)[0]!.trim());
	return names.includes(name) !== isDeleted;
}
