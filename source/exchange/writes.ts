import {composeResponse, withTags, type ReceivedResponse} from '../cache/compose-response.ts';
import type {CacheCore} from '../cache/core.ts';
import type {WriteSize, Outcome} from '../cache/writes.ts';
import type {Match} from '../cache/entries.ts';
import type {Invalidation} from '../cache/journal-records.ts';
import {describe, SettingError} from '../errors.ts';
import {identify, resourceOfRequest, siblingOf} from '../identity/identify.ts';
import type {SentRequest} from '../identity/sent-request.ts';
import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import {CachedResponse} from '../entry/cached-response.ts';
import {decodableCodings, decodeContent} from '../entry/content-coding.ts';
import {storedSize, type StoredResponse} from '../entry/stored-response.ts';
import {areTagsBounded, tagsOf, type Fields} from '../policy/fields.ts';
import type {WriteReason, ResponseHead} from '../policy/types.ts';
import {invalidatedBy} from '../policy/response-rules.ts';
import {isSafe} from '../policy/facts.ts';
import type {TagCallback} from '../settings/settings.ts';
import {settingOfKey, type ExchangeSettings} from './settings.ts';
import type {ExchangeState} from './state.ts';

type WriteListener = {
	/** Called if the response is not stored. */
	readonly onRefused: (reason: WriteReason | 'filtered') => void;

	/** Called when the response is complete, before it is stored. */
	readonly onComposed: (stored: StoredResponse) => MaybePromise<void>;
};

/** The writes and deletions of an exchange. No request waits for them, and faults are events. With `failFast`, `whenWritten` waits for them and throws the faults. */
export class ExchangeWrites {
	readonly #state: ExchangeState;
	readonly #listener: WriteListener;

	/** Whether a response is being written. The write ends the exchange. */
	hasBegun = false;

	/** The position of this request's own invalidations, once they are in the store. */
	#invalidating: MaybePromise<number | undefined>;

	/** The writes so far, with `failFast` only. */
	readonly #written: Array<Promise<void>> = [];

	constructor(state: ExchangeState, listener: WriteListener) {
		this.#state = state;
		this.#listener = listener;
	}

	/**
	With `failFast`, waits until everything is written; otherwise returns at once.

	@throws The first fault of the store or of a user's function.
	*/
	whenWritten(): MaybePromise<void> {
		return this.#written.length === 0 ? undefined : this.#waitForWrites();
	}

