import {Buffer} from 'node:buffer';
import type {EventEmitter} from 'node:events';
import {CacheHooksError} from '../errors.ts';
import {isRecordKey} from '../identity/key.ts';
import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import type {StoredResponse} from '../entry/stored-response.ts';
import type {Fields} from '../policy/fields.ts';
import type {ResolvedSettings} from '../settings/settings.ts';
import type {CircuitState} from '../stores/circuits.ts';
import {guardStore} from '../stores/guard.ts';
import {LateWrites} from '../stores/late-writes.ts';
import type {Store} from '../stores/types.ts';
import {openCacheStore, type CacheStore} from './cache-store.ts';
import {isAlias} from './compose-response.ts';
import {
	Entries,
	unread,
	Variants,
	type Match,
	type NoMatch,
} from './entries.ts';
import type {Subject} from './invalidation.ts';
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

	/** Set once the store may hold entries that no request finds, though an index counts them: variants whose primary entry is gone, and entries of which a tag was deleted or expired. */
	readonly unreachable: StoreFlag;

	/** Set once the store holds entries that their URL alone does not find: they came through another connection, or with TLS settings of their own. */
	readonly aliases: StoreFlag;

	/** The store as the methods of `HttpCache` use it: with a longer time limit, and throwing its faults. */
	readonly managed: Store;
	readonly managedEntries: Entries;
	readonly managedVariants: Variants;

	/** The keys whose credentials the origin rejected when it was last asked. */
	readonly rejectedKeys: Set<string> = new Set<string>();
	readonly #variants: Variants;
	readonly #store: CacheStore;
	readonly #stopWatching: (() => void) | undefined;
	#settings: ResolvedSettings;

	/** How many calls for requests have failed so far. */
	#faults = 0;
	#lastFault: unknown;

	/**
	Opens nothing yet: a store is opened at its first use.

	@param emitter - The `HttpCache` of the core, whose listeners get the events.
	@throws {TypeError} Where `store` is of no known shape, or `serializer` does not suit it.
	*/
	constructor(settings: ResolvedSettings, emitter: EventEmitter) {
		const {now, storeTimeout} = settings;
		this.#settings = settings;
		this.emitter = emitter;
		this.events = new Reporter({emitter, settings: () => this.#settings, isReadOnly: () => this.isReadOnly});
		const store = openCacheStore(settings, this.events, error => {
			this.#faults++;
			this.#lastFault = this.events.redacted(error);
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
		// The keys in the store have the names of the first version.
		this.unreachable = new StoreFlag(forRecords, 'hidden');
		this.aliases = new StoreFlag(forRecords, 'aliases');
		const common = {
			serializer: serializerOf(opened, settings),
			maxBytes: maxSerializedBytes(settings.maxEntryBytes),
			beforeWrite: (stored: StoredResponse) => then(this.secrets.isInUse ? this.secrets.keep() : undefined, () => isAlias(stored) ? this.aliases.setQuietly() : undefined),
			onUnreadable: (key: string, error: unknown) => {
				this.events.emit('storeError', {operation: 'decode', key, error});
			},
		};
		this.#variants = new Variants(new Entries({...common, store: forRequests, timeout: storeTimeout}), this.secret, () => this.unreachable.setQuietly());
		this.writes = new CacheWrites({
			settings: () => this.#settings, events: this.events, store: forRequests, variants: this.#variants,
		});
		this.managedEntries = new Entries({...common, store: forManagement, timeout: store.managementTimeout});
		this.managedVariants = new Variants(this.managedEntries, this.secret, () => this.unreachable.set());
		this.#stopWatching = opened.watchEvictions?.(key => {
			if (!isRecordKey(key)) {
				this.events.removed('evicted', {reason: 'bounds', key});
			}
		});
	}

	/** The last fault of a call for a request, without credentials. */
	get lastFault(): unknown {
		return this.#lastFault;
	}

	get settings(): ResolvedSettings {
		return this.#settings;
	}

	/** Replaces the settings. The store keeps those with which it was opened. */
	reconfigure(settings: ResolvedSettings): void {
		this.#settings = settings;
	}

	/** Returns the secret of the digests of credentials: the `partitionSecret` of the settings, or the one in the store. */
	readonly secret = (): MaybePromise<string | Uint8Array> => this.secrets.get();

	/**
	Finds the stored response for a primary key and the header fields of the request: by one read, or by two where it varies. A response that was invalidated since it was stored does not match.
	*/
	match(key: string, request: Fields, options: LookupOptions = noOptions): MaybePromise<Match | NoMatch> {
		return this.writes.pending.has(key) ? then(this.writes.whenWritten(key), () => this.#match(key, request, options)) : this.#match(key, request, options);
	}

	#match(key: string, request: Fields, options: LookupOptions): MaybePromise<Match | NoMatch> {
		const faults = this.#faults;
		const found = this.#variants.match(key, request, options.isReadOnly);
		// An asynchronous store gets both calls in one batch.
		const head = found instanceof Promise ? this.#head(faults) : undefined;
		if (head instanceof Promise) {
			// Nobody waits for the head where there is no entry, or one that does not need it.
			head.catch(() => undefined);
		}

		return then(found, known => {
			// This request asks the store for nothing else, so that one fault is reported once.
			const {circuits} = this.#store;
			const isUnread = known.stored === undefined && (this.#faults !== faults || (circuits?.hasFailed === true && circuits.reads === 'open'));
			return isUnread ? unread : this.#afterInvalidations(known, options, head);
		});
	}

	/**
	Returns the match with its invalidations applied. A miss reads the head of the journal as well, and waits until the invalidations of this process are published: they do not concern the response that it then gets.
	*/
	#afterInvalidations(found: Match | NoMatch, options: LookupOptions, reading?: MaybePromise<number | undefined>): MaybePromise<Match | NoMatch> {
		const {stored} = found;
		if (stored !== undefined && stored.tags === undefined && options.resource === undefined) {
			return found;
		}

		return then(reading ?? this.#head(), head => {
			const applied = stored === undefined || head === undefined ? undefined : this.#readRecords(() => this.journal.apply(stored, options, head), undefined);
			return then(applied, current => {
				const match: Match | NoMatch = current === undefined ? {stored: undefined, varies: stored === undefined && found.varies} : {...found as Match, stored: current};
				return current === undefined ? then(this.journal.settled(), () => match) : match;
			});
		});
	}

	/**
	Reads the head of the journal.

	@param faults - How many faults there were before the lookup that the head belongs to: where that lookup failed, the fault is reported already.
	*/
	#head(faults?: number): MaybePromise<number | undefined> {
		return this.#readRecords<number | undefined>(() => this.journal.head(), undefined, () => faults === undefined || this.#faults === faults);
	}

	/** Reads records of the journal; `instead` takes the place of a fault, since a record that cannot be read might say anything. */
	#readRecords<T>(read: () => MaybePromise<T>, instead: T, isReported: () => boolean = () => true): MaybePromise<T> {
		return recover(read, error => {
			if (this.settings.failFast) {
				throw error;
			}

			if (isReported()) {
				this.events.emit('storeError', {operation: 'get', error});
			}

			return instead;
		});
	}

	/**
	Verifies that nothing that was invalidated since a position, by any process, concerns a response to a request that was sent then. Where the store fails, a response with tags counts as concerned: it could not be deleted by its tags.

	@returns The position that it is stored with; `undefined` where it must not be stored.
	*/
	verify(subject: Subject, after: Position): MaybePromise<number | undefined> {
		return this.#readRecords(() => this.journal.verify(subject, after), subject.tags.length > 0 ? undefined : after.head ?? 0);
	}

	/** Whether an invalidation by another process after a position concerns a response. */
	hasChangedElsewhere(subject: Subject, after: Position): MaybePromise<boolean> {
		return this.#readRecords(() => this.journal.hasChangedElsewhere(subject, after), subject.tags.length > 0);
	}

	/**
	Applies the invalidations of its tags to an entry, for the methods of `HttpCache`.

	@param isForeign - Whether the entry is of another cache. Its position has no meaning here: invalidations since it was created count. Default: `false`.
	@returns `undefined` where one of its tags was deleted.
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

	/** Opens the store and reads from it, throwing its faults. */
	async ready(): Promise<void> {
		await guardStore(this.store, {timeout: this.settings.storeTimeout, throws: true}).get(secretKey);
	}

	/**
	Checks that the user may change what is stored.

	@throws {CacheHooksError} `ERR_STORE_READ_ONLY` where the cache is read only.
	*/
	checkWritable(method: string): void {
		const isReplaying = this.settings.mode === 'replay';
		// The user fills a cache that replays from the memory of this process.
		if (!this.isReadOnly && (isReplaying || !this.settings.readOnly)) {
			return;
		}

		const setting = isReplaying ? 'mode: \'replay\'' : 'readOnly: true';
		throw new CacheHooksError('ERR_STORE_READ_ONLY', `The cache is read only by \`${setting}\`, and \`${method}\` would change what is stored. Make an \`HttpCache\` without that setting for it`);
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
				if ('error' in entry || (entry.stored.position ?? 0) < position) {
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
