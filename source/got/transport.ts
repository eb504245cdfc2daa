import type {ClientRequest, IncomingMessage} from 'node:http';
import type {Options} from 'got';
import type {Match} from '../cache/entries.ts';
import type {Client} from '../exchange/client.ts';
import type {Action, Exchange} from '../exchange/exchange.ts';
import type {Outcome} from '../exchange/in-flight.ts';
import {networkRefusals} from '../exchange/scope.ts';
import {overridingMethod} from '../identity/sent-request.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import {
	awaitRetries,
	noteExchange,
	noteRedirect,
	redirectsOf,
	refuseRetry,
	removeTransport,
	restoreRetryOptions,
	setTransport,
} from './attempt-options.ts';
import {
	restoreTimeoutMessage,
	shortenTimeout,
	timedOutRequest,
	withinLimits,
	type WaitEnd,
} from './caller-limits.ts';
import {isFormDataStream, readFormData} from './form-data.ts';
import {
	isClientRequest,
	isResponseLike,
	isTimeout,
	outgoingRequest,
	requestFunctionOf,
	resend,
	type AttemptParts,
	type NativeOptions,
	type RequestFunction,
	type RequestResult,
} from './native-request.ts';
import {receive} from './receive.ts';
import {prepareRefresh} from './refresh.ts';
import {ServedResponse} from './served-response.ts';
import {watchRequest, type GivenResponse} from './watch-request.ts';

/**
Makes our transport the request function of one attempt. It decides nothing yet: hooks that run later may still change the request, its request function included.

Got asks its options for that function once all hooks have run. The method is replaced on this one object, which Got does not copy to the next hop or attempt: so nothing is left behind that anybody could see.

@throws {TypeError} Where a setting in `context.cache` is wrong; Got makes it the cause of a `RequestError`.
*/
export function interceptAttempt(options: Options, client: Client): void {
	const transport = transportFor(options, client);
	if (transport !== undefined) {
		setTransport(options, transport);
	}
}

/** The request function of one attempt: it takes itself off when it is called. There is none where the cache is disabled, unless nothing may be sent. */
export function transportFor(options: Options, client: Client): RequestFunction | undefined {
	const settings = client.settingsFor(options.context.cache);
	if (settings.disabled && settings.mode !== 'replay' && networkRefusals.getStore() === undefined) {
		restoreRetryOptions(options);
		return undefined;
	}

	const transport = (url: URL, native: NativeOptions): MaybePromise<RequestResult> => {
		removeTransport(options);
		const areRetriesUsed = restoreRetryOptions(options);
		const start = (): MaybePromise<RequestResult> => {
			const request = outgoingRequest(url, native, options, settings);
			// A recording is played as it is, cookies aside.
			const redirects = settings.mode === 'replay' ? undefined : redirectsOf(options, settings.mode === undefined && !settings.storeSetCookie);
			const exchange = client.open(request, options.decompress ? settings : {...settings, storeEncoded: true}, redirects);
			noteExchange(options, {exchange, now: client.now});
			return new Attempt({
				url, native, options, exchange, client, requestTimeout: options.timeout.request,
			}).begin(areRetriesUsed);
		};

		const mayKeepBody = settings.allowableMethods.has(overridingMethod(native.headers ?? {}) ?? options.method);
		return mayKeepBody && typeof options.body === 'object' && isFormDataStream(options, native.headers ?? {}) ? then(readFormData(options), end => end === undefined ? start() : requestOfEnd(end, options)) : start();
	};

	return transport as RequestFunction;
}

type Wait<Result> = {
	readonly go: (result: Result) => Promise<RequestResult>;
	readonly hasResponse: () => boolean;

	/** Lets the others go on without this request. */
	readonly leave?: () => void;
};

/** Where a response comes from. */
type Source = {
	/** The request that it answers. */
	readonly request?: ClientRequest;

	/** Whether the caller has given it up. */
	readonly isGivenUp: () => boolean;
};

/** One attempt of one hop: it translates between Got and an exchange. */
class Attempt {
	readonly #parts: AttemptParts;
	readonly #options: Options;
	readonly #exchange: Exchange;
	readonly #start = performance.now();

	/** Milliseconds for which the request waited for another one before it was sent. */
	#waited = 0;

	/** Whether Got may try again before a stored response stands in for an error. A stream's retries are its reader's. */
	#mayRetry = false;

	constructor(parts: AttemptParts) {
		this.#parts = parts;
		this.#options = parts.options;
		this.#exchange = parts.exchange;
	}

	begin(areRetriesUsed: boolean): MaybePromise<RequestResult> {
		this.#mayRetry = this.#exchange.settings.staleIfErrorAfter === 'retries' && !areRetriesUsed && !this.#options.isStream;
		return this.#follow(this.#exchange.next({type: 'begin', areRetriesUsed}));
	}

