import {Buffer} from 'node:buffer';
import {SettingError} from '../errors.ts';
import {compare, maxJsonLength, redactJson} from './json.ts';
import {isRedacted, REDACTED, type Ignored} from './credentials.ts';

/**
Normalizes the parameters of a query or a form: escapes in one form, sorted by name. Repeated ones keep their order; `a` and `a=` differ.

@param includes - Whether a parameter is part of the result. Its name is decoded, its value is not; without `=` it is `undefined`.
*/
export function normalizeParameters(text: string, includes: (name: string, value: string | undefined) => boolean, isSorted = true): string {
	const included: Array<readonly [name: string, part: string]> = [];
	for (const raw of text.split('&')) {
		if (raw === '' && isSorted) {
			continue;
		}

		const part = normalizeEscapes(raw);
		const [name, value] = splitParameter(part);
		if (includes(decodeParameter(name), value)) {
			included.push([name, part]);
		}
	}

	if (isSorted && included.length > 1) {
		included.sort(([a], [b]) => compare(a, b));
	}

	return included.map(([, part]) => part).join('&');
}

/** Splits a parameter into its name and its value. */
function splitParameter(part: string): [name: string, value: string | undefined] {
	const index = part.indexOf('=');
	return index === -1 ? [part, undefined] : [part.slice(0, index), part.slice(index + 1)];
}

/** Decodes a name or a value of a parameter, or returns it unchanged if it cannot be decoded. */
function decodeParameter(text: string): string {
	if (!/[%+]/v.test(text)) {
		return text;
	}

	try {
		return decodeURIComponent(text.replaceAll('+', ' '));
	} catch {
		return text;
	}
}

/** Decodes the escapes of unreserved characters, and writes the others in upper case (RFC 3986 §6.2.2). */
function normalizeEscapes(text: string): string {
	// `%20` is frequent, and normal already.
	return text.includes('%') ? text.replaceAll(/%(?!20)[\da-f]{2}/giv, escape => normalEscapes[Number.parseInt(escape.slice(1), 16)]!) : text;
}

