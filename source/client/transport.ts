import type {ClientRequest, IncomingMessage} from 'node:http';
import type {Options} from 'got';
import {chain} from '../cache/maybe-promise.ts';
import type {Engine} from '../engine/engine.ts';
import type {Step} from '../engine/exchange-types.ts';
import type {Exchange} from '../engine/exchange.ts';
import type {StoredResponse} from '../model/stored-response.ts';
import {remember} from './cache-info.ts';
import {
	isClientRequest,
	sendNative,
	type RequestFunction,
	type RequestResult,
	type Send,
} from './native-request.ts';
import {receive} from './receive.ts';
import {refresh} from './refresh.ts';
import {refuseRetry} from './refuse-retry.ts';
import {outgoingRequest} from './request-head.ts';
import {ServedResponse} from './served-response.ts';
import {watchRequest} from './watch-request.ts';

/** Our transports, and the user's own function, if any, that each stands before. */
const covered = new WeakMap<RequestFunction, RequestFunction | undefined>();

// How long a refresh may take where the user's `timeout.request` does not say.
const refreshTimeout = 60_000;

/**
Puts our transport before the request function of one attempt. It decides nothing yet: hooks that run later still change the request.

Got copies `options.request` to the next hop and the next attempt, and an instance may be extended with the hooks of two caches: what of ours is there already is taken off first.

@throws {TypeError} Where a setting in `context.cache` is wrong.
*/
export function arm(options: Options, engine: Engine): void {
	const present = options.request;
	const own = present !== undefined && covered.has(present) ? covered.get(present) : present;
	const settings = engine.settingsFor(options.context.cache);

	const transport = (url: URL, native: {headers?: Record<string, string | string[] | undefined>}): RequestResult | Promise<RequestResult> => {
		options.request = own;
		const exchange = engine.open(outgoingRequest(url, native.headers ?? {}, options), options.decompress ? settings : {...settings, storeEncoded: true});
		remember(options, exchange, engine.now);
		return new Attempt(url, options, exchange, engine).run();
	};

	covered.set(transport as RequestFunction, own);
	options.request = transport as RequestFunction;
}

/** One attempt of one hop: between Got's options and an exchange. */
class Attempt {
	readonly #options: Options;
	readonly #exchange: Exchange;
	readonly #engine: Engine;
	readonly #send: Send;

	constructor(url: URL, options: Options, exchange: Exchange, engine: Engine) {
		this.#options = options;
		this.#exchange = exchange;
		this.#engine = engine;
		this.#send = validators => sendNative(url, options, validators);
	}

	run(): RequestResult | Promise<RequestResult> {
		return chain(this.#engine.begin(this.#exchange), step => this.#execute(step));
	}

	#execute(step: Step): RequestResult | Promise<RequestResult> {
		switch (step.do) {
			case 'serve': {
				if (step.revalidate) {
					this.#refresh();
				}

				return this.#serve(ServedResponse.stored(step.stored));
			}

			case 'fail': {
				return this.#serve(ServedResponse.notCached());
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
			const result = this.#send(validators);
			return isThenable(result) ? this.#settled(result) : this.#watch(result);
		} catch (error) {
			return this.#standIn(error);
		}
	}

	async #settled(pending: PromiseLike<RequestResult>): Promise<RequestResult> {
		try {
			return this.#watch(await pending);
		} catch (error) {
			return this.#standIn(error);
		}
	}

	#watch(result: RequestResult): RequestResult {
		if (!isClientRequest(result)) {
			return this.#receive(result as IncomingMessage) as RequestResult;
		}

		watchRequest(result, {
			respond: response => this.#receive(response),
			fail: () => this.#fail(),
		});
		return result;
	}

	#receive(response: IncomingMessage): IncomingMessage | ServedResponse {
		const given = receive(response, this.#exchange, this.#engine);
		return given instanceof ServedResponse ? this.#serve(given) as unknown as ServedResponse : given;
	}

	#fail(): StoredResponse | undefined {
		const stored = this.#exchange.fail();
		if (stored !== undefined) {
			refuseRetry(this.#options);
		}

		return stored;
	}

	#standIn(error: unknown): RequestResult {
		const stored = this.#fail();
		if (stored === undefined) {
			throw error;
		}

		return this.#serve(ServedResponse.stored(stored));
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
		this.#engine.background.run(this.#exchange.info.key!, async () => refresh(exchange, this.#engine, this.#send, limit));
	}
}

function isThenable(value: unknown): value is PromiseLike<RequestResult> {
	return typeof (value as {then?: unknown} | undefined)?.then === 'function';
}
