import {fieldValue, type Fields} from '../policy/fields.ts';
import {isCredential} from './credentials.ts';
import {ignoresHeader} from './ignored.ts';
import type {Sieve} from './key-parts.ts';
import type {MatchSettings} from './types.ts';

// They belong to the connection, say how to cache, or ask for a part or a comparison: not what is asked for.
const neverMatched = new Set([
	'cache-control',
	'connection',
	'content-length',
	'expect',
	'host',
	'if-match',
	'if-modified-since',
	'if-none-match',
	'if-range',
	'if-unmodified-since',
	'keep-alive',
	'pragma',
	'proxy-connection',
	'range',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
]);

/**
The headers that part the key, by `matchHeaders`: sorted, names in lower case.

With `true`, all but those of the connection and those ignored. One that is listed parts the key whatever else is said of it; where its value is secret it is sealed.
*/
export function matchedHeaders(headers: Fields, {matchHeaders, ignoredParameters}: MatchSettings, sieve: Sieve): ReadonlyArray<readonly [name: string, value: string]> {
	if (matchHeaders === false) {
		return [];
	}

	const isMatched = (name: string): boolean => !neverMatched.has(name) && !name.startsWith(':') && !ignoresHeader(ignoredParameters, name);
	const names = matchHeaders === true ? Object.keys(headers).filter(name => isMatched(name)) : [...matchHeaders];
	const selected: Array<readonly [string, string]> = [];
	for (const name of names.toSorted()) {
		const value = fieldValue(headers, name);
		if (value === undefined) {
			continue;
		}

		if (isCredential(name) || ignoresHeader(ignoredParameters, name)) {
			sieve.seal('match', name, value);
		} else {
			sieve.show(value);
			selected.push([name, normalizeValue(name, value)]);
		}
	}

	return selected;
}

// RFC 9110 §8.3.1, §12.5: media types, charsets, codings and languages have no letter case.
const caseless = new Set(['accept', 'accept-charset', 'accept-encoding', 'accept-language']);

/** The members of a list in one order, without white space around them. */
function normalizeValue(name: string, value: string): string {
	const text = caseless.has(name) ? value.toLowerCase() : value;
	return text.includes(',')
		? text.split(',').map(part => part.trim()).filter(part => part !== '').toSorted().join(',')
		: text.trim();
}
