import {describe, SettingError, unknownOption} from '../errors.ts';
import {describedRequest, type DescribedRequest, type SentRequest} from '../identity/sent-request.ts';
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

	/** Selects entries that were received (or validated) before this moment, or longer ago than this time. */
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

const criteriaNames: ReadonlySet<string> = new Set<keyof Criteria>(['keys', 'urls', 'requests', 'patterns', 'tags', 'valid', 'expired', 'invalid', 'olderThan']);

/**
Checks and parses criteria.

@param findKeys - Returns the keys of the entries that answer some requests.
@throws {TypeError} If one of them is unknown or invalid: the message names it.
*/
export async function parseCriteria(criteria: Criteria, findKeys: (requests: readonly NamedRequest[]) => Promise<readonly string[]>, now: number): Promise<Selection> {
	checkNames(criteria, 'criteria', criteriaNames);
	const keys = [
		...list(criteria, 'keys', 'a key', isText),
		...await findKeys([
			...list(criteria, 'urls', 'a URL', isUrl).flatMap(url => [{url}, {url, method: 'HEAD'}]).map(request => ({request: describedRequest(request), isByUrl: true})),
			...list(criteria, 'requests', 'an object with a `url`', isRequest).map(request => ({request: describedRequest(request), isByUrl: false})),
		]),
	];
	return {
		keys: new Set(keys),
		tags: new Set(list(criteria, 'tags', 'a tag: a string that is not empty', isText)),
		patterns: list(criteria, 'patterns', 'a glob, a RegExp or a URLPattern', isUrlPattern).map(pattern => compileUrlPattern(pattern)),
		valid: flag(criteria, 'valid'),
		expired: flag(criteria, 'expired'),
		invalid: flag(criteria, 'invalid') ?? false,
		olderThan: momentOf(criteria.olderThan, now),
		given: Object.entries(criteria).filter(([, value]) => value !== undefined && value !== false).map(([name]) => name),
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

/**
Checks that all members of an object of options are known.

@throws {TypeError} If one is not: the message names it, and the known ones.
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

function flag(criteria: Criteria, name: 'valid' | 'expired' | 'invalid'): boolean | undefined {
	const value: unknown = criteria[name] ?? undefined;
	if (value !== undefined && typeof value !== 'boolean') {
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

@throws {TypeError} If it is invalid.
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

/** One entry: by its key, its URL, or the request that it answers. */
export type Target =
	| {readonly key: string}
	| {readonly url: string | URL}
	| {readonly request: DescribedRequest};

/** Checks a target; returns its key, or the request that it names. */
export function checkedTarget(target: Target): string | NamedRequest {
	const {key, url, request} = new Object(target) as {key?: unknown; url?: unknown; request?: unknown};
	if ([key, url, request].filter(value => value !== undefined).length !== 1) {
		throw new SettingError('target', target, 'an object with one of `key`, `url` and `request`');
	}

	if (key === undefined) {
		return {request: describedRequest(checkedRequest(url === undefined ? request : {url})), isByUrl: url !== undefined};
	}

	if (typeof key !== 'string') {
		throw new SettingError('target.key', key, 'a string');
	}

	return key;
}

export type LongTask = {
	/** Ends the task between two entries; what is done stays done. */
	readonly signal?: AbortSignal | undefined;

	/** Called after each entry with the number of entries that are done. */
	readonly onProgress?: ((done: number) => void) | undefined;
};

const taskNames: ReadonlySet<string> = new Set<keyof LongTask>(['signal', 'onProgress']);

/**
Checks the options of a task.

@throws {TypeError} If one is unknown.
*/
export function checkTask(task: LongTask): void {
	checkNames(task, 'task', taskNames);
}

const sortKeys = ['createdAt', 'expires', 'key', 'size'] as const;

export type SortKey = typeof sortKeys[number];

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

const sortingNames: ReadonlySet<string> = new Set(['by', 'descending', 'limit', 'expired']);

/**
Checks the options of `sorted`.

@throws {TypeError} If an option is unknown or invalid: the message names it, and what is allowed.
*/
export function checkSorting(sorting: Sorting): void {
	checkNames(sorting, 'sorting', sortingNames);
	const {by = 'createdAt', descending = false, limit = 0, expired = true} = sorting;
	if (!sortKeys.includes(by)) {
		throw new SettingError('sorting.by', by, `one of \`'${sortKeys.join('\'`, `\'')}'\``);
	}

	if (!Number.isSafeInteger(limit) || limit < 0) {
		throw new SettingError('sorting.limit', limit, 'a whole number from 0');
	}

	for (const [name, value] of Object.entries({descending, expired})) {
		if (typeof value !== 'boolean') {
			throw new SettingError(`sorting.${name}`, value, 'a boolean');
		}
	}
}
