import {ClientRequest, type IncomingMessage} from 'node:http';
import type {Options} from 'got';
import type {Match} from '../cache/variants.ts';
import {CacheHooksError, RefreshTimeoutError} from '../errors.ts';
import type {Exchange} from '../exchange/exchange.ts';
import type {InFlight} from '../exchange/in-flight.ts';
import type {SentRequest} from '../exchange/types.ts';
import {redactUrl} from '../identity/url.ts';
import {rejectsCredentials} from '../policy/rejection.ts';
import {Deadline} from './deadline.ts';
import {
	awaitResponse,
	isClientRequest,
	isResponseLike,
	requestFunctionOf,
	type AttemptParts,
	type NativeOptions,
	type RequestResult,
} from './native-request.ts';
import {receive} from './receive.ts';
import {isTransientError, isTransientStatus} from './refresh-failures.ts';

// How long a refresh may take at most, in milliseconds.
const longestTime = 60_000;

// How long it waits before it tries once more.
const pause = 1000;

// Bytes of a body that nobody wants, which are read so that its connection can be used again.
const mostUnwanted = 65_536;

/** Everything that is sent, and what is done with what comes: as it was when the request was answered. */
type Prepared = {
	readonly send: ReturnType<typeof requestFunctionOf>;
	readonly url: URL;
	readonly native: NativeOptions;
	readonly body: string | Uint8Array | undefined;
	readonly keepCookies: (response: IncomingMessage) => Promise<void>;

	/** Milliseconds. */
	readonly limit: number;

	/** The URL as it may be shown. */
	readonly shownUrl: string;
};

/**
Prepares to renew what was served: a request of ours with the options that Got has prepared for the caller's, which itself may change by the time it is sent. Nobody waits for it, the process included.

It keeps `timeout.request`, 60 seconds at most, but not the caller's signal, whose request may be over. It is tried once more after a transient failure. Cookies go to the caller's jar.

@returns What sends it. It throws where the request fails, or its credentials are rejected: then the next request in the foreground renews what is stored.
*/
export function prepareRefresh(parts: AttemptParts): (inFlight: InFlight<Match>) => Promise<void> {
	const {exchange: {request, settings}, client} = parts;
	const body = copiedBody(request);
	const prepared = prepare(parts, body);
	return async inFlight => {
		const renewal = client.open({...request, body}, {...settings, refresh: true, background: true});
		const action = await renewal.next({type: 'begin', inFlight});
		if (action.do !== 'send') {
			void renewal.next({type: 'released'});
			return;
		}

		const statusCode = await new Refresh(prepared, renewal).run(action.validators);
		if (rejectsCredentials(statusCode)) {
			throw new CacheHooksError('ERR_REFRESH_REJECTED', `The origin answered the refresh of ${prepared.shownUrl} with ${statusCode}: the next request renews what is stored, with the hooks of its client`);
		}

		if ((statusCode >= 500 || isTransientStatus(statusCode)) && renewal.info.stored !== 'stored') {
			throw new CacheHooksError('ERR_REFRESH_FAILED', `The origin answered the refresh of ${prepared.shownUrl} with ${statusCode}`);
		}
	};
}

// Got, hooks and callers change their own objects: nothing of them is kept.
function prepare({url, native, options, exchange: {request, settings}, requestTimeout = longestTime}: AttemptParts, body: SentRequest['body']): Prepared {
	const {signal: _, ...others} = native;
	const {cookieJar, ignoreInvalidCookies} = options;
	const target = new URL(url);
	return {
		send: requestFunctionOf(options),
		url: target,
		native: {...others, headers: copiedHeaders(native.headers)},
		body: body === 'unknown' ? undefined : body,
		keepCookies: async response => keepCookies(response, target, cookieJar, ignoreInvalidCookies),
		limit: Math.min(requestTimeout, longestTime),
		shownUrl: redactUrl(request.targetUrl, settings.ignoredParameters),
	};
}

function copiedHeaders(headers: NativeOptions['headers'] = {}): NonNullable<NativeOptions['headers']> {
	return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? [...value] : value]));
}

function copiedBody({body}: SentRequest): SentRequest['body'] {
	return body instanceof Uint8Array ? Uint8Array.from(body) : body;
}

/** One refresh: it translates between the origin and an exchange. */
class Refresh {
	readonly #prepared: Prepared;
	readonly #exchange: Exchange;
	readonly #deadline: Deadline;

	/** What the jar makes of the cookies that came: an error where it refuses one. */
	readonly #cookies: Array<Promise<unknown>> = [];

