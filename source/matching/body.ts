import {hash} from 'node:crypto';
import {fieldValue} from '../policy/fields.ts';
import {canonicalJson} from './json.ts';
import {normalizeParameters} from './parameters.ts';
import type {Sieve} from './sieve.ts';
import type {KeyRequest} from './types.ts';

// A longer one costs more than its order is worth: it is matched as it is.
const maxNormalizedLength = 10 * 1024 * 1024;

/**
What of a body parts the key: how it was read, its type, and a digest of its normal form. `undefined` for no body.
*/
export function matchBody({headers, body}: KeyRequest, sieve: Sieve): readonly string[] | undefined {
	if (body === undefined) {
		return undefined;
	}

	const contentType = fieldValue(headers, 'content-type') ?? '';
	const coding = fieldValue(headers, 'content-encoding') ?? '';
	const type = contentType.split(';', 1)[0]!.trim().toLowerCase();
	if (coding === '' && body.length <= maxNormalizedLength) {
		const normal = normalizeBody(type, contentType, body, sieve);
		if (normal !== undefined) {
			return normal;
		}
	}

	return ['as it is', contentType.replaceAll(/\s/gv, '').toLowerCase(), coding, digest(body)];
}

function normalizeBody(type: string, contentType: string, body: string | Uint8Array, sieve: Sieve): readonly string[] | undefined {
	if (type === 'application/json' || type.endsWith('+json')) {
		const text = decode(body, contentType);
		const json = text === undefined ? undefined : canonicalJson(text, (path, value) => sieve.keepsField(path, value));
		return json === undefined ? undefined : ['json', type, digest(json)];
	}

	if (type === 'application/x-www-form-urlencoded') {
		// The form's own way to write a space, which a query's does not have to be.
		const text = decode(body, contentType)?.replaceAll('+', '%20');
		return text === undefined ? undefined : ['form', type, digest(normalizeParameters(text, (name, value) => sieve.keeps('form', name, value)))];
	}

	const boundary = type.startsWith('multipart/') ? parameter(contentType, 'boundary') : undefined;
	return boundary === undefined ? undefined : ['multipart', type, ...splitBytes(toBytes(body), toBytes(`--${boundary}`)).map(part => digest(part))];
}

function decode(body: string | Uint8Array, contentType: string): string | undefined {
	if (typeof body === 'string') {
		return body;
	}

	try {
		return new TextDecoder(parameter(contentType, 'charset') ?? 'utf8', {fatal: true}).decode(body);
	} catch {
		return undefined;
	}
}

function parameter(contentType: string, name: string): string | undefined {
	for (const part of contentType.split(';').slice(1)) {
		const index = part.indexOf('=');
		if (part.slice(0, index).trim().toLowerCase() === name) {
			return part.slice(index + 1).trim().replace(/^"(?<quoted>.+)"$/v, '$<quoted>');
		}
	}

	return undefined;
}

const lineFeed = 10;

/** RFC 2046 §5.1.1: a delimiter stands at the beginning of a line. */
function splitBytes(bytes: Uint8Array, delimiter: Uint8Array): Uint8Array[] {
	const parts: Uint8Array[] = [];
	let start = 0;
	for (let index = bytes.indexOf(delimiter[0]!); index !== -1; index = bytes.indexOf(delimiter[0]!, index + 1)) {
		const isDelimiter = (index === 0 || bytes[index - 1] === lineFeed) && isAt(bytes, index, delimiter);
		if (!isDelimiter) {
			continue;
		}

		parts.push(bytes.subarray(start, index));
		start = index + delimiter.length;
		index = start - 1;
	}

	return [...parts, bytes.subarray(start)];
}

function isAt(bytes: Uint8Array, index: number, part: Uint8Array): boolean {
	return part.every((byte, offset) => bytes[index + offset] === byte);
}

function toBytes(body: string | Uint8Array): Uint8Array {
	return typeof body === 'string' ? new TextEncoder().encode(body) : body;
}

function digest(body: string | Uint8Array): string {
	return hash('sha256', body, 'hex');
}
