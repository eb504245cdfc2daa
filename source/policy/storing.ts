import {formatHttpDate} from './expiration.ts';
import type {RequestFacts, ReceivedFacts} from './facts.ts';
import {
	areTagsBounded,
	fieldLines,
	fieldValue,
	trimSpace,
	type Fields,
} from './fields.ts';
import {heuristicallyCacheable} from './freshness.ts';
import type {ResponseHead} from './types.ts';
import {canFreshen, hasValidator} from './validators.ts';

// Final status codes whose caching asks no more than is done here; 206 and 304 would (RFC 9111 §3.3, §4.3.3).
const understoodStatusCodes = new Set([...heuristicallyCacheable, 201, 202, 205, 302, 303, 307, 400, 401, 402, 403, 406, 407, 408, 409, 411, 413, 415, 421, 422, 426, 500, 502, 503, 504, 505].filter(code => code !== 206));

/** Whether the origin forbids to store the response (RFC 9111 §5.2.2.5); `must-understand` overrides that for a status code that is understood (§5.2.2.3). */
export function forbidsStoring({request: {settings}, response}: ReceivedFacts): boolean {
	return settings.cacheControl
		&& response.directives.noStore
		&& !(response.directives.mustUnderstand && understoodStatusCodes.has(response.statusCode));
}

/** Whether only a cache that understands the status code may store the response (RFC 9111 §5.2.2.3), and this one does not. */
export function isNotUnderstood({request: {settings}, response}: ReceivedFacts): boolean {
	return settings.cacheControl && response.directives.mustUnderstand && !understoodStatusCodes.has(response.statusCode);
}

/**
Whether anything lets a private cache store the response (RFC 9111 §3): explicit freshness, `public`, `private`, or a status code that is cacheable by itself.
*/
export function isCacheable({request: {settings}, response}: ReceivedFacts): boolean {
	return !settings.cacheControl
		|| response.explicitLifetime !== undefined
		|| response.directives.isPublic
		|| response.directives.isPrivate
		|| heuristicallyCacheable.has(response.statusCode);
}

/** RFC 9110 §9.3.3: a POST's response answers a later GET only where it says that it is the target's content, and for how long. */
export function answersLaterGet({request: {request}, response: {statusCode, fields, explicitLifetime}}: ReceivedFacts): boolean {
	const {url} = request;
	const location = fieldValue(fields, 'content-location');
	return statusCode >= 200
		&& statusCode < 300
		&& explicitLifetime !== undefined
		&& location !== undefined
		&& URL.parse(location, url)?.href === withoutFragment(url);
}

/** Whether a stored response could be neither served nor validated, nor stand in for an error. */
export function isUseless({request: {settings}, response, lifetime: {expires}, times}: ReceivedFacts): boolean {
	// An error that nobody may use fresh is no answer for other errors.
	const mayStandIn = settings.staleIfError > 0 && response.statusCode < 400;
	if (mayStandIn || expires === undefined || expires > times.received || hasValidator(response)) {
		return false;
	}

	const {staleIfError, staleWhileRevalidate} = response.directives;
	return !settings.cacheControl || (staleIfError === undefined && staleWhileRevalidate === undefined);
}

/** Whether no other request can be known to match the response (RFC 9111 §4.1): its `Vary` is `*`, names too many fields, or is malformed. */
export function variesByEverything({response}: ReceivedFacts): boolean {
	return response.vary === '*';
}

/** Whether the response has more tags than one may have. A renewal adds to the tags of the stored response and takes none away: what is stored may have been named by them before. */
export function bringsTooManyTags({response: {tags}, sent: {stored}}: ReceivedFacts, isRenewal: boolean): boolean {
	return !areTagsBounded(isRenewal ? [...stored?.tags ?? [], ...tags] : tags);
}

/**
What becomes of a stored response for which a 304 came.

@returns `'write'` to store it anew, `'leave'` where the 304 is about another response, `'give'` to serve it freshened and leave what is stored (`readOnly`), `'drop'` to serve it and delete what is stored, since it could not be stored anew.
*/
export function effectOfNotModified(facts: ReceivedFacts): 'write' | 'leave' | 'give' | 'drop' {
	const {request: {settings}, response, sent, merged} = facts;
	if (!canFreshen(sent.stored!.fields, response.fields)) {
		return 'leave';
	}

	if (settings.readOnly) {
		return 'give';
	}

	return forbidsStoring(merged) || isNotUnderstood(merged) || variesByEverything(merged) || bringsTooManyTags(facts, true) ? 'drop' : 'write';
}

/**
What a request has made invalid: what is stored of a resource, for whomever.
*/
type Invalidated = {
	/** The URL of the resource, without a fragment. */
	readonly url: string;

	/** Whether what is stored for the very method of the request (with its override, if any) stays valid. */
	readonly sparesOwnMethod: boolean;
};

