import type {Match} from '../cache/entries.ts';
import type {SentRequest} from '../identity/sent-request.ts';
import {type MaybePromise, recover, then} from '../maybe-promise.ts';
import type {NodeHeaders, StoredResponse} from '../entry/stored-response.ts';
import type {Reason, WriteReason} from '../policy/reasons.ts';
import type {RawFields} from '../policy/storing.ts';
import type {InFlight, Outcome} from './in-flight.ts';
import {rejectsCredentials} from '../policy/response-facts.ts';
import type {Client} from './client.ts';
import {isRefusal, RequestPhase} from './request-phase.ts';
import {ResponsePhase} from './response-phase.ts';
import {settingOfKey, type ExchangeSettings} from './settings.ts';
import {ExchangeState} from './state.ts';

/** What is known of the redirects that led to a request. */
export type Redirects = {
	/** Why a stored redirect must not be reused for the request, if it must not. */
	readonly check: (stored: StoredResponse) => MaybePromise<'loop' | 'cookie' | undefined>;
};

/** The head of a response of the origin, as it came. */
export type IncomingHead = {
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly rawHeaders: RawFields;
};

/**
A response that the cache gives. Its headers are the caller's; its body is the stored one, and must be copied.
*/
export type RenderedResponse = {
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly headers: NodeHeaders;
	readonly rawHeaders: string[];
	readonly body: Uint8Array;

	/** Whether the response is a stored one; a 504 is not. */
	readonly fromCache: boolean;
};

/** What a driver tells an exchange. */
export type Event =
	/** The request is ready to be sent. After Got has used up its retries, a stale response stands in before the origin is asked again. */
	| {readonly type: 'begin'; readonly areRetriesUsed?: boolean; readonly inFlight?: InFlight<Match>}

	/** The wait for another request has ended. */
	| {readonly type: 'joined'; readonly outcome: Outcome<Match>}

	/** The origin responded. `mayRetry` says whether Got may still try again, so that a stale response need not stand in for an error yet. */
	| {readonly type: 'response'; readonly head: IncomingHead; readonly mayRetry?: boolean}

	/** The body ended, whole as far as the connection can tell. */
	| {readonly type: 'end'; readonly body: Uint8Array}

	/** The body will not be stored. */
	| {readonly type: 'cut'; readonly reason: WriteReason; readonly isOwn?: boolean}

	/** No response came. `isOwn` says that the caller's own limits ended the request, and no fault of the origin. */
	| {readonly type: 'error'; readonly isOwn?: boolean; readonly mayRetry?: boolean}

	/** The request has come to an end, however it has; nothing else follows. */
	| {readonly type: 'released'; readonly isOwn?: boolean};

/** What the driver of an exchange is to do. */
export type Action =
	/** Give a stored response, or a 504; and renew it in the background where `refreshes` says so. */
	| {readonly do: 'serve'; readonly response: RenderedResponse; readonly refreshes: boolean}

	/** Send the request, with the validators among its headers. */
	| {readonly do: 'send'; readonly validators: Readonly<Record<string, string>>}

	/** Wait for another request, and tell how that ended, or `leave`. `hasResponse` says whether its response has begun. */
	| {readonly do: 'wait'; readonly outcome: Promise<Outcome<Match>>; readonly hasResponse: () => boolean; readonly leave: () => void}

	/** Give the origin's response. `collects` says whether its body is wanted here, `status` what `Cache-Status` says of it, `awaitsRetries` whether a stale response takes its place once Got has used up its retries. */
	| {readonly do: 'pass'; readonly status: string | undefined; readonly collects: boolean; readonly awaitsRetries: boolean}

	/** Send the request once more, without conditions. */
	| {readonly do: 'resend'}

	/** Nothing: an error is the caller's. `awaitsRetries` says that a stale response stands in once Got has used up its retries. */
	| {readonly do: 'done'; readonly awaitsRetries: boolean};

/**
What is known of an exchange so far. Times are milliseconds since the epoch.
*/
export type ExchangeInfo = {
	readonly key: string | undefined;

	/** Why the response comes from where it comes. */
	readonly reason: Reason;

	/** What became of the origin's response; `undefined` where there was none, or not yet. */
	readonly stored: Reason | undefined;

	/** When the stored response was received, or last validated. */
	readonly createdAt: number | undefined;

	/** When the stored response expires; `undefined` where it never does, or where nothing is stored. */
	readonly expires: number | undefined;
	readonly fromCache: boolean;

	/** Whether the origin has validated the stored response just now. */
	readonly revalidated: boolean;

	/** Whether another request, sent at the same time, got the response. */
	readonly collapsed: boolean;
};

export type {SentRequest} from '../identity/sent-request.ts';

