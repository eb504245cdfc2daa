import {fieldValue, trimSpace, type Fields} from './fields.ts';
import type {ResponseHead} from './types.ts';

const statusesWithoutContent = new Set([204, 205, 304]);

/**
The bytes that a body is announced to have, if it has one (RFC 9112 §6.3); `undefined` where that is not known.
*/
export function announcedLength(fields: Fields): number | undefined {
	const length = contentLength(fields);
	return fields['transfer-encoding'] !== undefined || Number.isNaN(length) ? undefined : length;
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

/** `NaN` where it is no number of bytes. */
function contentLength(fields: Fields): number | undefined {
	const value = fieldValue(fields, 'content-length');
	if (value === undefined) {
		return undefined;
	}

	const text = trimSpace(value);
	return /^\d+$/v.test(text) ? Number(text) : NaN;
}
