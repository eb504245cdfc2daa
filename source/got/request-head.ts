import {Buffer} from 'node:buffer';
import type {Options} from 'got';
import type {ExchangeSettings} from '../exchange/settings.ts';
import {
	knownBody,
	sentRequest,
	unknownBody,
	type SentRequest,
} from '../identity/sent-request.ts';
import type {NativeOptions} from './native-request.ts';
import {trustOf, type ConnectingOptions} from './trust.ts';

/** The settings that decide what of a request counts. */
type HeadSettings = Pick<ExchangeSettings, 'mode' | 'trust'>;

/**
The request as it will be sent: after all hooks, with the credentials and the length that Got added.
*/
export function outgoingRequest(url: URL, native: NativeOptions, options: Options, settings: HeadSettings): SentRequest {
	return withTrust(sentRequest(options.method, url, headersOf(native, options, settings), keyableBody(options)), native, options, settings);
}

/** The request with what decides whom it believes. */
export function withTrust(request: SentRequest, native: NativeOptions, options: ConnectingOptions, {mode, trust: name}: HeadSettings): SentRequest {
	// A recording is made by whoever may make it, and replayed by everybody.
	const trust = mode === undefined && request.url.startsWith('https:') ? trustOf(request, native, options, name) : undefined;
	return trust === undefined ? request : {...request, trust};
}

/** The headers that are sent, as far as they say what is asked for. */
export function headersOf({headers = {}, setHost: sendsHost}: NativeOptions, {cookieJar}: Pick<Options, 'cookieJar'>, {mode}: HeadSettings): NonNullable<NativeOptions['headers']> {
	const sent = sendsHost === false && headers.host === undefined ? {...headers, host: ''} : headers;
	// The cookies of a jar are those of the responses before, which a recording does not keep.
	return mode !== undefined && cookieJar !== undefined ? {...sent, cookie: undefined} : sent;
}

function keyableBody({body, method, isStream, allowGetBody}: Options): SentRequest['body'] {
	if (body === undefined) {
		// What the caller writes to the stream is not known before it is sent.
		const writable = isStream && !(method === 'GET' ? !allowGetBody : method === 'HEAD');
		return writable ? unknownBody : undefined;
	}

	if (typeof body === 'string') {
		return body;
	}

	if (ArrayBuffer.isView(body)) {
		return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
	}

	// Form data that was read.
	return Array.isArray(body) && body.every(chunk => chunk instanceof Uint8Array) ? Buffer.concat(body) : unknownBody;
}

/** The body of a request that is sent once more: none where it was a stream. */
export function sentBody(options: Options): string | Uint8Array | undefined {
	return knownBody({body: keyableBody(options)});
}
