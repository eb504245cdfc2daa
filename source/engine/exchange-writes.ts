import type {CacheCore} from '../cache/core.ts';
import {composeResponse, withTags, type ReceivedResponse} from '../cache/compose-response.ts';
import type {Match, NoMatch} from '../cache/variants.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import {identify, resourceOfRequest, siblingOf} from '../identity/identify.ts';
import {CachedResponse} from '../model/cached-response.ts';
import type {StoredResponse} from '../model/stored-response.ts';
import type {Fields} from '../policy/fields.ts';
import {invalidatedUrls} from '../policy/invalidation.ts';
import type {WriteReason} from '../policy/reasons.ts';
import {areTagsBounded, tagsOf} from '../policy/tags.ts';
import type {ResponseHead} from '../policy/types.ts';
import {decodableCodings, decodeContent} from './content-coding.ts';
import {readKeys, settingOfKey} from './exchange-keys.ts';
import type {ExchangeSettings} from './exchange-settings.ts';
import type {OutgoingRequest} from './exchange-types.ts';
import {accepts, tagsGiven} from './filter.ts';

/** What a write needs to know of its exchange. */
export type WriteContext = {
	/** The request's own key; `undefined` where its response is stored for a GET. */
	readonly key: string | undefined;

	/** What was stored when the request was sent. */
	readonly match: Match | NoMatch;

	/** How many invalidations there had been when the request was sent. */
	readonly invalidations: number;

	/** When the request was sent. */
	readonly sent: number;
};

/** Who is told what becomes of a response. */
export type WriteWatcher = {
	/** It is not stored after all. */
	readonly refuse: (reason: WriteReason | 'filtered') => void;

	/** It is about to be stored, as it is here. */
	readonly composed: (stored: StoredResponse) => MaybePromise<void>;
};

type Task = () => MaybePromise<StoredResponse | undefined>;

/**
What an exchange writes and deletes. Nobody waits for it, so that its faults are told and not thrown.
*/
export class ExchangeWrites {
	readonly #cache: CacheCore;
	readonly #settings: ExchangeSettings;
	readonly #request: OutgoingRequest;
	readonly #watcher: WriteWatcher;

	constructor(cache: CacheCore, settings: ExchangeSettings, request: OutgoingRequest, watcher: WriteWatcher) {
		this.#cache = cache;
		this.#settings = settings;
		this.#request = request;
		this.#watcher = watcher;
	}

