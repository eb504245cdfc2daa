import type {HttpCache, Match} from '../cache/http-cache.ts';
import {chain, type MaybePromise} from '../cache/maybe-promise.ts';
import {createKey, type KeyRequest} from '../matching/key.ts';
import {CachedResponse} from '../model/cached-response.ts';
import {fieldsOf, storedResponse, type StoredResponse} from '../model/stored-response.ts';
import {isWhole} from '../policy/completeness.ts';
import type {Fields} from '../policy/fields.ts';
import type {Reason, WriteReason} from '../policy/reasons.ts';
import {
	onLookup,
	onRequest,
	requestFacts,
	type RequestFacts,
} from '../policy/request-rules.ts';
import {onError, onResponse} from '../policy/response-rules.ts';
import {freshenedFields} from '../policy/stored-fields.ts';
import type {Lifetime, RequestDecision} from '../policy/types.ts';
import {composeResponse} from './compose-response.ts';
import {decodableCodings, decodeContent} from './content-coding.ts';
import type {ExchangeSettings} from './exchange-settings.ts';
import type {
	Answer,
	ExchangeInfo,
	IncomingHead,
	OutgoingRequest,
	Step,
} from './exchange-types.ts';
import {accepts} from './filter.ts';

type Verdict = Exclude<RequestDecision, {readonly do: 'lookup'}>;

type Received = {readonly head: IncomingHead; readonly fields: Fields; readonly lifetime: Lifetime; readonly time: number};

