import {Buffer} from 'node:buffer';
import type {Options, Response} from 'got';
import type {Exchange} from '../exchange/exchange.ts';
import type {Redirects} from '../exchange/types.ts';
import type {StoredCookie} from '../entry/stored-response.ts';
import {withoutFragment} from '../policy/storing.ts';
import type {ProcessRegistry} from './global/process-registry.ts';
import {ServedResponse} from './served-response.ts';

// What this library notes on the options that Got makes for one attempt: the request function, the exchange, what becomes of retries, and the redirects before it.

/** Makes a transport the request function of these options alone. */
export function setTransport(options: Options, transport: unknown): void {
	Object.defineProperty(options, 'getRequestFunction', {value: () => transport, configurable: true});
}

/**
Removes the transport, and with it what an installation for the whole process has done to the options: one request has one cache.
*/
export function removeTransport(options: Options): void {
	Reflect.deleteProperty(options, 'getRequestFunction');
	findRegistry()?.pass(options);
}

export const registryName: unique symbol = Symbol.for('got-cache-hooks.registry') as never;

/** The object by which caches are installed for the whole process, whichever copy of this library has made it; `undefined` where the process was started without `got-cache-hooks/register`. */
export function findRegistry(): ProcessRegistry | undefined {
	return (globalThis as {[registryName]?: ProcessRegistry})[registryName];
}

/** The exchange of an attempt, and the clock of its client: `cacheInfo` reads them. */
type RememberedExchange = {readonly exchange: Exchange; readonly now: () => number};

const rememberedExchanges = new WeakMap<Options, RememberedExchange>();

export function rememberExchange(options: Options, remembered: RememberedExchange): void {
	rememberedExchanges.set(options, remembered);
}

export function rememberedExchange(options: Options): RememberedExchange | undefined {
	return rememberedExchanges.get(options);
}

/**
Lets Got retry by the user's own rules, including their `calculateDelay`. When Got would give up, it tries once more at once, and the stored response answers that attempt.
*/
export function awaitRetries(options: Options): void {
	const {calculateDelay, enforceRetryRules: areRulesEnforced = false} = options.retry;
	if (calculateDelay === undefined || waiting.has(calculateDelay)) {
		return;
	}

	const state: Waiting = {calculateDelay, isOver: false};
	const wait: CalculateDelay = async retry => {
		// With `enforceRetryRules`, Got does not call the function where its own rules refuse a retry.
		const delay = areRulesEnforced && retry.computedValue === 0 ? 0 : await calculateDelay(retry);
		// The attempt after the last one may not have come to the cache: it is not made twice.
		if (delay > 0 || state.isOver) {
			return delay;
		}

		state.isOver = true;
		return 1;
	};

	waiting.set(wait, state);
	options.retry.calculateDelay = wait;
	if (areRulesEnforced) {
		options.retry.enforceRetryRules = suspended;
	}
}

/**
Puts the user's retry options back.

@returns Whether Got has used up its retries, and this attempt is the last resort.
*/
export function endOfRetries(options: Options): boolean {
	const {retry} = options;
	if (retry.enforceRetryRules === suspended) {
		retry.enforceRetryRules = true;
	}

	const state = retry.calculateDelay === undefined ? undefined : waiting.get(retry.calculateDelay);
	if (state === undefined) {
		return false;
	}

	retry.calculateDelay = state.calculateDelay;
	return state.isOver;
}

type RetryOptions = Options['retry'];
type CalculateDelay = NonNullable<RetryOptions['calculateDelay']>;

type Waiting = {
	readonly calculateDelay: CalculateDelay;
	isOver: boolean;
};

// Stands for `true` in `enforceRetryRules` while Got is to call `calculateDelay` in any case. A hook may set a boolean of its own meanwhile.
const suspended = null as unknown as boolean;

/** The functions that `awaitRetries` has set as `calculateDelay`, and the functions that they replace. Got copies `calculateDelay` to the next attempt. */
const waiting = new WeakMap<CalculateDelay, Waiting>();

