import {Buffer} from 'node:buffer';
import type {EventEmitter} from 'node:events';
import {CacheHooksError} from '../errors.ts';
import type {StoredResponse} from '../model/stored-response.ts';
import type {Fields} from '../policy/fields.ts';
import type {Reason} from '../policy/reasons.ts';
import type {CircuitState} from '../stores/breaker.ts';
import {guardStore} from '../stores/guard.ts';
import {openStore} from '../stores/open.ts';
import type {Store} from '../stores/types.ts';
import {redactUrl} from '../identity/url.ts';
import type {ResolvedSettings} from '../settings.ts';
import {
	then,
	longestTimer,
	type MaybePromise,
} from '../maybe-promise.ts';
import {isRecordKey} from '../identity/key.ts';
import {isAlias} from './aliases.ts';
import {maxSerializedBytes, serializerOf} from './default-serializers.ts';
import {Entries} from './entries.ts';
import {
	EventHub,
	type AnswerEvent,
	type CacheEventName,
	type CacheEvents,
	type RemovalEvent,
	type WriteEvent,
} from './events.ts';
import {StoreMark} from './store-mark.ts';
import {Leases} from './leases.ts';
import {invalidationsOf, type Invalidations} from './invalidations.ts';
import {PartitionSecret, secretKey} from './partition-secret.ts';
import {Figures, type Answered} from './stats.ts';
import {Tags} from './tags.ts';
import {toldError} from './told-error.ts';
import {Variants, type Match, type NoMatch} from './variants.ts';
import {WriteQueue} from './write-queue.ts';

// Nobody's request waits for what manages the store: it may take its time.
const patience = 30_000;

const answerOfReason: Partial<Record<Reason, Answered>> = {
	fresh: 'hit',
	revalidated: 'revalidated',
	'max-stale': 'stale',
	'stale-while-revalidate': 'stale',
	'stale-if-error': 'stale',
};

type Told = {
	readonly reason: Reason;
	readonly key: string | undefined;
	readonly request: {readonly method: string; readonly targetUrl: string};

	/** Whether nobody waits for it. */
	readonly background: boolean;

	/** What answers, where it comes from the store. */
	readonly stored?: StoredResponse | undefined;
};

/**
What the engine asks of a cache: stored responses by key, and somebody to tell what happened. Faults of the store are misses and events, never errors.
*/
export class CacheCore {
	/** What the user sees of it. */
	readonly face: EventEmitter;
	readonly events: EventHub;
	readonly figures: Figures;
	readonly tags: Tags;
	readonly hidden: StoreMark;
	readonly aliases: StoreMark;
	readonly secrets: PartitionSecret;
	readonly variants: Variants;

	/** As it was opened, unguarded, for what only some stores offer. */
	readonly store: Store;

	/** As it is managed: with patience, and its faults are thrown. */
	readonly managed: Store;
	readonly managedEntries: Entries;

	/** As `variants`, throwing faults. */
	readonly managedVariants: Variants;
	readonly #guarded: Store;
	#settings: ResolvedSettings;
	readonly #closes: boolean;
	readonly #invalidations: Invalidations;
	readonly #entries: Entries;
	readonly #held = new Set<Promise<void>>();
	readonly #stopWatching: (() => void) | undefined;
	readonly #writes: WriteQueue;
	#circuit: CircuitState = 'closed';

	/** Who of several processes asks the origin. */
	readonly leases: Leases;

	/** As requests use it, throwing faults. */
	readonly #strict: Store;

