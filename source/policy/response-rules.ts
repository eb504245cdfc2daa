import {canFreshen, headAgrees} from './preconditions.ts';
import type {Times} from './freshness.ts';
import {mayValidate, type RequestFacts} from './request-rules.ts';
import {
	always,
	decide,
	type AskedRule,
	type Rule,
} from './rule.ts';
import {isUsableOnError} from './staleness.ts';
import {
	answersLaterGet,
	forbidsStoring,
	isCacheable,
	isRedirect,
	isUseless,
	lifetimeOf,
	mustUnderstand,
	targetExpiration,
	variesByEverything,
	withheldFields,
	type ReceivedFacts,
} from './storing.ts';
import {areTagsBounded, tagsOf} from './tags.ts';
import type {
	Lifetime,
	ResponseDecision,
	ResponseHead,
	StoredHead,
} from './types.ts';
import {viewFor} from './view.ts';

/** What was sent: beside what stored response, and whether with its validators. */
export type Sent = {
	readonly stored: StoredHead | undefined;
	readonly conditional: boolean;

	/** Whether the response may be stored for a GET of the same target, and for nothing else. */
	readonly storesFor?: 'GET' | undefined;

	/** Whether the request has been sent once more already. */
	readonly isResent?: boolean;

	/** Whether a stale response is to stand in only when Got has no retry left, and it has some. */
	readonly retries?: boolean;

	/** Whether the response hands out a secret: by a header that is a credential, or by a URL with a secret in `Location`, `Link` or `Refresh`. */
	readonly handsOutSecret?: boolean;
};

type ResponseFacts = ReceivedFacts & Sent;
type ErrorFacts = RequestFacts & Omit<Sent, 'conditional'> & {readonly now: number};
type Then<Facts> = Rule<Facts, ResponseDecision>['then'];

const pass: Then<RequestFacts> = (_facts, reason) => ({do: 'pass', reason});
/** What may not be stored takes the place of what is stored all the same: an older answer is no better for it (RFC 9111 §4). */
const passInPlace: Then<ResponseFacts> = ({response, stored}, reason) => stored === undefined || response.statusCode >= 500 ? {do: 'pass', reason} : {do: 'pass', stored: 'drop', reason};

const standIn: Then<RequestFacts & Pick<Sent, 'stored' | 'retries'>> = ({request, stored, retries}, reason) => retries === true
	? {do: 'pass', awaitsRetries: true, reason: 'awaits-retries'}
	: {do: 'serve', view: viewFor(request, stored!)!, reason};

const responseRules: ReadonlyArray<Rule<ResponseFacts, ResponseDecision>> = [
	{
		reason: 'revalidated',
		section: 'RFC 9111 §4.3.3, §4.3.4',
		when: ({response, conditional}) => response.statusCode === 304 && conditional,
		then: (facts, reason) => ({
			do: 'freshen',
			view: {kind: 'whole'},
			keep: fate(facts),
			reason,
			...renewal(facts),
		}),
	},
	{
		// Nobody asked for it, and nothing can be told by it.
		reason: 'not-modified',
		section: 'RFC 9110 §15.4.5',
		when: ({response, request, isResent}) => response.statusCode === 304 && isResent !== true && mayValidate(request),
		then: (_facts, reason) => ({do: 'resend', reason}),
	},
	{
		reason: 'stale-if-error',
		section: 'RFC 5861 §4; setting staleIfError',
		when: facts => isRefusedError(facts) && canStandIn({...facts, now: facts.times.received}),
		then: standIn,
	},
	{
		reason: 'read-only',
		section: 'setting readOnly',
		when: ({settings}) => settings.readOnly,
		then: pass,
	},
	{
		// The caller's own 304 says of what is stored, too, that it is still right.
		reason: 'not-modified',
		section: 'RFC 9111 §4.3.4',
		when: ({response, stored}) => response.statusCode === 304 && stored !== undefined && hasSameValidator(stored, response),
		then: (facts, reason) => ({do: 'pass', stored: fate(facts) === 'drop' ? 'drop' : renewal(facts), reason}),
	},
	{
		// One that no stored response can be behind says nothing that could be kept.
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
		// They answer a condition or a range of this very request, and no other.
		reason: 'status-code',
		section: 'RFC 9110 §15.5.13, §15.5.17',
		when: ({response}) => answersToConditions.has(response.statusCode),
		then: pass,
	},
	{
		reason: 'status-code',
		section: 'RFC 9111 §3; setting allowableCodes',
		when: ({response, settings}) => response.statusCode < 200 || !(settings.allowableCodes === undefined || settings.allowableCodes.has(response.statusCode) || isRedirect(response)),
		then: pass,
	},
	{
		reason: 'no-store',
		section: 'RFC 9111 §5.2.2.5',
		when: forbidsStoring,
		then: passInPlace,
	},
	{
		reason: 'must-understand',
		section: 'RFC 9111 §5.2.2.3',
		when: mustUnderstand,
		then: passInPlace,
	},
	{
		reason: 'vary-star',
		section: 'RFC 9111 §4.1',
		when: variesByEverything,
		then: passInPlace,
	},
	{
		// A tag that is left out could not delete it.
		reason: 'too-many-tags',
		section: 'bound of tags',
		when: facts => bringsTooManyTags(facts, isAboutStoredGet(facts)),
		then: passInPlace,
	},
	{
		// Stored as it is, it would tell the secret; without it, it would lead elsewhere.
		reason: 'secret-in-header',
		section: 'setting ignoredParameters',
		when: facts => facts.handsOutSecret === true,
		then: passInPlace,
	},
	{
		reason: 'do-not-cache',
		section: 'setting expireAfter',
		when: facts => targetExpiration(facts)?.kind === 'do-not-cache',
		then: pass,
	},
	{
		reason: 'method',
		section: 'RFC 9110 §9.3.3',
		when: facts => facts.storesFor !== undefined && !answersLaterGet(facts),
		then: pass,
	},
	{
		reason: 'not-cacheable',
		section: 'RFC 9111 §3',
		when: facts => !isCacheable(facts),
		then: pass,
	},
	{
		// RFC 9111 §4.3.5: a HEAD that agrees with the stored GET renews it.
		reason: 'freshened-by-head',
		section: 'RFC 9111 §4.3.5',
		when: facts => isAboutStoredGet(facts) && headAgrees(facts.stored!.fields, facts.response.fields),
		then: (facts, reason) => ({do: 'pass', stored: renewal(facts), reason}),
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
		then: (facts, reason) => ({
			do: 'store',
			withheld: withheldFields(facts),
			reason,
			...lifetimeOf(facts),
		}),
	},
];

