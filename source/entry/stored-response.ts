import {Buffer} from 'node:buffer';
import {callMethod} from '../policy/facts.ts';
import type {StoredFacts} from '../policy/response-facts.ts';
import {BareFields, type Fields} from '../policy/fields.ts';
import type {RawFields} from '../policy/storing.ts';
import type {StoredHead} from '../policy/types.ts';

/**
A response as it is stored. It is never changed: an update is a new object.
*/
export type StoredResponse = StoredHead & StoredMetadata & {
	/** The content, without the content codings that `codings` names. Callers get copies only. */
	readonly body: Uint8Array;
};

/**
What is stored of a response beside its body. Times are milliseconds since the epoch.
*/
export type StoredMetadata = {
	readonly method: string;

	/** Without user info and fragment, ignored parameters redacted. */
	readonly url: string;
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly rawHeaders: RawFields;
	readonly createdAt: number;

	/** The age of the response when it came, in milliseconds. */
	readonly initialAge: number;
	readonly expires: number | undefined;

	/** When the store may forget it; `undefined` is never. */
	readonly retainUntil: number | undefined;

	/** The content codings that were undone before it was stored; absent where the body is stored as it came. */
	readonly codings?: readonly string[];

	/** The facts of the headers, so that a hit parses none of them; absent without `cacheControl`, and in what an older version stored. */
	readonly facts?: StoredFacts;

	/** Who decided whether the response is stored and how long it is fresh: the settings (`'user'`), or the headers by RFC 9111 (`'origin'`). */
	readonly decidedBy: 'user' | 'origin';

	/** A name from which the keys of the variants of a primary entry are derived. */
	readonly generation: string;
	readonly vary?: Variation;

	/** The key of the primary entry; absent in the primary entry itself. */
	readonly primary?: string;

	/** A checksum of the entry and its key; absent in what an older version stored. */
	readonly check?: string;

	/** The request that the response answers, from which its key can be made again; absent in what an older version stored. */
	readonly request?: StoredRequest;

	/** Tags by which the entry can be deleted and expired together with others. */
	readonly tags?: readonly string[];

	/** The position in the journal of the last invalidation before the request was sent; absent where there was none. */
	readonly position?: number;

	/** How long the origin took to respond, body included, in milliseconds. */
	readonly took?: number;

	/** Whether the origin has validated the response since it was received. */
	readonly revalidated?: boolean;

	/** The cookies that a redirect set, without their values. */
	readonly cookies?: readonly StoredCookie[];

	/** The mark that `expire()` has put on a primary entry: the time, and a random id. A variant copies the mark of its primary entry when it is written: one with another mark has expired with the primary entry. */
	readonly expiredWith?: string;
};

/** A request without what is secret in it. */
export type StoredRequest = {
	/** The method as it counts in the key, with the one that an override header asks for behind a colon. */
	readonly method: string;
	readonly url: string;
	readonly rawHeaders: RawFields;

	/** The redacted body, where it is JSON or a form. */
	readonly body?: string;

	/** The parts of any other body that the key is made of. */
	readonly bodyParts?: readonly string[];

	/** The digest of the TLS settings that differ from the defaults. */
	readonly trust?: string;

	/** Whom the request was for: the names of the hashed parts of its key, in order, and their keyed digest. */
	readonly partition?: {readonly parts: ReadonlyArray<readonly [where: string, name: string]>; readonly digest: string};
};

/** A cookie that a redirect set, or deleted. */
export type StoredCookie = {
	readonly name: string;

	/** A URL for which a cookie jar would give the cookie. */
	readonly url: string;
	readonly isDeleted: boolean;
};

/** The request fields by which a response varies (RFC 9111 §4.1), and a digest of their values, among which a cookie may be. */
export type Variation = {
	readonly names: readonly string[];

	/** Empty until it is saved. */
	readonly digest: string;
};

/** Makes a stored response of its metadata and body. */
export function storedResponse(metadata: StoredMetadata, body: Uint8Array): StoredResponse {
	return {
		...metadata,
		fields: fieldsOf(metadata.rawHeaders),
		byteLength: body.byteLength,
		body,
	};
}

/** Whether an entry is the result of a decorated function, and not an HTTP response. Its key cannot be made again of what is stored of the call. */
export function isCall({method}: Pick<StoredMetadata, 'method'>): boolean {
	return method === callMethod;
}

/**
Header lines by lower-case name; several lines of a name become a list.
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
Headers as Node.js would give them; a new object each time.
*/
export function nodeHeaders(fields: Fields): NodeHeaders {
	const headers: NodeHeaders = {};
	for (const name in fields) { // eslint-disable-line guard-for-in -- They are of a bare object.
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

/**
An entry as it is kept in memory: strings that several entries have in common are kept once. Node.js makes new strings for each request, even where they are equal.
*/
export function withSharedStrings(stored: StoredResponse): StoredResponse {
	const {request} = stored;
	const rawHeaders = stored.rawHeaders.map(text => shared(text));
	return {
		...stored,
		statusMessage: shared(stored.statusMessage),
		rawHeaders,
		fields: fieldsOf(rawHeaders),
		...(request !== undefined && {request: sharedRequest(request, stored.url)}),
	};
}

function sharedRequest(request: StoredRequest, url: string): StoredRequest {
	const {rawHeaders} = request;
	if (rawHeaders.length !== lastLines.length || rawHeaders.some((text, index) => text !== lastLines[index])) {
		lastLines = rawHeaders.map(text => shared(text));
	}

	return {...request, url: request.url === url ? url : request.url, rawHeaders: lastLines};
}

// Longer strings are hardly ever equal.
const longestShared = 100;
const mostShared = 5000;

/** Strings that entries have in common: names of fields, media types, what a client says of itself. */
let sharedStrings = new Map<string, string>();

/** The header lines of the previous request, which mostly came from the same client. */
let lastLines: RawFields = [];

function shared(text: string): string {
	const found = sharedStrings.get(text);
	if (found !== undefined || text.length > longestShared) {
		return found ?? text;
	}

	if (sharedStrings.size >= mostShared) {
		sharedStrings = new Map();
	}

	sharedStrings.set(text, text);
	return text;
}

/** What a string, a number or an object costs beside what is in it. */
const overhead = 16;

/**
Bytes that a stored response takes: its body, and all that is stored beside it, such as header lines, tags and the body of its request. Every bound on bytes counts them, and so does `cache.size()`.
*/
export function storedSize({fields: _fields, ...stored}: StoredResponse): number {
	// The values of `fields` are those of `rawHeaders`.
	return sizeOf(stored);
}

/**
Bytes of a text, in memory and as UTF-8, whichever is more: V8 keeps a text in two bytes a character, unless all are of Latin-1.
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
	if (typeof value === 'object' && value !== null) {
		for (const member of Object.values(value)) {
			bytes += sizeOf(member);
		}
	}

	return bytes;
}
