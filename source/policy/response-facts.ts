import {
	deltaMilliseconds,
	type CacheDirectives,
	parseDirectives,
	qualifiedFields,
	targetedDirectives,
} from './directives.ts';
import {parseHttpDate} from './expiration.ts';
import {
	type Fields,
	fieldLines,
	fieldValue,
	nominatedFields,
	tagsOf,
	trimSpace,
} from './fields.ts';
import type {PolicySettings, StoredHead, ResponseHead} from './types.ts';

// RFC 9110 §15.4. A 300 offers a choice, and a 304 answers a condition.
const redirectCodes = new Set([301, 302, 303, 307, 308]);

/** Whether a response is a redirect with a `Location`. */
export function isRedirect({statusCode, fields}: ResponseFacts): boolean {
	return redirectCodes.has(statusCode) && fields.location !== undefined;
}

/** Whether the origin, or a proxy, rejects the credentials of a request (RFC 9110 §15.5.2, §15.5.8). */
export function rejectsCredentials(statusCode: number): boolean {
	return statusCode === 401 || statusCode === 407;
}

/** Whether the length of a body that ended without an error is that of its `Content-Length` (RFC 9112 §8, RFC 9110 §8.6). A longer body is never complete. */
export function isComplete(method: string, {statusCode, fields}: ResponseHead, byteLength: number): boolean {
	const length = contentLength(fields);
	if (length === undefined) {
		return true;
	}

	const mayBeLess = method === 'HEAD' || fields['transfer-encoding'] !== undefined || statusesWithoutContent.has(statusCode);
	return mayBeLess ? !(byteLength > length) : byteLength === length;
}

/** Returns the value of `Content-Length`: `NaN` if it is invalid, `undefined` if it is absent. */
export function contentLength(fields: Fields): number | undefined {
	const value = fieldValue(fields, 'content-length');
	if (value === undefined) {
		return undefined;
	}

	const text = trimSpace(value);
	return /^\d+$/v.test(text) ? Number(text) : NaN;
}

const statusesWithoutContent = new Set([204, 205, 304]);

/** Removes the fragment of a URL, which is not sent. */
export function withoutFragment(url: string | URL): string {
	const target = new URL(url);
	target.hash = '';
	return target.href;
}

/** The value of a fact that may be `undefined`, before it is derived. */
const notDerived: unique symbol = Symbol('not derived');

/** The facts of a response that the rules use. Each of its fields is parsed once, when a rule first needs it. */
export class ResponseFacts {
	readonly statusCode: number;
	readonly fields: Fields;

	/** When the response was received, in milliseconds since the epoch. */
	readonly received: number;

	/** The names of the targeted fields that override `Cache-Control`. */
	readonly #targets: readonly string[];

	#directives: ResponseDirectives | undefined;
	#date: number | undefined | typeof notDerived = notDerived;
	#lastModified: number | undefined | typeof notDerived = notDerived;
	#explicitLifetime: number | undefined | typeof notDerived = notDerived;
	#vary: readonly string[] | '*' | undefined;
	#tags: readonly string[] | undefined;

	constructor({statusCode, fields}: ResponseHead, targets: readonly string[], received: number) {
		this.statusCode = statusCode;
		this.fields = fields;
		this.received = received;
		this.#targets = targets;
	}

	get directives(): ResponseDirectives {
		this.#directives ??= directivesOf(this.fields, this.#targets);
		return this.#directives;
	}

	/** When the origin generated the response, by its `Date`, in milliseconds since the epoch. */
	get date(): number | undefined {
		if (this.#date === notDerived) {
			this.#date = parseHttpDate(fieldValue(this.fields, 'date'), this.received);
		}

		return this.#date;
	}

	get lastModified(): number | undefined {
		if (this.#lastModified === notDerived) {
			this.#lastModified = parseHttpDate(fieldValue(this.fields, 'last-modified'), this.received);
		}

		return this.#lastModified;
	}

	/** The explicit freshness lifetime in milliseconds (RFC 9111 §4.2.1). A lifetime that is invalid, or given twice with different values, is 0. */
	get explicitLifetime(): number | undefined {
		if (this.#explicitLifetime === notDerived) {
			this.#explicitLifetime = this.#deriveExplicitLifetime();
		}

		return this.#explicitLifetime;
	}

	/** The request fields that the response varies by (RFC 9110 §12.5.5); `'*'` if no other request matches it. */
	get vary(): readonly string[] | '*' {
		this.#vary ??= nominatedFields(this.fields);
		return this.#vary;
	}

	/** The tags in the headers of the response. */
	get tags(): readonly string[] {
		this.#tags ??= tagsOf(this.fields);
		return this.#tags;
	}

	#deriveExplicitLifetime(): number | undefined {
		const {maximumAge, isTargeted} = this.directives;
		if (maximumAge !== undefined || isTargeted) {
			return maximumAge;
		}

