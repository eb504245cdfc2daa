import {EventEmitter} from 'node:events';
import process from 'node:process';
import {isCall, type StoredResponse} from '../model/stored-response.ts';
import type {Fields} from '../policy/fields.ts';
import {guardStore} from '../stores/guard.ts';
import {openStore, type StoreSetting} from '../stores/open.ts';
import type {Store} from '../stores/types.ts';
import {Entries} from './entries.ts';
import {invalidationsOf, type Invalidations} from './invalidations.ts';
import {chain, type MaybePromise} from './maybe-promise.ts';
import {PartitionSecret, secretKey} from './partition-secret.ts';
import {KeyMigration, type LongTask, type RecreatedKeys} from './recreate-keys.ts';
import {redactAgain, remakeKey, type KeyMaking} from './request-keys.ts';
import {Variants, type Match, type NoMatch} from './variants.ts';
import {WriteQueue} from './write-queue.ts';

export type HttpCacheOptions = {
	readonly store: StoreSetting;
	readonly cacheName: string;
	readonly storeTimeout: number;
	readonly failFast: boolean;
	readonly autoclose: boolean;
	readonly now: () => number;
	readonly partitionSecret?: string | Uint8Array | undefined;
} & KeyMaking;

/**
What happened in the store, and was kept from the request.
*/
export type StoreErrorEvent = {
	readonly operation: string;
	readonly key?: string;
	readonly error: unknown;
};

export type CacheEvents = {
	/** A store call failed or took too long, or what it gave could not be read. */
	storeError: [StoreErrorEvent];

	/** A function given in the settings failed; the request went on. */
	settingError: [{readonly setting: string; readonly error: unknown}];

	/** A refresh in the background failed; what is stored stays. */
	backgroundError: [{readonly error: unknown}];

	/** A fault of this library's, kept from the request: please report it. */
	internalError: [{readonly error: unknown}];
};

