import {type Directives, requestDirectives} from './directives.ts';
import type {Expiration} from './expiration.ts';
import {fieldValue} from './fields.ts';
import {
	isAcceptedStale,
	isFreshEnough,
	isUsableOnError,
	isUsableWhileRevalidating,
	resolveExpiration,
} from './freshness.ts';
import {always, decide, type Rule} from './rule.ts';
import type {
	PolicySettings,
	RequestDecision,
	RequestHead,
	StoredHead,
} from './types.ts';

/** What is known of a request once, for all its tables. */
export type RequestFacts = {
	readonly request: RequestHead;
	readonly settings: PolicySettings;
	readonly directives: Directives;
	readonly expiration: Expiration;
};

type Verdict = Exclude<RequestDecision, {readonly do: 'lookup'}>;

type LookupFacts = RequestFacts & {
	readonly stored: StoredHead | undefined;
	readonly now: number;
};

export function requestFacts(request: RequestHead, settings: PolicySettings): RequestFacts {
	const directives = requestDirectives(request.fields);
	return {
		request, settings, directives, expiration: resolveExpiration(request, settings, directives),
	};
}

const pass: Rule<RequestFacts, Verdict>['then'] = (_facts, reason) => ({do: 'pass', reason});
const send: Rule<RequestFacts, Verdict>['then'] = (_facts, reason) => ({do: 'send', validators: {}, reason});
const fail: Rule<RequestFacts, Verdict>['then'] = (_facts, reason) => ({do: 'fail', statusCode: 504, reason});
const serve: Rule<LookupFacts, Verdict>['then'] = (_facts, reason) => ({do: 'serve', reason});
const validate: Rule<LookupFacts, Verdict>['then'] = ({stored}, reason) => ({do: 'send', validators: validators(stored), reason});

/** What can be said before anything stored is looked at. */
const beforeLookup: ReadonlyArray<Rule<RequestFacts, RequestDecision>> = [
	{
		reason: 'disabled',
		section: 'setting disabled',
		when: ({settings}) => settings.disabled,
		then: pass,
	},
	{
		reason: 'method',
		section: 'setting allowableMethods',
		when: ({request, settings}) => !settings.allowableMethods.has(request.method),
		then: pass,
	},
	{
		reason: 'request-no-store',
		section: 'RFC 9111 §5.2.1.5',
		when: ({directives}) => directives.has('no-store'),
		then: pass,
	},
	{
		reason: 'do-not-cache',
		section: 'setting expireAfter',
		when: ({expiration}) => expiration.kind === 'do-not-cache',
		then: pass,
	},
	{
		// What is stored is whole; the answer would be a part.
		reason: 'range',
		section: 'RFC 9111 §3.3',
		when: ({request}) => request.fields.range !== undefined,
		then: pass,
	},
	{
		reason: 'body-not-keyable',
		section: 'RFC 9111 §2',
		when: ({request}) => !request.keyable,
		then: pass,
	},
	{
		reason: 'only-if-cached',
		section: 'RFC 9111 §5.2.1.7',
		when: facts => hasPrecondition(facts) && isOnlyIfCached(facts),
		then: fail,
	},
	{
		// The caller compares with what it has itself; its 304 is for it alone.
		reason: 'precondition',
		section: 'RFC 9111 §4.3.2',
		when: hasPrecondition,
		then: send,
	},
	{
		reason: 'miss',
		section: 'RFC 9111 §4',
		when: always,
		then: () => ({do: 'lookup'}),
	},
];

