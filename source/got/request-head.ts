import {Buffer} from 'node:buffer';
import type {Options} from 'got';
import type {ExchangeSettings} from '../exchange/settings.ts';
import {sentRequest, type SentRequest} from '../identity/sent-request.ts';
import type {NativeOptions} from './native-request.ts';
import {trustOf} from './trust.ts';

/**
The request as it will be sent: after all hooks, with the credentials and the length that Got added.
*/
export function outgoingRequest(url: URL, native: NativeOptions, options: Options, {mode, trust: name}: Pick<ExchangeSettings, 'mode' | 'trust'>): SentRequest {
	const request = sentRequest(options.method, url, headersOf(native, options, mode !== undefined), keyableBody(options));
	// A recording is made by whoever may make it, and replayed by everybody.
	const trust = mode === undefined ? trustOf(url, native, options, {target: request.targetUrl, name}) : undefined;
	return trust === undefined ? request : {...request, trust};
}

function headersOf({headers = {}, setHost: sendsHost}: NativeOptions, {cookieJar}: Options, isRecording: boolean): NonNullable<NativeOptions['headers']> {
	const sent = sendsHost === false && headers.host === undefined ? {...headers, host: ''} : headers;
	// The cookies of a jar are those of the responses before, which a recording does not keep.
	return isRecording && cookieJar !== undefined ? {...sent, cookie: undefined} : sent;
}

function keyableBody({body, method, isStream, allowGetBody}: Options): SentRequest['body'] {
	if (body === undefined) {
		// What the caller writes to the stream is not known before it is sent.
		const writable = isStream && !(method === 'GET' ? !allowGetBody : method === 'HEAD');
		return writable ? 'unknown' : undefined;
	}

	if (typeof body === 'string') {
		return body;
	}

	if (ArrayBuffer.isView(body)) {
		return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
	}

	// Form data that was read.
	return Array.isArray(body) && body.every(chunk => chunk instanceof Uint8Array) ? Buffer.concat(body) : 'unknown';
}

/** The body of a request that is sent once more: none where it was a stream. */
export function sentBody(options: Options): string | Uint8Array | undefined {
	const body = keyableBody(options);
	return body === 'unknown' ? undefined : body;
}
