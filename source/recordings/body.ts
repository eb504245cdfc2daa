import {Buffer} from 'node:buffer';
import {deserialize, serialize} from 'node:v8';
import {
	charsetLabel,
	decodeExactly,
	findCharset,
	jsonBody,
	jsonText,
} from '../entry/serializers/body.ts';
import {fieldValue, type Fields} from '../policy/fields.ts';

/**
A body as a person reads and edits it: a JSON value with its indentation, text, text of several lines, or base64. A body without a byte has none of these members.
*/
export type ReadableBody = {
	readonly json?: unknown;

	/** The indentation of the JSON text. Default: none. */
	readonly indent?: string;

	/** Whether a line feed ends the JSON text. Default: `false`. */
	readonly lineFeed?: boolean;
	readonly text?: string;

	/** The lines of a text, without the line feeds between them. */
	readonly lines?: readonly string[];
	readonly base64?: string;

	/** The result of a decorated function, if that is plain data. */
	readonly value?: unknown;
};

/** Returns a body in the most readable form from which the same bytes can be restored. */
export function readableBody(body: Uint8Array, fields: Fields): ReadableBody {
	if (body.byteLength === 0) {
		return {};
	}

	if (fieldValue(fields, 'content-type') === typeOfResults) {
		return readableResult(body);
	}

	const text = fieldValue(fields, 'content-encoding') === undefined ? decodeExactly(body, charsetOf(fields)) : undefined;
	// Control characters are no text that a person could edit.
	if (text === undefined || /[\p{Control}--[\t\n\r]]/v.test(text)) {
		return {base64: base64Of(body)};
	}

	const json = mayBeJson(fields) ? jsonBody(text) : undefined;
	return json ?? (text.includes('\n') ? {lines: text.split('\n')} : {text});
}

/** Whether a text is Base64, also with line breaks or without padding, or in the form for URLs: what Node.js decodes without leaving out anything else. */
function isBase64(text: string): boolean {
	return /^[\s\w+\-\/]*(?:=[\s=]*)?$/v.test(text);
}

/**
Checks the members of a body that somebody may have edited. Members of other names stay without effect, but for `body`.

@returns What is wrong; `undefined` if nothing is.
*/
export function bodyFault(content: Readonly<Record<string, unknown>>, name: string): string | undefined {
	if (!isReadableBody(content)) {
		return `${name} has a body of a wrong type`;
	}

	if (Object.hasOwn(content, 'body')) {
		return `${name} has a member \`body\`, which is none of \`json\`, \`text\`, \`lines\` and \`base64\``;
	}

	return isBase64((content.base64 ?? '') as string) ? undefined : `\`base64\` of ${name} has other characters than Base64`;
}

/** Whether a value has the form of a body. */
function isReadableBody({indent, lineFeed, text, lines, base64}: Readonly<Record<string, unknown>>): boolean {
	return [indent, text, base64].every(member => member === undefined || typeof member === 'string')
		&& (lineFeed === undefined || typeof lineFeed === 'boolean')
		&& (lines === undefined || (Array.isArray(lines) && lines.every(line => typeof line === 'string')));
}

/**
Returns the bytes of a body. Of several forms, the first counts.

@throws {RangeError} If the charset of the content type lacks a character of the text.
*/
export function bytesOf(body: ReadableBody, fields: Fields): Uint8Array {
	const text = textOf(body);
	if (text === undefined) {
		return Object.hasOwn(body, 'value') ? serialize(body.value) : Buffer.from(body.base64 ?? '', 'base64');
	}

	const charset = charsetOf(fields);
	const bytes = charset.encode(text);
	if (charset.decode(bytes) !== text) {
		throw new RangeError('the charset of its `content-type` lacks a character of the body');
	}

	return bytes;
}

/** Returns the text of a body; `undefined` for one that is empty or has bytes that are no text. */
export function textOf(body: ReadableBody): string | undefined {
	return Object.hasOwn(body, 'json') ? jsonText(body.json, body.indent, body.lineFeed === true) : body.text ?? body.lines?.join('\n');
}

/** The content type of results of decorated functions, which are structured clones. */
const typeOfResults = 'application/x-v8-structured-clone';

function readableResult(body: Uint8Array): ReadableBody {
	try {
		const value: unknown = deserialize(body);
		const text = JSON.stringify(value);
		// Dates, sets and whatever else JSON lacks would not come back.
		return Buffer.compare(serialize(JSON.parse(text)), body) === 0 ? {value} : {base64: base64Of(body)};
	} catch {
		return {base64: base64Of(body)};
	}
}

function base64Of({buffer, byteOffset, byteLength}: Uint8Array): string {
	return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

type Charset = NonNullable<ReturnType<typeof findCharset>>;

function charsetOf(fields: Fields): Charset {
	const label = charsetLabel(fieldValue(fields, 'content-type') ?? '');
	return (label === undefined ? undefined : findCharset(label)) ?? findCharset('utf8')!;
}

function mayBeJson(fields: Fields): boolean {
	const type = fieldValue(fields, 'content-type');
	return type === undefined || /^\s*(?:application|text)\/(?:[^\s;]+\+)?json\s*(?:;|$)/iv.test(type);
}
