import {SettingError} from '../errors.ts';
import {
	absoluteUrl,
	describedRequest,
	type DescribedRequest,
	type SentRequest,
} from '../identity/sent-request.ts';
import {
	boolean,
	functionOf,
	listOf,
	oneOf,
	parseInput,
	parseOptions,
	text,
	wholeNumber,
	type Parsers,
} from '../parse.ts';
import {timeBefore} from '../entry/cached-response.ts';
import type {StoredResponse} from '../entry/stored-response.ts';
import {warnOfPatterns} from '../settings/parsers.ts';
import type {ExpirationTime} from '../policy/expiration.ts';
import {
	compileUrlPattern,
	isUrlPattern,
	type UrlMatcher,
	type UrlPattern,
} from '../policy/url-patterns.ts';

/**
Selects the entries that match any criterion, as in requests-cache. Each criterion may be left out, and selects nothing then.

When entries are listed or counted, `valid: false` excludes fresh entries and `expired: false` excludes expired ones, whatever the other criteria select; without other criteria, all other entries are selected. For `delete` and `expire`, `false` means the same as absent.
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

	/** Selects entries that were received (or validated) before this moment, or longer ago than this time: seconds, or a duration. */
	readonly olderThan?: ExpirationTime | undefined;
};

/** Parsed criteria. */
export type Selection = {
	/** The keys of `keys`, `urls` and `requests`. */
	readonly keys: ReadonlySet<string>;
	readonly tags: ReadonlySet<string>;
	readonly patterns: readonly UrlMatcher[];

	/** Whether fresh entries are selected; `false` excludes them, whatever else is given. */
	readonly valid: boolean | undefined;

	/** The same for expired entries. */
	readonly expired: boolean | undefined;
	readonly invalid: boolean;

	/** Milliseconds since the epoch. */
	readonly olderThan: number | undefined;

	/** The names of the criteria that were given, except those that are `false`. */
	readonly given: readonly string[];
};

/** A request in criteria or a target: given by its URL alone, as the origin sees it, or as it is sent. */
export type NamedRequest = {
	readonly request: SentRequest;
	readonly isByUrl: boolean;
};

const criteriaParsers: Parsers<Omit<Criteria, 'urls' | 'requests'> & {readonly urls?: readonly NamedRequest[]; readonly requests?: readonly NamedRequest[]}> = {
	keys: listOf('a key', text.parse),
	urls: listOf('a URL', (url, path) => absoluteUrl.parse(url, path) === undefined ? undefined : {request: describedRequest({url}, path), isByUrl: true}),
	requests: listOf('an object with a `url`', (request, path) => ({request: describedRequest(request, path), isByUrl: false})),
	patterns: listOf('a glob, a RegExp or a URLPattern', pattern => isUrlPattern(pattern) ? pattern : undefined),
	tags: listOf('a tag, which is a string that is not empty', text.parse),
	valid: boolean,
	expired: boolean,
	invalid: boolean,
	olderThan: {
		allowed: 'a moment (a Date or an HTTP date) or a length of time (seconds, `\'5m\'`, `{minutes: 5}`)',
		parse: value => timeBefore(value, 0) === undefined ? undefined : value as ExpirationTime,
	},
};

/**
Checks and parses criteria.

@param findKeys - Returns the keys of the entries that answer some requests.
@throws {SettingError} If a criterion is unknown or invalid.
*/
export async function parseCriteria(criteria: unknown, findKeys: (requests: readonly NamedRequest[]) => Promise<readonly string[]>, now: number): Promise<Selection> {
	const {keys = [], urls = [], requests = [], patterns = [], tags = [], valid, expired, invalid = false, olderThan} = parseOptions(criteriaParsers, criteria, 'criteria');
	const named = [...urls.flatMap(byUrl => [byUrl, {...byUrl, request: {...byUrl.request, method: 'HEAD'}}]), ...requests];
	warnOfPatterns('criteria.patterns', patterns, false);
	return {
		keys: new Set([...keys, ...await findKeys(named)]),
		tags: new Set(tags),
		patterns: patterns.map(pattern => compileUrlPattern(pattern)),
		valid,
		expired,
		invalid,
		olderThan: olderThan === undefined ? undefined : timeBefore(olderThan, now),
		given: Object.entries(criteria as object).filter(([, value]) => value !== undefined && value !== false).map(([name]) => name),
	};
}