/** What to do with the stored response that matches, or without one. */
const afterLookup: ReadonlyArray<Rule<LookupFacts, Verdict>> = [
	{
		reason: 'only-if-cached',
		section: 'RFC 9111 §5.2.1.7',
		when: facts => facts.stored === undefined && isOnlyIfCached(facts),
		then: fail,
	},
	{
		reason: 'miss',
		section: 'RFC 9111 §4',
		when: ({stored}) => stored === undefined,
		then: send,
	},
	{
		reason: 'force-refresh',
		section: 'setting forceRefresh',
		when: facts => facts.settings.forceRefresh && !isOnlyIfCached(facts),
		then: send,
	},
	{
		reason: 'refresh',
		section: 'RFC 9111 §5.2.1.4; settings refresh, expireAfter 0',
		when: facts => asksForRefresh(facts) && !isOnlyIfCached(facts),
		then: validate,
	},
	{
		reason: 'always-revalidate',
		section: 'setting alwaysRevalidate',
		when: facts => facts.settings.alwaysRevalidate && hasValidator(facts.stored!) && !isOnlyIfCached(facts),
		then: validate,
	},
	{
		reason: 'fresh',
		section: 'RFC 9111 §4.2',
		when: ({stored, directives, now}) => isFreshEnough(stored!, directives, now),
		then: serve,
	},
	{
		reason: 'max-stale',
		section: 'RFC 9111 §5.2.1.2',
		when: ({stored, directives, now}) => isAcceptedStale(stored!, directives, now),
		then: serve,
	},
	{
		// Where nothing may be written, a refresh would be for nothing each time.
		reason: 'stale-while-revalidate',
		section: 'RFC 5861 §3',
		when: facts => isUsableWhileRevalidating(facts.stored!, facts.settings, facts.now) && !limitsAge(facts) && (isOnlyIfCached(facts) || !facts.settings.readOnly),
		then: (facts, reason) => isOnlyIfCached(facts) ? {do: 'serve', reason} : {do: 'serve', then: 'revalidate', reason},
	},
	{
		// Nothing may be sent, which is as good as an origin that cannot be reached.
		reason: 'stale-if-error',
		section: 'RFC 5861 §4',
		when: facts => isOnlyIfCached(facts) && isUsableOnError(facts.stored!, facts.settings, facts.directives, facts.now),
		then: serve,
	},
	{
		reason: 'only-if-cached',
		section: 'RFC 9111 §5.2.1.7',
		when: isOnlyIfCached,
		then: fail,
	},
	{
		reason: 'stale',
		section: 'RFC 9111 §4.3',
		when: always,
		then: validate,
	},
];

export function onRequest(facts: RequestFacts): RequestDecision {
	return decide(beforeLookup, facts);
}

/**
What to do with a request for which the store was asked.

@param stored - The stored response whose key and variant match, if any.
*/
export function onLookup(facts: RequestFacts, stored: StoredHead | undefined, now: number): Verdict {
	return decide(afterLookup, {...facts, stored, now});
}

const preconditions = ['if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since', 'if-range'];

function hasPrecondition({request}: RequestFacts): boolean {
	return preconditions.some(name => request.fields[name] !== undefined);
}

function isOnlyIfCached({settings, directives}: RequestFacts): boolean {
	return settings.onlyIfCached || directives.has('only-if-cached');
}

function asksForRefresh({settings, directives}: RequestFacts): boolean {
	const own = settings.requestExpireAfter;
	return settings.refresh || directives.has('no-cache') || (own?.kind === 'after' && own.milliseconds === 0);
}

// A request that limits age or asks for a margin has said what it accepts.
function limitsAge({directives}: RequestFacts): boolean {
	return directives.has('max-age') || directives.has('min-fresh');
}

export function hasValidator({fields}: {readonly fields: RequestHead['fields']}): boolean {
	return fields.etag !== undefined || fields['last-modified'] !== undefined;
}

/** RFC 9111 §4.3.1: the request is made conditional with what the stored response offers. */
function validators(stored: StoredHead | undefined): Record<string, string> {
	const conditional: Record<string, string> = {};
	const etag = fieldValue(stored!.fields, 'etag');
	const lastModified = fieldValue(stored!.fields, 'last-modified');
	if (etag !== undefined) {
		conditional['if-none-match'] = etag;
	}

	if (lastModified !== undefined) {
		conditional['if-modified-since'] = lastModified;
	}

	return conditional;
}
