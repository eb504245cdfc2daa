import {composeResponse, withTags, type ReceivedResponse} from '../cache/compose-response.ts';
import type {CacheCore} from '../cache/core.ts';
import type {AsyncContext} from '../cache/reporter.ts';
import type {Outcome, QueuedResponse, WriteSize} from '../cache/writes.ts';
import type {Match} from '../cache/entries.ts';
import type {Invalidation} from '../cache/journal-records.ts';
import {describe, SettingError} from '../errors.ts';
import {
	identify,
	siblingOf,
	type Identity,
} from '../identity/identify.ts';
import type {SentRequest} from '../identity/sent-request.ts';
import type {StoredRequest} from '../identity/stored-request.ts';
import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import {CachedResponse} from '../entry/cached-response.ts';
import {decodableCodings, decodeContent} from '../entry/content-coding.ts';
import {
	type Body,
	bodyBytes,
	bodyLength,
	type StoredResponse,
	storedSize,
} from '../entry/stored-response.ts';
import {outdates} from '../policy/facts.ts';
import {areTagsBounded, tagsOf, type Fields} from '../policy/fields.ts';
import type {Reason, ResponseHead, WriteReason} from '../policy/types.ts';
import {invalidatedBy} from '../policy/response-rules.ts';
import type {TagCallback} from '../settings/settings.ts';
import {settingOfKey} from './settings.ts';
import {keysOfTarget, resourceInvalidations} from './unsafe-requests.ts';
import type {ExchangeState} from './state.ts';

/** What follows from the writes of an exchange. */
export type WriteListener = {
	/** Called if the response is not stored, for a reason that holds for the requests that wait for it as well. */
	readonly onRefused: (reason: Reason) => void;

	/** Called if the response, which other requests may have, could not be stored. */
	readonly onUnstored: (reason: WriteReason) => void;

	/** Called once the store has taken the response. */
	readonly onStored: (reason: 'stored' | 'revalidated') => void;

	/** Called when the response is complete, before it is stored. */
	readonly onComposed: (stored: StoredResponse) => MaybePromise<void>;
};

