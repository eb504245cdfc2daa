import {freshenResponse, splitUpdate, type ReceivedResponse} from '../cache/compose-response.ts';
import type {Match} from '../cache/entries.ts';
import {exposesCredential} from '../identity/stored-request.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import {fieldsOf, type StoredResponse} from '../entry/stored-response.ts';
import {isTemporaryStatus} from '../policy/facts.ts';
import {fieldValue, tagsOf, type Fields} from '../policy/fields.ts';
import type {WriteReason, ResponseDecision, StorageTerms} from '../policy/types.ts';
import {onError, onResponse} from '../policy/response-rules.ts';
import {isWhole} from '../policy/storing.ts';
import {policySource} from './lookup.ts';
import type {ExchangeState} from './state.ts';
import type {
	Action,
	Event,
	IncomingHead,
	RenderedResponse,
} from './types.ts';
import {ExchangeWrites} from './writes.ts';

const done: Action = {do: 'done', awaitsRetries: false};

/**
The part of an exchange that begins with the origin's response, or with its failure. It decides what the caller gets and what is stored.
*/
export class ResponsePhase {
	readonly #state: ExchangeState;
	readonly #writes: ExchangeWrites;
	#isResent = false;

	/** Whether the caller has an answer: an error from then on needs no stand-in. */
	#isAnswered = false;
	#received: ReceivedResponse | undefined;
	#fields: Fields = {};

