import type {ClientRequest, IncomingMessage} from 'node:http';
import {Buffer} from 'node:buffer';
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

/** The milliseconds by which Got's own timers come before ours. */
const margin = 50;

type Former = {
	/** The request that Got knows of. */
	readonly first: ClientRequest;

	/** When Got began to count `timeout.request` for it, by `performance.now()`. */
	readonly start: number;

	/** Listens to the second request, before it is sent. */
	readonly listen: (second: ClientRequest) => void;
};

/**
Sends a request once more, without the conditions of the cache. The timeouts of the caller, which Got applies to the first request only, hold for the second one, too.
*/
export async function resend({url, options}: AttemptParts, {first, start, listen}: Former): Promise<RequestResult> {
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
		endLate(result, left);
	}

	listen(result);
	result.end(sentBody(options));
	return result;
}

/** Destroys the second request when the time is over. Got 14 and 15 do so by themselves, since they destroy the first request and the second one with it; Got 16 does not, since the first request has ended. */
function endLate(request: ClientRequest, left: number): void {
	let timer = setTimeout(() => {
		// Where the process was busy, Got's timers are late, too.
		timer = setTimeout(() => {
			request.destroy();
		}, margin).unref();
	}, left).unref();
	request.once('close', () => {
		clearTimeout(timer);
	});
}

/** The parts of one attempt of one hop: what Got has prepared, and the exchange and client that serve it. */
export type AttemptParts = {
	readonly url: URL;

	/** The options of Node.js as Got has prepared them, after all hooks. */
	readonly native: NativeOptions;
	readonly options: Options;
	readonly exchange: Exchange;
	readonly client: Client;

	/** `timeout.request` as the caller has it, in milliseconds: waiting for another request shortens that of the options. */
	readonly requestTimeout: number | undefined;
};

export type NativeOptions = {
	headers?: Record<string, string | string[] | undefined>;
	signal?: AbortSignal | undefined;

	/** Whether Node.js adds a `Host` header. Default: `true`. */
	setHost?: boolean | undefined;

	/** An agent, or for HTTP/2 an object of agents. The other TLS settings are looked up by `trustOf`. */
	agent?: unknown;
};

/**
The request as it will be sent: after all hooks, with the credentials and the length that Got added.
*/
export function outgoingRequest(url: URL, native: NativeOptions, options: Options, settings: HeadSettings): SentRequest {
	return withTrust(sentRequest(options.method, url, headersOf(native, options, settings), keyableBody(options)), native, options, settings);
}

/** The settings that decide which parts of a request count. */
type HeadSettings = Pick<ExchangeSettings, 'mode' | 'trust'>;

/** The request with the digest of its TLS settings, where they count. */
export function withTrust(request: SentRequest, native: NativeOptions, options: ConnectingOptions, {mode, trust: name}: HeadSettings): SentRequest {
	// A recording may be replayed by a client with other TLS settings than those with which it was made.
	const trust = mode === undefined && request.url.startsWith('https:') ? trustOf(request, native, options, name) : undefined;
	return trust === undefined ? request : {...request, trust};
}

/** The headers that are sent, as far as the key may depend on them. */
export function headersOf({headers = {}, setHost: sendsHost}: NativeOptions, {cookieJar}: Pick<Options, 'cookieJar'>, {mode}: HeadSettings): NonNullable<NativeOptions['headers']> {
	const sent = sendsHost === false && headers.host === undefined ? {...headers, host: ''} : headers;
	// The cookies of a jar come from earlier responses, and a recording does not keep them.
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

	// Form data has been read to chunks before.
	return Array.isArray(body) && body.every(chunk => chunk instanceof Uint8Array) ? Buffer.concat(body) : unknownBody;
}

/** The body of a request that is sent once more: none where it was a stream. */
export function sentBody(options: Options): string | Uint8Array | undefined {
	return knownBody({body: keyableBody(options)});
}

export type RequestFunction = NonNullable<Options['request']>;
export type RequestResult = Awaited<ReturnType<RequestFunction>>;

type Send = (url: URL, native: NativeOptions) => MaybePromise<RequestResult>;

/** The function that sends a request: the user's, or Got's own. In Got 14, a user's that gives nothing leaves the request to Got's own. */
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

/** Whether a result is a request that is still to be ended. Got makes the same test, and takes anything else for a response. */
export function isClientRequest(result: RequestResult): result is ClientRequest {
	const {writable, writableEnded} = result as ClientRequest;
	return writable && !writableEnded;
}

/** Whether a value has the shape of a response, which a user's request function may give in place of a request. */
export function isResponseLike(value: unknown): value is IncomingMessage {
	const {statusCode, headers, on} = new Object(value) as {statusCode?: unknown; headers?: unknown; on?: unknown};
	return typeof statusCode === 'number' && typeof headers === 'object' && headers !== null && typeof on === 'function';
}

/** Whether an error is that of a timeout of Got, which the caller has set. */
export function isTimeout(error: unknown): boolean {
	const {name, event} = new Object(error) as {name?: unknown; event?: unknown};
	return name === 'TimeoutError' && typeof event === 'string';
}

/**
Ends a request that nobody else drives, and waits for its response. Later errors of the request are passed on to the response.

@throws The error of the request, or `ECONNRESET` where it ends without a response.
*/
export async function awaitResponse(request: ClientRequest, body: string | Uint8Array | undefined): Promise<IncomingMessage> {
	return new Promise((resolve, reject) => {
		request.on('error', reject);
		request.once('response', response => {
			// Over HTTP/2, Got 16 says by its request alone that a body was cut off.
			request.on('error', error => {
				response.destroy(error);
			});
			resolve(response);
		});
		request.once('close', () => {
			reject(Object.assign(new Error('The request was closed before there was a response'), {code: 'ECONNRESET'}));
		});
		request.end(body);
	});
}
