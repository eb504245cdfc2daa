import {
	type RequestFacts,
	ReceivedFacts,
	fallbackFor,
	isSafe,
	outdates,
	type Sent,
	always,
	decide,
	type EvaluatedRule,
	type Rule,
} from './facts.ts';
import {fieldLines} from './fields.ts';
import type {Times} from './freshness.ts';
import {ResponseFacts, withoutFragment} from './response-facts.ts';
import {
	effectOfNotModified,
	holdsFor,
	isAnswerToCondition,
	isUseless,
	storageRules,
} from './storage-rules.ts';
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
const passAndDelete: Then<ReceivedFacts> = ({request, response, sent}, reason) => outdates(request, response.statusCode, sent.stored) ? {do: 'pass', stored: 'delete', reason} : {do: 'pass', reason};

const freshenStored: Then<ReceivedFacts> = (facts, reason) => ({do: 'pass', stored: effectOfNotModified(facts) === 'delete' ? 'delete' : facts.merged.terms, reason});

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
			effect: effectOfNotModified(facts),
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
	...storageRules.filter(rule => holdsFor(rule, 'response')).map(({reason, section, when, keepsStored}) => ({
		reason, section, when, then: keepsStored === true ? pass : passAndDelete,
	})),
	{
		reason: 'freshened-by-head',
		section: 'RFC 9111 §4.3.5',
		when: ({isAboutStoredGet, sent, response}) => isAboutStoredGet && headAgrees(sent.stored!.fields, response.fields),
		then: freshenStored,
	},
	{
		reason: 'outdated-by-head',
		section: 'RFC 9111 §4.3.5',
		when: ({isAboutStoredGet}) => isAboutStoredGet,
		then: (_facts, reason) => ({do: 'pass', stored: 'delete', reason}),
	},
	{
		reason: 'expired-without-validator',
		section: 'RFC 9111 §4.2.4; setting expireAfter 0',
		when: isUseless,
		then: passAndDelete,
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
export function onResponse(request: RequestFacts, head: ResponseHead, sent: Sent, times: Times, evaluated?: EvaluatedRule[]): ResponseDecision { // eslint-disable-line max-params -- Request, response, what was sent and when come from four places.
	const response = new ResponseFacts(head, request.settings.cacheControlTargets, times.received);
	return decide(responseRules, new ReceivedFacts(request, response, sent, times), evaluated);
}

/** Decides what to do if no response arrives: the connection failed or took too long. */
export function onError(request: RequestFacts, sent: Omit<Sent, 'conditional'>, now: number): ResponseDecision {
	return decide(errorRules, {request, sent, fallback: fallbackFor(request, sent.stored, now)});
}

// RFC 5861 §4 names them. Without `cacheControl`, every error status that is not allowed counts, as in requests-cache.
const serverErrors = new Set([500, 502, 503, 504]);

function isRefusedError({request: {settings}, response: {statusCode}}: ReceivedFacts): boolean {
	const isError = settings.cacheControl ? serverErrors.has(statusCode) : statusCode >= 400 && !isAnswerToCondition(statusCode);
	return isError && settings.allowableCodes?.has(statusCode) !== true;
}

/** A resource that a request has invalidated: all of its stored responses, for every user. */
export type Invalidated = {
	/** The URL of the resource, without a fragment. */
	readonly url: string;

	/** Whether responses to the method of the request, with its override, stay valid. */
	readonly keepsOwnMethod: boolean;
};

/**
Returns the resources that an unsafe request invalidates (RFC 9111 §4.4): its target, and the URLs of the same origin in `Location` and `Content-Location`.

If `allowableMethods` has the unsafe method, its responses answer later requests by that method. Such a request does not invalidate the responses to others by the same method, which have other bodies.
*/
export function invalidatedBy({request, settings, isMethodAllowed}: RequestFacts, {statusCode, fields}: ResponseHead): readonly Invalidated[] {
	const {method, override = method, url} = request;
	const counts = settings.cacheControl && !settings.disabled && !settings.readOnly;
	if (!counts || isSafe(method, override) || statusCode < 200 || statusCode >= 400) {
		return nothing;
	}

	const target = URL.parse(url);
	if (target === null) {
		return nothing;
	}

	const named = [...fieldLines(fields, 'location'), ...fieldLines(fields, 'content-location')]
		.map(location => URL.parse(location, target.href))
		.filter(other => other !== null && isSameOrigin(other, target))
		.map(other => withoutFragment(other!));
	const own = withoutFragment(target);
	return [...new Set([own, ...named])].map(invalid => ({url: invalid, keepsOwnMethod: isMethodAllowed && invalid === own}));
}

const nothing: readonly Invalidated[] = [];

// Not by `origin`, which is `null` for schemes that the URL standard does not know.
function isSameOrigin(url: URL, target: URL): boolean {
	return url.protocol === target.protocol && url.host === target.host;
}