/**
Keeps Got from retrying where the error status came from the cache: the cache would give it again. The pause before a retry is meant for the origin.

A retry that a hook asks for (`retryWithMergedOptions`) is made all the same. Other failures, such as those of a hook, are left to the user's own rules, without regard to the status.
*/
export function refuseRetry(options: Options): void {
	const {calculateDelay} = options.retry;
	if (calculateDelay === undefined || refusing.has(calculateDelay)) {
		return;
	}

	const refuse: CalculateDelay = retry => {
		const {error: {response, code}, retryOptions} = retry;
		if (code === retrying || !isServed(response)) {
			return calculateDelay(retry);
		}

		return code === errorStatus || retryOptions.enforceRetryRules === true ? 0 : calculateDelay({...retry, computedValue: 0});
	};

	refusing.add(refuse);
	options.retry.calculateDelay = refuse;
}

const refusing = new WeakSet<CalculateDelay>();

// The codes of Got's `HTTPError`, and of a retry that a hook asks for.
const errorStatus = 'ERR_NON_2XX_3XX_RESPONSE';
const retrying = 'ERR_RETRYING';

function isServed(response: Response | undefined): boolean {
	return response !== undefined && (response.isFromCache || (response as unknown) instanceof ServedResponse);
}

/**
The redirects that led to a request; `undefined` where it follows none.

@param needsCookies - Whether the cookies that a stored redirect set do not come with it.
*/
export function redirectsOf(options: Options, needsCookies: boolean): Redirects | undefined {
	if (options.followRedirect === false) {
		return undefined;
	}

	return {
		judge(stored) {
			const location = locationOf(stored.statusCode, stored.fields.location);
			if (location === undefined) {
				return undefined;
			}

			const urls = [...(options.context as Context)[visited] ?? [], options.url as URL].map(url => withoutFragment(url));
			// Node.js gives each byte of UTF-8 as a character; Got decodes them in the same way.
			const target = URL.parse(Buffer.from(location, 'latin1').toString(), String(options.url));
			if (target !== null && urls.includes(withoutFragment(target))) {
				return 'loop';
			}

			return !needsCookies || stored.cookies === undefined || options.cookieJar === undefined ? undefined : judgeCookies(stored.cookies, options.cookieJar as CookieJar);
		},
	};
}

/** Notes for the next hop that the chain of redirects has been to the URL of these options. */
export function noteRedirect(options: Options, {statusCode, headers: {location}}: {readonly statusCode?: number | undefined; readonly headers: Readonly<Record<string, unknown>>}): void {
	if (locationOf(statusCode ?? 0, location) === undefined) {
		return;
	}

	const context = options.context as Context;
	context[visited] = [...context[visited] ?? [], (options.url as URL).href];
}

/** The key of the visited URLs in `context`, which Got copies, symbols included, from one hop to the next. */
const visited = Symbol('got-cache-hooks: visited URLs');

type Context = {[visited]?: readonly string[]};

// The status codes of redirects that Got follows.
const followedCodes = new Set([300, 301, 302, 303, 304, 307, 308]);

function locationOf(statusCode: number, location: unknown): string | undefined {
	const first: unknown = Array.isArray(location) ? location[0] : location;
	return typeof first === 'string' && followedCodes.has(statusCode) ? first : undefined;
}

async function judgeCookies(cookies: readonly StoredCookie[], jar: CookieJar): Promise<'cookie' | undefined> {
	try {
		const known = await Promise.all(cookies.map(async cookie => isKnown(cookie, await jar.getCookieString(cookie.url))));
		return known.every(Boolean) ? undefined : 'cookie';
	} catch {
		// Where the jar fails, it is not known which cookies it has.
		return 'cookie';
	}
}

/** A cookie jar as Got gives it: one with callbacks has been made one with promises. */
type CookieJar = {readonly getCookieString: (url: string) => Promise<string>};

function isKnown({name, isDeleted}: StoredCookie, header: string): boolean {
	const names = header.split(';').map(pair => pair.split('=', 1)[0]!.trim());
	return names.includes(name) !== isDeleted;
}
