import {Buffer} from 'node:buffer';
import type {StoredRequest} from '../identity/stored-request.ts';
import {type RawFields, BareFields, type Fields} from '../policy/fields.ts';
import {callMethod} from '../policy/facts.ts';
import {type StoredFacts} from '../policy/response-facts.ts';
import type {StoredHead} from '../policy/types.ts';

/**
A response as it is stored. It is immutable: an update is a new object.
*/
export type StoredResponse = StoredHead & StoredMetadata & {
	/** The content, without the content codings in `codings`. Callers get copies only. */
	readonly body: Body;
};

/** A body: its bytes or, for a large one, its parts until somebody needs them joined. The memory of parts is used again for the next body. That of one large array comes from the system each time, whose page faults take as long as receiving the body. */
export type Body = Uint8Array | BodyParts;

/** The parts of a body in their order, or its bytes as the only part. */
export type BodyParts = {parts: readonly Uint8Array[]};

/** Returns the number of bytes of a body. */
export function bodyLength(body: Body): number {
	return body instanceof Uint8Array ? body.byteLength : body.parts.reduce((sum, {byteLength}) => sum + byteLength, 0);
}

/** Returns the parts of a body, without a copy. */
export function partsOfBody(body: Body): readonly Uint8Array[] {
	return body instanceof Uint8Array ? [body] : body.parts;
}

/** Returns the bytes of a body. It joins several parts, once. */
export function bodyBytes(body: Body): Uint8Array {
	if (body instanceof Uint8Array) {
		return body;
	}

	if (body.parts.length !== 1) {
		body.parts = [Buffer.concat(body.parts)];
	}

	return body.parts[0]!;
}

/** Returns a range of a body, without a copy. */
export function bodyRange(body: Body, start: number, end: number): Body {
	if (body instanceof Uint8Array) {
		return body.subarray(start, end);
	}

	const parts: Uint8Array[] = [];
	let position = 0;
	for (const part of body.parts) {
		const within = part.subarray(Math.max(start - position, 0), Math.max(end - position, 0));
		position += part.byteLength;
		if (within.byteLength > 0) {
			parts.push(within);
		}
	}

	return {parts};
}

/** Whether a value is a body. */
export function isBody(value: unknown): value is Body {
	const {parts} = (value ?? {}) as Partial<BodyParts>;
	return value instanceof Uint8Array || (Array.isArray(parts) && parts.every(part => part instanceof Uint8Array));
}

/**
What is stored of a response besides its body. Times are in milliseconds since the epoch.
*/
export type StoredMetadata = {
	readonly method: string;

	/** The URL without user info and fragment, with ignored parameters redacted. */
	readonly url: string;
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly rawHeaders: RawFields;
	readonly createdAt: number;

	/** The age of the response when it was received, in milliseconds. */
	readonly initialAge: number;
	readonly expires: number | undefined;

	/** When the store may drop the entry; `undefined` for never. */
	readonly retainUntil: number | undefined;

	/** The content codings that were undone before storing; absent if the body is stored as received. */
	readonly codings?: readonly string[];

	/** The facts parsed from the headers, so that a hit need not parse them again; absent without `cacheControl`, and in entries of older versions. */
	readonly facts?: StoredFacts;

	/** The source of the storing policy and the expiration: the settings (`'user'`), or the headers by RFC 9111 (`'origin'`). */
	readonly decidedBy: 'user' | 'origin';

	/** A random name from which the keys of the variants of a primary entry are derived. It is made when an entry with `vary` is saved; without `vary`, it is not used. */
	readonly generation: string;
	readonly vary?: Variation;

	/** The key of the primary entry; absent in the primary entry itself. */
	readonly primary?: string;

	/** A checksum of the entry and its key; absent in entries of older versions. */
	readonly check?: string;

	/** The request that the response answers, from which its key can be created again; absent in entries of older versions. */
	readonly request?: StoredRequest;

	/** Tags by which the entry can be deleted and expired together with others. */
	readonly tags?: readonly string[];

	/** The position in the journal of the last invalidation before the request was sent; absent if there was none. */
	readonly position?: number;

	/** How long the origin took to send the whole response, in milliseconds. */
	readonly took?: number;

	/** Whether the origin has validated the response since it was received. */
	readonly revalidated?: boolean;

	/** The names and URLs of the cookies that a redirect set, without their values. */
	readonly cookies?: readonly StoredCookie[];

	/** The time at which `expire()` expired a primary entry, and a random id. A variant copies the value of its primary entry when it is written; a variant whose value differs has expired with its primary entry. */
	readonly expiredWith?: string;
};

/** A cookie that a redirect set, or deleted. */
export type StoredCookie = {
	readonly name: string;

	/** A URL for which a cookie jar would give the cookie. */
	readonly url: string;
	readonly isDeleted: boolean;
};

/** The request header fields by which a response varies (RFC 9111 §4.1), and a digest of their values, which may include cookies. */
export type Variation = {
	readonly names: readonly string[];

	/** Empty until the entry is saved. */
	readonly digest: string;
};

