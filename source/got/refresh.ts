import {ClientRequest, type IncomingMessage} from 'node:http';
import type {Match} from '../cache/entries.ts';
import {CacheHooksError, RefreshTimeoutError} from '../errors.ts';
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

// The milliseconds before a failed refresh is sent once more.
const pause = 1000;

// The most bytes of an unwanted body that are read, so that its connection can be used again.
const mostUnwanted = 65_536;

/**
Prepares a refresh of the entry that was served: a request with a copy of the options that Got has prepared for the caller's request. No caller waits for it, and it keeps no process alive.

It keeps `timeout.request`, 60 seconds at most, but not the caller's signal, since the caller's request may be over. It is sent once more after a transient failure, unless another request renews the entry meanwhile. Cookies go to the caller's jar.

@returns A function that sends the refresh. It throws where the request fails, or where the origin rejects its credentials: then the next request in the foreground renews the entry.
*/
export function prepareRefresh(parts: AttemptParts): SendRefresh {
	const {exchange: {settings}, client} = parts;
	const prepared = prepareRequest(parts);
	const {request, limit, shownUrl} = prepared;
	return async (first, leadAgain) => {
		const deadline = new Deadline(limit, () => new RefreshTimeoutError(shownUrl, limit));
		const attempt = async (inFlight: InFlight<Match>, isLast: boolean): Promise<Refresh | undefined> => {
			const renewal = client.open(request, {...settings, refresh: true, background: true});
			const action = await renewal.next({type: 'begin', inFlight});
			if (action.do !== 'send') {
				void renewal.next({type: 'closed'});
				return undefined;
			}

			const refresh = new Refresh(prepared, renewal, deadline);
			const statusCode = await refresh.run(action.validators, isLast);
			if (statusCode !== undefined) {
				checkStatus(statusCode, renewal, shownUrl);
			}

			return refresh;
		};

		try {
			const failed = await attempt(first, false);
			if (failed?.isToBeRepeated === true) {
				// During the pause no request is under way, so that none may wait for it.
				first.fail();
				await deadline.wait(pause);
				failed.leave();
				const second = await leadAgain();
				if (second !== undefined) {
					await attempt(second, true);
				}
			}
		} finally {
			deadline.end();
		}
	};
}

function checkStatus(statusCode: number, {info}: Exchange, shownUrl: string): void {
	if (rejectsCredentials(statusCode)) {
		throw new CacheHooksError('ERR_REFRESH_REJECTED', `The origin answered the refresh of ${shownUrl} with ${statusCode}: the next request renews what is stored, with its client's hooks`);
	}

	if ((statusCode >= 500 || isTransientStatus(statusCode)) && info.stored !== 'stored') {
		throw new CacheHooksError('ERR_REFRESH_FAILED', `The origin answered the refresh of ${shownUrl} with ${statusCode}`);
	}
}

/** One attempt of a refresh: it translates between the origin and an exchange. */
class Refresh {
	readonly #prepared: PreparedRequest;
	readonly #exchange: Exchange;
	readonly #deadline: Deadline;

	/** Settled attempts to give the cookies to the jar: an error where it refuses one. */
	readonly #cookies: Array<Promise<unknown>> = [];

	/** The response of a failed attempt, whose body nobody wants. */
	#unwanted: IncomingMessage | undefined;
	#isToBeRepeated = false;

	constructor(prepared: PreparedRequest, exchange: Exchange, deadline: Deadline) {
		this.#prepared = prepared;
		this.#exchange = exchange;
		this.#deadline = deadline;
	}

	/** Whether the attempt has failed in a way that may be over soon. */
	get isToBeRepeated(): boolean {
		return this.#isToBeRepeated;
	}

	/**
	Sends the request, and reads the response.

	@param isLast - Whether the attempt is the last one, whatever becomes of it.
	@returns The status code of the response; `undefined` where the request is to be sent once more.
	*/
	async run(validators: Readonly<Record<string, string>>, isLast: boolean): Promise<number | undefined> {
		const deadline = this.#deadline;
		try {
			const statusCode = await this.#exchangeOnce(validators, isLast);
			const kept = await deadline.within(Promise.all(this.#cookies));
			const refusal = kept.find(error => error !== undefined);
			if (refusal !== undefined) {
				throw refusal as Error;
			}

			return statusCode;
		} finally {
			void this.#exchange.next({type: 'closed', isByCaller: deadline.isOver});
		}
	}

	/** Ends the reading of an unwanted response. */
	leave(): void {
		this.#unwanted?.destroy();
	}

	async #exchangeOnce(validators: Readonly<Record<string, string>>, isLast: boolean): Promise<number | undefined> {
		const response = await this.#answered(validators, isLast);
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
			if (!isTransientError(error) || !this.#mayRepeat(isLast)) {
				throw error;
			}
		}

		this.#isToBeRepeated = true;
		return undefined;
	}

	/** Gives the response; `undefined` where the request is to be sent once more. Tells the exchange where there is none. */
	async #answered(validators: Readonly<Record<string, string>>, isLast: boolean): Promise<IncomingMessage | undefined> {
		try {
			const response = await this.#ask(validators);
			if (!isTransientStatus(response.statusCode!) || response.headers['retry-after'] !== undefined || !this.#mayRepeat(isLast)) {
				return response;
			}

			this.#unwanted = response;
			void leave(response);
		} catch (error) {
			if (!isTransientError(error) || !this.#mayRepeat(isLast)) {
				void this.#exchange.next({type: 'error', isByCaller: this.#deadline.isOver});
				throw error;
			}
		}

		this.#isToBeRepeated = true;
		return undefined;
	}

	#mayRepeat(isLast: boolean): boolean {
		return !isLast && this.#deadline.left > pause;
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
			// The result may come after the deadline: it is bound to it, and ends at once.
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

/** Reads a body to its end, or until too many unwanted bytes have come. The exchange copies what is read. */
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
