import {hash} from 'node:crypto';
import {fieldTokens, fieldValue, type Fields} from '../policy/fields.ts';
import type {Ignored} from './credentials.ts';
import {
	parseParameters,
	type Parameterized,
	splitMultipart,
	type Part,
} from './multipart.ts';
import {
	canonicalJson,
	maxJsonLength,
	redactJson,
	type FieldQuestion,
	compare,
} from './json.ts';
import type {KeyParts, StorableRequest} from './key-parts.ts';
import {normalizeParameters, redactParameters} from './references.ts';

// A longer form, or one of more parameters, costs more time than the order of its parameters is worth. Most servers take no more than so many (PHP, Django, Express).
const maxFormLength = 1024 * 1024;
const maxParameters = 1000;

/** A body, as far as its type lets it be read. */
type ReadBody =
	| {readonly as: 'json' | 'form'; readonly text: string}
	| {readonly as: 'multipart'; readonly parts: readonly Part[]}

	/** Bytes that may hold credentials, since they cannot be read, or are too many. */
	| {readonly as: 'unread'}
	| {readonly as: 'bytes'};

type BodyOfRequest = {readonly headers: Fields; readonly body: string | Uint8Array};

/**
The parts of a body that are included in the key in clear: how it was read, its type, language and coding, and digests of its content.
*/
export function bodyParts({headers, body}: BodyOfRequest, parts: KeyParts): readonly string[] {
	const read = readBody({headers, body});
	const type = typeParts(headers, read.as === 'multipart');
	switch (read.as) {
		case 'json': {
			const json = parts.attempt(() => canonicalJson(read.text, (path, value, isString) => parts.keepsField(path, value, isString)));
			return json === undefined ? unread(body, type, parts) : ['json', ...type, digest(json)];
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
			return unread(body, type, parts);
		}

		case 'bytes': {
			const text = body.length <= maxJsonLength ? decode(body) : undefined;
			return text !== undefined && parts.showsCredential(text) ? unread(body, type, parts) : ['bytes', ...type, digest(body)];
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
export function redactBody(request: BodyOfRequest, ignored: Ignored, isSecret: FieldQuestion, parts: KeyParts): {readonly body: string} | {readonly bodyParts: readonly string[]} {
	const read = readBody(request);
	if (read.as === 'form') {
		return {body: redactParameters(read.text, ignored)};
	}

	// What is not read for the key is not stored as a text either.
	const json = read.as === 'json'
		? parts.attempt(() => redactJson(read.text, (path, value, isString) => {
			parts.keepsField(path, value, isString);
			return isSecret(path, value, isString);
		}))
		: undefined;
	return json === undefined ? {bodyParts: bodyParts(request, parts)} : {body: json};
}

function unread(body: string | Uint8Array, type: readonly string[], parts: KeyParts): readonly string[] {
	parts.hashBody(digest(body));
	return ['unread', ...type];
}

// A secret part leaves its place, so that the others are still where they were.
function partDigest({name, bytes}: Part, parts: KeyParts): string {
	const value = digest(bytes);
	return name === undefined || parts.keeps('multipart', name, value) ? value : '';
}

function readBody({headers, body}: BodyOfRequest): ReadBody {
	const {value: type, parameters} = contentType(headers);
	const as = formatOf(type);
	if (as === undefined) {
		return {as: 'bytes'};
	}

	if ((fieldValue(headers, 'content-encoding') ?? '') !== '') {
		return {as: 'unread'};
	}

	if (as === 'multipart') {
		const boundary = boundaryOf(parameters);
		const parts = boundary === undefined ? undefined : splitMultipart(toBytes(body), boundary);
		return parts === undefined ? {as: 'unread'} : {as, parts};
	}

	const isRead = body.length <= (as === 'json' ? maxJsonLength : maxFormLength) && isUtf8(parameters);
	return isRead ? readText(body, as) : {as: 'unread'};
}

/** Whether a text that was stored is the body as it was sent, but for what was replaced in it. */
export function isStoredAsSent(request: BodyOfRequest): boolean {
	const {as} = readBody(request);
	return as === 'json' || as === 'form';
}

/** Whether the body of a request is of a type that has named values, of which one may be a credential. */
export function hasNamedValues(headers: Fields): boolean {
	return formatOf(contentType(headers).value) !== undefined;
}

/** How a body is read, by its media type. */
function formatOf(type: string): 'json' | 'form' | 'multipart' | undefined {
	if (type === 'application/json' || type.endsWith('+json')) {
		return 'json';
	}

	if (type === 'application/x-www-form-urlencoded') {
		return 'form';
	}

	return type.startsWith('multipart/') ? 'multipart' : undefined;
}

function contentType(headers: Fields): Parameterized {
	return parseParameters(fieldValue(headers, 'content-type') ?? '');
}

function readText(body: string | Uint8Array, as: 'json' | 'form'): ReadBody {
	const text = decode(body);
	return text === undefined || (as === 'form' && hasMore(text, '&', maxParameters - 1)) ? {as: 'unread'} : {as, text};
}

/** Whether a character is more often in a text than so many times. */
function hasMore(text: string, character: string, times: number): boolean {
	let count = 0;
	for (let index = text.indexOf(character); index !== -1 && count <= times; index = text.indexOf(character, index + 1)) {
		count++;
	}

	return count > times;
}

/** Of several boundaries, nobody knows which one the origin takes. */
function boundaryOf(parameters: Parameterized['parameters']): string | undefined {
	const [boundary, ...others] = parameters.filter(([name]) => name === 'boundary').map(([, value]) => value);
	return boundary === '' || others.length > 0 ? undefined : boundary;
}

/** In any other charset, a text and bytes that are read as that text are not the same. */
function isUtf8(parameters: Parameterized['parameters']): boolean {
	return parameters.every(([name, value]) => name !== 'charset' || /^utf-?8$/iv.test(value));
}

// RFC 9110 §8 and §14.4, and how a file that is sent by itself is named.
const representationFields = ['content-disposition', 'content-encoding', 'content-language', 'content-location', 'content-range'];

// Lists of tokens, which have no letter case.
const tokenFields: ReadonlySet<string> = new Set(['content-encoding', 'content-language']);

/** What the header fields say of the content: its type with its parameters, its language, its coding, and which part of what it is. */
function typeParts(headers: Fields, isSplit: boolean): readonly string[] {
	const type = matchedContentType(fieldValue(headers, 'content-type') ?? '', isSplit);
	const others: string[] = [];
	for (const name of representationFields) {
		const value = tokenFields.has(name) ? fieldTokens(headers, name).join(',') : fieldValue(headers, name) ?? '';
		if (value !== '') {
			others.push(`${name}: ${value}`);
		}
	}

	return [type, ...others];
}

/**
A media type as it counts: its letter case, the order of its parameters and how they are quoted do not.

@param isSplit - Whether the content is known by its parts: the boundary between them does not count then.
*/
export function matchedContentType(field: string, isSplit: boolean): string {
	const {value, rest, parameters} = parseParameters(field);
	const counted = parameters.filter(([name]) => name !== 'boundary' || !isSplit).map(([name, text]) => [name, name === 'charset' ? text.toLowerCase() : text] as const);
	return JSON.stringify([value, rest, counted.toSorted(([one], [other]) => compare(one, other))]);
}

function decode(body: string | Uint8Array): string | undefined {
	if (typeof body === 'string') {
		return body;
	}

	try {
		return new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(body); // eslint-disable-line @typescript-eslint/naming-convention -- The standard's name.
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
