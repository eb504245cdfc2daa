import {
	type RequestFacts,
	ReceivedFacts,
	fallbackFor,
	type Sent,
	always,
	decide,
	type AskedRule,
	type Rule,
} from './facts.ts';
import type {Times} from './freshness.ts';
import {isRedirect, ResponseFacts} from './response-facts.ts';
import {
	answersLaterGet,
	bringsTooManyTags,
	effectOfNotModified,
	forbidsStoring,
	isCacheable,
	isNotUnderstood,
	isUseless,
	variesByEverything,
} from './storing.ts';
import type {ResponseDecision, ResponseHead, View} from './types.ts';
import {canFreshen, hasValidator, headAgrees} from './validators.ts';

type ErrorFacts = {
	readonly request: RequestFacts;
	readonly sent: Pick<Sent, 'retries'>;

	/** What to serve from the stored response instead of the error. */
	readonly fallback: View | undefined;
};

type Then<Facts> = Rule<Facts, ResponseDecision>['then'];

const pass: Then<unknown> = (_facts, reason) => ({do: 'pass', reason});

/** A response that must not be stored still replaces the stored one, which is outdated (RFC 9111 §4). */
const passAndDelete: Then<ReceivedFacts> = ({response, sent}, reason) => sent.stored === undefined || response.statusCode >= 500 ? {do: 'pass', reason} : {do: 'pass', stored: 'drop', reason};

const freshenStored: Then<ReceivedFacts> = (facts, reason) => ({do: 'pass', stored: effectOfNotModified(facts) === 'drop' ? 'drop' : facts.merged.terms, reason});

const serveStale: Then<ErrorFacts> = ({sent, fallback}, reason) => sent.retries === true
	? {do: 'pass', awaitsRetries: true, reason: 'awaits-retries'}
	: {do: 'serve', view: fallback!, reason};

const responseRules: ReadonlyArray<Rule<ReceivedFacts, ResponseDecision>> = [
	{
		reason: 'revalidated',
		section: 'RFC 9111 §4.3.3, §4.3.4',
		when: ({response, sent}) => response.statusCode === 304 && sent.conditional,
		then: (facts, reason) => ({
			do: 'freshen',
			view: {kind: 'whole'},
			keep: effectOfNotModified(facts),
			reason,
			...facts.merged.terms,
		}),
	},
	{
		// Neither the cache nor the caller sent a condition.
		reason: 'not-modified',
		section: 'RFC 9110 §15.4.5',
		when: ({response, request, sent}) => response.statusCode === 304 && sent.isResent !== true && request.mayValidate,
		then: (_facts, reason) => ({do: 'resend', reason}),
	},
	{
		reason: 'stale-if-error',
		section: 'RFC 5861 §4; setting staleIfError',
		when: facts => isRefusedError(facts) && facts.fallback !== undefined,
		then: serveStale,
	},
	{
		reason: 'read-only',
		section: 'setting readOnly',
		when: ({request}) => request.settings.readOnly,
		then: pass,
	},
	{
		// A 304 for the caller's own condition also validates the stored response.
		reason: 'not-modified',
		section: 'RFC 9111 §4.3.4',
		when: ({response, sent}) => response.statusCode === 304 && sent.stored !== undefined && hasValidator(response) && canFreshen(sent.stored.fields, response.fields),
		then: freshenStored,
	},
	{
		// A 304 without a stored response has nothing to store.
		reason: 'not-modified',
		section: 'RFC 9111 §4.3.3',
		when: ({response}) => response.statusCode === 304,
		then: pass,
	},
	{
		reason: 'partial',
		section: 'RFC 9111 §3.3',
		when: ({response}) => response.statusCode === 206 || response.fields['content-range'] !== undefined,
		then: pass,
	},
	{
		// They answer a condition or a range of this request only.
		reason: 'status-code',
		section: 'RFC 9110 §15.5.13, §15.5.17',
		when: ({response}) => answersToConditions.has(response.statusCode),
		then: pass,
	},
	{
		// RFC 6585 forbids to store them. A recording stores them nevertheless.
		reason: 'status-code',
		section: 'RFC 6585 §3, §4, §5, §6',
		when: ({request, response}) => request.settings.mode === undefined && neverStored.has(response.statusCode),
		then: pass,
	},
	{
		reason: 'status-code',
		section: 'RFC 9111 §3; setting allowableCodes',
		when: ({request, response}) => response.statusCode < 200 || !(isAllowed(request, response) || isRedirect(response)),
		then: pass,
	},
	{
		reason: 'no-store',
		section: 'RFC 9111 §5.2.2.5',
		when: forbidsStoring,
		then: passAndDelete,
	},
	{
		reason: 'must-understand',
		section: 'RFC 9111 §5.2.2.3',
		when: isNotUnderstood,
		then: passAndDelete,
	},
	{
		reason: 'vary-star',
		section: 'RFC 9111 §4.1',
		when: variesByEverything,
		then: passAndDelete,
	},
	{
		// Without all of its tags, the response could not be deleted by each of them.
		reason: 'too-many-tags',
		section: 'bound of tags',
		when: facts => bringsTooManyTags(facts, isAboutStoredGet(facts)),
		then: passAndDelete,
	},
	{
		// The credential must not be stored, and the response would be wrong without it.
		reason: 'secret-in-header',
		section: 'setting ignoredParameters',
		when: ({sent}) => sent.exposesCredential === true,
		then: passAndDelete,
	},
	{
		reason: 'do-not-cache',
		section: 'setting expireAfter',
		when: ({expiration}) => expiration?.kind === 'do-not-cache',
		then: pass,
	},
	{
		reason: 'method',
		section: 'RFC 9110 §9.3.3',
		when: facts => facts.sent.storesFor !== undefined && !answersLaterGet(facts),
		then: pass,
	},
	{
		reason: 'not-cacheable',
		section: 'RFC 9111 §3',
		when: facts => !isCacheable(facts),
		then: pass,
	},
	{
		reason: 'freshened-by-head',
		section: 'RFC 9111 §4.3.5',
		when: facts => isAboutStoredGet(facts) && headAgrees(facts.sent.stored!.fields, facts.response.fields),
		then: freshenStored,
	},
	{
		reason: 'outdated-by-head',
		section: 'RFC 9111 §4.3.5',
		when: isAboutStoredGet,
		then: (_facts, reason) => ({do: 'pass', stored: 'drop', reason}),
	},
	{
		reason: 'expired-without-validator',
		section: 'RFC 9111 §4.2.4; setting expireAfter 0',
		when: isUseless,
		then: pass,
	},
	{
		reason: 'stored',
		section: 'RFC 9111 §3',
		when: always,
		then: ({terms}, reason) => ({do: 'store', reason, ...terms}),
	},
];

