import {describedRequest, type DescribedRequest, type SentRequest} from '../identity/sent-request.ts';
import {
	boolean,
	listOf,
	parseOptions,
	text,
	type Parsers,
} from '../parse.ts';
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
	readonly request: SentRequest;
	readonly isByUrl: boolean;
};

const criteriaParsers: Parsers<Omit<Criteria, 'urls' | 'requests'> & {readonly urls?: readonly NamedRequest[]; readonly requests?: readonly NamedRequest[]}> = {
	keys: listOf('a key', text.parse),
	urls: listOf('a URL', (url, path) => isUrl(url) ? {request: describedRequest({url}, path), isByUrl: true} : undefined),
	requests: listOf('an object with a `url`', (request, path) => ({request: describedRequest(request, path), isByUrl: false})),
	patterns: listOf('a glob, a RegExp or a URLPattern', pattern => isUrlPattern(pattern) ? pattern : undefined),
	tags: listOf('a tag, which is a string that is not empty', text.parse),
	valid: boolean,
	expired: boolean,
	invalid: boolean,
	olderThan: {
		allowed: 'a moment (a Date) or a length of time (seconds, `\'5m\'`, `{minutes: 5}`)',
		parse: value => timeBefore(value, 0) === undefined ? undefined : value as ExpirationTime,
	},
};

/**
Checks and parses criteria.

@param keysOf - Returns the keys of the entries that answer some requests.
@throws {SettingError} When a criterion is unknown or wrong.
*/
export async function parseCriteria(criteria: unknown, keysOf: (requests: readonly NamedRequest[]) => Promise<readonly string[]>, now: number): Promise<Selection> {
	const {keys = [], urls = [], requests = [], patterns = [], tags = [], valid, expired, invalid, olderThan} = parseOptions(criteriaParsers, criteria, 'criteria');
	const named = [...urls.flatMap(byUrl => [byUrl, {...byUrl, request: {...byUrl.request, method: 'HEAD'}}]), ...requests];
	return {
		keys: new Set([...keys, ...await keysOf(named)]),
		tags: new Set(tags),
		patterns: patterns.map(pattern => compileUrlPattern(pattern)),
		valid: valid === true,
		expired: expired === true,
		invalid: invalid === true,
		withoutValid: valid === false,
		withoutExpired: expired === false,
		olderThan: olderThan === undefined ? undefined : timeBefore(olderThan, now),
		isEmpty: Object.values(criteria as object).every(value => value === undefined || value === false),
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

function isUrl(value: unknown): value is string | URL {
	return value instanceof URL || (typeof value === 'string' && URL.canParse(value));
}
