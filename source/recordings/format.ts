import {CacheHooksError} from '../errors.ts';
import {
	bodyBytes,
	fieldsOf,
	type StoredMetadata,
	type StoredResponse,
	storedResponse,
} from '../entry/stored-response.ts';
import {variantKey} from '../identity/key.ts';
import type {StoredRequest} from '../identity/stored-request.ts';
import {
	fieldValue,
	isToken,
	withoutField,
	type RawFields,
} from '../policy/fields.ts';
import {
	bodyFault,
	bytesOf,
	readableBody,
	textOf,
} from './body.ts';

/** A recording and its key. That of a variant has the key of the variant. */
export type Recording = {readonly key: string; readonly stored: StoredResponse};

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** Headers of a request that the program, its versions and its connection decide. They are neither part of a key nor of interest in a file that people read. */
const unwrittenRequestHeaders = new Set(['accept-encoding', 'connection', 'content-length', 'host', 'transfer-encoding', 'user-agent']);

/**
Returns the text of the file of a recording: the request and the response as people read them, and what is needed to find it. It has no time but that of the recording, and nothing random.
*/
export function formatRecording(key: string, stored: StoredResponse): string {
	const {request, statusCode, statusMessage, rawHeaders, fields, body, createdAt, vary, primary = key} = stored;
	return JSON.stringify({
		request: {method: stored.method, url: stored.url, ...request && formatRequest(request, stored)},
		response: {
			statusCode, ...statusMessage !== '' && {statusMessage}, headers: headersOf(rawHeaders), ...readableBody(bodyBytes(body), fields),
		},
		recordedAt: new Date(createdAt).toISOString(),
		...optional(stored),
		...vary && {vary: {names: vary.names, digest: vary.digest}},
		key: primary,
	}, undefined, '\t') + '\n';
}

