import {callMethod, type StoredFacts} from '../policy/facts.ts';
import type {Fields} from '../policy/fields.ts';
import type {RawFields} from '../policy/storing.ts';
import type {StoredHead} from '../policy/types.ts';

/**
What is stored. Nobody changes one: an update is a new object.
*/
export type StoredResponse = StoredHead & StoredMetadata & {
	/** The content, with content codings undone unless `contentEncoding` says otherwise. Never handed out itself. */
	readonly body: Uint8Array;
};

/**
What is written beside the body.
*/
export type StoredMetadata = {
	readonly method: string;

	/** Without user info and fragment, ignored parameters redacted. */
	readonly url: string;
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly rawHeaders: RawFields;
	readonly createdAt: number;

	/** How old it was when it came, in milliseconds. */
	readonly initialAge: number;
	readonly expires: number | undefined;

	/** When the store may forget it; `undefined` is never. */
	readonly retainUntil: number | undefined;

	/** The content codings that were undone before it was stored; absent where it lies as it came. */
	readonly codings?: readonly string[];

	/** What its headers say, so that a hit parses none of them; absent where the user's word alone decides, and in what an older version stored. */
	readonly facts?: StoredFacts;

	/** Who decided how long it is fresh, and whether it may be stored at all: the settings, or the response (RFC 9111). */
	readonly decidedBy: 'user' | 'origin';

	/** Of a primary entry: what its variants' keys derive from. */
	readonly generation: string;
	readonly vary?: Variation;

	/** Of a variant that lies beside the primary entry: the key of that. */
	readonly primary?: string;

	/** Tells whether it is what was written, and where. */
	readonly check?: string;

	/** What it answers, to make its key again; absent in what an older version stored. */
	readonly request?: StoredRequest;

	/** By which it can be deleted and expired together with others. */
	readonly tags?: readonly string[];

	/** The position of the last invalidation before it was asked for; absent where there was none. */
	readonly position?: number;

	/** How long the origin took to give it, in milliseconds. */
	readonly took?: number;

	/** Whether the origin has said since it was received that it is still right. */
	readonly revalidated?: boolean;

	/** Of a redirect, the cookies that it set. Their values are not stored. */
	readonly cookies?: readonly StoredCookie[];

	/** Of a primary entry: when it was marked as expired, and a mark of that, which variants copy when they are written. One that has another has expired with it. */
	readonly expiredWith?: string;
};

/** A request without what is secret in it. */
export type StoredRequest = {
	/** As it counts in the key. */
	readonly method: string;
	readonly url: string;
	readonly rawHeaders: RawFields;

	/** JSON or a form. */
	readonly body?: string;

	/** Of any other body, the parts that its key is made of. */
	readonly bodyParts?: readonly string[];

	/** The digest of the TLS settings that differ from the defaults. */
	readonly trust?: string;

	/** Whom it was for: the names of the hashed parts of its key, in order, and their keyed digest. */
	readonly partition?: {readonly parts: ReadonlyArray<readonly [where: string, name: string]>; readonly digest: string};
};

/** A cookie that a redirect set, or deleted. */
export type StoredCookie = {
	readonly name: string;

	/** A URL for which a cookie jar gives it. */
	readonly url: string;
	readonly isDeleted: boolean;
};

/** By what a response varies (RFC 9111 §4.1). Values are digests: a cookie may be among them. */
export type Variation = {
	readonly names: readonly string[];

	/** Empty until it is saved. */
	readonly digest: string;
};

export function storedResponse(metadata: StoredMetadata, body: Uint8Array): StoredResponse {
	return {
		...metadata,
		fields: fieldsOf(metadata.rawHeaders),
		byteLength: body.byteLength,
		body,
	};
}

/** Whether it is what a function gave, and not a response of HTTP. Its key is made of more than what is stored of the call. */
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
An object of which nothing is a field but what was put there. `Object.create(null)` is the same, but a hash table, four times the size.
*/
class BareFields { // eslint-disable-line @typescript-eslint/no-extraneous-class -- Its objects have fields.
	static {
		Object.setPrototypeOf(this.prototype, null);
		Reflect.deleteProperty(this.prototype, 'constructor');
	}
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
An entry as it is kept in memory: what it has in common with others is there once. Each request brings strings of its own, though they are alike.
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

// Longer ones are hardly ever alike.
const longestShared = 100;
const mostShared = 5000;

/** Strings that entries have in common: names of fields, media types, what a client says of itself. */
let sharedStrings = new Map<string, string>();

/** The lines of the request before, which was mostly the same client's. */
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
