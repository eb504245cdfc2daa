import {wordsOf} from './name-words.ts';
import {
	type CredentialClass,
	type CredentialRow,
	credentialTable,
	neutralWords,
	questionWords,
} from './credential-table.ts';

/**
The default of `ignoredParameters`: lower-case names of headers and parameters with credentials. Their values are never stored, and are part of the cache key only by a keyed digest.

@example
```ts
import {createKey, DEFAULT_IGNORED_PARAMETERS} from 'got-cache-hooks';

const ignoredParameters = [...DEFAULT_IGNORED_PARAMETERS, 'utm_source'];
const keyOf = (url: string) => createKey({method: 'GET', url, headers: {}}, {ignoredParameters});
console.log(keyOf('https://example.com/?utm_source=mail') === keyOf('https://example.com/'));
//=> true
```
*/
export const DEFAULT_IGNORED_PARAMETERS: readonly string[] = Object.freeze([
	'access-token',
	'access_token',
	'api-key',
	'api_key',
	'apikey',
	'auth-token',
	'auth_token',
	'authorization',
	'cookie',
	'private-token',
	'proxy-authorization',
	'x-access-token',
	'x-api-key',
	'x-apikey',
	'x-auth-token',
	'x-csrf-token',
	'x-goog-api-key',
	'x-xsrf-token',
]);

/** The replacement for values that are not stored. */
export const REDACTED = 'REDACTED';

/**
A name in any letter case, a `RegExp` that is searched in names, or a JSON path such as `$.user.token`, `$.items[*].id` or `$['a b'][0]` for a field of a JSON body.
*/
export type IgnoredParameter = string | RegExp;

/** Compiled `ignoredParameters`. */
export type Ignored = {
	/** Lower-case names. */
	readonly names: ReadonlySet<string>;
	readonly patterns: readonly RegExp[];

	/** The same patterns with the flag `i`, for header names. */
	readonly headerPatterns: readonly RegExp[];
	readonly paths: ReadonlyArray<readonly Step[]>;
};

type Step = string | number | typeof anyMember;

const anyMember: unique symbol = Symbol('*');

