import type {ClientRequest, IncomingMessage} from 'node:http';
import type {Options} from 'got';
import type {Match} from '../cache/entries.ts';
import type {Client} from '../exchange/client.ts';
import type {Action, Exchange} from '../exchange/exchange.ts';
import type {ExchangeSettings} from '../exchange/settings.ts';
import type {WaitOutcome} from '../exchange/waiter.ts';
import {networkRefusals} from '../exchange/scope.ts';
import {overridingMethod} from '../identity/sent-request.ts';
import {
	isPromise,
	recover,
	then,
	type MaybePromise,
} from '../maybe-promise.ts';
import {
	awaitRetries,
	firstContextOf,
	noteAttempt,
	noteInfo,
	noteRedirect,
	retriedKeyOf,
	redirectsOf,
	refuseRetry,
	removeTransport,
	restoreRetryOptions,
	setTransport,
	takeServed,
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
import {receive, type Received} from './receive.ts';
import {prepareRefresh} from './refresh.ts';
import {ServedResponse} from './served-response.ts';
import {WatchedRequest, type GivenResponse, type Watcher} from './watch-request.ts';

/**
Makes our transport the request function of one attempt. It decides nothing yet: later hooks may still change the request and its request function.

Got calls `options.getRequestFunction()` once all hooks have run. The method is replaced on this object only, which Got does not copy to the next hop or attempt.

@throws {TypeError} If a setting in `context.cache` is wrong. Got makes it the cause of a `RequestError`.
*/
export function interceptAttempt(options: Options, client: Client, attempt?: {readonly retryCount: number}): void {
	const transport = transportFor(options, client, (attempt?.retryCount ?? 0) > 0);
	if (transport !== undefined) {
		setTransport(options, transport);
	}
}

/** Returns the request function of one attempt, which removes itself from the options when it is called; `undefined` if the cache is disabled, unless requests are refused. */
export function transportFor(options: Options, client: Client, isRetry = false): RequestFunction | undefined {
	const served = takeServed(options);
	const settings = served?.exchange.settings ?? client.settingsFor(options.context.cache);
	if (settings.disabled && !settings.recording.failsWithoutRecording && networkRefusals.getStore() === undefined) {
		restoreRetryOptions(options);
		return undefined;
	}

	return ((url: URL, native: NativeOptions) => {
		removeTransport(options);
		const areRetriesUsed = restoreRetryOptions(options);
		if (served !== undefined) {
			noteInfo(options, served.exchange);
			return new ServedResponse(served.response, true) as unknown as RequestResult;
		}

		const start = {
			url, native, options, client, settings, areRetriesUsed, isRetry,
		};
		return typeof options.body === 'object' && isKeyable(start) && isFormDataStream(options, native.headers ?? {})
			? then(readFormData(options), end => end === undefined ? startAttempt(start) : requestAfterEnd(end, options))
			: startAttempt(start);
	}) as RequestFunction;
}

/** What is known when Got sends a request. */
type Start = Pick<AttemptParts, 'url' | 'native' | 'options' | 'client'> & {
	readonly settings: ExchangeSettings;

	/** Whether Got has used up its retries. */
	readonly areRetriesUsed: boolean;

	/** Whether Got makes the request once more. */
	readonly isRetry: boolean;
};

function isKeyable({native: {headers = {}}, options, settings}: Start): boolean {
	return settings.allowableMethods.has(overridingMethod(headers) ?? options.method);
}

function startAttempt(start: Start): MaybePromise<RequestResult> {
	const {url, native, options, client, settings, areRetriesUsed, isRetry} = start;
	const request = outgoingRequest(url, native, options, settings);
	// A replay serves recorded redirects without regard to cookies.
	const redirects = settings.recording.failsWithoutRecording ? undefined : redirectsOf(options, !settings.recording.ignoresConnection && !settings.storeSetCookie);
	const exchange = client.open(request, options.decompress ? settings : {...settings, storeEncoded: true}, {redirects, context: firstContextOf(options)});
	const retriedKey = isRetry ? retriedKeyOf(options) : undefined;
	noteInfo(options, exchange);
	noteAttempt(options, exchange);
	return new Attempt(start, exchange).begin(areRetriesUsed, retriedKey);
}

type Wait<Result> = {
	readonly continueWith: (result: Result) => Promise<RequestResult>;
	readonly hasResponse: () => boolean;

	/** Ends the wait for another request. */
	readonly leave?: () => void;
};

/** One attempt of one hop. It drives an exchange for Got, and watches the request that is sent. */
class Attempt implements AttemptParts, Watcher {
	readonly url: URL;
	readonly native: NativeOptions;
	readonly options: Options;
	readonly exchange: Exchange;
	readonly client: Client;
	readonly requestTimeout: number | undefined;
	readonly #start = performance.now();

	/** Milliseconds for which the request waited for another one before it was sent. */
	#waited = 0;

	/** Whether Got retries before a stale response is served instead of an error. The caller makes the retries of a stream. */
	#mayRetry = false;
	#watched: WatchedRequest | undefined;

	/** The request that Got handles, and when it was sent. */
	#first: {readonly request: ClientRequest; readonly start: number} | undefined;

	constructor({url, native, options, client}: Start, exchange: Exchange) {
		this.url = url;
		this.native = native;
		this.options = options;
		this.exchange = exchange;
		this.client = client;
		this.requestTimeout = options.timeout.request;
	}

	/** Begins the exchange. `retriedKey` is the key of the attempt that this one repeats. */
	begin(areRetriesUsed: boolean, retriedKey: string | undefined): MaybePromise<RequestResult> {
		this.#mayRetry = this.exchange.settings.staleIfErrorAfter === 'retries' && !areRetriesUsed && !this.options.isStream;
		return this.#follow(this.exchange.next({type: 'begin', areRetriesUsed, retriedKey}));
	}

	/** Performs the next action, for which it waits within the caller's limits. */
	#follow(pending: MaybePromise<Action>): MaybePromise<RequestResult> {
		return pending instanceof Promise ? this.#await(pending, {continueWith: async action => this.#do(action), hasResponse: () => false}) : this.#do(pending);
	}

	#do(action: Action): MaybePromise<RequestResult> {
		switch (action.do) {
			case 'serve': {
				return this.#serve(action);
			}

			case 'wait': {
				const {outcome, hasResponse, leave} = action;
				return this.#await(outcome, {continueWith: async ended => this.#follow(this.exchange.next({type: 'joined', outcome: ended})), hasResponse, leave});
			}

			case 'send': {
				return this.exchange.run(() => this.#send(action.validators));
			}

			case 'pass':
			case 'resend':
			case 'done': {
				throw new Error(`An exchange cannot begin with \`${action.do}\`.`);
			}

			default: {
				return action satisfies never;
			}
		}
	}

	async #await<Result extends Action | WaitOutcome<Match>>(pending: Promise<Result>, {continueWith, hasResponse, leave}: Wait<Result>): Promise<RequestResult> {
		const result = await withinLimits(pending, this.options, {start: this.#start, hasResponse});
		if (typeof result === 'string') {
			leave?.();
			void this.#abandon(pending);
			return requestAfterEnd(result, this.options);
		}

		const waited = performance.now() - this.#start;
		// More time than the store may take was a wait for another request.
		if (leave !== undefined || this.#waited > 0 || waited > this.exchange.settings.storeTimeout) {
			this.#waited = waited;
		}

		return continueWith(result);
	}

	/** Ends the exchange, since the caller gave up. If others wait for this request, one of them is sent instead. */
	async #abandon(pending: Promise<Action | WaitOutcome<Match>>): Promise<void> {
		this.#closeByCaller();
		try {
			const late = await pending;
			if (late.do === 'send-shared') {
				late.inFlight.end('abandoned');
			} else if (late.do === 'wait') {
				late.leave();
			}
		} catch {
			// The caller has given up, so nobody gets the error.
		}

		this.#closeByCaller();
	}

	#closeByCaller(): void {
		void this.exchange.next({type: 'closed', isByCaller: true});
	}

	#serve({response, refreshes}: Extract<Action, {do: 'serve'}>): RequestResult {
		if (refreshes) {
			this.client.refresh(this.exchange, prepareRefresh(this));
		}

		return this.#give(new ServedResponse(response, !this.options.isStream));
	}

	#send(validators: Readonly<Record<string, string>>): MaybePromise<RequestResult> {
		const {native} = this;
		if (Object.keys(validators).length > 0) {
			// Got finds the socket of an unfinished handshake on its own object.
			native.headers = {...native.headers, ...validators};
		}

		return this.#call(native);
	}

	#call(native: NativeOptions): MaybePromise<RequestResult> {
		return recover(() => {
			const result = requestFunctionOf(this.options)(this.url, native);
			return isPromise(result) ? this.#settle(result) : this.#watch(result);
		}, error => this.#serveStaleOrThrow(error));
	}

	async #settle(pending: PromiseLike<RequestResult>): Promise<RequestResult> {
		const {signal} = this.options;
		const close = (): void => {
			this.#closeByCaller();
		};

		// After an abort, Got destroys the result of a user's function, which may never come.
		signal?.addEventListener('abort', close, {once: true});
		try {
			return await this.#watch(await pending);
		} finally {
			signal?.removeEventListener('abort', close);
		}
	}

	#watch(result: RequestResult): MaybePromise<RequestResult> {
		if (isClientRequest(result)) {
			if (this.#waited > 0) {
				shortenTimeout(this.options, this.#waited);
			}

			this.#first = {request: result, start: performance.now() - this.#waited};
			this.#watched = new WatchedRequest(result, this);
		} else if (isResponseLike(result)) {
			return then(this.respond(result), response => response as RequestResult | undefined ?? this.#call(this.options.createNativeRequestOptions() as NativeOptions));
		} else {
			// The result of a user's function may be no response at all: Got reports that.
			void this.exchange.next({type: 'closed'});
		}

		return result;
	}

	/** Returns the response for the caller; `undefined` if the request must be sent once more. */
	respond(response: IncomingMessage, request?: ClientRequest): MaybePromise<GivenResponse | undefined> {
		const received = receive(response, this.exchange, {
			mayRetry: this.#mayRetry,
			request,
			isGivenUp: () => this.#watched === undefined ? this.options.signal?.aborted === true : this.#watched.isDestroyed,
		});
		return received instanceof Promise ? this.#giveLater(received) : this.#giveReceived(received);
	}

	async resend(listen: (request: ClientRequest) => void): Promise<RequestResult> {
		const {request, start} = this.#first!;
		return resend(this, {first: request, start, listen});
	}

	onDestroy(error: Error | undefined): void {
		if (error) {
			restoreTimeoutMessage(error, this.options.timeout);
		}
	}

	close(): void {
		void this.exchange.next({type: 'closed', isByCaller: this.#watched!.isDestroyed});
	}

	async #giveLater(receiving: Promise<Received>): Promise<GivenResponse | undefined> {
		return this.#giveReceived(await receiving);
	}

	#giveReceived({given, awaitsRetries}: Received): GivenResponse | undefined {
		if (awaitsRetries) {
			awaitRetries(this.options);
		}

		return given === undefined ? undefined : this.#give(given) as unknown as GivenResponse;
	}

	fail(error: unknown): ServedResponse | undefined {
		const action = this.exchange.next({
			type: 'error', error, isByCaller: isTimeout(error), mayRetry: this.#mayRetry,
		}) as Action;
		if (action.do === 'serve') {
			refuseRetry(this.options);
			return new ServedResponse(action.response, !this.options.isStream);
		}

		if (action.do === 'done' && action.awaitsRetries) {
			awaitRetries(this.options);
		}

		return undefined;
	}

	#serveStaleOrThrow(error: unknown): RequestResult {
		const response = this.fail(error);
		if (response === undefined) {
			throw error;
		}

		return this.#give(response);
	}

	#give(response: GivenResponse): RequestResult {
		noteRedirect(this.options, response);
		if (response instanceof ServedResponse && response.statusCode >= 400) {
			refuseRetry(this.options);
		}

		return response as unknown as RequestResult;
	}
}

/** Returns a request for Got to fail on, since the caller no longer waits. */
function requestAfterEnd(end: WaitEnd, options: Options): RequestResult {
	if (end === 'aborted') {
		// Got has failed already, and ignores this error.
		throw new Error('The request was aborted.');
	}

	return timedOutRequest(options, end);
}
