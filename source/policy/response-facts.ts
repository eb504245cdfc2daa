import {parseHttpDate} from './dates.ts';
import {
	deltaMilliseconds,
	parseDirectives,
	qualifiedFields,
	type Directives,
} from './directives.ts';
import {fieldLines, fieldValue, type Fields} from './fields.ts';
import {tagsOf} from './tags.ts';
import {targetedDirectives} from './targeted-fields.ts';
import type {ResponseHead} from './types.ts';
import {nominatedFields} from './vary.ts';

/**
What the origin says with a response: the first targeted field (RFC 9213), else `Cache-Control` (RFC 9111 §5.2.2). Periods are in milliseconds; one that is broken is 0.
*/
export type ResponseDirectives = {
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

	/** Whether a targeted field says it, so that `Expires` does not count. */
	readonly isTargeted: boolean;
};

/** What was looked for, which may not be there. */
type Optional<Value> = {readonly value: Value | undefined};

/**
What is known of a response: each of its fields is parsed once, when a rule first asks.
*/
export class ResponseFacts {
	readonly statusCode: number;
	readonly fields: Fields;

	/** When it came, in milliseconds since the epoch. */
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

	/** When it was made, by its `Date`, in milliseconds since the epoch. */
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

	What is broken or contradicts itself is stale.
	*/
	get explicitLifetime(): number | undefined {
		this.#explicitLifetime ??= {value: this.#makeExplicitLifetime()};
		return this.#explicitLifetime.value;
	}

	/** The request fields that it varies by (RFC 9110 §12.5.5); `'*'` where no other request can be known to match it. */
	get vary(): readonly string[] | '*' {
		this.#vary ??= nominatedFields(this.fields);
		return this.#vary;
	}

	/** The tags that it names itself. */
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

function directivesOf(fields: Fields, targets: readonly string[]): ResponseDirectives {
	const targeted = targets.length === 0 ? undefined : targetedDirectives(fields, targets);
	const directives: Directives = targeted ?? parseDirectives(fieldValue(fields, 'cache-control'));
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
