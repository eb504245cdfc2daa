import {composeResponse, withTags, type ReceivedResponse} from '../cache/compose-response.ts';
import type {CacheCore} from '../cache/core.ts';
import type {Held, Outcome} from '../cache/writes.ts';
import type {Match} from '../cache/entries.ts';
import type {Invalidation} from '../cache/invalidation.ts';
import {identify, resourceOfRequest, siblingOf} from '../identity/identify.ts';
import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import {CachedResponse} from '../entry/cached-response.ts';
import {decodableCodings, decodeContent} from '../entry/content-coding.ts';
import {storedSize, type StoredResponse} from '../entry/stored-response.ts';
import {areTagsBounded, tagsOf, type Fields} from '../policy/fields.ts';
import type {WriteReason, ResponseHead} from '../policy/types.ts';
import {invalidatedBy, isSafe} from '../policy/storing.ts';
import {accepts, readKeys, tagsGiven} from './lookup.ts';
import {settingOfKey} from './settings.ts';
import type {ExchangeState} from './state.ts';

/** Called with what becomes of a response. */
type WriteListener = {
	/** The response is not stored after all. */
	readonly onRefused: (reason: WriteReason | 'filtered') => void;

	/** The response is about to be stored. */
	readonly onComposed: (stored: StoredResponse) => MaybePromise<void>;
};

/**
What an exchange writes and deletes. No request waits for that, so that faults are events; with `failFast`, `confirm` throws them as well.
*/
export class ExchangeWrites {
	readonly #state: ExchangeState;
	readonly #listener: WriteListener;

	/** Whether a response is being written: the exchange ends once that is done. */
	hasBegun = false;

	/** The position of the invalidations by this request, once they are in the store. */
	#invalidating: MaybePromise<number | undefined>;

	/** All writes so far, with `failFast`. */
	readonly #written: Array<Promise<void>> = [];

	constructor(state: ExchangeState, listener: WriteListener) {
		this.#state = state;
		this.#listener = listener;
	}

	/**
	Resolves when everything is written; at once without `failFast`.

	@throws The first fault of the store or of a user's function.
	*/
	confirm(): MaybePromise<void> {
		return this.#written.length === 0 ? undefined : this.#whenWritten();
	}