	constructor(state: ExchangeState) {
		this.#state = state;
		this.#writes = new ExchangeWrites(state, {
			onRefused(reason) {
				state.inFlight?.refuse();
				state.refuse(reason);
				state.tell({stored: reason});
			},
			onComposed: stored => this.#resolve(stored),
		});
	}

	/** Resolves when everything is written; at once without `failFast`. */
	confirm(): MaybePromise<void> {
		return this.#writes.confirm();
	}

	/** Deletes what was found; waited for with `failFast`. */
	drop(reason: string): MaybePromise<void> {
		this.#writes.drop(reason);
		return this.confirm();
	}

	/** Decides what to do with the origin's response. */
	respond(event: Extract<Event, {type: 'response'}>): Action {
		const action = this.#respond(event);
		this.#isAnswered = action.do !== 'resend';
		return action;
	}

	#respond({head, mayRetry = false}: Extract<Event, {type: 'response'}>): Action {
		const {sent, key, settings, facts, match, request} = this.#state;
		this.#fields = fieldsOf(head.rawHeaders);
		const response = {statusCode: head.statusCode, fields: this.#fields};
		this.#invalidate(response);
		if (sent === undefined || (key === undefined && sent.storesFor === undefined)) {
			this.#state.passOn();
			this.#state.end();
			return this.#pass(head);
		}

		const times = {requested: sent.time, received: settings.now(), random: Math.random()};
		const decision = onResponse(facts, response, {
			stored: match.stored,
			conditional: sent.conditional,
			storesFor: sent.storesFor,
			retries: mayRetry,
			isResent: this.#isResent,
			exposesCredential: exposesCredential(response.fields, request.targetUrl, settings.ignoredParameters),
		}, times);
		return this.#execute(decision, head, times.received);
	}

	/** Decides what to do where no response came. */
	fail({isOwn = false, mayRetry = false}: Omit<Extract<Event, {type: 'error'}>, 'type'>): Action {
		this.release(isOwn);
		if (this.#isAnswered) {
			return done;
		}

		const decision = this.#onError(mayRetry);
		const response = this.#standIn(decision);
		if (response !== undefined) {
			return served(response);
		}

		if (decision !== undefined) {
			this.#state.tell({stored: decision.reason});
		}

		this.#state.passOn();
		return {do: 'done', awaitsRetries: decision?.do === 'pass' && decision.awaitsRetries === true};
	}

	/** A stale response that stands in for the origin, or a 504, if one may. */
	standIn(): RenderedResponse | undefined {
		return this.#standIn(this.#onError(false));
	}

	/** Stores the response, if its body is whole. */
	end(body: Uint8Array): Action {
		const {request, settings, sent, isUnderWay} = this.#state;
		if (!isUnderWay) {
			return done;
		}

		const received = this.#received!;
		if (!isWhole(request.method, {statusCode: received.head.statusCode, fields: this.#fields}, body.byteLength)) {
			return this.cut('incomplete', false);
		}

		this.#state.tell({stored: 'stored'});
		this.#writes.store({...received, took: settings.now() - sent!.time}, {body, fields: this.#fields});
		return done;
	}

	/** Notes that the body will not be stored, and why. */
	cut(reason: WriteReason, isOwn: boolean): Action {
		this.#state.refuse(reason);
		if (reason === 'too-large') {
			this.#state.inFlight?.refuse();
		} else {
			this.#release(isOwn);
		}

		this.#state.end();
		this.#state.tell({stored: reason, expires: undefined, createdAt: undefined});
		return done;
	}

	/** Ends the exchange, since nothing else follows. A write that has begun ends it by itself. */
	release(isOwn: boolean): Action {
		if (!this.#writes.hasBegun) {
			this.#release(isOwn);
			this.#state.end();
		}

		return done;
	}

	#onError(mayRetry: boolean): ResponseDecision | undefined {
		const {key, facts, match, settings} = this.#state;
		return key === undefined ? undefined : onError(facts, {stored: match.stored, retries: mayRetry}, settings.now());
	}

	#standIn(decision: ResponseDecision | undefined): RenderedResponse | undefined {
		if (decision?.do === 'serve') {
			return this.#state.serve(decision.reason, decision.view);
		}

		return decision?.do === 'fail' ? this.#state.fail(decision.reason, 'Gateway Timeout') : undefined;
	}

	/** Notes what the request itself has invalidated. That does not concern its own response, unless another request has invalidated that as well. */
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
				return this.#passOver(decision, head, received);
			}

			case 'resend': {
				this.#isResent = true;
				return {do: 'resend'};
			}

			case 'fail': {
				this.#state.inFlight?.fail();
				this.#state.end();
				return served(this.#state.fail(decision.reason, 'Gateway Timeout'));
			}

			case 'serve': {
				this.#state.inFlight?.fail();
				this.#state.end();
				return served(this.#state.serve(decision.reason, decision.view, head));
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

	/** Gives the origin's response to the caller without storing it. */
	#passOver(decision: Extract<ResponseDecision, {do: 'pass'}>, head: IncomingHead, received: number): Action {
		const {inFlight, cache, match} = this.#state;
		if (isTemporaryStatus(head.statusCode)) {
			inFlight?.fail();
		} else {
			inFlight?.refuse();
		}

		this.#state.tell({stored: decision.reason});
		this.#state.passOn();
		this.#state.refuse(decision.reason);
		if (decision.stored === undefined || decision.stored === 'drop') {
			this.#state.end();
		}

		if (decision.stored === 'drop') {
			this.#writes.drop(decision.reason);
		} else if (decision.stored !== undefined) {
			this.#writes.renew(this.#freshened(head, received, decision.stored));
		}

		return {
			do: 'pass', status: this.#state.status(head.statusCode), collects: false, awaitsRetries: decision.awaitsRetries === true,
		};
	}

	/** Gives the origin's response to the caller, and has its body collected. */
	#collect(decision: Extract<ResponseDecision, {do: 'store'}>, head: IncomingHead, received: number): Action {
		const {request, settings, sent, inFlight} = this.#state;
		const announced = fieldValue(this.#fields, 'content-length');
		const isAnnounced = request.method !== 'HEAD' && announced !== undefined && /^\d+$/v.test(announced);
		const length = isAnnounced ? Number(announced) : undefined;
		this.#state.receivedTags = tagsOf(this.#fields);
		this.#state.passOn();
		if (length !== undefined && length > settings.maxEntryBytes) {
			this.cut('too-large', false);
			return this.#pass(head);
		}

		const isEndless = (fieldValue(this.#fields, 'content-type') ?? '').trim().toLowerCase().startsWith('text/event-stream');
		if (isEndless) {
			inFlight?.release();
		} else {
			inFlight?.respond(this.#fields, request.method === 'HEAD' ? 0 : length);
		}

		this.#state.tell({createdAt: received, expires: decision.expires});
		this.#received = {
			method: sent!.storesFor ?? request.method,
			url: request.targetUrl,
			// The caller may change its headers before the body is there.
			head: {...head, rawHeaders: [...head.rawHeaders]},
			received,
			terms: decision,
			decidedBy: policySource(settings),
			ignored: settings.ignoredParameters,
			storeSetCookie: settings.storeSetCookie,
		};
		return {
			do: 'pass', status: this.#state.status(head.statusCode, true), collects: true, awaitsRetries: false,
		};
	}

	#pass(head: IncomingHead): Action {
		return {
			do: 'pass', status: this.#state.status(head.statusCode), collects: false, awaitsRetries: false,
		};
	}

	#freshen(decision: Extract<ResponseDecision, {do: 'freshen'}>, head: IncomingHead, received: number): RenderedResponse {
		const {keep, view, reason} = decision;
		const {cache, inFlight} = this.#state;
		if (keep === 'drop') {
			this.#writes.drop('revalidated');
		}

		if (keep !== 'leave') {
			const freshened = this.#freshened(head, received, decision);
			this.#state.match = {...this.#state.match as Match, stored: freshened};
			if (keep === 'write') {
				this.#writes.renew(freshened);
			}
		}

		if (keep !== 'write') {
			inFlight?.refuse();
			this.#state.end();
		}

		this.#state.tell({revalidated: true});
		return this.#state.serve(reason, view, head);
	}

	#freshened(head: IncomingHead, received: number, terms: StorageTerms): StoredResponse {
		const {request, settings, match} = this.#state;
		const {storable} = splitUpdate(head.rawHeaders, request.targetUrl, settings);
		return freshenResponse((match as Match).stored, storable, received, terms);
	}

	/** Gives the response to the requests that wait, except for those after an invalidation that concerns it. */
	#resolve(stored: StoredResponse): MaybePromise<void> {
		const {inFlight, cache, key, sent, subject} = this.#state;
		if (inFlight?.hasWaiters !== true) {
			inFlight?.resolve({primary: key!, key: key!, stored}, stored.fields, () => true);
			return;
		}

		const {position} = sent!;
		const result = {primary: key!, key: key!, stored};
		const named = {...subject, tags: stored.tags ?? []};
		return then(cache.hasChangedElsewhere(named, position), hasChanged => {
			inFlight.resolve(result, stored.fields, waiter => !hasChanged && !cache.journal.concerns(named, position, waiter.position));
		});
	}

	#release(isOwn: boolean): void {
		if (isOwn) {
			this.#state.inFlight?.abandon();
		} else {
			this.#state.inFlight?.fail();
		}
	}
}

function served(response: RenderedResponse): Action {
	return {do: 'serve', response, refreshes: false};
}