	/**
	Opens nothing yet: a store is opened at its first use.

	@param emitter - Whose listeners are told what happens.
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
		this.face = emitter;
		this.events = new EventHub(emitter);
		this.figures = new Figures(now());
		const opened = openStore(store, {
			cacheName, now, maxBytes, maxEntries,
		});
		if (settings.mode !== undefined) {
			opened.store.keepRecordings?.();
		}

		this.store = opened.store;
		this.#closes = opened.owned || autoclose;
		this.#invalidations = invalidationsOf(store, cacheName);
		this.#guarded = guardStore(opened.store, {
			timeout: storeTimeout,
			failFast,
			now,
			onError: event => {
				this.report('storeError', event);
			},
			onCircuit: state => {
				this.#circuit = state;
				this.report('circuit', {state});
			},
		});
		this.leases = new Leases(this.#guarded, {setting: settings.lease, now});
		// A record that cannot be read must not be taken for one that is not there.
		const throwing = guardStore(opened.store, {timeout: storeTimeout, failFast: true, now});
		this.#strict = throwing;
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
		this.tags = new Tags(throwing, opened.store, now);
		this.hidden = new StoreMark(throwing, 'hidden');
		this.aliases = new StoreMark(throwing, 'aliases');
		const common = {
			serializer: serializerOf(opened.store, settings),
			maxBytes: maxSerializedBytes(settings.maxEntryBytes),
			beforeWrite: (stored: StoredResponse) => then(this.secrets.keep(), () => isAlias(stored) ? this.aliases.setQuietly() : undefined),
			onRubbish: (key: string, error: unknown) => {
				this.report('storeError', {operation: 'decode', key, error});
			},
		};
		this.#entries = new Entries({...common, store: this.#guarded, timeout: storeTimeout});
		this.variants = new Variants(this.#entries, this.secret, () => this.hidden.setQuietly());
		const managedTimeout = Math.max(storeTimeout, patience);
		this.managed = guardStore(opened.store, {timeout: managedTimeout, failFast: true, now});
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

	get settings(): ResolvedSettings {
		return this.#settings;
	}

	/** Takes other settings; those with which the store was opened stay. */
	reconfigure(settings: ResolvedSettings): void {
		this.#settings = settings;
	}

	/** What credentials are digested with: the `partitionSecret` of the settings, or one that is kept in the store. */
	readonly secret = (): MaybePromise<string | Uint8Array> => this.secrets.get();

	/** What unsafe requests have changed, in this process. */
	get invalidations(): Invalidations {
		return this.#invalidations;
	}