	constructor(prepared: Prepared, exchange: Exchange) {
		const {limit, shownUrl} = prepared;
		this.#prepared = prepared;
		this.#exchange = exchange;
		this.#deadline = new Deadline(limit, () => new RefreshTimeoutError(shownUrl, limit));
	}

	/**
	Sends it, and reads the response.

	@returns The status code of the last response.
	*/
	async run(validators: Readonly<Record<string, string>>): Promise<number> {
		const deadline = this.#deadline;
		try {
			const statusCode = await this.#exchangeOnce(async () => this.#askTwice(validators));
			const kept = await deadline.within(Promise.all(this.#cookies));
			const refusal = kept.find(error => error !== undefined);
			if (refusal !== undefined) {
				throw refusal as Error;
			}

			return statusCode;
		} finally {
			deadline.end();
			void this.#exchange.next({type: 'released', isOwn: deadline.isOver});
		}
	}

	async #exchangeOnce(ask: () => Promise<IncomingMessage>): Promise<number> {
		const response = await this.#answered(ask);
		const {given} = await receive(response, this.#exchange, {mayRetry: false, isGivenUp: () => this.#deadline.isOver});
		if (given === undefined) {
			return this.#exchangeOnce(async () => this.#ask({}));
		}

		await this.#deadline.within(read(response, () => given === response && this.#exchange.info.stored === undefined));
		return response.statusCode!;
	}

	/** The response; that there is none, the exchange is told. */
	async #answered(ask: () => Promise<IncomingMessage>): Promise<IncomingMessage> {
		try {
			return await ask();
		} catch (error) {
			void this.#exchange.next({type: 'error', isOwn: this.#deadline.isOver});
			throw error;
		}
	}

	/** Sends the request, and once more after a transient failure, if there is time for that. */
	async #askTwice(validators: Readonly<Record<string, string>>): Promise<IncomingMessage> {
		const mayRetry = (): boolean => this.#deadline.left > pause;
		let first: IncomingMessage | undefined;
		try {
			first = await this.#ask(validators);
			if (!isTransientStatus(first.statusCode!) || first.headers['retry-after'] !== undefined || !mayRetry()) {
				return first;
			}

			void leave(first);
		} catch (error) {
			if (!isTransientError(error) || !mayRetry()) {
				throw error;
			}
		}

		await this.#deadline.wait(pause);
		first?.destroy();
		return this.#ask(validators);
	}

	async #ask(validators: Readonly<Record<string, string>>): Promise<IncomingMessage> {
		const response = await this.#exchange.run(async () => this.#send(validators));
		this.#deadline.bind(response);
		this.#cookies.push(settle(this.#prepared.keepCookies(response)));
		return response;
	}

	async #send(validators: Readonly<Record<string, string>>): Promise<IncomingMessage> {
		const {send, url, native, body} = this.#prepared;
		const sending = (async () => {
			const result = await send(new URL(url), {...native, headers: {...copiedHeaders(native.headers), ...validators}});
			// It may come when nobody waits for it any more.
			const checked = checkedResult(result);
			this.#deadline.bind(checked);
			return checked;
		})();
		const result = await this.#deadline.within(sending);
		return isClientRequest(result) ? this.#deadline.within(respond(result, body)) : result;
	}
}

function checkedResult(result: RequestResult): ClientRequest | IncomingMessage {
	if (isClientRequest(result) || isResponseLike(result)) {
		return result;
	}

	throw new TypeError('Expected the `request` function to give a request or a response');
}

async function respond(request: ClientRequest, body: string | Uint8Array | undefined): Promise<IncomingMessage> {
	// Sockets of other kinds may be shared with requests that somebody waits for.
	if (request instanceof ClientRequest) {
		unrefSocket(request);
	}

	return awaitResponse(request, body);
}

function unrefSocket(request: ClientRequest): void {
	if (request.socket === null) {
		request.once('socket', () => {
			unrefSocket(request);
		});
	} else {
		request.socket.unref?.();
	}
}

/** Reads a body, of which the exchange keeps what passes, to its end, or until too much comes that nobody wants. */
async function read(response: IncomingMessage, isWanted: () => boolean): Promise<void> {
	let unwanted = 0;
	for await (const chunk of response as AsyncIterable<Uint8Array | string>) {
		unwanted += isWanted() ? 0 : chunk.length;
		if (unwanted > mostUnwanted) {
			return;
		}
	}
}

async function leave(response: IncomingMessage): Promise<void> {
	await settle(read(response, () => false));
}

async function settle(pending: Promise<void>): Promise<unknown> {
	try {
		await pending;
		return undefined;
	} catch (error) {
		return error;
	}
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