/**
Stored responses by key. Faults of the store are misses and events, never errors.
*/
export class HttpCache extends EventEmitter<CacheEvents> implements AsyncDisposable {
	readonly #store: Store;
	readonly #closes: boolean;
	readonly #storeTimeout: number;
	readonly #keys: KeyMaking;
	readonly #invalidations: Invalidations;
	readonly #secret: PartitionSecret;
	readonly #entries: Entries;
	readonly #variants: Variants;
	readonly #held = new Set<Promise<void>>();
	readonly #writes = new WriteQueue((key, error) => {
		this.report('storeError', {operation: 'set', key, error});
	});

	/**
	Opens nothing yet: a store is opened at its first use.

	@throws {TypeError} Where `store` is of no known shape.
	*/
	constructor({store, cacheName, storeTimeout, failFast, autoclose, now, partitionSecret, ...keys}: HttpCacheOptions) {
		super();
		this.#keys = keys;
		const opened = openStore(store, {cacheName, now});
		this.#closes = opened.owned || autoclose;
		this.#storeTimeout = storeTimeout;
		this.#invalidations = invalidationsOf(store, cacheName);
		this.#store = guardStore(opened.store, {
			timeout: storeTimeout,
			failFast,
			now,
			onError: event => {
				this.report('storeError', event);
			},
		});
		this.#secret = new PartitionSecret({
			// A secret that cannot be read must not be taken for one that is not there: it would be overwritten.
			store: guardStore(opened.store, {timeout: storeTimeout, failFast: true, now}),
			given: partitionSecret,
			onFault: (operation, error) => {
				if (failFast) {
					throw error;
				}

				this.report('storeError', {operation, key: secretKey, error});
			},
		});
		this.#entries = new Entries(this.#store, () => this.#secret.keep(), (key, error) => {
			this.report('storeError', {operation: 'decode', key, error});
		});
		this.#variants = new Variants(this.#entries, this.secret);
	}

	/** What credentials are digested with: the `partitionSecret` of the settings, or one that is kept in the store. */
	readonly secret = (): MaybePromise<string | Uint8Array> => this.#secret.get();

	/**
	The stored response for a primary key and the request's header fields: one read, or two where it varies.
	*/
	match(key: string, request: Fields): MaybePromise<Match | NoMatch> {
		const pending = this.#writes.pending(key, this.#storeTimeout);
		return pending === undefined ? this.#variants.match(key, request) : chain(pending, () => this.#variants.match(key, request));
	}

	/**
	Stores what the task gives, after what is pending for the key. Those who match the key from now on wait for it.

	@param task - `undefined` stores nothing.
	*/
	save(key: string, request: Fields, task: () => MaybePromise<StoredResponse | undefined>): void {
		this.#writes.run(key, () => chain(task(), stored => stored === undefined ? undefined : this.#variants.save(key, request, stored)));
	}

	/** Writes an entry again where it lies. */
	replace(key: string, stored: StoredResponse): void {
		this.#writes.run(key, () => this.#entries.write(key, stored));
	}

	/**
	Deletes one entry; where it is a primary one, its variants can no longer be found.
	*/
	delete(key: string): void {
		this.#writes.run(key, () => chain(this.#store.delete(key), () => undefined));
	}

	/**
	Deletes what is found to be of a kind, and says how many entries there were. Everything stored is looked at.

	@throws Where the store cannot list what it holds.
	*/
	async deleteWhere(isMeant: (stored: StoredResponse) => boolean): Promise<number> {
		await this.written();
		let count = 0;
		for await (const {key, stored} of this.#entries.list()) {
			if (stored === undefined || !isMeant(stored)) {
				continue;
			}

			this.delete(key);
			count++;
		}

		await this.written();
		return count;
	}

	/** What unsafe requests have changed, in this process. */
	get invalidations(): Invalidations {
		return this.#invalidations;
	}

	/** Deletes everything stored. */
	async clear(): Promise<void> {
		await this.idle();
		await this.#store.clear();
		this.#secret.forget();
	}

	/**
	Moves what is stored to the keys that the settings of this cache give, after settings that part keys have changed (`matchHeaders`, `ignoredParameters`, `contentRootKey`, `partitionBy`, `cacheControl`, `keyFn`), or when the format of our keys has.

	Nobody gets what was not theirs: an entry is dropped where what parts it now was redacted when it was stored, as with a credential that only now counts, or where a `keyFn` would have to see that. Where two entries meet under one key, the newer one stays. What the settings ignore now is redacted in what was stored before, too.

	@throws Where the store cannot list what it holds, or `signal` ends it; with what the settings' functions throw.

	@example
	```
	const client = got.extend(cacheHooks({ignoredParameters: [...DEFAULT_IGNORED_PARAMETERS, 'utm_source']}));
	await getCache(client).recreateKeys();
	//=> {kept: 120, moved: 14, dropped: 3}
	```
	*/
	async recreateKeys(task: LongTask = {}): Promise<RecreatedKeys> {
		await this.idle();
		const migration = new KeyMigration({
			...task,
			entries: this.#entries,
			remove: key => this.#store.delete(key),
			keyFor: (stored, key) => stored.request === undefined || isCall(stored) ? key : remakeKey(stored.request, this.#keys, this.secret),
			redact: stored => redactAgain(stored, this.#keys),
		});
		return migration.run();
	}

	/** Work that `idle` and `close` wait for. The promise must not reject. */
	hold(work: Promise<void>): void {
		this.#held.add(work);
		void (async () => {
			await work;
			this.#held.delete(work);
		})();
	}

	/** Resolves when everything is written that is pending. */
	async written(): Promise<void> {
		await this.#writes.idle();
	}

	/** Resolves when all refreshes in the background have ended and everything is written. */
	async idle(): Promise<void> {
		while (this.#held.size > 0) {
			// eslint-disable-next-line no-await-in-loop -- More may begin while these end.
			await Promise.all(this.#held);
		}

		await this.#writes.idle();
	}

	/**
	Waits for refreshes and pending writes, then closes the store if this library opened it or `autoclose` is set.
	*/
	async close(): Promise<void> {
		await this.idle();
		if (this.#closes) {
			await this.#store.close();
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.close();
	}

	/**
	Emits an event; a listener that throws harms no request.
	*/
	report<Event extends keyof CacheEvents>(event: Event, ...payload: CacheEvents[Event]): void {
		try {
			// The typed emitter cannot relate a generic name to its payload.
			(this as EventEmitter).emit(event, ...payload);
		} catch (error) {
			process.emitWarning(error instanceof Error ? error : String(error));
		}
	}
}
