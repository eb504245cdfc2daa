import {freshenResponse, splitUpdate, type ReceivedResponse} from '../cache/compose-response.ts';
import type {Match} from '../cache/entries.ts';
import {classifyName} from '../identity/credentials.ts';
import {exposesCredential} from '../identity/stored-request.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import {
	type Body,
	bodyLength,
	fieldsOf,
	type StoredResponse,
} from '../entry/stored-response.ts';
import {isTemporaryStatus} from '../policy/facts.ts';
import {fieldValue, tagsOf, type Fields} from '../policy/fields.ts';
import type {
	Reason,
	ResponseDecision,
	StorageTerms,
	WriteReason,
} from '../policy/types.ts';
import {onError, onResponse} from '../policy/response-rules.ts';
import {contentLength, isComplete} from '../policy/response-facts.ts';
import {policySource, type ExchangeState} from './state.ts';
import type {Ending, InFlight} from './in-flight.ts';
import type {
	Action,
	Event,
	IncomingHead,
	RenderedResponse,
	StatusWatcher,
} from './exchange.ts';
import {ExchangeWrites, type WriteListener} from './writes.ts';

const done: Action = {do: 'done', awaitsRetries: false};

/** The phase of an exchange that begins with the origin's response, or with its failure. It decides what the caller gets and what is stored. */
export class ResponsePhase implements WriteListener {
	readonly #state: ExchangeState;
	readonly #writes: ExchangeWrites;
	#isResent = false;

	/** Whether the caller has a response. A later error does not replace it by a stale one. */
	#isAnswered = false;
	#received: (ReceivedResponse & {took?: number}) | undefined;

	/** Whether the caller may read that the response is stored: once it is, and before that if the store is expected to take it. */
	#isShownAsStored = false;

	/** Gets the member of `Cache-Status` that replaces the one that was given, if the response is stored against expectation, or is not. */
	statusWatcher: StatusWatcher | undefined;
	#fields: Fields = {};

	constructor(state: ExchangeState) {
		this.#state = state;
		this.#writes = new ExchangeWrites(state, this);
	}

	onRefused(reason: Reason): void {
		this.#state.inFlight?.end('refused');
		this.#refuse(reason);
	}

	onUnstored(reason: WriteReason): void {
		this.#refuse(reason);
	}

	onStored(reason: 'stored' | 'revalidated'): void {
		// What became of a 304 is no part of the answer, which is the freshened response.
		if (reason !== 'stored') {
			return;
		}

		this.#state.updateInfo({stored: 'stored'});
		this.#showStored(true);
	}

	/** With `failFast`, waits until everything is written; otherwise returns at once. */
	whenWritten(): MaybePromise<void> {
		return this.#writes.whenWritten();
	}

	/** Returns an action: with `failFast`, once everything is written. */
	afterWrites(action: Action): MaybePromise<Action> {
		const writing = this.whenWritten();
		return writing instanceof Promise ? writing.then(() => action) : action;
	}

	/** Deletes the stored response that was found. With `failFast`, waits for that. */
	deleteStored(reason: string): MaybePromise<void> {
		this.#writes.deleteStored(reason);
		return this.whenWritten();
	}

	/** Decides what to do with the origin's response. */
	respond(event: Extract<Event, {type: 'response'}>): Action {
		const action = this.#respond(event);
		this.#isAnswered = action.do !== 'resend';
		return action;
	}

	#respond({head, mayRetry = false}: Extract<Event, {type: 'response'}>): Action {
		const {sent, key, settings, facts, match, request} = this.#state;
		this.#state.statusCode = head.statusCode;
		this.#fields = fieldsOf(head.rawHeaders);
		const response = {statusCode: head.statusCode, fields: this.#fields};
		this.#invalidate(response);
		if (sent === undefined || (key === undefined && sent.storeAs === undefined)) {
			this.#state.reportForwarded();
			this.#state.end();
			return this.#pass(head);
		}

		const times = {requested: sent.time, received: settings.now(), random: Math.random()};
		const decision = onResponse(facts, response, {
			stored: match.stored,
			conditional: sent.conditional,
			storeAs: sent.storeAs,
			retries: mayRetry,
			isResent: this.#isResent,
			exposesCredential: exposesCredential(response.fields, request.targetUrl, settings.ignoredParameters),
		}, times);
		return this.#execute(decision, head, times.received);
	}

	/** Decides what to do if no response comes. */
	fail({error, isByCaller = false, mayRetry = false}: Omit<Extract<Event, {type: 'error'}>, 'type'>): Action {
		this.close(isByCaller);
		if (this.#isAnswered) {
			return done;
		}

		this.#state.statusCode = undefined;
		this.#state.failure = error;
		const decision = this.#onError(mayRetry);
		const response = this.#responseTo(decision);
		if (response !== undefined) {
			return served(response);
		}

		if (decision !== undefined) {
			this.#state.updateInfo({stored: decision.reason});
		}

		this.#state.reportForwarded();
		return {do: 'done', awaitsRetries: decision?.do === 'pass' && decision.awaitsRetries === true};
	}

