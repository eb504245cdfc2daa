import {Buffer} from 'node:buffer';
import type {EventEmitter} from 'node:events';
import {CacheHooksError} from '../errors.ts';
import {isRecordKey} from '../identity/key.ts';
import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import type {StoredResponse} from '../entry/stored-response.ts';
import type {Fields} from '../policy/fields.ts';
import type {ResolvedSettings} from '../settings/settings.ts';
import type {CircuitState} from '../stores/circuits.ts';
import {LateWrites} from '../stores/time-limit.ts';
import type {Store} from '../stores/types.ts';
import {openCacheStore, type CacheStore} from './cache-store.ts';
import {isAlias} from './compose-response.ts';
import {
	Entries,
	noMatch,
	unread,
	Variants,
	type Match,
	type NoMatch,
} from './entries.ts';
import type {Subject} from './journal-records.ts';
import {
	Journal,
	type LookupOptions,
	type Position,
} from './journal.ts';
import {localJournalOf} from './local-journal.ts';
import {Locks} from './locks.ts';
import {PartitionSecret, secretKey} from './partition-secret.ts';
import {StoreFlag} from './records.ts';
import {Reporter} from './reporter.ts';
import {maxSerializedBytes, serializerOf} from './stored-values.ts';
import {CacheWrites} from './writes.ts';

// The least time limit of a store that may defer writes, in milliseconds: it must not pass meanwhile.
const minDeferringTimeout = 100;

const noOptions: LookupOptions = {resource: undefined};

/**
The core of a cache, which exchanges use: it reads and writes stored responses by key. A fault of the store is a miss and an event; it is an error only with `failFast`.
*/
export class CacheCore {
	/** The `HttpCache` of the core. */
	readonly emitter: EventEmitter;
	readonly events: Reporter;

	/** Whether the cache was made to be read only: nothing reaches the store that would change it. */
	readonly isReadOnly: boolean;

	/** The store as it was opened, without time limit and circuit breaker, for what only some stores offer. */
	readonly store: Store;
	readonly journal: Journal;
	readonly writes: CacheWrites;

	/** The locks by which one of several processes sends a request for a key. */
	readonly locks: Locks;
	readonly secrets: PartitionSecret;

	/** Set once the store may hold entries that no request finds, though an index counts them: variants whose primary entry is gone, and entries with a tag that was deleted or expired. */
	readonly unreachable: StoreFlag;

	/** Set once the store holds entries that their URL alone does not find: they came through another connection, or with TLS settings of their own. */
	readonly aliases: StoreFlag;

	/** The store as the methods of `HttpCache` use it: with a longer time limit, and throwing its faults. */
	readonly managed: Store;
	readonly managedEntries: Entries;
	readonly managedVariants: Variants;

	/** The keys whose credentials the origin rejected when it was last asked. */
	readonly rejectedKeys: Set<string> = new Set<string>();

	/** How many equal requests there were, by key, where each has a recording of its own. */
	readonly #requests = new Map<string, number>();

	/** The current settings. A change does not affect the store, which is open already. */
	settings: ResolvedSettings;
	readonly #variants: Variants;
	readonly #store: CacheStore;
	readonly #stopWatching: (() => void) | undefined;

	/** Whether a response with tags was found: then others probably have some, and need the head of the journal. */
	#haveTags = false;

	/** How many calls for requests have failed so far. */
	#faults = 0;

	/** The last fault of a call for a request, without credentials. */
	lastFault: unknown;

