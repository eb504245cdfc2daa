import {requestDirectives, type Directives} from './directives.ts';
import type {Expiration} from './expiration.ts';
import {fieldValue, type Fields} from './fields.ts';
import {
	isFreshEnough,
	resolveExpiration,
	responseDirectives,
	staleness,
} from './freshness.ts';
import {
	always,
	decide,
	type AskedRule,
	type Rule,
} from './rule.ts';
import {
	forbidsStale,
	isAcceptedStale,
	isUsableOnError,
	isUsableWhileRevalidating,
	mustValidate,
} from './staleness.ts';
import type {
	PolicySettings,
	RequestDecision,
	RequestHead,
	StoredHead,
	View,
} from './types.ts';
import {isPartialOrConditional, viewFor} from './view.ts';

/** What is known of a request once, for all its tables. */
export type RequestFacts = {
	readonly request: RequestHead;
	readonly settings: PolicySettings;
	readonly directives: Directives;
	readonly expiration: Expiration | undefined;
};

/** What to do once the store was asked. */
export type Verdict = Exclude<RequestDecision, {readonly do: 'lookup'}>;

/** What was found in the store. */
export type Found = {
	readonly stored: StoredHead | undefined;

	/** Why a redirect must not be reused: it leads back to where the chain of redirects has been, or set a cookie that the cookie jar lacks. */
	readonly redirect?: 'loop' | 'cookie' | undefined;
};

type LookupFacts = RequestFacts & {
	readonly stored: StoredHead | undefined;

	/** What of the stored response answers; `undefined` where only the origin can tell. */
	readonly view: View | undefined;

	readonly redirect: Found['redirect'];
	readonly now: number;
};

export function requestFacts(request: RequestHead, settings: PolicySettings): RequestFacts {
	const directives = requestDirectives(request.fields);
	return {
		request,
		settings,
		directives,
		expiration: resolveExpiration(request, settings, directives),
	};
}

type Then<Facts> = Rule<Facts, Verdict>['then'];

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
const validate: Then<LookupFacts> = (facts, reason) => ({do: 'send', validators: validators(facts), reason});

/** What can be said before anything stored is looked at. */
const beforeLookup: ReadonlyArray<Rule<RequestFacts, RequestDecision>> = [
	{
		reason: 'disabled',
		section: 'setting disabled',
		when: ({settings}) => settings.disabled,
		then: pass,
	},
	{
		// Nothing may be sent, and nothing that is stored could answer.
		reason: 'only-if-cached',
		section: 'RFC 9111 §5.2.1.7; setting onlyIfCached',
		when: facts => isOnlyIfCached(facts) && !isForCache(facts),
		then: fail,
	},
	{
		// Its response may answer a later GET, if it says so itself.
		reason: 'method',
		section: 'RFC 9110 §9.3.3',
		when: ({request, settings, directives}) => settings.cacheControl && request.method === 'POST' && request.override === undefined && request.hasSecretBody !== true && !settings.allowableMethods.has('POST') && settings.allowableMethods.has('GET') && !directives.has('no-store'),
		then: (_facts, reason) => ({do: 'pass', storesFor: 'GET', reason}),
	},
	{
		reason: 'method',
		section: 'RFC 9111 §4; setting allowableMethods',
		when: facts => !isMethodAllowed(facts),
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
		// Only the origin can tell whether they hold.
		reason: 'precondition',
		section: 'RFC 9111 §4.3.2',
		when: hasOriginPrecondition,
		then: send,
	},
	{
		reason: 'lookup',
		section: 'RFC 9111 §4',
		when: always,
		then: () => ({do: 'lookup'}),
	},
];

/** What to do where the user's `keyFn` gives no key. */
const withoutKey: ReadonlyArray<Rule<RequestFacts, Verdict>> = [
	{
		reason: 'only-if-cached',
		section: 'RFC 9111 §5.2.1.7; setting onlyIfCached',
		when: isOnlyIfCached,
		then: fail,
	},
	{
		reason: 'key-refused',
		section: 'setting keyFn',
		when: always,
		then: pass,
	},
];

