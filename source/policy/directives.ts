import {parseDictionary, Token, type Dictionary} from 'structured-headers';
import {
	fieldValue,
	isToken,
	trimSpace,
	type Fields,
} from './fields.ts';

/**
The directives of a `Cache-Control` value by lower-case name. A directive without an argument is `true`.

A directive that is repeated with another argument has both, `'1,2'`. That is valid as a list of fields and invalid as a number, so that a response with conflicting lifetimes is stale (RFC 9111 §4.2.1).
*/
export type CacheDirectives = ReadonlyMap<string, string | true>;

const none: CacheDirectives = new Map();

/** Parses a `Cache-Control` value. */
export function parseDirectives(value: string | undefined): CacheDirectives {
	if (value === undefined) {
		return none;
	}

	const directives = new Map<string, string | true>();
	for (const [text] of value.matchAll(members)) {
		const groups = directive.exec(trimSpace(text))?.groups;
		if (groups === undefined) {
			readMalformed(text, directives);
			continue;
		}

		const name = groups.name!.toLowerCase();
		const argument = groups.quoted?.replaceAll(/\\(?<escaped>.)/gv, '$<escaped>') ?? groups.token ?? true;
		directives.set(name, combine(directives.get(name), argument));
	}

	return directives;
}

// The members of a list. A comma in quotes does not separate members; a quote that is not closed extends to the end.
const members = /(?:[^",]|"(?:[^"\\]|\\.)*"?)+/gv;

// One member: a token, with an argument that is a token or a quoted string (RFC 9111 §5.2). White space around the equals sign is accepted.
const directive = /^(?<name>[\w!#$%\u{26}'*+\-.^`\|~]+)(?:[\t ]*=[\t ]*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<token>[\w!#$%\u{26}'*+\-.^`\|~]*)))?$/v;

const restrictions: ReadonlySet<string> = new Set(['must-revalidate', 'no-cache', 'no-store', 'only-if-cached']);
const numbers: ReadonlySet<string> = new Set(['max-age', 'max-stale', 'min-fresh', 'stale-if-error', 'stale-while-revalidate']);

/** Reads a malformed member on the safe side: a restriction in it counts, and a number in it is invalid. */
function readMalformed(text: string, directives: Map<string, string | true>): void {
	for (const word of text.toLowerCase().split(/[^\w\-]+/v)) {
		if (restrictions.has(word)) {
			directives.set(word, true);
		} else if (numbers.has(word)) {
			directives.set(word, '');
		}
	}
}

function combine(first: string | true | undefined, second: string | true): string | true {
	return first === undefined || first === second ? second : `${first === true ? '' : first},${second === true ? '' : second}`;
}

/** Returns the directives of a request. `Pragma: no-cache` counts only without `Cache-Control` (RFC 9111 §5.4). */
export function requestDirectives(fields: Fields): CacheDirectives {
	const value = fieldValue(fields, 'cache-control');
	if (value !== undefined) {
		return parseDirectives(value);
	}

	return parseDirectives(fieldValue(fields, 'pragma')).has('no-cache') ? new Map([['no-cache', true]]) : none;
}

/** Returns the argument of a directive in milliseconds: `undefined` if the directive is absent, `invalid` if its argument is not a whole number of seconds. */
export function deltaMilliseconds(directives: CacheDirectives, name: string, invalid: number): number | undefined {
	const argument = directives.get(name);
	if (argument === undefined) {
		return undefined;
	}

	return argument === true || !/^\d+$/v.test(argument) ? invalid : Math.min(Number(argument), maxDeltaSeconds) * 1000;
}

/** The maximum number of seconds of a directive or of `Age`. A greater number counts as this one (RFC 9111 §1.2.2). */
export const maxDeltaSeconds = 2_147_483_648;

/**
Returns the lower-case fields that a directive such as `no-cache="set-cookie"` is limited to.

@returns `undefined` if the directive is absent; an empty list if it applies to the whole response, also because its argument is no list of field names.
*/
export function qualifiedFields(directives: CacheDirectives, name: string): readonly string[] | undefined {
	const argument = directives.get(name);
	if (argument === undefined) {
		return undefined;
	}

	const names = argument === true ? [] : argument.split(',').map(field => trimSpace(field).toLowerCase());
	return names.every(field => isToken(field)) ? names : [];
}

/**
Returns the directives of the first targeted field that is valid and not empty (RFC 9213 §2.2).

@param targets - Lower-case names, the most specific first: `['example-cache-control', 'cdn-cache-control']`.
@returns `undefined` if there is none, so that `Cache-Control` and `Expires` apply.
*/
export function targetedDirectives(fields: Fields, targets: readonly string[]): CacheDirectives | undefined {
	for (const target of targets) {
		const dictionary = parse(fieldValue(fields, target) ?? '');
		if (dictionary.size > 0) {
			return new Map(dictionary.entries().flatMap(([name, [value]]) => entriesOf(name, value)));
		}
	}

	return undefined;
}

// The parser returns the decimal `5.0` as the integer `5`. Another fraction makes the difference visible.
const zeroFraction = /(?<==-?\d+\.)0{1,3}(?!\d)/gv;

function parse(value: string): Dictionary {
	try {
		return parseDictionary(value.replaceAll(zeroFraction, '1'));
	} catch {
		return new Map();
	}
}

function entriesOf(name: string, value: unknown): ReadonlyArray<[string, string | true]> {
	if (typeof value === 'boolean') {
		return value ? [[name, true]] : [];
	}

	return [[name, fieldLists.has(name) ? fieldList(value) : valueOf(value)]];
}

const fieldLists = new Set(['no-cache', 'private']);

// A value of any other type does not limit the directive: it applies to the whole response.
function fieldList(value: unknown): string | true {
	return typeof value === 'string' || value instanceof Token ? String(value) : true;
}

// RFC 9213 §2.1: seconds are an integer. `deltaMilliseconds` takes the text of any other value as invalid.
function valueOf(value: unknown): string {
	return typeof value === 'number' || value instanceof Token ? String(value) : '';
}