	/** Deletes the stored response that was found. */
	deleteStored(reason: string): void {
		const {match, cache, settings} = this.#state;
		if (!settings.readOnly) {
			cache.writes.delete((match as Match).key, reason, this.#expect());
		}
	}

	/** Stores a response under the key of its own request: the response to a HEAD never replaces that to a GET. */
	store(received: ReceivedResponse, {body, fields}: {readonly body: Uint8Array; readonly fields: Fields}): void {
		const {settings, request, identity: ownIdentity, key: ownKey, cache} = this.#state;
		const codings = settings.storeEncoded || fields['content-encoding'] === undefined ? [] : decodableCodings(fields);
		this.hasBegun = true;
		// The response to a POST may answer a GET, under the key of that.
		const identity = ownKey === undefined ? identify(siblingOf(request, 'GET'), settings) : ownIdentity;
		this.#withKeys(() => then(ownKey ?? then(identity.key(settings.secret), key => cache.checkedKey(key)), key => {
			if (key === undefined) {
				this.#finish();
				return;
			}

			// The response is composed now and not when it is written: others may wait for it, and the store may be slow.
			const composed = then(this.#decode(body, codings), content => content && then(identity.stored(settings.secret), storedRequest => this.#withTags(composeResponse(received, {body: content, codings, request: storedRequest}))));
			this.#write(key, composed, 'stored', body.byteLength);
		}), () => {
			this.#finish();
		});
	}

	/** Replaces the stored response by a freshened one. */
	replaceStored(stored: StoredResponse): void {
		const {primary} = this.#state.match as Match;
		this.hasBegun = true;
		this.#write(primary, this.#filtered(stored), 'revalidated', stored.byteLength);
	}

	/**
	Invalidates what an unsafe request may have changed (RFC 9111 §4.4).

	@returns Whether the request may have changed anything.
	*/
	invalidate(response: ResponseHead): boolean {
		const {request, facts, settings: {allowableMethods, ignoredParameters}, cache} = this.#state;
		const {method, override = method} = request;
		const invalid = invalidatedBy(facts, response);
		if (invalid.length === 0) {
			return false;
		}

		const methods = new Set(['GET', ...[...allowableMethods].filter(allowed => !isSafe(allowed))]);
		const resources = invalid.flatMap(({url, keepsOwnMethod}) => [...methods]
			.filter(stored => !keepsOwnMethod || stored !== override)
			.map(stored => resourceOfRequest(siblingOf(request, stored, url), ignoredParameters)));
		this.#invalidating = this.#invalidate(resources.map(resource => ({kind: 'resource', resource})));
		for (const {url} of invalid) {
			this.#withKeys(() => then(keysOfTarget(request, url, this.#state.settings), keys => {
				for (const key of keys) {
					if (key !== undefined) {
						cache.writes.delete(key, 'invalidated', this.#expect());
					}
				}
			}));
		}

		return true;
	}

	/** Writes invalidations to the journal. `HttpCache.close` waits until they are in the store. */
	#invalidate(invalidations: readonly Invalidation[]): MaybePromise<number | undefined> {
		const {cache} = this.#state;
		const writing = this.#perform(() => cache.journal.invalidate(invalidations), error => {
			cache.events.emit('storeError', {operation: 'set', error});
		});
		if (writing instanceof Promise) {
			cache.writes.track(writing.then(() => undefined));
		}

		return writing;
	}

	#decode(body: Uint8Array, codings: readonly string[]): MaybePromise<Uint8Array | undefined> {
		if (codings.length === 0) {
			return body;
		}

		return then(decodeContent(body, codings, this.#state.settings.maxEntryBytes), content => {
			if (content === undefined) {
				this.#listener.onRefused('undecodable');
			}

			return content;
		});
	}

	#withTags(stored: StoredResponse): MaybePromise<StoredResponse | undefined> {
		const {settings: {tags: tagsFor, requestTags, now}, key, cache} = this.#state;
		const tags = tagsFor === undefined ? noTags : userTags(tagsFor, new CachedResponse(key ?? '', stored, now), cache);
		if (tags === undefined) {
			this.#listener.onRefused('filtered');
			return undefined;
		}

		const received = tagsOf(stored.fields);
		if (received.length + requestTags.length + tags.length === 0) {
			return this.#filtered(stored);
		}

		const all = [...received, ...requestTags, ...tags];
		if (!areTagsBounded(all)) {
			this.#refuseAndDelete('too-many-tags');
			return undefined;
		}

		return this.#filtered(withTags(stored, all));
	}

	#filtered(stored: StoredResponse): MaybePromise<StoredResponse | undefined> {
		return then(this.#state.accepts(stored), isAccepted => {
			if (isAccepted) {
				return then(this.#listener.onComposed(stored), () => stored);
			}

			this.#refuseAndDelete('filtered');
			return undefined;
		});
	}

	/** Refuses a response, and deletes the stored one, since an older response is no better. */
	#refuseAndDelete(reason: WriteReason | 'filtered'): void {
		this.#listener.onRefused(reason);
		if (this.#state.match.stored !== undefined) {
			this.deleteStored(reason);
		}
	}

	/** Writes a response, unless an invalidation since its request was sent concerns it. */
	#write(key: string, composing: MaybePromise<StoredResponse | undefined>, reason: 'stored' | 'revalidated', received: number): void {
		const {cache, request, eventDetails} = this.#state;
		const size = {bytes: received};
		const composed = this.#countBytes(key, composing, size);
		// The task below reports a fault. Until it runs, the fault must not be an unhandled rejection.
		void recover(() => composed, () => undefined);
		const task = (): MaybePromise<StoredResponse | undefined> => then(this.#invalidating, head => {
			this.#state.advanceTo(head);
			return then(composed, stored => stored && this.#unlessInvalidated(key, stored));
		});
		const outcome = this.#expect();
		const hasRoom = cache.writes.save(key, request.fields, task, {
			size,
			outcome,
			isStillValid: stored => then(this.#verify(key, stored), position => position !== undefined),
			whenSaved() {
				cache.events.written('stored', {...eventDetails, reason, key});
			},
			whenDone: () => {
				this.#finish();
			},
		});
		if (hasRoom) {
			return;
		}

		outcome?.done();
		this.#listener.onRefused('queue-full');
		this.#finish();
	}

	/** Counts the bytes of a response towards `maxPendingBytes`, which are known once its body is decoded. */
	#countBytes(key: string, composing: MaybePromise<StoredResponse | undefined>, size: WriteSize): MaybePromise<StoredResponse | undefined> {
		if (!(composing instanceof Promise)) {
			size.bytes = composing === undefined ? 0 : storedSize(composing);
			return composing;
		}

		return composing.then(stored => {
			if (stored === undefined || this.#state.cache.writes.resize(key, size, storedSize(stored))) {
				return stored;
			}

			this.#listener.onRefused('queue-full');
			return undefined;
		});
	}

	/** Returns the response with the position at which it is stored; `undefined` where an invalidation concerns it. */
	#unlessInvalidated(key: string, stored: StoredResponse): MaybePromise<StoredResponse | undefined> {
		return then(this.#verify(key, stored), position => {
			if (position === undefined) {
				this.#listener.onRefused('invalidated');
				return undefined;
			}

			return position > 0 ? {...stored, position} : stored;
		});
	}

	/** Returns the position at which a response is stored; `undefined` where an invalidation since its request was sent concerns it. */
	#verify(key: string, {tags = []}: StoredResponse): MaybePromise<number | undefined> {
		const {cache, sent} = this.#state;
		return cache.verify(this.#state.subjectWith(tags, key), sent!.position);
	}

	/** Ends the exchange, and the wait of the requests that still wait for it. */
	#finish(): void {
		this.#state.inFlight?.end('failed');
		this.#state.end();
	}

	/** Runs an action that makes a key, and reports a fault as that of the setting that makes keys. */
	#withKeys(action: () => MaybePromise<void>, onFault?: () => void): void {
		const {cache, settings} = this.#state;
		void this.#perform(action, error => {
			cache.events.emit('settingError', {setting: settingOfKey(settings), error});
			onFault?.();
		});
	}

	/** Runs an action, for which `whenWritten` waits, and reports its fault. */
	#perform<Value>(action: () => MaybePromise<Value>, report: (error: unknown) => void): MaybePromise<Value | undefined> {
		const outcome = this.#expect();
		return recover<Value | undefined>(() => then(action(), value => {
			outcome?.done();
			return value;
		}), error => {
			report(error);
			outcome?.failed(error);
			return undefined;
		});
	}

	/** With `failFast`, begins a write for which `whenWritten` waits. */
	#expect(): Outcome | undefined {
		if (!this.#state.settings.failFast) {
			return undefined;
		}

		const {promise, resolve, reject} = Promise.withResolvers<void>();
		// If nobody waits, the rejection must not be an unhandled one.
		promise.catch(() => undefined);
		this.#written.push(promise);
		return {done: resolve, failed: reject};
	}

	async #waitForWrites(): Promise<void> {
		// A write may begin while another one is waited for.
		for (const written of this.#written) {
			await written; // eslint-disable-line no-await-in-loop
		}
	}
}

const noTags: readonly string[] = [];

/** Returns the tags from the user's function; `undefined` where it fails, which a `settingError` event reports: a response that cannot be deleted by its tags is not stored. */
function userTags(tagsFor: TagCallback, response: CachedResponse, cache: CacheCore): readonly string[] | undefined {
	try {
		const tags: unknown = tagsFor(response);
		if (Array.isArray(tags) && tags.every(tag => typeof tag === 'string' && tag !== '')) {
			return tags as readonly string[];
		}

		throw new SettingError('cache.tags', `\`cache.tags\` returned ${describe(tags)}. It must return an array of strings that are not empty.`);
	} catch (error) {
		cache.events.emit('settingError', {setting: 'tags', error});
		return undefined;
	}
}

/** Returns the keys of the caller's GET and HEAD of a target URI. */
function keysOfTarget(request: SentRequest, target: string, settings: ExchangeSettings): MaybePromise<ReadonlyArray<string | undefined>> {
	const keyFor = (method: string): MaybePromise<string | undefined> => identify(siblingOf(request, method, target), settings).key(settings.secret);
	return then(keyFor('GET'), get => then(keyFor('HEAD'), head => [get, head]));
}
