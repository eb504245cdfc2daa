import type {IncomingMessage} from 'node:http';
import type {Options} from 'got';
import type {SentRequest} from '../exchange/types.ts';
import {redactUrl} from '../identity/references.ts';
import {knownBody} from '../identity/sent-request.ts';
import {requestFunctionOf, type AttemptParts, type NativeOptions} from './native-request.ts';

// The most milliseconds that a refresh may take.
const longestTime = 60_000;

/** Everything that a refresh needs, copied when the caller's request was answered. */
export type PreparedRequest = {
	readonly send: ReturnType<typeof requestFunctionOf>;
	readonly url: URL;
	readonly native: NativeOptions;
	readonly body: string | Uint8Array | undefined;

	/** The request in the form of exchanges. */
	readonly request: SentRequest;

	/** Gives the caller's jar the cookies of a response. */
	readonly keepCookies: (response: IncomingMessage) => Promise<void>;

	/** The milliseconds that the refresh may take. */
	readonly limit: number;

	/** The URL as it may be shown. */
	readonly shownUrl: string;
};

/** Copies the request of an attempt: Got, hooks and callers may change their own objects by the time it is sent once more. */
export function prepareRequest({url, native, options, exchange: {request, settings}, requestTimeout = longestTime}: AttemptParts): PreparedRequest {
	const {signal: _, ...others} = native;
	const {cookieJar, ignoreInvalidCookies} = options;
	const target = new URL(url);
	const body = request.body instanceof Uint8Array ? Uint8Array.from(request.body) : request.body;
	return {
		send: requestFunctionOf(options),
		url: target,
		native: {...others, headers: copiedHeaders(native.headers)},
		body: knownBody({body}),
		request: {...request, body},
		keepCookies: async response => keepCookies(response, target, cookieJar, ignoreInvalidCookies),
		limit: Math.min(requestTimeout, longestTime),
		shownUrl: redactUrl(request.targetUrl, settings.ignoredParameters),
	};
}

export function copiedHeaders(headers: NativeOptions['headers'] = {}): NonNullable<NativeOptions['headers']> {
	return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? [...value] : value]));
}

async function keepCookies({headers}: IncomingMessage, url: URL, cookieJar: Options['cookieJar'], ignoresInvalid: boolean): Promise<void> {
	const jar = cookieJar as {setCookie: (cookie: string, url: string) => Promise<unknown>} | undefined;
	for (const cookie of jar === undefined ? [] : headers['set-cookie'] ?? []) {
		try {
			await jar!.setCookie(cookie, url.href); // eslint-disable-line no-await-in-loop -- The later one counts.
		} catch (error) {
			if (!ignoresInvalid) {
				throw error;
			}
		}
	}
}
