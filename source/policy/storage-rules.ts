import type {ReceivedFacts} from './facts.ts';
import {areTagsBounded, fieldValue} from './fields.ts';
import {heuristicallyCacheable} from './freshness.ts';
import {isRedirect, type ResponseFacts, withoutFragment} from './response-facts.ts';
import type {FreshenEffect, RefusalReason} from './types.ts';
import {canFreshen, hasValidator} from './validators.ts';

/** Where a response that is to be stored comes from: the origin sends it, a 304 updates the stored one, or a user passes it to `cache.save()`. */
export type StorageSource = 'response' | 'not-modified' | 'save';

/** A rule that forbids to store a response. */
type StorageRule = {
	readonly reason: RefusalReason;

	/** The source of the rule: a section of an RFC, or a setting. */
	readonly section: string;

	/** Whether the rule forbids to store the response. For a 304, these are the facts of the updated response. */
	readonly when: (facts: ReceivedFacts) => boolean;

	/** The responses for which the rule holds. Default: all. */
	readonly only?: readonly StorageSource[];

	/** Whether the stored response stays in the store. By default it is deleted, since the response that must not be stored outdates it (RFC 9111 §4). After a refused 304 it is always deleted, and after a refused `cache.save()` it always stays. */
	readonly keepsStored?: true;
};

/** Everything that forbids to store a response. The first row whose condition holds gives the reason. */
export const storageRules: readonly StorageRule[] = [
	{
		reason: 'partial',
		section: 'RFC 9111 §3.3',
		when: ({response}) => response.statusCode === 206 || response.fields['content-range'] !== undefined,
		// A 304 does not update `Content-Range`.
		only: ['response', 'save'],
		keepsStored: true,
	},
	{
		// They answer a condition or a range of this request only.
		reason: 'status-code',
		section: 'RFC 9110 §15.5.13, §15.5.17',
		when: ({response}) => answersToConditions.has(response.statusCode),
		only: ['response'],
		keepsStored: true,
	},
	{
		// RFC 6585 forbids to store them. A recording stores them nevertheless.
		reason: 'status-code',
		section: 'RFC 6585 §3, §4, §5, §6',
		when: ({request, response}) => !request.settings.recording.storesForbidden && neverStored.has(response.statusCode),
		only: ['response'],
		keepsStored: true,
	},
	{
		reason: 'status-code',
		section: 'RFC 9111 §3; setting allowableCodes',
		when: ({request, response}) => response.statusCode < 200 || (request.settings.allowableCodes?.has(response.statusCode) === false && !isRedirect(response)),
		only: ['response'],
		keepsStored: true,
	},
	{
		// A user who saves a response overrides the origin.
		reason: 'no-store',
		section: 'RFC 9111 §5.2.2.5',
		when: forbidsStoring,
		only: ['response', 'not-modified'],
	},
	{
		reason: 'must-understand',
		section: 'RFC 9111 §5.2.2.3',
		when: isNotUnderstood,
		only: ['response', 'not-modified'],
	},
	{
		reason: 'vary-star',
		section: 'RFC 9111 §4.1',
		// A recording is found by its request, whatever the origin says.
		when: ({request, response}) => !request.settings.recording.storesForbidden && response.vary === '*',
	},
	{
		// Without all of its tags, the response could not be deleted by each of them.
		reason: 'too-many-tags',
		section: 'bound of tags',
		when: ({tags}) => !areTagsBounded(tags),
	},
	{
		// The credential must not be stored, and the response would be wrong without it. Such a line of a 304 is only for its caller.
		reason: 'secret-in-header',
		section: 'setting ignoredParameters',
		when: ({sent}) => sent.exposesCredential === true,
		only: ['response', 'save'],
	},
	{
		// An updated response is then stale, and may be validated again.
		reason: 'do-not-cache',
		section: 'setting expireAfter',
		when: ({expiration}) => expiration?.kind === 'do-not-cache',
		only: ['response'],
		keepsStored: true,
	},
	{
		reason: 'method',
		section: 'RFC 9110 §9.3.3',
		when: facts => facts.sent.storeAs !== undefined && !answersLaterGet(facts),
		only: ['response'],
		keepsStored: true,
	},
	{
		reason: 'not-cacheable',
		section: 'RFC 9111 §3',
		when: facts => !isCacheable(facts),
		only: ['response'],
		keepsStored: true,
	},
];

