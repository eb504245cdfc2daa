import {Buffer} from 'node:buffer';
import type {ClientRequest, IncomingMessage} from 'node:http';
import type {Options} from 'got';
import {longestTimer, then, type MaybePromise} from '../maybe-promise.ts';
import type {Client} from '../exchange/client.ts';
import type {Exchange} from '../exchange/exchange.ts';
import type {ExchangeSettings} from '../exchange/settings.ts';
import {
	knownBody,
	sentRequest,
	unknownBody,
	type SentRequest,
} from '../identity/sent-request.ts';
import {trustOf, type ConnectingOptions} from './trust.ts';

/** One attempt of one hop: the options that Got has prepared, and the exchange and client that handle it. */
export type AttemptParts = {
	readonly url: URL;

	/** The options for Node.js that Got has prepared, after all hooks. */
	readonly native: NativeOptions;
	readonly options: Options;
	readonly exchange: Exchange;
	readonly client: Client;

	/** The caller's `timeout.request` in milliseconds. The wait for another request shortens that of the options. */
	readonly requestTimeout: number | undefined;
};

export type NativeOptions = {
	headers?: Record<string, string | string[] | undefined>;
	signal?: AbortSignal | undefined;

	/** Whether Node.js adds a `Host` header. Default: `true`. */
	setHost?: boolean | undefined;

	/** An agent, or for HTTP/2 an object of agents. `trustOf` reads the other TLS options. */
	agent?: unknown;
};

/** Returns the request as it will be sent: after all hooks, with the credentials and the length that Got has added. */
export function outgoingRequest(url: URL, native: NativeOptions, options: Options, settings: HeadSettings): SentRequest {
	return withTrust(sentRequest(options.method, url, headersOf(native, options, settings), keyableBody(options)), native, options, settings);
}

/** The settings that decide which parts of a request are in its key. */
type HeadSettings = Pick<ExchangeSettings, 'recording' | 'trust'>;

/** Adds the digest of its TLS settings to a request. */
export function withTrust(request: SentRequest, native: NativeOptions, options: ConnectingOptions, {recording, trust: name}: HeadSettings): SentRequest {
	// A recording may be replayed by a client with other TLS settings than the one that made it.
	const trust = !recording.ignoresConnection && request.url.startsWith('https:') ? trustOf(request, native, options, name) : undefined;
	return trust === undefined ? request : {...request, trust};
}

/** Returns the headers of a request, without those that its key must not depend on. */
export function headersOf({headers = {}, setHost: sendsHost}: NativeOptions, {cookieJar}: Pick<Options, 'cookieJar'>, {recording}: HeadSettings): NonNullable<NativeOptions['headers']> {
	const sent = sendsHost === false && headers.host === undefined ? {...headers, host: ''} : headers;
	// The cookies of a jar come from earlier responses, and a recording has no cookies.
	return cookieJar !== undefined && recording.ignoresConnection ? {...sent, cookie: undefined} : sent;
}

function keyableBody({body, method, isStream, allowGetBody}: Options): SentRequest['body'] {
	if (body === undefined) {
		// The body that the caller writes to the stream is not known before it is sent.
		const writable = isStream && !(method === 'GET' ? !allowGetBody : method === 'HEAD');
		return writable ? unknownBody : undefined;
	}

	if (typeof body === 'string') {
		return body;
	}

	if (ArrayBuffer.isView(body)) {
		return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
	}

	// Form data has been read into chunks before.
	return Array.isArray(body) && body.every(chunk => chunk instanceof Uint8Array) ? Buffer.concat(body) : unknownBody;
}

/** Returns the body for sending a request once more; `undefined` if it was a stream. */
export function sentBody(options: Options): string | Uint8Array | undefined {
	return knownBody({body: keyableBody(options)});
}

export type RequestFunction = NonNullable<Options['request']>;
export type RequestResult = Awaited<ReturnType<RequestFunction>>;

