import {Buffer, isUtf8} from 'node:buffer';
import {redirectTarget} from '../entry/cached-response.ts';
import {decodedContent} from '../entry/content-coding.ts';
import {fieldsOf, isCall, type StoredRequest, type StoredResponse} from '../entry/stored-response.ts';
import {fieldValue} from '../policy/fields.ts';
import type {RawFields} from '../policy/storing.ts';
import type {Listed} from './listing.ts';

/** One stored response as an entry of an HTTP archive. Nothing secret is in it: it is not stored. */
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
	const body = decodedContent(stored);
	// What could not be decoded is no text, whatever its bytes look like.
	const isText = isUtf8(body) && !body.includes(0) && (fields['content-encoding'] === undefined || body !== stored.body);
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
		// eslint-disable-next-line @typescript-eslint/naming-convention -- HAR names it so.
		redirectURL: redirectTarget(stored) ?? '',
		headersSize: -1,
		bodySize: stored.body.byteLength,
	};
}

function pairsOf(raw: RawFields): HarPair[] {
	const pairs: HarPair[] = [];
	for (let index = 0; index < raw.length; index += 2) {
		pairs.push({name: raw[index]!, value: raw[index + 1]!});
	}

	return pairs;
}

/** An archive of what is listed. */
export async function exportHar(entries: AsyncIterable<Listed>): Promise<Har> {
	const archived: HarEntry[] = [];
	for await (const {stored} of entries) {
		// What a function gave is no exchange of HTTP.
		if (stored !== undefined && !isCall(stored)) {
			archived.push(harEntry(stored));
		}
	}

	archived.sort((one, other) => one.startedDateTime.localeCompare(other.startedDateTime, 'en'));
	return {log: {version: '1.2', creator: {name: 'got-cache-hooks', version: '1'}, entries: archived}};
}

/** A name and its value, as HAR lists headers and query parameters. */
export type HarPair = {
	name: string;
	value: string;
};

export type HarRequest = {
	method: string;
	url: string;
	httpVersion: string;
	cookies: never[];
	headers: HarPair[];
	queryString: HarPair[];
	postData?: {mimeType: string; text: string};
	headersSize: number;
	bodySize: number;

	/** Whether it had a body that is not stored: what it answers cannot be told from the archive. */
	_bodyNotStored?: true;

	/** A digest of the TLS settings that decided whom it believed, where they were not the defaults. */
	_trust?: string;
};

export type HarResponse = {
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

export type HarEntry = {
	startedDateTime: string;

	/** Milliseconds. */
	time: number;
	request: HarRequest;
	response: HarResponse;
	cache: Record<string, never>;
	timings: {send: number; wait: number; receive: number};
};

/**
An HTTP archive, version 1.2, as this library writes it.
*/
export type Har = {
	log: {
		version: '1.2';
		creator: {name: string; version: string};
		entries: HarEntry[];
	};
};
