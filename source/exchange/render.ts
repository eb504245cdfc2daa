import {
	fieldsOf,
	nodeHeaders,
	type NodeHeaders,
	type StoredResponse,
} from '../entry/stored-response.ts';
import {cacheStatusMember, type ForwardReason, type StatusFacts} from '../policy/cache-status.ts';
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
import type {Reason, View} from '../policy/types.ts';
import type {ExchangeInfo, RenderedResponse} from './exchange.ts';
import type {ExchangeSettings} from './settings.ts';

/** Renders a stored response for the caller. */
export function renderStored(stored: StoredResponse, {view, method, ageAt, status, ownLines}: RenderOptions): RenderedResponse {
	const fields = view.kind === 'whole' ? stored.fields : undefined;
	const lines = new Lines(fields === undefined ? linesFor(stored.rawHeaders, view) : stored.rawHeaders, fields);
	if (ageAt !== undefined) {
		const seconds = Math.floor(currentAge(stored, ageAt) / 1000);
		lines.set('Age', String(seconds));
	}

	if (status !== undefined) {
		lines.set('Cache-Status', appendMember(lines.valueOf('cache-status'), status));
	}

	lines.add(ownLines);
	const {statusCode, statusMessage} = view.kind === 'whole' ? stored : statusLines[view.kind];
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

	/** The time for which `Age` is calculated (RFC 9111 §5.1); `undefined` for no `Age`. */
	readonly ageAt: number | undefined;

	/** The member to add to `Cache-Status` (RFC 9211); `undefined` for none. */
	readonly status: string | undefined;

	/** The header lines of the origin's response to this request that are not stored: cookies and other credentials. */
	readonly ownLines: RawFields;
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

const statusLines: Readonly<Record<Exclude<View['kind'], 'whole'>, {readonly statusCode: number; readonly statusMessage: string}>> = {
	'not-modified': {statusCode: 304, statusMessage: 'Not Modified'},
	part: {statusCode: 206, statusMessage: 'Partial Content'},
	unsatisfiable: {statusCode: 416, statusMessage: 'Range Not Satisfiable'},
};

function content({body}: StoredResponse, view: View): Uint8Array {
	if (view.kind === 'whole') {
		return body;
	}

	return view.kind === 'part' ? body.subarray(view.start, view.end) : noBody;
}

/** Header lines in the forms of `rawHeaders` and of `headers`. */
class Lines {
	raw: string[];
	readonly headers: NodeHeaders;
	readonly #fields: Fields;

	/** Copies the lines. */
	constructor(raw: RawFields, fields: Fields = fieldsOf(raw)) {
		this.raw = [...raw];
		this.headers = nodeHeaders(fields);
		this.#fields = fields;
	}

	valueOf(name: string): string | undefined {
		return fieldValue(this.#fields, name);
	}

	/** Replaces all lines of a name by one line at the end. */
	set(name: string, value: string): void {
		const key = name.toLowerCase();
		if (this.headers[key] === undefined) {
			this.raw.push(name, value);
		} else {
			this.raw = replaceField(this.raw, name, value);
			delete this.headers[key]; // eslint-disable-line @typescript-eslint/no-dynamic-delete -- The name is to come last.
		}

		this.headers[key] = value;
	}

	/** Adds lines. They replace the lines of the same names, except for cookies. */
	add(lines: RawFields): void {
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

const forwardReasons: Partial<Record<Reason, ForwardReason>> = {
	method: 'method',
	miss: 'uri-miss',
	filtered: 'uri-miss',
	stale: 'stale',
	'no-cache': 'stale',
	'must-revalidate': 'stale',
	refresh: 'request',
	'force-refresh': 'request',
	'request-limits': 'request',
	precondition: 'request',
	'request-no-store': 'request',
	range: 'partial',
};

type ResponseSource = {
	/** Why the request went to the origin; `undefined` where it did not. */
	readonly forwarded: Reason | undefined;
	readonly varies: boolean;

	/** The status code of the origin's response, if there was one. */
	readonly statusCode: number | undefined;
	readonly stored: boolean;
	readonly now: number;
};

/** Returns the member of this cache in `Cache-Status` (RFC 9211). */
export function describeStatus({name, key}: Exclude<ExchangeSettings['cacheStatus'], false>, {reason, fromCache, collapsed, expires, key: usedKey}: ExchangeInfo, {forwarded, varies, statusCode, stored, now}: ResponseSource): string {
	const needsDetail = fromCache ? reason !== 'fresh' && reason !== 'revalidated' : reason === 'only-if-cached' || reason === 'gateway-timeout';
	return serializedMember(name, {
		hit: forwarded === undefined && fromCache,
		forward: forwarded === undefined ? undefined : forwardReasonOf(forwarded, varies),
		forwardStatus: statusCode,
		stored,
		collapsed,
		ttl: fromCache && expires !== undefined ? Math.floor((expires - now) / 1000) : undefined,
		key: key ? usedKey : undefined,
		detail: needsDetail ? reason : undefined,
	});
}

function forwardReasonOf(reason: Reason, varies: boolean): ForwardReason {
	return reason === 'miss' && varies ? 'vary-miss' : forwardReasons[reason] ?? 'bypass';
}

/** The members serialized last. To serialize one takes 2 µs, some 2 % of a hit, and the responses of one second mostly have the same one. */
const members = new Map<string, string>();

function serializedMember(name: string, facts: StatusFacts): string {
	const id = `${name} ${Object.values(facts).join(' ')}`;
	const known = members.get(id);
	if (known !== undefined) {
		return known;
	}

	const member = cacheStatusMember(name, facts);
	if (members.size >= 500) {
		members.clear();
	}

	members.set(id, member);
	return member;
}