	/** Whether the user's filter lets it be stored and used. */
	accepts(stored: StoredResponse, key: string | undefined): MaybePromise<boolean> {
		const {filterFn, now} = this.#settings;
		return filterFn === undefined || accepts(filterFn, new CachedResponse(key ?? '', stored, now), this.#cache);
	}

	/** Stores a response under the key that its very request has: a HEAD's never takes the place of a GET's. */
	store(received: ReceivedResponse, {body, fields}: {readonly body: Uint8Array; readonly fields: Fields}, context: WriteContext): void {
		const codings = this.#settings.storeEncoded ? [] : decodableCodings(fields);
		const identity = identify(context.key === undefined ? siblingOf(this.#request, 'GET') : this.#request, this.#settings);
		this.#quietly(() => then(context.key ?? then(identity.key(this.#settings.secret), made => this.#cache.checkedKey(made)), key => {
			if (key === undefined) {
				return;
			}

			// Now, and not when its turn to be written has come: others may wait for it, and the store may be slow.
			const composed = then(this.#decode(body, codings), content => content && then(identity.stored(this.#settings.secret), stored => this.#tagged(composeResponse(received, {body: content, codings, request: stored}), context)));
			this.#write(key, () => composed, {...context, reason: 'stored'}, body.byteLength);
			return composed instanceof Promise ? composed.then(() => undefined) : undefined;
		}));
	}

	/** Stores a response anew where it was found. */
	renew(stored: StoredResponse, context: WriteContext): void {
		const {primary} = context.match as Match;
		const accepted = this.#filtered(stored, context);
		this.#write(primary, () => accepted, {...context, reason: 'revalidated'}, stored.byteLength);
	}

	/** Whether the resource was changed after so many invalidations. */
	isChangedSince(count: number): boolean {
		return this.#cache.invalidations.isChangedSince(this.#request, count);
	}

	/**
	RFC 9111 §4.4: what an unsafe request may have changed is forgotten.

	@returns Whether there is anything that it may have.
	*/
	invalidate(response: ResponseHead): boolean {
		const {cacheControl, disabled, readOnly, now} = this.#settings;
		if (!cacheControl || disabled || readOnly) {
			return false;
		}

		const {method, override = method, targetUrl: target} = this.#request;
		const urls = [method, override].flatMap(asked => invalidatedUrls({method: asked, url: target}, response));
		for (const url of new Set(urls)) {
			this.#cache.invalidations.add(resourceOfRequest(siblingOf(this.#request, method, url)), now());
			this.#quietly(() => then(readKeys(this.#request, url, this.#settings), keys => {
				for (const key of keys) {
					if (key !== undefined) {
						this.#cache.delete(key, 'invalidated');
					}
				}
			}));
		}

		return urls.length > 0;
	}

	#decode(body: Uint8Array, codings: readonly string[]): MaybePromise<Uint8Array | undefined> {
		if (codings.length === 0) {
			return body;
		}

		return then(decodeContent(body, codings, this.#settings.maxEntryBytes), content => {
			if (content === undefined) {
				this.#watcher.refuse('undecodable');
			}

			return content;
		});
	}

	#tagged(stored: StoredResponse, context: WriteContext): MaybePromise<StoredResponse | undefined> {
		const {tags: tagsFor, requestTags, now} = this.#settings;
		const tags = tagsFor === undefined ? [] : tagsGiven(tagsFor, new CachedResponse(context.key ?? '', stored, now), this.#cache);
		if (tags === undefined) {
			this.#watcher.refuse('filtered');
			return undefined;
		}

		const all = [...tagsOf(stored.fields), ...requestTags, ...tags];
		if (!areTagsBounded(all)) {
			this.#refuseInPlace('too-many-tags', context);
			return undefined;
		}

		return this.#filtered(withTags(stored, all), context);
	}

	#filtered(stored: StoredResponse, context: WriteContext): MaybePromise<StoredResponse | undefined> {
		return then(this.accepts(stored, context.key), accepted => {
			if (accepted) {
				return then(this.#watcher.composed(stored), () => stored);
			}

			this.#refuseInPlace('filtered', context);
			return undefined;
		});
	}

	/** What is not stored takes the place of what is, all the same. */
	#refuseInPlace(reason: 'filtered' | 'too-many-tags', {match}: WriteContext): void {
		this.#watcher.refuse(reason);
		if (match.stored !== undefined) {
			this.#cache.delete(match.key, reason);
		}
	}

	// What was asked for before the resource was changed may be of before, too.
	#write(key: string, task: Task, context: WriteContext & {readonly reason: 'stored' | 'revalidated'}, bytes: number): void {
		if (this.isChangedSince(context.invalidations)) {
			this.#watcher.refuse('invalidated');
			return;
		}

		this.#cache.invalidations.renew(this.#request, key);
		const {sent, reason} = context;
		const stamped: Task = () => then(task(), stored => stored && then(this.#cache.stamp(stored, sent), current => {
			if (current === undefined) {
				this.#watcher.refuse('invalidated');
			}

			return current;
		}));
		const hasRoom = this.#cache.save(key, this.#request.fields, stamped, {
			bytes,
			whenSaved: () => {
				this.#cache.written('stored', {reason, key, request: this.#request});
			},
		});
		if (!hasRoom) {
			this.#watcher.refuse('queue-full');
		}
	}

	#quietly(action: () => MaybePromise<void>): void {
		const tell = (error: unknown): void => {
			this.#cache.report('settingError', {setting: settingOfKey(this.#settings), error});
		};

		try {
			const result = action();
			if (result instanceof Promise) {
				result.catch(tell);
			}
		} catch (error) {
			tell(error);
		}
	}
}