		const lines = new Set(fieldLines(this.fields, 'expires'));
		if (lines.size === 0) {
			return undefined;
		}

		const expires = lines.size === 1 ? parseHttpDate(lines.values().next().value, this.received) : undefined;
		return expires === undefined ? 0 : Math.max(0, expires - (this.date ?? this.received));
	}
}

/** The directives of a response: those of the first targeted field (RFC 9213), else of `Cache-Control` (RFC 9111 §5.2.2). Periods are in milliseconds; an invalid one is 0. */
type ResponseDirectives = {
	readonly noStore: boolean;
	readonly mustUnderstand: boolean;
	readonly mustRevalidate: boolean;
	readonly immutable: boolean;
	readonly isPublic: boolean;
	readonly isPrivate: boolean;

	/** `no-cache` for the whole response. */
	readonly noCache: boolean;

	/** The fields that `no-cache` is limited to. They are not stored. */
	readonly noCacheFields: readonly string[];
	readonly maximumAge: number | undefined;
	readonly staleIfError: number | undefined;
	readonly staleWhileRevalidate: number | undefined;

	/** Whether the directives are those of a targeted field: then `Expires` does not count. */
	readonly isTargeted: boolean;
};

function directivesOf(fields: Fields, targets: readonly string[]): ResponseDirectives {
	const targeted = targets.length === 0 ? undefined : targetedDirectives(fields, targets);
	const directives: CacheDirectives = targeted ?? parseDirectives(fieldValue(fields, 'cache-control'));
	const noCacheFields = qualifiedFields(directives, 'no-cache');
	return {
		noStore: directives.has('no-store'),
		mustUnderstand: directives.has('must-understand'),
		mustRevalidate: directives.has('must-revalidate'),
		immutable: directives.has('immutable'),
		isPublic: directives.has('public'),
		isPrivate: directives.has('private'),
		noCache: noCacheFields?.length === 0,
		noCacheFields: noCacheFields ?? [],
		maximumAge: deltaMilliseconds(directives, 'max-age', 0),
		staleIfError: deltaMilliseconds(directives, 'stale-if-error', 0),
		staleWhileRevalidate: deltaMilliseconds(directives, 'stale-while-revalidate', 0),
		isTargeted: targeted !== undefined,
	};
}

/** The facts that a hit needs from the headers of a stored response. They are stored with it as plain data, so that a hit parses no header. A fact that is false is left out. */
export type StoredFacts = {
	/** The response may not be used without validation (RFC 9111 §5.2.2.4). */
	readonly noCache?: true;

	/** The response may not be used without validation once it is stale (RFC 9111 §5.2.2.2). */
	readonly mustRevalidate?: true;

	/** The response does not change while it is fresh (RFC 8246). */
	readonly immutable?: true;

	/** How long after its expiration the response may be served instead of an error, in milliseconds (RFC 5861 §4). */
	readonly staleIfError?: number;

	/** How long after its expiration the response may be served while it is revalidated, in milliseconds (RFC 5861 §3). */
	readonly staleWhileRevalidate?: number;

	/** The `Last-Modified` of the response, in milliseconds since the epoch. */
	readonly lastModified?: number;

	/** The `Last-Modified` of the response is a weak validator (RFC 9110 §8.8.2.2). */
	readonly isDateWeak?: true;

	/** The targeted fields of the settings that the response has (RFC 9213), in the order of the settings. */
	readonly targets?: readonly string[];
};

/**
Makes the facts that are stored with a response.

@param targets - The targeted fields of the settings.
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

/** A `Last-Modified` is a strong validator if it is at least one second before `Date`. */
function isDateWeak({lastModified, date}: ResponseFacts): boolean {
	return lastModified !== undefined && (date === undefined || lastModified + 1000 > date);
}

/** Returns the facts of a stored response. They are made anew if none are stored, or if the settings named other targeted fields then. */
export function storedFacts(stored: StoredHead, {cacheControlTargets: targets}: Pick<PolicySettings, 'cacheControlTargets'>): StoredFacts {
	const {facts: own, fields} = stored;
	return own !== undefined && haveTargets(own, fields, targets) ? own : factsToStore(new ResponseFacts(stored, targets, stored.createdAt), targets);
}

function haveTargets({targets: known = noTargets}: StoredFacts, fields: Fields, targets: readonly string[]): boolean {
	const present = targetsOf(fields, targets);
	return present.length === known.length && present.every((name, index) => name === known[index]);
}

const noTargets: readonly string[] = [];

function targetsOf(fields: Fields, targets: readonly string[]): readonly string[] {
	return targets.length === 0 ? noTargets : targets.filter(name => Object.hasOwn(fields, name) && fields[name] !== undefined);
}