function formatRequest({method, url, rawHeaders, body, bodyParts, trust, partition}: StoredRequest, stored: StoredResponse): object {
	const fields = fieldsOf(rawHeaders);
	const lines: string[] = [];
	for (let index = 0; index < rawHeaders.length; index += 2) {
		const name = rawHeaders[index]!;
		if (!unwrittenRequestHeaders.has(name.toLowerCase())) {
			// The boundary of a multipart body is random.
			lines.push(name, name.toLowerCase() === 'content-type' ? rawHeaders[index + 1]!.replace(/;\s*boundary=(?:"[^"]*"|[^;]*)/iv, '') : rawHeaders[index + 1]!);
		}
	}

	return {
		...method !== stored.method && {sentMethod: method},
		...url !== stored.url && {sentUrl: url},
		...lines.length > 0 && {headers: headersOf(lines)},
		...body !== undefined && readableBody(new TextEncoder().encode(body), {'content-type': fieldValue(fields, 'content-type')?.replace(/;.*/sv, '')}),
		...bodyParts !== undefined && {bodyParts},
		...trust !== undefined && {trust},
		...partition !== undefined && {partition},
	};
}

/** The members of an entry that most recordings lack. */
function optional({codings, tags, cookies, expires, retainUntil, decidedBy}: StoredResponse): object {
	return {
		...codings !== undefined && {codings},
		...tags !== undefined && {tags},
		...cookies !== undefined && {cookies},
		...expires !== undefined && {expires},
		...retainUntil !== undefined && {retainUntil},
		...decidedBy === 'origin' && {decidedBy},
	};
}

function headersOf(rawHeaders: RawFields): Headers {
	const lines = new Map<string, string[]>();
	for (let index = 0; index < rawHeaders.length; index += 2) {
		const name = rawHeaders[index]!;
		const known = lines.get(name);
		if (known === undefined) {
			lines.set(name, [rawHeaders[index + 1]!]);
		} else {
			known.push(rawHeaders[index + 1]!);
		}
	}

	return Object.fromEntries(lines.entries().map(([name, values]) => [name, values.length === 1 ? values[0]! : values]));
}

/**
Reads the text of a file, which somebody may have edited.

@param path - The path of the file, for messages.
@throws {CacheHooksError} `ERR_RECORDING_FILE` if the text is no recording.
*/
export function parseRecording(text: string, path: string): Recording {
	let reason: string;
	try {
		return read(JSON.parse(text.replace(/^\u{FEFF}/v, '')));
	} catch (error) {
		// The message of the parser quotes the text.
		reason = (error as Error).message.replace(/, (?:\.{3})?".*" ?(?:\.{3})? ?is not valid JSON$/sv, '').replace(/ in JSON at position \d+/v, '');
	}

	throw new CacheHooksError('ERR_RECORDING_FILE', `The file \`${path}\` is not a recording: ${reason}. Mend it, or remove it and record it again.`);
}

function read(file: unknown): Recording {
	const {request, response, recordedAt, vary, key, ...others} = objectIn(file, 'the file');
	const {statusCode, statusMessage = '', headers = {}, ...content} = objectIn(response, '`response`');
	expect(Number.isSafeInteger(statusCode) && (statusCode as number) >= 100 && (statusCode as number) <= 999, '`response.statusCode` is not a status code');
	expect(isLine(statusMessage), '`response.statusMessage` is not a string of one line');
	expect(typeof key === 'string' && key !== '', '`key` is not a string');
	expectBody(content, '`response`');
	const {method, url} = objectIn(request, '`request`');
	expect(typeof method === 'string' && typeof url === 'string' && URL.canParse(url), '`request` lacks its `method` or its `url`');
	const lines = rawHeadersOf(headers, '`response.headers`');
	const isPlain = content.base64 === undefined || textOf(content) !== undefined;
	// Somebody has written the text of a body that was compressed.
	const plain = isPlain ? withoutField(lines, 'content-encoding') : lines;
	const body = bytesOf(content, fieldsOf(plain));
	const createdAt = recordedAt === undefined ? 0 : Date.parse(typeof recordedAt === 'string' ? recordedAt : '');
	expect(!Number.isNaN(createdAt), '`recordedAt` is not a date');
	const variation = vary === undefined ? undefined : variationIn(vary);
	const metadata = {
		...others,
		method,
		url,
		statusCode: statusCode as number,
		statusMessage,
		rawHeaders: method === 'HEAD' ? lines : withLength(plain, body.byteLength),
		createdAt,
		initialAge: 0,
		expires: optionalNumber(others.expires, '`expires`'),
		retainUntil: optionalNumber(others.retainUntil, '`retainUntil`'),
		decidedBy: others.decidedBy === 'origin' ? 'origin' : 'user',
		generation: key,
		request: requestIn(request as Readonly<Record<string, unknown>>),
		...variation !== undefined && {vary: variation, primary: key},
	} satisfies StoredMetadata;
	return {key: variation === undefined ? key : variantKey(key, variation.digest), stored: storedResponse(metadata, body)};
}

function requestIn({method, url, sentMethod = method, sentUrl = url, headers = {}, bodyParts, trust, partition, ...content}: Readonly<Record<string, unknown>>): StoredRequest {
	expectBody(content, '`request`');
	const body = textOf(content);
	return {
		method: String(sentMethod),
		url: String(sentUrl),
		rawHeaders: rawHeadersOf(headers, '`request.headers`'),
		...body !== undefined && {body},
		...bodyParts !== undefined && {bodyParts: bodyParts as readonly string[]},
		...typeof trust === 'string' && {trust},
		...partition !== undefined && {partition: partition as NonNullable<StoredRequest['partition']>},
	};
}

function variationIn(vary: unknown): {readonly names: readonly string[]; readonly digest: string} {
	const {names, digest} = objectIn(vary, '`vary`');
	expect(Array.isArray(names) && names.every(name => typeof name === 'string') && typeof digest === 'string', '`vary` lacks its `names` or its `digest`');
	return {names, digest};
}

/** Returns header lines with the length of a body that somebody may have edited. */
function withLength(lines: readonly string[], length: number): readonly string[] {
	const known = fieldValue(fieldsOf(lines), 'content-length');
	return known === undefined || Number(known) === length
		? lines
		: lines.map((text, index) => index % 2 === 1 && lines[index - 1]!.toLowerCase() === 'content-length' ? String(length) : text);
}

function rawHeadersOf(headers: unknown, name: string): string[] {
	return Object.entries(objectIn(headers, name)).flatMap(([field, value]) => (Array.isArray(value) ? value : [value]).flatMap((line: unknown) => {
		const text = typeof line === 'number' ? String(line) : line;
		expect(isToken(field), `\`${field}\` in ${name} is not the name of a header`);
		expect(isLine(text), `the value of \`${field}\` in ${name} is not a string of one line`);
		return [field, text];
	}));
}

/** Whether a value is a string without a character that would end the line of a response (RFC 9110 §5.5). */
function isLine(value: unknown): value is string {
	return typeof value === 'string' && !/[\0\n\r]/v.test(value);
}

function optionalNumber(value: unknown, name: string): number | undefined {
	expect(value === undefined || Number.isFinite(value), `${name} is not a number`);
	return value as number | undefined;
}

function objectIn(value: unknown, name: string): Readonly<Record<string, unknown>> {
	expect(typeof value === 'object' && value !== null && !Array.isArray(value), `${name} is not an object`);
	return value as Readonly<Record<string, unknown>>;
}

function expectBody(content: Readonly<Record<string, unknown>>, name: string): void {
	const fault = bodyFault(content, name);
	expect(fault === undefined, fault ?? '');
}

function expect(isMet: boolean, reason: string): asserts isMet {
	if (!isMet) {
		throw new TypeError(reason);
	}
}
