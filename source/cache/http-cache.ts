import {randomUUID} from 'node:crypto';
import {EventEmitter} from 'node:events';
import process from 'node:process';
import {varyDigest, variantKey} from '../matching/key.ts';
import type {StoredResponse, Variation} from '../model/stored-response.ts';
import type {Fields} from '../policy/fields.ts';
import {nominatedFields} from '../policy/vary.ts';
import {
	decodeBytes,
	decodeText,
	encodeBytes,
	encodeText,
} from '../serializers/envelope.ts';
import {guardStore} from '../stores/guard.ts';
import {openStore, type StoreSetting} from '../stores/open.ts';
import type {Store, StoredValue} from '../stores/types.ts';
import {invalidationsOf, type Invalidations} from './invalidations.ts';
import {chain, type MaybePromise} from './maybe-promise.ts';
import {PartitionSecret, secretKey} from './partition-secret.ts';
import {WriteQueue} from './write-queue.ts';

export type HttpCacheOptions = {
	readonly store: StoreSetting;
	readonly cacheName: string;
	readonly storeTimeout: number;
	readonly failFast: boolean;
	readonly autoclose: boolean;
	readonly now: () => number;
	readonly partitionSecret?: string | Uint8Array | undefined;
};

/**
A stored response and where it lies: under the primary key, or under its variant's.
*/
export type Match = {
	readonly primary: string;
	readonly key: string;
	readonly stored: StoredResponse;
};

/** Nothing stored matches; other variants of the resource may be stored. */
export type NoMatch = {
	readonly stored: undefined;
	readonly varies: boolean;

	/** Variants that can be validated: the origin may choose one of them (RFC 9111 §4.3.1). */
	readonly others: readonly Match[];
};

