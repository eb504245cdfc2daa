import type {Match} from '../cache/entries.ts';
import type {AsyncContext} from '../cache/reporter.ts';
import type {Body, NodeHeaders, StoredResponse} from '../entry/stored-response.ts';
import {NotRecordedError} from '../errors.ts';
import type {SentRequest} from '../identity/sent-request.ts';
import {recover, type MaybePromise} from '../maybe-promise.ts';
import type {Reason, WriteReason} from '../policy/types.ts';
import {rejectsCredentials} from '../policy/response-facts.ts';
import type {RawFields} from '../policy/fields.ts';
import type {Client} from './client.ts';
import type {InFlight} from './in-flight.ts';
import type {WaitOutcome} from './waiter.ts';
import {
	isRefusal,
	RequestPhase,
	type FreshMatch,
	type RequestPhaseOptions,
} from './request-phase.ts';
import {ResponsePhase} from './response-phase.ts';
import {settingOfKey, type ExchangeSettings} from './settings.ts';
import {ExchangeState} from './state.ts';

/** What happens to the request of an exchange, as its driver reports it. */
export type Event =
	/** The request is ready to be sent. `retriedKey` is the key of the attempt that it repeats, and `areRetriesUsed` says that Got has used up its retries: a stale response is then served before the origin is asked again. */
	| {readonly type: 'begin'; readonly areRetriesUsed?: boolean; readonly retriedKey?: string | undefined; readonly inFlight?: InFlight<Match>}

	/** The wait for another request has ended. */
	| {readonly type: 'joined'; readonly outcome: WaitOutcome<Match>}

	/** The origin responded. `mayRetry` says that Got may still retry, so that an error need not be answered by a stale response yet. */
	| {readonly type: 'response'; readonly head: IncomingHead; readonly mayRetry?: boolean}

	/** The body ended, and is complete as far as the connection can know. */
	| {readonly type: 'end'; readonly body: Body}

	/** The body is not to be stored. */
	| {readonly type: 'discarded'; readonly reason: WriteReason; readonly isByCaller?: boolean}

	/** No response came, because of `error`. `isByCaller` says that the caller ended the request, and no fault of the origin. */
	| {readonly type: 'error'; readonly error: unknown; readonly isByCaller?: boolean; readonly mayRetry?: boolean}

	/** The request has ended. No other event follows. */
	| {readonly type: 'closed'; readonly isByCaller?: boolean};

/** What the driver of an exchange does next. */
export type Action =
	/** Give the caller a stored response, or a 504. `refreshes` says whether to refresh the stored response in the background. */
	| {readonly do: 'serve'; readonly response: RenderedResponse; readonly refreshes: boolean}

	/** Send the request, with the validators among its headers. */
	| {readonly do: 'send'; readonly validators: Readonly<Record<string, string>>}

	/** Wait for another request and report the outcome, or call `leave`. `hasResponse` says whether the response to that request has begun. */
	| {readonly do: 'wait'; readonly outcome: Promise<WaitOutcome<Match>>; readonly hasResponse: () => boolean; readonly leave: () => void}

	/** Give the caller the origin's response. `collects` says whether to report its body, `status` is the member of `Cache-Status` to add, and `awaitsRetries` says that a stale response replaces it once Got has used up its retries. */
	| {readonly do: 'pass'; readonly status: string | undefined; readonly collects: boolean; readonly awaitsRetries: boolean}

	/** Send the request once more, without validators. */
	| {readonly do: 'resend'}

	/** Do nothing: the caller gets the error. `awaitsRetries` says that a stale response replaces it once Got has used up its retries. */
	| {readonly do: 'done'; readonly awaitsRetries: boolean};

export type ServeAction = Extract<Action, {readonly do: 'serve'}>;

/** What is known of the redirects that led to a request. */
export type Redirects = {
	/** Returns why a stored redirect must not be reused for the request; `undefined` if it may. */
	readonly check: (stored: StoredResponse) => MaybePromise<'loop' | 'cookie' | undefined>;
};

export type ExchangeOptions = {
	/** Default: none led to the request. */
	readonly redirects?: Redirects | undefined;

	/** The async context in which events are emitted, if anybody listens to them. Default: the current one. */
	readonly context?: AsyncContext | undefined;
};

