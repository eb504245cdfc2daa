import {
	fieldsOf,
	nodeHeaders,
	type NodeHeaders,
	type StoredResponse,
} from '../entry/stored-response.ts';
import {appendMember, fieldValue, type Fields} from '../policy/fields.ts';
import {currentAge} from '../policy/freshness.ts';
import {
	cookieFields,
	notModifiedFields,
	replaceField,
	storableFields,
	withoutField,
	type RawFields,
} from '../policy/storing.ts';
import type {View} from '../policy/types.ts';
import type {RenderedResponse} from './exchange.ts';

/**
Makes the response that the caller gets of a stored one.
*/
export function renderStored(stored: StoredResponse, {view, method, ageAt, status, own}: RenderOptions): RenderedResponse {
	const fields = view.kind === 'whole' ? stored.fields : undefined;
	const lines = new Lines(fields === undefined ? linesFor(stored.rawHeaders, view) : stored.rawHeaders, fields);
	if (ageAt !== undefined) {
		const seconds = Math.floor(currentAge(stored, ageAt) / 1000);
		lines.put('Age', String(seconds));
	}

	if (status !== undefined) {
		lines.put('Cache-Status', appendMember(lines.valueOf('cache-status'), status));
	}

	lines.give(own);
	const {statusCode, statusMessage} = statusLine(stored, view);
	return {
		statusCode,
		statusMessage,
		headers: lines.headers,
		rawHeaders: lines.raw,
		body: method === 'HEAD' ? noBody : content(stored, view),
		fromCache: true,
	};
}

type RenderOptions = {
	readonly view: View;
	readonly method: string;

	/** The moment for which `Age` is given (RFC 9111 §5.1); `undefined` for no `Age`. */
	readonly ageAt: number | undefined;

	/** The member that is added to `Cache-Status` (RFC 9211); `undefined` for none. */
	readonly status: string | undefined;

	/** Header lines of the origin's answer to this request that are not stored: cookies and other credentials. */
	readonly own: RawFields;
};

const noBody = new Uint8Array(0);

function linesFor(raw: RawFields, view: View): RawFields {
	const lines = view.kind === 'not-modified' ? notModifiedFields(raw) : raw;
	return view.kind === 'part' || view.kind === 'unsatisfiable'
		? withRange(lines, view.contentRange, view.kind === 'part' ? view.end - view.start : 0)
		: lines;
}

function withRange(raw: RawFields, range: string, length: number): RawFields {
	const ranged = replaceField(raw, 'Content-Range', range);
	return replaceField(ranged, 'Content-Length', String(length));
}

function statusLine({statusCode, statusMessage}: StoredResponse, view: View): {statusCode: number; statusMessage: string} {
	switch (view.kind) {
		case 'whole': {
			return {statusCode, statusMessage};
		}

		case 'not-modified': {
			return {statusCode: 304, statusMessage: 'Not Modified'};
		}

		case 'part': {
			return {statusCode: 206, statusMessage: 'Partial Content'};
		}

		case 'unsatisfiable': {
			return {statusCode: 416, statusMessage: 'Range Not Satisfiable'};
		}
	}
}

function content({body}: StoredResponse, view: View): Uint8Array {
	if (view.kind === 'whole') {
		return body;
	}

	return view.kind === 'part' ? body.subarray(view.start, view.end) : noBody;
}

/** Header lines, both raw and as Node.js gives them, of which some can be replaced. */
class Lines {
	raw: string[];
	readonly headers: NodeHeaders;
	readonly #fields: Fields;

	/**
	Copies the lines.

	@param fields - Those of the lines, where they are known.
	*/
	constructor(raw: RawFields, fields: Fields = fieldsOf(raw)) {
		this.raw = [...raw];
		this.headers = nodeHeaders(fields);
		this.#fields = fields;
	}

	valueOf(name: string): string | undefined {
		return fieldValue(this.#fields, name);
	}

	/** Puts one line at the end, in place of all lines of its name. */
	put(name: string, value: string): void {
		const key = name.toLowerCase();
		if (this.headers[key] === undefined) {
			this.raw.push(name, value);
		} else {
			this.raw = replaceField(this.raw, name, value);
			delete this.headers[key]; // eslint-disable-line @typescript-eslint/no-dynamic-delete -- It is the last one then.
		}

		this.headers[key] = value;
	}

	/** Adds lines in place of all lines of their names; cookies are added to others. */
	give(lines: RawFields): void {
		for (const [name, values] of Object.entries(fieldsOf(lines))) {
			if (name === 'set-cookie') {
				this.headers[name] = [...this.headers[name] ?? [], ...[values ?? []].flat()];
			} else {
				this.raw = withoutField(this.raw, name);
				this.headers[name] = nodeHeaders({[name]: values})[name]!;
			}
		}

		this.raw.push(...lines);
	}
}

/** The stored response without the cookies that another client has stored with it. */
export function withoutCookies(stored: StoredResponse): StoredResponse {
	if (cookieFields.every(name => stored.fields[name] === undefined)) {
		return stored;
	}

	const rawHeaders = storableFields(stored.rawHeaders, cookieFields);
	return {...stored, rawHeaders, fields: fieldsOf(rawHeaders)};
}

/** The 504 of a cache that has no answer (RFC 9111 §5.2.1.7); its status message is that of requests-cache. */
export function renderGatewayTimeout(statusMessage: string, status: string | undefined): RenderedResponse {
	const rawHeaders = status === undefined ? [] : ['Cache-Status', status];
	return {
		statusCode: 504,
		statusMessage,
		headers: nodeHeaders(fieldsOf(rawHeaders)),
		rawHeaders,
		body: noBody,
		fromCache: false,
	};
}