/** What to do with the stored response that matches, or without one. */
const afterLookup: ReadonlyArray<Rule<LookupFacts, Verdict>> = [
	{
		reason: 'only-if-cached',
		section: 'RFC 9111 §5.2.1.7',
		when: facts => (facts.stored === undefined || facts.view === undefined) && isOnlyIfCached(facts),
		then: fail,
	},
	{
		reason: 'miss',
		section: 'RFC 9111 §4',
		when: ({stored}) => stored === undefined,
		then: send,
	},
	{
		// What is stored cannot be cut as asked.
		reason: 'range',
		section: 'RFC 9110 §14.2; RFC 9111 §3.3',
		when: ({view}) => view === undefined,
		then: send,
	},
	{
		// It led on once, since the origin answered otherwise the next time.
		reason: 'redirect-loop',
		section: 'RFC 9110 §15.4',
		when: facts => facts.redirect === 'loop' && !isOnlyIfCached(facts),
		then: send,
	},
	{
		// The cookie is not stored, and what the redirect leads to may need it.
		reason: 'redirect-cookie',
		section: 'RFC 6265 §3',
		when: facts => facts.redirect === 'cookie' && !isOnlyIfCached(facts),
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
		reason: 'only-if-cached',
		section: 'RFC 9111 §5.2.1.4, §5.2.2.4, §5.2.1.7',
		when: facts => (facts.directives.has('no-cache') || mustValidate(facts.stored!, facts.settings)) && isOnlyIfCached(facts),
		then: fail,
	},
	{
		reason: 'no-cache',
		section: 'RFC 9111 §5.2.2.4',
		when: ({stored, settings}) => mustValidate(stored!, settings),
		then: validate,
	},
	{
		reason: 'always-revalidate',
		section: 'setting alwaysRevalidate; RFC 8246 §2',
		when: facts => facts.settings.alwaysRevalidate && hasValidator(facts.stored!) && !isOnlyIfCached(facts) && !isImmutable(facts),
		then: validate,
	},
	{
		reason: 'fresh',
		section: 'RFC 9111 §4.2',
		when: ({stored, directives, now}) => isFreshEnough(stored!, directives, now),
		then: (facts, reason) => isDueAhead(facts) ? serveAndRefresh(facts, reason) : serve(facts, reason),
	},
	{
		reason: 'only-if-cached',
		section: 'RFC 9111 §5.2.2.2, §5.2.1.7',
		when: facts => forbidsStale(facts.stored!, facts.settings) && isOnlyIfCached(facts),
		then: fail,
	},
	{
		reason: 'must-revalidate',
		section: 'RFC 9111 §5.2.2.2',
		when: ({stored, settings, now}) => forbidsStale(stored!, settings) && staleness(stored!, now) > 0,
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
		when: facts => isUsableWhileRevalidating(facts.stored!, facts.settings, facts.now) && !limitsAge(facts) && (isOnlyIfCached(facts) || canRefresh(facts)),
		then: (facts, reason) => isOnlyIfCached(facts) ? serve(facts, reason) : serveAndRefresh(facts, reason),
	},
	{
		// Nothing may be sent, which is as good as an origin that cannot be reached.
		reason: 'stale-if-error',
		section: 'RFC 5861 §4',
		when: facts => isOnlyIfCached(facts) && facts.settings.staleIfError > 0 && isUsableOnError(facts.stored!, facts.settings, facts.directives, facts.now),
		then: serve,
	},
	{
		reason: 'only-if-cached',
		section: 'RFC 9111 §5.2.1.7',
		when: isOnlyIfCached,
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

export function onRequest(facts: RequestFacts, asked?: AskedRule[]): RequestDecision {
	return decide(beforeLookup, facts, asked);
}

export function onRefusedKey(facts: RequestFacts, asked?: AskedRule[]): Verdict {
	return decide(withoutKey, facts, asked);
}

/**
What to do with a request for which the store was asked.

@param found - The stored response whose key and variant match, if any.
*/
export function onLookup(facts: RequestFacts, found: Found, now: number, asked?: AskedRule[]): Verdict {
	const {stored, redirect} = found;
	const view = stored === undefined ? undefined : viewFor(facts.request, stored);
	const known = {
		...facts,
		stored,
		view,
		redirect,
		now,
	};
	return decide(afterLookup, known, asked);
}

// RFC 9111 §4.3.2: these two are for the origin alone.
function hasOriginPrecondition({request}: RequestFacts): boolean {
	return request.fields['if-match'] !== undefined || request.fields['if-unmodified-since'] !== undefined;
}

/** An override header counts as in requests-cache; but RFC 9111 knows the method that is sent, and an unsafe one is to be sent (§4). */
function isMethodAllowed({request: {method, override = method}, settings: {allowableMethods, cacheControl}}: RequestFacts): boolean {
	return allowableMethods.has(override) && (!cacheControl || allowableMethods.has(method));
}

/** Whether something stored could answer it at all. */
function isForCache(facts: RequestFacts): boolean {
	const {request, directives, expiration} = facts;
	return isMethodAllowed(facts)
		&& !directives.has('no-store')
		&& expiration?.kind !== 'do-not-cache'
		&& request.keyable
		&& !hasOriginPrecondition(facts);
}

function isOnlyIfCached({settings, directives}: RequestFacts): boolean {
	return settings.onlyIfCached || directives.has('only-if-cached');
}

/** Whether the origin is to be asked, whatever is stored. */
export function asksForRefresh({settings, directives}: RequestFacts): boolean {
	const own = settings.requestExpireAfter;
	return settings.refresh || directives.has('no-cache') || (own?.kind === 'after' && own.milliseconds === 0);
}

// A request that limits age or asks for a margin has said what it accepts.
function limitsAge({directives}: RequestFacts): boolean {
	return directives.has('max-age') || directives.has('min-fresh');
}

// Where nothing may be written, a refresh would be for nothing each time; and so it would with a part, or with a 304 for the caller.
function canRefresh({request, settings}: RequestFacts): boolean {
	return !settings.readOnly && !isPartialOrConditional(request);
}

// RFC 8246: while it is fresh, it will not have changed.
function isImmutable({stored, settings, now}: LookupFacts): boolean {
	return settings.cacheControl && responseDirectives(stored!, settings).has('immutable') && staleness(stored!, now) <= 0;
}

// What is fresh for good is never due.
function isDueAhead(facts: LookupFacts): boolean {
	const {stored, settings: {refreshAhead}, now} = facts;
	const {createdAt, expires} = stored!;
	return refreshAhead > 0
		&& expires !== undefined
		&& now >= createdAt + (refreshAhead * (expires - createdAt))
		&& !isOnlyIfCached(facts)
		&& !isImmutable(facts)
		&& canRefresh(facts);
}

/**
The most characters of a condition that is sent. Servers take no line of more than some 8 kB (Apache's `LimitRequestFieldSize`, nginx's `large_client_header_buffers`): with a longer one, every later request for what is stored would fail.
*/
const maxConditionLength = 4096;

/** What a stored response can be validated by (RFC 9110 §8.8): a tag or a date that can be sent back. */
function validatorOf(fields: Fields, name: 'etag' | 'last-modified'): string | undefined {
	const value = fieldValue(fields, name);
	return value !== undefined && value.length <= maxConditionLength ? value : undefined;
}

export function hasValidator({fields}: {readonly fields: Fields}): boolean {
	return validatorOf(fields, 'etag') !== undefined || validatorOf(fields, 'last-modified') !== undefined;
}

// For others a tag that still matches is a precondition that fails (RFC 9110 §13.1.2).
const validated: ReadonlySet<string> = new Set(['GET', 'HEAD', 'QUERY']);

/** Whether the request may be made conditional, so that a 304 says something to the cache and nothing to the caller. */
export function mayValidate(request: RequestHead): boolean {
	return validated.has(request.method) && !isPartialOrConditional(request);
}

/**
RFC 9111 §4.3.1: the request is made conditional with what the stored response offers; not one that has conditions of its own, whose answer is for the caller alone.
*/
function validators({request, stored}: LookupFacts): Record<string, string> {
	const conditional: Record<string, string> = {};
	if (!mayValidate(request)) {
		return conditional;
	}

	const etag = validatorOf(stored!.fields, 'etag');
	const lastModified = validatorOf(stored!.fields, 'last-modified');
	if (etag !== undefined) {
		conditional['if-none-match'] = etag;
	}

	if (lastModified !== undefined) {
		conditional['if-modified-since'] = lastModified;
	}

	return conditional;
}
