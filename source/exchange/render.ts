import {
	type Body,
	bodyRange,
	fieldsOf,
	type NodeHeaders,
	nodeHeaders,
	type StoredResponse,
} from '../entry/stored-response.ts';
import {
	appendMember,
	fieldValue,
	type Fields,
	cookieFields,
	notModifiedFields,
	replaceField,
	storableFields,
	withoutField,
	type RawFields,
} from '../policy/fields.ts';
import {currentAge} from '../policy/freshness.ts';
import type {View} from '../policy/types.ts';
import type {RenderedResponse} from './exchange.ts';

/** Renders a stored response for the caller. */
export function renderStored(stored: StoredResponse, {view, method, ageAt, status, ownLines = noLines}: RenderOptions): RenderedResponse {
	const rendering = new Rendering(stored, view, method);
	if (ageAt !== undefined) {
		const seconds = Math.floor(currentAge(stored, ageAt) / 1000);
		rendering.set('Age', String(seconds));
	}

	if (status !== undefined) {
		rendering.set('Cache-Status', appendMember(rendering.storedValue('cache-status'), status));
	}

	if (ownLines.length > 0) {
		rendering.add(ownLines);
	}

	return rendering;
}

type RenderOptions = {
	readonly view: View;
	readonly method: string;

	/** The time for which `Age` is calculated (RFC 9111 §5.1); `undefined` for no `Age`. */
	readonly ageAt: number | undefined;

	/** The member to add to `Cache-Status` (RFC 9211); `undefined` for none. */
	readonly status: string | undefined;

	/** The header lines of the origin's response to this request that are not stored: cookies and other credentials. */
	readonly ownLines?: RawFields | undefined;
};

const noLines: RawFields = [];

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

const statusLines: Readonly<Record<Exclude<View['kind'], 'whole'>, {readonly statusCode: number; readonly statusMessage: string}>> = {
	'not-modified': {statusCode: 304, statusMessage: 'Not Modified'},
	part: {statusCode: 206, statusMessage: 'Partial Content'},
	unsatisfiable: {statusCode: 416, statusMessage: 'Range Not Satisfiable'},
};

function content({body}: StoredResponse, view: View): Body {
	if (view.kind === 'whole') {
		return body;
	}

	return view.kind === 'part' ? bodyRange(body, view.start, view.end) : noBody;
}

/** A stored response for one caller. The copy of `rawHeaders` is made when somebody reads it: Got does not. */
class Rendering implements RenderedResponse {
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly headers: NodeHeaders;
	readonly body: Body;
	readonly fromCache = true;
	readonly #stored: RawFields;
	readonly #fields: Fields;

	/** Names and values of lines that replace those of the same name. */
	readonly #replaced: string[] = [];
	#added: RawFields = noLines;

	constructor(stored: StoredResponse, view: View, method: string) {
		const isWhole = view.kind === 'whole';
		const {statusCode, statusMessage} = isWhole ? stored : statusLines[view.kind];
		this.statusCode = statusCode;
		this.statusMessage = statusMessage;
		this.#stored = isWhole ? stored.rawHeaders : linesFor(stored.rawHeaders, view);
		this.#fields = isWhole ? stored.fields : fieldsOf(this.#stored);
		this.headers = nodeHeaders(this.#fields);
		this.body = method === 'HEAD' ? noBody : content(stored, view);
	}

	get rawHeaders(): string[] {
		let raw = [...this.#stored];
		for (let index = 0; index < this.#replaced.length; index += 2) {
			raw = replaceField(raw, this.#replaced[index]!, this.#replaced[index + 1]!);
		}

		for (const name of Object.keys(fieldsOf(this.#added))) {
			raw = name === 'set-cookie' ? raw : withoutField(raw, name);
		}

		return [...raw, ...this.#added];
	}

	storedValue(name: string): string | undefined {
		return fieldValue(this.#fields, name);
	}

	/** Replaces all lines of a name by one line at the end. */
	set(name: string, value: string): void {
		const key = name.toLowerCase();
		if (this.headers[key] !== undefined) {
			delete this.headers[key]; // eslint-disable-line @typescript-eslint/no-dynamic-delete -- The name is to come last.
		}

		this.headers[key] = value;
		this.#replaced.push(name, value);
	}

	/** Adds lines. They replace the lines of the same names, except for cookies. */
	add(lines: RawFields): void {
		for (const [name, values] of Object.entries(fieldsOf(lines))) {
			this.headers[name] = name === 'set-cookie'
				? [...this.headers[name] ?? [], ...[values ?? []].flat()]
				: nodeHeaders({[name]: values})[name]!;
		}

		this.#added = lines;
	}
}

/** Removes the cookies that another client has stored with a response. */
export function withoutCookies(stored: StoredResponse): StoredResponse {
	if (cookieFields.every(name => stored.fields[name] === undefined)) {
		return stored;
	}

	const rawHeaders = storableFields(stored.rawHeaders, cookieFields);
	return {...stored, rawHeaders, fields: fieldsOf(rawHeaders)};
}

/** Renders the 504 of a cache that has no response (RFC 9111 §5.2.1.7). Its status message is that of requests-cache. */
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
