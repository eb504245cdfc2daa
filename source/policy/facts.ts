import {deltaMilliseconds, type CacheDirectives, requestDirectives} from './directives.ts';
import type {Expiration} from './expiration.ts';
import {fieldValue} from './fields.ts';
import {
	resolveExpiration,
	isUsableOnError,
	lifetime,
	type Times,
} from './freshness.ts';
import {
	isRedirect,
	ResponseFacts,
	factsToStore,
	type StoredFacts,
	storedFacts,
} from './response-facts.ts';
import type {
	PolicySettings,
	StoredHead,
	Reason,
	Lifetime,
	StorageTerms,
	View,
	RequestHead,
} from './types.ts';
import {viewFor} from './views.ts';

/**
What the rules know of a request. It is made once for each request.
*/
export type RequestFacts = {
	readonly request: RequestHead;
	readonly settings: PolicySettings;
	readonly directives: RequestDirectives;

	/** How long the user's settings let the response be fresh; `undefined` where they leave that to the origin. */
	readonly expiration: Expiration | undefined;

	/** Whether the settings let a response to the method of the request be stored and reused. */
	readonly isMethodAllowed: boolean;

	/** Whether the request must not be sent: what is stored answers it, or a 504. */
	readonly isOnlyIfCached: boolean;

	/** Whether the origin is to be asked, whatever is stored. */
	readonly asksForRefresh: boolean;

	/** Whether the request has a condition that only the origin can evaluate (RFC 9111 §4.3.2): `If-Match` or `If-Unmodified-Since`. */
	readonly hasOriginPrecondition: boolean;

	/** Whether the caller asks for less than the whole response: by `Range`, `If-None-Match` or `If-Modified-Since`. */
	readonly isPartialOrConditional: boolean;

	/** Whether the cache may add conditions to the request: then a 304 answers the cache, and not the caller. */
	readonly mayValidate: boolean;
};

/**
What a request's `Cache-Control` says, or its `Pragma` (RFC 9111 §5.2.1). Periods are in milliseconds, `Infinity` without end.
*/
export type RequestDirectives = {
	readonly noStore: boolean;
	readonly noCache: boolean;
	readonly onlyIfCached: boolean;

	/** 0 where it is broken: nothing is young enough. */
	readonly maximumAge: number | undefined;

	/** `Infinity` where it is broken: nothing that expires is fresh enough. */
	readonly minimumFresh: number | undefined;

	/** 0 where it is broken: nothing stale is accepted. */
	readonly maximumStale: number | undefined;
	readonly staleIfError: number | undefined;
};

/** Makes the facts of a request. */
export function requestFacts(request: RequestHead, settings: PolicySettings): RequestFacts {
	const {method, override = method, url, fields} = request;
	const {cacheControl, allowableMethods, requestExpireAfter: own} = settings;
	const directives = fields['cache-control'] === undefined && fields.pragma === undefined ? noDirectives : toRequestDirectives(requestDirectives(fields));
	const isPartialOrConditional = fields.range !== undefined || fields['if-none-match'] !== undefined || fields['if-modified-since'] !== undefined;
	return {
		request,
		settings,
		directives,
		expiration: resolveExpiration(url, settings, directives.maximumAge),
		// An override header counts as in requests-cache; but RFC 9111 knows the method that is sent, and an unsafe one is to be sent (§4).
		isMethodAllowed: allowableMethods.has(override) && (!cacheControl || allowableMethods.has(method)),
		isOnlyIfCached: settings.onlyIfCached || directives.onlyIfCached,
		asksForRefresh: settings.refresh || directives.noCache || (own?.kind === 'after' && own.milliseconds === 0),
		hasOriginPrecondition: fields['if-match'] !== undefined || fields['if-unmodified-since'] !== undefined,
		isPartialOrConditional,
		mayValidate: !isPartialOrConditional && validatedMethods.has(method),
	};
}

// For other methods, a tag in `If-None-Match` that still matches makes the request fail (RFC 9110 §13.1.2).
const validatedMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'QUERY']);

function toRequestDirectives(directives: CacheDirectives): RequestDirectives {
	return {
		noStore: directives.has('no-store'),
		noCache: directives.has('no-cache'),
		onlyIfCached: directives.has('only-if-cached'),
		maximumAge: deltaMilliseconds(directives, 'max-age', 0),
		minimumFresh: deltaMilliseconds(directives, 'min-fresh', Infinity),
		maximumStale: withoutEnd(directives, 'max-stale'),
		staleIfError: withoutEnd(directives, 'stale-if-error'),
	};
}

/** The period of a directive in milliseconds: `Infinity` for a directive without an argument. */
function withoutEnd(directives: CacheDirectives, name: string): number | undefined {
	return directives.get(name) === true ? Infinity : deltaMilliseconds(directives, name, 0);
}

const noDirectives: RequestDirectives = toRequestDirectives(new Map());

/**
Whether a request may wait for the response to another one instead of being sent, and others for the response to it (RFC 9111 §4, “collapse requests”). It may not where it asks for a response of its own, nor where the response would answer nobody else.

@param reason - Why it is to be sent.
*/
export function mayCollapse(facts: RequestFacts, reason: Reason): boolean {
	const {request: {method, override = method}, settings, directives} = facts;
	return shareableReasons.has(reason)
		&& collapsibleMethods.has(method)
		&& collapsibleMethods.has(override)
		&& !settings.readOnly
		&& !settings.forceRefresh
		&& !facts.asksForRefresh
		&& !facts.isPartialOrConditional
		// A caller who names one of them has said how old an answer may be.
		&& directives.maximumAge === undefined
		&& directives.minimumFresh === undefined;
}

