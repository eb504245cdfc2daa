import {Buffer} from 'node:buffer';
import type {EventEmitter} from 'node:events';
import {CacheHooksError} from '../errors.ts';
import {isRecordKey} from '../identity/key.ts';
import {redactUrl} from '../identity/references.ts';
import {
	longestTimer,
	recover,
	then,
	withinTime,
	type MaybePromise,
} from '../maybe-promise.ts';
import type {StoredResponse} from '../entry/stored-response.ts';
import type {Fields} from '../policy/fields.ts';
import type {Reason} from '../policy/reasons.ts';
import type {ResolvedSettings} from '../settings/settings.ts';
import {type CircuitState, Circuits} from '../stores/circuits.ts';
import {guardStore, LateWrites, isReadOnlyError} from '../stores/guard.ts';
import {openStore} from '../stores/open.ts';
import type {Store} from '../stores/types.ts';
import {isAlias} from './compose-response.ts';
import {maxSerializedBytes, serializerOf} from './default-serializers.ts';
import {
	Entries,
	unread,
	Variants,
	type Match,
	type NoMatch,
} from './entries.ts';
import {
	EventHub,
	Figures,
	type Answered,
	type AnswerEvent,
	type CacheEventName,
	type CacheEvents,
	type RemovalEvent,
	type StoreErrorEvent,
	type WriteEvent,
} from './events.ts';
import {
	Journal,
	type Position,
	type Subject,
	type Use,
} from './journal.ts';
import {localJournalOf} from './local-journal.ts';
import {Locks} from './locks.ts';
import {PartitionSecret, secretKey} from './partition-secret.ts';
import {StoreMark} from './store-mark.ts';
import {toldError} from './told-error.ts';
import {WriteQueue, type Held} from './write-queue.ts';

// The least time limit of the calls by which a user manages the cache, in milliseconds: no request waits for them.
const managementTimeout = 30_000;

const answerOfReason: Partial<Record<Reason, Answered>> = {
	fresh: 'hit',
	revalidated: 'revalidated',
	'max-stale': 'stale',
	'stale-while-revalidate': 'stale',
	'stale-if-error': 'stale',
};

type SaveOptions = {
	readonly held: Held;
	readonly isStillTrue: (stored: StoredResponse) => MaybePromise<boolean>;
	readonly whenSaved: () => void;
	readonly whenDone: () => void;
	readonly outcome?: Outcome | undefined;
};

type AnswerDetails = {
	readonly reason: Reason;
	readonly key: string | undefined;
	readonly request: {readonly method: string; readonly targetUrl: string};

	/** Whether the request was a refresh in the background. */
	readonly background: boolean;

	/** The stored response that was served, if one was. */
	readonly stored?: StoredResponse | undefined;
};

/** Called with how a write has ended. */
export type Outcome = {readonly done: () => void; readonly failed: (error: unknown) => void};

const noUse: Use = {resource: undefined};

/**
The core of a cache, which exchanges use: it reads and writes stored responses by key, and reports events. A fault of the store is a miss and an event; it is an error only with `failFast`.
*/
export class CacheCore {
	/** The `HttpCache` of the core. */
	readonly emitter: EventEmitter;

	/** Whether the cache was made to be read only: nothing reaches the store that would change it. */
	readonly isReadOnly: boolean;
	readonly events: EventHub;
	readonly figures: Figures;
	readonly journal: Journal;
	/** Marks a store that has variants, which are found through other entries alone. */
	readonly hidden: StoreMark;

	/** Marks a store that has entries which their URL alone does not find. */
	readonly aliases: StoreMark;
	readonly secrets: PartitionSecret;
	readonly variants: Variants;

	/** The store as it was opened, without time limit and circuit breaker, for what only some stores offer. */
	readonly store: Store;

	/** The store as the methods of `HttpCache` use it: with a longer time limit, and throwing its faults. */
	readonly managed: Store;
	readonly managedEntries: Entries;

	/** The same as `variants`, throwing faults of the store. */
	readonly managedVariants: Variants;
	readonly #guarded: Store;
	#settings: ResolvedSettings;
	readonly #closes: boolean;
	readonly #entries: Entries;

