import {maxDeltaSeconds} from './directives.ts';
import type {Expiration} from './expiration.ts';
import type {RequestDirectives, RequestFacts} from './facts.ts';
import type {StoredFacts, ResponseFacts} from './response-facts.ts';
import {fieldLines, type Fields} from './fields.ts';
import type {Lifetime, PolicySettings, StoredHead} from './types.ts';
import {getUrlExpiration} from './url-patterns.ts';

/** When a request was sent and its response was received, in milliseconds since the epoch. */
export type Times = {
	readonly requested: number;
	readonly received: number;

	/**
	A random number from 0 to 1: the part of the `jitter` by which the lifetime is shortened.

	@default 0
	*/
	readonly random?: number;
};

/** Returns how long a response is fresh and stays in the store. With `cacheControl`, the response headers come first, then the user's settings, then the heuristic; without it, only the settings count. */
export function lifetime(response: ResponseFacts, expiration: Expiration | undefined, settings: PolicySettings, times: Times): Lifetime {
	const {received, random = 0} = times;
	if (!settings.cacheControl) {
		const own = expiration === undefined ? undefined : expiry(expiration, received);
		return {...retained(shortened(own, received, settings.jitter * random), received, settings), initialAge: 0};
	}

	const age = initialAge(response, times.requested);
	const {explicitLifetime: explicit, directives} = response;
	const expires = explicit === undefined && expiration !== undefined
		? expiry(expiration, received)
		: received + (explicit ?? heuristicLifetime(response) ?? 0) - age;
	return {...retained(shortened(expires, received, settings.jitter * random), received, settings, directives), initialAge: age};
}

/** Returns an expiration that is nearer by a share of its time. */
function shortened(expires: number | undefined, now: number, share: number): number | undefined {
	return expires === undefined || expires <= now ? expires : Math.ceil(expires - ((expires - now) * share));
}

// A rule refuses a `do-not-cache` response before its lifetime is used.
function expiry(expiration: Expiration, now: number): number | undefined {
	return expiration.kind === 'do-not-cache' ? now : expiresAt(expiration, now);
}

/** The status codes that are heuristically cacheable (RFC 9110 §15.1). */
export const heuristicallyCacheable: ReadonlySet<number> = new Set([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501]);

/** The share of the time since `Last-Modified` that RFC 9111 §4.2.2 suggests. */
const heuristicShare = 0.1;

/** The heuristic freshness lifetime: a fraction of the time since `Last-Modified` (RFC 9111 §4.2.2), for a response that is cacheable by its status code or is `public`. */
function heuristicLifetime(response: ResponseFacts): number | undefined {
	if (!heuristicallyCacheable.has(response.statusCode) && !response.directives.isPublic) {
		return undefined;
	}

	const {lastModified, received, date = received} = response;
	// A clock of the origin that is ahead must not extend the lifetime.
	return lastModified === undefined ? undefined : Math.floor(Math.max(0, Math.min(date, received) - lastModified) * heuristicShare);
}

