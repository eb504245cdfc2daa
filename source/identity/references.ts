import {Buffer} from 'node:buffer';
import {describe} from '../errors.ts';
import {compare, maxJsonLength, redactJson} from './json.ts';
import {isRedacted, REDACTED, type Ignored} from './credentials.ts';

/**
The parameters of a query or a form, escapes in one form, sorted by name if they are to be. Repeated ones keep their order; `a` and `a=` stay apart.

@param keeps - Whether a parameter is part of the result; its name is decoded, its value is not, and `undefined` where there is no `=`.
*/
export function normalizeParameters(text: string, keeps: (name: string, value: string | undefined) => boolean, isSorted = true): string {
	const kept: Array<readonly [name: string, part: string]> = [];
	for (const raw of text.split('&')) {
		if (raw === '' && isSorted) {
			continue;
		}

		const part = normalizeEscapes(raw);
		const [name, value] = split(part);
		if (keeps(decode(name), value)) {
			kept.push([name, part]);
		}
	}

	if (isSorted && kept.length > 1) {
		kept.sort(([a], [b]) => compare(a, b));
	}

	return kept.map(([, part]) => part).join('&');
}

/** The name and the value of a parameter, as they are written. */
export function split(part: string): [name: string, value: string | undefined] {
	const index = part.indexOf('=');
	return index === -1 ? [part, undefined] : [part.slice(0, index), part.slice(index + 1)];
}

/** A name or a value of a parameter; as it is written where it cannot be decoded. */
export function decode(text: string): string {
	if (!/[%+]/v.test(text)) {
		return text;
	}

	try {
		return decodeURIComponent(text.replaceAll('+', ' '));
	} catch {
		return text;
	}
}

/** RFC 3986 §6.2.2: escapes of unreserved characters are undone, the others written in upper case. */
export function normalizeEscapes(text: string): string {
	// A space has one form only, and texts have many of them.
	return text.includes('%') ? text.replaceAll(/%(?!20)[\da-f]{2}/giv, escape => normalEscapes[Number.parseInt(escape.slice(1), 16)]!) : text;
}

const normalEscapes: readonly string[] = Array.from({length: 256}, (_, code) => {
	const character = String.fromCodePoint(code);
	return /[\w\-.~]/v.test(character) ? character : `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
});

/**
Parses a URL.

@throws {TypeError} Where the text is no absolute URL. The error of Node.js would show the whole text, with its credentials.
*/
export function parsedUrl(url: string | URL): URL {
	const parsed = URL.parse(String(url));
	if (parsed === null) {
		throw new TypeError(`Expected \`url\` to be an absolute URL, got ${describe(url)}`);
	}

	return parsed;
}

/**
The URL as it is part of the key: scheme and host in lower case, no default port, no dot segments, IDN in ASCII (all by the URL parser), percent-encoding in one form, parameters sorted by name, no fragment, no user info.

@param keeps - Whether a parameter of the query, or of a segment of the path, is part of it. Of one in the path that is not, the name stays, since its place counts.
@param isStrict - Leaves the parameters in the order in which they came: only the origin knows whether it matters.
*/
export function normalizeUrl(url: URL, keeps: KeepsParameter, isStrict = false): string {
	const {protocol, host, pathname, search} = url;
	const query = search === '' ? '' : normalizeParameters(search.slice(1), (name, value) => keeps('query', name, value), !isStrict);
	return `${protocol}//${host}${normalizePath(pathname, keeps)}${query === '' ? '' : `?${query}`}`;
}

/** Whether a parameter is part of the key in clear: its name is decoded, its value is not, and `undefined` where there is no `=`. */
type KeepsParameter = (where: 'query' | 'path', name: string, value: string | undefined) => boolean;

function normalizePath(path: string, keeps: KeepsParameter): string {
	const normalized = normalizeEscapes(path);
	return normalized.includes(';')
		? normalized.replaceAll(pathParameter, (whole, parameter: string) => {
			const [name, value] = split(parameter);
			return keeps('path', decode(name), value) ? whole : `;${name}`;
		})
		: normalized;
}

// RFC 3986 §3.3: parameters of a segment begin with a semicolon.
const pathParameter = /;(?<parameter>[^\/;]*)/gv;

