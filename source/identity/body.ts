import {hash} from 'node:crypto';
import {fieldValue, type Fields} from '../policy/fields.ts';
import type {Ignored} from './ignored.ts';
import {canonicalJson, redactJson, type JsonPath} from './json.ts';
import {normalizeParameters, redactParameters} from './parameters.ts';
import type {Sieve} from './key-parts.ts';
import type {StorableRequest} from './types.ts';

// A longer one costs more than its order is worth: it is matched as it is.
const maxNormalizedLength = 10 * 1024 * 1024;

/** A body, by what its type lets be read of it. */
type ReadBody =
	| {readonly as: 'json' | 'form'; readonly type: string; readonly text: string}
	| {readonly as: 'multipart'; readonly type: string; readonly parts: readonly Uint8Array[]}
	| {readonly as: 'it is'};

type BodyOfRequest = {readonly headers: Fields; readonly body: string | Uint8Array};

/**
What of a body parts the key: how it was read, its type, and a digest of its normal form. `undefined` for no body.
*/
export function matchBody({headers, body, matchedBody}: StorableRequest, sieve: Sieve): readonly string[] | undefined {
	if (body === undefined) {
		return matchedBody;
	}

	const read = readBody({headers, body});
	switch (read.as) {
		case 'json': {
			const json = canonicalJson(read.text, (path, value) => sieve.keepsField(path, value));
			return json === undefined ? asItIs({headers, body}) : ['json', read.type, digest(json)];
		}

		case 'form': {
			// The form's own way to write a space, which a query's does not have to be.
			const form = normalizeParameters(read.text.replaceAll('+', '%20'), (name, value) => sieve.keeps('form', name, value));
			return ['form', read.type, digest(form)];
		}

		case 'multipart': {
			return ['multipart', read.type, ...read.parts.map(part => digest(part))];
		}

		case 'it is': {
			return asItIs({headers, body});
		}

		default: {
			return read satisfies never;
		}
	}
}

/**
A body as it may be stored, and matched again: JSON and forms with what is secret in them replaced; of everything else only what parts the key, which no setting changes.

@param isSecret - Whether a field of a JSON body is not to be stored.
*/
export function redactBody(request: BodyOfRequest, ignored: Ignored, isSecret: (path: JsonPath) => boolean): {readonly body: string} | {readonly matchedBody: readonly string[]} {
	const read = readBody(request);
	switch (read.as) {
		case 'json': {
			const json = redactJson(read.text, isSecret);
			return json === undefined ? {matchedBody: asItIs(request)} : {body: json};
		}

		case 'form': {
			return {body: redactParameters(read.text, ignored)};
		}

		case 'multipart': {
			return {matchedBody: ['multipart', read.type, ...read.parts.map(part => digest(part))]};
		}

		case 'it is': {
			return {matchedBody: asItIs(request)};
		}

		default: {
			return read satisfies never;
		}
	}
}

function readBody({headers, body}: BodyOfRequest): ReadBody {
	if ((fieldValue(headers, 'content-encoding') ?? '') !== '' || body.length > maxNormalizedLength) {
		return {as: 'it is'};
	}

	const contentType = fieldValue(headers, 'content-type') ?? '';
	const type = contentType.split(';', 1)[0]!.trim().toLowerCase();
	const isJson = type === 'application/json' || type.endsWith('+json');
	if (isJson || type === 'application/x-www-form-urlencoded') {
		const text = decode(body, contentType);
		return text === undefined ? {as: 'it is'} : {as: isJson ? 'json' : 'form', type, text};
	}

	const boundary = type.startsWith('multipart/') ? parameter(contentType, 'boundary') : undefined;
	return boundary === undefined ? {as: 'it is'} : {as: 'multipart', type, parts: splitBytes(toBytes(body), toBytes(`--${boundary}`))};
}

function asItIs({headers, body}: BodyOfRequest): string[] {
	const contentType = (fieldValue(headers, 'content-type') ?? '').replaceAll(/\s/gv, '').toLowerCase();
	return ['as it is', contentType, fieldValue(headers, 'content-encoding') ?? '', digest(body)];
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
