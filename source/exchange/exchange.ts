import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import {rejectsCredentials} from '../policy/response-facts.ts';
import type {Client} from './client.ts';
import {isRefusal, RequestPhase} from './request-phase.ts';
import {ResponsePhase} from './response-phase.ts';
import {settingOfKey, type ExchangeSettings} from './settings.ts';
import {ExchangeState} from './state.ts';
import type {
	Action,
	Event,
	ExchangeInfo,
	Redirects,
	SentRequest,
} from './types.ts';

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
				this.#state.resend({time: this.#state.settings.now()});
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

			cache.events.emit('settingError', {setting: settingOfKey(this.#state.settings), error});
			// Other requests may wait for this one.
			this.#response.release(false);
			return this.#request.bypass();
		});
	}

	/** Reports a fault of this library, and passes the origin's response on. */
	#giveUp(error: unknown): Action {
		this.#state.cache.events.emit('internalError', {error});
		this.#response.release(false);
		return {
			do: 'pass', status: undefined, collects: false, awaitsRetries: false,
		};
	}
}