	/** Serves a stale response or a 504 instead of an error, if the rules allow it. */
	serveStaleOnError(): RenderedResponse | undefined {
		return this.#responseTo(this.#onError(false));
	}

	/** Stores the response, if its body is complete. */
	end(body: Body): Action {
		const {request, settings, sent, mayStore} = this.#state;
		if (!mayStore) {
			return done;
		}

		const received = this.#received!;
		const length = bodyLength(body);
		if (!isComplete(request.method, {statusCode: received.head.statusCode, fields: this.#fields}, length)) {
			return this.discard('incomplete', false);
		}

		if (this.#isShownAsStored && this.#state.isStorageExpected(length)) {
			this.#state.updateInfo({stored: 'stored'});
		} else {
			this.#show(false);
		}

		received.took = settings.now() - sent!.time;
		this.#writes.store(received, {body, fields: this.#fields});
		return done;
	}

	/** Notes that the body is not stored, and why. */
	discard(reason: WriteReason, isByCaller: boolean): Action {
		this.#refuse(reason);
		this.#end(reason === 'too-large' ? 'refused' : failureOf(isByCaller));
		return done;
	}

	/** Reports everywhere that the response is not stored. */
	#refuse(reason: Reason): void {
		const {fromCache} = this.#state.info;
		this.#state.reportRefused(reason);
		this.#state.updateInfo({stored: reason, ...(!fromCache && {expires: undefined, createdAt: undefined})});
		this.#showStored(false);
	}

	/** Shows whether the response is stored, for good. */
	#showStored(isStored: boolean): void {
		this.#show(isStored);
		this.statusWatcher = undefined;
	}

	/** Corrects what the driver has shown of the response. */
	#show(isStored: boolean): void {
		if (isStored === this.#isShownAsStored || this.#received === undefined) {
			return;
		}

		this.#isShownAsStored = isStored;
		this.statusWatcher?.replaceStatus(this.#state.status(this.#received.head.statusCode, isStored));
	}

	/** Ends the exchange, unless a write has begun: the write then ends it. */
	close(isByCaller: boolean): Action {
		if (!this.#writes.hasBegun) {
			this.#end(failureOf(isByCaller));
		}

		return done;
	}

