import type {Expiration, ExpirationTime} from './expiration.ts';

/** The methods of a `URLPattern`, so that polyfills are accepted, too. */
type UrlPatternLike = {
	readonly test: (input: string) => boolean;
	readonly exec: (input: string) => unknown;
};

/**
A pattern that URLs are matched with.

A string is a glob as in requests-cache. It is matched without the scheme, and as a prefix: `example.com/api` matches everything below it. `*` matches any characters including `/`, `?` matches one character, `[a-z]` and `[!a-z]` match one character of a set. A `RegExp` matches if it is found anywhere in the URL. A `URLPattern` tests the whole URL.
*/
export type UrlPattern = string | RegExp | UrlPatternLike;

/**
A pattern of `urlsExpireAfter`.

@example
```ts
import {HttpCache, NEVER_EXPIRE, type ExpirationPattern} from 'got-cache-hooks';

const images: ExpirationPattern = /[.](?:png|svg)$/;
const cache = new HttpCache({store: 'memory', expireAfter: '1h', urlsExpireAfter: [[images, NEVER_EXPIRE]]});
const {expires} = await cache.save({url: 'https://api.example.com/logo.svg'}, {body: '<svg/>'});
console.log(expires);
//=> undefined
```
*/
export type ExpirationPattern = UrlPattern;

/** Expirations by URL. The first pattern that matches counts. */
export type ExpirationPatterns =
	| ReadonlyArray<readonly [pattern: UrlPattern, expireAfter: ExpirationTime]>
	| ReadonlyMap<UrlPattern, ExpirationTime>
	| Readonly<Record<string, ExpirationTime>>;

export type UrlMatcher = (url: string) => boolean;

/** A compiled pattern of `urlsExpireAfter`. */
export type UrlExpiration = {
	readonly matches: UrlMatcher;
	readonly expiration: Expiration;
};

export function isUrlPattern(value: unknown): value is UrlPattern {
	if (typeof value === 'string' || value instanceof RegExp) {
		return true;
	}

	const pattern = value as Partial<UrlPatternLike> | undefined | null;
	return typeof pattern?.test === 'function' && typeof pattern.exec === 'function';
}

export function compileUrlPattern(pattern: UrlPattern): UrlMatcher {
	if (typeof pattern === 'string') {
		return compileGlob(pattern);
	}

	if (pattern instanceof RegExp) {
		// With the flags `g` and `y`, `test` would start where the last match ended.
		const stateless = new RegExp(pattern, pattern.flags.replaceAll(/[gy]/gv, ''));
		return url => stateless.test(url);
	}

	return url => pattern.test(url);
}

/**
Returns the expiration of the first pattern that matches a URL, if any.
*/
export function getUrlExpiration(url: string, compiled: readonly UrlExpiration[]): Expiration | undefined {
	return compiled.find(({matches}) => matches(url))?.expiration;
}

// The syntax of Python's `fnmatch`, which requests-cache uses. Libraries for file globs (picomatch with `bash`, minimatch) treat `/`, a leading dot, `!`, `()`, `[!a-z]` and `\` differently.
// eslint-disable-next-line regexp/no-super-linear-move -- Globs come from the user's own settings and are read once.
const token = /(?<star>\*)|(?<any>\?)|\[(?:!(?<excluded>.[^\]]*)|(?<included>[^!][^\]]*))\]|(?<literal>.)/gsv;

/** Compiles a glob. The parts between the stars are searched from left to right. Since a glob matches as a prefix, the first place where a part is found is always right, and the search never backtracks. */
function compileGlob(glob: string): UrlMatcher {
	const parts = globParts(withoutScheme(glob)).map((part, index) => new RegExp(part, index === 0 ? 'svy' : 'gsv'));
	return url => {
		const text = withoutScheme(url);
		let position = 0;
		return parts.every(part => {
			part.lastIndex = position;
			const isFound = part.test(text);
			position = part.lastIndex;
			return isFound;
		});
	};
}

// Like requests-cache, this cuts at the last '://', even if that is in the query.
function withoutScheme(text: string): string {
	return text.split('://').at(-1)!;
}

// Returns the source of a regular expression for each part between the stars.
function globParts(glob: string): string[] {
	const parts = [''];
	for (const {groups} of glob.matchAll(token)) {
		const {star, ...others} = groups!;
		if (star === undefined) {
			parts.push(parts.pop()! + tokenSource(others));
		} else {
			parts.push('');
		}
	}

	return parts;
}

function tokenSource({any, excluded, included, literal}: Readonly<Partial<Record<string, string>>>): string {
	if (any !== undefined) {
		return '.';
	}

	if (literal !== undefined) {
		return escaped(literal);
	}

	return included === undefined ? `[^${setSource(excluded!)}]` : `[${setSource(included)}]`;
}

// A range in the wrong order is empty.
function setSource(members: string): string {
	return members.replaceAll(/(?<from>.)-(?<to>.)|(?<single>.)/gsv, (_member, from: string | undefined, to: string, single: string) => {
		if (from === undefined) {
			return escaped(single);
		}

		return from.codePointAt(0)! > to.codePointAt(0)! ? '' : `${escaped(from)}-${escaped(to)}`;
	});
}

// An escaped code point has no special meaning, neither in a set nor outside.
function escaped(character: string): string {
	// eslint-disable-next-line unicorn/prefer-string-raw -- In a template with a tag, `\u{` is an escape that is not valid as text, which terser refuses.
	return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}
