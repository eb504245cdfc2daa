import {type Dictionary, parseDictionary, Token} from 'structured-headers';
import type {Directives} from './directives.ts';
import {fieldValue, type Fields} from './fields.ts';

/**
The directives of the first targeted field that counts (RFC 9213 §2.2); `undefined` where none does, so that `Cache-Control` and `Expires` do.

A field that is empty or that is no structured dictionary is passed over.

@param targets - Lower-case names, the most specific first: `['example-cache-control', 'cdn-cache-control']`.
*/
export function targetedDirectives(fields: Fields, targets: readonly string[]): Directives | undefined {
	for (const target of targets) {
		const dictionary = parse(fieldValue(fields, target) ?? '');
		if (dictionary.size > 0) {
			return new Map(dictionary.entries().flatMap(([name, [value]]) => directive(name, value)));
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

const fieldLists = new Set(['no-cache', 'private']);

function directive(name: string, value: unknown): ReadonlyArray<[string, string | true]> {
	if (typeof value === 'boolean') {
		return value ? [[name, true]] : [];
	}

	return [[name, fieldLists.has(name) ? fieldList(value) : argument(value)]];
}

// What does not name fields qualifies nothing: the directive holds for the whole response.
function fieldList(value: unknown): string | true {
	return typeof value === 'string' || value instanceof Token ? String(value) : true;
}

// RFC 9213 §2.1: seconds are an integer. The text of any other number, and nothing, are invalid for whoever counts in them.
function argument(value: unknown): string {
	return typeof value === 'number' || value instanceof Token ? String(value) : '';
}
