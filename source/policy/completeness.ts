import {fieldValue} from './fields.ts';
import type {ResponseHead} from './types.ts';

const statusesWithoutContent = new Set([204, 205, 304]);

/**
Whether a body that ended without an error is as long as it was announced (RFC 9112 §8, RFC 9110 §8.6).
*/
export function isWhole(method: string, {statusCode, fields}: ResponseHead, byteLength: number): boolean {
	const announced = fieldValue(fields, 'content-length');
	return announced === undefined || method === 'HEAD' || fields['transfer-encoding'] !== undefined || statusesWithoutContent.has(statusCode) ? true : Number(announced) === byteLength;
}
