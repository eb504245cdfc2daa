import {parseDictionary, Token, type Dictionary} from 'structured-headers';
import {
	fieldValue,
	isToken,
	trimSpace,
	type Fields,
} from './fields.ts';

/**
The directives of a `Cache-Control` value by lower-case name; `true` where there is no argument.

Two of a name that differ are one with both arguments, `'1,2'`: as a list of fields it is both, as a number it is none (RFC 9111 §4.2.1: where values conflict, the response is to be considered stale).
*/
export type CacheDirectives = ReadonlyMap<string, string | true>;

const none: CacheDirectives = new Map();

/** Reads the directives of a `Cache-Control` value. */
export function parseDirectives(value: string | undefined): CacheDirectives {
	if (value === undefined) {
		return none;
	}

	const directives = new Map<string, string | true>();
	for (const [text] of value.matchAll(members)) {
		const groups = directive.exec(trimSpace(text))?.groups;
		if (groups === undefined) {
			salvage(text, directives);
			continue;
		}

		const name = groups.name!.toLowerCase();
		const argument = groups.quoted?.replaceAll(/\\(?<escaped>.)/gv, '$<escaped>') ?? groups.token ?? true;
		directives.set(name, combine(directives.get(name), argument));
	}

	return directives;
}

// The members of a list: a comma in quotes does not separate members, and a quote that is not closed reaches to the end.
const members = /(?:[^",]|"(?:[^"\\]|\\.)*"?)+/gv;

// One member: a token, with an argument that is a token or a quoted string (RFC 9111 §5.2). Around the sign, white space is passed over.
const directive = /^(?<name>[\w!#$%\u{26}'*+\-.^`\|~]+)(?:[\t ]*=[\t ]*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<token>[\w!#$%\u{26}'*+\-.^`\|~]*)))?$/v;

const restrictions: ReadonlySet<string> = new Set(['must-revalidate', 'no-cache', 'no-store', 'only-if-cached']);
const numbers: ReadonlySet<string> = new Set(['max-age', 'max-stale', 'min-fresh', 'stale-if-error', 'stale-while-revalidate']);

/** Reads a malformed member so that it makes no response fresher: a restriction in it counts, and a number in it is invalid. */
function salvage(text: string, directives: Map<string, string | true>): void {
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

/**
The directives of a request. `Pragma: no-cache` counts where there is no `Cache-Control` (RFC 9111 §5.4).
*/
export function requestDirectives(fields: Fields): CacheDirectives {
	const value = fieldValue(fields, 'cache-control');
	if (value !== undefined) {
		return parseDirectives(value);
	}

	return parseDirectives(fieldValue(fields, 'pragma')).has('no-cache') ? new Map([['no-cache', true]]) : none;
}

/**
The argument of a directive in milliseconds; `undefined` where the directive is absent, `invalid` where its argument is not a whole number of seconds.
*/
export function deltaMilliseconds(directives: CacheDirectives, name: string, invalid: number): number | undefined {
	const argument = directives.get(name);
	if (argument === undefined) {
		return undefined;
	}

	return argument === true || !/^\d+$/v.test(argument) ? invalid : Math.min(Number(argument), maxDeltaSeconds) * 1000;
}

/** The greatest number of seconds of a directive or of `Age`; a greater one counts as this (RFC 9111 §1.2.2). */
export const maxDeltaSeconds = 2_147_483_648;

/**
The fields that a directive such as `no-cache="set-cookie"` is limited to, in lower case; `undefined` where it is absent, empty where it is not limited.

What cannot be read as a list of names limits nothing: the directive holds for the whole response.
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
The directives of the first targeted field that counts (RFC 9213 §2.2); `undefined` where none does, so that `Cache-Control` and `Expires` do.

A field that is empty or that is no structured dictionary is passed over.

@param targets - Lower-case names, the most specific first: `['example-cache-control', 'cdn-cache-control']`.
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

// The parser gives `5.0`, which is a decimal, as it gives `5`. With another fraction it can be told.
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

// A value that names no fields limits nothing: the directive holds for the whole response.
function fieldList(value: unknown): string | true {
	return typeof value === 'string' || value instanceof Token ? String(value) : true;
}

// RFC 9213 §2.1: seconds are an integer. The text of any other number, and nothing, are invalid for whoever counts in them.
function valueOf(value: unknown): string {
	return typeof value === 'number' || value instanceof Token ? String(value) : '';
}