/**
Compiles `ignoredParameters`.

@returns The index of the first item that is neither a name, a `RegExp` nor a JSON path, if there is one.
*/
export function compileIgnored(parameters: Iterable<unknown>): Ignored | number {
	const names = new Set<string>();
	const patterns: RegExp[] = [];
	const paths: Array<readonly Step[]> = [];
	for (const [index, parameter] of [...parameters].entries()) {
		if (parameter instanceof RegExp) {
			patterns.push(new RegExp(parameter.source, parameter.flags.replaceAll(/[gy]/gv, '')));
			continue;
		}

		if (typeof parameter !== 'string' || parameter === '') {
			return index;
		}

		if (!/^\$[.\[]/v.test(parameter)) {
			names.add(parameter.toLowerCase());
			continue;
		}

		const path = parsePath(parameter);
		if (path === undefined) {
			return index;
		}

		paths.push(path);
	}

	return Object.freeze({
		names,
		patterns: Object.freeze(patterns),
		headerPatterns: Object.freeze(patterns.map(({source, flags}) => new RegExp(source, flags.includes('i') ? flags : `${flags}i`))),
		paths: Object.freeze(paths),
	});
}

const pathStep = /\.(?<name>[^\s"'.\[\]]+)|\[(?:(?<index>\d+)|(?<any>\*)|'(?<single>[^']*)'|"(?<double>[^"]*)")\]/vy;

function parsePath(text: string): readonly Step[] | undefined {
	const steps: Step[] = [];
	pathStep.lastIndex = 1;
	while (pathStep.lastIndex < text.length) {
		const groups = pathStep.exec(text)?.groups;
		if (groups === undefined) {
			return undefined;
		}

		const {name, index, any} = groups;
		if (any !== undefined || name === '*') {
			steps.push(anyMember);
		} else {
			steps.push(index === undefined ? (name ?? groups.single ?? groups.double)! : Number(index));
		}
	}

	return Object.freeze(steps);
}

export const ignoredByDefault: Ignored = compileIgnored(DEFAULT_IGNORED_PARAMETERS) as Ignored;

/** Whether a parameter of a query, a form or a JSON body is ignored by its name. */
export function ignoresName({names, patterns}: Ignored, name: string): boolean {
	return names.has(name.toLowerCase()) || patterns.some(pattern => pattern.test(name));
}

/** Whether a header is ignored. Its name must be in lower case. */
export function ignoresHeader({names, headerPatterns}: Ignored, name: string): boolean {
	return names.has(name) || headerPatterns.some(pattern => pattern.test(name));
}

/** Whether a header is a credential. An ambiguous name that the settings ignore is none. */
export function isCredentialHeader(ignored: Ignored, name: string): boolean {
	const kind = classifyName(name);
	return kind === 'secret' || (kind === 'ambiguous' && !ignoresHeader(ignored, name));
}

/** Whether a field of a JSON body is ignored by its path. */
export function ignoresPath({paths}: Ignored, path: ReadonlyArray<string | number>): boolean {
	return paths.some(steps => steps.length === path.length && steps.every((expected, index) => expected === anyMember || expected === path[index]));
}

/** Whether the value of a parameter is replaced in stored and shown requests. */
export function isRedacted(ignored: Ignored, name: string): boolean {
	return ignoresName(ignored, name) || classifyName(name) !== 'plain';
}

/**
Classifies the name of a header, or of a parameter of a query, a form, JSON or a multipart body.

Letter case and spelling do not matter: `access_token`, `accessToken`, `Access-Token`, `user[access_token]` and `accesstoken` have the same class.

@param name - Percent-decoded. A name of more than 256 characters is not read and counts as `ambiguous`.
*/
export function classifyName(name: string): CredentialClass {
	let found = knownNames.get(name);
	if (found === undefined) {
		if (name.length > maxNameLength) {
			return 'ambiguous';
		}

		if (knownNames.size >= maxKnownNames) {
			knownNames.clear();
		}

		found = classify(name);
		knownNames.set(name, found);
	}

	return found;
}

const maxNameLength = 256;

// Every request classifies the names of its headers, of which there are few.
const knownNames = new Map<string, CredentialClass>();
const maxKnownNames = 2000;

function classify(name: string): CredentialClass {
	const found = classifyWords(wordsOf(name).slice(-maxWords));
	return found !== 'plain' && questions.has(wordsOf(innermost(name))[0] ?? '') ? 'plain' : found;
}

// The number of words at the end of a name that are classified.
const maxWords = 16;

/** Returns the last name of a path, such as `has_password` of `user[has_password]`. */
function innermost(name: string): string {
	const path = name.endsWith('[]') ? name.slice(0, -2) : name;
	return path.slice(Math.max(path.lastIndexOf('['), path.lastIndexOf('.')) + 1);
}

/** Classifies by the last word that is in the table. */
function classifyWords(words: readonly string[]): CredentialClass {
	let isCertain = true;
	for (let end = words.length; end > 0; end--) {
		const found = endings.get(words[end - 1]!)?.find(ending => matches(ending, words, end))?.class;
		if (found !== undefined) {
			return isCertain ? found : lessCertain[found];
		}

		isCertain &&= neutral.has(words[end - 1]!);
	}

	return 'plain';
}

type Ending = Omit<CredentialRow, 'after' | 'directlyAfter'> & {
	/** The words of the ending before its last one, in reverse order. */
	readonly rest: readonly string[];
	readonly directlyAfter: ReadonlySet<string> | undefined;
	readonly after: ReadonlySet<string> | undefined;
};

const endings = Map.groupBy(credentialTable.flatMap(row => row.ends.map(phrase => {
	const [last, ...rest] = phrase.split(' ').toReversed();
	return {
		...row,
		last: last!,
		rest,
		directlyAfter: row.directlyAfter && new Set(row.directlyAfter),
		after: row.after && new Set(row.after),
	};
})), ({last}) => last) satisfies ReadonlyMap<string, readonly Ending[]>;

const neutral: ReadonlySet<string> = new Set(neutralWords);

const questions: ReadonlySet<string> = new Set(questionWords);

/** The class of a name if an unknown word follows: `token_foo` may be a token, `code_foo` is hardly a code. */
const lessCertain = {secret: 'ambiguous', ambiguous: 'plain', plain: 'plain'} as const satisfies Record<CredentialClass, CredentialClass>;

function matches({rest, directlyAfter, after}: Ending, words: readonly string[], end: number): boolean {
	const start = end - 1 - rest.length;
	return rest.every((word, index) => words[end - 2 - index] === word)
		&& (directlyAfter === undefined || (start > 0 && directlyAfter.has(words[start - 1]!)))
		&& (after === undefined || words.slice(0, start).some(word => after.has(word)));
}