/**
What a request has made invalid (RFC 9111 §4.4): its own target, and those of the same origin that the answer names. The method that is sent counts, and the one that overrides it.

A user who puts an unsafe method among `allowableMethods` says that its responses answer later requests by it: a request by it does not make invalid what others by it, with other bodies, have got from the same URL. For all other methods it is as unsafe as ever.
*/
export function invalidatedBy({request, settings, isMethodAllowed}: RequestFacts, {statusCode, fields}: ResponseHead): readonly Invalidated[] {
	const {method, override = method, url} = request;
	const counts = settings.cacheControl && !settings.disabled && !settings.readOnly;
	const target = URL.parse(url);
	if (!counts || target === null || isSafe(method, override) || statusCode < 200 || statusCode >= 400) {
		return [];
	}

	const named = [...fieldLines(fields, 'location'), ...fieldLines(fields, 'content-location')]
		.map(location => URL.parse(location, target.href))
		.filter(other => other !== null && isSameOrigin(other, target))
		.map(other => withoutFragment(other!));
	const own = withoutFragment(target);
	return [...new Set([own, ...named])].map(invalid => ({url: invalid, sparesOwnMethod: isMethodAllowed && invalid === own}));
}

// RFC 9110 §9.2.1, and `QUERY`. A method that is not known may change anything (RFC 9111 §4.4).
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY']);

/** Whether a request by a method, and by one that overrides it, changes nothing. */
export function isSafe(method: string, override: string = method): boolean {
	return safeMethods.has(method) && safeMethods.has(override);
}

// Not by `origin`, which is `null` for schemes that URLs know nothing of.
function isSameOrigin(url: URL, target: URL): boolean {
	return url.protocol === target.protocol && url.host === target.host;
}

/** A URL without its fragment, which no request sends. */
export function withoutFragment(url: string | URL): string {
	const target = new URL(url);
	target.hash = '';
	return target.href;
}

/**
Whether a body that ended without an error is as long as it was announced (RFC 9112 §8, RFC 9110 §8.6). One that has more is never whole: nobody knows what of it is the content.
*/
export function isWhole(method: string, {statusCode, fields}: ResponseHead, byteLength: number): boolean {
	const length = contentLength(fields);
	if (length === undefined) {
		return true;
	}

	const mayBeLess = method === 'HEAD' || fields['transfer-encoding'] !== undefined || statusesWithoutContent.has(statusCode);
	return mayBeLess ? !(byteLength > length) : byteLength === length;
}

/**
The number of bytes that a response announces for its body, if it has one (RFC 9112 §6.3); `undefined` where that is not known.
*/
export function announcedLength(fields: Fields): number | undefined {
	const length = contentLength(fields);
	return fields['transfer-encoding'] !== undefined || Number.isNaN(length) ? undefined : length;
}

/** The value of `Content-Length`: `NaN` where it is no number of bytes, `undefined` where there is none. */
function contentLength(fields: Fields): number | undefined {
	const value = fieldValue(fields, 'content-length');
	if (value === undefined) {
		return undefined;
	}

	const text = trimSpace(value);
	return /^\d+$/v.test(text) ? Number(text) : NaN;
}

const statusesWithoutContent = new Set([204, 205, 304]);

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
	// The age that the stored response had is over, and its date is that of the 304.
	const replaced = new Set([...fieldNames(news), ...withheld, 'age', 'date']);
	return [...filterLines(stored, name => !replaced.has(name)), ...news];
}

// What describes the stored bytes stays with them (RFC 9111 §3.2): a 304 has no content, and what it says of one is of another.
const describingContent = new Set(['content-encoding', 'content-length', 'content-range']);

/** The header lines with a `Date`: that of the moment when the response came, where the origin gives none (RFC 9110 §6.6.1). */
export function datedFields(raw: RawFields, received: number): RawFields {
	return fieldNames(raw).includes('date') ? raw : [...raw, 'Date', formatHttpDate(received)];
}

/**
The header lines with one field in a single line, at the end.
*/
export function replaceField(raw: RawFields, name: string, value: string): string[] {
	return [...withoutField(raw, name), name, value];
}

/** The header lines without those of one field. */
export function withoutField(raw: RawFields, name: string): string[] {
	return filterLines(raw, other => other !== name.toLowerCase());
}

/** The header lines of the 304 that a stored response gives. */
export function notModifiedFields(raw: RawFields): string[] {
	return filterLines(raw, name => ofNotModified.has(name));
}

// RFC 9110 §15.4.5: what a 304 must have, and no more than that.
const ofNotModified = new Set(['cache-control', 'content-location', 'date', 'etag', 'expires', 'last-modified', 'vary']);

function connectionListed(raw: RawFields): string[] {
	const listed: string[] = [];
	for (let index = 0; index < raw.length; index += 2) {
		if (raw[index]!.toLowerCase() === 'connection') {
			listed.push(...raw[index + 1]!.toLowerCase().matchAll(tokens).map(([name]) => name));
		}
	}

	return listed;
}

// Whatever separates the names: a list that is malformed must not let more fields be stored.
const tokens = /[\w!#$%\u{26}'*+\-.^`\|~]+/gv;

function filterLines(raw: RawFields, keep: (name: string) => boolean): string[] {
	const lines: string[] = [];
	for (let index = 0; index < raw.length; index += 2) {
		if (keep(raw[index]!.toLowerCase())) {
			lines.push(raw[index]!, raw[index + 1]!);
		}
	}

	return lines;
}

function fieldNames(raw: RawFields): string[] {
	return raw.filter((_line, index) => index % 2 === 0).map(name => name.toLowerCase());
}
