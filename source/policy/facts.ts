import {deltaMilliseconds, requestDirectives, type Directives} from './directives.ts';
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
What is known of a request, once, for all the rules.
*/
export type RequestFacts = {
	readonly request: RequestHead;
	readonly settings: PolicySettings;
	readonly directives: RequestDirectives;

	/** The user's word on how long the response is to be fresh. */
	readonly expiration: Expiration | undefined;

	/** Whether the settings let a response to it be stored and reused. */
	readonly isMethodAllowed: boolean;

	/** Whether nothing may be sent for it. */
	readonly isOnlyIfCached: boolean;

	/** Whether the origin is to be asked, whatever is stored. */
	readonly asksForRefresh: boolean;

	/** Whether it has a condition that only the origin can tell of (RFC 9111 §4.3.2). */
	readonly hasOriginPrecondition: boolean;

	/** Whether it asks for less than the whole response, by itself. */
	readonly isPartialOrConditional: boolean;

	/** Whether it may be made conditional, so that a 304 says something to the cache and nothing to the caller. */
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

// For others a tag that still matches is a precondition that fails (RFC 9110 §13.1.2).
const validatedMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'QUERY']);

function toRequestDirectives(directives: Directives): RequestDirectives {
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

/** Without an argument, it has no end. */
function withoutEnd(directives: Directives, name: string): number | undefined {
	return directives.get(name) === true ? Infinity : deltaMilliseconds(directives, name, 0);
}

const noDirectives: RequestDirectives = toRequestDirectives(new Map());

/**
Whether a request that is to be sent may be answered instead by what another gets that is on its way (RFC 9111 §4, “collapse requests”), and another by what it gets: not where it wants the origin's word for itself, nor where its answer would be for itself alone.

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
		// Who names one of them has said how old an answer may be.
		&& directives.maximumAge === undefined
		&& directives.minimumFresh === undefined;
}

/** Requests sent for these reasons would have been answered, had what the origin says been stored a moment earlier. */
const shareableReasons: ReadonlySet<Reason> = new Set(['miss', 'filtered', 'stale', 'must-revalidate']);

/** The method of the call of a decorated function: no HTTP request has it. */
export const callMethod = 'CALL';

// RFC 9110 §9.2.1, and RFC 10008 for QUERY. An unsafe request is to reach the origin, each one (RFC 9111 §4).
const collapsibleMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'QUERY', callMethod]);

/** Whether a status may be over for the next request that is sent: then those that wait are not all sent at once. Any other tells them that what comes is not for them. */
export function isOverSoon(statusCode: number): boolean {
	return statusCode >= 500 || statusCode === 408 || statusCode === 429;
}

/**
What the rules know of a stored response, so that nothing of it is parsed when it is used. Plain data, stored with it; what is not so is left out.

It is of the headers alone, whoever decides how long they are fresh.
*/
export type StoredFacts = {
	/** It may not be used without validation (RFC 9111 §5.2.2.4). */
	readonly noCache?: true;

	/** RFC 9111 §5.2.2.2. */
	readonly mustRevalidate?: true;

	/** RFC 8246. */
	readonly immutable?: true;

	/** RFC 5861 §4, in milliseconds. */
	readonly staleIfError?: number;

	/** RFC 5861 §3, in milliseconds. */
	readonly staleWhileRevalidate?: number;

	/** In milliseconds since the epoch. */
	readonly lastModified?: number;

	/** Its `Last-Modified` is no strong validator (RFC 9110 §8.8.2.2). */
	readonly isDateWeak?: true;

	/** The targeted fields (RFC 9213) that it has, of those that the settings name, in their order. */
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
The facts of a stored response: those that are stored with it. One that has none, or those of other targeted fields, gets them once, when it is first asked for.
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

/** Those of responses that are stored without, or with those of other targeted fields. */
const factsByFields = new WeakMap<Fields, StoredFacts>();

/** What the origin says of the use of a stored response; nothing where its word does not count. */
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

export function always(): boolean {
	return true;
}
