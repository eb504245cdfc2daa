import {describe, SettingError, unknownOption} from '../errors.ts';
import type {DescribedRequest} from '../identity/sent-request.ts';
import {timeBefore} from '../entry/cached-response.ts';
import type {StoredResponse} from '../entry/stored-response.ts';
import type {ExpirationTime} from '../policy/expiration.ts';
import {
	compileUrlPattern,
	isUrlPattern,
	type UrlMatcher,
	type UrlPattern,
} from '../policy/url-patterns.ts';

/**
Selects the entries that match any criterion, as in requests-cache. A criterion that is absent selects nothing.

Where entries are listed or counted, `valid: false` excludes fresh entries and `expired: false` excludes expired ones, whatever the other criteria select; without other criteria, all other entries are selected. For `delete` and `expire`, `false` means the same as absent.
*/
export type Criteria = {
	/** Keys, as `cacheInfo(response).key` and `cacheKey` give them. */
	readonly keys?: readonly string[] | undefined;

	/** Selects the responses to a GET or a HEAD without credentials of these URLs, as the origin sees them. */
	readonly urls?: ReadonlyArray<string | URL> | undefined;

	/** Selects the responses to these requests. Give the headers that are part of the key, including credentials and a `Host` other than that of the URL. */
	readonly requests?: readonly DescribedRequest[] | undefined;

	/** Selects all entries whose URL matches, of all users and methods: globs, `RegExp`s or `URLPattern`s, as in `urlsExpireAfter`. */
	readonly patterns?: readonly UrlPattern[] | undefined;

	/** Selects the entries that have one of these tags. */
	readonly tags?: readonly string[] | undefined;

	/** Selects fresh entries. */
	readonly valid?: boolean | undefined;

	/** Selects expired entries. */
	readonly expired?: boolean | undefined;

	/** Selects entries that cannot be read, and entries that no request finds any more: they were deleted by a tag, or are variants of a deleted entry. */
	readonly invalid?: boolean | undefined;

	/** Selects entries that were received (or validated) before this moment, or longer ago than this time. */
	readonly olderThan?: ExpirationTime | undefined;
};

/** Criteria, parsed. */
export type Selection = {
	/** The keys of `keys`, `urls` and `requests`. */
	readonly keys: ReadonlySet<string>;
	readonly tags: ReadonlySet<string>;
	readonly patterns: readonly UrlMatcher[];
	readonly valid: boolean;
	readonly expired: boolean;
	readonly invalid: boolean;

	/** Whether fresh entries are excluded, whatever else is given. */
	readonly withoutValid: boolean;
	readonly withoutExpired: boolean;

	/** Milliseconds since the epoch. */
	readonly olderThan: number | undefined;

	/** Whether no criterion was given, or only `false`. */
	readonly isEmpty: boolean;
};

/** A request that a user names: by the URL that the origin sees, or as it is sent. */
export type NamedRequest = {
	readonly request: DescribedRequest;
	readonly isByUrl: boolean;
};

const names: ReadonlySet<string> = new Set(['keys', 'urls', 'requests', 'patterns', 'tags', 'valid', 'expired', 'invalid', 'olderThan']);

/**
Checks and parses criteria.

@param keysOf - Returns the keys of the entries that answer some requests.
@throws {TypeError} Where one of them is unknown or wrong: the message names it.
*/
export async function parseCriteria(criteria: Criteria, keysOf: (requests: readonly NamedRequest[]) => Promise<readonly string[]>, now: number): Promise<Selection> {
	checkNames(criteria, 'criteria', names);
	const keys = [
		...list(criteria, 'keys', 'a key', isText),
		...await keysOf([
			...list(criteria, 'urls', 'a URL', isUrl).flatMap(url => [{url}, {url, method: 'HEAD'}]).map(request => ({request, isByUrl: true})),
			...list(criteria, 'requests', 'an object with a `url`', isRequest).map(request => ({request, isByUrl: false})),
		]),
	];
	return {
		keys: new Set(keys),
		tags: new Set(list(criteria, 'tags', 'a tag: a string that is not empty', isText)),
		patterns: list(criteria, 'patterns', 'a glob, a RegExp or a URLPattern', isUrlPattern).map(pattern => compileUrlPattern(pattern)),
		valid: flag(criteria, 'valid'),
		expired: flag(criteria, 'expired'),
		invalid: flag(criteria, 'invalid'),
		withoutValid: criteria.valid === false,
		withoutExpired: criteria.expired === false,
		olderThan: momentOf(criteria.olderThan, now),
		isEmpty: Object.values(criteria).every(value => value === undefined || value === false),
	};
}

