import {
	type RequestFacts,
	always,
	decide,
	type EvaluatedRule,
	type Rule,
	originFacts,
} from './facts.ts';
import type {StoredFacts} from './response-facts.ts';
import {
	forbidsStale,
	isAcceptedStale,
	isFreshEnough,
	isUsableOnError,
	isUsableWhileRevalidating,
	staleness,
} from './freshness.ts';
import type {RequestDecision, StoredHead, View} from './types.ts';
import {conditionsOf, hasValidator} from './validators.ts';
import {viewFor, whole} from './views.ts';

/** What to do after the lookup. */
export type FinalDecision = Exclude<RequestDecision, {readonly do: 'lookup'}>;

/** The result of a lookup. */
export type Found = {
	readonly stored: StoredHead | undefined;

	/** Why a stored redirect must not be reused: it leads back to a URL of the chain of redirects, or it set a cookie that the cookie jar does not have. */
	readonly redirect?: 'loop' | 'cookie' | undefined;

	/** Whether a background refresh may start. Without this function, it may. */
	readonly mayRefresh?: (() => boolean) | undefined;
};

type LookupFacts = RequestFacts & {
	readonly stored: StoredHead | undefined;

	/** The limits that the origin sets to the use of the stored response. */
	readonly origin: StoredFacts;

	/** What the caller gets from the stored response; `undefined` if only the origin can answer. */
	readonly view: View | undefined;

	readonly redirect: Found['redirect'];
	readonly mayRefresh: Found['mayRefresh'];
	readonly now: number;
};

type Then<Facts> = Rule<Facts, FinalDecision>['then'];

const pass: Then<RequestFacts> = (_facts, reason) => ({do: 'pass', reason});
const send: Then<RequestFacts> = (_facts, reason) => ({do: 'send', validators: {}, reason});
const fail: Then<RequestFacts> = (_facts, reason) => ({do: 'fail', statusCode: 504, reason});
const serve: Then<LookupFacts> = ({view}, reason) => ({do: 'serve', view: view!, reason});
const serveAndRefresh: Then<LookupFacts> = ({view}, reason) => ({
	do: 'serve',
	view: view!,
	then: 'revalidate',
	reason,
});
const validate: Then<LookupFacts> = ({stored, mayValidate}, reason) => ({do: 'send', validators: mayValidate ? conditionsOf(stored!) : {}, reason});

/** The requests that no stored response may answer. */
const withoutLookup: ReadonlyArray<Rule<RequestFacts, FinalDecision>> = [
	{
		// The response may answer a later GET, if it says so.
		reason: 'method',
		section: 'RFC 9110 §9.3.3',
		when: ({request, settings, directives}) => settings.cacheControl && request.method === 'POST' && request.override === undefined && request.hasSecretBody !== true && !settings.allowableMethods.has('POST') && settings.allowableMethods.has('GET') && !directives.noStore,
		then: (_facts, reason) => ({do: 'pass', storeAs: 'GET', reason}),
	},
	{
		reason: 'method',
		section: 'RFC 9111 §4; setting allowableMethods',
		when: ({isMethodAllowed}) => !isMethodAllowed,
		then: pass,
	},
	{
		reason: 'request-no-store',
		section: 'RFC 9111 §5.2.1.5',
		when: ({directives}) => directives.noStore,
		then: pass,
	},
	{
		reason: 'do-not-cache',
		section: 'setting expireAfter',
		when: ({expiration}) => expiration?.kind === 'do-not-cache',
		then: pass,
	},
	{
		reason: 'body-not-keyable',
		section: 'RFC 9111 §2',
		when: ({request}) => !request.keyable,
		then: pass,
	},
	{
		// Only the origin can evaluate the precondition.
		reason: 'precondition',
		section: 'RFC 9111 §4.3.2',
		when: ({hasOriginPrecondition}) => hasOriginPrecondition,
		then: send,
	},
];

/** What to do before the lookup. */
const beforeLookup: ReadonlyArray<Rule<RequestFacts, RequestDecision>> = [
	{
		reason: 'disabled',
		section: 'setting disabled',
		when: ({settings}) => settings.disabled,
		then: pass,
	},
	{
		// Nothing may be sent, and no stored response could answer.
		reason: 'only-if-cached',
		section: 'RFC 9111 §5.2.1.7; setting onlyIfCached',
		when: facts => facts.isOnlyIfCached && withoutLookup.some(({when}) => when(facts)),
		then: fail,
	},
	...withoutLookup,
	{
		reason: 'lookup',
		section: 'RFC 9111 §4',
		when: always,
		then: () => ({do: 'lookup'}),
	},
];

/** What to do if the user's `keyFn` returns no key. */
const withoutKey: ReadonlyArray<Rule<RequestFacts, FinalDecision>> = [
	{
		reason: 'only-if-cached',
		section: 'RFC 9111 §5.2.1.7; setting onlyIfCached',
		when: ({isOnlyIfCached}) => isOnlyIfCached,
		then: fail,
	},
	{
		reason: 'key-refused',
		section: 'setting keyFn',
		when: always,
		then: pass,
	},
];