/** Returns a selection for listing: all entries if nothing is given but exclusions, or `invalid` beside them. */
export function forListing(selection: Selection): Selection {
	const {given, valid, expired} = selection;
	const isWhole = given.length === 0 || (given.join(' ') === 'invalid' && (valid ?? expired) === false);
	return isWhole ? {...selection, valid: valid ?? true, expired: expired ?? true} : selection;
}

/** Returns a selection for changes, which has no exclusions. */
export function forChanges(selection: Selection): Selection {
	return {...selection, valid: selection.valid === true ? true : undefined, expired: selection.expired === true ? true : undefined};
}

/** Whether the keys select all of the entries, so that each is read by its key. Otherwise the store is searched. */
export function isByKey(selection: Selection): boolean {
	return selection.keys.size > 0 && selection.tags.size === 0 && !needsSearch(selection);
}

/** Whether the store must be searched for the entries, since keys and tags alone do not select them. */
export function needsSearch({patterns, valid, expired, invalid, olderThan}: Selection): boolean {
	return patterns.length > 0 || valid !== undefined || expired !== undefined || invalid || olderThan !== undefined;
}

/** Whether an entry is selected. */
export function isSelected({keys, tags, patterns, valid, expired, olderThan}: Selection, key: string, stored: StoredResponse, now: number): boolean {
	return (isFresh(stored, now) ? valid : expired) ?? (
		(olderThan !== undefined && stored.createdAt < olderThan)
		|| keys.has(key)
		|| stored.tags?.some(tag => tags.has(tag)) === true
		|| patterns.some(matches => matches(stored.url))
	);
}

export function isFresh({expires}: StoredResponse, now: number): boolean {
	return expires === undefined || expires > now;
}

/** One entry: by its key, its URL, or the request that it answers. */
export type Target =
	| {
		/** The key, as `cacheInfo(response).key` and `cacheKey` give it. */
		readonly key: string;
	}
	| {
		/** The URL of a GET without credentials, as the origin sees it. */
		readonly url: string | URL;
	}
	| {
		/** The request, with the headers that are part of its key or that `Vary` names. */
		readonly request: DescribedRequest;
	};

/** Checks a target; returns its key, or the request that it names. */
export function checkedTarget(target: Target): string | NamedRequest {
	const {key, url, request} = new Object(target) as {key?: unknown; url?: unknown; request?: unknown};
	if ([key, url, request].filter(value => value !== undefined).length !== 1) {
		throw new SettingError('target', target, 'an object with either `key`, `url` or `request`');
	}

	if (key === undefined) {
		return url === undefined
			? {request: describedRequest(request, 'target.request'), isByUrl: false}
			: {request: describedRequest({url}, 'target'), isByUrl: true};
	}

	return parseInput(text, key, 'target.key');
}

/** How a task that goes over many entries is followed and ended. Each member may be left out. */
export type LongTask = {
	/** Ends the task between two entries; what is done stays done. */
	readonly signal?: AbortSignal | undefined;

	/** Called after each entry with the number of entries that are done. */
	readonly onProgress?: ((done: number) => void) | undefined;
};

export const taskParsers: Parsers<LongTask> = {
	signal: {allowed: 'an AbortSignal', parse: value => value instanceof AbortSignal ? value : undefined},
	onProgress: functionOf('a function `(done) => void`'),
};

export function checkTask(task: unknown): void {
	parseOptions(taskParsers, task, 'task');
}

export type SortKey = 'createdAt' | 'expires' | 'key' | 'size';

/** The order of `cache.sorted()`, and how much of it. Each member may be left out. */
export type Sorting = {
	/** `'size'` is that of `CachedResponse.size`: the stored bytes of the content. Default: `'createdAt'`. */
	readonly by?: SortKey | undefined;

	/** Default: `false`. */
	readonly descending?: boolean | undefined;

	/** The maximum number of responses. Default: all. */
	readonly limit?: number | undefined;

	/** Whether to include expired responses. Default: `true`. */
	readonly expired?: boolean | undefined;
};

export const sortingParsers: Parsers<Sorting> = {
	by: oneOf('createdAt', 'expires', 'key', 'size'),
	descending: boolean,
	limit: wholeNumber('a whole number from 0', 0),
	expired: boolean,
};
