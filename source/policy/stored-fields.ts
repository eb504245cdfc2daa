import {formatHttpDate} from './dates.ts';

/**
Header lines as they came: name, value, name, value; names keep their letter case.
*/
export type RawFields = readonly string[];

// Fields that belong to one connection or one exchange (RFC 9111 §3.1, RFC 9110 §7.6.1).
const neverStored = new Set([
	'connection',
	'keep-alive',
	'proxy-authenticate',
	'proxy-authentication-info',
	'proxy-authorization',
	'proxy-connection',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
]);

/** The fields that set a cookie. Unless the settings say otherwise, they are not stored: a cookie is for one client at one time. */
export const cookieFields: readonly string[] = ['set-cookie', 'set-cookie2'];

// What describes the stored bytes stays with them (RFC 9111 §3.2): a 304 has no content, and what it says of one is of another.
const describingContent = new Set(['content-encoding', 'content-length', 'content-range']);

/**
The header lines of a response that may be stored (RFC 9111 §3.1).

@param withheld - Further fields, in lower case, that are not to be stored.
*/
export function storableFields(raw: RawFields, withheld: readonly string[]): string[] {
	const excluded = new Set([...neverStored, ...connectionListed(raw), ...withheld]);
	// RFC 9113 §8.3: pseudo-headers are no fields; http2-wrapper (Got 15) lists them among the lines.
	return filterLines(raw, name => !excluded.has(name) && !name.startsWith(':'));
}

/**
The stored header lines, updated by those of a 304 (RFC 9111 §3.2): a field that the 304 has replaces all lines of that name.
*/
export function freshenedFields(stored: RawFields, update: RawFields, withheld: readonly string[]): string[] {
	const news = filterLines(storableFields(update, withheld), name => !describingContent.has(name));
	// How old it was is over, and when it was made is said anew.
	const replaced = new Set([...names(news), ...withheld, 'age', 'date']);
	return [...filterLines(stored, name => !replaced.has(name)), ...news];
}

/** RFC 9110 §6.6.1: what came without a date is of the moment when it came. */
export function datedFields(raw: RawFields, received: number): RawFields {
	return names(raw).includes('date') ? raw : [...raw, 'Date', formatHttpDate(received)];
}

/**
The header lines with one field in a single line, at the end.
*/
export function replaceField(raw: RawFields, name: string, value: string): string[] {
	return [...filterLines(raw, other => other !== name.toLowerCase()), name, value];
}

// RFC 9110 §15.4.5: what a 304 must have, and no more than that.
const ofNotModified = new Set(['cache-control', 'content-location', 'date', 'etag', 'expires', 'last-modified', 'vary']);

/** The header lines of the 304 that a stored response gives. */
export function notModifiedFields(raw: RawFields): string[] {
	return filterLines(raw, name => ofNotModified.has(name));
}

// Whatever parts them: what is broken lets nothing more be stored.
const tokens = /[\w!#$%\u{26}'*+\-.^`\|~]+/gv;

function connectionListed(raw: RawFields): string[] {
	const listed: string[] = [];
	for (let index = 0; index < raw.length; index += 2) {
		if (raw[index]!.toLowerCase() === 'connection') {
			listed.push(...raw[index + 1]!.toLowerCase().matchAll(tokens).map(([name]) => name));
		}
	}

	return listed;
}

function filterLines(raw: RawFields, keep: (name: string) => boolean): string[] {
	const lines: string[] = [];
	for (let index = 0; index < raw.length; index += 2) {
		if (keep(raw[index]!.toLowerCase())) {
			lines.push(raw[index]!, raw[index + 1]!);
		}
	}

	return lines;
}

function names(raw: RawFields): string[] {
	return raw.filter((_line, index) => index % 2 === 0).map(name => name.toLowerCase());
}