/** Creates a stored response from its metadata and body. It shares its strings with other entries in memory: Node.js creates new strings for each request, even if they are equal. */
export function storedResponse(metadata: StoredMetadata, body: Body): StoredResponse {
	const {request, url, statusMessage} = metadata;
	const rawHeaders = metadata.rawHeaders.map(text => shared(text));
	return {
		...metadata,
		statusMessage: shared(statusMessage),
		rawHeaders,
		...(request !== undefined && {request: sharedRequest(request, url)}),
		fields: fieldsOf(rawHeaders),
		byteLength: bodyLength(body),
		body,
	};
}

/** Whether an entry is the result of a decorated function instead of an HTTP response. Its key cannot be created again from what is stored. */
export function isCall({method}: Pick<StoredMetadata, 'method'>): boolean {
	return method === callMethod;
}

/**
Returns raw header lines by lower-case name. Several lines with the same name become a list.
*/
export function fieldsOf(raw: RawFields): Fields {
	const fields = new BareFields() as Record<string, string | string[]>;
	for (let index = 0; index < raw.length; index += 2) {
		const name = raw[index]!.toLowerCase();
		const value = raw[index + 1]!;
		const known = fields[name];
		if (known === undefined) {
			fields[name] = value;
		} else if (typeof known === 'string') {
			fields[name] = [known, value];
		} else {
			known.push(value);
		}
	}

	return fields;
}

/**
Returns headers as Node.js does, in a new object.
*/
export function nodeHeaders(fields: Fields): NodeHeaders {
	const headers: NodeHeaders = {};
	for (const name in fields) { // eslint-disable-line guard-for-in -- The object has no prototype.
		const value = fields[name];
		if (typeof value === 'string') {
			headers[name] = name === 'set-cookie' ? [value] : value;
		} else if (value !== undefined) {
			headers[name] = joinLines(name, value);
		}
	}

	return headers;
}

/** Headers in the shape of `IncomingMessage.headers`. */
export type NodeHeaders = Record<string, string | string[]>;

// Node.js keeps the first line of these and joins the others (https://nodejs.org/api/http.html#messageheaders).
const single = new Set(['age', 'authorization', 'content-length', 'content-type', 'etag', 'expires', 'from', 'host', 'if-modified-since', 'if-unmodified-since', 'last-modified', 'location', 'max-forwards', 'proxy-authorization', 'referer', 'retry-after', 'server', 'user-agent']);

function joinLines(name: string, lines: readonly string[]): string | string[] {
	if (name === 'set-cookie') {
		return [...lines];
	}

	return single.has(name) ? lines[0]! : lines.join(name === 'cookie' ? '; ' : ', ');
}

/** Bytes that a string, a number or an object takes in addition to its content. */
const overhead = 16;

/**
Returns the number of bytes that a stored response takes: its body and everything stored with it, such as header lines, tags and the body of its request. Every limit on bytes counts them, and so does `cache.size()`.
*/
export function storedSize(stored: StoredResponse): number {
	let bytes = overhead;
	for (const name in stored) {
		// The values of `fields` are those of `rawHeaders`.
		if (name !== 'fields' && Object.hasOwn(stored, name)) {
			bytes += sizeOf(stored[name as keyof StoredResponse]);
		}
	}

	return bytes;
}

/**
Returns the number of bytes of a text in memory or as UTF-8, whichever is larger. V8 takes two bytes per character, unless all characters are Latin-1.
*/
export function textSize(text: string): number {
	const bytes = Buffer.byteLength(text);
	return bytes === text.length ? bytes : Math.max(bytes, 2 * text.length);
}

function sizeOf(value: unknown): number {
	if (typeof value === 'string') {
		return overhead + textSize(value);
	}

	if (value instanceof Uint8Array) {
		return overhead + value.byteLength;
	}

	let bytes = overhead;
	if (Array.isArray(value)) {
		for (const item of value) {
			bytes += sizeOf(item);
		}
	} else if (typeof value === 'object' && value !== null) {
		for (const name in value) {
			if (Object.hasOwn(value, name)) {
				bytes += sizeOf((value as Readonly<Record<string, unknown>>)[name]);
			}
		}
	}

	return bytes;
}

// Longer strings are rarely equal.
const maxSharedLength = 100;
const maxSharedStrings = 5000;

/** Strings that entries have in common: names of fields, media types, user agents. */
let sharedStrings = new Map<string, string>();

/** The header lines of the previous request, which often came from the same client. */
let lastRawHeaders: RawFields = [];

function sharedRequest(request: StoredRequest, url: string): StoredRequest {
	const {rawHeaders} = request;
	if (rawHeaders.length !== lastRawHeaders.length || rawHeaders.some((text, index) => text !== lastRawHeaders[index])) {
		lastRawHeaders = rawHeaders.map(text => shared(text));
	}

	return {...request, url: request.url === url ? url : request.url, rawHeaders: lastRawHeaders};
}

function shared(text: string): string {
	const found = sharedStrings.get(text);
	if (found !== undefined || text.length > maxSharedLength) {
		return found ?? text;
	}

	if (sharedStrings.size >= maxSharedStrings) {
		sharedStrings = new Map();
	}

	sharedStrings.set(text, text);
	return text;
}
