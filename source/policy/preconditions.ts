import {parseHttpDate} from './dates.ts';
import {fieldValue, type Fields} from './fields.ts';

/**
A stored response as preconditions see it. `createdAt`, when it was received, is in milliseconds since the epoch.
*/
export type Validated = {
	readonly fields: Fields;
	readonly createdAt: number;
};

/**
What the caller's own precondition says of a stored response (RFC 9111 §4.3.2); `undefined` where there is none that can be evaluated.

Where there is an `If-None-Match`, an `If-Modified-Since` does not count (RFC 9110 §13.2.2). Preconditions are for GET and HEAD, and for a stored 2xx alone (RFC 9110 §13.2.1): that is for the caller to see to.
*/
export function evaluatePrecondition(request: Fields, stored: Validated): 'modified' | 'not-modified' | undefined {
	const tags = fieldValue(request, 'if-none-match');
	const isModified = tags === undefined ? isModifiedSince(request, stored) : isNoneMatching(parseEntityTags(tags), stored);
	if (isModified === undefined) {
		return undefined;
	}

	return isModified ? 'modified' : 'not-modified';
}

function isNoneMatching(tags: readonly string[] | '*', {fields}: Validated): boolean | undefined {
	if (tags === '*') {
		return false;
	}

	const stored = fieldValue(fields, 'etag');
	return tags.length === 0 ? undefined : tags.every(tag => !sameWeakly(tag, stored));
}

// There is no clock here; the moment of storing is near enough to tell a century.
function isModifiedSince(request: Fields, {fields, createdAt}: Validated): boolean | undefined {
	const given = fieldValue(request, 'if-modified-since');
	const since = given === undefined ? undefined : parseHttpDate(given, createdAt);
	if (since === undefined) {
		return undefined;
	}

	const lastModified = parseHttpDate(fieldValue(fields, 'last-modified'), createdAt);
	return (lastModified ?? parseHttpDate(fieldValue(fields, 'date'), createdAt) ?? createdAt) > since;
}

// A member goes up to a comma that is in no quotes; a quote that is not closed takes the rest with it.
const listMember = /(?:[^",]|"[^"]*(?:"|$))+/gv;
const entityTag = /^[\t ]*(?<tag>(?:W\/)?"[!\u{23}-\u{7E}\u{80}-\u{FF}]*")[\t ]*$/v;

/**
The entity tags of a list, as they are written (RFC 9110 §8.8.3); members that are none are left out.
*/
export function parseEntityTags(value: string): readonly string[] | '*' {
	if (/^[\t ]*\*[\t ]*$/v.test(value)) {
		return '*';
	}

	const tags = value.matchAll(listMember).map(([member]) => entityTag.exec(member)?.groups!.tag);
	return tags.filter(tag => tag !== undefined).toArray();
}

function isWeak(tag: string): boolean {
	return tag.startsWith('W/');
}

/**
Strong comparison: neither is weak, and both are the same (RFC 9110 §8.8.3.2). A tag that an origin forgot to quote is compared as it is.
*/
export function sameStrongly(a: string | undefined, b: string | undefined): boolean {
	return a !== undefined && a === b && !isWeak(a);
}

/**
Weak comparison: both are the same but for their weakness (RFC 9110 §8.8.3.2).
*/
export function sameWeakly(a: string | undefined, b: string | undefined): boolean {
	return a !== undefined && b !== undefined && opaque(a) === opaque(b);
}

function opaque(tag: string): string {
	return isWeak(tag) ? tag.slice(2) : tag;
}

/**
Whether a 304 is about this stored response, so that it may update it (RFC 9111 §4.3.4).

A 304 without any validator is about the one that was validated.
*/
export function canFreshen(stored: Fields, update: Fields): boolean {
	const tag = fieldValue(update, 'etag');
	if (tag !== undefined) {
		const isSame = isWeak(tag) ? sameWeakly : sameStrongly;
		return isSame(fieldValue(stored, 'etag'), tag);
	}

	const lastModified = fieldValue(update, 'last-modified');
	return lastModified === undefined || lastModified === fieldValue(stored, 'last-modified');
}

/**
Whether the response to a HEAD is about this stored response, so that it may update it (RFC 9111 §4.3.5).

Decoding takes away a stored `Content-Length`, so that its lack says nothing.
*/
export function headAgrees(stored: Fields, head: Fields): boolean {
	const isSame = (name: string): boolean => {
		const received = fieldValue(head, name);
		return received === undefined || received === fieldValue(stored, name);
	};

	return isSame('etag') && isSame('last-modified') && (fieldValue(stored, 'content-length') === undefined || isSame('content-length'));
}
