import {fieldValue} from './fields.ts';
import {heuristicallyCacheable} from './lifetime.ts';
import type {ReceivedFacts} from './received-facts.ts';
import {areTagsBounded} from './tags.ts';
import {canFreshen, hasValidator} from './validators.ts';

// Final status codes whose caching asks no more than is done here; 206 and 304 would (RFC 9111 §3.3, §4.3.3).
const understood = new Set([...heuristicallyCacheable, 201, 202, 205, 302, 303, 307, 400, 401, 402, 403, 406, 407, 408, 409, 411, 413, 415, 421, 422, 426, 500, 502, 503, 504, 505].filter(code => code !== 206));

/** Whether the origin forbids to store it (RFC 9111 §5.2.2.5); `must-understand` overrides that for a status code that is understood (§5.2.2.3). */
export function forbidsStoring({request: {settings}, response}: ReceivedFacts): boolean {
	return settings.cacheControl
		&& response.directives.noStore
		&& !(response.directives.mustUnderstand && understood.has(response.statusCode));
}

/** Whether only a cache that understands its status code may store it (RFC 9111 §5.2.2.3), and this one does not. */
export function isNotUnderstood({request: {settings}, response}: ReceivedFacts): boolean {
	return settings.cacheControl && response.directives.mustUnderstand && !understood.has(response.statusCode);
}

/**
Whether anything lets a private cache store it (RFC 9111 §3): explicit freshness, `public`, `private`, or a status code that is cacheable by itself.
*/
export function isCacheable({request: {settings}, response}: ReceivedFacts): boolean {
	return !settings.cacheControl
		|| response.explicitLifetime !== undefined
		|| response.directives.isPublic
		|| response.directives.isPrivate
		|| heuristicallyCacheable.has(response.statusCode);
}

/** RFC 9110 §9.3.3: a POST's response answers a later GET only where it says that it is the target's content, and for how long. */
export function answersLaterGet({request: {request}, response: {statusCode, fields, explicitLifetime}}: ReceivedFacts): boolean {
	const {url} = request;
	const location = fieldValue(fields, 'content-location');
	return statusCode >= 200
		&& statusCode < 300
		&& explicitLifetime !== undefined
		&& location !== undefined
		&& URL.parse(location, url)?.href === withoutFragment(url);
}

function withoutFragment(url: string): string {
	const target = new URL(url);
	target.hash = '';
	return target.href;
}

/** Whether it could be neither served nor validated, nor stand in for an error. */
export function isUseless({request: {settings}, response, lifetime: {expires}, times}: ReceivedFacts): boolean {
	// An error that nobody may use fresh is no answer for other errors.
	const mayStandIn = settings.staleIfError > 0 && response.statusCode < 400;
	if (mayStandIn || expires === undefined || expires > times.received || hasValidator(response)) {
		return false;
	}

	const {staleIfError, staleWhileRevalidate} = response.directives;
	return !settings.cacheControl || (staleIfError === undefined && staleWhileRevalidate === undefined);
}

/** Whether no other request can be known to match it (RFC 9111 §4.1): its `Vary` is `*`, names too many fields, or is malformed. */
export function variesByEverything({response}: ReceivedFacts): boolean {
	return response.vary === '*';
}

/** Whether it has more tags than may be. Tags are never taken away by a renewal: until then, what is stored may have been known by them. */
export function bringsTooManyTags({response: {tags}, sent: {stored}}: ReceivedFacts, isRenewal: boolean): boolean {
	return !areTagsBounded(isRenewal ? [...stored?.tags ?? [], ...tags] : tags);
}

/** What becomes of a stored response for which a 304 came: what could not be stored anew is not stored any longer. */
export function fate(facts: ReceivedFacts): 'write' | 'leave' | 'give' | 'drop' {
	const {request: {settings}, response, sent, merged} = facts;
	if (!canFreshen(sent.stored!.fields, response.fields)) {
		return 'leave';
	}

	if (settings.readOnly) {
		return 'give';
	}

	return forbidsStoring(merged) || isNotUnderstood(merged) || variesByEverything(merged) || bringsTooManyTags(facts, true) ? 'drop' : 'write';
}
