import {Buffer, isUtf8} from 'node:buffer';
import {SettingError} from '../errors.ts';
import {sentRequest, type SentRequest} from '../identity/sent-request.ts';
import type {StoredRequest} from '../identity/stored-request.ts';
import {redirectTarget} from '../entry/cached-response.ts';
import {decodedContent} from '../entry/content-coding.ts';
import {
	bodyBytes,
	fieldsOf,
	isCall,
	type StoredResponse,
} from '../entry/stored-response.ts';
import {fieldValue, type RawFields} from '../policy/fields.ts';
import type {CacheCore} from './core.ts';
import type {LongTask} from './criteria.ts';
import type {Listed} from './entries.ts';
import {UnreachableEntryError} from './listing.ts';
import {saveResponse, type ParsedOptions, type SaveRefusal} from './saving.ts';

/**
An HTTP archive, version 1.2, as this library writes it.
*/
export type Har = {
	/** The archive. */
	log: {
		/** The version of the format. */
		version: '1.2';

		/** What wrote the archive. */
		creator: {
			/** This library. */
			name: string;

			/** The version of what it writes. */
			version: string;
		};

		/** The exchanges, in the order in which they began. */
		entries: HarEntry[];

		/** The number of entries that were met and are missing here, since they cannot be read. Absent if there were none. */
		_unreadable?: number;
	};
};

/** One request and its response, as an HTTP archive has them. */
export type HarEntry = {
	/** When the request began, as ISO 8601. */
	startedDateTime: string;

	/** How long the exchange took, in milliseconds. */
	time: number;

	/** The request, without its secrets. */
	request: HarRequest;

	/** The response, with its content. */
	response: HarResponse;

	/** Nothing: it is there because the format demands it. */
	cache: Record<string, never>;

	/** The phases of the exchange, in milliseconds. */
	timings: {
		/** Milliseconds to send the request: 0, since it is not measured. */
		send: number;

		/** Milliseconds until the response. */
		wait: number;

		/** Milliseconds to receive the body: 0, since it is not measured. */
		receive: number;
	};
};

type HarRequest = {
	method: string;
	url: string;
	httpVersion: string;
	cookies: never[];
	headers: HarPair[];
	queryString: HarPair[];
	postData?: {mimeType: string; text: string};
	headersSize: number;
	bodySize: number;

	/** Set if the request had a body that is not stored, so that the archive does not determine which requests the response answers. */
	_bodyNotStored?: true;

	/** A digest of the TLS settings that decided which servers are trusted, if they were not the defaults. */
	_trust?: string;
};

type HarResponse = {
	status: number;
	statusText: string;
	httpVersion: string;
	cookies: never[];
	headers: HarPair[];
	content: {size: number; mimeType: string; text: string; encoding?: 'base64'};
	redirectURL: string;
	headersSize: number;
	bodySize: number;
};

/** A name and its value, as HAR lists headers and query parameters. */
type HarPair = {
	name: string;
	value: string;
};

/** Exports stored responses as an archive. It contains no secrets, since none are stored. */
export async function exportHar(entries: AsyncIterable<Listed>): Promise<Har> {
	const archived: HarEntry[] = [];
	let unreadable = 0;
	for await (const {stored, error} of entries) {
		if (stored === undefined && !(error instanceof UnreachableEntryError)) {
			unreadable++;
		}

		// The result of a function is no exchange of HTTP.
		if (stored !== undefined && !isCall(stored)) {
			archived.push(harEntry(stored));
		}
	}

	archived.sort((one, other) => one.startedDateTime.localeCompare(other.startedDateTime, 'en'));
	return {
		log: {
			version: '1.2', creator: {name: 'got-cache-hooks', version: '1'}, entries: archived, ...(unreadable > 0 && {_unreadable: unreadable}),
		},
	};
}

function harEntry(stored: StoredResponse): HarEntry {
	const time = stored.took ?? 0;
	return {
		startedDateTime: new Date(stored.createdAt - time).toISOString(),
		time,
		request: harRequest(stored.request ?? {method: stored.method, url: stored.url, rawHeaders: []}),
		response: harResponse(stored),
		cache: {},
		timings: {send: 0, wait: time, receive: 0},
	};
}

