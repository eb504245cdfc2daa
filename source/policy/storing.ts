import {fieldValue} from './fields.ts';
import {
	explicitLifetime,
	heuristicallyCacheable,
	lifetime,
	resolveExpiration,
	responseDirectives,
	type Times,
} from './freshness.ts';
import {hasValidator, type RequestFacts} from './request-rules.ts';
import {qualifiedFields} from './directives.ts';
import type {Expiration} from './expiration.ts';
import type {Lifetime, ResponseHead} from './types.ts';
import {nominatedFields} from './vary.ts';

export type ReceivedFacts = RequestFacts & {
	readonly response: ResponseHead;
	readonly times: Times;
};

// Final status codes whose caching asks no more than is done here; 206 and 304 would (RFC 9111 §3.3, §4.3.3).
const understood = new Set([...heuristicallyCacheable, 201, 202, 205, 302, 303, 307, 400, 401, 402, 403, 406, 407, 408, 409, 411, 413, 415, 421, 422, 426, 500, 502, 503, 504, 505].filter(code => code !== 206));
const redirectCodes = new Set([301, 302, 303, 307, 308]);

export function isRedirect({statusCode, fields}: ResponseHead): boolean {
	return redirectCodes.has(statusCode) && fields.location !== undefined;
}

export function isUnderstood({statusCode}: ResponseHead): boolean {
	return understood.has(statusCode);
}

/** Whether the origin forbids to store it (RFC 9111 §5.2.2.5); `must-understand` overrides that for a status code that is understood (§5.2.2.3). */
export function forbidsStoring({response, settings}: ReceivedFacts): boolean {
	const directives = responseDirectives(response, settings);
	return settings.cacheControl && directives.has('no-store') && !(directives.has('must-understand') && isUnderstood(response));
}

export function mustUnderstand({response, settings}: ReceivedFacts): boolean {
	return settings.cacheControl && responseDirectives(response, settings).has('must-understand') && !isUnderstood(response);
}

/**
Whether anything lets a private cache store it (RFC 9111 §3): explicit freshness, `public`, `private`, or a status code that is cacheable by itself.
*/
export function isCacheable({response, settings, times}: ReceivedFacts): boolean {
	const directives = responseDirectives(response, settings);
	return !settings.cacheControl
		|| explicitLifetime(response, settings, times.received) !== undefined
		|| directives.has('public')
		|| directives.has('private')
		|| heuristicallyCacheable.has(response.statusCode);
}

/** RFC 9110 §9.3.3: a POST's response answers a later GET only where it says that it is the target's content, and for how long. */
export function answersLaterGet({request, response, settings, times}: ReceivedFacts): boolean {
	const location = fieldValue(response.fields, 'content-location');
	return response.statusCode >= 200
		&& response.statusCode < 300
		&& explicitLifetime(response, settings, times.received) !== undefined
		&& location !== undefined
		&& URL.canParse(location, request.url)
		&& new URL(location, request.url).href === withoutFragment(request.url);
}

function withoutFragment(url: string): string {
	const target = new URL(url);
	target.hash = '';
	return target.href;
}

/** The user's word on how long the response is fresh. A redirect is worth as long as what it leads to: otherwise the one outlives the other. */
export function targetExpiration({request, settings, directives, expiration, response}: ReceivedFacts): Expiration | undefined {
	const location = isRedirect(response) ? fieldValue(response.fields, 'location') : undefined;
	return location === undefined || !URL.canParse(location, request.url) ? expiration : resolveExpiration(request, settings, directives, new URL(location, request.url).href);
}

export function lifetimeOf(facts: ReceivedFacts): Lifetime {
	return lifetime(facts.response, targetExpiration(facts), facts.settings, facts.times);
}

/** Whether it could be neither served nor validated, nor stand in for an error. */
export function isUseless(facts: ReceivedFacts): boolean {
	const {response, settings, times} = facts;
	const {expires} = lifetimeOf(facts);
	// An error that nobody may use fresh is no answer for other errors.
	const mayStandIn = settings.staleIfError > 0 && response.statusCode < 400;
	if (mayStandIn || expires === undefined || expires > times.received || hasValidator(response)) {
		return false;
	}

	const directives = responseDirectives(response, settings);
	return !(settings.cacheControl && (directives.has('stale-if-error') || directives.has('stale-while-revalidate')));
}

/** The fields that may not be used without validation (RFC 9111 §5.2.2.4 `no-cache="…"`), and so are not stored. */
export function withheldFields({response, settings}: ReceivedFacts): readonly string[] {
	return settings.cacheControl ? qualifiedFields(responseDirectives(response, settings), 'no-cache') ?? [] : [];
}

/** Whether no other request can be known to match it (RFC 9111 §4.1): its `Vary` is `*`, names too many fields, or is malformed. */
export function variesByEverything({response}: ReceivedFacts): boolean {
	return nominatedFields(response.fields) === '*';
}
