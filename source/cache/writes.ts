import {
	longestTimer,
	recover,
	then,
	withinTime,
	type MaybePromise,
} from '../maybe-promise.ts';
import {CacheHooksError} from '../errors.ts';
import type {StoredResponse} from '../entry/stored-response.ts';
import type {Fields} from '../policy/fields.ts';
import type {ResolvedSettings} from '../settings/settings.ts';
import type {Store} from '../stores/types.ts';
import type {Reporter} from './reporter.ts';
import type {Variants} from './entries.ts';

type WritesOptions = {
	readonly settings: () => Pick<ResolvedSettings, 'maxPendingBytes' | 'maxPendingWrites' | 'storeTimeout' | 'waitUntil'>;
	readonly events: Reporter;

	/** The store and its entries as requests use them. */
	readonly store: Store;
	readonly variants: Variants;
};

type SaveOptions = {
	/** The memory that the task holds until it is done. */
	readonly held: Held;

	/** Called once the store has the response: if it gives `false`, the response is deleted. */
	readonly isStillTrue: (stored: StoredResponse) => MaybePromise<boolean>;
	readonly whenSaved: () => void;

	/** Called at the end in any case. */
	readonly whenDone: () => void;
	readonly outcome?: Outcome | undefined;
};

/** How a write ended, for a caller that waits for it. */
export type Outcome = {readonly done: () => void; readonly failed: (error: unknown) => void};

/**
The writes of a cache that no request waits for, and its other work in the background. Faults are events.
*/
export class CacheWrites {
	/** The latest pending write of each key. */
	readonly pending: ReadonlyMap<string, Promise<void>>;
	readonly #options: WritesOptions;
	readonly #queue: WriteQueue;
	readonly #held = new Set<Promise<void>>();

	constructor(options: WritesOptions) {
		const {settings, events} = options;
		const {maxPendingWrites, maxPendingBytes} = settings();
		this.#options = options;
		this.#queue = new WriteQueue({
			maxWrites: maxPendingWrites,
			maxBytes: maxPendingBytes,
			onError(key, error) {
				events.emit('storeError', {operation: 'set', key, error});
			},
			onPending: write => {
				this.#waitUntil(write);
			},
		});
		this.pending = this.#queue.pending;
	}

	/**
	Stores the response that a task gives, after the pending writes of the key. Lookups of the key wait for it from now on. A task that gives `undefined` stores nothing.

	@returns Whether there was room for the task among the pending writes.
	*/
	save(key: string, request: Fields, task: () => MaybePromise<StoredResponse | undefined>, {held, isStillTrue, whenSaved, whenDone, outcome}: SaveOptions): boolean {
		const save = (stored: StoredResponse | undefined): MaybePromise<void> => {
			if (stored === undefined) {
				return undefined;
			}

			// An invalidation may have come right before the store had it.
			const verified = then(this.#options.variants.save(key, request, stored), () => isStillTrue(stored));
			return then(verified, isTrue => {
				if (isTrue) {
					whenSaved();
					return undefined;
				}

				return this.#remove(key, 'invalidated');
			});
		};

		return this.#queue.run(key, () => ending(() => then(task(), save), {
			done() {
				outcome?.done();
				whenDone();
			},
			failed(error) {
				outcome?.failed(error);
				whenDone();
			},
		}), held);
	}

	/**
	Counts the memory that a task of `save` holds by now.

	@returns Whether there is room for it; if not, the task must give nothing.
	*/
	resize(key: string, held: Held, bytes: number): boolean {
		return this.#queue.resize(key, held, bytes);
	}

	/**
	Deletes one entry; where it is a primary one, no request finds its variants any more.

	@param reason - The `reason` of the `deleted` event.
	*/
	delete(key: string, reason: string, outcome: Partial<Outcome> = {}): void {
		this.#queue.run(key, () => ending(() => this.#remove(key, reason), outcome));
	}

	#remove(key: string, reason: string): MaybePromise<void> {
		const {store, events} = this.#options;
		return then(store.delete(key), isDeleted => {
			if (isDeleted) {
				events.removed('deleted', {reason, key});
			}
		});
	}

	/**
	Runs a task while nothing else in this process writes the entry of a key.

	@throws What the task throws.
	*/
	async exclusively<Result>(key: string, task: () => MaybePromise<Result>): Promise<Result> {
		const result = Promise.withResolvers<Result>();
		this.#queue.run(key, async () => {
			// The caller gets the fault, so that the queue must not report it.
			const running = (async () => task())();
			result.resolve(running);
			await running.catch(() => undefined);
		});
		return result.promise;
	}

	/** Resolves when the pending writes of a key are done, or after `storeTimeout`; at once where there are none. */
	whenWritten(key: string): MaybePromise<void> {
		const pending = this.pending.get(key);
		return pending === undefined ? undefined : withinTime(pending, this.#options.settings().storeTimeout, undefined);
	}

	/** Adds other work for which `idle` waits. The promise must not reject. */
	hold(work: Promise<void>): void {
		this.#waitUntil(work);
		this.#held.add(work);
		void (async () => {
			await work;
			this.#held.delete(work);
		})();
	}

	/** Resolves when all work in the background has ended and everything is written. */
	async idle(): Promise<void> {
		// A refresh does not keep the process alive, but a call that waits for it does.
		const alive = setInterval(() => {}, longestTimer); // eslint-disable-line @typescript-eslint/no-empty-function
		try {
			while (this.#held.size > 0) {
				// eslint-disable-next-line no-await-in-loop -- More may begin while these end.
				await Promise.all(this.#held);
			}

			await this.settle();
		} finally {
			clearInterval(alive);
		}
	}

	/** Resolves when all writes so far are done. */
	async settle(): Promise<void> {
		await this.#queue.idle();
	}

	#waitUntil(work: Promise<void>): void {
		const {settings, events} = this.#options;
		try {
			settings().waitUntil?.(work);
		} catch (error) {
			events.emit('settingError', {setting: 'waitUntil', error});
		}
	}
}

