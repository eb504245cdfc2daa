import type {Expiration, ExpirationTime} from './expiration.ts';

/**
What is asked of a `URLPattern`, so that the platform's and every polyfill's will do.
*/
type UrlPatternLike = {
	readonly test: (input: string) => boolean;
	readonly exec: (input: string) => unknown;
};

/**
Which URLs are meant.

A string is a glob as requests-cache matches it: without the scheme; `*` stands for any characters, `/` included, `?` for one, `[a-z]` and `[!a-z]` for one of a set; what follows the end of the glob is free, so that `example.com/api` means all below it. A `RegExp` is searched in the whole URL, a `URLPattern` tests the whole URL.
*/
export type UrlPattern = string | RegExp | UrlPatternLike;

/** A pattern of `urlsExpireAfter`. */
export type ExpirationPattern = UrlPattern;

/**
Expirations by URL; the first pattern that matches counts, in the order given.
*/
export type ExpirationPatterns =
	| ReadonlyArray<readonly [pattern: UrlPattern, expireAfter: ExpirationTime]>
	| ReadonlyMap<UrlPattern, ExpirationTime>
	| Readonly<Record<string, ExpirationTime>>;

export type UrlMatcher = (url: string) => boolean;

/**
One pattern of `urlsExpireAfter`, understood.
*/
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
		// With `g` or `y`, every second answer would be another.
		const stateless = new RegExp(pattern, pattern.flags.replaceAll(/[gy]/gv, ''));
		return url => stateless.test(url);
	}

	return url => pattern.test(url);
}

/**
The expiration of the first pattern that matches, if any.

@example
```
const {urlsExpireAfter} = resolveSettings({urlsExpireAfter: [['example.com/live', '30s'], ['example.com', '1d']]});
getUrlExpiration('https://example.com/live/1', urlsExpireAfter);
//=> {kind: 'after', milliseconds: 30_000}
```
*/
export function getUrlExpiration(url: string, compiled: readonly UrlExpiration[]): Expiration | undefined {
	return compiled.find(({matches}) => matches(url))?.expiration;
}

// Python's `fnmatch`, on which requests-cache builds. Libraries for file globs (picomatch with `bash`, minimatch) read `/`, a leading dot, `!`, `()`, `[!a-z]` and `\` otherwise.
// eslint-disable-next-line regexp/no-super-linear-move -- Globs are the user's own, and read once.
const token = /(?<star>\*)|(?<any>\?)|\[(?:!(?<excluded>.[^\]]*)|(?<included>[^!][^\]]*))\]|(?<literal>.)/gsv;

/**
The parts between the stars are looked for from left to right. Since a star is always implied at the end, the first place where a part is found is as good as any other: no glob can make the search try the same twice.
*/
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

// What follows the last '://', even one in the query: so does requests-cache.
function withoutScheme(text: string): string {
	return text.split('://').at(-1)!;
}

// The sources of regular expressions for what lies between the stars.
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

// A range in the wrong order holds nothing.
function setSource(members: string): string {
	return members.replaceAll(/(?<from>.)-(?<to>.)|(?<single>.)/gsv, (_member, from: string | undefined, to: string, single: string) => {
		if (from === undefined) {
			return escaped(single);
		}

		return from.codePointAt(0)! > to.codePointAt(0)! ? '' : `${escaped(from)}-${escaped(to)}`;
	});
}

// As a code point, no character is special, in a set or out of it.
function escaped(character: string): string {
	return String.raw`\u{${character.codePointAt(0)!.toString(16)}}`;
}