/** Returns why a response must not be stored; `undefined` if it may be. */
export function storageRefusal(facts: ReceivedFacts, source: StorageSource): RefusalReason | undefined {
	return storageRules.find(rule => holdsFor(rule, source) && rule.when(facts))?.reason;
}

/** Whether a rule holds for responses from a source. */
export function holdsFor({only}: StorageRule, source: StorageSource): boolean {
	return only === undefined || only.includes(source);
}

/** Returns what becomes of the stored response and of its update by a 304. */
export function effectOfNotModified({request: {settings}, response, sent, merged}: ReceivedFacts): FreshenEffect {
	if (!canFreshen(sent.stored!.fields, response.fields)) {
		return 'keep';
	}

	if (settings.readOnly) {
		return 'serve-only';
	}

	return storageRefusal(merged, 'not-modified') === undefined ? 'store' : 'delete';
}

/** Whether a status code answers a condition or a range of one request, and no other request. */
export function isAnswerToCondition(statusCode: number): boolean {
	return answersToConditions.has(statusCode);
}

const answersToConditions = new Set([412, 416, 417]);

// RFC 6585: responses with these status codes MUST NOT be stored by a cache.
const neverStored = new Set([428, 429, 431, 511]);

// The final status codes that this cache understands. 206 and 304 would need more (RFC 9111 §3.3, §4.3.3).
const understoodStatusCodes = new Set([...heuristicallyCacheable, 201, 202, 205, 302, 303, 307, 400, 401, 402, 403, 406, 407, 408, 409, 411, 413, 415, 421, 422, 426, 500, 502, 503, 504, 505].filter(code => code !== 206));

/** With `must-understand`, `no-store` does not count for a status code that is understood (RFC 9111 §5.2.2.3). */
function forbidsStoring({request: {settings}, response}: ReceivedFacts): boolean {
	return settings.cacheControl
		&& response.directives.noStore
		&& !(response.directives.mustUnderstand && understoodStatusCodes.has(response.statusCode));
}

function isNotUnderstood({request: {settings}, response}: ReceivedFacts): boolean {
	return settings.cacheControl && response.directives.mustUnderstand && !understoodStatusCodes.has(response.statusCode);
}

/** Whether a private cache may store the response: by an explicit lifetime, `public`, `private`, or a heuristically cacheable status code. */
function isCacheable({request: {settings}, response}: ReceivedFacts): boolean {
	return !settings.cacheControl
		|| response.explicitLifetime !== undefined
		|| response.directives.isPublic
		|| response.directives.isPrivate
		|| heuristicallyCacheable.has(response.statusCode);
}

/** Whether the response to a POST answers a later GET: it has an explicit lifetime, and its `Content-Location` is the target. */
function answersLaterGet({request: {request}, response: {statusCode, fields, explicitLifetime}}: ReceivedFacts): boolean {
	const {url} = request;
	const location = fieldValue(fields, 'content-location');
	return statusCode >= 200
		&& statusCode < 300
		&& explicitLifetime !== undefined
		&& location !== undefined
		&& URL.parse(location, url)?.href === withoutFragment(url);
}

/** Whether the response could never be used if it were stored: neither fresh, nor after validation, nor stale. */
export function isUseless({request: {settings}, response, lifetime: {expires}, times}: ReceivedFacts): boolean {
	if (expires === undefined || expires > times.received || hasValidator(response)) {
		return false;
	}

	const {noCache = false, mustRevalidate = false, staleIfError, staleWhileRevalidate}: Partial<ResponseFacts['directives']> = settings.cacheControl ? response.directives : {};
	if (noCache || mustRevalidate) {
		return true;
	}

	// By the settings, an error that is already stale does not replace another error, and is not served while it is revalidated.
	const own = response.statusCode < 400 ? settings : noWindows;
	return (staleIfError ?? own.staleIfError) === 0 && (staleWhileRevalidate ?? own.staleWhileRevalidate) === 0;
}

const noWindows = {staleIfError: 0, staleWhileRevalidate: 0};
