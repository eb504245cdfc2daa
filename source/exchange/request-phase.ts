import {
	noMatch,
	unread,
	type Match,
	type NoMatch,
} from '../cache/entries.ts';
import {CacheHooksError, describeFault, NotRecordedError} from '../errors.ts';
import {identify} from '../identity/identify.ts';
import {
	settledInTime,
	then,
	withinTime,
	type MaybePromise,
} from '../maybe-promise.ts';
import type {StoredResponse} from '../entry/stored-response.ts';
import {callMethod, mayCollapse} from '../policy/facts.ts';
import type {RequestDecision} from '../policy/types.ts';
import {
	onLookup,
	onRefusedKey,
	onRequest,
	type Found,
	type FinalDecision,
} from '../policy/request-rules.ts';
import type {InFlight} from './in-flight.ts';
import type {WaitOutcome} from './waiter.ts';
import {sendWithLock} from './lock.ts';
import {reportSharedRecording} from './recorded-credentials.ts';
import {networkRefusal, networkRefusals} from './scope.ts';
import type {ExchangeSettings} from './settings.ts';
import {Sharing} from './sharing.ts';
import {
	answersMethod,
	factsOf,
	findStored,
	type ExchangeState,
} from './state.ts';
import {TimeBudget} from './time-budget.ts';
import type {
	Action,
	Event,
	Redirects,
	RenderedResponse,
} from './exchange.ts';

export type RequestPhaseOptions = {
	/** The settings of the client, without those of the request. */
	readonly clientSettings: ExchangeSettings;
	readonly redirects: Redirects | undefined;

	/** Serves a stale response instead of an error, if the rules allow it. */
	readonly serveStaleOnError: () => RenderedResponse | undefined;

	/** Deletes the stored response that was found. */
	readonly deleteStored: (reason: string) => MaybePromise<void>;
};

type BeginEvent = Extract<Event, {readonly type: 'begin'}>;

/** A stored response that is fresh, and the decision to serve it. */
export type FreshMatch = {
	readonly key: string;
	readonly match: Match;
	readonly decision: FinalDecision;
};

/** The result if making the key takes longer than the request may wait. */
const timedOut = Symbol('timed out');

/** The phase of an exchange before the origin responds. It decides whether to serve a stored response, to send the request, or to wait for another request. */
export class RequestPhase {
	readonly #state: ExchangeState;
	readonly #options: RequestPhaseOptions;
	readonly #start = performance.now();
	#timeBudget: TimeBudget | undefined;

	/** The action to take if no other request has a response for this one. */
	#pending: Action | undefined;
	#redirect: Found['redirect'];

	constructor(state: ExchangeState, options: RequestPhaseOptions) {
		this.#state = state;
		this.#options = options;
	}

	get #sharing(): Sharing<Match> {
		return Sharing.of(this.#state.cache);
	}