	/** Does what is to be done before the request is sent, within the caller's limits. */
	#follow(pending: MaybePromise<Action>): MaybePromise<RequestResult> {
		return pending instanceof Promise ? this.#await(pending, {go: async action => this.#do(action), hasResponse: () => false}) : this.#do(pending);
	}

	#do(action: Action): MaybePromise<RequestResult> {
		switch (action.do) {
			case 'serve': {
				return this.#serve(action);
			}

			case 'wait': {
				const {outcome, hasResponse, leave} = action;
				return this.#await(outcome, {go: async ended => this.#follow(this.#exchange.next({type: 'joined', outcome: ended})), hasResponse, leave});
			}

			case 'send': {
				return this.#exchange.run(() => this.#send(action.validators));
			}

			case 'pass':
			case 'resend':
			case 'done': {
				throw new Error(`An exchange cannot begin with \`${action.do}\``);
			}

			default: {
				return action satisfies never;
			}
		}
	}

	async #await<Result extends Action | Outcome<Match>>(pending: Promise<Result>, {go, hasResponse, leave}: Wait<Result>): Promise<RequestResult> {
		const result = await withinLimits(pending, this.#options, {start: this.#start, hasResponse});
		if (typeof result === 'string') {
			leave?.();
			void this.#release(pending);
			return requestOfEnd(result, this.#options);
		}

		const waited = performance.now() - this.#start;
		// What took longer than the store may was a wait for another request.
		if (leave !== undefined || this.#waited > 0 || waited > this.#exchange.settings.storeTimeout) {
			this.#waited = waited;
		}

		return go(result);
	}

	/** The caller has given up: what others wait for is left to one of them. */
	async #release(pending: Promise<Action | Outcome<Match>>): Promise<void> {
		const abandon = (): void => {
			void this.#exchange.next({type: 'closed', isByCaller: true});
		};

		abandon();
		try {
			const late = await pending;
			if (late.do === 'lead') {
				late.inFlight.abandon();
			} else if (late.do === 'wait') {
				late.leave();
			}
		} catch {
			// Nobody is there who could be told.
		}

		abandon();
	}

	#serve({response, refreshes}: Extract<Action, {do: 'serve'}>): RequestResult {
		if (refreshes) {
			this.#parts.client.refresh(this.#exchange, prepareRefresh(this.#parts));
		}

		return this.#give(new ServedResponse(response, !this.#options.isStream));
	}

	#send(validators: Readonly<Record<string, string>>): MaybePromise<RequestResult> {
		const {native} = this.#parts;
		// Got's own object is what it looks at for the socket of a handshake that it must end.
		native.headers = {...native.headers, ...validators};
		return this.#call(native);
	}

	#call(native: NativeOptions): MaybePromise<RequestResult> {
		try {
			const result = requestFunctionOf(this.#options)(this.#parts.url, native);
			return isThenable(result) ? this.#settle(result) : this.#watch(result);
		} catch (error) {
			return this.#standIn(error);
		}
	}

	async #settle(pending: PromiseLike<RequestResult>): Promise<RequestResult> {
		const {signal} = this.#options;
		const release = (): void => {
			void this.#exchange.next({type: 'closed', isByCaller: true});
		};

		// Got ends what comes once the caller has given up, and that may be never.
		signal?.addEventListener('abort', release, {once: true});
		try {
			return await this.#watch(await pending);
		} catch (error) {
			return this.#standIn(error);
		} finally {
			signal?.removeEventListener('abort', release);
		}
	}

	#watch(result: RequestResult): MaybePromise<RequestResult> {
		if (isClientRequest(result)) {
			if (this.#waited > 0) {
				shortenTimeout(this.#options, this.#waited);
			}

			const start = performance.now() - this.#waited;
			const request = watchRequest(result, {
				respond: (response, sent) => this.#receive(response, {request: sent, isGivenUp: () => request.isDestroyed}),
				resend: async listen => resend(this.#parts, {first: result, start, listen}),
				fail: error => this.#fail(error),
				giveUp: error => {
					if (error) {
						restoreTimeoutMessage(error, this.#options.timeout);
					}
				},
				close: () => {
					void this.#exchange.next({type: 'closed', isByCaller: request.isDestroyed});
				},
			});
		} else if (isResponseLike(result)) {
			const given = this.#receive(result, {isGivenUp: () => this.#options.signal?.aborted === true});
			return then(given, response => response as RequestResult | undefined ?? this.#call(this.#options.createNativeRequestOptions() as NativeOptions));
		} else {
			// What a user's function gives may be no response at all: that is for Got to say.
			void this.#exchange.next({type: 'closed'});
		}

		return result;
	}

	/** What the caller gets; nothing where the origin's response is of no use, and the request is sent once more. */
	#receive(response: IncomingMessage, source: Source): MaybePromise<GivenResponse | undefined> {
		return then(receive(response, this.#exchange, {mayRetry: this.#mayRetry, ...source}), ({given, awaitsRetries}) => {
			if (awaitsRetries) {
				awaitRetries(this.#options);
			}

			return given === undefined ? undefined : this.#give(given) as unknown as GivenResponse;
		});
	}

	#fail(error: unknown): ServedResponse | undefined {
		const action = this.#exchange.next({type: 'error', isByCaller: isTimeout(error), mayRetry: this.#mayRetry}) as Action;
		if (action.do === 'serve') {
			refuseRetry(this.#options);
			return new ServedResponse(action.response, !this.#options.isStream);
		}

		if (action.do === 'done' && action.awaitsRetries) {
			awaitRetries(this.#options);
		}

		return undefined;
	}

	#standIn(error: unknown): RequestResult {
		const response = this.#fail(error);
		if (response === undefined) {
			throw error;
		}

		return this.#give(response);
	}

	#give(response: GivenResponse): RequestResult {
		noteRedirect(this.#options, response);
		if (response instanceof ServedResponse && response.statusCode >= 400) {
			refuseRetry(this.#options);
		}

		return response as unknown as RequestResult;
	}
}

function requestOfEnd(end: WaitEnd, options: Options): RequestResult {
	if (end === 'aborted') {
		// Got has given up before, and listens no more.
		throw new Error('The request was aborted');
	}

	return timedOutRequest(options, end);
}

function isThenable(value: unknown): value is PromiseLike<RequestResult> {
	return typeof (value as {then?: unknown} | undefined)?.then === 'function';
}
