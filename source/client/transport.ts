import type {ClientRequest, IncomingMessage} from 'node:http';
import type {Options} from 'got';
import {chain} from '../cache/maybe-promise.ts';
import type {Engine} from '../engine/engine.ts';
import type {Step} from '../engine/exchange-types.ts';
import type {Exchange} from '../engine/exchange.ts';
import {isNetworkRefused, networkRefusal} from '../engine/network.ts';
import {remember} from './cache-info.ts';
import {awaitRetries, endOfRetries} from './last-resort.ts';
import {
	awaitResponse,
	isClientRequest,
	sendNative,
	type NativeOptions,
	type RequestFunction,
	type RequestResult,
	type Send,
} from './native-request.ts';
import {receive} from './receive.ts';
import {refresh} from './refresh.ts';
import {refuseRetry} from './refuse-retry.ts';
import {putOn, takeOff} from './request-function.ts';
import {outgoingRequest} from './request-head.ts';
import {ServedResponse} from './served-response.ts';
import {watchRequest, type GivenResponse} from './watch-request.ts';

// How long a refresh may take where the user's `timeout.request` does not say.
const refreshTimeout = 60_000;

/**
Puts our transport before the request function of one attempt. It decides nothing yet: hooks that run later still change the request, its request function included.

Got asks its options for that function once all hooks have run. The method is replaced on this one object, which Got does not copy to the next hop or attempt: so nothing is left behind that anybody could see.

@throws {TypeError} Where a setting in `context.cache` is wrong; Got makes it the cause of a `RequestError`.
*/
export function arm(options: Options, engine: Engine): void {
	putOn(options, transportFor(options, engine));
}

/** The request function of one attempt: it takes itself off when it is called. */
export function transportFor(options: Options, engine: Engine): RequestFunction {
	const settings = engine.settingsFor(options.context.cache);
	const transport = (url: URL, native: NativeOptions): RequestResult | Promise<RequestResult> => {
		takeOff(options);
		const isLastResort = endOfRetries(options);
		const exchange = engine.open(outgoingRequest(url, native, options), options.decompress ? settings : {...settings, storeEncoded: true});
		remember(options, exchange, engine.now);
		return new Attempt(url, native, options, exchange, engine).run(isLastResort);
	};

	return transport as RequestFunction;
}

/** One attempt of one hop: between Got's options and an exchange. */
class Attempt {
	readonly #options: Options;
	readonly #exchange: Exchange;
	readonly #engine: Engine;
	readonly #url: URL;
	readonly #native: NativeOptions;

	#second: ClientRequest | undefined;

	/** Whether Got may try again before a stored response stands in for an error. A stream's retries are its reader's. */
	#retries = false;

	constructor(url: URL, native: NativeOptions, options: Options, exchange: Exchange, engine: Engine) { // eslint-disable-line max-params -- What Got gives, and what we have.
		this.#url = url;
		this.#native = native;
		this.#options = options;
		this.#exchange = exchange;
		this.#engine = engine;
	}

	run(isLastResort: boolean): RequestResult | Promise<RequestResult> {
		this.#retries = this.#exchange.isPatient && !isLastResort && !this.#options.isStream;
		return chain(this.#engine.begin(this.#exchange, isLastResort), step => this.#execute(step));
	}

	#execute(step: Step): RequestResult | Promise<RequestResult> {
		switch (step.do) {
			case 'serve': {
				if (step.revalidate && !isNetworkRefused()) {
					this.#refresh();
				}

				return this.#serve(new ServedResponse(step.response));
			}

			case 'send': {
				return this.#dispatch(step.validators);
			}

			default: {
				return step satisfies never;
			}
		}
	}

	#dispatch(validators: Readonly<Record<string, string>>): RequestResult | Promise<RequestResult> {
		if (isNetworkRefused()) {
			const {shownUrl, request, info} = this.#exchange;
			throw networkRefusal(request.method, shownUrl, info.reason);
		}

		try {
			const result = sendNative(this.#url, this.#native, this.#options, validators);
			return isThenable(result) ? this.#settled(result) : this.#watch(result);
		} catch (error) {
			return this.#standIn(error);
		}
	}

	async #settled(pending: PromiseLike<RequestResult>): Promise<RequestResult> {
		try {
			return await this.#watch(await pending);
		} catch (error) {
			return this.#standIn(error);
		}
	}

	#watch(result: RequestResult): RequestResult | Promise<RequestResult> {
		if (!isClientRequest(result)) {
			// What a user's function gives may be no response at all: that is for Got to say.
			return isResponseLike(result) ? this.#receive(result) as RequestResult | Promise<RequestResult> : result;
		}

		watchRequest(result, {
			respond: response => this.#receive(response),
			fail: () => this.#fail(),
			giveUp: () => {
				this.#second?.destroy();
			},
		});
		return result;
	}

	#receive(response: IncomingMessage): GivenResponse | Promise<GivenResponse> {
		const given = receive(response, this.#exchange, this.#engine, this.#retries);
		if (given === 'resend') {
			return this.#resend();
		}

		if (given instanceof ServedResponse) {
			this.#serve(given);
		} else {
			this.#wait();
		}

		return given;
	}

	/** The origin's answer was of nothing that is known: it is asked once more, without conditions. */
	async #resend(): Promise<GivenResponse> {
		try {
			const result = await sendNative(this.#url, this.#options.createNativeRequestOptions(), this.#options, {});
			if (!isClientRequest(result)) {
				return await this.#receive(result as IncomingMessage);
			}

			this.#second = result;
			return await this.#receive(await awaitResponse(result, this.#exchange.request.body));
		} catch (error) {
			return this.#standIn(error) as GivenResponse;
		}
	}

	#fail(): ServedResponse | undefined {
		const response = this.#exchange.fail(this.#retries);
		if (response === undefined) {
			this.#wait();
			return undefined;
		}

		refuseRetry(this.#options);
		return new ServedResponse(response);
	}

	#wait(): void {
		if (this.#exchange.awaitsRetries) {
			awaitRetries(this.#options);
		}
	}

	#standIn(error: unknown): RequestResult {
		const response = this.#fail();
		if (response === undefined) {
			throw error;
		}

		return this.#serve(response);
	}

	#serve(response: ServedResponse): RequestResult {
		if (response.statusCode >= 400) {
			refuseRetry(this.#options);
		}

		return response as unknown as RequestResult;
	}

	#refresh(): void {
		const exchange = this.#exchange.refreshed();
		const limit = this.#options.timeout.request ?? refreshTimeout;
		// Options of its own: the caller's request may be over, and its signal is for that one.
		const send: Send = validators => sendNative(this.#url, {...this.#options.createNativeRequestOptions(), signal: undefined}, this.#options, validators);
		this.#engine.background.run(this.#exchange.entryKey, async () => refresh(exchange, this.#engine, send, limit));
	}
}

function isThenable(value: unknown): value is PromiseLike<RequestResult> {
	return typeof (value as {then?: unknown} | undefined)?.then === 'function';
}

function isResponseLike(value: unknown): value is IncomingMessage {
	const {statusCode, headers} = new Object(value) as {statusCode?: unknown; headers?: unknown};
	return typeof statusCode === 'number' && typeof headers === 'object' && headers !== null;
}
