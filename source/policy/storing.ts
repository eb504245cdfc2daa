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

// The final status codes that this cache understands. 206 and 304 would need more (RFC 9111 §3.3, §4.3.3).
const understoodStatusCodes = new Set([...heuristicallyCacheable, 201, 202, 205, 302, 303, 307, 400, 401, 402, 403, 406, 407, 408, 409, 411, 413, 415, 421, 422, 426, 500, 502, 503, 504, 505].filter(code => code !== 206));

/** Whether the origin forbids to store the response (RFC 9111 §5.2.2.5). With `must-understand`, `no-store` does not count for a status code that is understood (§5.2.2.3). */
export function forbidsStoring({request: {settings}, response}: ReceivedFacts): boolean {
	return settings.cacheControl
		&& response.directives.noStore
		&& !(response.directives.mustUnderstand && understoodStatusCodes.has(response.statusCode));
}

/** Whether the response has `must-understand` and a status code that this cache does not understand (RFC 9111 §5.2.2.3). */
export function isNotUnderstood({request: {settings}, response}: ReceivedFacts): boolean {
	return settings.cacheControl && response.directives.mustUnderstand && !understoodStatusCodes.has(response.statusCode);
}

/**
Whether a private cache may store the response (RFC 9111 §3): by an explicit lifetime, `public`, `private`, or a heuristically cacheable status code.
*/
export function isCacheable({request: {settings}, response}: ReceivedFacts): boolean {
	return !settings.cacheControl
		|| response.explicitLifetime !== undefined
		|| response.directives.isPublic
		|| response.directives.isPrivate
		|| heuristicallyCacheable.has(response.statusCode);
}

/** Whether the response to a POST answers a later GET (RFC 9110 §9.3.3): it has an explicit lifetime, and its `Content-Location` is the target. */
export function answersLaterGet({request: {request}, response: {statusCode, fields, explicitLifetime}}: ReceivedFacts): boolean {
	const {url} = request;
	const location = fieldValue(fields, 'content-location');
	return statusCode >= 200
		&& statusCode < 300
		&& explicitLifetime !== undefined
		&& location !== undefined
		&& URL.parse(location, url)?.href === withoutFragment(url);
}

/** Whether the response could never be used if it were stored: neither fresh, nor after validation, nor instead of an error. */
export function isUseless({request: {settings}, response, lifetime: {expires}, times}: ReceivedFacts): boolean {
	// An error that is already stale does not replace another error.
	const replacesErrors = settings.staleIfError > 0 && response.statusCode < 400;
	if (replacesErrors || expires === undefined || expires > times.received || hasValidator(response)) {
		return false;
	}

	const {staleIfError, staleWhileRevalidate} = response.directives;
	return !settings.cacheControl || (staleIfError === undefined && staleWhileRevalidate === undefined);
}

/** Whether no other request matches the response (RFC 9111 §4.1): its `Vary` is `*`, has too many names, or is malformed. */
export function variesByEverything({response}: ReceivedFacts): boolean {
	return response.vary === '*';
}

/** Whether the response has too many tags. The tags of an update are added to those of the stored response, of which none is removed. */
export function bringsTooManyTags({response: {tags}, sent: {stored}}: ReceivedFacts, isUpdate: boolean): boolean {
	return !areTagsBounded(isUpdate ? [...stored?.tags ?? [], ...tags] : tags);
}

/**
Returns the effect of a 304 on the stored response: `'write'` updates it, `'leave'` does not, since the 304 is about another response, `'give'` serves the update without storing it (`readOnly`), `'drop'` serves the update and deletes the stored response, since the update must not be stored.
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
A resource that a request has invalidated: all of its stored responses, for every user.
*/
type Invalidated = {
	/** The URL of the resource, without a fragment. */
	readonly url: string;

	/** Whether responses to the method of the request, with its override, stay valid. */
	readonly sparesOwnMethod: boolean;
};

/**
Returns the resources that an unsafe request invalidates (RFC 9111 §4.4): its target, and the URLs of the same origin in `Location` and `Content-Location`.

If `allowableMethods` has the unsafe method, its responses answer later requests by that method. Such a request does not invalidate the responses to others by the same method, which have other bodies.
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

// RFC 9110 §9.2.1, and `QUERY`. An unknown method counts as unsafe (RFC 9111 §4.4).
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY']);

/** Whether a method is safe, and the one that overrides it, too. */
export function isSafe(method: string, override: string = method): boolean {
	return safeMethods.has(method) && safeMethods.has(override);
}

