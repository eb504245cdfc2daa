import {Buffer} from 'node:buffer';
import {bodyBytes, type StoredResponse} from '../stored-response.ts';
import {isObject, UnreadableError, type EntryBody} from './stage.ts';

/**
The maximum number of bytes of a JSON body that is stored as a value: reading, checking and comparing it blocks the event loop for about 20 ms. A longer one is stored as text.
*/
const maxJsonBytes = 256 * 1024;

// Document databases nest at most 32 levels (DynamoDB), some of which the entry itself takes.
const maxJsonDepth = 24;

/**
Returns the body of a response in the most readable form from which the same bytes can be restored: a JSON value, text, or the bytes.
*/
export function readableBody({fields, body: stored}: StoredResponse): EntryBody {
	const body = bodyBytes(stored);
	const type = contentType(fields);
	const charset = type === undefined ? undefined : findCharset(type.charset ?? 'utf8');
	const text = charset && decodeExactly(body, charset);
	if (type === undefined || text === undefined || body.byteLength === 0) {
		return {bytes: body};
	}

	const named = type.charset !== undefined && {charset: type.charset};
	const json = type.isJson && body.byteLength <= maxJsonBytes ? jsonBody(text) : undefined;
	return json === undefined || !isStorable(json.json, 0) ? {text, ...named} : {...json, ...named};
}

/** Returns a JSON body as the text that it was parsed from, and any other body as it is. */
export function withTextBody(body: EntryBody): EntryBody {
	if (!('json' in body)) {
		return body;
	}

	const {json, charset, indent, lineFeed} = body;
	return {text: jsonText(json, indent, lineFeed === true), ...charset !== undefined && {charset}};
}

/**
Returns the bytes of a body in any form.

@throws {UnreadableError} `format` if it has no known form.
*/
export function bytesOf(body: unknown): Uint8Array {
	if (!isObject(body)) {
		throw new UnreadableError('format');
	}

	const {bytes, base64, text, charset = 'utf8', indent} = body;
	if (bytes instanceof Uint8Array) {
		return bytes;
	}

	if (typeof base64 === 'string') {
		return Buffer.from(base64, 'base64');
	}

	const encoder = typeof charset === 'string' ? findCharset(charset) : undefined;
	if (encoder !== undefined && typeof text === 'string') {
		return encoder.encode(text);
	}

	if (encoder === undefined || !Object.hasOwn(body, 'json') || (indent !== undefined && typeof indent !== 'string')) {
		throw new UnreadableError('format');
	}

	return encoder.encode(jsonText(body.json, indent, body.lineFeed === true));
}

type ContentType = {readonly charset: string | undefined; readonly isJson: boolean};

/** Returns `undefined` if the content is not text, or is coded. */
function contentType(fields: StoredResponse['fields']): ContentType | undefined {
	const type = fields['content-type'];
	if (typeof type !== 'string' || fields['content-encoding'] !== undefined) {
		return undefined;
	}

	const [essence = ''] = type.toLowerCase().split(';', 1);
	const name = essence.trim();
	const isJson = /^(?:application|text)\/json$|\+json$/v.test(name);
	const isText = isJson || /^text\/|\+xml$|^application\/(?:xml|javascript|ecmascript|x-javascript|yaml|x-yaml|x-ndjson|jsonl|graphql|sql|toml|x-www-form-urlencoded)$/v.test(name);
	return isText ? {isJson, charset: charsetLabel(type)} : undefined;
}

/** Returns the charset that a content type names. */
export function charsetLabel(type: string): string | undefined {
	return /;\s*charset\s*=\s*"?(?<charset>[^\s";]+)/iv.exec(type)?.groups?.charset;
}

/** Returns the text of a body; `undefined` if its bytes cannot be restored from it. */
export function decodeExactly(body: Uint8Array, charset: Charset): string | undefined {
	try {
		const text = charset.decode(body);
		return Buffer.compare(charset.encode(text), body) === 0 ? text : undefined;
	} catch {
		return undefined;
	}
}

/** A JSON text as a value, with what restores the text. */
type JsonBody = {readonly json: unknown; readonly indent?: string; readonly lineFeed?: true};

