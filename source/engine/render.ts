import {fieldsOf, nodeHeaders, type StoredResponse} from '../model/stored-response.ts';
import {currentAge} from '../policy/age.ts';
import {appendCacheStatus} from '../policy/cache-status.ts';
import {fieldValue} from '../policy/fields.ts';
import {notModifiedFields, replaceField} from '../policy/stored-fields.ts';
import type {View} from '../policy/types.ts';
import type {RenderedResponse} from './exchange-types.ts';

const nothing = new Uint8Array(0);

export type RenderOptions = {
	readonly view: View;
	readonly method: string;

	/** The moment for which `Age` is told (RFC 9111 §5.1), where it is. */
	readonly ageAt: number | undefined;

	/** What `Cache-Status` says (RFC 9211), where it does. */
	readonly status: string | undefined;

	/** Cookies that came with the answer, and are not stored. */
	readonly cookies: readonly string[];
};

/**
What of a stored response is given, as it is given.
*/
export function renderStored(stored: StoredResponse, {view, method, ageAt, status, cookies}: RenderOptions): RenderedResponse {
	let raw = view.kind === 'not-modified' ? notModifiedFields(stored.rawHeaders) : stored.rawHeaders;
	if (view.kind === 'part' || view.kind === 'unsatisfiable') {
		raw = replaceField(raw, 'Content-Range', view.contentRange);
		raw = replaceField(raw, 'Content-Length', String(view.kind === 'part' ? view.end - view.start : 0));
	}

	if (ageAt !== undefined) {
		const seconds = Math.floor(currentAge(stored, ageAt) / 1000);
		raw = replaceField(raw, 'Age', String(seconds));
	}

	if (status !== undefined) {
		raw = withStatus(raw, status);
	}

	if (cookies.length > 0) {
		raw = [...raw, ...cookies.flatMap(cookie => ['Set-Cookie', cookie])];
	}

	const fields = raw === stored.rawHeaders ? stored.fields : fieldsOf(raw);
	return {
		...statusLine(stored, view),
		headers: nodeHeaders(fields),
		rawHeaders: [...raw],
		body: method === 'HEAD' ? nothing : content(stored, view),
		fromCache: true,
	};
}

/** RFC 9111 §5.2.1.7, with requests-cache's words for a miss. */
export function renderGatewayTimeout(statusMessage: string, status: string | undefined): RenderedResponse {
	const rawHeaders = status === undefined ? [] : ['Cache-Status', status];
	return {
		statusCode: 504,
		statusMessage,
		headers: nodeHeaders(fieldsOf(rawHeaders)),
		rawHeaders,
		body: nothing,
		fromCache: false,
	};
}

function withStatus(raw: readonly string[], status: string): readonly string[] {
	const existing = fieldValue(fieldsOf(raw), 'cache-status');
	const value = appendCacheStatus(existing, status);
	return replaceField(raw, 'Cache-Status', value);
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

	return view.kind === 'part' ? body.subarray(view.start, view.end) : nothing;
}
