import {normalizeFieldValue, fieldValue, type Fields} from '../policy/fields.ts';
import {matchedContentType} from './body.ts';
import {classifyName, ignoresHeader, REDACTED} from './credentials.ts';
import type {KeyParts} from './key-parts.ts';
import type {IdentitySettings} from './types.ts';

// They belong to the connection, say how to cache, or ask for a part or a comparison. `Host` is part of every key by itself.
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
The request headers that are included in the key by `matchHeaders`: sorted, names in lower case.

With `true`, all but those of the connection and those that are ignored. A header that is listed is included whatever else is said of it, but for `Host`; where its value is secret, it is hashed.
*/
export function matchedHeaders(headers: Fields, {matchHeaders, ignoredParameters}: IdentitySettings, parts: KeyParts): ReadonlyArray<readonly [name: string, value: string]> {
	if (matchHeaders === false) {
		return [];
	}

	const isMatched = (name: string): boolean => !neverMatched.has(name) && !name.startsWith(':') && !ignoresHeader(ignoredParameters, name);
	const names = matchHeaders === true ? Object.keys(headers).filter(name => isMatched(name)) : matchHeaders.filter(name => name !== 'host');
	const selected: Array<readonly [string, string]> = [];
	for (const name of names.toSorted()) {
		const value = fieldValue(headers, name);
		if (value === undefined) {
			continue;
		}

		if (classifyName(name) !== 'plain' || ignoresHeader(ignoredParameters, name)) {
			parts.hash('match', name, value);
		} else if (parts.keepsHeader('reference', name, value)) {
			// The boundary of form data is another each time, and its parts count by themselves.
			selected.push([name, name === 'content-type' ? matchedContentType(value, /^\s*multipart\//iv.test(value)) : normalizeFieldValue(name, value)]);
		}
	}

	return selected;
}