// Not by `origin`, which is `null` for schemes that the URL standard does not know.
function isSameOrigin(url: URL, target: URL): boolean {
	return url.protocol === target.protocol && url.host === target.host;
}

/** Removes the fragment of a URL, which is not sent. */
export function withoutFragment(url: string | URL): string {
	const target = new URL(url);
	target.hash = '';
	return target.href;
}

/**
Whether the length of a body that ended without an error is that of its `Content-Length` (RFC 9112 §8, RFC 9110 §8.6). A longer body is never complete.
*/
export function isWhole(method: string, {statusCode, fields}: ResponseHead, byteLength: number): boolean {
	const length = contentLength(fields);
	if (length === undefined) {
		return true;
	}

	const mayBeLess = method === 'HEAD' || fields['transfer-encoding'] !== undefined || statusesWithoutContent.has(statusCode);
	return mayBeLess ? !(byteLength > length) : byteLength === length;
}

/** Returns the value of `Content-Length`: `NaN` if it is invalid, `undefined` if it is absent. */
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
Header lines as they were received: name, value, name, value. Names keep their letter case.
*/
export type RawFields = readonly string[];

// The fields of one connection or one exchange (RFC 9111 §3.1, RFC 9110 §7.6.1).
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

/** The fields that set a cookie. They are not stored without `storeSetCookie`, since a cookie is for one client at one time. */
export const cookieFields: readonly string[] = ['set-cookie', 'set-cookie2'];

/**
Returns the header lines of a response that may be stored (RFC 9111 §3.1).

@param withheld - The lower-case names of further fields that are not stored.
*/
export function storableFields(raw: RawFields, withheld: readonly string[]): string[] {
	const excluded = new Set([...neverStored, ...connectionListed(raw), ...withheld]);
	// RFC 9113 §8.3: pseudo-headers are no fields. The package `http2-wrapper` (Got 15) lists them nevertheless.
	return filterLines(raw, name => !excluded.has(name) && !name.startsWith(':'));
}

/**
Updates the stored header lines by those of a 304 (RFC 9111 §3.2). A field of the 304 replaces all lines of that name.
*/
export function freshenedFields(stored: RawFields, update: RawFields, withheld: readonly string[]): string[] {
	const news = filterLines(storableFields(update, withheld), name => !describingContent.has(name));
	const replaced = new Set([...fieldNames(news), ...withheld, 'age', 'date']);
	return [...filterLines(stored, name => !replaced.has(name)), ...news];
}

// Fields that describe the stored bytes are not updated (RFC 9111 §3.2).
const describingContent = new Set(['content-encoding', 'content-length', 'content-range']);

/** Adds a `Date` with the moment when the response was received, if the origin sent none (RFC 9110 §6.6.1). */
export function datedFields(raw: RawFields, received: number): RawFields {
	return fieldNames(raw).includes('date') ? raw : [...raw, 'Date', formatHttpDate(received)];
}

/** Replaces a field by a single line at the end. */
export function replaceField(raw: RawFields, name: string, value: string): string[] {
	return [...withoutField(raw, name), name, value];
}

/** Removes all lines of a field. */
export function withoutField(raw: RawFields, name: string): string[] {
	return filterLines(raw, other => other !== name.toLowerCase());
}

/** Returns the header lines of the 304 that is made from a stored response. */
export function notModifiedFields(raw: RawFields): string[] {
	return filterLines(raw, name => ofNotModified.has(name));
}

// RFC 9110 §15.4.5.
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

// Any other character separates the names, so that a malformed list does not let more fields be stored.
const tokens = /[\w!#$%\u{26}'*+\-.^`\|~]+/gv;

/**
Returns some of the header lines.

@param keep - Gets the name in lower case.
*/
export function filterLines(raw: RawFields, keep: (name: string, value: string) => boolean): string[] {
	const lines: string[] = [];
	for (let index = 0; index < raw.length; index += 2) {
		if (keep(raw[index]!.toLowerCase(), raw[index + 1]!)) {
			lines.push(raw[index]!, raw[index + 1]!);
		}
	}

	return lines;
}

function fieldNames(raw: RawFields): string[] {
	return raw.filter((_line, index) => index % 2 === 0).map(name => name.toLowerCase());
}