/** A body and the header fields that came before it. */
type ReceivedContent = {readonly body: Body; readonly fields: Fields};

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
			this.#listener.onRefused('error');
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
		this.#write(key, this.#compose(identity, received, content), 'stored', bodyLength(content.body));
		return undefined;
	}

	#storeAs(identity: Identity, received: ReceivedResponse, content: ReceivedContent): MaybePromise<void> {
		const {settings, cache} = this.#state;
		return then(then(identity.key(settings.secret), key => cache.checkedKey(key)), key => {
			if (key === undefined) {
				this.#listener.onRefused('key-refused');
				this.#finish();
			} else {
				this.#write(key, this.#compose(identity, received, content), 'stored', bodyLength(content.body));
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

	async #composeLater(request: Promise<StoredRequest>, received: ReceivedResponse, body: Body): Promise<StoredResponse | undefined> {
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
		const {request, facts, settings, cache} = this.#state;
		const invalid = invalidatedBy(facts, response);
		if (invalid.length === 0) {
			return false;
		}

		this.#invalidating = this.#invalidate(resourceInvalidations(request, invalid, settings));
		for (const {url} of invalid) {
			this.#withKeys(() => then(keysOfTarget(request, url, settings), keys => {
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

	#decode(body: Body, codings: readonly string[]): MaybePromise<Body | undefined> {
		if (codings.length === 0) {
			return body;
		}

		return then(decodeContent(bodyBytes(body), codings, this.#state.settings.maxEntryBytes), content => {
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
			this.#refuseAndDelete('filtered');
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

	/** Refuses the response, and deletes the stored one if it is outdated, since an older response is no better. */
	#refuseAndDelete(reason: Reason): void {
		this.#listener.onRefused(reason);
		const {facts, match, statusCode} = this.#state;
		if (outdates(facts, statusCode!, match.stored)) {
			this.deleteStored(reason);
		}
	}

	/** Writes a response, unless an invalidation since its request was sent concerns it. */
	#write(key: string, composed: MaybePromise<StoredResponse | undefined>, reason: 'stored' | 'revalidated', received: number): void {
		const write = new ResponseWrite(this.#state, {
			key, composed, reason, received, invalidating: this.#invalidating, outcome: this.#expect(), listener: this.#listener,
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
			cache.events.emit('settingError', {setting: settingOfKey(error, settings), error});
			onFault?.();
		});
	}

	/** Runs an action, for which `whenWritten` waits, and reports its fault. */
	#perform<Value>(action: () => MaybePromise<Value>, report: (error: unknown) => void): MaybePromise<Value | undefined> {
		const outcome = this.#expect();
		return recover(() => then(action(), value => {
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
const noCodings: readonly string[] = [];

/** Returns the tags from the user's function; `undefined` if it fails, which a `settingError` event reports: a response that cannot be deleted by its tags is not stored. */
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

type WriteOptions = {
	readonly key: string;
	readonly reason: 'stored' | 'revalidated';

	/** The response to write; `undefined` if it is not stored. */
	readonly composed: MaybePromise<StoredResponse | undefined>;

	/** The bytes that were received. */
	readonly received: number;

	/** The position of the request's own invalidations, once they are in the store. */
	readonly invalidating: MaybePromise<number | undefined>;

	/** With `failFast`, the outcome that is waited for. */
	readonly outcome: Outcome | undefined;

	readonly listener: Omit<WriteListener, 'onComposed'>;
};

/** The write of the response of an exchange, unless an invalidation since its request was sent concerns it. */
class ResponseWrite implements QueuedResponse {
	readonly key: string;
	#size: WriteSize | undefined;
	readonly #state: ExchangeState;
	readonly #options: WriteOptions;
	readonly #composed: MaybePromise<StoredResponse | undefined>;

	constructor(state: ExchangeState, options: WriteOptions) {
		const {key, composed, received} = options;
		this.#state = state;
		this.#options = options;
		this.key = key;
		if (composed instanceof Promise) {
			this.#size = {bytes: received};
			this.#composed = this.#resize(composed, this.#size);
			// `prepare` reports a fault. Until it runs, the fault must not be an unhandled rejection.
			this.#composed.catch(() => undefined);
		} else {
			this.#composed = composed;
		}
	}

	get size(): WriteSize {
		this.#size ??= {bytes: this.#composed === undefined ? 0 : storedSize(this.#composed as StoredResponse)};
		return this.#size;
	}

	get request(): SentRequest {
		return this.#state.request;
	}

	get context(): AsyncContext | undefined {
		return this.#state.context;
	}

	prepare(): MaybePromise<StoredResponse | undefined> {
		const {invalidating} = this.#options;
		if (invalidating instanceof Promise || this.#composed instanceof Promise) {
			return this.#prepareLater();
		}

		this.#state.advanceTo(invalidating);
		return this.#composed === undefined ? undefined : this.#unlessInvalidated(this.#composed);
	}

	isStillValid(stored: StoredResponse): MaybePromise<boolean> {
		const position = this.#verify(stored);
		return position instanceof Promise ? position.then(isPosition) : isPosition(position);
	}

	saved(): void {
		const {listener, reason} = this.#options;
		this.#state.cache.events.written('stored', this, reason, this);
		listener.onStored(reason);
	}

	refused(reason: WriteReason): void {
		this.#options.listener.onUnstored(reason);
	}

	done(): void {
		this.#options.outcome?.done();
		this.#finish();
	}

	failed(error: unknown): void {
		this.#options.outcome?.failed(error);
		this.#finish();
	}

	/** Ends the write, since there is no room for it. */
	drop(): void {
		this.#options.outcome?.done();
		this.#options.listener.onRefused('queue-full');
		this.#finish();
	}

	async #prepareLater(): Promise<StoredResponse | undefined> {
		this.#state.advanceTo(await this.#options.invalidating);
		const stored = await this.#composed;
		return stored && this.#unlessInvalidated(stored);
	}

	/** Counts the bytes of a response towards `maxPendingBytes` once its body is decoded. */
	async #resize(composing: Promise<StoredResponse | undefined>, size: WriteSize): Promise<StoredResponse | undefined> {
		const stored = await composing;
		if (stored === undefined || this.#state.cache.writes.resize(this.key, size, storedSize(stored))) {
			return stored;
		}

		this.#options.listener.onRefused('queue-full');
		return undefined;
	}

	#unlessInvalidated(stored: StoredResponse): MaybePromise<StoredResponse | undefined> {
		const position = this.#verify(stored);
		return position instanceof Promise ? this.#positionedLater(stored, position) : this.#positioned(stored, position);
	}

	async #positionedLater(stored: StoredResponse, position: Promise<number | undefined>): Promise<StoredResponse | undefined> {
		return this.#positioned(stored, await position);
	}

	/** Returns the response with the position at which it is stored; `undefined` if an invalidation concerns it. */
	#positioned(stored: StoredResponse, position: number | undefined): StoredResponse | undefined {
		if (position === undefined) {
			this.#options.listener.onRefused('invalidated');
			return undefined;
		}

		return position > 0 ? {...stored, position} : stored;
	}

	/** Returns the position at which a response is stored; `undefined` if an invalidation since its request was sent concerns it. */
	#verify({tags = noTags}: StoredResponse): MaybePromise<number | undefined> {
		const {cache, sent} = this.#state;
		return cache.verify(this.#state.subjectWith(tags, this.key), sent!.position);
	}

	/** Ends the exchange, and the wait of the requests that still wait for it. */
	#finish(): void {
		this.#state.inFlight?.end('failed');
		this.#state.end();
	}
}

function isPosition(position: number | undefined): boolean {
	return position !== undefined;
}
