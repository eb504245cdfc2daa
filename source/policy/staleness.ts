import {deltaMilliseconds, qualifiedFields, type Directives} from './directives.ts';
import {isYoungEnough, responseDirectives, staleness} from './freshness.ts';
import type {PolicySettings, StoredHead} from './types.ts';

/**
Whether the origin forbids that this response is served stale, whatever request or settings say (RFC 9111 §4.2.4, §5.2.2.2, §5.2.2.4). `proxy-revalidate` and `s-maxage` bind shared caches only.
*/
export function forbidsStale(stored: StoredHead, settings: PolicySettings): boolean {
	return settings.cacheControl && (responseDirectives(stored, settings).has('must-revalidate') || mustValidate(stored, settings));
}

/** `no-cache` for the whole response (RFC 9111 §5.2.2.4); what it says of single fields is not stored at all. */
export function mustValidate(stored: StoredHead, settings: PolicySettings): boolean {
	return settings.cacheControl && qualifiedFields(responseDirectives(stored, settings), 'no-cache')?.length === 0;
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

/**
Whether a stale response may stand in for an error (RFC 5861 §4): so long as the origin says, else the request, else the setting.
*/
export function isUsableOnError(stored: StoredHead, settings: PolicySettings, directives: Directives, now: number): boolean {
	const asked = directives.get('stale-if-error') === true ? Infinity : deltaMilliseconds(directives, 'stale-if-error', 0);
	const window = deltaMilliseconds(ofOrigin(stored, settings), 'stale-if-error', 0) ?? asked ?? settings.staleIfError;
	return window > 0 && staleness(stored, now) <= window && !forbidsStale(stored, settings);
}

/**
Whether a stale response may be served while it is revalidated (RFC 5861 §3): so long as the origin says, else the setting.
*/
export function isUsableWhileRevalidating(stored: StoredHead, settings: PolicySettings, now: number): boolean {
	const window = deltaMilliseconds(ofOrigin(stored, settings), 'stale-while-revalidate', 0) ?? settings.staleWhileRevalidate;
	return window > 0 && staleness(stored, now) <= window && !forbidsStale(stored, settings);
}

const nothing: Directives = new Map();

function ofOrigin(stored: StoredHead, settings: PolicySettings): Directives {
	return settings.cacheControl ? responseDirectives(stored, settings) : nothing;
}