/**
Returns when a response expires, and when the store may delete it.

@param origin - How long the origin allows to serve a stale response, in milliseconds. Absent if the response headers do not count.
*/
export function retained(expires: number | undefined, now: number, settings: PolicySettings, origin?: Partial<Pick<ResponseFacts['directives'], 'staleIfError' | 'staleWhileRevalidate'>>): Omit<Lifetime, 'initialAge'> {
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
Returns the expiration that the user's settings give a response. The first of these counts: `max-age` of the request, `expireAfter` of the request, the first URL pattern that matches, `expireAfter` of the client.

A `max-age` of 0 only asks for validation now. With `cacheControl`, `max-age` only limits which responses the request accepts (RFC 9111 §5.2.1.1).

@param maximumAge - The `max-age` of the request, in milliseconds.
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

/** Returns the moment of an expiration in milliseconds since the epoch; `undefined` for never, and for a moment that a `Date` cannot represent. */
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

// The last moment that a `Date` can represent.
const lastMoment = 8.64e15;

/** Returns the corrected initial age (RFC 9111 §4.2.3): how old a response was when it was received, in milliseconds. */
export function initialAge({date, received, fields}: ResponseFacts, requested: number): number {
	const apparentAge = date === undefined ? 0 : received - date;
	const responseDelay = Math.max(0, received - requested);
	return Math.max(0, apparentAge, ageValue(fields) + responseDelay);
}

/** Returns the current age in milliseconds (RFC 9111 §4.2.3). It is never less than the initial age, even if the clock was set back. */
export function currentAge({initialAge: initial, createdAt}: StoredHead, now: number): number {
	return initial + Math.max(0, now - createdAt);
}

// Invisible characters beside the number are accepted, since to ignore an age would make the response younger.
const number = /^[^\u{21}-\u{7E}]*(?<seconds>\d+)[^\u{21}-\u{7E}]*$/v;

// RFC 9111 §5.1: the first member of a list counts; an invalid value is ignored.
function ageValue(fields: Fields): number {
	const [first = ''] = (fieldLines(fields, 'age')[0] ?? '').split(',', 1);
	const {seconds = '0'} = number.exec(first)?.groups ?? {};
	return Math.min(Number(seconds), maxDeltaSeconds) * 1000;
}

// The maximum difference between the clocks of two processes, in milliseconds.
const clockMargin = 60_000;

/**
Returns how long ago a response expired, in milliseconds: at most 0 while it is fresh (`-Infinity` if it never expires), at least 1 once it is stale.

A response that was received more than a minute in the future, by a clock that was ahead, counts as just expired, since its age is unknown.
*/
export function staleness({expires, createdAt}: Pick<StoredHead, 'expires' | 'createdAt'>, now: number): number {
	if (expires === undefined) {
		return -Infinity;
	}

	const past = now - expires + 1;
	return createdAt > now + clockMargin ? Math.max(1, past) : past;
}

/** Whether a response is fresh, also by the `max-age` and `min-fresh` of the request (RFC 9111 §5.2.1.1, §5.2.1.3). */
export function isFreshEnough(stored: StoredHead, directives: RequestDirectives, now: number): boolean {
	return isYoungEnough(stored, directives, now) && staleness(stored, now) + (directives.minimumFresh ?? 0) <= 0;
}

function isYoungEnough(stored: StoredHead, {maximumAge}: RequestDirectives, now: number): boolean {
	return maximumAge === undefined || currentAge(stored, now) < maximumAge;
}

/** Whether the request accepts a stale response by `max-stale` (RFC 9111 §5.2.1.2). */
export function isAcceptedStale(stored: StoredHead, directives: RequestDirectives, now: number): boolean {
	const {minimumFresh, maximumStale} = directives;
	return maximumStale !== undefined
		&& minimumFresh === undefined
		&& isYoungEnough(stored, directives, now)
		&& staleness(stored, now) <= maximumStale;
}

/** Whether a stale response may be served instead of an error (RFC 5861 §4). The period is that of the origin, else of the request, else of the setting. */
export function isUsableOnError(stored: StoredHead, origin: StoredFacts, {directives, settings}: RequestFacts, now: number): boolean {
	const window = origin.staleIfError ?? directives.staleIfError ?? settings.staleIfError;
	return window > 0 && staleness(stored, now) <= window && !forbidsStale(origin);
}

/** Whether a stale response may be served while it is revalidated (RFC 5861 §3). The period is that of the origin, else of the setting. */
export function isUsableWhileRevalidating(stored: StoredHead, origin: StoredFacts, settings: PolicySettings, now: number): boolean {
	const window = origin.staleWhileRevalidate ?? settings.staleWhileRevalidate;
	return window > 0 && staleness(stored, now) <= window && !forbidsStale(origin);
}

/** Whether the origin forbids to serve a response stale, whatever the request and the settings say (RFC 9111 §4.2.4, §5.2.2.2, §5.2.2.4). `proxy-revalidate` and `s-maxage` bind shared caches only. */
export function forbidsStale({mustRevalidate, noCache}: StoredFacts): boolean {
	return mustRevalidate === true || noCache === true;
}
