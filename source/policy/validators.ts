import {fieldValue, type Fields} from './fields.ts';

type Headed = {readonly fields: Fields};

/** Whether a response can be validated (RFC 9110 §8.8). */
export function hasValidator({fields}: Headed): boolean {
	return fields.etag !== undefined || fields['last-modified'] !== undefined;
}

/**
The conditions by which a stored response is validated: all that it offers (RFC 9111 §4.3.1).
*/
export function conditionsOf({fields}: Headed): Record<string, string> {
	const etag = fieldValue(fields, 'etag');
	const lastModified = fieldValue(fields, 'last-modified');
	return {
		...(etag !== undefined && {'if-none-match': etag}),
		...(lastModified !== undefined && {'if-modified-since': lastModified}),
	};
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
