import {parseHttpDate} from './expiration.ts';
import type {StoredFacts} from './response-facts.ts';
import {fieldValue, trimSpace, type Fields} from './fields.ts';
import type {StoredHead} from './types.ts';

/**
The conditions by which a stored response is validated: by all of its validators (RFC 9111 §4.3.1).
*/
export function conditionsOf({fields}: Headed): Record<string, string> {
	const etag = sendable(entityTagOf(fields));
	const lastModified = sendable(fieldValue(fields, 'last-modified'));
	return {
		...(etag !== undefined && {'if-none-match': etag}),
		...(lastModified !== undefined && {'if-modified-since': lastModified}),
	};
}

/** Whether a response can be validated (RFC 9110 §8.8): by a tag or a date that can be sent back. */
export function hasValidator({fields}: Headed): boolean {
	return sendable(fieldValue(fields, 'last-modified')) !== undefined || sendable(entityTagOf(fields)) !== undefined;
}

type Headed = {readonly fields: Fields};

/**
The most characters of a condition that is sent. Servers take no line of more than some 8 kB (Apache's `LimitRequestFieldSize`, nginx's `large_client_header_buffers`): with a longer one, every later request for what is stored would fail.
*/
const maxConditionLength = 4096;

function sendable(value: string | undefined): string | undefined {
	return value !== undefined && value !== '' && value.length <= maxConditionLength ? value : undefined;
}

/**
Whether a 304 is about this stored response, so that it may update it (RFC 9111 §4.3.4).

A 304 without any validator is about the one that was validated.
*/
export function canFreshen(stored: Fields, update: Fields): boolean {
	const tag = entityTagOf(update);
	if (tag !== undefined) {
		const isSame = isWeak(tag) ? sameWeakly : sameStrongly;
		return isSame(tag, storedTag(stored));
	}

	const lastModified = fieldValue(update, 'last-modified');
	return lastModified === undefined || lastModified === fieldValue(stored, 'last-modified');
}

/**
Whether the response to a HEAD is about this stored response, so that it may update it (RFC 9111 §4.3.5).

Decoding takes away a stored `Content-Length`, so that its lack says nothing. An `ETag` that is no entity tag validates nothing, but one that differs says that something has changed.
*/
export function headAgrees(stored: Fields, head: Fields): boolean {
	const isSame = (name: string): boolean => {
		const received = fieldValue(head, name);
		return received === undefined || received === fieldValue(stored, name);
	};

	return isSame('etag') && isSame('last-modified') && (fieldValue(stored, 'content-length') === undefined || isSame('content-length'));
}

/**
What the caller's own precondition says of a stored response (RFC 9111 §4.3.2); `undefined` where there is none that can be evaluated.

Where there is an `If-None-Match`, an `If-Modified-Since` does not count (RFC 9110 §13.2.2). Preconditions are for GET and HEAD, and for a stored 2xx alone (RFC 9110 §13.2.1): that is for the caller to see to.
*/
export function evaluatePrecondition(request: Fields, stored: Pick<StoredHead, 'fields' | 'createdAt'>, facts: StoredFacts): 'modified' | 'not-modified' | undefined {
	const tags = fieldValue(request, 'if-none-match');
	const isModified = tags === undefined ? isModifiedSince(request, stored, facts) : isNoneMatching(parseEntityTags(tags), stored.fields);
	if (isModified === undefined) {
		return undefined;
	}

	return isModified ? 'modified' : 'not-modified';
}

function isNoneMatching(tags: readonly string[] | '*', fields: Fields): boolean | undefined {
	if (tags === '*') {
		return false;
	}

	const stored = storedTag(fields);
	return tags.length === 0 ? undefined : tags.every(tag => !sameWeakly(tag, stored));
}

// The dates may have years of two digits: the moment of storing is near enough to tell the century.
function isModifiedSince(request: Fields, {fields, createdAt}: Pick<StoredHead, 'fields' | 'createdAt'>, {lastModified}: StoredFacts): boolean | undefined {
	const since = parseHttpDate(fieldValue(request, 'if-modified-since'), createdAt);
	if (since === undefined) {
		return undefined;
	}

	const modified = lastModified ?? parseHttpDate(fieldValue(fields, 'date'), createdAt) ?? createdAt;
	return modified > since;
}

/**
Strong comparison: neither is weak, and both are the same (RFC 9110 §8.8.3.2).

@param tag - An entity tag; what it is compared with need be none, and is the same as none then.
*/
export function sameStrongly(tag: string, other: string | undefined): boolean {
	return tag === other && !isWeak(tag);
}

/**
Weak comparison: both are the same but for their weakness (RFC 9110 §8.8.3.2).
*/
export function sameWeakly(tag: string, other: string | undefined): boolean {
	return other !== undefined && opaque(tag) === opaque(other);
}

function opaque(tag: string): string {
	return isWeak(tag) ? tag.slice(2) : tag;
}

function isWeak(tag: string): boolean {
	return tag.startsWith('W/');
}

/** The stored `ETag`, to be compared with an entity tag. */
export function storedTag(fields: Fields): string | undefined {
	const value = fieldValue(fields, 'etag');
	return value === undefined ? undefined : trimSpace(value);
}

/** The `ETag` of a response, as far as it validates: one that is empty, has no quotes or consists of two does not, since nobody knows what else would match it. */
function entityTagOf(fields: Fields): string | undefined {
	const value = fieldValue(fields, 'etag');
	return value === undefined ? undefined : parseEntityTag(value);
}

/**
The entity tags of a list, as they are written (RFC 9110 §8.8.3); members that are none are left out.
*/
export function parseEntityTags(value: string): readonly string[] | '*' {
	if (/^[\t ]*\*[\t ]*$/v.test(value)) {
		return '*';
	}

	const tags = value.matchAll(listMember).map(([member]) => parseEntityTag(member));
	return tags.filter(tag => tag !== undefined).toArray();
}

// A member ends at a comma outside of quotes; a quote that is not closed reaches to the end.
const listMember = /(?:[^",]|"[^"]*(?:"|$))+/gv;

/** The entity tag that a text is (RFC 9110 §8.8.3); `undefined` where it is none. */
function parseEntityTag(text: string): string | undefined {
	const tag = trimSpace(text);
	return entityTag.test(tag) ? tag : undefined;
}

const entityTag = /^(?:W\/)?"[!\u{23}-\u{7E}\u{80}-\u{FF}]*"$/v;
