import {fieldsOf, type StoredRequest, type StoredResponse} from '../model/stored-response.ts';
import type {RawFields} from '../policy/storing.ts';

// Longer ones are hardly ever alike.
const longest = 100;
const most = 5000;

/** Strings that entries have in common: names of fields, media types, what a client says of itself. */
let known = new Map<string, string>();

/** The lines of the request before, which was mostly the same client's. */
let lastLines: RawFields = [];

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

function shared(text: string): string {
	const found = known.get(text);
	if (found !== undefined || text.length > longest) {
		return found ?? text;
	}

	if (known.size >= most) {
		known = new Map();
	}

	known.set(text, text);
	return text;
}
