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

/** The facts of a request that the rules use. They are made once for each request. */
export type RequestFacts = {
	readonly request: RequestHead;
	readonly settings: PolicySettings;
	readonly directives: RequestDirectives;

	/** The expiration that the user's settings give the response; `undefined` leaves it to the origin. */
	readonly expiration: Expiration | undefined;

	/** Whether the settings allow to store and reuse responses to the method of the request. */
	readonly isMethodAllowed: boolean;

	/** Whether the request must not be sent: it gets a stored response, or a 504. */
	readonly isOnlyIfCached: boolean;

	/** Whether the request must be sent even if a fresh response is stored. */
	readonly asksForRefresh: boolean;

	/** Whether the request has `If-Match` or `If-Unmodified-Since`, which only the origin can evaluate (RFC 9111 §4.3.2). */
	readonly hasOriginPrecondition: boolean;

	/** Whether the request has `Range`, `If-None-Match` or `If-Modified-Since`. */
	readonly isPartialOrConditional: boolean;

	/** Whether the cache may add its own conditions to the request, so that a 304 is for the cache and not for the caller. */
	readonly mayValidate: boolean;
};

/** The directives of the `Cache-Control` of a request, or of its `Pragma` (RFC 9111 §5.2.1). Periods are in milliseconds; `Infinity` has no limit. */
export type RequestDirectives = {
	readonly noStore: boolean;
	readonly noCache: boolean;
	readonly onlyIfCached: boolean;

	/** 0 if it is invalid: no stored response is young enough. */
	readonly maximumAge: number | undefined;

	/** `Infinity` if it is invalid: no response that expires is fresh enough. */
	readonly minimumFresh: number | undefined;

	/** 0 if it is invalid: no stale response is accepted. */
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
		// An override header counts, as in requests-cache. With `cacheControl`, the method that is sent counts, too (RFC 9111 §4).
		isMethodAllowed: allowableMethods.has(override) && (!cacheControl || allowableMethods.has(method)),
		isOnlyIfCached: settings.onlyIfCached || directives.onlyIfCached,
		asksForRefresh: settings.refresh || directives.noCache || (own?.kind === 'after' && own.milliseconds === 0),
		hasOriginPrecondition: fields['if-match'] !== undefined || fields['if-unmodified-since'] !== undefined,
		isPartialOrConditional,
		mayValidate: !isPartialOrConditional && validatedMethods.has(method),
	};
}

// With other methods, an `If-None-Match` that matches makes the request fail (RFC 9110 §13.1.2).
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

/** Returns the period of a directive in milliseconds: `Infinity` without an argument. */
function withoutEnd(directives: CacheDirectives, name: string): number | undefined {
	return directives.get(name) === true ? Infinity : deltaMilliseconds(directives, name, 0);
}

const noDirectives: RequestDirectives = toRequestDirectives(new Map());

/**
Whether a request may wait for the response to an identical request in flight, and identical requests for the response to this one (RFC 9111 §4, “collapse requests”).

@param reason - Why the request is sent.
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
		// The other response might not meet these limits.
		&& directives.maximumAge === undefined
		&& directives.minimumFresh === undefined;
}

/** The reasons to send a request that a response stored a moment earlier would have answered. */
const shareableReasons: ReadonlySet<Reason> = new Set(['miss', 'filtered', 'stale', 'must-revalidate']);

/** The method of the call of a decorated function. No HTTP request has it. */
export const callMethod = 'CALL';

// RFC 9110 §9.2.1, and RFC 10008 for QUERY. Each unsafe request must reach the origin (RFC 9111 §4).
const collapsibleMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'QUERY', callMethod]);

// RFC 9110 §9.2.1, and `QUERY`. An unknown method counts as unsafe (RFC 9111 §4.4).
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY']);

/** Whether a method is safe, and the one that overrides it, too. */
export function isSafe(method: string, override: string = method): boolean {
	return safeMethods.has(method) && safeMethods.has(override);
}

/** Whether a status code is temporary, so that the waiting requests are not all sent at once. */
export function isTemporaryStatus(statusCode: number): boolean {
	return statusCode >= 500 || statusCode === 408 || statusCode === 429;
}

/** The facts of a response and of the request that it answers. Each is derived once, when a rule first needs it. */
export class ReceivedFacts {
	readonly request: RequestFacts;
	readonly response: ResponseFacts;
	readonly sent: Sent;
	readonly times: Times;
	#lifetime: Lifetime | undefined;
	#merged: ReceivedFacts | undefined;

	constructor(request: RequestFacts, response: ResponseFacts, sent: Sent, times: Times) {
		this.request = request;
		this.response = response;
		this.sent = sent;
		this.times = times;
	}

	/** The expiration that the user's settings give the response. A redirect has that of the URL that it leads to, so that both expire together. */
	get expiration(): Expiration | undefined {
		const {response, request: {request, settings, directives, expiration}} = this;
		const location = isRedirect(response) ? fieldValue(response.fields, 'location') : undefined;
		const target = location === undefined ? null : URL.parse(location, request.url);
		return target === null ? expiration : resolveExpiration(target.href, settings, directives.maximumAge);
	}

	/** How long the response is fresh and stays in the store. */
	get lifetime(): Lifetime {
		this.#lifetime ??= lifetime(this.response, this.expiration, this.request.settings, this.times);
		return this.#lifetime;
	}

