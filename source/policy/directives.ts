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
export type Directives = ReadonlyMap<string, string | true>;

const none: Directives = new Map();

// The members of a list: commas in quotes part nothing, and a quote that is not closed reaches to the end.
const members = /(?:[^",]|"(?:[^"\\]|\\.)*"?)+/gv;

// One member: a token, with an argument that is a token or a quoted string (RFC 9111 §5.2). Around the sign, white space is passed over.
const directive = /^(?<name>[\w!#$%\u{26}'*+\-.^`\|~]+)(?:[\t ]*=[\t ]*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<token>[\w!#$%\u{26}'*+\-.^`\|~]*)))?$/v;

export function parseDirectives(value: string | undefined): Directives {
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

const restrictions: ReadonlySet<string> = new Set(['must-revalidate', 'no-cache', 'no-store', 'only-if-cached']);
const numbers: ReadonlySet<string> = new Set(['max-age', 'max-stale', 'min-fresh', 'stale-if-error', 'stale-while-revalidate']);

/** What is broken is read so that nothing is fresher for it: a restriction in it counts, a number in it is none. */
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
export function requestDirectives(fields: Fields): Directives {
	const value = fieldValue(fields, 'cache-control');
	if (value !== undefined) {
		return parseDirectives(value);
	}

	return parseDirectives(fieldValue(fields, 'pragma')).has('no-cache') ? new Map([['no-cache', true]]) : none;
}

// RFC 9111 §1.2.2: what is greater than can be represented is this, in seconds.
const greatest = 2_147_483_648;

/**
The argument in milliseconds; `undefined` where the directive is absent, `invalid` where its argument is not a whole number of seconds.
*/
export function deltaMilliseconds(directives: Directives, name: string, invalid: number): number | undefined {
	const argument = directives.get(name);
	if (argument === undefined) {
		return undefined;
	}

	return argument === true || !/^\d+$/v.test(argument) ? invalid : Math.min(Number(argument), greatest) * 1000;
}

/**
The fields that a directive such as `no-cache="set-cookie"` is limited to, in lower case; `undefined` where it is absent, empty where it is not limited.

What cannot be read as a list of names limits nothing: the directive holds for the whole response.
*/
export function qualifiedFields(directives: Directives, name: string): readonly string[] | undefined {
	const argument = directives.get(name);
	if (argument === undefined) {
		return undefined;
	}

	const names = argument === true ? [] : argument.split(',').map(field => trimSpace(field).toLowerCase());
	return names.every(field => isToken(field)) ? names : [];
}