type Send = (url: URL, native: NativeOptions) => MaybePromise<RequestResult>;

/** Returns the function that sends a request: the user's, or Got's own. In Got 14, Got's own sends the request if the user's returns `undefined`. */
export function requestFunctionOf(options: Options): Send {
	const send = options.getRequestFunction() as Send;
	const {getFallbackRequestFunction} = options as {readonly getFallbackRequestFunction?: () => Send};
	if (getFallbackRequestFunction === undefined) {
		return send;
	}

	const fallback = getFallbackRequestFunction.call(options);
	return (url, native) => {
		const result = send(url, native);
		return then(result, given => given ?? fallback(url, native));
	};
}

/** Returns whether a result is a request that has not been ended. Got makes the same test, and treats anything else as a response. */
export function isClientRequest(result: RequestResult): result is ClientRequest {
	const {writable, writableEnded} = result as ClientRequest;
	return writable && !writableEnded;
}

/** Returns whether a value has the shape of a response, which a user's request function may return instead of a request. */
export function isResponseLike(value: unknown): value is IncomingMessage {
	const {statusCode, headers, on} = new Object(value) as {statusCode?: unknown; headers?: unknown; on?: unknown};
	return typeof statusCode === 'number' && typeof headers === 'object' && headers !== null && typeof on === 'function';
}

/** Returns whether an error is that of one of the caller's timeouts in Got. */
export function isTimeout(error: unknown): boolean {
	const {name, event} = new Object(error) as {name?: unknown; event?: unknown};
	return name === 'TimeoutError' && typeof event === 'string';
}

/**
Sends a request that Got does not handle, and waits for its response. Later errors of the request destroy the response.

@throws The error of the request, or `ECONNRESET` if it closes without a response.
*/
export async function awaitResponse(request: ClientRequest, body: string | Uint8Array | undefined): Promise<IncomingMessage> {
	return new Promise((resolve, reject) => {
		request.on('error', reject);
		request.once('response', response => {
			// Over HTTP/2, Got 16 emits only an error of the request when a body is cut off.
			request.on('error', error => {
				response.destroy(error);
			});
			resolve(response);
		});
		request.once('close', () => {
			reject(Object.assign(new Error('The request was closed before its response arrived.'), {code: 'ECONNRESET'}));
		});
		request.end(body);
	});
}

/** The number of milliseconds by which Got's own timers precede ours. */
const margin = 50;

type FirstRequest = {
	/** The request that Got handles. */
	readonly first: ClientRequest;

	/** When Got started `timeout.request` for it, by `performance.now()`. */
	readonly start: number;

	/** Called with the second request before that is sent, to listen to it. */
	readonly listen: (second: ClientRequest) => void;
};

/** Sends a request once more, without the validators of the cache. Applies the caller's timeouts, which Got applies to the first request only. */
export async function resend({url, options}: AttemptParts, {first, start, listen}: FirstRequest): Promise<RequestResult> {
	const result = await requestFunctionOf(options)(url, options.createNativeRequestOptions());
	if (!isClientRequest(result)) {
		return result;
	}

	const {request: limit = Infinity, socket} = options.timeout;
	if (socket !== undefined && socket <= longestTimer) {
		result.setTimeout(socket, () => {
			first.emit('timeout');
		});
	}

	const left = start + limit - performance.now();
	if (left <= longestTimer) {
		destroyAfter(result, left);
	}

	listen(result);
	result.end(sentBody(options));
	return result;
}

/** Destroys the second request when its time is over. Got 14 and 15 do so by destroying the first request; Got 16 does not, since the first request has ended. */
function destroyAfter(request: ClientRequest, left: number): void {
	let timer = setTimeout(() => {
		// If the process was busy, Got's timers are late, too.
		timer = setTimeout(() => {
			request.destroy();
		}, margin).unref();
	}, left).unref();
	request.once('close', () => {
		clearTimeout(timer);
	});
}
