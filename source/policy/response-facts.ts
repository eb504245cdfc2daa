import {parseHttpDate} from './dates.ts';
import {
	deltaMilliseconds,
	parseDirectives,
	qualifiedFields,
	targetedDirectives,
	type CacheDirectives,
} from './directives.ts';
import type {Expiration} from './expiration.ts';
import {factsToStore, originFacts, type RequestFacts} from './facts.ts';
import {
	fieldLines,
	fieldValue,
	nominatedFields,
	tagsOf,
	type Fields,
} from './fields.ts';
import {
	isUsableOnError,
	lifetime,
	resolveExpiration,
	type Times,
} from './freshness.ts';
import type {
	Lifetime,
	ResponseHead,
	StorageTerms,
	StoredHead,
	View,
} from './types.ts';
import {viewFor} from './view.ts';

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

// RFC 9110 §15.4. A 300 offers a choice, and a 304 is an answer to a condition.
const redirectCodes = new Set([301, 302, 303, 307, 308]);

/** Whether a response is a redirect with a `Location`. */
export function isRedirect({statusCode, fields}: ResponseFacts): boolean {
	return redirectCodes.has(statusCode) && fields.location !== undefined;
}

/** What of a stored response may stand in for an error, or for no response; `undefined` where nothing may. */
export function standInFor(request: RequestFacts, stored: StoredHead | undefined, now: number): View | undefined {
	return stored !== undefined && isUsableOnError(stored, originFacts(stored, request.settings), request, now) ? viewFor(request, stored) : undefined;
}

const rejections: ReadonlySet<number> = new Set([401, 407]);

/** Whether the origin, or a proxy, rejects the credentials of a request (RFC 9110 §15.5.2, §15.5.8). */
export function rejectsCredentials(statusCode: number): boolean {
	return rejections.has(statusCode);
}

/**
What the rules know of a response. Each of its fields is parsed once, when a rule first asks.
*/
export class ResponseFacts {
	readonly statusCode: number;
	readonly fields: Fields;

	/** When the response came, in milliseconds since the epoch. */
	readonly received: number;

	/** The targeted fields that come before `Cache-Control`. */
	readonly #targets: readonly string[];
	#directives: ResponseDirectives | undefined;
	#date: Optional<number> | undefined;
	#lastModified: Optional<number> | undefined;
	#explicitLifetime: Optional<number> | undefined;
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

	/** When the origin made the response, by its `Date`, in milliseconds since the epoch. */
	get date(): number | undefined {
		this.#date ??= {value: this.#moment('date')};
		return this.#date.value;
	}

	get lastModified(): number | undefined {
		this.#lastModified ??= {value: this.#moment('last-modified')};
		return this.#lastModified.value;
	}

	/**
	The freshness lifetime in milliseconds that the origin gives (RFC 9111 §4.2.1); `undefined` where it gives none.

	A lifetime that is invalid, or stated twice with different values, is 0.
	*/
	get explicitLifetime(): number | undefined {
		this.#explicitLifetime ??= {value: this.#makeExplicitLifetime()};
		return this.#explicitLifetime.value;
	}

	/** The request fields that the response varies by (RFC 9110 §12.5.5); `'*'` where no other request can be known to match it. */
	get vary(): readonly string[] | '*' {
		this.#vary ??= nominatedFields(this.fields);
		return this.#vary;
	}

	/** The tags in the headers of the response. */
	get tags(): readonly string[] {
		this.#tags ??= tagsOf(this.fields);
		return this.#tags;
	}

	#moment(name: string): number | undefined {
		return parseHttpDate(fieldValue(this.fields, name), this.received);
	}

	#makeExplicitLifetime(): number | undefined {
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

/**
The directives of a response: of the first targeted field (RFC 9213), else of `Cache-Control` (RFC 9111 §5.2.2). Periods are in milliseconds; an invalid one is 0.
*/
type ResponseDirectives = {
	readonly noStore: boolean;
	readonly mustUnderstand: boolean;
	readonly mustRevalidate: boolean;
	readonly immutable: boolean;
	readonly isPublic: boolean;
	readonly isPrivate: boolean;

	/** `no-cache` for the whole response. */
	readonly noCache: boolean;

	/** The fields that `no-cache` is limited to. */
	readonly withheld: readonly string[];
	readonly maximumAge: number | undefined;
	readonly staleIfError: number | undefined;
	readonly staleWhileRevalidate: number | undefined;

	/** Whether the directives are those of a targeted field, so that `Expires` does not count. */
	readonly isTargeted: boolean;
};

/** A value that has been looked for, and may be absent. */
type Optional<Value> = {readonly value: Value | undefined};

function directivesOf(fields: Fields, targets: readonly string[]): ResponseDirectives {
	const targeted = targets.length === 0 ? undefined : targetedDirectives(fields, targets);
	const directives: CacheDirectives = targeted ?? parseDirectives(fieldValue(fields, 'cache-control'));
	const withheld = qualifiedFields(directives, 'no-cache');
	return {
		noStore: directives.has('no-store'),
		mustUnderstand: directives.has('must-understand'),
		mustRevalidate: directives.has('must-revalidate'),
		immutable: directives.has('immutable'),
		isPublic: directives.has('public'),
		isPrivate: directives.has('private'),
		noCache: withheld?.length === 0,
		withheld: withheld ?? [],
		maximumAge: deltaMilliseconds(directives, 'max-age', 0),
		staleIfError: deltaMilliseconds(directives, 'stale-if-error', 0),
		staleWhileRevalidate: deltaMilliseconds(directives, 'stale-while-revalidate', 0),
		isTargeted: targeted !== undefined,
	};
}