/**
One attempt of one hop, from the request as it will be sent to what is stored: asks the policy, does what it decides.

It knows no sockets: who drives it calls `begin`, then `respond` or `fail`, then `commit` or `abandon`.
*/
export class Exchange {
	readonly request: OutgoingRequest;
	readonly #cache: HttpCache;
	readonly #settings: ExchangeSettings;
	readonly #facts: RequestFacts;
	#key: string | undefined;
	#match: Match | undefined;
	#conditional = false;
	#received: Received | undefined;
	#info: ExchangeInfo = {
		key: undefined, reason: 'miss', stored: undefined, createdAt: undefined, expires: undefined, fromCache: false, revalidated: false,
	};

	constructor(cache: HttpCache, settings: ExchangeSettings, request: OutgoingRequest) {
		this.#cache = cache;
		this.#settings = settings;
		this.request = request;
		this.#facts = requestFacts({
			method: request.method,
			url: request.url,
			fields: request.fields,
			keyable: request.body !== 'unknown',
		}, settings);
	}

	get info(): ExchangeInfo {
		return this.#info;
	}

	/** For the origin's answer, the longest body that is kept, in bytes. */
	get maxEntryBytes(): number {
		return this.#settings.maxEntryBytes;
	}

	/** The same request once more, to renew what was served stale. */
	refreshed(): Exchange {
		return new Exchange(this.#cache, {...this.#settings, refresh: true}, this.request);
	}

	begin(): MaybePromise<Step> {
		const decision = onRequest(this.#facts);
		if (decision.do !== 'lookup' && decision.do !== 'send') {
			return this.#execute(decision);
		}

		return chain(this.#createKey(), key => {
			if (key === undefined) {
				return this.#execute({do: 'pass', reason: 'key-refused'});
			}

			this.#key = key;
			this.#tell({key});
			return decision.do === 'send' ? this.#execute(decision) : this.#lookup(key);
		});
	}

	/** Sends the request as it is; nothing is read or written. */
	standAside(): Step {
		return this.#execute({do: 'pass', reason: 'error'});
	}

	respond(head: IncomingHead): Answer {
		if (this.#key === undefined) {
			return {do: 'pass'};
		}

		const fields = fieldsOf(head.rawHeaders);
		const time = this.#settings.now();
		const decision = onResponse(this.#facts, {statusCode: head.statusCode, fields}, {stored: this.#match?.stored, conditional: this.#conditional}, time);
		switch (decision.do) {
			case 'pass': {
				this.#tell({stored: decision.reason});
				return {do: 'pass'};
			}

			case 'serve': {
				return this.#standIn(decision.reason);
			}

			case 'store': {
				this.#received = {
					head, fields, lifetime: decision, time,
				};
				this.#tell({createdAt: time, expires: decision.expires});
				return {do: 'collect'};
			}

			case 'freshen': {
				const {expires, retainUntil} = decision;
				const {stored} = this.#match!;
				const freshened = storedResponse({
					...stored, rawHeaders: freshenedFields(stored.rawHeaders, head.rawHeaders), createdAt: time, expires, retainUntil,
				}, stored.body);
				this.#tell({
					reason: decision.reason, fromCache: true, revalidated: true, createdAt: time, expires,
				});
				if (decision.write) {
					this.#save(() => this.#filtered(freshened));
				}

				return {do: 'serve', stored: freshened};
			}
		}
	}

	/**
	No response came.

	@returns The stored response that stands in, if any may.
	*/
	fail(): StoredResponse | undefined {
		const decision = onError(this.#facts, this.#match?.stored, this.#settings.now());
		if (decision.do === 'serve') {
			return this.#standIn(decision.reason).stored;
		}

		this.#tell({stored: decision.reason});
		return undefined;
	}

	/**
	The body ended: it is stored, if it is whole.
	*/
	commit(body: Uint8Array): void {
		const {head: {statusCode}, fields} = this.#received!;
		if (!isWhole(this.request.method, {statusCode, fields}, body.byteLength)) {
			this.abandon('incomplete');
			return;
		}

		this.#tell({stored: 'stored'});
		this.#save(() => chain(this.#compose(body), stored => stored === undefined ? undefined : this.#filtered(stored)));
	}

	/** The body will not be stored. */
	abandon(reason: WriteReason): void {
		this.#tell({stored: reason, expires: undefined, createdAt: undefined});
	}

	#createKey(): MaybePromise<string | undefined> {
		const {method, url, fields, body} = this.request;
		const request = {
			method, url, headers: fields, body: body === 'unknown' ? undefined : body,
		};
		const {keyFn} = this.#settings;
		const defaultKey = (request_: KeyRequest): string => createKey(request_, this.#settings);
		return keyFn === undefined ? defaultKey(request) : keyFn(request, defaultKey);
	}

	#lookup(key: string): MaybePromise<Step> {
		return chain(this.#cache.match(key, this.request.fields), match => {
			this.#match = match;
			const decision = onLookup(this.#facts, match?.stored, this.#settings.now());
			return decision.do === 'serve'
				? chain(this.#accepts(match!.stored), accepted => accepted ? this.#execute(decision) : this.#refuse(match!))
				: this.#execute(decision);
		});
	}

	#execute(decision: Verdict): Step {
		switch (decision.do) {
			case 'serve': {
				const {createdAt, expires} = this.#match!.stored;
				this.#tell({
					reason: decision.reason, fromCache: true, createdAt, expires,
				});
				return {do: 'serve', stored: this.#match!.stored, revalidate: decision.then === 'revalidate'};
			}

			case 'send': {
				this.#conditional = Object.keys(decision.validators).length > 0;
				this.#tell({reason: decision.reason});
				return decision;
			}

			case 'pass': {
				this.#key = undefined;
				this.#tell({reason: decision.reason, stored: decision.reason});
				return {do: 'send', validators: {}};
			}

			case 'fail': {
				this.#tell({reason: decision.reason});
				return decision;
			}

			default: {
				return decision satisfies never;
			}
		}
	}

	// What the filter refuses now is deleted, and as good as never stored.
	#refuse({key}: Match): Step {
		this.#cache.delete(key);
		this.#match = undefined;
		const decision = onLookup(this.#facts, undefined, this.#settings.now());
		return this.#execute(decision.do === 'send' ? {...decision, reason: 'filtered'} : decision);
	}

	#standIn(reason: Reason): {do: 'serve'; stored: StoredResponse} {
		const {stored} = this.#match!;
		this.#tell({
			reason, fromCache: true, createdAt: stored.createdAt, expires: stored.expires,
		});
		return {do: 'serve', stored};
	}

	#compose(body: Uint8Array): MaybePromise<StoredResponse | undefined> {
		const {head, fields, lifetime, time} = this.#received!;
		const codings = this.#settings.storeEncoded ? [] : decodableCodings(fields);
		const compose = (content: Uint8Array): StoredResponse => composeResponse(this.request, head, {...lifetime, createdAt: time}, content, codings);
		if (codings.length === 0) {
			return compose(body);
		}

		return chain(decodeContent(body, codings, this.#settings.maxEntryBytes), content => {
			if (content === undefined) {
				this.abandon('undecodable');
			}

			return content && compose(content);
		});
	}

	#filtered(stored: StoredResponse): MaybePromise<StoredResponse | undefined> {
		return chain(this.#accepts(stored), accepted => {
			if (accepted) {
				return stored;
			}

			this.#tell({stored: 'filtered'});
			if (this.#match !== undefined) {
				this.#cache.delete(this.#match.key);
			}

			return undefined;
		});
	}

	#accepts(stored: StoredResponse): MaybePromise<boolean> {
		const {filterFn, now} = this.#settings;
		return filterFn === undefined || accepts(filterFn, new CachedResponse(this.#key!, stored, now()), this.#cache);
	}

	#save(task: () => MaybePromise<StoredResponse | undefined>): void {
		this.#cache.save(this.#key!, this.request.fields, task);
	}

	#tell(news: Partial<ExchangeInfo>): void {
		this.#info = {...this.#info, ...news};
	}
}
