import {hash} from 'node:crypto';
import {fieldTokens, fieldValue, type Fields} from '../policy/fields.ts';
import {REDACTED} from './credentials.ts';
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
	compare,
} from './json.ts';
import {KeyParts, type IdentitySettings} from './key-parts.ts';
import {normalizeParameters, redactParameters} from './references.ts';

// The limits of a form whose parameters are read. Most servers have similar ones (PHP, Django, Express).
const maxFormLength = 1024 * 1024;
const maxParameters = 1000;

/** A body, parsed as far as its type allows. */
type ReadBody =
	| {readonly as: 'json' | 'form'; readonly text: string}
	| {readonly as: 'multipart'; readonly parts: readonly Part[]}

	/** A body that may contain credentials, since it cannot be read or is too long. */
	| {readonly as: 'unread'}
	| {readonly as: 'bytes'};

type BodyOfRequest = {readonly headers: Fields; readonly body: string | Uint8Array};

/**
Returns the parts of a body that are included in the key in clear: how it was read, its type, language and coding, and digests of its content.
*/
export function bodyParts({headers, body}: BodyOfRequest, parts: KeyParts): readonly string[] {
	const read = readBody({headers, body});
	const type = typeParts(headers, read.as === 'multipart');
	switch (read.as) {
		case 'json': {
			const json = parts.attempt(() => canonicalJson(read.text, (path, value, isString) => parts.addField(path, value, isString)));
			return json === undefined ? unread(body, type, parts) : ['json', ...type, digest(json)];
		}

		case 'form': {
			const form = normalizeForm(read.text, (name, value) => parts.addParameter('form', name, value));
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
			return text !== undefined && parts.containsCredential(text) ? unread(body, type, parts) : ['bytes', ...type, digest(body)];
		}

		default: {
			return read satisfies never;
		}
	}
}

/**
Returns a body as it may be stored, so that its key can be made again: JSON and forms with credentials replaced, any other body as its parts of the key.
*/
export function redactBody(request: BodyOfRequest, settings: IdentitySettings): {readonly body: string} | {readonly bodyParts: readonly string[]} {
	const read = readBody(request);
	if (read.as === 'form') {
		return {body: redactParameters(read.text, settings.ignoredParameters)};
	}

	const parts = new KeyParts(settings);

	// A body that cannot be read for the key is not stored as text.
	const json = read.as === 'json'
		? parts.attempt(() => redactJson(read.text, (path, value, isString) => {
			parts.addField(path, value, isString);
			return parts.isSecretField(path, value, isString);
		}))
		: undefined;
	return json === undefined ? {bodyParts: bodyParts(request, parts)} : {body: json};
}

/** Normalizes a form. In it, `+` is a space; in a query, it need not be. */
function normalizeForm(text: string, includes: Parameters<typeof normalizeParameters>[1]): string {
	return normalizeParameters(text.replaceAll('+', '%20'), includes);
}

/**
Returns a body in the form in which equal ones have the same text, with credentials replaced. A body that may contain credentials and is neither JSON nor a form is replaced as a whole.
*/
export function normalizeBody(request: BodyOfRequest, settings: IdentitySettings): string | Uint8Array {
	const redacted = redactBody(request, settings);
	if ('bodyParts' in redacted) {
		return redacted.bodyParts[0] === 'bytes' ? request.body : REDACTED;
	}

	const {body} = redacted;
	return readBody(request).as === 'form' ? normalizeForm(body, () => true) : canonicalJson(body, () => true)!;
}

function unread(body: string | Uint8Array, type: readonly string[], parts: KeyParts): readonly string[] {
	parts.hashBody(digest(body));
	return ['unread', ...type];
}

// A secret part leaves an empty place, so that the positions of the others stay the same.
function partDigest({name, bytes}: Part, parts: KeyParts): string {
	const value = digest(bytes);
	return name === undefined || parts.addParameter('multipart', name, value) ? value : '';
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
		const parts = boundary === undefined ? undefined : splitMultipart(typeof body === 'string' ? new TextEncoder().encode(body) : body, boundary);
		return parts === undefined ? {as: 'unread'} : {as, parts};
	}

	const isRead = body.length <= (as === 'json' ? maxJsonLength : maxFormLength) && isUtf8(parameters);
	return isRead ? readText(body, as) : {as: 'unread'};
}

/** Whether the stored text of a body is the body as it was sent, apart from replaced values. */
export function isStoredAsSent(request: BodyOfRequest): boolean {
	const {as} = readBody(request);
	return as === 'json' || as === 'form';
}

/** Whether the body of a request has a type with named values, which may be credentials. */
export function hasNamedValues(headers: Fields): boolean {
	return formatOf(contentType(headers).value) !== undefined;
}

/** Returns how a body of a media type is read. */
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

/** Whether a text contains a character more than a number of times. */
function hasMore(text: string, character: string, times: number): boolean {
	let count = 0;
	for (let index = text.indexOf(character); index !== -1 && count <= times; index = text.indexOf(character, index + 1)) {
		count++;
	}

	return count > times;
}

/** Returns the boundary, unless there are several: servers differ in which one they use. */
function boundaryOf(parameters: Parameterized['parameters']): string | undefined {
	const [boundary, ...others] = parameters.filter(([name]) => name === 'boundary').map(([, value]) => value);
	return boundary === '' || others.length > 0 ? undefined : boundary;
}

/** Whether the charset of a body is UTF-8. */
function isUtf8(parameters: Parameterized['parameters']): boolean {
	return parameters.every(([name, value]) => name !== 'charset' || /^utf-?8$/iv.test(value));
}

// RFC 9110 §8 and §14.4, and the name of a file that is sent by itself.
const representationFields = ['content-disposition', 'content-encoding', 'content-language', 'content-location', 'content-range'];

// Lists of tokens, in any letter case.
const tokenFields: ReadonlySet<string> = new Set(['content-encoding', 'content-language']);

/** Returns the parts of the header fields that describe the content. */
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
Normalizes a media type: its letter case, and the order and the quotes of its parameters.

@param isSplit - Whether the parts of the content are included by themselves, so that the boundary is left out.
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

function digest(body: string | Uint8Array): string {
	return hash('sha256', body, 'hex');
}
