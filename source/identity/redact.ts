import {fieldLines, type Fields} from '../policy/fields.ts';
import type {RawFields} from '../policy/stored-fields.ts';
import {
	ignoresHeader,
	REDACTED,
	type Ignored,
} from './ignored.ts';
import {isCredential} from './credentials.ts';
import {isSecretUrl, redactUrl} from './url.ts';

// What a stored response is used by: redacted, it would be served wrongly.
const needed = new Set([
	'accept-ranges',
	'age',
	'cache-control',
	'content-encoding',
	'content-language',
	'content-length',
	'content-location',
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
The header lines of a response as they may be stored: the values of ignored fields replaced, `Content-Location` without secrets.
*/
export function redactFields(raw: RawFields, url: string, ignored: Ignored): string[] {
	return raw.map((line, index) => {
		if (index % 2 === 0) {
			return line;
		}

		const name = raw[index - 1]!.toLowerCase();
		if (name === 'content-location') {
			return isSecretUrl(line, url, ignored) ? withoutSecrets(line, url, ignored) : line;
		}

		return !needed.has(name) && (isCredential(name) || ignoresHeader(ignored, name)) ? REDACTED : line;
	});
}

/** The references that are followed: with a secret replaced, they lead elsewhere. */
const references: ReadonlyArray<readonly [name: string, find: (line: string) => readonly string[]]> = [
	['location', line => [line]],
	['link', line => line.split('<').slice(1).map(part => part.split('>', 1)[0]!)],
	['refresh', line => line.matchAll(/url\s*=\s*["']?(?<target>[^"']*)/giv).map(({groups}) => groups!.target!).toArray()],
];

/**
Whether a response leads to a URL with a secret in it, by `Location`, `Link` or `Refresh`. It cannot be stored as it is, nor be of use without.
*/
export function leadsToSecret(fields: Fields, url: string, ignored: Ignored): boolean {
	return references.some(([name, find]) => fieldLines(fields, name).some(line => find(line).some(target => isSecretUrl(target, url, ignored))));
}

function withoutSecrets(reference: string, base: string, ignored: Ignored): string {
	return URL.canParse(reference, base) ? redactUrl(new URL(reference, base).href, ignored) : REDACTED;
}
