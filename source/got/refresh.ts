import {ClientRequest, type IncomingMessage} from 'node:http';
import {finished} from 'node:stream/promises';
import {setTimeout as delay} from 'node:timers/promises';
import type {Options} from 'got';
import type {Match} from '../cache/variants.ts';
import {CacheHooksError} from '../errors.ts';
import type {InFlight} from '../exchange/in-flight.ts';
import {
	awaitResponse,
	isClientRequest,
	isResponseLike,
	requestFunctionOf,
	type AttemptParts,
} from './native-request.ts';
import {discard, receive} from './receive.ts';
import {sentBody} from './request-head.ts';

// How long a refresh may take at most, in milliseconds.
const longestTime = 60_000;

// How long it waits before it tries once more.
const pause = 1000;

const transientStatusCodes: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);
const rejectedCredentials: ReadonlySet<number> = new Set([401, 407]);

/**
Prepares to renew what was served: a request of ours with the options that Got has prepared for the caller's, which itself may change by the time it is sent. Nobody waits for it, the process included.

It keeps `timeout.request`, 60 seconds at most, but not the caller's signal, whose request may be over. It is tried once more after a transient failure. Cookies go to the caller's jar.

@returns What sends it. It throws where the request fails, or its credentials are rejected: then the next request in the foreground renews what is stored.
*/
export function prepareRefresh({url, native, options, exchange, client}: AttemptParts): (inFlight: InFlight<Match>) => Promise<void> {
	const {cookieJar, ignoreInvalidCookies, timeout} = options;
	const send = requestFunctionOf(options);
	const body = sentBody(options);
	const {signal: _, ...prepared} = native;
	return async inFlight => {
		const {request, settings, info} = exchange;
		const renewal = client.open(request, {...settings, refresh: true, background: true});
		const action = await renewal.next({type: 'begin', inFlight});
		if (action.do !== 'send') {
			void renewal.next({type: 'released'});
			return;
		}

		const signal = AbortSignal.timeout(Math.min(timeout.request ?? longestTime, longestTime));
		const ask = async (validators: Readonly<Record<string, string>>): Promise<IncomingMessage> => renewal.run(async () => {
			const result = await send(url, {...prepared, headers: {...prepared.headers, ...validators}});
			return isClientRequest(result) ? respond(result, body, signal) : checkedResponse(result);
		});

		try {
			const response = await askTwice(async () => ask(action.validators), signal);
			const {given} = await receive(response, renewal, {mayRetry: false, isGivenUp: () => signal.aborted});
			const last = given === undefined ? await ask({}) : response;
			if (given === undefined) {
				await receive(last, renewal, {mayRetry: false, isGivenUp: () => signal.aborted});
			}

			await Promise.all([keepCookies(last, url, cookieJar, ignoreInvalidCookies), read(last, signal)]);
			if (rejectedCredentials.has(last.statusCode!)) {
				client.leaveToForeground(info.key!);
				throw new CacheHooksError('ERR_REFRESH_REJECTED', `The origin answered a refresh with ${last.statusCode}: the next request renews what is stored, with the hooks of its client`);
			}
		} catch (error) {
			void renewal.next({type: 'error'});
			throw error;
		} finally {
			void renewal.next({type: 'released'});
		}
	};
}

/** Sends a request, and once more after a transient failure. */
async function askTwice(ask: () => Promise<IncomingMessage>, signal: AbortSignal): Promise<IncomingMessage> {
	try {
		const response = await ask();
		if (!transientStatusCodes.has(response.statusCode!) || response.headers['retry-after'] !== undefined) {
			return response;
		}

		discard(response);
	} catch (error) {
		if (signal.aborted) {
			throw error;
		}
	}

	await delay(pause, undefined, {signal, ref: false});
	return ask();
}

async function respond(request: ClientRequest, body: string | Uint8Array | undefined, signal: AbortSignal): Promise<IncomingMessage> {
	const giveUp = (): void => {
		request.destroy(signal.reason as Error);
	};

	// Sockets of other kinds may be shared with requests that somebody waits for.
	if (request instanceof ClientRequest) {
		request.once('socket', socket => {
			socket.unref();
		});
	}

	signal.addEventListener('abort', giveUp, {once: true});
	request.once('close', () => {
		signal.removeEventListener('abort', giveUp);
	});
	return awaitResponse(request, body);
}

function checkedResponse(result: unknown): IncomingMessage {
	if (isResponseLike(result)) {
		return result;
	}

	throw new TypeError('Expected the `request` function to give a request or a response');
}

/** Reads a body to its end: the exchange keeps what passes. */
async function read(response: IncomingMessage, signal: AbortSignal): Promise<void> {
	response.resume();
	await finished(response, {signal, writable: false});
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
