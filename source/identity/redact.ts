import {fieldLines, type Fields} from '../policy/fields.ts';
import type {RawFields} from '../policy/stored-fields.ts';
import {credentialResponseHeaders} from './credentials.ts';
import {ignoresHeader, type Ignored} from './ignored.ts';
import {isSecretUrl} from './url.ts';

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

/** The references that a client follows. With a secret replaced, they would lead elsewhere. */
const references: ReadonlyArray<readonly [name: string, find: (line: string) => readonly string[]]> = [
	['location', line => [line]],
	['link', line => line.split('<').slice(1).map(part => part.split('>', 1)[0]!)],
	['refresh', line => line.matchAll(/url\s*=\s*["']?(?<target>[^"']*)/giv).map(({groups}) => groups!.target!).toArray()],
];

/**
Whether a response hands out a secret: by a header that is a credential, or by a URL with a secret in `Location`, `Link` or `Refresh`. It cannot be stored as it is, nor be of use without.

@param url - The URL that was asked for.
*/
export function handsOutSecret(fields: Fields, url: string, ignored: Ignored): boolean {
	return Object.keys(fields).some(name => credentialResponseHeaders.has(name))
		|| references.some(([name, find]) => fieldLines(fields, name).some(line => find(line).some(target => isSecretUrl(target, url, ignored))));
}
