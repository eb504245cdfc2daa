import {fieldLines, type Fields} from '../policy/fields.ts';
import type {RawFields} from '../policy/storing.ts';
import {credentialResponseHeaders, ignoresHeader, type Ignored} from './credentials.ts';
import {isReference, isSecretUrl} from './references.ts';

// Without them, a stored response would be used wrongly, whatever the settings ignore.
const needed = new Set([
	'accept-ranges',
	'age',
	'cache-control',
	'content-encoding',
	'content-language',
	'content-length',
	'content-range',
	'content-type',
	'date',
	'etag',
	'expires',
	'last-modified',
	'link',
	'location',
	'pragma',
	'refresh',
	'vary',
]);

/**
The header lines of a response that may be stored. Lines that the settings ignore are left out, and so is a `Content-Location` with a secret: a caller gets no value that the origin did not send.
*/
export function storableLines(raw: RawFields, url: string, ignored: Ignored): string[] {
	const lines: string[] = [];
	for (let index = 0; index < raw.length; index += 2) {
		const [name, value] = [raw[index]!, raw[index + 1]!];
		if (isStorable(name.toLowerCase(), value, url, ignored)) {
			lines.push(name, value);
		}
	}

	return lines;
}

function isStorable(name: string, value: string, url: string, ignored: Ignored): boolean {
	return name === 'content-location' ? !isSecretUrl(value, url, ignored) : needed.has(name) || !ignoresHeader(ignored, name);
}

// Of a field, no more references are looked through: one among the others might be secret, so that the response is not stored.
const mostReferences = 100;

/** The references that a client follows. With a secret replaced, they would lead elsewhere. */
const references: ReadonlyMap<string, (line: string) => readonly string[]> = new Map([
	['location', line => [line]],
	['link', line => line.split('<', mostReferences + 2).slice(1).map(part => part.split('>', 1)[0]!)],
	// HTML, “shared declarative refresh steps”: neither `url=` nor the semicolon must be there.
	['refresh', line => [line.replace(/^[\s\d.]*[,;]?\s*(?:url\s*=\s*)?["']?/iv, '')]],
]);

/** Any other field whose value is a URL is for the caller, who would miss it. Of a `Content-Location` nobody does. */
const referencesOfOthers = (line: string): readonly string[] => isReference(line.trim()) ? [line.trim()] : [];

/**
Whether a response hands out a secret: by a header that is a credential, or by a URL with a secret, as in `Location`, `Link` or `Refresh`, or may do so, since a field has more than 100 references. It cannot be stored as it is, nor be of use without.

@param url - The URL that was asked for.
*/
export function handsOutSecret(fields: Fields, url: string, ignored: Ignored): boolean {
	return Object.keys(fields).some(name => credentialResponseHeaders.has(name) || leadsToSecret(name, fields, url, ignored));
}

function leadsToSecret(name: string, fields: Fields, url: string, ignored: Ignored): boolean {
	if (name === 'content-location' || (!needed.has(name) && ignoresHeader(ignored, name))) {
		return false;
	}

	const find = references.get(name) ?? referencesOfOthers;
	const targets = fieldLines(fields, name).flatMap(line => find(line));
	return targets.length > mostReferences || targets.some(target => isSecretUrl(target, url, ignored));
}
