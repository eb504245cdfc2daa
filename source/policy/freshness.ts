import {maxDeltaSeconds} from './directives.ts';
import type {Expiration} from './expiration.ts';
import type {RequestDirectives, RequestFacts} from './facts.ts';
import type {StoredFacts, ResponseFacts} from './response-facts.ts';
import {fieldLines, type Fields} from './fields.ts';
import type {Lifetime, PolicySettings, StoredHead} from './types.ts';
import {getUrlExpiration} from './url-patterns.ts';

/** When a response was asked for and when it came, in milliseconds since the epoch. */
export type Times = {
	readonly requested: number;
	readonly received: number;

	/** A random number from 0 to 1: the part of the `jitter` by which the lifetime is shortened. Default: 0. */
	readonly random?: number;
};

/**
How long a response is fresh and kept. With `cacheControl`, highest precedence first: what the response headers say, the user's settings, the heuristic; else the user's settings alone.
*/
export function lifetime(response: ResponseFacts, expiration: Expiration | undefined, settings: PolicySettings, times: Times): Lifetime {
	const {received, random = 0} = times;
	const shortened = (expires: number | undefined): number | undefined => expires === undefined || expires <= received ? expires : Math.ceil(expires - ((expires - received) * settings.jitter * random));
	if (!settings.cacheControl) {
		return {...retained(shortened(expiration === undefined ? undefined : expiry(expiration, received)), received, settings), initialAge: 0};
	}

	const age = initialAge(response, times.requested);
	const {explicitLifetime: explicit, directives} = response;
	const expires = explicit === undefined && expiration !== undefined
		? expiry(expiration, received)
		: received + (explicit ?? heuristicLifetime(response) ?? 0) - age;
	return {...retained(shortened(expires), received, settings, directives), initialAge: age};
}

// Rules refuse what must not be cached before its lifetime counts.
function expiry(expiration: Expiration, now: number): number | undefined {
	return expiration.kind === 'do-not-cache' ? now : expiresAt(expiration, now);
}

/** The status codes that are cacheable by themselves (RFC 9110 §15.1). */
export const heuristicallyCacheable: ReadonlySet<number> = new Set([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501]);

/** The share of the time since `Last-Modified` that RFC 9111 §4.2.2 suggests. */
const heuristicShare = 0.1;

/**
A share of the time since `Last-Modified` (RFC 9111 §4.2.2), for what is cacheable by its status code or by its headers; `undefined` where there is none.
*/
function heuristicLifetime(response: ResponseFacts): number | undefined {
	if (!heuristicallyCacheable.has(response.statusCode) && !response.directives.isPublic) {
		return undefined;
	}

	const {lastModified, received, date = received} = response;
	// A clock of the origin's that is ahead makes nothing fresh for longer.
	return lastModified === undefined ? undefined : Math.floor(Math.max(0, Math.min(date, received) - lastModified) * heuristicShare);
}

/** For how long the origin lets a response be served stale, in milliseconds. */
type StaleTimes = {readonly staleIfError?: number | undefined; readonly staleWhileRevalidate?: number | undefined};

/**
When a response expires, and when the store may forget it.

@param origin - How long the origin lets it be served stale; absent where its headers do not count.
*/
export function retained(expires: number | undefined, now: number, settings: PolicySettings, origin?: StaleTimes): Omit<Lifetime, 'initialAge'> {
	const stale = Math.max(
		settings.ttlOffset,
		settings.staleIfError,
		settings.staleWhileRevalidate,
		origin?.staleIfError ?? 0,
		origin?.staleWhileRevalidate ?? 0,
	);
	return {expires, retainUntil: expires === undefined || stale === Infinity ? undefined : Math.max(expires, now) + stale};
}

/**
How long a response is fresh by the user's settings, highest precedence first: the request's `max-age`, its own `expireAfter`, the first URL pattern, the client's.

A `max-age` of 0 asks for validation now; it does not say that the next caller wants the same. With `cacheControl` a `max-age` only limits what the request accepts (RFC 9111 §5.2.1.1).

@param maximumAge - The request's `max-age`, in milliseconds.
*/
export function resolveExpiration(url: string, settings: PolicySettings, maximumAge?: number): Expiration | undefined {
	const {cacheControl, requestExpireAfter, urlsExpireAfter, expireAfter} = settings;
	if (!cacheControl && maximumAge !== undefined && maximumAge > 0) {
		return {kind: 'after', milliseconds: maximumAge};
	}

	return requestExpireAfter
		?? (urlsExpireAfter.length === 0 ? undefined : getUrlExpiration(url, urlsExpireAfter))
		?? expireAfter;
}