/** Returns a selection for listing: all entries where nothing is given but exclusions. */
export function forListing(selection: Selection): Selection {
	const {keys, tags, patterns, valid, expired, invalid, olderThan, withoutValid, withoutExpired} = selection;
	const isGiven = keys.size + tags.size + patterns.length > 0 || valid || expired || olderThan !== undefined;
	return isGiven || (invalid && !withoutValid && !withoutExpired) ? selection : {...selection, valid: true, expired: true};
}

/** Returns a selection for changes, which has no exclusions. */
export function forChanges(selection: Selection): Selection {
	return {...selection, withoutValid: false, withoutExpired: false};
}

/** Whether nothing but keys is given. */
export function isByKey({keys, tags, patterns, valid, expired, invalid, olderThan, withoutValid, withoutExpired}: Selection): boolean {
	return keys.size > 0 && tags.size === 0 && patterns.length === 0 && !valid && !expired && !invalid && olderThan === undefined && !withoutValid && !withoutExpired;
}

/** Whether an entry is selected. */
export function isSelected(selection: Selection, key: string, stored: StoredResponse, now: number): boolean {
	const isValid = isFresh(stored, now);
	if (isValid ? selection.withoutValid : selection.withoutExpired) {
		return false;
	}

	return (isValid ? selection.valid : selection.expired)
		|| (selection.olderThan !== undefined && stored.createdAt < selection.olderThan)
		|| selection.keys.has(key)
		|| stored.tags?.some(tag => selection.tags.has(tag)) === true
		|| selection.patterns.some(matches => matches(stored.url));
}

export function isFresh({expires}: StoredResponse, now: number): boolean {
	return expires === undefined || expires > now;
}

/**
Checks that all members of an object of options are known.

@throws {TypeError} Where one is not: the message names it, and the known ones.
*/
export function checkNames(options: unknown, path: string, known: ReadonlySet<string>): void {
	const all = `\`${[...known].join('`, `')}\``;
	if (typeof options !== 'object' || options === null || Array.isArray(options)) {
		throw new SettingError(path, options, `an object of ${all}`);
	}

	const unknown = Object.keys(options).find(name => !known.has(name));
	if (unknown !== undefined) {
		throw unknownOption(path, unknown, known);
	}
}

function list<Item>(criteria: Criteria, name: 'keys' | 'urls' | 'requests' | 'patterns' | 'tags', allowed: string, isItem: (item: unknown) => item is Item): Item[] {
	const items: unknown = criteria[name] ?? [];
	if (!Array.isArray(items)) {
		throw new SettingError(`criteria.${name}`, items, `an array, each item ${allowed}`);
	}

	const wrong = items.findIndex(item => !isItem(item));
	if (wrong !== -1) {
		throw new SettingError(`criteria.${name}[${wrong}]`, items[wrong], allowed);
	}

	return items as Item[];
}

function flag(criteria: Criteria, name: 'valid' | 'expired' | 'invalid'): boolean {
	const value: unknown = criteria[name] ?? false;
	if (typeof value !== 'boolean') {
		throw new SettingError(`criteria.${name}`, value, 'a boolean');
	}

	return value;
}

function momentOf(time: ExpirationTime | undefined, now: number): number | undefined {
	try {
		return time === undefined ? undefined : timeBefore(time, now);
	} catch {
		throw new SettingError('criteria.olderThan', time, 'a moment (a Date) or a length of time (seconds, `\'5m\'`, `{minutes: 5}`)');
	}
}

function isText(value: unknown): value is string {
	return typeof value === 'string' && value !== '';
}

/**
Checks a request that a user names.

@throws {TypeError} Where it is none.
*/
export function checkedRequest(request: unknown): DescribedRequest {
	if (!isRequest(request)) {
		throw new TypeError(`Expected \`request\` to be an object with a valid \`url\`, and optionally \`method\`, \`headers\` and \`body\`, got ${describe(request)}`);
	}

	return request;
}

function isRequest(value: unknown): value is DescribedRequest {
	const {url, method, headers, body} = new Object(value) as Partial<Record<keyof DescribedRequest, unknown>>;
	return isUrl(url)
		&& (method === undefined || isText(method))
		&& (headers === undefined || (typeof headers === 'object' && headers !== null))
		&& (body === undefined || typeof body === 'string' || body instanceof Uint8Array);
}

function isUrl(value: unknown): value is string | URL {
	return value instanceof URL || (typeof value === 'string' && URL.canParse(value));
}
