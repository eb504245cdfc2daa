import {ClientRequest, type IncomingMessage} from 'node:http';
import type {Match} from '../cache/entries.ts';
import {CacheHooksError, RefreshTimeoutError, SettingError} from '../errors.ts';
import type {Exchange} from '../exchange/exchange.ts';
import type {InFlight} from '../exchange/in-flight.ts';
import type {SendRefresh} from '../exchange/refreshes.ts';
import {rejectsCredentials} from '../policy/response-facts.ts';
import {
	Deadline,
	copiedHeaders,
	prepareRequest,
	type PreparedRequest,
	isTransientError,
	isTransientStatus,
} from './refresh-request.ts';
import {
	awaitResponse,
	isClientRequest,
	isResponseLike,
	type AttemptParts,
	type RequestResult,
} from './native-request.ts';
import {receive} from './receive.ts';

/** The number of milliseconds before a failed refresh is sent once more. */
const retryDelay = 1000;

/** The maximum number of bytes to read of an unwanted body, so that its connection can be used again. */
const maxUnwantedBytes = 65_536;

/**
Prepares a refresh of the response that was served: a request with a copy of the options that Got has prepared for the caller's request. No caller waits for it, and it keeps no process alive.

It has the caller's `timeout.request`, at most 60 seconds, but not the caller's signal. It is sent once more after a transient failure, unless another request refreshes the stored response meanwhile. Cookies are stored in the caller's jar.

@returns A function that sends the refresh. It throws if the request fails, or the origin rejects its credentials: the next request of a caller then refreshes the stored response.
*/
export function prepareRefresh(parts: AttemptParts): SendRefresh {
	const {exchange: {settings}, client} = parts;
	const prepared = prepareRequest(parts);
	const {request, limit, redactedUrl} = prepared;
	return async (first, registerAgain) => {
		const deadline = new Deadline(limit, () => new RefreshTimeoutError(redactedUrl, limit));
		const attempt = async (inFlight: InFlight<Match>, isLast: boolean): Promise<Refresh | undefined> => {
			const exchange = client.open(request, {...settings, refresh: true, background: true});
			const action = await exchange.next({type: 'begin', inFlight});
			if (action.do !== 'send') {
				void exchange.next({type: 'closed'});
				return undefined;
			}

			const refresh = new Refresh(prepared, exchange, deadline);
			const statusCode = await refresh.run(action.validators, isLast);
			if (statusCode !== undefined) {
				checkStatus(statusCode, exchange, redactedUrl);
			}

			return refresh;
		};

		try {
			const failed = await attempt(first, false);
			if (failed?.needsRetry === true) {
				// During the delay no request is in flight, so that none may wait for it.
				first.end('failed');
				await deadline.wait(retryDelay);
				failed.stopReading();
				const second = await registerAgain();
				if (second !== undefined) {
					await attempt(second, true);
				}
			}
		} finally {
			deadline.end();
		}
	};
}

function checkStatus(statusCode: number, {info}: Exchange, redactedUrl: string): void {
	if (rejectsCredentials(statusCode)) {
		throw new CacheHooksError('ERR_REFRESH_REJECTED', `The origin answered the refresh of ${redactedUrl} with ${statusCode}. The next request refreshes the stored response, with the hooks of its client.`);
	}

	if ((statusCode >= 500 || isTransientStatus(statusCode)) && info.stored !== undefined && info.stored !== 'stored') {
		throw new CacheHooksError('ERR_REFRESH_FAILED', `The origin answered the refresh of ${redactedUrl} with ${statusCode}.`);
	}
}

/** One attempt of a refresh. It drives an exchange. */
class Refresh {
	readonly #prepared: PreparedRequest;
	readonly #exchange: Exchange;
	readonly #deadline: Deadline;

	/** The results of storing cookies: an error if the jar refuses one. */
	readonly #cookies: Array<Promise<unknown>> = [];

	/** The response of a failed attempt, whose body is of no use. */
	#unwanted: IncomingMessage | undefined;
	#needsRetry = false;

	constructor(prepared: PreparedRequest, exchange: Exchange, deadline: Deadline) {
		this.#prepared = prepared;
		this.#exchange = exchange;
		this.#deadline = deadline;
	}

