import type {IncomingMessage} from 'node:http';
import type {Options} from 'got';
import {TimeBudget} from '../exchange/time-budget.ts';
import {knownBody, type SentRequest} from '../identity/sent-request.ts';
import {redactUrl} from '../identity/references.ts';
import {requestFunctionOf, type AttemptParts, type NativeOptions} from './native-request.ts';

/** The maximum number of milliseconds for a refresh. */
const maxTime = 60_000;

/** A copy of the caller's request, for a refresh. */
export type PreparedRequest = {
	readonly send: ReturnType<typeof requestFunctionOf>;
	readonly url: URL;
	readonly native: NativeOptions;
	readonly body: string | Uint8Array | undefined;

	/** The request for the exchange. */
	readonly request: SentRequest;

	/** Stores the cookies of a response in the caller's jar. */
	readonly storeCookies: (response: IncomingMessage) => Promise<void>;

	/** The maximum number of milliseconds for the refresh. */
	readonly limit: number;

	/** The URL without credentials. */
	readonly redactedUrl: string;
};

/** Copies the request of an attempt: Got, hooks and callers may change their own objects before the refresh is sent. */
export function prepareRequest({url, native, options, exchange: {request, settings}, requestTimeout = maxTime}: AttemptParts): PreparedRequest {
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
		storeCookies: async response => storeCookies(response, target, cookieJar, ignoreInvalidCookies),
		limit: Math.min(requestTimeout, maxTime),
		redactedUrl: redactUrl(request.targetUrl, settings.ignoredParameters),
	};
}

export function copiedHeaders(headers: NativeOptions['headers'] = {}): NonNullable<NativeOptions['headers']> {
	return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? [...value] : value]));
}

async function storeCookies({headers}: IncomingMessage, url: URL, cookieJar: Options['cookieJar'], ignoresInvalid: boolean): Promise<void> {
	const jar = cookieJar as {setCookie: (cookie: string, url: string) => Promise<unknown>} | undefined;
	for (const cookie of jar === undefined ? [] : headers['set-cookie'] ?? []) {
		try {
			await jar!.setCookie(cookie, url.href); // eslint-disable-line no-await-in-loop -- A later cookie replaces an earlier one.
		} catch (error) {
			if (!ignoresInvalid) {
				throw error;
			}
		}
	}
}

const transientStatusCodes: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** The error codes that Got retries, and those of HTTP/2 for a connection reset. */
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

/** Returns whether a retry may soon get another status. */
export function isTransientStatus(statusCode: number): boolean {
	return transientStatusCodes.has(statusCode);
}

/** Returns whether a retry may soon succeed. */
export function isTransientError(error: unknown): boolean {
	return transientCodes.has((error as {readonly code?: unknown} | undefined)?.code);
}

type Destroyable = {
	readonly on: (event: 'error', listener: (error: unknown) => void) => unknown;
	readonly destroy: (error?: Error) => unknown;
};

/**
The time budget of a refresh, and what ends when it is used up: streams are destroyed, and waits are rejected.

A `TimeBudget` alone only counts. No caller waits for a refresh, so that a timer must end it, which keeps no process alive.
*/
export class Deadline {
	readonly #budget: TimeBudget;
	readonly #timer: NodeJS.Timeout;
	readonly #open = new Set<Destroyable>();
	readonly #over = Promise.withResolvers<never>();
	readonly #createError: () => Error;
	#error: Error | undefined;

	/**
	Starts the time limit.

	@param createError - Creates the error when the time is over.
	*/
	constructor(milliseconds: number, createError: () => Error) {
		this.#budget = new TimeBudget({store: Infinity, total: milliseconds});
		this.#createError = createError;
		// If nobody waits, the rejection must not be an unhandled one.
		this.#over.promise.catch(() => undefined);
		this.#timer = setTimeout(() => {
			this.#expire();
		}, milliseconds).unref();
	}

	get isOver(): boolean {
		return this.#error !== undefined;
	}

	/** The number of milliseconds left. */
	get left(): number {
		return this.#budget.totalLeft;
	}

	/**
	Waits for a promise. Ignores a result or an error that comes too late.

	@throws {Error} The error of the deadline, if the time is over before.
	*/
	async within<T>(pending: Promise<T>): Promise<T> {
		return Promise.race([this.#over.promise, pending]);
	}

	/** Waits for some milliseconds. */
	async wait(milliseconds: number): Promise<void> {
		await this.within(new Promise(resolve => {
			setTimeout(resolve, milliseconds).unref();
		}));
	}

	/** Destroys a stream when the time is over, or at once if it is over already. Ignores errors of the stream. */
	bind(stream: Destroyable): void {
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
