import type {ClientRequest, IncomingMessage} from 'node:http';
import type {Options} from 'got';
import {then, type MaybePromise} from '../maybe-promise.ts';
import type {Engine} from '../engine/engine.ts';
import type {Step} from '../engine/exchange-types.ts';
import type {Exchange} from '../engine/exchange.ts';
import type {Flight, Landing} from '../engine/flight.ts';
import type {Boarding} from '../engine/flights.ts';
import {overridingMethod} from '../identity/method.ts';
import {isNetworkRefused, networkRefusal} from '../engine/network.ts';
import {isFormDataStream, readFormData} from './form-data.ts';
import {learnAcceptEncoding, learnFrom} from './got-copies.ts';
import {takeOver} from './lane/handed-over.ts';
import {awaitRetries, endOfRetries} from './last-resort.ts';
import {lateRequest, shortenTimeout} from './late-request.ts';
import {
	awaitResponse,
	isClientRequest,
	sendNative,
	type NativeOptions,
	type RequestFunction,
	type RequestResult,
} from './native-request.ts';
import {receive} from './receive.ts';
import {noteRedirect, redirectsOf} from './redirects.ts';
import {refresh, refreshOf} from './refresh.ts';
import {refuseRetry} from './refuse-retry.ts';
import {remember} from './remembered.ts';
import {putOn, takeOff} from './request-function.ts';
import {outgoingRequest} from './request-head.ts';
import {ServedResponse} from './served-response.ts';
import {waitAboard, type End} from './wait-aboard.ts';
import {servedAtOnce} from './whole-response.ts';
import {watchRequest, type GivenResponse} from './watch-request.ts';

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
	const own = engine.settingsFor(options.context.cache);
	const settings = refreshOf(options) === undefined ? own : {...own, refresh: true, background: true};
	const transport = (url: URL, native: NativeOptions): RequestResult | Promise<RequestResult> => {
		takeOff(options);
		const isLastResort = endOfRetries(options);
		learnAcceptEncoding(options, native);
		const start = (): RequestResult | Promise<RequestResult> => {
			const request = outgoingRequest(url, native, options, settings);
			const begun = takeOver(options, request);
			// A recording is played as it is, cookies aside.
			const redirects = settings.mode === 'replay' ? undefined : redirectsOf(options, settings.mode === undefined && !settings.storeSetCookie);
			const exchange = begun?.exchange ?? engine.open(request, options.decompress ? settings : {...settings, storeEncoded: true}, redirects);
			remember(options, {exchange, now: engine.now});
			return new Attempt(url, native, options, exchange, engine).run(isLastResort, begun?.step);
		};

		const mayKeepBody = !settings.disabled && settings.allowableMethods.has(overridingMethod(native.headers ?? {}) ?? options.method);
		return mayKeepBody && isFormDataStream(options, native.headers ?? {}) ? then(readFormData(options), end => end === undefined ? start() : giveUp(end, options)) : start();
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

	/**
	Begins with what is stored.

	@param begun - What is to be done, where that is settled already.
	*/
	run(isLastResort: boolean, begun?: MaybePromise<Step>): RequestResult | Promise<RequestResult> {
		this.#retries = this.#exchange.isPatient && !isLastResort && !this.#options.isStream;
		const start = performance.now();
		return then(begun ?? this.#engine.begin(this.#exchange, isLastResort), step => step.do === 'send' ? this.#board(step, start) : this.#execute(step));
	}

	/** Sends the request, unless another is on its way that may answer it. What is kept from the network neither waits nor lets others wait. */
	#board(step: Step, start: number): RequestResult | Promise<RequestResult> {
		if (isNetworkRefused()) {
			const {shownUrl, request, info} = this.#exchange;
			throw networkRefusal(request.method, shownUrl, info.reason);
		}

		const refreshed = refreshOf(this.#options);
		if (refreshed !== undefined) {
			this.#exchange.lead(refreshed);
			return refreshed.run(() => this.#execute(step));
		}

		const boarding = this.#engine.board(this.#exchange);
		switch (boarding.do) {
			case 'lead': {
				return this.#lead(boarding.flight, step, start);
			}

			case 'wait': {
				return this.#follow(boarding, step, start);
			}

			case 'alone': {
				return this.#execute(step);
			}

			default: {
				return boarding satisfies never;
			}
		}
	}

	#lead(flight: Flight, step: Step, start: number): RequestResult | Promise<RequestResult> {
		const cleared = this.#engine.clear(this.#exchange, flight, step);
		return cleared instanceof Promise ? this.#claim(cleared, flight, start) : flight.run(() => this.#execute(cleared));
	}

	/** Another process may be asking. */
	async #claim(clearance: Promise<Step>, flight: Flight, start: number): Promise<RequestResult> {
		const cleared = await waitAboard(clearance, this.#options, start);
		if (typeof cleared === 'string') {
			flight.fail();
			return giveUp(cleared, this.#options);
		}

		shortenTimeout(this.#options, performance.now() - start);
		return flight.run(() => this.#execute(cleared));
	}

	async #follow({landing, leave}: Extract<Boarding, {do: 'wait'}>, step: Step, start: number): Promise<RequestResult> {
		const landed = await waitAboard(landing, this.#options, start);
		if (typeof landed === 'string') {
			leave();
			void handOver(landing);
			return giveUp(landed, this.#options);
		}

		if (landed.do === 'reuse') {
			return this.#execute(await this.#engine.reuse(this.#exchange, landed.match));
		}

		shortenTimeout(this.#options, performance.now() - start);
		return landed.do === 'lead' ? this.#lead(landed.flight, step, start) : this.#execute(step);
	}

	#execute(step: Step): RequestResult | Promise<RequestResult> {
		switch (step.do) {
			case 'serve': {
				const served = this.#options.isStream ? new ServedResponse(step.response) : servedAtOnce(step.response);
				if (step.revalidate && !isNetworkRefused()) {
					this.#engine.refresh(this.#exchange, async flight => refresh(this.#options, served, flight));
				}

				return this.#serve(served);
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
			if (isResponseLike(result)) {
				return this.#receive(result) as RequestResult | Promise<RequestResult>;
			}

			// What a user's function gives may be no response at all: that is for Got to say.
			this.#exchange.leave();
			return result;
		}

		watchRequest(result, {
			respond: response => this.#receive(response),
			fail: () => this.#fail(),
			giveUp: () => {
				this.#second?.destroy();
			},
			close: () => {
				this.#exchange.leave();
			},
		});
		return result;
	}

	#receive(response: IncomingMessage): GivenResponse | Promise<GivenResponse> {
		learnFrom(this.#options, response);
		const given = receive(response, this.#exchange, this.#engine, this.#retries);
		if (given === 'resend') {
			return this.#resend();
		}

		if (given instanceof ServedResponse) {
			this.#serve(given);
		} else {
			noteRedirect(this.#options, given);
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
		learnFrom(this.#options, response);
		noteRedirect(this.#options, response);
		if (response.statusCode >= 400) {
			refuseRetry(this.#options);
		}

		return response as unknown as RequestResult;
	}
}

function giveUp(end: End, options: Options): RequestResult {
	if (end === 'late') {
		return lateRequest(options);
	}

	// Got has given up before, and listens no more.
	throw new Error('The request was aborted');
}

/** Whoever was to be the next to ask, and has given up, lets another. */
async function handOver(landing: Promise<Landing>): Promise<void> {
	const landed = await landing;
	if (landed.do === 'lead') {
		landed.flight.fail();
	}
}

function isThenable(value: unknown): value is PromiseLike<RequestResult> {
	return typeof (value as {then?: unknown} | undefined)?.then === 'function';
}

function isResponseLike(value: unknown): value is IncomingMessage {
	const {statusCode, headers} = new Object(value) as {statusCode?: unknown; headers?: unknown};
	return typeof statusCode === 'number' && typeof headers === 'object' && headers !== null;
}