	/** Ends the exchange, and the wait of the requests that wait for it. */
	#end(ending: Ending): void {
		this.#state.inFlight?.end(ending);
		this.#state.end();
	}

	#onError(mayRetry: boolean): ResponseDecision | undefined {
		const {key, facts, match, settings} = this.#state;
		return key === undefined ? undefined : onError(facts, {stored: match.stored, retries: mayRetry}, settings.now());
	}

	#responseTo(decision: ResponseDecision | undefined): RenderedResponse | undefined {
		if (decision?.do === 'serve') {
			return this.#state.serve(decision.reason, decision.view);
		}

		return decision?.do === 'fail' ? this.#state.fail(decision.reason, 'Gateway Timeout') : undefined;
	}

	/** Invalidates what an unsafe request may have changed. This does not concern the request's own response, unless another request has invalidated that as well. */
	#invalidate(response: {readonly statusCode: number; readonly fields: Fields}): void {
		const {sent, cache} = this.#state;
		const wasChanged = sent !== undefined && cache.journal.concerns(this.#state.subject, sent.position);
		const hasInvalidated = this.#writes.invalidate(response);
		if (sent !== undefined && !wasChanged && hasInvalidated) {
			this.#state.advance();
		}
	}

	#execute(decision: ResponseDecision, head: IncomingHead, received: number): Action {
		switch (decision.do) {
			case 'pass': {
				return this.#forward(decision, head, received);
			}

			case 'resend': {
				this.#isResent = true;
				return {do: 'resend'};
			}

			case 'fail': {
				this.#end('failed');
				return served(this.#state.fail(decision.reason, 'Gateway Timeout'));
			}

			case 'serve': {
				this.#end('failed');
				return served(this.#state.serve(decision.reason, decision.view, head.statusCode));
			}

			case 'store': {
				return this.#collect(decision, head, received);
			}

			case 'freshen': {
				return served(this.#freshen(decision, head, received));
			}

			default: {
				return decision satisfies never;
			}
		}
	}

	/** Gives the caller the origin's response without storing it. */
	#forward(decision: Extract<ResponseDecision, {do: 'pass'}>, head: IncomingHead, received: number): Action {
		this.#state.inFlight?.end(isTemporaryStatus(head.statusCode) ? 'failed' : 'refused');
		this.#state.updateInfo({stored: decision.reason});
		this.#state.reportForwarded();
		this.#state.reportRefused(decision.reason);
		if (decision.stored === undefined || decision.stored === 'delete') {
			this.#state.end();
		}

		if (decision.stored === 'delete') {
			this.#writes.deleteStored(decision.reason);
		} else if (decision.stored !== undefined) {
			this.#writes.replaceStored(this.#freshened(head, received, decision.stored));
		}

		return {...this.#pass(head), awaitsRetries: decision.awaitsRetries === true};
	}

	/** Gives the caller the origin's response, and asks the driver for its body. */
	#collect(decision: Extract<ResponseDecision, {do: 'store'}>, head: IncomingHead, received: number): Action {
		const {request, settings, sent, inFlight} = this.#state;
		const announced = contentLength(this.#fields);
		const length = request.method === 'HEAD' || Number.isNaN(announced) ? undefined : announced;
		this.#state.receivedTags = tagsOf(this.#fields);
		this.#state.reportForwarded();
		if (length !== undefined && length > settings.maxEntryBytes) {
			this.discard('too-large', false);
			return this.#pass(head);
		}

		const isEndless = (fieldValue(this.#fields, 'content-type') ?? '').trim().toLowerCase().startsWith('text/event-stream');
		if (isEndless) {
			inFlight?.end('released');
		} else {
			inFlight?.respond(this.#fields, request.method === 'HEAD' ? 0 : length);
		}

		this.#isShownAsStored = this.#state.isStorageExpected(length ?? 0);
		this.#state.updateInfo({createdAt: received, expires: decision.expires});
		this.#received = {
			method: sent!.storeAs ?? request.method,
			url: request.targetUrl,
			// The caller may change its headers before the body has arrived.
			head: {...head, rawHeaders: [...head.rawHeaders]},
			received,
			terms: settings.recording.variesByContent ? {...decision, vary: decision.vary.filter(name => variesRecordings(name))} : decision,
			decidedBy: policySource(settings),
			ignored: settings.ignoredParameters,
			storeSetCookie: settings.storeSetCookie,
		};
		return this.#pass(head, true);
	}

	#pass({statusCode}: IncomingHead, collects = false): Extract<Action, {do: 'pass'}> {
		return {
			do: 'pass', status: this.#state.status(statusCode, collects && this.#isShownAsStored), collects, awaitsRetries: false,
		};
	}

	#freshen(decision: Extract<ResponseDecision, {do: 'freshen'}>, head: IncomingHead, received: number): RenderedResponse {
		const {effect, view, reason} = decision;
		const {request, settings} = this.#state;
		const {storable, own} = splitUpdate(head.rawHeaders, request.targetUrl, settings);
		if (effect === 'delete') {
			this.#writes.deleteStored('revalidated');
		}

		if (effect !== 'keep') {
			const freshened = freshenResponse((this.#state.match as Match).stored, storable, received, decision);
			this.#state.match = {...this.#state.match as Match, stored: freshened};
			if (effect === 'store') {
				this.#writes.replaceStored(freshened);
			}
		}

		if (effect !== 'store') {
			this.#end('refused');
		}

		this.#state.updateInfo({revalidated: true});
		// The lines that are not stored are for this caller only.
		return this.#state.serve(reason, view, head.statusCode, own);
	}

	#freshened(head: IncomingHead, received: number, terms: StorageTerms): StoredResponse {
		const {request, settings, match} = this.#state;
		const {storable} = splitUpdate(head.rawHeaders, request.targetUrl, settings);
		return freshenResponse((match as Match).stored, storable, received, terms);
	}

	/** Resolves the wait of other requests with the response, except for those that began after an invalidation which concerns it. */
	onComposed(stored: StoredResponse): MaybePromise<void> {
		const {inFlight, key} = this.#state;
		if (inFlight === undefined) {
			return undefined;
		}

		const result = {primary: key!, key: key!, stored};
		if (inFlight.hasWaiters) {
			return this.#resolve(inFlight, result);
		}

		inFlight.resolve(result, stored.fields);
		return undefined;
	}

	#resolve(inFlight: InFlight<Match>, result: Match): MaybePromise<void> {
		const {cache, sent} = this.#state;
		const {stored} = result;
		const {position} = sent!;
		const named = this.#state.subjectWith(stored.tags ?? []);
		return then(cache.hasChangedElsewhere(named, position), hasChanged => {
			inFlight.resolve(result, stored.fields, waiter => !hasChanged && !cache.journal.concerns(named, position, waiter.position));
		});
	}
}

/** Whether a recording varies by a request header that its `Vary` names. Whether credentials count is up to `partitionBy`, and the others depend on the versions of Node.js and Got, which change from one machine to the next. */
function variesRecordings(name: string): boolean {
	return !ofProgram.has(name) && classifyName(name) === 'plain';
}

const ofProgram = new Set(['accept-encoding', 'user-agent']);

function failureOf(isByCaller: boolean): Ending {
	return isByCaller ? 'abandoned' : 'failed';
}

function served(response: RenderedResponse): Action {
	return {do: 'serve', response, refreshes: false};
}