	/** The time budget, which most hits do not need. */
	get #budget(): TimeBudget {
		const {storeTimeout, failFast, singleFlight, recording} = this.#state.settings;
		const forStore = failFast || recording.waitsForStore ? Infinity : storeTimeout;
		this.#timeBudget ??= new TimeBudget({store: forStore, total: singleFlight === false ? Infinity : singleFlight.maxWait}, this.#sharing.clock, this.#start);
		return this.#timeBudget;
	}

	/** Decides what to do with the request. */
	begin(event: BeginEvent): MaybePromise<Action> {
		const {facts, identity, settings} = this.#state;
		const decision = onRequest(facts);
		if (decision.do !== 'lookup' && decision.do !== 'send') {
			return this.#checked(this.#execute(decision));
		}

		const created = identity.key(settings.secret);
		if (created instanceof Promise) {
			const timed = withinTime<string | typeof timedOut | undefined>(created.then(key => this.#checkedKey(key, event)), this.#budget.totalLeft, timedOut);
			return timed.then(key => key === timedOut ? this.bypass() : this.#continue(key, decision, event));
		}

		return this.#continue(this.#checkedKey(created, event), decision, event);
	}

	#checkedKey(key: string | undefined, {retriedKey}: BeginEvent): string | undefined {
		const {settings, cache} = this.#state;
		const checked = settings.keyFn === undefined ? key : cache.checkedKey(key);
		return checked === undefined || settings.recording.allowsRepeats ? checked : cache.numberedKey(checked, retriedKey);
	}

	/** Decides what to do once the key is known. */
	#continue(key: string | undefined, decision: Exclude<RequestDecision, {readonly do: 'pass' | 'fail' | 'serve'}>, {areRetriesUsed = false, inFlight}: BeginEvent): MaybePromise<Action> {
		if (key === undefined) {
			return this.#checked(this.#execute(onRefusedKey(this.#state.facts)));
		}

		this.#state.key = key;
		this.#state.updateInfo({key});
		if (this.#state.settings.recording.reportsSharedCredentials) {
			reportSharedRecording(this.#state.cache, this.#state.settings, this.#state.request, key);
		}

		const action = decision.do === 'lookup' ? this.#lookup(areRetriesUsed) : this.#execute(decision);
		return action instanceof Promise ? action.then(next => this.#share(this.#checked(next), inFlight)) : this.#share(this.#checked(action), inFlight);
	}

	/** Returns the stored response that answers the request as a whole, if that is fresh and the store has it at once. Changes nothing, so that the request may begin all the same. */
	findFresh(): FreshMatch | undefined {
		const {facts, identity, settings, request, cache} = this.#state;
		const {recording, filterFn, keyFn, partitionBy} = settings;
		// A function of the user is called once for each request.
		const callsUser = filterFn !== undefined || keyFn !== undefined || typeof partitionBy === 'function';
		if (callsUser || !recording.allowsFastHits || onRequest(facts).do !== 'lookup') {
			return undefined;
		}

		const key = settled(identity.key(settings.secret));
		const match = key === undefined ? undefined : settled(findStored(key, request, settings, cache));
		if (match?.stored === undefined) {
			return undefined;
		}

		const decision = onLookup(facts, {stored: match.stored}, settings.now());
		return decision.do === 'serve' && decision.reason === 'fresh' && decision.view.kind === 'whole' ? {key: key!, match, decision} : undefined;
	}

	/** Serves what `findFresh` returned, as `begin` would. */
	serveFresh({key, match, decision}: FreshMatch): Action {
		this.#state.key = key;
		this.#state.updateInfo({key});
		this.#state.match = match;
		return this.#checked(this.#execute(decision));
	}

	/** Decides what to do once the wait for another request has ended. */
	join(outcome: WaitOutcome<Match>): MaybePromise<Action> {
		switch (outcome.do) {
			case 'reuse': {
				return this.#reuse(outcome.result);
			}

			case 'send-shared': {
				return this.#sendShared(outcome.inFlight, this.#pending!);
			}

			case 'send-alone': {
				return this.#pending!;
			}

			default: {
				return outcome satisfies never;
			}
		}
	}

	/** Sends the request without the cache. */
	bypass(): Action {
		return this.#checked(this.#execute({do: 'pass', reason: 'error'}));
	}

	/**
	Makes the request wait for another one, or others for it.

	@param refresh - The entry of a refresh, which waits for no other request.
	*/
	#share(action: Action, refresh: InFlight<Match> | undefined): MaybePromise<Action> {
		const {facts, key, settings, request, match, sharingKey, sent, cache} = this.#state;
		if (refresh !== undefined) {
			this.#attach(refresh);
			return action;
		}

		if (key === undefined || action.do !== 'send' || settings.singleFlight === false || !mayCollapse(facts, sent!.reason)) {
			return action;
		}

		const joined = this.#sharing.join(sharingKey, {
			fields: request.fields,
			names: match.stored?.vary?.names,
			budget: () => this.#budget,
			position: cache.journal.last,
			settings: this.#options.clientSettings,
		});
		this.#pending = action;
		return joined.do === 'wait' ? joined : this.join(joined);
	}

	/** Makes others wait for this request from now on, and sends it, unless a response that was stored meanwhile answers it. */
	#sendShared(inFlight: InFlight<Match>, action: Action): MaybePromise<Action> {
		const {sharingKey} = this.#state;
		this.#attach(inFlight);
		const current = this.#sharing.hasResolvedSince(sharingKey, this.#start) ? this.#lookUpAgain() : action;
		return current instanceof Promise ? this.#sendUnlessServedLater(current, inFlight) : this.#sendUnlessServed(current, inFlight);
	}

	async #sendUnlessServedLater(deciding: Promise<Action>, inFlight: InFlight<Match>): Promise<Action> {
		return this.#sendUnlessServed(await deciding, inFlight);
	}

	#sendUnlessServed(action: Action, inFlight: InFlight<Match>): MaybePromise<Action> {
		if (action.do !== 'send') {
			this.#resolve();
			return action;
		}

		const {match, cache} = this.#state;
		return cache.locks.isOn && !(match.stored === undefined && match.isUnread === true) ? this.#sendWithLock(action, inFlight) : action;
	}

	#sendWithLock(action: Action, inFlight: InFlight<Match>): MaybePromise<Action> {
		return sendWithLock(action, {
			cache: this.#state.cache,
			key: this.#state.key!,
			inFlight,
			budget: this.#budget,
			lookUpAgain: () => then(this.#lookUpAgain(), found => {
				if (found.do === 'serve') {
					this.#resolve();
				}

				return found;
			}),
		});
	}

	/** Makes others wait for the response of this exchange, except for requests after an invalidation that concerns it. */
	#attach(inFlight: InFlight<Match>): void {
		const {cache} = this.#state;
		this.#state.inFlight = inFlight;
		const isOutdated = (): boolean => {
			const {sent, expectedSubject} = this.#state;
			return sent !== undefined && cache.journal.concerns(expectedSubject, sent.position);
		};

		inFlight.isOutdated = isOutdated;
	}

	/** Resolves the wait of other requests with the stored response. */
	#resolve(): void {
		const match = this.#state.match as Match;
		this.#state.inFlight?.resolve(match, match.stored.fields);
	}

	/** Decides once more, with the response to another request. */
	#reuse(match: Match): MaybePromise<Action> {
		const {request, sharingKey, settings} = this.#state;
		const {clientSettings} = this.#options;
		this.#state.updateInfo({collapsed: true});
		return then(this.#use(answersMethod(match.stored, request) ? match : noMatch, false), action => {
			if (action.do !== 'send') {
				return action;
			}

			this.#state.updateInfo({collapsed: false});
			// Where the settings of the client refuse the response, its other requests need not wait for such a response either.
			const facts = factsOf(request, identify(request, clientSettings), clientSettings);
			if (onLookup(facts, {stored: match.stored}, settings.now()).do === 'send') {
				this.#sharing.refuse(sharingKey, clientSettings);
			}

			return action;
		});
	}

	/** Decides once more, with what is stored now: another request may have stored a response meanwhile. */
	#lookUpAgain(): MaybePromise<Action> {
		const reason = this.#state.sent?.reason;
		return then(this.#lookup(false), action => {
			// The response that the filter refused has been deleted: that is still why there is none.
			if (reason === 'filtered' && this.#state.sent?.reason === 'miss') {
				this.#state.changeReason(reason);
			}

			return action;
		});
	}

	#lookup(areRetriesUsed: boolean): MaybePromise<Action> {
		const {key, request, settings, cache} = this.#state;
		const found = findStored(key!, request, settings, cache);
		return found instanceof Promise
			? settledInTime<Match | NoMatch, Action>(found, this.#budget.left, {
				onValue: inTime => this.#use(inTime, areRetriesUsed), onTimeout: () => this.#use(unread, areRetriesUsed),
			})
			: this.#use(found, areRetriesUsed);
	}

	#use(found: Match | NoMatch, areRetriesUsed: boolean): MaybePromise<Action> {
		this.#state.match = found;
		this.#redirect = undefined;
		if (found.stored === undefined) {
			return this.#decide(areRetriesUsed);
		}

		const isAccepted = this.#state.accepts(found.stored);
		return isAccepted instanceof Promise
			? isAccepted.then(accepted => this.#useIfAccepted(accepted, found.stored, areRetriesUsed))
			: this.#useIfAccepted(isAccepted, found.stored, areRetriesUsed);
	}

	#useIfAccepted(isAccepted: boolean, stored: StoredResponse, areRetriesUsed: boolean): MaybePromise<Action> {
		if (!isAccepted) {
			return this.#filter();
		}

		const redirect = this.#checkRedirect(stored);
		return redirect instanceof Promise ? redirect.then(known => this.#follow(known, areRetriesUsed)) : this.#follow(redirect, areRetriesUsed);
	}

	#follow(redirect: Found['redirect'], areRetriesUsed: boolean): Action {
		this.#redirect = redirect;
		const action = this.#decide(areRetriesUsed && redirect === undefined);
		if (redirect !== undefined && action.do === 'send') {
			// A redirect that must not be used must not be served instead of an error either.
			this.#state.match = noMatch;
		}

		return action;
	}

	/** Returns why a stored redirect must not be used; `undefined` if it may. A cookie jar that takes too long counts as one without its cookies. */
	#checkRedirect(stored: StoredResponse): MaybePromise<Found['redirect']> {
		const redirect = this.#options.redirects?.check(stored);
		return redirect instanceof Promise ? withinTime<Found['redirect']>(redirect, this.#budget.left, 'cookie') : redirect;
	}

	#decide(areRetriesUsed: boolean): Action {
		const {facts, match: {stored}, settings, key, cache} = this.#state;
		const response = areRetriesUsed ? this.#options.serveStaleOnError() : undefined;
		return response === undefined
			? this.#execute(onLookup(facts, {stored, redirect: this.#redirect, mayRefresh: () => !cache.rejectedKeys.has(key!)}, settings.now()))
			: {do: 'serve', response, refreshes: false};
	}

	/** Deletes the response that the filter refuses, and decides as if it were not stored. */
	#filter(): MaybePromise<Action> {
		const {facts, settings} = this.#state;
		return then(this.#options.deleteStored('filtered'), () => {
			this.#state.match = noMatch;
			const decision = onLookup(facts, {stored: undefined}, settings.now());
			return this.#execute(decision.do === 'send' ? {...decision, reason: 'filtered'} : decision);
		});
	}

	#execute(decision: FinalDecision): Action {
		switch (decision.do) {
			case 'serve': {
				this.#state.end();
				return {do: 'serve', response: this.#state.serve(decision.reason, decision.view), refreshes: decision.then === 'revalidate' && networkRefusals.getStore() === undefined};
			}

			case 'send': {
				this.#state.startSending(decision.reason, Object.keys(decision.validators).length > 0);
				return {do: 'send', validators: decision.validators};
			}

			case 'pass': {
				this.#state.key = undefined;
				this.#state.startSending(decision.reason, false, decision.storeAs);
				this.#state.updateInfo({stored: decision.reason});
				return {do: 'send', validators: {}};
			}

			case 'fail': {
				this.#state.end();
				return {do: 'serve', response: this.#state.fail(decision.reason, 'Not Cached'), refreshes: false};
			}

			default: {
				return decision satisfies never;
			}
		}
	}

	/**
	Checks that the mode and `withoutNetwork` allow an action.

	@throws {NotRecordedError} In a replay, where no response is recorded.
	@throws {CacheHooksError} `ERR_NO_NETWORK` inside `withoutNetwork`, if the request would be sent.
	*/
	#checked(action: Action): Action {
		const {settings, request: {method}} = this.#state;
		if (settings.recording.failsWithoutRecording && !(action.do === 'serve' && action.response.fromCache)) {
			const {cache, match} = this.#state;
			if (match.stored === undefined && match.isUnread === true) {
				throw new NotRecordedError(method, this.#state.redactedUrl, `The recordings cannot be read: ${describeFault(cache.lastFault)}`, {cause: cache.lastFault});
			}

			throw new NotRecordedError(method, this.#state.redactedUrl);
		}

		// A decorated call is no request. The requests that its function makes are refused.
		if (method !== callMethod && action.do === 'send' && networkRefusals.getStore() === true) {
			throw networkRefusal(method, this.#state.redactedUrl, this.#state.info.reason);
		}

		return action;
	}
}

/** Returns a value that is there at once; `undefined` for a promise, whose outcome is ignored. */
function settled<T>(value: MaybePromise<T>): T | undefined {
	if (!(value instanceof Promise)) {
		return value;
	}

	value.catch(() => undefined);
	return undefined;
}

/** Whether an error means that the request must not be sent. */
export function isRefusal(error: unknown): boolean {
	return error instanceof NotRecordedError || (error instanceof CacheHooksError && error.code === 'ERR_NO_NETWORK');
}