// The number of keys that are remembered whose credentials were rejected.
const mostRejected = 1000;

/**
One attempt of one hop, from the request as it will be sent to what is stored of its response. It knows no sockets: a driver tells it what happens, and does what it says.

A driver begins with `begin`. After `wait` it tells `joined`; after `send` and `resend` it tells `response`, `error` or `released`; after a `pass` that collects, `end` or `cut`.
*/
export class Exchange {
	readonly #state: ExchangeState;
	readonly #request: RequestPhase;
	#responsePhase: ResponsePhase | undefined;

	constructor(client: Client, settings: ExchangeSettings, request: SentRequest, redirects?: Redirects) {
		this.#state = new ExchangeState(client.cache, settings, request);
		this.#request = new RequestPhase(this.#state, {
			clientSettings: client.exchangeSettings,
			redirects,
			standIn: () => this.#response.standIn(),
			drop: reason => this.#response.drop(reason),
		});
	}

	/** The response phase, which is made when it is first needed: a hit does without it. */
	get #response(): ResponsePhase {
		this.#responsePhase ??= new ResponsePhase(this.#state);
		return this.#responsePhase;
	}

	get info(): ExchangeInfo {
		return this.#state.info;
	}

	get request(): SentRequest {
		return this.#state.request;
	}

	get settings(): ExchangeSettings {
		return this.#state.settings;
	}

	/** The name under which requests that may share wait for each other. */
	get sharingKey(): string {
		return this.#state.sharingKey;
	}

	/** The request headers that the stored response varies by. */
	get variesBy(): readonly string[] | undefined {
		return this.#state.match.stored?.vary?.names;
	}

	/** Says what to do after an event. A fault of the cache never becomes one of the request, except with `failFast`: then the answer to a response, or to its end, comes once everything is written. */
	next(event: Event): MaybePromise<Action> {
		switch (event.type) {
			case 'begin': {
				return this.#decide(() => this.#request.begin(event));
			}

			case 'joined': {
				return this.#decide(() => this.#request.join(event.outcome));
			}

			case 'response': {
				this.#noteAnswer(event.head.statusCode);
				return this.#confirmed(recover(() => this.#response.respond(event), error => this.#giveUp(error)));
			}

			case 'end': {
				return this.#confirmed(this.#response.end(event.body));
			}

			case 'cut': {
				return this.#response.cut(event.reason, event.isOwn ?? false);
			}

			case 'error': {
				return this.#response.fail(event);
			}

			case 'released': {
				return this.#response.release(event.isOwn ?? false);
			}

			default: {
				return event satisfies never;
			}
		}
	}

	/** Notes that some more of the body has come. */
	progress(bytes: number): void {
		this.#state.inFlight?.progress(bytes);
	}

	/** Runs the code that sends the request: what it asks for itself must not wait for this exchange. */
	run<Value>(action: () => Value): Value {
		const {inFlight} = this.#state;
		return inFlight === undefined ? action() : inFlight.run(action);
	}

	/** Notes whether the origin rejected the credentials: until it accepts them, the entry is renewed in the foreground only, where the hooks of a client may get other credentials. */
	#noteAnswer(statusCode: number): void {
		const {key, cache: {rejectedKeys}} = this.#state;
		if (key === undefined) {
			return;
		}

		rejectedKeys.delete(key);
		if (!rejectsCredentials(statusCode)) {
			return;
		}

		rejectedKeys.add(key);
		if (rejectedKeys.size > mostRejected) {
			rejectedKeys.delete(rejectedKeys.values().next().value!);
		}
	}

	#confirmed(action: MaybePromise<Action>): MaybePromise<Action> {
		return then(action, next => then(this.#response.confirm(), () => next));
	}

	#decide(decide: () => MaybePromise<Action>): MaybePromise<Action> {
		return then(this.#safely(decide), action => {
			if (action.do === 'send') {
				this.#state.updateSent({time: this.#state.settings.now()});
			}

			return action;
		});
	}

	#safely(action: () => MaybePromise<Action>): MaybePromise<Action> {
		return recover(action, error => {
			const {settings: {failFast, mode}, cache} = this.#state;
			if (failFast || mode === 'replay' || isRefusal(error)) {
				void this.next({type: 'released'});
				throw error;
			}

			cache.report('settingError', {setting: settingOfKey(this.#state.settings), error});
			// Other requests may wait for this one.
			this.#response.release(false);
			return this.#request.bypass();
		});
	}

	/** Reports a fault of this library, and passes the origin's response on. */
	#giveUp(error: unknown): Action {
		this.#state.cache.report('internalError', {error});
		this.#response.release(false);
		return {
			do: 'pass', status: undefined, collects: false, awaitsRetries: false,
		};
	}
}