	/**
	The stored response for a primary key and the request's header fields: one read, or two where it varies, and two for each tag.
	*/
	match(key: string, request: Fields): MaybePromise<Match | NoMatch> {
		const pending = this.#writes.pending(key, this.settings.storeTimeout);
		const match = (): MaybePromise<Match | NoMatch> => then(this.variants.match(key, request), found => this.#current(found));
		return pending === undefined ? match() : then(pending, match);
	}

	/**
	Stores what the task gives, after what is pending for the key. Those who match the key from now on wait for it.

	`bytes` is what the task holds until it is done, and `whenSaved` is called once it is handed to the store. A task that gives `undefined` stores nothing.

	@returns Whether there was room for it among the writes that are pending.
	*/
	save(key: string, request: Fields, task: () => MaybePromise<StoredResponse | undefined>, {bytes, whenSaved}: {readonly bytes: number; readonly whenSaved: () => void}): boolean {
		return this.#writes.run(key, () => then(task(), stored => stored === undefined ? undefined : then(this.variants.save(key, request, stored), whenSaved)), bytes);
	}

	/** Resolves when what is pending for the key is written, or its time is over; at once where nothing is. */
	whenWritten(key: string): MaybePromise<void> {
		return this.#writes.pending(key, this.settings.storeTimeout);
	}

	/**
	A key that the store can hold.

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

	/** Whether the store is used (`closed`), left alone after faults (`open`), or tried again by one call (`half-open`). */
	get circuit(): CircuitState {
		return this.#circuit;
	}

	/** Opens the store and reads from it; its faults are thrown. */
	async ready(): Promise<void> {
		await this.#strict.get(secretKey);
	}

	/**
	Deletes one entry; where it is a primary one, its variants can no longer be found.

	@param reason - What happened, for those who listen.
	*/
	delete(key: string, reason: string): void {
		this.#writes.run(key, () => then(this.#guarded.delete(key), isDeleted => {
			if (isDeleted) {
				this.removed('deleted', {reason, key});
			}
		}));
	}

	/**
	Does something with an entry while nobody else of this process writes it.

	@throws What the task throws.
	*/
	async exclusively<Result>(key: string, task: () => MaybePromise<Result>): Promise<Result> {
		const result = Promise.withResolvers<Result>();
		this.#writes.run(key, async () => {
			// A fault is the caller's, and not the queue's to tell.
			const running = (async () => task())();
			result.resolve(running);
			await running.catch(() => undefined);
		});
		return result.promise;
	}

	/**
	The response with the generations of its tags, as it is to be stored.

	@param sent - When its request was sent.
	@returns `undefined` where a tag of it was deleted or expired since.
	*/
	stamp(stored: StoredResponse, sent: number): MaybePromise<StoredResponse | undefined> {
		return this.#withoutFaults(stored, () => this.tags.stamp(stored, sent));
	}

	/** Work that `idle` and `close` wait for. The promise must not reject. */
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
		// A refresh keeps no process alive, but who waits for it does.
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

	/** Resolves when everything that came so far is written. */
	async settle(): Promise<void> {
		await this.#writes.idle();
	}

	/** Deletes everything stored. */
	async clear(): Promise<void> {
		await this.idle();
		await this.managed.clear();
		this.secrets.forget();
		this.tags.forget();
		this.hidden.forget();
		this.aliases.forget();
	}

	async close(): Promise<void> {
		await this.idle();
		this.#stopWatching?.();
		if (this.#closes) {
			await this.#guarded.close();
		}
	}

	/** Tells and counts an answer. */
	answered(told: Told): void {
		const {reason, stored, background} = told;
		const how = stored === undefined ? 'miss' : answerOfReason[reason] ?? 'hit';
		if (!background) {
			this.figures.answer(how, reason);
			if (stored !== undefined) {
				this.figures.save(stored.body.byteLength, how === 'revalidated' ? 0 : stored.took ?? 0);
			}
		}

		this.#tell(how, told);
	}

	/** Tells and counts a request for which the cache stood aside. */
	bypassed(told: Told): void {
		this.figures.answer('bypassed', told.reason);
		this.#tell('bypassed', told);
	}

	/** Tells and counts what became of a response of the origin's. */
	written(event: 'stored' | 'refused', {reason, key, request: {method, targetUrl}}: Omit<Told, 'background'>): void {
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

	removed(event: 'deleted' | 'expired' | 'evicted', payload: RemovalEvent): void {
		if (this.events.isHeard(event)) {
			this.report(event, payload);
		}
	}

	/**
	Emits an event, without the credentials that an error of others may hold; a listener that throws harms no request.
	*/
	report<Event extends CacheEventName>(event: Event, payload: CacheEvents[Event][0]): void {
		if (event.endsWith('Error')) {
			this.figures.errors++;
		}

		this.events.report(event, 'error' in payload ? {...payload, error: toldError(payload.error, this.settings.ignoredParameters)} : payload);
	}

	#handOver(work: Promise<void>): void {
		try {
			this.settings.waitUntil?.(work);
		} catch (error) {
			this.report('settingError', {setting: 'waitUntil', error});
		}
	}

	#tell(event: Answered, {reason, key, request: {method, targetUrl}, background}: Told): void {
		if (!this.events.isHeard(event)) {
			return;
		}

		const payload: AnswerEvent = {
			reason, key, method, url: redactUrl(targetUrl, this.settings.ignoredParameters), background,
		};
		this.report(event, payload);
	}

	#current(found: Match | NoMatch): MaybePromise<Match | NoMatch> {
		return found.stored?.tags === undefined ? found : then(this.#judged(found as Match), match => match ?? {stored: undefined, varies: false});
	}

	#judged(match: Match): MaybePromise<Match | undefined> {
		return then(this.#withoutFaults(match.stored, () => this.tags.judge(match.stored)), stored => stored && {...match, stored});
	}

	/** A record that cannot be read might say anything: what depends on it is not used. */
	#withoutFaults(stored: StoredResponse, ask: () => MaybePromise<StoredResponse | undefined>): MaybePromise<StoredResponse | undefined> {
		if (stored.tags === undefined) {
			return stored;
		}

		const fail = (error: unknown): undefined => {
			if (this.settings.failFast) {
				throw error;
			}

			this.report('storeError', {operation: 'get', error});
			return undefined;
		};

		try {
			const answer = ask();
			return answer instanceof Promise ? answer.catch(fail) : answer;
		} catch (error) {
			fail(error);
		}
	}
}