// So many variants are offered to the origin for validation; each is read from the store.
const offered = 8;

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
	readonly #invalidations: Invalidations;
	readonly #secret: PartitionSecret;
	readonly #held = new Set<Promise<void>>();
	readonly #writes = new WriteQueue((key, error) => {
		this.report('storeError', {operation: 'set', key, error});
	});

	/**
	Opens nothing yet: a store is opened at its first use.

	@throws {TypeError} Where `store` is of no known shape.
	*/
	constructor({store, cacheName, storeTimeout, failFast, autoclose, now, partitionSecret}: HttpCacheOptions) {
		super();
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
	}

	/** What credentials are digested with: the `partitionSecret` of the settings, or one that is kept in the store. */
	readonly secret = (): MaybePromise<string | Uint8Array> => this.#secret.get();

	/**
	The stored response for a primary key and the request's header fields: one read, or two where it varies.
	*/
	match(key: string, request: Fields): MaybePromise<Match | NoMatch> {
		const pending = this.#writes.pending(key, this.#storeTimeout);
		return pending === undefined ? this.#match(key, request) : chain(pending, () => this.#match(key, request));
	}

	/**
	Stores what the task gives, after what is pending for the key. Those who match the key from now on wait for it.

	@param task - `undefined` stores nothing.
	*/
	save(key: string, request: Fields, task: () => MaybePromise<StoredResponse | undefined>): void {
		this.#writes.run(key, () => chain(task(), stored => stored === undefined ? undefined : this.#save(key, request, stored)));
	}

	/** Writes an entry again where it lies. */
	replace(key: string, stored: StoredResponse): void {
		this.#writes.run(key, () => this.#write(key, stored));
	}

	/**
	Deletes one entry; where it is a primary one, its variants can no longer be found.
	*/
	delete(key: string): void {
		this.#writes.run(key, () => chain(this.#store.delete(key), () => undefined));
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

	/** Work that `idle` and `close` wait for. The promise must not reject. */
	hold(work: Promise<void>): void {
		this.#held.add(work);
		void (async () => {
			await work;
			this.#held.delete(work);
		})();
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

	#match(primary: string, request: Fields): MaybePromise<Match | NoMatch> {
		return chain(this.#read(primary), stored => {
			if (stored === undefined) {
				return {stored, varies: false, others: []};
			}

			const match = {primary, key: primary, stored};
			if (stored.vary === undefined) {
				return match;
			}

			return chain(this.#secret.get(), secret => {
				const variant = varyDigest(secret, stored.vary!.names, request);
				return variant === stored.vary!.digest ? match : this.#matchVariant(match, variant);
			});
		});
	}

	#matchVariant(match: Match, variant: string): MaybePromise<Match | NoMatch> {
		return chain(this.#readVariant(match, variant), found => found ?? chain(
			this.#readOthers(match, match.stored.vary?.others ?? [], [match]),
			others => ({stored: undefined, varies: true, others}),
		));
	}

	#readOthers(match: Match, [digest, ...rest]: readonly string[], found: readonly Match[]): MaybePromise<readonly Match[]> {
		return digest === undefined ? found.filter(({stored}) => stored.fields.etag !== undefined) : chain(this.#readVariant(match, digest), other => this.#readOthers(match, rest, other === undefined ? found : [...found, other]));
	}

	#readVariant({primary, stored: {generation}}: Match, variant: string): MaybePromise<Match | undefined> {
		const key = variantKey(generation, variant);
		return chain(this.#read(key), stored => stored?.vary?.digest === variant ? {primary, key, stored} : undefined);
	}

	#save(key: string, request: Fields, stored: StoredResponse): MaybePromise<void> {
		const names = nominatedFields(stored.fields);
		return names.length === 0
			? this.#write(key, withoutVariation(stored))
			: chain(this.#secret.get(), secret => this.#saveVarying(key, stored, {names, digest: varyDigest(secret, names, request)}));
	}

	#saveVarying(key: string, stored: StoredResponse, {names, digest}: Variation): MaybePromise<void> {
		return chain(this.#read(key), primary => {
			if (primary?.vary?.names.join(',') !== names.join(',')) {
				// Variants by other names must not be found through this one.
				return this.#write(key, {...stored, vary: {names, digest}, generation: newGeneration()});
			}

			const {generation, vary} = primary;
			const others = vary.others ?? [];
			if (vary.digest === digest) {
				return this.#write(key, {...stored, generation, vary: {names, digest, others}});
			}

			return chain(this.#write(variantKey(generation, digest), {...stored, generation, vary: {names, digest}}), () => {
				// A variant that is known already costs no second write.
				const isNew = stored.fields.etag !== undefined && !others.includes(digest);
				return isNew ? this.#write(key, {...primary, vary: {...vary, others: [digest, ...others].slice(0, offered)}}) : undefined;
			});
		});
	}

	#read(key: string): MaybePromise<StoredResponse | undefined> {
		return chain(this.#store.get(key), value => {
			if (value === undefined) {
				return undefined;
			}

			try {
				return this.#decode(value);
			} catch (error) {
				this.report('storeError', {operation: 'decode', key, error});
				void this.#store.delete(key);
				return undefined;
			}
		});
	}

	#write(key: string, stored: StoredResponse): MaybePromise<void> {
		return chain(this.#secret.keep(), () => this.#store.set(key, this.#encode(stored), {
			expires: stored.retainUntil,
			size: stored.body.byteLength + JSON.stringify(stored.rawHeaders).length,
		}));
	}

	#encode(stored: StoredResponse): StoredValue {
		switch (this.#store.holds) {
			case 'objects': {
				return stored;
			}

			case 'bytes': {
				return encodeBytes(stored);
			}

			case 'text': {
				return encodeText(stored);
			}
		}
	}

	#decode(value: StoredValue): StoredResponse {
		if (typeof value === 'string') {
			return decodeText(value);
		}

		return value instanceof Uint8Array ? decodeBytes(value) : value as StoredResponse;
	}
}

function withoutVariation({vary: _vary, ...stored}: StoredResponse): StoredResponse {
	return stored;
}

/** The name of a generation: variants found through one are not found through the next. */
export function newGeneration(): string {
	return randomUUID();
}
