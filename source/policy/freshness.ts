import {currentAge, initialAge} from './age.ts';
import {parseHttpDate} from './dates.ts';
import {deltaMilliseconds, parseDirectives, type Directives} from './directives.ts';
import {expiresAt, type Expiration} from './expiration.ts';
import {fieldLines, fieldValue} from './fields.ts';
import {targetedDirectives} from './targeted-fields.ts';
import {getUrlExpiration} from './url-patterns.ts';
import type {
	Lifetime,
	PolicySettings,
	RequestHead,
	ResponseHead,
	StoredHead,
} from './types.ts';

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
*/
export function resolveExpiration(request: RequestHead, settings: PolicySettings, directives: Directives, url: string = request.url): Expiration | undefined {
	const maximumAge = settings.cacheControl ? undefined : deltaMilliseconds(directives, 'max-age', 0);
	if (maximumAge !== undefined && maximumAge > 0) {
		return {kind: 'after', milliseconds: maximumAge};
	}

	return settings.requestExpireAfter
		?? getUrlExpiration(url, settings.urlsExpireAfter)
		?? settings.expireAfter;
}

/**
What the origin says with a response: the first targeted field (RFC 9213), else `Cache-Control`.
*/
export function responseDirectives({fields}: ResponseHead, settings: PolicySettings): Directives {
	return targetedDirectives(fields, settings.cacheControlTargets) ?? parseDirectives(fieldValue(fields, 'cache-control'));
}

/**
The freshness lifetime in milliseconds that the origin gives (RFC 9111 §4.2.1); `undefined` where it gives none.

What is broken or contradicts itself is stale.
*/
export function explicitLifetime({fields}: ResponseHead, settings: PolicySettings, received: number): number | undefined {
	const targeted = targetedDirectives(fields, settings.cacheControlTargets);
	const directives = targeted ?? parseDirectives(fieldValue(fields, 'cache-control'));
	const maximumAge = deltaMilliseconds(directives, 'max-age', 0);
	if (maximumAge !== undefined || targeted !== undefined) {
		return maximumAge;
	}

	const lines = new Set(fieldLines(fields, 'expires'));
	if (lines.size === 0) {
		return undefined;
	}

	const expires = lines.size === 1 ? parseHttpDate(fieldLines(fields, 'expires')[0], received) : undefined;
	const date = parseHttpDate(fieldValue(fields, 'date'), received) ?? received;
	return expires === undefined ? 0 : Math.max(0, expires - date);
}

/** The status codes that are cacheable by themselves (RFC 9110 §15.1). */
export const heuristicallyCacheable: ReadonlySet<number> = new Set([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501]);

/**
A share of the time since `Last-Modified` (RFC 9111 §4.2.2), for what is cacheable by its status code or by the origin's word; `undefined` where there is none.
*/
export function heuristicLifetime(response: ResponseHead, settings: PolicySettings, received: number): number | undefined {
	const {statusCode, fields} = response;
	if (!heuristicallyCacheable.has(statusCode) && !responseDirectives(response, settings).has('public')) {
		return undefined;
	}

	const lastModified = parseHttpDate(fieldValue(fields, 'last-modified'), received);
	const date = parseHttpDate(fieldValue(fields, 'date'), received) ?? received;
	return lastModified === undefined ? undefined : Math.floor(Math.max(0, date - lastModified) * settings.heuristicShare);
}

/**
How long a response is fresh and kept. With `cacheControl`, highest precedence first: the origin's word, the user's, the heuristic; else the user's alone.
*/
export function lifetime(response: ResponseHead, expiration: Expiration | undefined, settings: PolicySettings, times: Times): Lifetime {
	const {received, random = 0} = times;
	const shortened = (expires: number | undefined): number | undefined => expires === undefined || expires <= received ? expires : Math.ceil(expires - ((expires - received) * settings.jitter * random));
	if (!settings.cacheControl) {
		return {...retained(shortened(expiration === undefined ? undefined : expiry(expiration, received)), received, settings, new Map()), initialAge: 0};
	}

	const age = initialAge(response.fields, times.requested, received);
	const explicit = explicitLifetime(response, settings, received);
	const directives = responseDirectives(response, settings);
	if (explicit === undefined && expiration !== undefined) {
		return {...retained(shortened(expiry(expiration, received)), received, settings, directives), initialAge: age};
	}

	const milliseconds = explicit ?? heuristicLifetime(response, settings, received) ?? 0;
	return {...retained(shortened(received + milliseconds - age), received, settings, directives), initialAge: age};
}

// What must not be cached is not asked how long it is fresh.
function expiry(expiration: Expiration, now: number): number | undefined {
	return expiration.kind === 'do-not-cache' ? now : expiresAt(expiration, now);
}

/** How long what expires then is fresh and kept. */
export function retained(expires: number | undefined, now: number, settings: PolicySettings, directives: Directives): Omit<Lifetime, 'initialAge'> {
	const stale = Math.max(
		settings.ttlOffset,
		settings.staleIfError,
		settings.staleWhileRevalidate,
		deltaMilliseconds(directives, 'stale-if-error', 0) ?? 0,
		deltaMilliseconds(directives, 'stale-while-revalidate', 0) ?? 0,
	);
	return {expires, retainUntil: expires === undefined || stale === Infinity ? undefined : Math.max(expires, now) + stale};
}

/** How long ago it expired: negative or 0 while it is fresh (`-Infinity` where it never expires), at least 1 when stale. */
export function staleness(stored: StoredHead, now: number): number {
	return stored.expires === undefined ? -Infinity : now - stored.expires + 1;
}

/**
Fresh, and as fresh as the request asks (RFC 9111 §5.2.1.1 `max-age`, §5.2.1.3 `min-fresh`).
*/
export function isFreshEnough(stored: StoredHead, directives: Directives, now: number): boolean {
	const remaining = deltaMilliseconds(directives, 'min-fresh', Infinity) ?? 0;
	return isYoungEnough(stored, directives, now) && staleness(stored, now) + remaining <= 0;
}

export function isYoungEnough(stored: StoredHead, directives: Directives, now: number): boolean {
	const maximumAge = deltaMilliseconds(directives, 'max-age', 0);
	return maximumAge === undefined || currentAge(stored, now) < maximumAge;
}
