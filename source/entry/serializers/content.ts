import {Buffer} from 'node:buffer';
import type {StoredResponse} from '../stored-response.ts';
import {charsetOf} from './charsets.ts';
import {isObject} from './metadata.ts';
import type {EntryBody} from './stage.ts';
import {UnreadableError} from './unreadable.ts';

/**
The most bytes of a JSON body that is stored as a value: reading, checking and comparing it holds the event loop up for some 20 ms. A longer one is stored as text.
*/
const maxJsonBytes = 256 * 1024;

// Document databases nest no deeper than 32 levels (DynamoDB), of which the entry itself takes some.
const deepest = 24;

/**
The body of a response in the most readable form that gives the same bytes again: a JSON value, text, or the bytes.
*/
export function readableBody({fields, body}: StoredResponse): EntryBody {
	const type = contentType(fields);
	const charset = type === undefined ? undefined : charsetOf(type.charset ?? 'utf8');
	const text = charset && decoded(body, charset);
	if (type === undefined || text === undefined || body.byteLength === 0) {
		return {bytes: body};
	}

	const named = type.charset !== undefined && {charset: type.charset};
	const json = type.isJson && body.byteLength <= maxJsonBytes ? jsonOf(text) : undefined;
	return json === undefined ? {text, ...named} : {...json, ...named};
}

/** A JSON body as the text that it came from. */
export function asText(body: EntryBody): EntryBody {
	if (!('json' in body)) {
		return body;
	}

	const {json, charset, indent, lineFeed} = body;
	return {text: jsonText(json, indent, lineFeed === true), ...charset !== undefined && {charset}};
}

/**
The bytes of a body in any form.

@throws {UnreadableError} `format` where it is none.
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

	const encoder = typeof charset === 'string' ? charsetOf(charset) : undefined;
	if (encoder === undefined) {
		throw new UnreadableError('format');
	}

	if (typeof text === 'string') {
		return encoder.encode(text);
	}

	if (!Object.hasOwn(body, 'json') || (indent !== undefined && typeof indent !== 'string')) {
		throw new UnreadableError('format');
	}

	return encoder.encode(jsonText(body.json, indent, body.lineFeed === true));
}

type ContentType = {readonly charset: string | undefined; readonly isJson: boolean};

/** `undefined` where the content is no text, or is coded. */
function contentType(fields: StoredResponse['fields']): ContentType | undefined {
	const type = fields['content-type'];
	if (typeof type !== 'string' || fields['content-encoding'] !== undefined) {
		return undefined;
	}

	const [essence = ''] = type.toLowerCase().split(';', 1);
	const name = essence.trim();
	const isJson = /^(?:application|text)\/json$|\+json$/v.test(name);
	const isText = isJson || /^text\/|\+xml$|^application\/(?:xml|javascript|ecmascript|x-javascript|yaml|x-yaml|x-ndjson|jsonl|graphql|sql|toml|x-www-form-urlencoded)$/v.test(name);
	return isText ? {isJson, charset: /;\s*charset\s*=\s*"?(?<charset>[^\s";]+)/iv.exec(type)?.groups?.charset} : undefined;
}

function decoded(body: Uint8Array, charset: NonNullable<ReturnType<typeof charsetOf>>): string | undefined {
	try {
		const text = charset.decode(body);
		return Buffer.compare(charset.encode(text), body) === 0 ? text : undefined;
	} catch {
		return undefined;
	}
}

function jsonOf(text: string): EntryBody | undefined {
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch {
		return undefined;
	}

	const indent = /^[\[\{]\n(?<indent>[\t ]{1,10})\S/v.exec(text)?.groups?.indent;
	const hasLineFeed = text.endsWith('\n');
	// What JSON cannot tell from another spelling (`1.0`, a great integer, `\u0041`, a key that comes twice) stays text.
	return isStorable(json, 0) && jsonText(json, indent, hasLineFeed) === text
		? {json, ...indent !== undefined && {indent}, ...hasLineFeed && {lineFeed: true}}
		: undefined;
}

function jsonText(json: unknown, indent: string | undefined, hasLineFeed: boolean): string {
	return JSON.stringify(json, undefined, indent) + (hasLineFeed ? '\n' : '');
}

/** Whether every format and database gives the value back as it is. */
function isStorable(value: unknown, depth: number): boolean {
	if (typeof value === 'string') {
		return value.isWellFormed();
	}

	if (!isObject(value)) {
		return true;
	}

	return depth < deepest
		&& (Array.isArray(value) || Object.keys(value).every(name => isStorableName(name)))
		&& Object.values(value).every(member => isStorable(member, depth + 1));
}

// Names that set prototypes, that BSON takes for a type of its own or cannot hold, and that databases refuse.
function isStorableName(name: string): boolean {
	return !/^$|^\$|\.|\0|^(?:__proto__|constructor|prototype|_bsontype|toBSON|toJSON)$/v.test(name) && name.isWellFormed();
}