	/**
	Opens nothing yet: a store is opened at its first use.

	@param emitter - The `HttpCache` of the core, whose listeners get the events.
	@throws {TypeError} If `store` is not a known kind of store, or `serializer` does not suit it.
	*/
	constructor(settings: ResolvedSettings, emitter: EventEmitter) {
		const {now, storeTimeout, failFast} = settings;
		this.settings = settings;
		this.emitter = emitter;
		this.events = new Reporter({
			emitter, settings: () => this.settings, storeName: () => this.store.name, isReadOnly: () => this.isReadOnly,
		});
		const store = openCacheStore(settings, this.events, error => {
			this.#faults++;
			this.lastFault = this.events.redacted(error);
		});
		const {opened, forRequests, forRecords, forManagement, isReadOnly} = store;
		this.#store = store;
		this.store = opened;
		this.managed = forManagement;
		this.isReadOnly = isReadOnly;
		this.locks = new Locks(forRecords, {setting: isReadOnly ? false : settings.lock, now});
		this.secrets = new PartitionSecret({
			store: forRecords,
			given: settings.partitionSecret,
			onFault: (operation, error) => {
				this.events.tolerate(operation, secretKey, error);
			},
		});
		this.journal = new Journal({
			local: localJournalOf(settings.store, store.cacheName, opened.scope),
			isShared: opened.scope !== 'process',
			isReadOnly,
			store: forRecords,
			now,
			onFault: error => {
				this.events.emit('storeError', {operation: 'set', error});
			},
		});
		this.unreachable = new StoreFlag(forRecords, 'unreachable');
		this.aliases = new StoreFlag(forRecords, 'aliases');
		const common = {
			serializer: serializerOf(opened, settings),
			maxBytes: maxSerializedBytes(settings.maxEntryBytes),
			beforeWrite: (stored: StoredResponse) => this.#beforeWrite(stored),
			onUnreadable: (key: string, error: unknown) => {
				this.events.emit('storeError', {operation: 'decode', key, error});
			},
		};
		this.#variants = new Variants(new Entries({
			...common, store: forRequests, timeout: storeTimeout, isDeferrable: !failFast && storeTimeout >= minDeferringTimeout,
		}), this.secret, () => this.unreachable.setQuietly());
		this.writes = new CacheWrites({
			settings: () => this.settings, events: this.events, store: forRequests, variants: this.#variants, isReliable: opened.scope === 'process' || undefined,
		});
		this.managedEntries = new Entries({...common, store: forManagement, timeout: store.managementTimeout});
		this.managedVariants = new Variants(this.managedEntries, this.secret, () => this.unreachable.set());
		this.#stopWatching = opened.watchEvictions?.(key => {
			if (!isRecordKey(key)) {
				this.events.removed('evicted', {reason: 'bounds', key});
			}
		});
	}

	/** Returns the secret of the digests of credentials: the `partitionSecret` of the settings, or the one in the store. */
	readonly secret = (): MaybePromise<string | Uint8Array> => this.secrets.get();

	/** Writes what the store must have before an entry. */
	#beforeWrite(stored: StoredResponse): MaybePromise<void> {
		const storing = this.secrets.isInUse ? this.secrets.ensureStored() : undefined;
		return isAlias(stored) ? then(storing, () => this.aliases.setQuietly()) : storing;
	}

	/**
	Finds the stored response for a primary key and the header fields of the request: by one read, or by two if it varies. A response that was invalidated since it was stored does not match.
	*/
	match(key: string, request: Fields, options: LookupOptions = noOptions): MaybePromise<Match | NoMatch> {
		return this.writes.pending.has(key) ? then(this.writes.written(key), () => this.#match(key, request, options)) : this.#match(key, request, options);
	}

	#match(key: string, request: Fields, options: LookupOptions): MaybePromise<Match | NoMatch> {
		const faults = this.#faults;
		const found = this.#variants.match(key, request, options.isReadOnly);
		return found instanceof Promise ? this.#matchLater(found, options, faults) : this.#unlessFailed(found, options, faults);
	}

	#matchLater(pending: Promise<Match | NoMatch>, options: LookupOptions, faults: number): Promise<Match | NoMatch> {
		if (options.resource === undefined && !this.#haveTags) {
			return pending.then(found => this.#unlessFailed(found, options, faults));
		}

		// An asynchronous store gets both calls in one batch.
		const head = this.#head(faults);
		if (head instanceof Promise) {
			// Nobody waits for the head if there is no entry, or one that does not need it.
			head.catch(() => undefined);
		}

		return pending.then(found => this.#unlessFailed(found, options, faults, head));
	}

	/**
	Returns the match with its invalidations applied, unless the store could not be read. A miss reads the head of the journal as well, and waits until the invalidations of this process are published: they do not concern the response that it then gets.

	@param faults - The number of faults before the lookup.
	*/
	#unlessFailed(found: Match | NoMatch, options: LookupOptions, faults: number, reading?: MaybePromise<number | undefined>): MaybePromise<Match | NoMatch> {
		const {stored} = found;
		// This request asks the store for nothing else, so that one fault is reported once.
		const {circuits} = this.#store;
		if (stored === undefined && (this.#faults !== faults || (circuits?.hasFailed === true && circuits.reads === 'open'))) {
			return unread;
		}

		if (stored !== undefined && stored.tags === undefined && options.resource === undefined) {
			return found;
		}

		this.#haveTags ||= stored?.tags !== undefined;
		const head = reading ?? this.#head();
		return stored === undefined ? this.#whenPublished(found, head) : this.#apply(found, options, head);
	}

	#whenPublished(missing: NoMatch, head: MaybePromise<number | undefined>): MaybePromise<NoMatch> {
		const pending = head instanceof Promise ? head : this.journal.settled();
		return pending instanceof Promise ? this.#afterPublication(missing, pending) : missing;
	}

	async #afterPublication(missing: NoMatch, pending: Promise<unknown>): Promise<NoMatch> {
		await pending;
		await this.journal.settled();
		return missing;
	}

	#apply(found: Match, options: LookupOptions, head: MaybePromise<number | undefined>): MaybePromise<Match | NoMatch> {
		return then(head, known => {
			const applied = known === undefined ? undefined : this.#readRecords(() => this.journal.apply(found.stored, options, known), undefined);
			return then(applied, current => current === undefined ? this.#whenPublished(noMatch, undefined) : {...found, stored: current});
		});
	}

	/**
	Reads the head of the journal.

	@param faults - The number of faults before the lookup that the head belongs to: if that lookup failed, the fault is reported already.
	*/
	#head(faults?: number): MaybePromise<number | undefined> {
		try {
			const head = this.journal.head();
			return head instanceof Promise ? this.#orElse<number | undefined>(head, undefined, faults) : head;
		} catch (error) {
			return this.#failRead<number | undefined>(error, undefined, faults);
		}
	}

	/** Reads records of the journal, and returns `instead` if the store fails. */
	#readRecords<T>(read: () => MaybePromise<T>, instead: T): MaybePromise<T> {
		return recover(read, error => this.#failRead(error, instead));
	}

	async #orElse<T>(reading: Promise<T>, instead: T, faults?: number): Promise<T> {
		try {
			return await reading;
		} catch (error) {
			return this.#failRead(error, instead, faults);
		}
	}

	#failRead<T>(error: unknown, instead: T, faults?: number): T {
		if (this.settings.failFast) {
			throw error;
		}

		if (faults === undefined || this.#faults === faults) {
			this.events.emit('storeError', {operation: 'get', error});
		}

		return instead;
	}

	/**
	Verifies that no invalidation since a position, by any process, concerns a response to a request that was sent then. If the store fails, a response with tags counts as concerned: it could not be deleted by its tags.

	@returns The position that it is stored with; `undefined` if it must not be stored.
	*/
	verify(subject: Subject, after: Position): MaybePromise<number | undefined> {
		const instead = subject.tags.length > 0 ? undefined : after.head ?? 0;
		try {
			const position = this.journal.verify(subject, after);
			return position instanceof Promise ? this.#orElse(position, instead) : position;
		} catch (error) {
			return this.#failRead(error, instead);
		}
	}

	/** Whether an invalidation by another process after a position concerns a response. */
	hasChangedElsewhere(subject: Subject, after: Position): MaybePromise<boolean> {
		return this.#readRecords(() => this.journal.hasChangedElsewhere(subject, after), subject.tags.length > 0);
	}

	/**
	Applies the invalidations of its tags to an entry, for the methods of `HttpCache`.

	@param isForeign - Whether the entry is of another cache. Its position has no meaning here: invalidations since it was created count. Default: `false`.
	@returns `undefined` if one of its tags was deleted.
	@throws What the store throws.
	*/
	applyInvalidations(stored: StoredResponse, isForeign = false): MaybePromise<StoredResponse | undefined> {
		return stored.tags === undefined
			? stored
			: then(this.journal.head(), head => this.journal.apply(isForeign ? {...stored, position: Math.min(stored.createdAt, head)} : stored, noOptions, head));
	}

	/** Returns an entry with the current position: no invalidation so far concerns it. */
	withCurrentPosition(stored: StoredResponse): MaybePromise<StoredResponse> {
		return then(this.journal.position(), position => ({...stored, position}));
	}

	/**
	Checks that the store can hold a key.

	@throws {CacheHooksError} `ERR_KEY_TOO_LONG` if a `keyFn` made a longer one.
	*/
	checkedKey(key: string | undefined): string | undefined {
		const {name, maxKeyBytes = 8192} = this.store;
		const bytes = key === undefined ? 0 : Buffer.byteLength(key);
		if (bytes > maxKeyBytes) {
			throw new CacheHooksError('ERR_KEY_TOO_LONG', `The store \`${name}\` holds keys of up to ${maxKeyBytes} bytes, and \`keyFn\` made one of ${bytes}. Return a digest of it.`);
		}

		return key;
	}

	/** Returns the key of one of several equal requests. A retry has the key of the request that it repeats. */
	numberedKey(key: string, retriedKey: string | undefined): string {
		if (retriedKey === key || retriedKey?.startsWith(`${key} #`) === true) {
			return retriedKey;
		}

		const number = (this.#requests.get(key) ?? 0) + 1;
		this.#requests.set(key, number);
		return number === 1 ? key : `${key} #${number}`;
	}

	/** Resolves when all writes so far are done, also those that have exceeded their time limit: they could come after a deletion. */
	async settleLate(): Promise<void> {
		await this.writes.settle();
		await LateWrites.of(this.store).ended();
	}

	/**
	Whether the store is used (`closed`), is not called after faults (`open`), or is tried by one call (`half-open`), for reads and for writes. A store that is not read is not written either.
	*/
	get circuits(): {readonly reads: CircuitState; readonly writes: CircuitState} {
		const {reads = 'closed', writes = 'closed'} = this.#store.circuits ?? {};
		return {reads, writes};
	}

	/** Whether a response with a body of so many bytes is expected to be stored if it is written now: the store is used, has taken the last write, and has a bound that the entry, which may be larger than its body, does not exceed. */
	isExpectedToTake(bytes: number): boolean {
		return this.writes.isReliable === true && 2 * bytes <= (this.store.maxBytes ?? Infinity) && (this.#store.circuits?.hasFailed !== true || this.#store.circuits.writes === 'closed');
	}

	/** Opens the store and reads from it, throwing its faults. */
	async ready(): Promise<void> {
		await this.managed.get(secretKey);
	}

	/**
	Checks that the user may change what is stored.

	@throws {CacheHooksError} `ERR_STORE_READ_ONLY` if the cache is read only.
	*/
	checkWritable(method: string): void {
		const isReplaying = this.settings.recording.failsWithoutRecording;
		// A user may fill a cache that replays recordings from the memory of this process.
		if (!this.isReadOnly && (isReplaying || !this.settings.readOnly)) {
			return;
		}

		const setting = isReplaying ? 'mode: \'replay\'' : 'readOnly: true';
		throw new CacheHooksError('ERR_STORE_READ_ONLY', `The cache is read-only because of \`${setting}\`, and \`${method}\` would change what is stored. Create an \`HttpCache\` without that setting for it.`);
	}

	/** Deletes all entries and records. */
	async clear(): Promise<void> {
		const position = await this.journal.clear(async () => {
			await this.settleLate();
			await this.managed.clear();
			this.secrets.forget();
			this.unreachable.forget();
			this.aliases.forget();
		});
		if (position !== undefined) {
			await this.#deleteBefore(position);
		}
	}

	/** Deletes what another process stored after the store was emptied and before it could know of that. */
	async #deleteBefore(position: number): Promise<void> {
		try {
			for await (const entry of this.managedEntries.inspect()) {
				if ((entry.stored?.position ?? 0) < position) {
					await this.managed.delete(entry.key);
				}
			}
		} catch {
			// Some stores cannot list their entries. The entries from before are deleted already.
		}
	}

	async close(): Promise<void> {
		await this.writes.idle();
		await this.locks.close();
		// A request that was under way may have begun a write meanwhile.
		await this.writes.idle();
		this.#stopWatching?.();
		if (this.#store.closes) {
			await this.#store.forRequests.close();
		}
	}
}