/** What to do after the lookup, with or without a stored response that matches. */
const afterLookup: ReadonlyArray<Rule<LookupFacts, FinalDecision>> = [
	{
		reason: 'only-if-cached',
		section: 'RFC 9111 §5.2.1.7',
		when: ({stored, view, isOnlyIfCached}) => (stored === undefined || view === undefined) && isOnlyIfCached,
		then: fail,
	},
	{
		reason: 'miss',
		section: 'RFC 9111 §4',
		when: ({stored}) => stored === undefined,
		then: send,
	},
	{
		// The stored response cannot provide the range.
		reason: 'range',
		section: 'RFC 9110 §14.2; RFC 9111 §3.3',
		when: ({view}) => view === undefined,
		then: send,
	},
	{
		// The origin must have answered differently, or the loop would never have ended.
		reason: 'redirect-loop',
		section: 'RFC 9110 §15.4',
		when: ({redirect, isOnlyIfCached}) => redirect === 'loop' && !isOnlyIfCached,
		then: send,
	},
	{
		// The cookie is not stored, and the target of the redirect may need it.
		reason: 'redirect-cookie',
		section: 'RFC 6265 §3',
		when: ({redirect, isOnlyIfCached}) => redirect === 'cookie' && !isOnlyIfCached,
		then: send,
	},
	{
		reason: 'force-refresh',
		section: 'setting forceRefresh',
		when: ({settings, isOnlyIfCached}) => settings.forceRefresh && !isOnlyIfCached,
		then: send,
	},
	{
		reason: 'refresh',
		section: 'RFC 9111 §5.2.1.4; settings refresh, expireAfter 0',
		when: ({asksForRefresh, isOnlyIfCached}) => asksForRefresh && !isOnlyIfCached,
		then: validate,
	},
	{
		reason: 'only-if-cached',
		section: 'RFC 9111 §5.2.1.4, §5.2.2.4, §5.2.1.7',
		when: ({directives, origin, isOnlyIfCached}) => isOnlyIfCached && (directives.noCache || origin.noCache === true),
		then: fail,
	},
	{
		reason: 'no-cache',
		section: 'RFC 9111 §5.2.2.4',
		when: ({origin}) => origin.noCache === true,
		then: validate,
	},
	{
		reason: 'always-revalidate',
		section: 'setting alwaysRevalidate; RFC 8246 §2',
		when: facts => facts.settings.alwaysRevalidate && !facts.isOnlyIfCached && !isImmutable(facts) && hasValidator(facts.stored!),
		then: validate,
	},
	{
		reason: 'fresh',
		section: 'RFC 9111 §4.2',
		when: ({stored, directives, now}) => isFreshEnough(stored!, directives, now),
		then: serve,
	},
	{
		reason: 'only-if-cached',
		section: 'RFC 9111 §5.2.2.2, §5.2.1.7',
		when: ({origin, isOnlyIfCached}) => isOnlyIfCached && forbidsStale(origin),
		then: fail,
	},
	{
		reason: 'must-revalidate',
		section: 'RFC 9111 §5.2.2.2',
		when: ({stored, origin, now}) => forbidsStale(origin) && staleness(stored!, now) > 0,
		then: validate,
	},
	{
		reason: 'max-stale',
		section: 'RFC 9111 §5.2.1.2',
		when: ({stored, directives, now}) => isAcceptedStale(stored!, directives, now),
		then: serve,
	},
	{
		reason: 'stale-while-revalidate',
		section: 'RFC 5861 §3',
		when: facts => isUsableWhileRevalidating(facts.stored!, facts.origin, facts.settings, facts.now) && !limitsAge(facts) && (facts.isOnlyIfCached || canRefresh(facts)),
		then: (facts, reason) => facts.isOnlyIfCached ? serve(facts, reason) : serveAndRefresh(facts, reason),
	},
	{
		// Nothing may be sent, as if the origin could not be reached.
		reason: 'stale-if-error',
		section: 'RFC 5861 §4',
		when: facts => facts.isOnlyIfCached && facts.settings.staleIfError > 0 && isUsableOnError(facts.stored!, facts.origin, facts, facts.now),
		then: serve,
	},
	{
		reason: 'only-if-cached',
		section: 'RFC 9111 §5.2.1.7',
		when: ({isOnlyIfCached}) => isOnlyIfCached,
		then: fail,
	},
	{
		reason: 'request-limits',
		section: 'RFC 9111 §5.2.1.1, §5.2.1.3',
		when: ({stored, now}) => staleness(stored!, now) <= 0,
		then: validate,
	},
	{
		reason: 'stale',
		section: 'RFC 9111 §4.3',
		when: always,
		then: validate,
	},
];

/** Decides on a request before the lookup. */
export function onRequest(facts: RequestFacts, evaluated?: EvaluatedRule[]): RequestDecision {
	return decide(beforeLookup, facts, evaluated);
}

/** Decides on a request for which the user's `keyFn` returned no key. */
export function onRefusedKey(facts: RequestFacts, evaluated?: EvaluatedRule[]): FinalDecision {
	return decide(withoutKey, facts, evaluated);
}

/**
Decides on a request after the lookup.

@param found - The stored response whose key and variant match, if any.
*/
export function onLookup(facts: RequestFacts, found: Found, now: number, evaluated?: EvaluatedRule[]): FinalDecision {
	const {stored, redirect, mayRefresh} = found;
	return decide(afterLookup, {
		...facts,
		stored,
		origin: stored === undefined ? {} : originFacts(stored, facts.settings),
		view: stored === undefined ? undefined : (facts.isPartialOrConditional ? viewFor(facts, stored) : whole),
		redirect,
		mayRefresh,
		now,
	}, evaluated);
}

// A request with these directives says itself what it accepts.
function limitsAge({directives: {maximumAge, minimumFresh}}: RequestFacts): boolean {
	return maximumAge !== undefined || minimumFresh !== undefined;
}

// A refresh would be useless if its response could not be stored, since the cache is read-only or the request is partial or conditional.
function canRefresh({settings, isPartialOrConditional, mayRefresh}: LookupFacts): boolean {
	return !settings.readOnly && !isPartialOrConditional && (mayRefresh === undefined || mayRefresh());
}

// RFC 8246: an immutable response does not change while it is fresh.
function isImmutable({stored, origin, now}: LookupFacts): boolean {
	return origin.immutable === true && staleness(stored!, now) <= 0;
}
