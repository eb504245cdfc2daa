import {initialAge} from './age.ts';
import {expiresAt, type Expiration} from './expiration.ts';
import type {ResponseFacts} from './response-facts.ts';
import type {Lifetime, PolicySettings} from './types.ts';
import {getUrlExpiration} from './url-patterns.ts';

/** When a response was asked for and when it came, in milliseconds since the epoch. */
export type Times = {
	readonly requested: number;
	readonly received: number;

	/** From 0 to 1, by chance: which part of the `jitter` is taken off. Default: 0. */
	readonly random?: number;
};

/**
The user's word on how long a response is to be fresh, highest precedence first: the request's `max-age`, its own `expireAfter`, the first URL pattern, the client's.

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

/** The status codes that are cacheable by themselves (RFC 9110 §15.1). */
export const heuristicallyCacheable: ReadonlySet<number> = new Set([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501]);

/**
A share of the time since `Last-Modified` (RFC 9111 §4.2.2), for what is cacheable by its status code or by the origin's word; `undefined` where there is none.
*/
function heuristicLifetime(response: ResponseFacts, {heuristicShare}: PolicySettings): number | undefined {
	if (!heuristicallyCacheable.has(response.statusCode) && !response.directives.isPublic) {
		return undefined;
	}

	const {lastModified, date = response.received} = response;
	return lastModified === undefined ? undefined : Math.floor(Math.max(0, date - lastModified) * heuristicShare);
}

/**
How long a response is fresh and kept. With `cacheControl`, highest precedence first: the origin's word, the user's, the heuristic; else the user's alone.
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
		: received + (explicit ?? heuristicLifetime(response, settings) ?? 0) - age;
	return {...retained(shortened(expires), received, settings, directives), initialAge: age};
}

// What must not be cached is not asked how long it is fresh.
function expiry(expiration: Expiration, now: number): number | undefined {
	return expiration.kind === 'do-not-cache' ? now : expiresAt(expiration, now);
}

/** For how long the origin lets a response be served stale, in milliseconds. */
type StaleTimes = {readonly staleIfError?: number | undefined; readonly staleWhileRevalidate?: number | undefined};

/** How long what expires then is fresh and kept; `origin` is given where its word counts. */
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