/** Returns the form of a JSON text from which the same text can be restored, if there is one. */
export function jsonBody(text: string): JsonBody | undefined {
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch {
		return undefined;
	}

	const indent = /^[\[\{]\n(?<indent>[\t ]{1,10})\S/v.exec(text)?.groups?.indent;
	const hasLineFeed = text.endsWith('\n');
	// JSON with another spelling (`1.0`, a large integer, `\u0041`, a duplicate key) stays text, since the value does not preserve it.
	return jsonText(json, indent, hasLineFeed) === text
		? {json, ...indent !== undefined && {indent}, ...hasLineFeed && {lineFeed: true}}
		: undefined;
}

/** Returns the text of a JSON body. */
export function jsonText(json: unknown, indent: string | undefined, hasLineFeed: boolean): string {
	return JSON.stringify(json, undefined, indent) + (hasLineFeed ? '\n' : '');
}

/** Whether every format and database preserves the value. */
function isStorable(value: unknown, depth: number): boolean {
	if (typeof value === 'string') {
		return value.isWellFormed();
	}

	if (!isObject(value)) {
		return true;
	}

	return depth < maxJsonDepth
		&& (Array.isArray(value) || Object.keys(value).every(name => isStorableName(name)))
		&& Object.values(value).every(member => isStorable(member, depth + 1));
}

// Excludes names that set prototypes, that BSON takes for its own types or cannot represent, and that databases refuse.
function isStorableName(name: string): boolean {
	return !/^$|^\$|\.|\0|^(?:__proto__|constructor|prototype|_bsontype|toBSON|toJSON)$/v.test(name) && name.isWellFormed();
}

type Charset = {
	/** Throws if the bytes are not text of this charset. */
	readonly decode: (bytes: Uint8Array) => string;
	readonly encode: (text: string) => Uint8Array;
};

// Creating the table of a charset takes about 0.1 ms.
const singleByteCharsets = new Map<string, Charset | undefined>();

/**
Returns the charset of a label of `Content-Type`, in any letter case; `undefined` if it is unknown, or may encode a character in more than one way.
*/
export function findCharset(label: string): Charset | undefined {
	let name: string;
	try {
		name = new TextDecoder(label).encoding;
	} catch {
		return undefined;
	}

	// eslint-disable-next-line unicorn/text-encoding-identifier-case -- The name is that of the decoder.
	if (name === 'utf-8' || name === 'utf-16le') {
		const decoder = new TextDecoder(name, {fatal: true, ignoreBOM: true}); // eslint-disable-line @typescript-eslint/naming-convention
		return {decode: bytes => decoder.decode(bytes), encode: text => Buffer.from(text, name)};
	}

	if (!singleByteCharsets.has(name)) {
		singleByteCharsets.set(name, singleByteCharset(name));
	}

	return singleByteCharsets.get(name);
}

/** Returns a charset in which each byte is one character, and the lower half is ASCII; `undefined` for any other charset. */
function singleByteCharset(name: string): Charset | undefined {
	const decoder = new TextDecoder(name, {ignoreBOM: true}); // eslint-disable-line @typescript-eslint/naming-convention
	// Without `stream`, Node.js 22 decodes windows-1252 as Latin-1 (https://github.com/nodejs/node/issues/56542), and a store may serve several versions of Node.js.
	const decode = (bytes: Uint8Array): string => decoder.decode(bytes, {stream: true});
	const upper = decode(Uint8Array.from({length: 128}, (_, index) => index + 128));
	if (upper.length !== 128 || new Set(upper).size !== 128) {
		return undefined;
	}

	const toByte = new Map(Array.from(upper, (character, index) => [character.codePointAt(0)!, index + 128]));
	return {
		decode,
		encode(text) {
			const bytes = Buffer.allocUnsafe(text.length);
			for (let index = 0; index < text.length; index++) {
				const unit = text.codePointAt(index)!;
				bytes[index] = unit < 128 ? unit : toByte.get(unit) ?? 0;
			}

			return bytes;
		},
	};
}