	/** The keys whose credentials the origin rejected when it was last asked. */
	readonly rejectedKeys: Set<string> = new Set<string>();
	readonly #held = new Set<Promise<void>>();
	readonly #stopWatching: (() => void) | undefined;
	readonly #writes: WriteQueue;

	/** There are none with `failFast`. */
	readonly #circuits: Circuits | undefined;

	/** How many calls of requests have failed so far. */
	#faults = 0;
	#lastFault: unknown;

	/** The locks by which one of several processes sends a request for a key. */
	readonly locks: Locks;

	/**
	Opens nothing yet: a store is opened at its first use.

	@param emitter - The `HttpCache` of the core, whose listeners get the events.
	@throws {TypeError} Where `store` is of no known shape, or `serializer` is none for it.
	*/
	constructor(settings: ResolvedSettings, emitter: EventEmitter) {
		const {store, cacheName, storeTimeout, failFast, autoclose, now, partitionSecret, maxBytes, maxEntries} = settings;
		this.#settings = settings;
		this.#writes = new WriteQueue({
			maxWrites: settings.maxPendingWrites,
			maxBytes: settings.maxPendingBytes,
			onError: (key, error) => {
				this.report('storeError', {operation: 'set', key, error});
			},
			onPending: write => {
				this.#handOver(write);
			},
		});
		this.emitter = emitter;
		this.events = new EventHub(emitter);
		this.figures = new Figures(now());
		const opened = openStore(store, {
			cacheName, now, maxBytes, maxEntries, storeTimeout, readOnly: settings.readOnly || settings.mode === 'replay',
		});
		this.isReadOnly = opened.isReadOnly;
		if (settings.mode !== undefined) {
			opened.store.keepRecordings?.();
		}

		this.store = opened.store;
		this.#closes = opened.owned || autoclose;
		this.#circuits = failFast
			? undefined
			: new Circuits({
				storeName: opened.store.name,
				onCircuit: (state, of) => {
					this.report('circuit', {state, of});
				},
				onOpen: error => {
					this.report('storeError', {operation: 'circuit', error});
				},
			});
		const guard = {timeout: storeTimeout, circuits: this.#circuits};
		this.#guarded = guardStore(opened.store, {
			...guard,
			throws: failFast,
			onError: event => {
				this.#faults++;
				this.#lastFault = toldError(event.error, this.settings.ignoredParameters);
				this.report('storeError', event);
			},
		});
		// A record that cannot be read must not be taken for one that is not there.
		const throwing = guardStore(opened.store, {...guard, throws: true});
		this.locks = new Locks(throwing, {setting: this.isReadOnly ? false : settings.lock, now});
		this.secrets = new PartitionSecret({
			store: throwing,
			given: partitionSecret,
			onFault: (operation, error) => {
				if (failFast) {
					throw error;
				}

				this.report('storeError', {operation, key: secretKey, error});
			},
		});
		this.journal = new Journal({
			local: localJournalOf(store, opened.cacheName),
			isShared: opened.store.isLocal !== true,
			isReadOnly: this.isReadOnly,
			store: throwing,
			now,
			onFault: error => {
				this.report('storeError', {operation: 'set', error});
			},
		});
		this.hidden = new StoreMark(throwing, 'hidden');
		this.aliases = new StoreMark(throwing, 'aliases');
		const common = {
			serializer: serializerOf(opened.store, settings),
			maxBytes: maxSerializedBytes(settings.maxEntryBytes),
			beforeWrite: (stored: StoredResponse) => then(this.secrets.isInUse ? this.secrets.keep() : undefined, () => isAlias(stored) ? this.aliases.setQuietly() : undefined),
			onUnreadable: (key: string, error: unknown) => {
				this.report('storeError', {operation: 'decode', key, error});
			},
		};
		this.#entries = new Entries({...common, store: this.#guarded, timeout: storeTimeout});
		this.variants = new Variants(this.#entries, this.secret, () => this.hidden.setQuietly());
		const managedTimeout = Math.max(storeTimeout, managementTimeout);
		this.managed = guardStore(opened.store, {timeout: managedTimeout, throws: true});
		this.managedEntries = new Entries({...common, store: this.managed, timeout: managedTimeout});
		this.managedVariants = new Variants(this.managedEntries, this.secret, () => this.hidden.set());
		this.#stopWatching = opened.store.watchEvictions?.(key => {
			if (isRecordKey(key)) {
				return;
			}

			this.figures.evicted++;
			this.removed('evicted', {reason: 'bounds', key});
		});
	}

	/** The last fault of a call for a request, without credentials. */
	get lastFault(): unknown {
		return this.#lastFault;
	}

	get settings(): ResolvedSettings {
		return this.#settings;
	}

	/** Takes other settings. The store keeps those with which it was opened. */
	reconfigure(settings: ResolvedSettings): void {
		this.#settings = settings;
	}

	/** Gives the secret of the digests of credentials: the `partitionSecret` of the settings, or one that is kept in the store. */
	readonly secret = (): MaybePromise<string | Uint8Array> => this.secrets.get();

	/**
	The stored response for a primary key and the request's header fields: one read, or two where it varies. A response that was invalidated since it was stored does not match.

	@param use - Whether unsafe methods invalidate the response, and the name of its resource.
	*/
	match(key: string, request: Fields, use: Use = noUse): MaybePromise<Match | NoMatch> {
		const pending = this.whenWritten(key);
		const match = (): MaybePromise<Match | NoMatch> => {
			const faults = this.#faults;
			const found = this.variants.match(key, request, use.isReadOnly);
			// An asynchronous store gets both questions in one batch.
			const head = found instanceof Promise ? this.#head(faults) : undefined;
			if (head instanceof Promise) {
				// Where there is no entry to read, or one that needs no head, nobody waits for it.
				head.catch(() => undefined);
			}

			return then(found, known => {
				// This request asks the store for nothing else, so that one fault is reported once.
				const isUnread = known.stored === undefined && (this.#faults !== faults || (this.#circuits?.hasFailed === true && this.#circuits.reads === 'open'));
				return isUnread ? unread : this.#current(known, use, head);
			});
		};

		return pending === undefined ? match() : then(pending, match);
	}

	/**
	Stores the response that a task gives, after the writes that are pending for the key. Lookups of the key wait for it from now on.

	`held` is the memory that the task holds until it is done. When the store has the response, `isStillTrue` is called: if it is not, the response is deleted, else `whenSaved` is called. `whenDone` is called at the end in any case. A task that gives `undefined` stores nothing. A caller that waits for the write gives an `outcome`.

	@returns Whether there was room for the task among the pending writes.
	*/
	save(key: string, request: Fields, task: () => MaybePromise<StoredResponse | undefined>, {held, isStillTrue, whenSaved, whenDone, outcome}: SaveOptions): boolean {
		const save = (stored: StoredResponse | undefined): MaybePromise<void> => {
			if (stored === undefined) {
				return undefined;
			}

			// It may have been deleted right before the store had it.
			const isTrue = then(this.variants.save(key, request, stored), () => isStillTrue(stored));
			return then(isTrue, is => {
				if (is) {
					whenSaved();
					return undefined;
				}

				return this.#remove(key, 'invalidated');
			});
		};

		return this.#writes.run(key, () => finallyDo(() => reportingTo(() => then(task(), save), outcome), whenDone), held);
	}

	/**
	Counts the memory that a task of `save` holds by now.

	@returns Whether there is room for it; if not, the task is to give nothing.
	*/
	resize(key: string, held: Held, bytes: number): boolean {
		return this.#writes.resize(key, held, bytes);
	}

	/**
	Verifies a response that was asked for at a position: nothing that was invalidated since, by any process, concerns it. Where the store cannot tell, a response with tags counts as concerned: what could not be deleted by its tags is better not stored.

	@returns The position that it is stored with; `undefined` where it must not be stored.
	*/
	verify(subject: Subject, after: Position): MaybePromise<number | undefined> {
		return this.#withoutFaults(() => this.journal.verify(subject, after), subject.tags.length > 0 ? undefined : after.head ?? 0);
	}

	/** Whether something that another process has invalidated after a position concerns a response. */
	hasChangedElsewhere(subject: Subject, after: Position): MaybePromise<boolean> {
		return this.#withoutFaults(() => this.journal.hasChangedElsewhere(subject, after), subject.tags.length > 0);
	}

	/**
	An entry as its invalidations leave it, for the methods of `HttpCache`.

	@returns `undefined` where a tag of it was deleted.
	@throws What the store throws.
	*/
	judge(stored: StoredResponse): MaybePromise<StoredResponse | undefined> {
		return stored.tags === undefined ? stored : then(this.journal.head(), head => this.journal.judge(stored, noUse, head));
	}

	/** Does the same as `judge` for an entry of another cache, whose position has no meaning here: invalidations since the entry was created count. */
	judgeForeign(stored: StoredResponse): MaybePromise<StoredResponse | undefined> {
		return stored.tags === undefined ? stored : then(this.journal.head(), head => this.journal.judge({...stored, position: Math.min(stored.createdAt, head)}, noUse, head));
	}

	/** An entry with the current position: no invalidation so far concerns it. */
	current(stored: StoredResponse): MaybePromise<StoredResponse> {
		return then(this.journal.position(), position => ({...stored, position}));
	}

	/** Resolves when the pending writes of a key are done, or after `storeTimeout`; at once where there are none. */
	whenWritten(key: string): MaybePromise<void> {
		const pending = this.#writes.pending.get(key);
		return pending === undefined ? undefined : withinTime(pending, this.settings.storeTimeout, undefined);
	}

	/**
	Checks that the store can hold a key.

	@throws {CacheHooksError} `ERR_KEY_TOO_LONG` where a `keyFn` made a longer one.
	*/
	checkedKey(key: string | undefined): string | undefined {
		const {name, maxKeyBytes = 8192} = this.store;
		const bytes = key === undefined ? 0 : Buffer.byteLength(key);
		if (bytes > maxKeyBytes) {
			throw new CacheHooksError('ERR_KEY_TOO_LONG', `The store \`${name}\` holds keys of up to ${maxKeyBytes} bytes, and \`keyFn\` made one of ${bytes}: make a digest of it`);
		}

		return key;
	}

	/** Whether the store is used (`closed`), left alone after faults (`open`), or tried again by one call (`half-open`), for reads and for writes. */
	get circuits(): {readonly reads: CircuitState; readonly writes: CircuitState} {
		const {reads = 'closed', writes = 'closed'} = this.#circuits ?? {};
		return {reads, writes};
	}

	/** The worse of the two: while reads are left out, writes are as well. */
	get circuit(): CircuitState {
		return this.circuits.writes;
	}

	/**
	Notes a fault of the store that a request goes on without.

	@throws The fault, with `failFast`.
	*/
	tolerate(operation: StoreErrorEvent['operation'], key: string, error: unknown): void {
		if (this.settings.failFast) {
			throw error;
		}

		this.report('storeError', {operation, key, error});
	}

	/** Opens the store and reads from it, throwing its faults. */
	async ready(): Promise<void> {
		await guardStore(this.store, {timeout: this.settings.storeTimeout, throws: true}).get(secretKey);
	}

	/**
	Deletes one entry; where it is a primary one, its variants can no longer be found.

	@param reason - The `reason` of the `deleted` event.
	*/
	delete(key: string, reason: string, outcome?: Outcome): void {
		this.#writes.run(key, () => reportingTo(() => this.#remove(key, reason), outcome));
	}

	/**
	Runs a task while nothing else in this process writes the entry of a key.

	@throws What the task throws.
	*/
	async exclusively<Result>(key: string, task: () => MaybePromise<Result>): Promise<Result> {
		const result = Promise.withResolvers<Result>();
		this.#writes.run(key, async () => {
			// The caller gets the fault, so that the queue must not report it.
			const running = (async () => task())();
			result.resolve(running);
			await running.catch(() => undefined);
		});
		return result.promise;
	}

	/** Holds work for which `idle` and `close` wait. The promise must not reject. */
	hold(work: Promise<void>): void {
		this.#handOver(work);
		this.#held.add(work);
		void (async () => {
			await work;
			this.#held.delete(work);
		})();
	}

	/** Resolves when all refreshes in the background have ended and everything is written. */
	async idle(): Promise<void> {
		// A refresh keeps no process alive, but a call that waits for it does.
		const alive = setInterval(() => {}, longestTimer); // eslint-disable-line @typescript-eslint/no-empty-function
		try {
			while (this.#held.size > 0) {
				// eslint-disable-next-line no-await-in-loop -- More may begin while these end.
				await Promise.all(this.#held);
			}

			await this.#writes.idle();
		} finally {
			clearInterval(alive);
		}
	}

	/** Resolves when all writes so far are done. */
	async settle(): Promise<void> {
		await this.#writes.idle();
	}

	/** Resolves when all writes so far are done, those included that have exceeded their time limit: they could come after a deletion. */
	async settleLate(): Promise<void> {
		await this.settle();
		await LateWrites.of(this.store).ended();
	}

	/**
	Checks that the user may change what is stored.

	@throws {CacheHooksError} `ERR_STORE_READ_ONLY` where the cache is read only.
	*/
	checkWritable(method: string): void {
		const isReplaying = this.settings.mode === 'replay';
		// What replays from the memory of this process is filled by its user.
		if (!this.isReadOnly && (isReplaying || !this.settings.readOnly)) {
			return;
		}

		const setting = isReplaying ? 'mode: \'replay\'' : 'readOnly: true';
		throw new CacheHooksError('ERR_STORE_READ_ONLY', `The cache is only read, by \`${setting}\`: \`${method}\` would change what is stored. Make an \`HttpCache\` without that for it`);
	}

	/** Deletes all entries and records. */
	async clear(): Promise<void> {
		const position = await this.journal.clear(async () => {
			await this.settleLate();
			await this.managed.clear();
			this.secrets.forget();
			this.hidden.forget();
			this.aliases.forget();
		});
		if (position !== undefined) {
			await this.#deleteBefore(position);
		}
	}

	async close(): Promise<void> {
		await this.idle();
		await this.locks.close();
		// What was under way may have been handed to be written meanwhile.
		await this.idle();
		this.#stopWatching?.();
		if (this.#closes) {
			await this.#guarded.close();
		}
	}

	/** Reports and counts an answer. */
	answered(details: AnswerDetails): void {
		const {reason, stored, background} = details;
		const how = stored === undefined ? 'miss' : answerOfReason[reason] ?? 'hit';
		if (!background) {
			this.figures.answer(how, reason);
			if (stored !== undefined) {
				this.figures.save(stored.body.byteLength, how === 'revalidated' ? 0 : stored.took ?? 0);
			}
		}

		this.#tell(how, details);
	}

	/** Reports and counts a request for which the cache was not used. */
	bypassed(details: AnswerDetails): void {
		this.figures.answer('bypassed', details.reason);
		this.#tell('bypassed', details);
	}

	/** Reports and counts a response of the origin that was stored, or was not. */
	written(event: 'stored' | 'refused', {reason, key, request: {method, targetUrl}}: Omit<AnswerDetails, 'background'>): void {
		if (event === 'stored') {
			this.figures.stored++;
		} else {
			this.figures.refuse(reason);
		}

		if (!this.events.isHeard(event)) {
			return;
		}

		const payload: WriteEvent = {
			reason, key, method, url: redactUrl(targetUrl, this.settings.ignoredParameters),
		};
		this.report(event, payload);
	}

	/** Reports a deletion or an expiration. */
	removed(event: 'deleted' | 'expired' | 'evicted', payload: RemovalEvent): void {
		if (this.events.isHeard(event)) {
			this.report(event, payload);
		}
	}

	/**
	Emits an event, without the credentials that an error of others may hold; a listener that throws harms no request.
	*/
	report<Event extends CacheEventName>(event: Event, payload: CacheEvents[Event][0]): void {
		if (event === 'storeError' && this.#isForeseen(payload as StoreErrorEvent)) {
			return;
		}

		if (event.endsWith('Error')) {
			this.figures.errors++;
		}

		this.events.report(event, 'error' in payload ? {...payload, error: toldError(payload.error, this.settings.ignoredParameters)} : payload);
	}

	/** Deletes what another process has stored after the store was emptied, and before it could know of that. */
	async #deleteBefore(position: number): Promise<void> {
		try {
			for await (const entry of this.managedEntries.inspect()) {
				if ('error' in entry || (entry.stored.position ?? 0) < position) {
					await this.managed.delete(entry.key);
				}
			}
		} catch {
			// Some stores cannot list their entries. Those from before are deleted already.
		}
	}

	#remove(key: string, reason: string): MaybePromise<void> {
		return then(this.#guarded.delete(key), isDeleted => {
			if (isDeleted) {
				this.removed('deleted', {reason, key});
			}
		});
	}

	#handOver(work: Promise<void>): void {
		try {
			this.settings.waitUntil?.(work);
		} catch (error) {
			this.report('settingError', {setting: 'waitUntil', error});
		}
	}

	#tell(event: Answered, {reason, key, request: {method, targetUrl}, background}: AnswerDetails): void {
		if (!this.events.isHeard(event)) {
			return;
		}

		const payload: AnswerEvent = {
			reason, key, method, url: redactUrl(targetUrl, this.settings.ignoredParameters), background,
		};
		this.report(event, payload);
	}

	/** The match as its invalidations leave it. A miss reads the head as well, and waits until the invalidations of this process are published: they do not concern its response then. */
	#current(found: Match | NoMatch, use: Use, reading?: MaybePromise<number | undefined>): MaybePromise<Match | NoMatch> {
		const {stored} = found;
		if (stored !== undefined && stored.tags === undefined && use.resource === undefined) {
			return found;
		}

		return then(reading ?? this.#head(), head => {
			const judged = stored === undefined || head === undefined ? undefined : this.#withoutFaults(() => this.journal.judge(stored, use, head), undefined);
			return then(judged, current => {
				const match: Match | NoMatch = current === undefined ? {stored: undefined, varies: stored === undefined && found.varies} : {...found as Match, stored: current};
				return current === undefined ? then(this.journal.settled(), () => match) : match;
			});
		});
	}

	/** Whether a call was not made at all: since the circuit is open, which was reported once, or the store is read only. */
	#isForeseen({operation, error}: StoreErrorEvent): boolean {
		const isLeftAlone = operation !== 'circuit' && error instanceof CacheHooksError && error.code === 'ERR_STORE_CIRCUIT';
		return isLeftAlone || (this.isReadOnly && isReadOnlyError(error));
	}

	/**
	Reads the head.

	@param faults - How many faults there were before the lookup that the head belongs to: where that lookup fails, the fault is reported already.
	*/
	#head(faults?: number): MaybePromise<number | undefined> {
		return this.#withoutFaults<number | undefined>(() => this.journal.head(), undefined, () => faults === undefined || this.#faults === faults);
	}

	/** Reads records; a record that cannot be read might say anything, and `instead` is assumed then. */
	#withoutFaults<T>(ask: () => MaybePromise<T>, instead: T, isToBeTold: () => boolean = () => true): MaybePromise<T> {
		return recover(ask, error => {
			if (this.settings.failFast) {
				throw error;
			}

			if (isToBeTold()) {
				this.report('storeError', {operation: 'get', error});
			}

			return instead;
		});
	}
}

/** Runs a write, and passes its end on to a caller that waits for it. */
function reportingTo(write: () => MaybePromise<void>, outcome: Outcome | undefined): MaybePromise<void> {
	if (outcome === undefined) {
		return write();
	}

	const written = recover(write, error => {
		outcome.failed(error);
		throw error;
	});
	return then(written, outcome.done);
}

/** Runs an action, and calls `done` at its end, whether it failed or not. */
function finallyDo<T>(action: () => MaybePromise<T>, done: () => void): MaybePromise<T> {
	const value = recover(action, error => {
		done();
		throw error;
	});
	return then(value, result => {
		done();
		return result;
	});
}