const errorRules: ReadonlyArray<Rule<ErrorFacts, ResponseDecision>> = [
	{
		reason: 'stale-if-error',
		section: 'RFC 5861 §4; setting staleIfError',
		when: ({fallback}) => fallback !== undefined,
		then: serveStale,
	},
	{
		reason: 'gateway-timeout',
		section: 'RFC 9111 §5.2.2.2; setting gatewayTimeout',
		when: ({request}) => request.settings.gatewayTimeout === 'respond',
		then: ({sent}, reason) => sent.retries === true ? {do: 'pass', awaitsRetries: true, reason: 'awaits-retries'} : {do: 'fail', statusCode: 504, reason},
	},
	{
		reason: 'no-response',
		section: 'RFC 9111 §4.2.4',
		when: always,
		then: pass,
	},
];

/** Decides what to do with a response. */
export function onResponse(request: RequestFacts, head: ResponseHead, sent: Sent, times: Times, asked?: AskedRule[]): ResponseDecision { // eslint-disable-line max-params -- Request, response, what was sent and when come from four places.
	const response = new ResponseFacts(head, request.settings.cacheControlTargets, times.received);
	return decide(responseRules, new ReceivedFacts(request, response, sent, times), asked);
}

/** Decides what to do if no response arrives: the connection failed or took too long. */
export function onError(request: RequestFacts, sent: Omit<Sent, 'conditional'>, now: number): ResponseDecision {
	return decide(errorRules, {request, sent, fallback: fallbackFor(request, sent.stored, now)});
}

function isAllowed({settings: {allowableCodes}}: RequestFacts, {statusCode}: ResponseFacts): boolean {
	return allowableCodes === undefined || allowableCodes.has(statusCode);
}

const answersToConditions = new Set([412, 416, 417]);

// RFC 6585: responses with these status codes MUST NOT be stored by a cache.
const neverStored = new Set([428, 429, 431, 511]);

// RFC 5861 §4 names them. Without `cacheControl`, every error status that is not allowed counts, as in requests-cache.
const serverErrors = new Set([500, 502, 503, 504]);

function isRefusedError({request: {settings}, response: {statusCode}}: ReceivedFacts): boolean {
	const isError = settings.cacheControl ? serverErrors.has(statusCode) : statusCode >= 400 && !answersToConditions.has(statusCode);
	return isError && settings.allowableCodes?.has(statusCode) !== true;
}

// Without `cacheControl`, response headers neither confirm nor outdate a stored response.
function isAboutStoredGet({request: {request, settings}, response, sent: {stored}}: ReceivedFacts): boolean {
	return settings.cacheControl && request.method === 'HEAD' && response.statusCode === 200 && stored?.method === 'GET' && stored.statusCode === 200;
}
