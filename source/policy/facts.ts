import {deltaMilliseconds, requestDirectives, type CacheDirectives} from './directives.ts';
import type {Expiration} from './expiration.ts';
import type {Fields} from './fields.ts';
import {resolveExpiration} from './freshness.ts';
import {selectRange} from './ranges.ts';
import type {Reason} from './reasons.ts';
import {ResponseFacts} from './response-facts.ts';
import type {
	PolicySettings,
	RequestHead,
	StoredHead,
	View,
} from './types.ts';
import {evaluatePrecondition} from './validators.ts';

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
What the rules know of a stored response, so that a hit parses no header. The facts are plain data that is stored with the response; a fact that does not hold is left out.

The facts come from the headers alone, whoever decides how long the response is fresh.
*/
export type StoredFacts = {
	/** The response may not be used without validation (RFC 9111 §5.2.2.4). */
	readonly noCache?: true;

	/** The response may not be used without validation once it is stale (RFC 9111 §5.2.2.2). */
	readonly mustRevalidate?: true;

	/** The response does not change while it is fresh (RFC 8246). */
	readonly immutable?: true;

	/** How long the response may stand in for an error after it expired, in milliseconds (RFC 5861 §4). */
	readonly staleIfError?: number;

	/** How long the response may be served while it is revalidated after it expired, in milliseconds (RFC 5861 §3). */
	readonly staleWhileRevalidate?: number;

	/** When the resource was last changed, by `Last-Modified`, in milliseconds since the epoch. */
	readonly lastModified?: number;

	/** The `Last-Modified` of the response is no strong validator (RFC 9110 §8.8.2.2). */
	readonly isDateWeak?: true;

	/** The targeted fields (RFC 9213) of the response, of those that the settings name, in the order of the settings. */
	readonly targets?: readonly string[];
};

/**
The facts of a response, to be stored with it.

@param targets - The settings' targeted fields.
*/
export function factsToStore(response: ResponseFacts, targets: readonly string[]): StoredFacts {
	const {fields, directives, lastModified} = response;
	const {noCache, mustRevalidate, immutable, staleIfError, staleWhileRevalidate} = directives;
	const present = targetsOf(fields, targets);
	return {
		...(noCache && {noCache}),
		...(mustRevalidate && {mustRevalidate}),
		...(immutable && {immutable}),
		...(staleIfError !== undefined && {staleIfError}),
		...(staleWhileRevalidate !== undefined && {staleWhileRevalidate}),
		...(lastModified !== undefined && {lastModified}),
		...(isDateWeak(response) && {isDateWeak: true}),
		...(present.length > 0 && {targets: present}),
	};
}

/** A date is a strong validator where it is a second or more before the response was made. */
function isDateWeak({lastModified, date}: ResponseFacts): boolean {
	return lastModified !== undefined && (date === undefined || lastModified + 1000 > date);
}

/**
The facts of a stored response: those that are stored with it. Where there are none, or where they are of other targeted fields, they are made when they are first asked for.
*/
export function storedFacts(stored: StoredHead, {cacheControlTargets: targets}: Pick<PolicySettings, 'cacheControlTargets'>): StoredFacts {
	const {facts: own, fields} = stored;
	if (own !== undefined && haveTargets(own, fields, targets)) {
		return own;
	}

	const known = factsByFields.get(fields);
	if (known !== undefined && haveTargets(known, fields, targets)) {
		return known;
	}

	const facts = factsToStore(new ResponseFacts(stored, targets, stored.createdAt), targets);
	factsByFields.set(fields, facts);
	return facts;
}

/** The facts of stored responses that have none with them, or have those of other targeted fields. */
const factsByFields = new WeakMap<Fields, StoredFacts>();

/** The facts by which the origin limits the use of a stored response; none without `cacheControl`, where the headers do not count. */
export function originFacts(stored: StoredHead, settings: Pick<PolicySettings, 'cacheControl' | 'cacheControlTargets'>): StoredFacts {
	return settings.cacheControl ? storedFacts(stored, settings) : noFacts;
}

const noFacts: StoredFacts = {};

function haveTargets({targets: known = noTargets}: StoredFacts, fields: Fields, targets: readonly string[]): boolean {
	const present = targetsOf(fields, targets);
	return present.length === known.length && present.every((name, index) => name === known[index]);
}

const noTargets: readonly string[] = [];

function targetsOf(fields: Fields, targets: readonly string[]): readonly string[] {
	return targets.length === 0 ? noTargets : targets.filter(name => Object.hasOwn(fields, name) && fields[name] !== undefined);
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