	/** The tags that the response is stored with, except for those of the settings. The tags of an update are added to those of the stored response, of which none is removed. */
	get tags(): readonly string[] {
		const {response, sent, isAboutStoredGet} = this;
		const further = isAboutStoredGet ? sent.stored!.tags : sent.tags;
		return further === undefined ? response.tags : [...response.tags, ...further];
	}

	/** Whether the response to a HEAD confirms or outdates the stored response to a GET. Without `cacheControl`, its headers do neither. */
	get isAboutStoredGet(): boolean {
		const {request: {request, settings}, response, sent: {stored}} = this;
		return settings.cacheControl && request.method === 'HEAD' && response.statusCode === 200 && stored?.method === 'GET' && stored.statusCode === 200;
	}

	/** The terms on which the response is stored. */
	get terms(): StorageTerms {
		const {request: {settings}, response, lifetime: times} = this;
		return {
			...times,
			excludedFields: settings.cacheControl ? response.directives.noCacheFields : [],
			vary: response.vary === '*' ? [] : response.vary,
			...(settings.cacheControl && {facts: factsToStore(response, settings.cacheControlTargets)}),
		};
	}

	/** What to serve from the stored response if this response is an error; `undefined` if it may not be used. */
	get fallback(): View | undefined {
		return fallbackFor(this.request, this.sent.stored, this.times.received);
	}

	/** The facts of the stored response after an update by this response, a 304 or the response to a HEAD (RFC 9111 §3.2). */
	get merged(): ReceivedFacts {
		this.#merged ??= this.#merge();
		return this.#merged;
	}

	#merge(): ReceivedFacts {
		const {request, response: {fields, received}, sent, times} = this;
		const {statusCode, fields: {date: _date, age: _age, ...kept}} = sent.stored!;
		const response = new ResponseFacts({statusCode, fields: {...kept, ...fields}}, request.settings.cacheControlTargets, received);
		return new ReceivedFacts(request, response, {...sent, tags: sent.stored!.tags}, times);
	}
}

/** Whether a response that must not be stored outdates the stored one, which is then deleted (RFC 9111 §4). A temporary error outdates nothing. Without `cacheControl`, the response to a HEAD does not outdate that to a GET. */
export function outdates({request: {method}, settings: {cacheControl}}: RequestFacts, statusCode: number, stored: Pick<StoredHead, 'method'> | undefined): boolean {
	return stored !== undefined && !isTemporaryStatus(statusCode) && (cacheControl || method !== 'HEAD' || stored.method === 'HEAD');
}

/** How the request was sent. */
export type Sent = {
	/** The stored response that was found before the request was sent. */
	readonly stored: StoredHead | undefined;

	/** Whether the validators of the stored response were added. */
	readonly conditional: boolean;

	/** Whether the response may only be stored for a GET of the same target. */
	readonly storeAs?: 'GET' | undefined;

	/** Whether the request has already been resent. */
	readonly isResent?: boolean;

	/** Whether Got has retries left, and stale responses are served only after the last one. */
	readonly retries?: boolean;

	/** Whether a header of the response contains a credential, or a URL with one. */
	readonly exposesCredential?: boolean;

	/** Tags of the response beside those in its headers. */
	readonly tags?: readonly string[] | undefined;
};

/** Returns what to serve from a stored response instead of an error; `undefined` if it may not be used. */
export function fallbackFor(request: RequestFacts, stored: StoredHead | undefined, now: number): View | undefined {
	return stored !== undefined && isUsableOnError(stored, originFacts(stored, request.settings), request, now) ? viewFor(request, stored) : undefined;
}

/** A row of a rule table. The first row whose condition holds decides, and its reason explains the decision. */
export type Rule<Facts, Decision> = {
	readonly reason: Reason;

	/** The source of the rule: a section of an RFC, or a setting. */
	readonly section: string;
	readonly when: (facts: Facts) => boolean;
	readonly then: (facts: Facts, reason: Reason) => Decision;
};

/** A rule that was evaluated, and whether it held. */
export type EvaluatedRule = {
	/** The reason that the rule gives. */
	readonly reason: Reason;

	/** The source of the rule: a section of an RFC, or a setting. */
	readonly section: string;

	/** Whether its condition held. */
	readonly held: boolean;
};

/**
Returns the decision of the first row that holds.

@param evaluated - Receives each rule that was evaluated, in order.
*/
export function decide<Facts, Decision>(rules: ReadonlyArray<Rule<Facts, Decision>>, facts: Facts, evaluated?: EvaluatedRule[]): Decision {
	const rule = rules.find(({reason, section, when}) => {
		const held = when(facts);
		evaluated?.push({reason, section, held});
		return held;
	});
	if (rule === undefined) {
		throw new Error('No rule holds. The last row of a table must always hold.');
	}

	return rule.then(facts, rule.reason);
}

/** The condition of the last row of a table. */
export function always(): boolean {
	return true;
}

/** Returns the facts by which the origin limits the use of a stored response; none without `cacheControl`. */
export function originFacts(stored: StoredHead, settings: Pick<PolicySettings, 'cacheControl' | 'cacheControlTargets'>): StoredFacts {
	return settings.cacheControl ? storedFacts(stored, settings) : noFacts;
}

const noFacts: StoredFacts = {};
