import {hash} from 'node:crypto';
import {fieldTokens, fieldValue, type Fields} from '../policy/fields.ts';
import type {Ignored} from './ignored.ts';
import {
	canonicalJson,
	maxJsonLength,
	redactJson,
	type JsonPath,
} from './json.ts';
import type {KeyParts} from './key-parts.ts';
import {splitMultipart, type Part} from './multipart.ts';
import {compare, normalizeParameters} from './parameters.ts';
import {redactParameters} from './references.ts';
import type {StorableRequest} from './types.ts';

// Parameters are read faster than JSON is. A longer form costs more time than the order of its parameters is worth.
const maxFormLength = 1024 * 1024;

/** A body, as far as its type lets it be read. */
type ReadBody =
	| {readonly as: 'json' | 'form'; readonly text: string}
	| {readonly as: 'multipart'; readonly parts: readonly Part[]}

	/** Bytes that may hold credentials, since they are too many to be read. */
	| {readonly as: 'unread'}
	| {readonly as: 'bytes'};

type BodyOfRequest = {readonly headers: Fields; readonly body: string | Uint8Array};

/**
The parts of a body that are included in the key in clear: how it was read, its type, language and coding, and digests of its content. `undefined` for no body.
*/
export function bodyParts(request: StorableRequest, parts: KeyParts): readonly string[] | undefined {
	const {headers, body, bodyParts: stored} = request;
	if (body === undefined) {
		return stored;
	}

	const read = readBody({headers, body});
	const type = typeParts(headers);
	switch (read.as) {
		case 'json': {
			const json = parts.attempt(() => canonicalJson(read.text, (path, value) => parts.keepsField(path, value)));
			return json === undefined ? ['bytes', ...type, digest(body)] : ['json', ...type, digest(json)];
		}

		case 'form': {
			// The form's own way to write a space, which a query's does not have to be.
			const form = normalizeParameters(read.text.replaceAll('+', '%20'), (name, value) => parts.keeps('form', name, value));
			return ['form', ...type, digest(form)];
		}

		case 'multipart': {
			return ['multipart', ...type, ...read.parts.map(part => partDigest(part, parts))];
		}

		case 'unread': {
			parts.hash('body', '', digest(body));
			return ['unread', ...type];
		}

		case 'bytes': {
			return ['bytes', ...type, digest(body)];
		}

		default: {
			return read satisfies never;
		}
	}
}

/**
A body as it may be stored, so that its key can be made again: JSON and forms with their secrets replaced, of every other body the parts of its key.

@param isSecret - Whether a field of a JSON body is not to be stored.
@param parts - Takes the parts that are not stored.
*/
export function redactBody(request: BodyOfRequest, ignored: Ignored, isSecret: (path: JsonPath, value: string) => boolean, parts: KeyParts): {readonly body: string} | {readonly bodyParts: readonly string[]} {
	const read = readBody(request);
	if (read.as === 'form') {
		return {body: redactParameters(read.text, ignored)};
	}

	const json = read.as === 'json' ? redactJson(read.text, isSecret) : undefined;
	return json === undefined ? {bodyParts: bodyParts({method: '', url: '', ...request}, parts)!} : {body: json};
}

// A secret part leaves its place, so that the others are still where they were.
function partDigest({name, bytes}: Part, parts: KeyParts): string {
	const value = digest(bytes);
	return name === undefined || parts.keeps('multipart', name, value) ? value : '';
}

function readBody({headers, body}: BodyOfRequest): ReadBody {
	if ((fieldValue(headers, 'content-encoding') ?? '') !== '') {
		return {as: 'bytes'};
	}

	const contentType = fieldValue(headers, 'content-type') ?? '';
	const type = mediaType(contentType);
	const isJson = type === 'application/json' || type.endsWith('+json');
	if (isJson || type === 'application/x-www-form-urlencoded') {
		if (body.length > (isJson ? maxJsonLength : maxFormLength)) {
			return {as: 'unread'};
		}

		const text = decode(body, contentType);
		return text === undefined ? {as: 'bytes'} : {as: isJson ? 'json' : 'form', text};
	}

	const boundary = type.startsWith('multipart/') ? parametersOf(contentType).find(([name]) => name === 'boundary')?.[1] : undefined;
	return boundary === undefined || boundary === '' ? {as: 'bytes'} : {as: 'multipart', parts: splitMultipart(toBytes(body), boundary)};
}

/** What the header fields say of the content: its type with its parameters (not the boundary, which is in no part), its language, its coding. */
function typeParts(headers: Fields): readonly string[] {
	const contentType = fieldValue(headers, 'content-type') ?? '';
	const parameters = parametersOf(contentType).filter(([name]) => name !== 'boundary').map(([name, value]) => `${name}=${name === 'charset' ? value.toLowerCase() : value}`);
	const type = [mediaType(contentType), ...parameters.toSorted(compare)].join(';');
	return [type, fieldTokens(headers, 'content-language').join(','), fieldTokens(headers, 'content-encoding').join(',')];
}

function mediaType(contentType: string): string {
	return contentType.split(';', 1)[0]!.trim().toLowerCase();
}

const parameter = /;\s*(?<name>[^\s;=]+)\s*=\s*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<token>[^\s;]*))/gv;

/** The parameters of a media type (RFC 9110 §8.3.1). */
function parametersOf(contentType: string): Array<readonly [name: string, value: string]> {
	return contentType.matchAll(parameter).map(({groups}) => [
		groups!.name!.toLowerCase(),
		groups!.quoted?.replaceAll(/\\(?<escaped>.)/gv, '$<escaped>') ?? groups!.token!,
	] as const).toArray();
}

function decode(body: string | Uint8Array, contentType: string): string | undefined {
	if (typeof body === 'string') {
		return body;
	}

	try {
		return new TextDecoder(parametersOf(contentType).find(([name]) => name === 'charset')?.[1] ?? 'utf8', {fatal: true}).decode(body);
	} catch {
		return undefined;
	}
}

function toBytes(body: string | Uint8Array): Uint8Array {
	return typeof body === 'string' ? new TextEncoder().encode(body) : body;
}

function digest(body: string | Uint8Array): string {
	return hash('sha256', body, 'hex');
}
