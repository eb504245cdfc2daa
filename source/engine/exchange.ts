import {newGeneration, type HttpCache, type Match} from '../cache/http-cache.ts';
import {chain, type MaybePromise} from '../cache/maybe-promise.ts';
import {createKey, type KeyRequest} from '../matching/key.ts';
import {DEFAULT_IGNORED_PARAMETERS} from '../matching/credentials.ts';
import {redactUrl} from '../matching/url.ts';
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
import {freshenedFields, storableFields, type RawFields} from '../policy/stored-fields.ts';
import type {Lifetime, RequestDecision} from '../policy/types.ts';
import {canDecode, contentCodings, decodeContent} from './content-coding.ts';
import type {ExchangeSettings} from './exchange-settings.ts';

/**
A request as it will be sent.
*/
export type OutgoingRequest = {
	/** The method that counts: an override header's, if there is one. */
	readonly method: string;
	readonly url: string;
	readonly fields: Fields;

	/** `'unknown'` for one that can be read only once. */
	readonly body: string | Uint8Array | undefined | 'unknown';
};

type Verdict = Exclude<RequestDecision, {readonly do: 'lookup'}>;

export type IncomingHead = {
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly rawHeaders: RawFields;
};

/** What to do with the request. */
export type Step =
	| {readonly do: 'serve'; readonly stored: StoredResponse; readonly revalidate: boolean}
	| {readonly do: 'send'; readonly validators: Readonly<Record<string, string>>}
	| {readonly do: 'fail'; readonly statusCode: 504};

/** What to do with the response: give it, give the stored one, or give it and hand in its body. */
export type Answer =
	| {readonly do: 'pass'}
	| {readonly do: 'serve'; readonly stored: StoredResponse}
	| {readonly do: 'collect'};

/**
What can be said of an exchange so far.
*/
export type ExchangeInfo = {
	readonly key: string | undefined;

	/** Why the answer comes from where it comes. */
	readonly reason: Reason;

	/** What became of the origin's response; `undefined` where there was none, or not yet. */
	readonly stored: Reason | undefined;
	readonly createdAt: number | undefined;
	readonly expires: number | undefined;
	readonly fromCache: boolean;
	readonly revalidated: boolean;
};

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
	#received: {head: IncomingHead; fields: Fields; lifetime: Lifetime; time: number} | undefined;
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
			return decision.do !== 'serve' || this.#settings.filterFn === undefined ? this.#execute(decision) : chain(this.#accepts(match!.stored), accepted => accepted ? this.#execute(decision) : this.#refuse(match!));
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

	async #decode(body: Uint8Array, codings: readonly string[]): Promise<Uint8Array | undefined> {
		try {
			return await decodeContent(body, codings, this.#settings.maxEntryBytes);
		} catch {
			this.abandon('undecodable');
			return undefined;
		}
	}

	#compose(body: Uint8Array): MaybePromise<StoredResponse | undefined> {
		const codings = contentCodings(this.#received!.fields);
		return codings.length === 0 || this.#settings.storeEncoded || !canDecode(codings) ? this.#stored(body, []) : chain(this.#decode(body, codings), content => content === undefined ? undefined : this.#stored(content, codings));
	}

	#stored(body: Uint8Array, codings: readonly string[]): StoredResponse {
		const {head, lifetime: {expires, retainUntil}, time} = this.#received!;
		return storedResponse({
			method: this.request.method,
			url: redactUrl(this.request.url, DEFAULT_IGNORED_PARAMETERS),
			statusCode: head.statusCode,
			statusMessage: head.statusMessage,
			rawHeaders: storableFields(head.rawHeaders, codings.length > 0),
			createdAt: time,
			expires,
			retainUntil,
			generation: newGeneration(),
			...(codings.length > 0 && {codings}),
		}, body);
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

	// A filter that fails has not accepted; its fault is told, the request goes on.
	#accepts(stored: StoredResponse): MaybePromise<boolean> {
		const {filterFn, now} = this.#settings;
		if (filterFn === undefined) {
			return true;
		}

		const report = (error: unknown): boolean => {
			this.#cache.report('settingError', {setting: 'filterFn', error});
			return false;
		};

		try {
			const accepted = filterFn(new CachedResponse(this.#key!, stored, now()));
			return accepted instanceof Promise ? accepted.catch(report) : accepted;
		} catch (error) {
			return report(error);
		}
	}

	#save(task: () => MaybePromise<StoredResponse | undefined>): void {
		this.#cache.save(this.#key!, this.request.fields, task);
	}

	#tell(news: Partial<ExchangeInfo>): void {
		this.#info = {...this.#info, ...news};
	}
}