	/** Whether the attempt has failed, and a retry may succeed. */
	get needsRetry(): boolean {
		return this.#needsRetry;
	}

	/**
	Sends the request, and reads the response.

	@param isLast - Whether the attempt is the last one, even if it fails.
	@returns The status code of the response; `undefined` if the request must be sent once more.
	*/
	async run(validators: Readonly<Record<string, string>>, isLast: boolean): Promise<number | undefined> {
		const deadline = this.#deadline;
		try {
			const statusCode = await this.#exchangeOnce(validators, isLast);
			const errors = await deadline.within(Promise.all(this.#cookies));
			const refusal = errors.find(error => error !== undefined);
			if (refusal !== undefined) {
				throw refusal as Error;
			}

			return statusCode;
		} finally {
			void this.#exchange.next({type: 'closed', isByCaller: deadline.isOver});
		}
	}

	stopReading(): void {
		this.#unwanted?.destroy();
	}

	async #exchangeOnce(validators: Readonly<Record<string, string>>, isLast: boolean): Promise<number | undefined> {
		const response = await this.#request(validators, isLast);
		if (response === undefined) {
			return undefined;
		}

		const {given} = await receive(response, this.#exchange, {mayRetry: false, isGivenUp: () => this.#deadline.isOver});
		if (given === undefined) {
			return this.#exchangeOnce({}, true);
		}

		try {
			await this.#deadline.within(read(response, () => given === response && this.#exchange.info.stored === undefined));
			return response.statusCode!;
		} catch (error) {
			if (!isTransientError(error) || !this.#mayRetry(isLast)) {
				throw error;
			}
		}

		this.#needsRetry = true;
		return undefined;
	}

	/** Returns the response; `undefined` if the request must be sent once more. Reports a failure to the exchange. */
	async #request(validators: Readonly<Record<string, string>>, isLast: boolean): Promise<IncomingMessage | undefined> {
		try {
			const response = await this.#exchange.run(async () => this.#send(validators));
			this.#deadline.bind(response);
			this.#cookies.push(settle(this.#prepared.storeCookies(response)));
			if (!isTransientStatus(response.statusCode!) || response.headers['retry-after'] !== undefined || !this.#mayRetry(isLast)) {
				return response;
			}

			this.#unwanted = response;
			void settle(read(response, () => false));
		} catch (error) {
			if (!isTransientError(error) || !this.#mayRetry(isLast)) {
				void this.#exchange.next({type: 'error', error, isByCaller: this.#deadline.isOver});
				throw error;
			}
		}

		this.#needsRetry = true;
		return undefined;
	}

	#mayRetry(isLast: boolean): boolean {
		return !isLast && this.#deadline.left > retryDelay;
	}

	async #send(validators: Readonly<Record<string, string>>): Promise<IncomingMessage> {
		const {send, url, native, body} = this.#prepared;
		const sending = (async () => {
			const result = await send(new URL(url), {...native, headers: {...copiedHeaders(native.headers), ...validators}});
			// A result that comes after the deadline is destroyed at once.
			const checked = checkedResult(result);
			this.#deadline.bind(checked);
			return checked;
		})();
		const result = await this.#deadline.within(sending);
		if (!isClientRequest(result)) {
			return result;
		}

		// Sockets of other classes may be shared with requests of callers.
		if (result instanceof ClientRequest) {
			unrefSocket(result);
		}

		return this.#deadline.within(awaitResponse(result, body));
	}
}

function checkedResult(result: RequestResult): ClientRequest | IncomingMessage {
	if (isClientRequest(result) || isResponseLike(result)) {
		return result;
	}

	throw new SettingError('request', 'The `request` function of the options returned neither a request nor a response. Return one of them.');
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

/** Reads a body to its end, or up to the maximum of unwanted bytes. The exchange copies the chunks. */
async function read(response: IncomingMessage, isWanted: () => boolean): Promise<void> {
	let unwanted = 0;
	for await (const chunk of response as AsyncIterable<Uint8Array | string>) {
		unwanted += isWanted() ? 0 : chunk.length;
		if (unwanted > maxUnwantedBytes) {
			return;
		}
	}
}

async function settle(pending: Promise<void>): Promise<unknown> {
	try {
		await pending;
		return undefined;
	} catch (error) {
		return error;
	}
}