/** The resource that a URL names, whoever asks and however its parameters are ordered. */
export function resourceOf(url: string): string {
	return normalizeUrl(new URL(url), () => true);
}

/**
The URL as it may be stored and shown: without user info and fragment, with the values of secret and ignored parameters replaced, in its query and in its path (`;jsessionid=…`).
*/
export function redactUrl(url: string, ignored: Ignored): string {
	const redacted = new URL(url);
	// Each assignment parses the whole URL again.
	if (redacted.username !== '' || redacted.password !== '') {
		redacted.username = '';
		redacted.password = '';
	}

	if (redacted.href.includes('#')) {
		redacted.hash = '';
	}

	if (redacted.search !== '') {
		redacted.search = redactParameters(redacted.search.slice(1), ignored);
	}

	if (redacted.pathname.includes(';')) {
		redacted.pathname = redacted.pathname.replaceAll(pathParameters, parameters => `;${redactParameters(parameters.slice(1), ignored, ';')}`);
	}

	return redacted.href;
}

// RFC 3986 §3.3: servlet containers write a session's id into the path so.
const pathParameters = /;[^\/]*/gv;

/**
The parameters of a query, a form or a path segment in their order, with the values of secret and ignored ones replaced.
*/
export function redactParameters(text: string, ignored: Ignored, separator: '&' | ';' = '&'): string {
	return text.split(separator).map(part => isSecret(part, ignored, 0) ? `${split(part)[0]}=${REDACTED}` : part).join(separator);
}

/**
A text without the credentials of URLs in it: of `Referer`, `Destination`, `Link`, of a message. One that is a credential by its form is replaced as a whole. The rest stays as it is written.
*/
export function redactReferences(text: string, ignored: Ignored): string {
	if (!/[\/:;?]|^\s*(?:basic\s|bearer\s|eyj)/iv.test(text)) {
		return text;
	}

	const trimmed = text.trim();
	if (!absolute.test(trimmed) && holdsCredential(trimmed, ignored)) {
		return REDACTED;
	}

	return text
		.replaceAll(embedded, url => isSecretUrl(url, url, ignored) ? redactedUrl(url, ignored) : url)
		.replaceAll(/<(?<path>[.\/?][^<>]*)>/gv, (whole, path: string) => holdsCredential(path, ignored) ? `<${REDACTED}>` : whole);
}