/** Runs a write, and calls back at its end. */
function ending(write: () => MaybePromise<void>, {done, failed}: Partial<Outcome>): MaybePromise<void> {
	const written = recover(write, error => {
		failed?.(error);
		throw error;
	});
	return done === undefined ? written : then(written, done);
}

type WriteQueueOptions = {
	/** Called with the fault of a write that failed, or for which there was no room. */
	readonly onError: (key: string, error: unknown) => void;

	/** Called with each write that is not done at once. */
	readonly onPending?: (write: Promise<void>) => void;

	/** The maximum number of pending writes. A further one is dropped. Default: `Infinity`. */
	readonly maxWrites?: number;

	/** The maximum of the bytes that pending writes hold. Default: `Infinity`. */
	readonly maxBytes?: number;
};

/** The bytes that a write holds until it is done. */
export type Held = {bytes: number};

/**
Runs the writes of each key one after the other, so that a reader that waits for the pending write of a key reads what it wrote.
*/
export class WriteQueue {
	/** The latest write of each key that is not done. */
	readonly pending: Map<string, Promise<void>> = new Map<string, Promise<void>>();
	readonly #options: WriteQueueOptions;
	readonly #maxWrites: number;
	readonly #maxBytes: number;
	#writes = 0;
	#bytes = 0;

	constructor({maxWrites = Infinity, maxBytes = Infinity, ...options}: WriteQueueOptions) {
		this.#options = options;
		this.#maxWrites = maxWrites;
		this.#maxBytes = maxBytes;
	}

	/** The number of pending writes. */
	get size(): number {
		return this.#writes;
	}

	/**
	Runs the task: at once where nothing is pending for the key, else after the pending write.

	@param held - The bytes that the task holds; `undefined` for a task that is never dropped.
	@returns Whether there was room for it.
	*/
	run(key: string, task: () => MaybePromise<void>, held?: Held): boolean {
		// A write that is too large alone has room where nothing else is pending.
		if (held !== undefined && this.#writes > 0 && (this.#writes >= this.#maxWrites || this.#bytes + held.bytes > this.#maxBytes)) {
			this.#drop(key);
			return false;
		}

		const previous = this.pending.get(key);
		try {
			const result = previous === undefined ? task() : runAfter(previous, task);
			if (result instanceof Promise) {
				this.#hold(key, result, held ?? {bytes: 0});
			}
		} catch (error) {
			this.#options.onError(key, error);
		}

		return true;
	}

	/**
	Updates the bytes that a pending write holds, for example when its body has been decoded.

	@returns Whether there was room for them; if not, the write must be dropped.
	*/
	resize(key: string, held: Held, bytes: number): boolean {
		const total = this.#bytes + bytes - held.bytes;
		if (bytes > held.bytes && this.#writes > 1 && total > this.#maxBytes) {
			this.#drop(key);
			return false;
		}

		this.#bytes = total;
		held.bytes = bytes;
		return true;
	}

	/** Resolves when no write is pending, also none that began meanwhile. */
	async idle(): Promise<void> {
		while (this.pending.size > 0) {
			// eslint-disable-next-line no-await-in-loop -- Others may begin while these end.
			await Promise.all(this.pending.values());
		}
	}

	#drop(key: string): void {
		this.#options.onError(key, new CacheHooksError('ERR_STORE_QUEUE', `The store is too slow for the responses to be stored: ${this.#writes} writes of ${this.#bytes} bytes are pending, and one more was dropped`));
	}

	#hold(key: string, result: Promise<void>, counted: Held): void {
		this.#writes++;
		this.#bytes += counted.bytes;
		const held: Promise<void> = this.#settle(key, result, () => {
			this.#writes--;
			this.#bytes -= counted.bytes;
			return this.pending.get(key) === held;
		});
		this.pending.set(key, held);
		this.#options.onPending?.(held);
	}

	async #settle(key: string, result: Promise<void>, isLast: () => boolean): Promise<void> {
		try {
			await result;
		} catch (error) {
			this.#options.onError(key, error);
		}

		// A later write of the same key may have taken this one's place.
		if (isLast()) {
			this.pending.delete(key);
		}
	}
}

async function runAfter(previous: Promise<void>, task: () => MaybePromise<void>): Promise<void> {
	await previous;
	await task();
}
