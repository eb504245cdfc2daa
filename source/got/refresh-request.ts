import type {IncomingMessage} from 'node:http';
import type {Options} from 'got';
import {type SentRequest, knownBody} from '../identity/sent-request.ts';
import {redactUrl} from '../identity/references.ts';
import {requestFunctionOf, type AttemptParts, type NativeOptions} from './native-request.ts';

const transientStatusCodes: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** The codes that Got retries, and those of HTTP/2 in place of a reset connection. */
const transientCodes: ReadonlySet<unknown> = new Set([
	'EADDRINUSE',
	'EAI_AGAIN',
	'ECONNREFUSED',
	'ECONNRESET',
	'ENETUNREACH',
	'ENOTFOUND',
	'EPIPE',
	'ETIMEDOUT',
	'ERR_HTTP2_GOAWAY_SESSION',
	'ERR_HTTP2_INVALID_SESSION',
	'ERR_HTTP2_SESSION_ERROR',
	'ERR_HTTP2_STREAM_CANCEL',
	'ERR_HTTP2_STREAM_ERROR',
]);

/** Whether the origin may soon answer with another status. */
export function isTransientStatus(statusCode: number): boolean {
	return transientStatusCodes.has(statusCode);
}

/** Whether a failure may be over soon. */
export function isTransientError(error: unknown): boolean {
	return transientCodes.has((error as {readonly code?: unknown} | undefined)?.code);
}

/** A stream that may be left before it has ended. */
type Leavable = {
	readonly on: (event: 'error', listener: (error: unknown) => void) => unknown;
	readonly destroy: (error?: Error) => unknown;
};

/**
How long something may take. What is still open when its time is over is destroyed; its timer keeps no process alive.
*/
export class Deadline {
	readonly #end: number;
	readonly #timer: NodeJS.Timeout;
	readonly #open = new Set<Leavable>();
	readonly #over = Promise.withResolvers<never>();
	readonly #createError: () => Error;
	#error: Error | undefined;

	/**
	Begins to count.

	@param createError - The error of whatever takes longer.
	*/
	constructor(milliseconds: number, createError: () => Error) {
		this.#end = performance.now() + milliseconds;
		this.#createError = createError;
		// Where nobody waits, the rejection must not be an unhandled one.
		this.#over.promise.catch(() => undefined);
		this.#timer = setTimeout(() => {
			this.#expire();
		}, milliseconds).unref();
	}

	get isOver(): boolean {
		return this.#error !== undefined;
	}

	/** Milliseconds. */
	get left(): number {
		return this.#end - performance.now();
	}

	/**
	Waits for something. What comes too late is ignored, an error too.

	@throws {Error} The deadline's, where the time is over before.
	*/
	async within<T>(pending: Promise<T>): Promise<T> {
		return Promise.race([this.#over.promise, pending]);
	}

	/** Waits for some milliseconds. */
	async wait(milliseconds: number): Promise<void> {
		const {promise, resolve} = Promise.withResolvers<void>();
		const timer = setTimeout(resolve, milliseconds).unref();
		try {
			await this.within(promise);
		} finally {
			clearTimeout(timer);
		}
	}

	/** Destroys a stream when the time is over, or at once where it is over already. Errors of the stream are ignored. */
	bind(stream: Leavable): void {
		stream.on('error', () => undefined);
		if (this.#error === undefined) {
			this.#open.add(stream);
		} else {
			stream.destroy(this.#error);
		}
	}

	/** Stops the deadline. */
	end(): void {
		clearTimeout(this.#timer);
		this.#open.clear();
	}

	#expire(): void {
		this.#error = this.#createError();
		this.#over.reject(this.#error);
		for (const stream of this.#open) {
			stream.destroy(this.#error);
		}

		this.#open.clear();
	}
}

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