// A URL in a text ends at white space, quotes and angle brackets, and where the next one of a list begins.
const embedded = /[a-z][\w+\-.]{1,20}:\/\/(?:(?!,\s*[a-z][\w+\-.]{1,20}:\/\/)[^\s"'<>])*/giv;

/** The URL without its credentials. A URL of which only user info was removed is replaced as a whole, so that readers see that something is missing. */
function redactedUrl(url: string, ignored: Ignored): string {
	const redacted = URL.canParse(url) ? redactUrl(url, ignored) : REDACTED;
	return redacted.includes(REDACTED) ? redacted : REDACTED;
}

/**
Whether a reference has user info, or a parameter in its path, query or fragment whose value may not be stored.

@param base - The URL that a relative reference is resolved against.
*/
export function isSecretUrl(reference: string, base: string, ignored: Ignored, depth = 0): boolean {
	if (!URL.canParse(reference, base)) {
		// A parameter is found in a text that is no URL, too, and user info.
		return /^[^\/]*\/\/[^\/]*@/v.test(reference) || hasSecretParameter(reference.replaceAll(/[#;?]/gv, '&'), ignored, depth);
	}

	const {username, password, pathname, search, hash} = new URL(reference, base);
	const own = /^(?:[a-z][\w+\-.]*:)?\/\//iv.test(reference);
	return (own && (username !== '' || password !== ''))
		|| hasSecretParameter(search.slice(1), ignored, depth)
		|| hasSecretParameter(hash.slice(1).replaceAll('?', '&'), ignored, depth)
		|| pathname.matchAll(pathParameters).some(([parameters]) => hasSecretParameter(parameters.slice(1).replaceAll(';', '&'), ignored, depth));
}

/** Whether a text is written like a form, and a parameter of it is a credential. */
export function isSecretForm(text: string, ignored: Ignored): boolean {
	return /^[^\s\u{26}=]+=\S*$/v.test(text) && hasSecretParameter(text, ignored, 0);
}

function hasSecretParameter(text: string, ignored: Ignored, depth: number): boolean {
	return text.split('&').some(part => isSecret(part, ignored, depth));
}

function isSecret(part: string, ignored: Ignored, depth: number): boolean {
	const [name, value] = split(part);
	return value !== undefined && value !== '' && value !== REDACTED
		&& (isRedacted(ignored, decode(name)) || isSecretValue(value, ignored, depth));
}

/**
Whether the value of a parameter has a credential in it. Servers that follow HTML 4 take a semicolon for an ampersand.

@param value - As it is written, percent-encoded.
*/
export function isSecretValue(value: string, ignored: Ignored, depth = 0): boolean {
	if (value.length < shortest) {
		return false;
	}

	return (value.includes(';') && value.split(';').slice(1).some(part => isSecret(part, ignored, depth)))
		|| holdsCredential(decode(value), ignored, depth);
}

/**
Whether a text has a credential in it, whatever it is called: it is a URL or a path with one (RFC 3986 §3.2.1 for user info), JSON with one, what an `Authorization` of the schemes `Basic` and `Bearer` has, or a JSON Web Token.
*/
export function holdsCredential(text: string, ignored: Ignored, depth = 0): boolean {
	if (text.length < shortest || !mayHold.test(text)) {
		return false;
	}

	const trimmed = text.trim();
	if (isReference(trimmed)) {
		return depth >= deepest || isSecretUrl(trimmed, 'http://localhost/', ignored, depth + 1);
	}

	return /^[\[\{]/v.test(trimmed) ? isSecretJson(trimmed, ignored, depth) : isAuthorization(trimmed);
}

// URLs are looked for in URLs up to this depth. A deeper one counts as a credential: then its text is replaced.
const deepest = 3;

// How a text, or a string of JSON, begins that may have a credential in it. Nearly all texts do not begin so, and are not looked at any further.
const mayHold = /^"?\s*(?:[a-z][\w+\-.]*:\/\/|[.\/?\[\{]|bearer\s|basic\s|eyj)/iv;

/** The length of the shortest text with a credential, such as `?sig=1`. */
const shortest = 6;
const absolute = /^[a-z][\w+\-.]*:\/\//iv;
const relative = /^(?:\.{0,2}\/|\?)/v;

/** Whether a text is a URL, or a path with parameters. */
export function isReference(text: string): boolean {
	return absolute.test(text) || (relative.test(text) && /[#;?]/v.test(text));
}

function isSecretJson(text: string, ignored: Ignored, depth: number): boolean {
	if (text.length > maxJsonLength || depth >= deepest) {
		return true;
	}

	let isFound = false;
	redactJson(text, (path, value, isString) => {
		const name = path.at(-1);
		isFound ||= (typeof name === 'string' && isRedacted(ignored, name)) || (isString && isSecretString(value, ignored, depth + 1));
		return false;
	});
	return isFound;
}

/**
Whether a value of JSON is a string with a credential in it.

@param value - Canonical JSON.
*/
export function isSecretString(value: string, ignored: Ignored, depth = 0): boolean {
	if (!value.startsWith('"') || value.length < shortest + 2) {
		return false;
	}

	const isEscaped = value.includes('\\');
	return (isEscaped || mayHold.test(value)) && holdsCredential(isEscaped ? JSON.parse(value) as string : value.slice(1, -1), ignored, depth);
}

function isAuthorization(text: string): boolean {
	const pair = basic.exec(text)?.groups?.pair;
	return bearer.test(text) || jsonWebToken.test(text) || (pair !== undefined && Buffer.from(pair, 'base64').includes(':'));
}

// RFC 6750 §2.1, RFC 7617 §2, RFC 7519 §3.
const bearer = /^bearer\s+[\w+\-.\/~]{8,}=*$/iv;
const basic = /^basic\s+(?<pair>[\w+\/]+=*)$/iv;
const jsonWebToken = /^eyJ[\w\-]+\.[\w\-]*\.[\w\-.]+$/v;