function harRequest({method, url, rawHeaders, body, bodyParts, trust}: StoredRequest): HarRequest {
	return {
		method: method.split(':', 1)[0]!,
		url,
		httpVersion: 'HTTP/1.1',
		cookies: [],
		headers: pairsOf(rawHeaders),
		queryString: [...new URL(url).searchParams].map(([name, value]) => ({name, value})),
		...(body !== undefined && {postData: {mimeType: fieldValue(fieldsOf(rawHeaders), 'content-type') ?? '', text: body}}),
		headersSize: -1,
		bodySize: body === undefined ? 0 : Buffer.byteLength(body),
		...(bodyParts !== undefined && {_bodyNotStored: true as const}),
		...(trust !== undefined && {_trust: trust}),
	};
}

function harResponse(stored: StoredResponse): HarResponse {
	const {statusCode, statusMessage, rawHeaders, fields} = stored;
	const received = bodyBytes(stored.body);
	const body = decodedContent({body: received, fields});
	// A body that could not be decoded is not text, even if its bytes are valid UTF-8.
	const isText = isUtf8(body) && !body.includes(0) && (fields['content-encoding'] === undefined || body !== received);
	const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
	return {
		status: statusCode,
		statusText: statusMessage,
		httpVersion: 'HTTP/1.1',
		cookies: [],
		headers: pairsOf(rawHeaders),
		content: {
			size: body.byteLength,
			mimeType: fieldValue(fields, 'content-type') ?? '',
			...(isText ? {text: bytes.toString()} : {text: bytes.toString('base64'), encoding: 'base64' as const}),
		},
		// eslint-disable-next-line @typescript-eslint/naming-convention -- The name in HAR.
		redirectURL: redirectTarget(stored) ?? '',
		headersSize: -1,
		bodySize: received.byteLength,
	};
}

function pairsOf(raw: RawFields): HarPair[] {
	const pairs: HarPair[] = [];
	for (let index = 0; index < raw.length; index += 2) {
		pairs.push({name: raw[index]!, value: raw[index + 1]!});
	}

	return pairs;
}

/** The result of `fromHar`. */
export type ImportedHar = {
	/** The number of responses that were stored. */
	readonly saved: number;

	/** The entries that were not stored, by their index in the archive. */
	readonly skipped: ReadonlyArray<{
		/** The index of the entry in the archive, from 0. */
		readonly index: number;

		/** Why it was not stored. */
		readonly reason: SaveRefusal | 'unusable';
	}>;
};

/**
Stores the responses of an archive.

@throws {TypeError} If it is not an archive: the message names the wrong member.
*/
export async function importHar(core: CacheCore, har: unknown, {signal, onProgress, ...options}: ParsedOptions & LongTask): Promise<ImportedHar> {
	const skipped: Array<ImportedHar['skipped'][number]> = [];
	const entries = archivedEntries(har);
	for (const [index, entry] of entries.entries()) {
		signal?.throwIfAborted();
		const saved = entry === undefined ? 'unusable' : await saveResponse(core, entry.request, entry, options); // eslint-disable-line no-await-in-loop -- One call at a time limits the load on the store.
		if (typeof saved === 'string') {
			skipped.push({index, reason: saved});
		}

		onProgress?.(index + 1);
	}

	return {saved: entries.length - skipped.length, skipped};
}

/** An entry of an archive, parsed. */
type Archived = Parameters<typeof saveResponse>[2] & {readonly request: SentRequest};

type Members = Readonly<Record<string, unknown>>;

const isoDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+\-]\d\d:?\d\d)$/v;

/** Parses the entries of an archive; `undefined` for one without a response, as browsers write it for a request that failed, or without the body of the request. */
function archivedEntries(har: unknown): Array<Archived | undefined> {
	const log = membersOf(membersOf(har, 'har').log, 'har.log');
	textOf(log.version, 'har.log.version');
	const creator = membersOf(log.creator, 'har.log.creator');
	textOf(creator.name, 'har.log.creator.name');
	textOf(creator.version, 'har.log.creator.version');
	return listOf(log.entries, 'har.log.entries').map((entry, index) => archivedEntry(membersOf(entry, `har.log.entries[${index}]`), `har.log.entries[${index}]`));
}

