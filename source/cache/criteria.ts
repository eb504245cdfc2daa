import {describe, SettingError, unknownOption} from '../errors.ts';
import type {DescribedRequest} from '../identity/sent-request.ts';
import {earliest} from '../entry/cached-response.ts';
import type {StoredResponse} from '../entry/stored-response.ts';
import type {ExpirationTime} from '../policy/expiration.ts';
import {
	compileUrlPattern,
	isUrlPattern,
	type UrlMatcher,
	type UrlPattern,
} from '../policy/url-patterns.ts';

/**
What is meant of what is stored: everything for which any of the criteria holds, as in requests-cache. What is not given counts for nothing.

Where entries are listed or counted, `valid: false` and `expired: false` leave out what is fresh or has expired, whatever else is given; without other criteria, that is everything else. `delete` and `expire` take `false` for not given.
*/
export type Criteria = {
	/** Keys, as `cacheInfo(response).key` and `cacheKey` give them. */
	readonly keys?: readonly string[] | undefined;

	/** The URLs, as the origin sees them, of what answers a GET or a HEAD without credentials. */
	readonly urls?: ReadonlyArray<string | URL> | undefined;

	/** What answers these: give the headers that are part of the key, credentials and a `Host` of its own among them. */
	readonly requests?: readonly DescribedRequest[] | undefined;

	/** Everything whose URL matches, for whomever and by whatever method: globs, `RegExp`s or `URLPattern`s, as in `urlsExpireAfter`. */
	readonly patterns?: readonly UrlPattern[] | undefined;

	/** Everything that has one of these tags. */
	readonly tags?: readonly string[] | undefined;

	/** What is fresh. */
	readonly valid?: boolean | undefined;

	/** What has expired. */
	readonly expired?: boolean | undefined;

	/** What cannot be read, and what nobody finds any more: it was deleted by a tag, or is a variant of what is gone. */
	readonly invalid?: boolean | undefined;

	/** What was received (or validated) before a moment, or longer ago than a time. */
	readonly olderThan?: ExpirationTime | undefined;
};

/** Criteria understood. */
export type Selection = {
	/** Those of `keys`, `urls` and `requests`. */
	readonly keys: ReadonlySet<string>;
	readonly tags: ReadonlySet<string>;
	readonly patterns: readonly UrlMatcher[];
	readonly valid: boolean;
	readonly expired: boolean;
	readonly invalid: boolean;

	/** Whether fresh entries are left out, whatever else is given. */
	readonly withoutValid: boolean;
	readonly withoutExpired: boolean;

	/** Milliseconds since the epoch. */
	readonly olderThan: number | undefined;

	/** Whether nothing was given, but `false`. */
	readonly isEmpty: boolean;
};

/** The keys of what answers some requests, of which some are given by the URL that the origin sees. */
type KeysOf = (asked: ReadonlyArray<{readonly request: DescribedRequest; readonly isByUrl: boolean}>) => Promise<readonly string[]>;

const names: ReadonlySet<string> = new Set(['keys', 'urls', 'requests', 'patterns', 'tags', 'valid', 'expired', 'invalid', 'olderThan']);

/**
The criteria, checked and understood.

@throws {TypeError} Where one of them is unknown or wrong: it names which.
*/
export async function understand(criteria: Criteria, keysOf: KeysOf, now: number): Promise<Selection> {
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

/** For listing: everything where nothing was given but what is left out. */
export function asListed(selection: Selection): Selection {
	const {keys, tags, patterns, valid, expired, invalid, olderThan, withoutValid, withoutExpired} = selection;
	const isGiven = keys.size + tags.size + patterns.length > 0 || valid || expired || olderThan !== undefined;
	return isGiven || (invalid && !withoutValid && !withoutExpired) ? selection : {...selection, valid: true, expired: true};
}

/** For changing: `false` is not given. */
export function asChanged(selection: Selection): Selection {
	return {...selection, withoutValid: false, withoutExpired: false};
}

/**
Checks that all members of an object of options are known.

@throws {TypeError} Where one is not: it names which, and what there is.
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

/** Whether an entry is among those that are meant. */
export function isMeant(selection: Selection, key: string, stored: StoredResponse, now: number): boolean {
	const isExpired = stored.expires !== undefined && stored.expires <= now;
	if (isExpired ? selection.withoutExpired : selection.withoutValid) {
		return false;
	}

	return (isExpired ? selection.expired : selection.valid)
		|| (selection.olderThan !== undefined && stored.createdAt < selection.olderThan)
		|| selection.keys.has(key)
		|| stored.tags?.some(tag => selection.tags.has(tag)) === true
		|| selection.patterns.some(matches => matches(stored.url));
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
		return time === undefined ? undefined : earliest(time, now);
	} catch {
		throw new SettingError('criteria.olderThan', time, 'a moment (a Date) or a length of time (seconds, `\'5m\'`, `{minutes: 5}`)');
	}
}

function isText(value: unknown): value is string {
	return typeof value === 'string' && value !== '';
}

function isUrl(value: unknown): value is string | URL {
	return value instanceof URL || (typeof value === 'string' && URL.canParse(value));
}

/** Whether it names a request. */
function isRequest(value: unknown): value is DescribedRequest {
	const {url, method, headers, body} = new Object(value) as Partial<Record<keyof DescribedRequest, unknown>>;
	return isUrl(url)
		&& (method === undefined || isText(method))
		&& (headers === undefined || (typeof headers === 'object' && headers !== null))
		&& (body === undefined || typeof body === 'string' || body instanceof Uint8Array);
}

/**
A request that is named, checked.

@throws {TypeError} Where it is none.
*/
export function checkedRequest(request: unknown): DescribedRequest {
	if (!isRequest(request)) {
		throw new TypeError(`Expected \`request\` to be an object of a valid \`url\` and, if any, \`method\`, \`headers\` and \`body\`, got ${describe(request)}`);
	}

	return request;
}