/** The reasons for which a request may wait for another one: a response stored a moment earlier would have answered it. */
const shareableReasons: ReadonlySet<Reason> = new Set(['miss', 'filtered', 'stale', 'must-revalidate']);

/** The method of the call of a decorated function: no HTTP request has it. */
export const callMethod = 'CALL';

// RFC 9110 §9.2.1, and RFC 10008 for QUERY. An unsafe request is to reach the origin, each one (RFC 9111 §4).
const collapsibleMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'QUERY', callMethod]);

/** Whether the next request may get another status: then the requests that wait are not all sent at once. With any other status that is not stored, all of them are sent. */
export function isOverSoon(statusCode: number): boolean {
	return statusCode >= 500 || statusCode === 408 || statusCode === 429;
}

/**
What the rules know of a response and of the request that it answers. What follows from both is derived once, when a rule first asks.
*/
export class ReceivedFacts {
	readonly request: RequestFacts;
	readonly response: ResponseFacts;
	readonly sent: Sent;
	readonly times: Times;
	#expiration: {readonly value: Expiration | undefined} | undefined;
	#lifetime: Lifetime | undefined;
	#standIn: {readonly value: View | undefined} | undefined;
	#merged: ReceivedFacts | undefined;

	constructor(request: RequestFacts, response: ResponseFacts, sent: Sent, times: Times) {
		this.request = request;
		this.response = response;
		this.sent = sent;
		this.times = times;
	}

	/** How long the user's settings let the response be fresh. For a redirect, the settings for the URL that it leads to count: otherwise one would outlive the other. */
	get expiration(): Expiration | undefined {
		this.#expiration ??= {value: this.#makeExpiration()};
		return this.#expiration.value;
	}

	/** How long the response is fresh and kept. */
	get lifetime(): Lifetime {
		this.#lifetime ??= lifetime(this.response, this.expiration, this.request.settings, this.times);
		return this.#lifetime;
	}

	/** The terms on which the response is stored. */
	get terms(): StorageTerms {
		const {request: {settings}, response, lifetime: times} = this;
		return {
			...times,
			withheld: settings.cacheControl ? response.directives.withheld : [],
			vary: response.vary === '*' ? [] : response.vary,
			...(settings.cacheControl && {facts: factsToStore(response, settings.cacheControlTargets)}),
		};
	}

	/** What of the stored response may stand in, if the response is an error. */
	get standIn(): View | undefined {
		this.#standIn ??= {value: standInFor(this.request, this.sent.stored, this.times.received)};
		return this.#standIn.value;
	}

	/** The facts of the stored response with the fields of this one, which is a 304 or answers a HEAD (RFC 9111 §3.2). */
	get merged(): ReceivedFacts {
		this.#merged ??= this.#merge();
		return this.#merged;
	}

	#makeExpiration(): Expiration | undefined {
		const {response, request: {request, settings, directives, expiration}} = this;
		const location = isRedirect(response) ? fieldValue(response.fields, 'location') : undefined;
		const target = location === undefined ? null : URL.parse(location, request.url);
		return target === null ? expiration : resolveExpiration(target.href, settings, directives.maximumAge);
	}

	#merge(): ReceivedFacts {
		const {request, response: {fields, received}, sent, times} = this;
		const {statusCode, fields: {date: _date, age: _age, ...kept}} = sent.stored!;
		const response = new ResponseFacts({statusCode, fields: {...kept, ...fields}}, request.settings.cacheControlTargets, received);
		return new ReceivedFacts(request, response, sent, times);
	}
}

/** What the rules know of how the request was sent: what was stored then, and whether its validators were added. */
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

/** What of a stored response may stand in for an error, or for no response; `undefined` where nothing may. */
export function standInFor(request: RequestFacts, stored: StoredHead | undefined, now: number): View | undefined {
	return stored !== undefined && isUsableOnError(stored, originFacts(stored, request.settings), request, now) ? viewFor(request, stored) : undefined;
}

/**
A rule is a row of a table: the first row whose condition holds decides. The verdict is the explanation.
*/
export type Rule<Facts, Decision> = {
	readonly reason: Reason;

	/** The source of the rule: a section of an RFC, or the setting that asks for it. */
	readonly section: string;
	readonly when: (facts: Facts) => boolean;
	readonly then: (facts: Facts, reason: Reason) => Decision;
};

/** A rule that was asked, and whether it held. */
export type AskedRule = {
	readonly reason: Reason;
	readonly section: string;
	readonly held: boolean;
};

/**
Decides by the first row that holds.

@param asked - Gets each rule that was asked, in order: the decision and its explanation come from the same rows.
*/
export function decide<Facts, Decision>(rules: ReadonlyArray<Rule<Facts, Decision>>, facts: Facts, asked?: AskedRule[]): Decision {
	for (const {reason, section, when, then} of rules) {
		const held = when(facts);
		asked?.push({reason, section, held});
		if (held) {
			return then(facts, reason);
		}
	}

	throw new Error('A table of rules must end with one that always holds');
}

/** The condition of the last row of a table. */
export function always(): boolean {
	return true;
}

/** The facts by which the origin limits the use of a stored response; none without `cacheControl`, where the headers do not count. */
export function originFacts(stored: StoredHead, settings: Pick<PolicySettings, 'cacheControl' | 'cacheControlTargets'>): StoredFacts {
	return settings.cacheControl ? storedFacts(stored, settings) : noFacts;
}

const noFacts: StoredFacts = {};
