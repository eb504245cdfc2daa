import {composeResponse, withTags, type ReceivedResponse} from '../cache/compose-response.ts';
import type {CacheCore} from '../cache/core.ts';
import type {Outcome} from '../cache/writes.ts';
import type {Match} from '../cache/entries.ts';
import type {Invalidation} from '../cache/journal-records.ts';
import {describe, SettingError} from '../errors.ts';
import {
	identify,
	resourceOfRequest,
	siblingOf,
	type Identity,
} from '../identity/identify.ts';
import type {SentRequest} from '../identity/sent-request.ts';
import type {StoredRequest} from '../identity/stored-request.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import {CachedResponse} from '../entry/cached-response.ts';
import {decodableCodings, decodeContent} from '../entry/content-coding.ts';
import type {StoredResponse} from '../entry/stored-response.ts';
import {areTagsBounded, tagsOf, type Fields} from '../policy/fields.ts';
import type {WriteReason, ResponseHead} from '../policy/types.ts';
import {invalidatedBy} from '../policy/response-rules.ts';
import {isSafe} from '../policy/facts.ts';
import type {TagCallback} from '../settings/settings.ts';
import {settingOfKey, type ExchangeSettings} from './settings.ts';
import {ResponseWrite} from './response-write.ts';
import type {ExchangeState} from './state.ts';

type WriteListener = {
	/** Called if the response is not stored. */
	readonly onRefused: (reason: WriteReason | 'filtered') => void;

	/** Called when the response is complete, before it is stored. */
	readonly onComposed: (stored: StoredResponse) => MaybePromise<void>;
};

/** A body and the header fields that came before it. */
type ReceivedContent = {readonly body: Uint8Array; readonly fields: Fields};

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
	store(received: ReceivedResponse, content: ReceivedContent): void {
		this.hasBegun = true;
		this.#withKeys(() => this.#store(received, content), () => {
			this.#finish();
		});
	}

	#store(received: ReceivedResponse, content: ReceivedContent): MaybePromise<void> {
		const {settings, request, identity, key} = this.#state;
		if (key === undefined) {
			// The response to a POST may answer a GET, under the key of that.
			return this.#storeAs(identify(siblingOf(request, 'GET'), settings), received, content);
		}

		// The response is composed now and not when it is written: others may wait for it, and the store may be slow.
		this.#write(key, this.#compose(identity, received, content), 'stored', content.body.byteLength);
		return undefined;
	}

	#storeAs(identity: Identity, received: ReceivedResponse, content: ReceivedContent): MaybePromise<void> {
		const {settings, cache} = this.#state;
		return then(then(identity.key(settings.secret), key => cache.checkedKey(key)), key => {
			if (key === undefined) {
				this.#finish();
			} else {
				this.#write(key, this.#compose(identity, received, content), 'stored', content.body.byteLength);
			}
		});
	}

	#compose(identity: Identity, received: ReceivedResponse, {body, fields}: ReceivedContent): MaybePromise<StoredResponse | undefined> {
		const {settings} = this.#state;
		if (settings.storeEncoded || fields['content-encoding'] === undefined) {
			const request = identity.stored(settings.secret);
			return request instanceof Promise ? this.#composeLater(request, received, body) : this.#withTags(composeResponse(received, {body, codings: noCodings, request}));
		}

		const codings = decodableCodings(fields);
		return then(this.#decode(body, codings), content => content && then(identity.stored(settings.secret), request => this.#withTags(composeResponse(received, {body: content, codings, request}))));
	}

	async #composeLater(request: Promise<StoredRequest>, received: ReceivedResponse, body: Uint8Array): Promise<StoredResponse | undefined> {
		return this.#withTags(composeResponse(received, {body, codings: noCodings, request: await request}));
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
		const isAccepted = this.#state.accepts(stored);
		return isAccepted instanceof Promise ? this.#filteredLater(stored, isAccepted) : this.#announced(stored, isAccepted);
	}

	async #filteredLater(stored: StoredResponse, isAccepted: Promise<boolean>): Promise<StoredResponse | undefined> {
		return this.#announced(stored, await isAccepted);
	}

	/** Gives an accepted response to the requests that wait for it. */
	#announced(stored: StoredResponse, isAccepted: boolean): MaybePromise<StoredResponse | undefined> {
		if (!isAccepted) {
			this.#refuseAndDelete('filtered');
			return undefined;
		}

		const announcing = this.#listener.onComposed(stored);
		return announcing instanceof Promise ? announcing.then(() => stored) : stored;
	}

	/** Refuses a response, and deletes the stored one, since an older response is no better. */
	#refuseAndDelete(reason: WriteReason | 'filtered'): void {
		this.#listener.onRefused(reason);
		if (this.#state.match.stored !== undefined) {
			this.deleteStored(reason);
		}
	}

	/** Writes a response, unless an invalidation since its request was sent concerns it. */
	#write(key: string, composed: MaybePromise<StoredResponse | undefined>, reason: 'stored' | 'revalidated', received: number): void {
		const write = new ResponseWrite(this.#state, {
			key, composed, reason, received, invalidating: this.#invalidating, outcome: this.#expect(), onRefused: this.#listener.onRefused,
		});
		if (!this.#state.cache.writes.save(write)) {
			write.drop();
		}
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
		try {
			const value = action();
			if (value instanceof Promise) {
				return performed(value, report, outcome);
			}

			outcome?.done();
			return value;
		} catch (error) {
			report(error);
			outcome?.failed(error);
			return undefined;
		}
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

async function performed<Value>(performing: Promise<Value>, report: (error: unknown) => void, outcome: Outcome | undefined): Promise<Value | undefined> {
	try {
		const value = await performing;
		outcome?.done();
		return value;
	} catch (error) {
		report(error);
		outcome?.failed(error);
		return undefined;
	}
}

const noTags: readonly string[] = [];
const noCodings: readonly string[] = [];

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