const normalEscapes: readonly string[] = Array.from({length: 256}, (_, code) => {
	const character = String.fromCodePoint(code);
	return /[\w\-.~]/v.test(character) ? character : `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
});

/**
Parses a URL.

@throws {TypeError} If the text is no absolute URL. Unlike the error of Node.js, it shows no credentials.
*/
export function parsedUrl(url: string | URL): URL {
	const parsed = URL.parse(String(url));
	if (parsed === null) {
		throw new SettingError('url', url, 'an absolute URL');
	}

	return parsed;
}

/**
Normalizes a URL for the key: scheme and host in lower case, no default port, no dot segments, IDN in ASCII (all by the URL parser), percent-encoding in one form, parameters sorted by name, no fragment, no user info.

@param includes - Whether a parameter of the query or the path is included. Without its value, one in the path includes its name and its place.
@param isStrict - Whether the parameters keep their order.
*/
export function normalizeUrl(url: URL, includes: ParameterPredicate, isStrict = false): string {
	const {protocol, host, pathname, search} = url;
	const query = search === '' ? '' : normalizeParameters(search.slice(1), (name, value) => includes('query', name, value), !isStrict);
	return `${protocol}//${host}${normalizePath(pathname, includes)}${query === '' ? '' : `?${query}`}`;
}

/** Whether a parameter is included in clear. Its name is decoded, its value is not; without `=` it is `undefined`. */
type ParameterPredicate = (where: 'query' | 'path', name: string, value: string | undefined) => boolean;

function normalizePath(path: string, includes: ParameterPredicate): string {
	const normalized = normalizeEscapes(path);
	return normalized.includes(';')
		? normalized.replaceAll(pathParameter, (whole, parameter: string) => {
			const [name, value] = splitParameter(parameter);
			return includes('path', decodeParameter(name), value) ? whole : `;${name}`;
		})
		: normalized;
}

// RFC 3986 §3.3: the parameters of a segment begin with a semicolon.
const pathParameter = /;(?<parameter>[^\/;]*)/gv;

/** Normalizes a URL as the name of a resource. */
export function resourceOf(url: string): string {
	return normalizeUrl(new URL(url), () => true);
}

/**
Redacts a URL: removes user info and fragment, and replaces the values of secret and ignored parameters in its query and its path (`;jsessionid=…`).
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

/**
Redacts a URL as `redactUrl` does.

@param href - As the URL parser writes it: without any of these characters, it stays as it is.
*/
export function redactHref(href: string, ignored: Ignored): string {
	return /[#;?@]/v.test(href) ? redactUrl(href, ignored) : href;
}

// RFC 3986 §3.3: servlet containers write the id of a session into the path.
const pathParameters = /;[^\/]*/gv;

/**
Replaces the values of secret and ignored parameters of a query, a form or a path segment.
*/
export function redactParameters(text: string, ignored: Ignored, separator: '&' | ';' = '&'): string {
	return text.split(separator).map(part => isSecret(part, ignored, 0) ? `${splitParameter(part)[0]}=${REDACTED}` : part).join(separator);
}

/**
Replaces the credentials of URLs in a text, such as a `Referer`, a `Destination`, a `Link` or a message. A text that is itself a credential is replaced as a whole.
*/
export function redactReferences(text: string, ignored: Ignored): string {
	if (!/[\/:;?]|^\s*(?:basic\s|bearer\s|eyj)/iv.test(text)) {
		return text;
	}

	const trimmed = text.trim();
	if (!absolute.test(trimmed) && containsCredential(trimmed, ignored)) {
		return REDACTED;
	}

	return text
		.replaceAll(embedded, url => isSecretUrl(url, url, ignored) ? redactedUrl(url, ignored) : url)
		.replaceAll(/<(?<path>[.\/?][^<>]*)>/gv, (whole, path: string) => containsCredential(path, ignored) ? `<${REDACTED}>` : whole);
}

// A URL in a text ends at white space, quotes and angle brackets, and where the next one of a list begins.
const embedded = /[a-z][\w+\-.]{1,20}:\/\/(?:(?!,\s*[a-z][\w+\-.]{1,20}:\/\/)[^\s"'<>])*/giv;

/** Redacts a URL in a text. If only user info would be removed, the whole URL is replaced, so that readers see that something is missing. */
function redactedUrl(url: string, ignored: Ignored): string {
	const redacted = URL.canParse(url) ? redactUrl(url, ignored) : REDACTED;
	return redacted.includes(REDACTED) ? redacted : REDACTED;
}

/**
Whether a reference has user info, or a secret or ignored parameter in its path, query or fragment.

@param base - The URL that a relative reference is resolved against.
*/
export function isSecretUrl(reference: string, base: string, ignored: Ignored, depth = 0): boolean {
	if (!URL.canParse(reference, base)) {
		// User info and parameters are also found in a text that is no URL.
		return /^[^\/]*\/\/[^\/]*@/v.test(reference) || hasSecretParameter(reference.replaceAll(/[#;?]/gv, '&'), ignored, depth);
	}

	const {username, password, pathname, search, hash} = new URL(reference, base);
	const own = /^(?:[a-z][\w+\-.]*:)?\/\//iv.test(reference);
	return (own && (username !== '' || password !== ''))
		|| hasSecretParameter(search.slice(1), ignored, depth)
		|| hasSecretParameter(hash.slice(1).replaceAll('?', '&'), ignored, depth)
		|| pathname.matchAll(pathParameters).some(([parameters]) => hasSecretParameter(parameters.slice(1).replaceAll(';', '&'), ignored, depth));
}

/** Whether a text looks like a form and has a secret parameter. */
export function isSecretForm(text: string, ignored: Ignored): boolean {
	return /^[^\s\u{26}=]+=\S*$/v.test(text) && hasSecretParameter(text, ignored, 0);
}

function hasSecretParameter(text: string, ignored: Ignored, depth: number): boolean {
	return text.split('&').some(part => isSecret(part, ignored, depth));
}

function isSecret(part: string, ignored: Ignored, depth: number): boolean {
	const [name, value] = splitParameter(part);
	return value !== undefined && value !== '' && value !== REDACTED
		&& (isRedacted(ignored, decodeParameter(name)) || isSecretValue(value, ignored, depth));
}

/**
Whether the value of a parameter contains a credential. A semicolon counts as a separator, as for servers that follow HTML 4.

@param value - Percent-encoded.
*/
export function isSecretValue(value: string, ignored: Ignored, depth = 0): boolean {
	if (value.length < minLength) {
		return false;
	}

	return (value.includes(';') && value.split(';').slice(1).some(part => isSecret(part, ignored, depth)))
		|| containsCredential(decodeParameter(value), ignored, depth);
}

/**
Whether a text contains a credential, whatever its name: a URL or a path with one, JSON with one, the value of an `Authorization` of the schemes `Basic` and `Bearer`, or a JSON Web Token.
*/
export function containsCredential(text: string, ignored: Ignored, depth = 0): boolean {
	if (text.length < minLength || !mayContainCredential.test(text)) {
		return false;
	}

	const trimmed = text.trim();
	if (isReference(trimmed)) {
		return depth >= maxDepth || isSecretUrl(trimmed, 'http://localhost/', ignored, depth + 1);
	}

	return /^[\[\{]/v.test(trimmed) ? isSecretJson(trimmed, ignored, depth) : isAuthorization(trimmed);
}

// The maximum depth of URLs and JSON in each other. A deeper value counts as a credential.
const maxDepth = 3;

// The beginning of a text, or of a JSON string, that may contain a credential. Hardly any text begins like this.
const mayContainCredential = /^"?\s*(?:[a-z][\w+\-.]*:\/\/|[.\/?\[\{]|bearer\s|basic\s|eyj)/iv;

/** The length of the shortest text with a credential, such as `?sig=1`. */
const minLength = 6;
const absolute = /^[a-z][\w+\-.]*:\/\//iv;
const relative = /^(?:\.{0,2}\/|\?)/v;

/** Whether a text is a URL, or a path with parameters. */
export function isReference(text: string): boolean {
	return absolute.test(text) || (relative.test(text) && /[#;?]/v.test(text));
}

function isSecretJson(text: string, ignored: Ignored, depth: number): boolean {
	if (text.length > maxJsonLength || depth >= maxDepth) {
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
	if (!value.startsWith('"') || value.length < minLength + 2) {
		return false;
	}

	const isEscaped = value.includes('\\');
	return (isEscaped || mayContainCredential.test(value)) && containsCredential(isEscaped ? JSON.parse(value) as string : value.slice(1, -1), ignored, depth);
}

function isAuthorization(text: string): boolean {
	const pair = basic.exec(text)?.groups?.pair;
	return bearer.test(text) || jsonWebToken.test(text) || (pair !== undefined && Buffer.from(pair, 'base64').includes(':'));
}

// RFC 6750 §2.1, RFC 7617 §2, RFC 7519 §3.
const bearer = /^bearer\s+[\w+\-.\/~]{8,}=*$/iv;
const basic = /^basic\s+(?<pair>[\w+\/]+=*)$/iv;
const jsonWebToken = /^eyJ[\w\-]+\.[\w\-]*\.[\w\-.]+$/v;
