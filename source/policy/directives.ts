import {fieldValue, type Fields} from './fields.ts';

/**
The directives of a `Cache-Control` value by lower-case name; `true` where there is no argument.

The first of two directives with one name counts (RFC 9111 §4.2.1).
*/
export type Directives = ReadonlyMap<string, string | true>;

const none: Directives = new Map();

// One list member: a token, with an argument that is a token or a quoted string (RFC 9111 §5.2).
// What follows up to the next comma is skipped, so that one broken member does not hide the others.
// eslint-disable-next-line regexp/optimal-quantifier-concatenation -- The argument is a group of its own.
const member = /(?<name>[^\s",;=]+)\s*(?:=\s*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<token>[^\s",]*)))?[^,]*/gv;

export function parseDirectives(value: string | undefined): Directives {
	if (value === undefined) {
		return none;
	}

	const directives = new Map<string, string | true>();
	for (const {groups} of value.matchAll(member)) {
		const name = groups!.name!.toLowerCase();
		if (!directives.has(name)) {
			directives.set(name, groups!.quoted?.replaceAll(/\\(?<escaped>.)/gv, '$<escaped>') ?? groups!.token ?? true);
		}
	}

	return directives;
}

/**
The directives of a request. `Pragma: no-cache` counts where there is no `Cache-Control` (RFC 9111 §5.4).
*/
export function requestDirectives(fields: Fields): Directives {
	const value = fieldValue(fields, 'cache-control');
	if (value !== undefined) {
		return parseDirectives(value);
	}

	return fields.pragma === undefined ? none : pragmaDirectives(fields);
}

function pragmaDirectives(fields: Fields): Directives {
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
