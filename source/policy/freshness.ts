import {currentAge} from './age.ts';
import type {RequestDirectives, RequestFacts} from './request-facts.ts';
import type {StoredFacts} from './stored-facts.ts';
import type {PolicySettings, StoredHead} from './types.ts';

/** How long ago it expired: negative or 0 while it is fresh (`-Infinity` where it never expires), at least 1 when stale. */
export function staleness({expires}: StoredHead, now: number): number {
	return expires === undefined ? -Infinity : now - expires + 1;
}

/**
Fresh, and as fresh as the request asks (RFC 9111 §5.2.1.1 `max-age`, §5.2.1.3 `min-fresh`).
*/
export function isFreshEnough(stored: StoredHead, directives: RequestDirectives, now: number): boolean {
	return isYoungEnough(stored, directives, now) && staleness(stored, now) + (directives.minimumFresh ?? 0) <= 0;
}

function isYoungEnough(stored: StoredHead, {maximumAge}: RequestDirectives, now: number): boolean {
	return maximumAge === undefined || currentAge(stored, now) < maximumAge;
}

/**
Stale, but no longer than the request accepts (RFC 9111 §5.2.1.2 `max-stale`).
*/
export function isAcceptedStale(stored: StoredHead, directives: RequestDirectives, now: number): boolean {
	const {minimumFresh, maximumStale} = directives;
	return maximumStale !== undefined
		&& minimumFresh === undefined
		&& isYoungEnough(stored, directives, now)
		&& staleness(stored, now) <= maximumStale;
}

/**
Whether the origin forbids that a response is served stale, whatever request or settings say (RFC 9111 §4.2.4, §5.2.2.2, §5.2.2.4). `proxy-revalidate` and `s-maxage` bind shared caches only.
*/
export function forbidsStale({mustRevalidate, noCache}: StoredFacts): boolean {
	return mustRevalidate === true || noCache === true;
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
