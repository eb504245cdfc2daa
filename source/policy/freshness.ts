import {deltaMilliseconds, type Directives} from './directives.ts';
import {expiresAt, type Expiration} from './expiration.ts';
import type {
	Lifetime,
	PolicySettings,
	RequestHead,
	StoredHead,
} from './types.ts';

/** Kept at least so long after it expired, so that validators can still serve. */
export const minimumRetention = 3_600_000;

/**
How long a response is to be fresh, highest precedence first: the request's `max-age`, its own `expireAfter`, the first URL pattern, the client's.

A `max-age` of 0 asks for validation now; it does not say that the next caller wants the same.
*/
export function resolveExpiration(request: RequestHead, settings: PolicySettings, directives: Directives, url: string = request.url): Expiration {
	const maximumAge = deltaMilliseconds(directives, 'max-age', 0);
	if (maximumAge !== undefined && maximumAge > 0) {
		return {kind: 'after', milliseconds: maximumAge};
	}

	return settings.requestExpireAfter
		?? settings.urlsExpireAfter.find(({matches}) => matches(url))?.expiration
		?? settings.expireAfter;
}

export function lifetime(expiration: Exclude<Expiration, {kind: 'do-not-cache'}>, settings: PolicySettings, now: number): Lifetime {
	const expires = expiresAt(expiration, now);
	const stale = Math.max(minimumRetention, settings.staleIfError, settings.staleWhileRevalidate);
	const retainUntil = expires === undefined || stale === Infinity ? undefined : Math.max(expires, now) + stale;
	return {expires, retainUntil};
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

/**
Stale, but no longer than the request accepts (RFC 9111 §5.2.1.2 `max-stale`).
*/
export function isAcceptedStale(stored: StoredHead, directives: Directives, now: number): boolean {
	if (directives.has('min-fresh') || !isYoungEnough(stored, directives, now)) {
		return false;
	}

	const accepted = directives.get('max-stale') === true ? Infinity : deltaMilliseconds(directives, 'max-stale', 0);
	return accepted !== undefined && staleness(stored, now) <= accepted;
}

function isYoungEnough(stored: StoredHead, directives: Directives, now: number): boolean {
	const maximumAge = deltaMilliseconds(directives, 'max-age', 0);
	return maximumAge === undefined || now - stored.createdAt < maximumAge;
}

/**
Whether a stale response may stand in for an error: the request's `stale-if-error` (RFC 5861 §4), else the setting.
*/
export function isUsableOnError(stored: StoredHead, settings: PolicySettings, directives: Directives, now: number): boolean {
	const asked = directives.get('stale-if-error') === true ? Infinity : deltaMilliseconds(directives, 'stale-if-error', 0);
	const window = asked ?? settings.staleIfError;
	return window > 0 && staleness(stored, now) <= window;
}

export function isUsableWhileRevalidating(stored: StoredHead, settings: PolicySettings, now: number): boolean {
	return settings.staleWhileRevalidate > 0 && staleness(stored, now) <= settings.staleWhileRevalidate;
}