function archivedEntry(entry: Members, path: string): Archived | undefined {
	const request = membersOf(entry.request, `${path}.request`);
	const response = membersOf(entry.response, `${path}.response`);
	const startedDateTime = textOf(entry.startedDateTime, `${path}.startedDateTime`);
	if (!isoDate.test(startedDateTime) || Number.isNaN(Date.parse(startedDateTime))) {
		throw new SettingError(`${path}.startedDateTime`, startedDateTime, 'a date and time by ISO 8601');
	}

	const statusCode = numberOf(response.status, `${path}.response.status`);
	if (!Number.isSafeInteger(statusCode)) {
		throw new SettingError(`${path}.response.status`, statusCode, 'a whole number, as in HAR 1.2');
	}

	const archived = {
		request: {
			...archivedRequest(request, `${path}.request`),
			...(request._trust !== undefined && {trust: textOf(request._trust, `${path}.request._trust`)}),
		},
		took: numberOf(entry.time, `${path}.time`),
		statusCode,
		statusMessage: textOf(response.statusText, `${path}.response.statusText`),
		rawHeaders: namesAndValues(response.headers, `${path}.response.headers`).flat(),
		body: contentOf(response.content, `${path}.response.content`),
	};
	return statusCode >= 200 && statusCode < 600 && request._bodyNotStored !== true ? archived : undefined;
}

function archivedRequest(request: Members, path: string): SentRequest {
	const url = textOf(request.url, `${path}.url`);
	if (!URL.canParse(url)) {
		throw new SettingError(`${path}.url`, url, 'a URL');
	}

	const headers: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
	for (const [name, value] of namesAndValues(request.headers, `${path}.headers`)) {
		// Browsers list pseudo-headers, which are no header fields (RFC 9113 §8.3).
		if (!name.startsWith(':')) {
			(headers[name.toLowerCase()] ??= []).push(value);
		}
	}

	const body = request.postData === undefined ? undefined : bodyOf(request.postData, `${path}.postData`);
	return sentRequest(textOf(request.method, `${path}.method`), new URL(url), headers, body);
}

/** Returns the text of a body, or the parameters of a form. */
function bodyOf(value: unknown, path: string): string {
	const {text, params} = membersOf(value, path);
	return text !== undefined || params === undefined ? textOf(text ?? '', `${path}.text`) : new URLSearchParams(namesAndValues(params, `${path}.params`)).toString();
}

function contentOf(value: unknown, path: string): Uint8Array {
	const {size, mimeType, text = '', encoding} = membersOf(value, path);
	numberOf(size, `${path}.size`, -1);
	textOf(mimeType, `${path}.mimeType`);
	return Uint8Array.from(Buffer.from(textOf(text, `${path}.text`), encoding === 'base64' ? 'base64' : 'utf8'));
}

function namesAndValues(value: unknown, path: string): Array<[name: string, value: string]> {
	return listOf(value, path).map((item, index) => {
		const pair = membersOf(item, `${path}[${index}]`);
		return [textOf(pair.name, `${path}[${index}].name`), textOf(pair.value ?? '', `${path}[${index}].value`)];
	});
}

function membersOf(value: unknown, path: string): Members {
	return checked(value, path, (item): item is Members => typeof item === 'object' && item !== null && !Array.isArray(item), 'an object');
}

function listOf(value: unknown, path: string): unknown[] {
	return checked(value, path, (item): item is unknown[] => Array.isArray(item), 'an array');
}

function textOf(value: unknown, path: string): string {
	return checked(value, path, item => typeof item === 'string', 'a string');
}

function numberOf(value: unknown, path: string, least = 0): number {
	return checked(value, path, (item): item is number => Number.isFinite(item) && (item as number) >= least, `a number from ${least}`);
}

function checked<T>(value: unknown, path: string, isAllowed: (value: unknown) => value is T, allowed: string): T {
	if (!isAllowed(value)) {
		throw new SettingError(path, value, `${allowed}, as in HAR 1.2`);
	}

	return value;
}