/** The head of the origin's response, as it was received. */
export type IncomingHead = {
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly rawHeaders: RawFields;
};

/** A response that the cache serves. The caller may change its headers. Its body is the stored one, and must be copied. */
export type RenderedResponse = {
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly headers: NodeHeaders;
	readonly rawHeaders: string[];
	readonly body: Body;

	/** Whether the response is a stored one; a 504 is not. */
	readonly fromCache: boolean;
};

/** A driver that has given the caller a member of `Cache-Status`. */
export type StatusWatcher = {
	/** Called with the member that replaces it. */
	readonly replaceStatus: (status: string | undefined) => void;
};

/** What is known of an exchange so far. Times are milliseconds since the epoch. */
export type ExchangeInfo = {
	readonly key: string | undefined;

	/** Why the response comes from the cache or from the origin. */
	readonly reason: Reason;

	/** `'stored'` if the store has taken the origin's response, or is expected to; otherwise why not; `undefined` if there is none, or it is not known yet. */
	readonly stored: Reason | undefined;

	/** When the stored response was received or last validated. */
	readonly createdAt: number | undefined;

	/** When the stored response expires; `undefined` if it never does, or if nothing is stored. */
	readonly expires: number | undefined;
	readonly fromCache: boolean;

	/** Whether the origin has validated the stored response for this request. */
	readonly revalidated: boolean;

	/** Whether the response is that to another request, sent at the same time. */
	readonly collapsed: boolean;

	/** The clock of the settings. */
	readonly now: () => number;
};

/** Rejects with what is recorded instead. Its module is loaded when a replay fails. */
async function rejectWithNearest(state: ExchangeState): Promise<never> {
	const {describeMissing} = await import('./nearest-recording.ts');
	throw new NotRecordedError(state.request.method, state.redactedUrl, await describeMissing(state));
}

/** The maximum number of keys for which rejected credentials are noted. */
const maxRejectedKeys = 1000;

/**
The state machine of one request, for one attempt of one hop: from the request as it will be sent to the storing of its response. It has no sockets: a driver reports events and performs the actions that `next` returns.

A driver begins with `begin`. After `wait` it reports `joined`; after `send` and `resend` it reports `response`, `error` or `closed`; after a `pass` with `collects` it reports `end` or `discarded`.
*/
export class Exchange implements RequestPhaseOptions {
	/** The settings of the client, without those of the request. */
	readonly clientSettings: ExchangeSettings;
	readonly redirects: Redirects | undefined;
	readonly #state: ExchangeState;
	readonly #request: RequestPhase;
	#responsePhase: ResponsePhase | undefined;

	constructor(client: Client, settings: ExchangeSettings, request: SentRequest, {redirects, context}: ExchangeOptions = {}) {
		this.#state = new ExchangeState(client.cache, settings, request, context);
		this.#request = new RequestPhase(this.#state, this);
		this.clientSettings = client.exchangeSettings;
		this.redirects = redirects;
	}