/**
The moment of an expiration in milliseconds since the epoch, counted from `now`; `undefined` for one that never comes, or that lies beyond the last moment that a `Date` can hold.
*/
export function expiresAt(expiration: Exclude<Expiration, {kind: 'do-not-cache'}>, now: number): number | undefined {
	if (expiration.kind === 'never') {
		return undefined;
	}

	if (expiration.kind === 'at') {
		return expiration.time;
	}

	const time = now + expiration.milliseconds;
	return time > lastMoment ? undefined : time;
}

// The last moment that a `Date` can hold.
const lastMoment = 8.64e15;

/**
The corrected initial age in milliseconds (RFC 9111 §4.2.3): how old the response was when it came.
*/
export function initialAge({date, received, fields}: ResponseFacts, requested: number): number {
	const apparentAge = date === undefined ? 0 : received - date;
	const responseDelay = Math.max(0, received - requested);
	return Math.max(0, apparentAge, ageValue(fields) + responseDelay);
}

/** The age in milliseconds now (RFC 9111 §4.2.3). A clock that was set back makes nothing younger than it came. */
export function currentAge({initialAge: initial, createdAt}: StoredHead, now: number): number {
	return initial + Math.max(0, now - createdAt);
}

// Invisible characters beside the number do not make it invalid: an age that was ignored would make the response younger.
const number = /^[^\u{21}-\u{7E}]*(?<seconds>\d+)[^\u{21}-\u{7E}]*$/v;

// RFC 9111 §5.1: the first member of a list counts; a value that is no number of seconds is ignored.
function ageValue(fields: Fields): number {
	const [first = ''] = (fieldLines(fields, 'age')[0] ?? '').split(',', 1);
	const {seconds = '0'} = number.exec(first)?.groups ?? {};
	return Math.min(Number(seconds), maxDeltaSeconds) * 1000;
}

// The greatest difference of the clocks of two processes, in milliseconds.
const clockMargin = 60_000;

/**
How long ago a response expired, in milliseconds: negative or 0 while it is fresh (`-Infinity` where it never expires), at least 1 when stale.

Nobody knows how old a response is that was received in the future, before the clock was set back or by a clock that is ahead by more than a minute: it counts as just expired.
*/
export function staleness({expires, createdAt}: Pick<StoredHead, 'expires' | 'createdAt'>, now: number): number {
	if (expires === undefined) {
		return -Infinity;
	}

	const past = now - expires + 1;
	return createdAt > now + clockMargin ? Math.max(1, past) : past;
}

/**
Whether a response is fresh, and as fresh as the request asks (RFC 9111 §5.2.1.1 `max-age`, §5.2.1.3 `min-fresh`).
*/
export function isFreshEnough(stored: StoredHead, directives: RequestDirectives, now: number): boolean {
	return isYoungEnough(stored, directives, now) && staleness(stored, now) + (directives.minimumFresh ?? 0) <= 0;
}

function isYoungEnough(stored: StoredHead, {maximumAge}: RequestDirectives, now: number): boolean {
	return maximumAge === undefined || currentAge(stored, now) < maximumAge;
}

/**
Whether a response is stale, but no longer than the request accepts (RFC 9111 §5.2.1.2 `max-stale`).
*/
export function isAcceptedStale(stored: StoredHead, directives: RequestDirectives, now: number): boolean {
	const {minimumFresh, maximumStale} = directives;
	return maximumStale !== undefined
		&& minimumFresh === undefined
		&& isYoungEnough(stored, directives, now)
		&& staleness(stored, now) <= maximumStale;
}

/**
Whether a stale response may stand in for an error (RFC 5861 §4): so long as the origin says, else the request, else the setting.
*/
export function isUsableOnError(stored: StoredHead, origin: StoredFacts, {directives, settings}: RequestFacts, now: number): boolean {
	const window = origin.staleIfError ?? directives.staleIfError ?? settings.staleIfError;
	return window > 0 && staleness(stored, now) <= window && !forbidsStale(origin);
}

/**
Whether a stale response may be served while it is revalidated (RFC 5861 §3): so long as the origin says, else the setting.
*/
export function isUsableWhileRevalidating(stored: StoredHead, origin: StoredFacts, settings: PolicySettings, now: number): boolean {
	const window = origin.staleWhileRevalidate ?? settings.staleWhileRevalidate;
	return window > 0 && staleness(stored, now) <= window && !forbidsStale(origin);
}

/**
Whether the origin forbids that a response is served stale, whatever request or settings say (RFC 9111 §4.2.4, §5.2.2.2, §5.2.2.4). `proxy-revalidate` and `s-maxage` bind shared caches only.
*/
export function forbidsStale({mustRevalidate, noCache}: StoredFacts): boolean {
	return mustRevalidate === true || noCache === true;
}