const errorRules: ReadonlyArray<Rule<ErrorFacts, ResponseDecision>> = [
	{
		reason: 'stale-if-error',
		section: 'RFC 5861 §4; setting staleIfError',
		when: canStandIn,
		then: standIn,
	},
	{
		// RFC 9111 §5.2.2.2: a cache that cannot reach the origin says so itself.
		reason: 'gateway-timeout',
		section: 'RFC 9111 §5.2.2.2; setting gatewayTimeout',
		when: ({settings}) => settings.gatewayTimeout === 'respond',
		then: ({retries}, reason) => retries === true ? {do: 'pass', awaitsRetries: true, reason: 'awaits-retries'} : {do: 'fail', statusCode: 504, reason},
	},
	{
		reason: 'no-response',
		section: 'RFC 9111 §4.2.4',
		when: always,
		then: pass,
	},
];

export function onResponse(facts: RequestFacts, response: ResponseHead, sent: Sent, times: Times, asked?: AskedRule[]): ResponseDecision { // eslint-disable-line max-params -- Request, response, what was sent and when: they come from four places.
	return decide(responseRules, {
		...facts,
		...sent,
		response,
		times,
	}, asked);
}

/** No response came: the connection failed or took too long. */
export function onError(facts: RequestFacts, sent: Omit<Sent, 'conditional'>, now: number): ResponseDecision {
	return decide(errorRules, {...facts, ...sent, now});
}

function canStandIn({request, stored, settings, directives, now}: ErrorFacts): boolean {
	return stored !== undefined && viewFor(request, stored) !== undefined && isUsableOnError(stored, settings, directives, now);
}

const answersToConditions = new Set([412, 416, 417]);

// RFC 5861 §4 names them; requests-cache takes every error status that is not allowed.
const serverErrors = new Set([500, 502, 503, 504]);

function isRefusedError({response: {statusCode}, settings}: ResponseFacts): boolean {
	const isError = settings.cacheControl ? serverErrors.has(statusCode) : statusCode >= 400 && !answersToConditions.has(statusCode);
	return isError && settings.allowableCodes?.has(statusCode) !== true;
}

function hasSameValidator(stored: StoredHead, {fields}: ResponseHead): boolean {
	return (fields.etag !== undefined || fields['last-modified'] !== undefined) && canFreshen(stored.fields, fields);
}

// With `cacheControl: false` headers decide nothing, neither that what is stored is right nor that it is not.
function isAboutStoredGet({request, response, stored, settings}: ResponseFacts): boolean {
	return settings.cacheControl && request.method === 'HEAD' && response.statusCode === 200 && stored?.method === 'GET' && stored.statusCode === 200;
}

/** The stored response with the fields of the 304 (RFC 9111 §3.2). */
function merged(facts: ResponseFacts): ResponseFacts {
	const {statusCode, fields: {date: _date, age: _age, ...kept}} = facts.stored!;
	return {...facts, response: {statusCode, fields: {...kept, ...facts.response.fields}}};
}

/** Tags are never taken away by a renewal: until then, what is stored may have been known by them. */
function bringsTooManyTags({response, stored}: ResponseFacts, isRenewal: boolean): boolean {
	const tags = tagsOf(response.fields);
	return !areTagsBounded(isRenewal ? [...stored?.tags ?? [], ...tags] : tags);
}

function renewal(facts: ResponseFacts): Lifetime & {readonly withheld: readonly string[]} {
	const whole = merged(facts);
	return {withheld: withheldFields(whole), ...lifetimeOf(whole)};
}

/** What becomes of a stored response for which a 304 came: what could not be stored anew is not stored any longer. */
function fate(facts: ResponseFacts): 'write' | 'leave' | 'give' | 'drop' {
	if (!canFreshen(facts.stored!.fields, facts.response.fields)) {
		return 'leave';
	}

	if (facts.settings.readOnly) {
		return 'give';
	}

	const whole = merged(facts);
	return forbidsStoring(whole) || mustUnderstand(whole) || variesByEverything(whole) || bringsTooManyTags(facts, true) ? 'drop' : 'write';
}
