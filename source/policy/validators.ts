import {parseHttpDate} from './expiration.ts';
import type {StoredFacts} from './response-facts.ts';
import {fieldValue, trimSpace, type Fields} from './fields.ts';
import type {StoredHead} from './types.ts';

/** Returns the conditional headers that validate a stored response, for all of its validators (RFC 9111 §4.3.1). */
export function conditionsOf({fields}: Headed): Record<string, string> {
	const etag = sendable(entityTagOf(fields));
	const lastModified = sendable(fieldValue(fields, 'last-modified'));
	return {
		...(etag !== undefined && {'if-none-match': etag}),
		...(lastModified !== undefined && {'if-modified-since': lastModified}),
	};
}

/** Whether a response has a validator that can be sent back: an entity tag or a date (RFC 9110 §8.8). */
export function hasValidator({fields}: Headed): boolean {
	return sendable(fieldValue(fields, 'last-modified')) !== undefined || sendable(entityTagOf(fields)) !== undefined;
}

type Headed = {readonly fields: Fields};

/** The maximum length of a condition that is sent. Servers refuse header lines of more than about 8 kB (Apache's `LimitRequestFieldSize`, nginx's `large_client_header_buffers`), so that every later request would fail. */
const maxConditionLength = 4096;

function sendable(value: string | undefined): string | undefined {
	return value !== undefined && value !== '' && value.length <= maxConditionLength ? value : undefined;
}

/** Whether a 304 may update this stored response, since their validators match (RFC 9111 §4.3.4). A 304 without validators may. */
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
Whether the response to a HEAD request may update this stored response, since their fields match (RFC 9111 §4.3.5).

A stored `Content-Length` may be missing, since decoding removes it. A malformed `ETag` is no validator, but one that differs shows that the resource has changed.
*/
export function headAgrees(stored: Fields, head: Fields): boolean {
	const isSame = (name: string): boolean => {
		const received = fieldValue(head, name);
		return received === undefined || received === fieldValue(stored, name);
	};

	return isSame('etag') && isSame('last-modified') && (fieldValue(stored, 'content-length') === undefined || isSame('content-length'));
}

/**
Evaluates the precondition of a caller against a stored response (RFC 9111 §4.3.2). `If-None-Match` overrides `If-Modified-Since` (RFC 9110 §13.2.2). The method must be GET or HEAD, and the stored response a 2xx (RFC 9110 §13.2.1).

@returns `undefined` if there is no precondition, or none that can be evaluated.
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

// The dates may have years of two digits: `createdAt` is near enough to decide the century.
function isModifiedSince(request: Fields, {fields, createdAt}: Pick<StoredHead, 'fields' | 'createdAt'>, {lastModified}: StoredFacts): boolean | undefined {
	const since = parseHttpDate(fieldValue(request, 'if-modified-since'), createdAt);
	if (since === undefined) {
		return undefined;
	}

	const modified = lastModified ?? parseHttpDate(fieldValue(fields, 'date'), createdAt) ?? createdAt;
	return modified > since;
}

/** Compares two entity tags strongly: both are equal, and neither is weak (RFC 9110 §8.8.3.2). */
export function sameStrongly(tag: string, other: string | undefined): boolean {
	return tag === other && !isWeak(tag);
}

/** Compares two entity tags weakly: both are equal, whether weak or not (RFC 9110 §8.8.3.2). */
export function sameWeakly(tag: string, other: string | undefined): boolean {
	return other !== undefined && opaque(tag) === opaque(other);
}

function opaque(tag: string): string {
	return isWeak(tag) ? tag.slice(2) : tag;
}

function isWeak(tag: string): boolean {
	return tag.startsWith('W/');
}

/** Returns the stored `ETag`, to compare it with an entity tag. */
export function storedTag(fields: Fields): string | undefined {
	const value = fieldValue(fields, 'etag');
	return value === undefined ? undefined : trimSpace(value);
}

/** Returns the `ETag` of a response if it is a valid entity tag. */
function entityTagOf(fields: Fields): string | undefined {
	const value = fieldValue(fields, 'etag');
	return value === undefined ? undefined : parseEntityTag(value);
}

/** Returns the valid entity tags of a list, or `'*'` (RFC 9110 §8.8.3). */
export function parseEntityTags(value: string): readonly string[] | '*' {
	if (/^[\t ]*\*[\t ]*$/v.test(value)) {
		return '*';
	}

	const tags = value.matchAll(listMember).map(([member]) => parseEntityTag(member));
	return tags.filter(tag => tag !== undefined).toArray();
}

// A member ends at a comma outside of quotes. A quote that is not closed extends to the end.
const listMember = /(?:[^",]|"[^"]*(?:"|$))+/gv;

function parseEntityTag(text: string): string | undefined {
	const tag = trimSpace(text);
	return entityTag.test(tag) ? tag : undefined;
}

const entityTag = /^(?:W\/)?"[!\u{23}-\u{7E}\u{80}-\u{FF}]*"$/v;