	/** Deletes the stored response that was found. */
	drop(reason: string): void {
		const {match, cache, settings} = this.#state;
		if (!settings.readOnly) {
			cache.writes.delete((match as Match).key, reason, this.#expect());
		}
	}

	/** Stores a response under the key of its own request: a HEAD's never takes the place of a GET's. */
	store(received: ReceivedResponse, {body, fields}: {readonly body: Uint8Array; readonly fields: Fields}): void {
		const {settings, request, identity} = this.#state;
		const codings = settings.storeEncoded || fields['content-encoding'] === undefined ? [] : decodableCodings(fields);
		const {key: own} = this.#state;
		this.hasBegun = true;
		const stored = own === undefined ? identify(siblingOf(request, 'GET'), settings) : identity;
		this.#quietly(() => then(own ?? then(stored.key(settings.secret), made => this.#state.cache.checkedKey(made)), key => {
			if (key === undefined) {
				this.#finish();
				return;
			}

			// It is composed now, and not when its turn to be written has come: others may wait for it, and the store may be slow.
			const composed = then(this.#decode(body, codings), content => content && then(stored.stored(settings.secret), storable => this.#tagged(composeResponse(received, {body: content, codings, request: storable}))));
			this.#write(key, composed, 'stored', body.byteLength);
		}), () => {
			this.#finish();
		});
	}

	/** Writes a freshened response where the stored one was found. */
	renew(stored: StoredResponse): void {
		const {primary} = this.#state.match as Match;
		this.hasBegun = true;
		this.#write(primary, this.#filtered(stored), 'revalidated', stored.byteLength);
	}

	/**
	Invalidates what an unsafe request may have changed (RFC 9111 §4.4).

	@returns Whether there is anything that the request may have changed.
	*/
	invalidate(response: ResponseHead): boolean {
		const {request, facts, settings: {allowableMethods, ignoredParameters}, cache} = this.#state;
		const {method, override = method} = request;
		const invalid = invalidatedBy(facts, response);
		if (invalid.length === 0) {
			return false;
		}

		const methods = new Set(['GET', ...[...allowableMethods].filter(allowed => !isSafe(allowed))]);
		const resources = invalid.flatMap(({url, sparesOwnMethod}) => [...methods]
			.filter(stored => !sparesOwnMethod || stored !== override)
			.map(stored => resourceOfRequest(siblingOf(request, stored, url), ignoredParameters)));
		this.#invalidating = this.#note(resources.map(resource => ({kind: 'resource', resource})));
		for (const {url} of invalid) {
			this.#quietly(() => then(readKeys(request, url, this.#state.settings), keys => {
				for (const key of keys) {
					if (key !== undefined) {
						cache.writes.delete(key, 'invalidated', this.#expect());
					}
				}
			}));
		}

		return true;
	}

	/** Notes invalidations. `close` waits until they are in the store. */
	#note(invalidations: readonly Invalidation[]): MaybePromise<number | undefined> {
		const {cache} = this.#state;
		const outcome = this.#expect();
		const noted = recover(() => then(cache.journal.note(invalidations), position => {
			outcome?.done();
			return position;
		}), error => {
			cache.events.emit('storeError', {operation: 'set', error});
			outcome?.failed(error);
			return undefined;
		});
		if (noted instanceof Promise) {
			cache.writes.hold(settled(noted));
		}

		return noted;
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

	#tagged(stored: StoredResponse): MaybePromise<StoredResponse | undefined> {
		const {settings: {tags: tagsFor, requestTags, now}, key, cache} = this.#state;
		const tags = tagsFor === undefined ? [] : tagsGiven(tagsFor, new CachedResponse(key ?? '', stored, now), cache);
		if (tags === undefined) {
			this.#listener.onRefused('filtered');
			return undefined;
		}

		const all = [...tagsOf(stored.fields), ...requestTags, ...tags];
		if (!areTagsBounded(all)) {
			this.#refuseInPlace('too-many-tags');
			return undefined;
		}

		return this.#filtered(withTags(stored, all));
	}

	#filtered(stored: StoredResponse): MaybePromise<StoredResponse | undefined> {
		const {settings, key, cache} = this.#state;
		return then(accepts(settings, stored, key, cache), isAccepted => {
			if (isAccepted) {
				return then(this.#listener.onComposed(stored), () => stored);
			}

			this.#refuseInPlace('filtered');
			return undefined;
		});
	}

	/** Refuses a response, and deletes the stored one: an older response is no better. */
	#refuseInPlace(reason: WriteReason | 'filtered'): void {
		const {match} = this.#state;
		this.#listener.onRefused(reason);
		if (match.stored !== undefined) {
			this.drop(reason);
		}
	}

	/** Writes a response, unless an invalidation since its request was sent concerns it. */
	#write(key: string, composing: MaybePromise<StoredResponse | undefined>, reason: 'stored' | 'revalidated', received: number): void {
		const {cache, request, eventDetails} = this.#state;
		const held = {bytes: received};
		const composed = this.#withRoom(key, composing, held);
		// The task below reports the fault when its turn has come: until then, it must not be an unhandled rejection.
		void recover(() => composed, () => undefined);
		const task = (): MaybePromise<StoredResponse | undefined> => then(this.#invalidating, head => {
			this.#state.advanceTo(head);
			return then(composed, stored => stored && this.#current(key, stored));
		});
		const outcome = this.#expect();
		const hasRoom = cache.writes.save(key, request.fields, task, {
			held,
			outcome,
			isStillTrue: stored => then(this.#verify(key, stored), position => position !== undefined),
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

	/** Counts what a response holds, which is not known before its body is decoded. */
	#withRoom(key: string, composing: MaybePromise<StoredResponse | undefined>, held: Held): MaybePromise<StoredResponse | undefined> {
		if (!(composing instanceof Promise)) {
			held.bytes = composing === undefined ? 0 : storedSize(composing);
			return composing;
		}

		return composing.then(stored => {
			if (stored === undefined || this.#state.cache.writes.resize(key, held, storedSize(stored))) {
				return stored;
			}

			this.#listener.onRefused('queue-full');
			return undefined;
		});
	}

	#current(key: string, stored: StoredResponse): MaybePromise<StoredResponse | undefined> {
		return then(this.#verify(key, stored), position => {
			if (position === undefined) {
				this.#listener.onRefused('invalidated');
				return undefined;
			}

			return position > 0 ? {...stored, position} : stored;
		});
	}

	#verify(key: string, {tags = []}: StoredResponse): MaybePromise<number | undefined> {
		const {cache, subject, sent} = this.#state;
		return cache.verify({...subject, keys: [...new Set([key, ...subject.keys])], tags}, sent!.position);
	}

	/** Ends the exchange, and with it the wait of requests that still wait for it. */
	#finish(): void {
		this.#state.inFlight?.fail();
		this.#state.end();
	}

	/** Runs an action that makes a key. A fault is reported as that of the setting that makes keys. */
	#quietly(action: () => MaybePromise<void>, onFault?: () => void): void {
		const {cache, settings} = this.#state;
		const outcome = this.#expect();
		void recover(() => then(action(), () => outcome?.done()), error => {
			cache.events.emit('settingError', {setting: settingOfKey(settings), error});
			onFault?.();
			outcome?.failed(error);
		});
	}

	/** Begins a write for which `confirm` waits, with `failFast`. */
	#expect(): Outcome | undefined {
		if (!this.#state.settings.failFast) {
			return undefined;
		}

		const {promise, resolve, reject} = Promise.withResolvers<void>();
		// Perhaps nobody waits: that must not be an unhandled rejection.
		promise.catch(() => undefined);
		this.#written.push(promise);
		return {done: resolve, failed: reject};
	}

	async #whenWritten(): Promise<void> {
		// Some are added while others are waited for.
		for (const written of this.#written) {
			await written; // eslint-disable-line no-await-in-loop
		}
	}
}

async function settled(work: Promise<unknown>): Promise<void> {
	await work;
}