	/** The response phase, which a hit does not need. */
	get #response(): ResponsePhase {
		this.#responsePhase ??= new ResponsePhase(this.#state);
		return this.#responsePhase;
	}

	get info(): ExchangeInfo {
		return this.#state.info;
	}

	/** The async context in which events are emitted; `undefined` if nobody listened to them when the exchange began. */
	get context(): AsyncContext | undefined {
		return this.#state.context;
	}

	get request(): SentRequest {
		return this.#state.request;
	}

	get settings(): ExchangeSettings {
		return this.#state.settings;
	}

	/** The key under which requests wait for each other. */
	get sharingKey(): string {
		return this.#state.sharingKey;
	}

	/** The request headers that `Vary` of the stored response names. */
	get variesBy(): readonly string[] | undefined {
		return this.#state.match.stored?.vary?.names;
	}

	/** Returns what to do after an event. A fault of the cache never fails the request, except with `failFast`: then `response` and `end` are answered once everything is written. */
	next(event: Event): MaybePromise<Action> {
		switch (event.type) {
			case 'begin': {
				return this.#decide(() => this.#request.begin(event));
			}

			case 'joined': {
				return this.#decide(() => this.#request.join(event.outcome));
			}

			case 'response': {
				this.#noteStatus(event.head.statusCode);
				return this.#response.afterWrites(this.#respond(event));
			}

			case 'end': {
				return this.#response.afterWrites(this.#response.end(event.body));
			}

			case 'discarded': {
				return this.#response.discard(event.reason, event.isByCaller ?? false);
			}

			case 'error': {
				return this.#response.fail(event);
			}

			case 'closed': {
				return this.#response.close(event.isByCaller ?? false);
			}

			default: {
				return event satisfies never;
			}
		}
	}

	/** Returns the stored response that answers the request at once, if it is fresh. Nothing has happened then: the exchange may begin, or serve it. */
	findFresh(): FreshMatch | undefined {
		return this.#request.findFresh();
	}

	/** Serves a fresh response, as after `begin`. */
	serveFresh(fresh: FreshMatch): ServeAction {
		return this.#request.serveFresh(fresh) as ServeAction;
	}

	/** Serves a stale response instead of an error, if the rules allow it. */
	serveStaleOnError(): RenderedResponse | undefined {
		return this.#response.serveStaleOnError();
	}

	/** Deletes the stored response that was found. */
	deleteStored(reason: string): MaybePromise<void> {
		return this.#response.deleteStored(reason);
	}

	/** Gives the member of `Cache-Status` that replaces the one of the `pass` action, if the response is stored against expectation, or is not. */
	watchStatus(watcher: StatusWatcher): void {
		this.#response.statusWatcher = watcher;
	}

	/** Notes that a chunk of the body has arrived. */
	progress(bytes: number): void {
		this.#state.inFlight?.progress(bytes);
	}

	/** Runs the code that sends the request. Requests that this code makes do not wait for this exchange. */
	run<Value>(action: () => Value): Value {
		const {inFlight} = this.#state;
		return inFlight === undefined ? action() : inFlight.run(action);
	}

	/** Notes whether the origin rejected the credentials. Until it accepts them, the entry is refreshed in the foreground only, where the hooks of a client may get other credentials. */
	#noteStatus(statusCode: number): void {
		const {key, cache: {rejectedKeys}} = this.#state;
		if (key === undefined) {
			return;
		}

		rejectedKeys.delete(key);
		if (!rejectsCredentials(statusCode)) {
			return;
		}

		rejectedKeys.add(key);
		if (rejectedKeys.size > maxRejectedKeys) {
			rejectedKeys.delete(rejectedKeys.values().next().value!);
		}
	}

	#respond(event: Extract<Event, {type: 'response'}>): Action {
		try {
			return this.#response.respond(event);
		} catch (error) {
			return this.#giveUp(error);
		}
	}

	#decide(decide: () => MaybePromise<Action>): MaybePromise<Action> {
		const action = recover(decide, error => this.#bypass(error));
		return action instanceof Promise ? action.then(decided => this.#noteTime(decided)) : this.#noteTime(action);
	}

	/** Notes when the request is sent: a lookup or a wait may have taken time. */
	#noteTime(action: Action): Action {
		if (action.do === 'send') {
			this.#state.noteSendTime();
		}

		return action;
	}

	/**
	Reports a fault of a user's function, and sends the request without the cache.

	@throws The error, if it fails the request.
	*/
	#bypass(error: unknown): MaybePromise<Action> {
		const {settings, settings: {failFast, recording}, cache} = this.#state;
		if (failFast || recording.failsWithoutRecording || isRefusal(error)) {
			void this.next({type: 'closed'});
			if (error instanceof NotRecordedError && error.cause === undefined) {
				return rejectWithNearest(this.#state);
			}

			throw error;
		}

		cache.events.emit('settingError', {setting: settingOfKey(error, settings), error});
		// Other requests may wait for this one.
		this.#response.close(false);
		return this.#request.bypass();
	}

	/** Reports a fault of this library, and gives the caller the origin's response. */
	#giveUp(error: unknown): Action {
		this.#state.cache.events.emit('internalError', {error});
		this.#response.close(false);
		return {
			do: 'pass', status: undefined, collects: false, awaitsRetries: false,
		};
	}
}
