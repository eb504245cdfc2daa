import {fieldValue, trimSpace, type Fields} from './fields.ts';

type Headed = {readonly fields: Fields};

const entityTag = /^(?:W\/)?"[!\u{23}-\u{7E}\u{80}-\u{FF}]*"$/v;

/** The entity tag that a text is (RFC 9110 §8.8.3); `undefined` where it is none. */
export function parseEntityTag(text: string): string | undefined {
	const tag = trimSpace(text);
	return entityTag.test(tag) ? tag : undefined;
}

/** One that is empty, that has no quotes or that is two validates nothing: nobody knows what else would match it. */
function entityTagOf(fields: Fields): string | undefined {
	const value = fieldValue(fields, 'etag');
	return value === undefined ? undefined : parseEntityTag(value);
}

/**
The most characters of a condition that is sent. Servers take no line of more than some 8 kB (Apache's `LimitRequestFieldSize`, nginx's `large_client_header_buffers`): with a longer one, every later request for what is stored would fail.
*/
const maxConditionLength = 4096;

function sendable(value: string | undefined): string | undefined {
	return value !== undefined && value.length <= maxConditionLength ? value : undefined;
}

/** Whether a response can be validated (RFC 9110 §8.8): by a tag or a date that can be sent back. */
export function hasValidator({fields}: Headed): boolean {
	return sendable(fieldValue(fields, 'last-modified')) !== undefined || sendable(entityTagOf(fields)) !== undefined;
}

/**
The conditions by which a stored response is validated: all that it offers (RFC 9111 §4.3.1).
*/
export function conditionsOf({fields}: Headed): Record<string, string> {
	const etag = sendable(entityTagOf(fields));
	const lastModified = sendable(fieldValue(fields, 'last-modified'));
	return {
		...(etag !== undefined && {'if-none-match': etag}),
		...(lastModified !== undefined && {'if-modified-since': lastModified}),
	};
}

function isWeak(tag: string): boolean {
	return tag.startsWith('W/');
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

/** The stored `ETag`, to be compared with an entity tag. */
export function storedTag(fields: Fields): string | undefined {
	const value = fieldValue(fields, 'etag');
	return value === undefined ? undefined : trimSpace(value);
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
