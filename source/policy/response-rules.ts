import type {Expiration} from './expiration.ts';
import {fieldTokens, fieldValue} from './fields.ts';
import {isUsableOnError, lifetime, resolveExpiration} from './freshness.ts';
import {hasValidator, type RequestFacts} from './request-rules.ts';
import {always, decide, type Rule} from './rule.ts';
import type {ResponseDecision, ResponseHead, StoredHead} from './types.ts';

type ResponseFacts = RequestFacts & {
	readonly response: ResponseHead;

	/** What was stored when the request was sent. */
	readonly stored: StoredHead | undefined;

	/** Whether validators of `stored` were sent. */
	readonly conditional: boolean;
	readonly now: number;
};

type ErrorFacts = Omit<ResponseFacts, 'response' | 'conditional'>;
type Storable = Exclude<Expiration, {kind: 'do-not-cache'}>;

const pass: Rule<ErrorFacts, ResponseDecision>['then'] = (_facts, reason) => ({do: 'pass', reason});
const serve: Rule<ErrorFacts, ResponseDecision>['then'] = (_facts, reason) => ({do: 'serve', reason});

const responseRules: ReadonlyArray<Rule<ResponseFacts, ResponseDecision>> = [
	{
		reason: 'revalidated',
		section: 'RFC 9111 §4.3.3',
		when: ({response, conditional}) => response.statusCode === 304 && conditional,
		then: ({settings, expiration, now}, reason) => ({
			do: 'freshen', write: !settings.readOnly, reason, ...lifetime(expiration as Storable, settings, now),
		}),
	},
	{
		reason: 'stale-if-error',
		section: 'RFC 5861 §4; setting staleIfError',
		when: facts => isRefusedError(facts) && canStandIn(facts),
		then: serve,
	},
	{
		reason: 'read-only',
		section: 'setting readOnly',
		when: ({settings}) => settings.readOnly,
		then: pass,
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
		reason: 'status-code',
		section: 'setting allowableCodes',
		when: ({response, settings}) => response.statusCode < 200 || !(settings.allowableCodes.has(response.statusCode) || isRedirect(response)),
		then: pass,
	},
	{
		reason: 'vary-star',
		section: 'RFC 9111 §4.1',
		when: ({response}) => fieldTokens(response.fields, 'vary').includes('*'),
		then: pass,
	},
	{
		reason: 'do-not-cache',
		section: 'setting expireAfter',
		when: facts => targetExpiration(facts).kind === 'do-not-cache',
		then: pass,
	},
	{
		// It could neither be served nor validated.
		reason: 'expired-without-validator',
		section: 'setting expireAfter 0',
		when: facts => facts.settings.staleIfError === 0 && isExpired(facts) && !hasValidator(facts.response),
		then: pass,
	},
	{
		reason: 'stored',
		section: 'RFC 9111 §3',
		when: always,
		then: (facts, reason) => ({do: 'store', reason, ...lifetime(targetExpiration(facts) as Storable, facts.settings, facts.now)}),
	},
];

const errorRules: ReadonlyArray<Rule<ErrorFacts, ResponseDecision>> = [
	{
		reason: 'stale-if-error',
		section: 'RFC 5861 §4; setting staleIfError',
		when: canStandIn,
		then: serve,
	},
	{
		reason: 'not-sent',
		section: 'RFC 9111 §4.2.4',
		when: always,
		then: pass,
	},
];

export function onResponse(facts: RequestFacts, response: ResponseHead, sent: {stored: StoredHead | undefined; conditional: boolean}, now: number): ResponseDecision {
	return decide(responseRules, {
		...facts, ...sent, response, now,
	});
}

/** No response came: the connection failed or took too long. */
export function onError(facts: RequestFacts, stored: StoredHead | undefined, now: number): ResponseDecision {
	return decide(errorRules, {...facts, stored, now});
}

function canStandIn({stored, settings, directives, now}: ErrorFacts): boolean {
	return stored !== undefined && isUsableOnError(stored, settings, directives, now);
}

function isRefusedError({response, settings}: ResponseFacts): boolean {
	return response.statusCode >= 400 && !settings.allowableCodes.has(response.statusCode);
}

const redirectCodes = new Set([301, 302, 303, 307, 308]);

function isRedirect({statusCode, fields}: ResponseHead): boolean {
	return redirectCodes.has(statusCode) && fields.location !== undefined;
}

/** A redirect is worth as long as what it leads to: otherwise the one outlives the other. */
function targetExpiration({request, settings, directives, expiration, response}: ResponseFacts): Expiration {
	const location = isRedirect(response) ? fieldValue(response.fields, 'location') : undefined;
	return location === undefined || !URL.canParse(location, request.url) ? expiration : resolveExpiration(request, settings, directives, new URL(location, request.url).href);
}

function isExpired(facts: ResponseFacts): boolean {
	const {expires} = lifetime(targetExpiration(facts) as Storable, facts.settings, facts.now);
	return expires !== undefined && expires <= facts.now;
}
