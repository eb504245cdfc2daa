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
import type {SetResult, Store} from '../stores/types.ts';
import type {Reporter} from './reporter.ts';
import type {Variants} from './entries.ts';

/** The limits of pending writes: the latest is dropped beyond them. */
const maxPendingWrites = 1000;
const maxPendingBytes = 64 * 1024 * 1024;

type WritesOptions = {
	readonly settings: () => Pick<ResolvedSettings, 'storeTimeout'>;
	readonly events: Pick<Reporter, 'emit' | 'removed'>;

	/** The store and its entries as requests use them. */
	readonly store: Pick<Store, 'delete' | 'flush'>;
	readonly variants: Pick<Variants, 'save'>;

	/** Whether the store is known to take what it is given, before the first write. Default: not known. */
	readonly isReliable?: true | undefined;
};

/** The bytes that a pending write takes. */
export type WriteSize = {bytes: number};

/** What has the bytes of a pending write. */
export type Sized = {readonly size: WriteSize};

/** How a write ended, for a caller that waits for it. */
export type Outcome = {readonly done: () => void; readonly failed: (error: unknown) => void};

/** A response to be stored. */
export type QueuedResponse = Sized & {
	readonly key: string;
	readonly request: {readonly fields: Fields};

	/** Returns the response when it is its turn; `undefined` if nothing is to be stored. */
	readonly prepare: () => MaybePromise<StoredResponse | undefined>;

	/** Called once the store has the response: unless it returns `true`, the response is deleted. */
	readonly isStillValid: (stored: StoredResponse) => MaybePromise<boolean>;

	/** Called once the store has taken the response. */
	readonly saved: () => void;

	/** Called if the store has not taken the response, or has it no more. An event has reported a fault. */
	readonly refused: (reason: 'too-large' | 'store-error' | 'invalidated') => void;

	/** Called at the end, or `failed` instead. */
	readonly done: () => void;
	readonly failed: (error: unknown) => void;
};

/**
The writes of a cache that no request waits for, and its other work in the background. Faults are events.

The writes of each key run one after the other, so that a reader that waits for the pending write of a key reads what it wrote.
*/
export class CacheWrites {
	/** The latest write of each key that is not done. */
	readonly pending: Map<string, Promise<void>> = new Map<string, Promise<void>>();

	/** Whether the store has taken the last write, so that the next one is expected to be stored as well; `undefined` before the first write. */
	isReliable: boolean | undefined;
	readonly #options: WritesOptions;
	readonly #work = new Set<Promise<void>>();
	#writes = 0;
	#bytes = 0;

	constructor(options: WritesOptions) {
		this.#options = options;
		this.isReliable = options.isReliable;
	}

	/**
	Stores a response, after the pending writes of its key. Lookups of the key wait for it from now on.

	@returns Whether there was room for it among the pending writes.
	*/
	save(response: QueuedResponse): boolean {
		return this.run(response.key, () => this.#save(response), response);
	}

	#save(response: QueuedResponse): MaybePromise<void> {
		try {
			const stored = response.prepare();
			const saving = stored instanceof Promise ? this.#saveLater(response, stored) : this.#store(response, stored);
			if (saving instanceof Promise) {
				return this.#endLater(response, saving);
			}
		} catch (error) {
			this.#failed(response, error);
			throw error;
		}

		response.done();
		return undefined;
	}

	#failed(response: QueuedResponse, error: unknown): void {
		this.isReliable = false;
		response.refused('store-error');
		response.failed(error);
	}

	async #endLater(response: QueuedResponse, saving: Promise<void>): Promise<void> {
		try {
			await saving;
		} catch (error) {
			this.#failed(response, error);
			throw error;
		}

		response.done();
	}

	async #saveLater(response: QueuedResponse, preparing: Promise<StoredResponse | undefined>): Promise<void> {
		await this.#store(response, await preparing);
	}

	#store(response: QueuedResponse, stored: StoredResponse | undefined): MaybePromise<void> {
		if (stored === undefined) {
			return undefined;
		}

		const saving = this.#options.variants.save(response.key, response.request.fields, stored);
		return saving instanceof Promise ? this.#checkLater(response, stored, saving) : this.#check(response, stored, saving);
	}

	async #checkLater(response: QueuedResponse, stored: StoredResponse, saving: Promise<SetResult>): Promise<void> {
		await this.#check(response, stored, await saving);
	}

	#check(response: QueuedResponse, stored: StoredResponse, result: SetResult): MaybePromise<void> {
		// A store of a user may return anything else.
		if (result === 'too-large' || result === 'failed') {
			this.isReliable = result === 'failed' ? false : this.isReliable;
			response.refused(result === 'failed' ? 'store-error' : result);
			return undefined;
		}

		this.isReliable = true;
		// An invalidation may have come right before the store had it.
		const isValid = response.isStillValid(stored);
		return isValid instanceof Promise ? this.#concludeLater(response, isValid) : this.#conclude(response, isValid);
	}

	async #concludeLater(response: QueuedResponse, isValid: Promise<boolean>): Promise<void> {
		await this.#conclude(response, await isValid);
	}

	#conclude(response: QueuedResponse, isValid: boolean): MaybePromise<void> {
		if (!isValid) {
			response.refused('invalidated');
			return this.#remove(response.key, 'invalidated');
		}

		response.saved();
		return undefined;
	}

	/**
	Deletes one entry; if it is a primary one, no request finds its variants any more.

	@param reason - The `reason` of the `deleted` event.
	*/
	delete(key: string, reason: string, outcome: Partial<Outcome> = {}): void {
		this.run(key, () => ending(() => this.#remove(key, reason), outcome));
	}

	/**
	Runs a task while nothing else in this process writes the entry of a key.

	@throws What the task throws.
	*/
	async exclusively<Result>(key: string, task: () => MaybePromise<Result>): Promise<Result> {
		const result = Promise.withResolvers<Result>();
		this.run(key, async () => {
			// The caller gets the fault, so that it must not be an event.
			const running = (async () => task())();
			result.resolve(running);
			await running.catch(() => undefined);
		});
		return result.promise;
	}

	/**
	Runs a write: at once if nothing is pending for the key, else after the pending write.

	@param sized - Has what the write takes, which is read only if it must wait; `undefined` for a write that is never dropped.
	@returns Whether there was room for it.
	*/
	run(key: string, write: () => MaybePromise<void>, sized?: Sized): boolean {
		// A write that is too large alone has room if nothing else is pending.
		if (sized !== undefined && this.#writes > 0 && (this.#writes >= maxPendingWrites || this.#bytes + sized.size.bytes > maxPendingBytes)) {
			this.#drop(key);
			return false;
		}

		const previous = this.pending.get(key);
		try {
			const result = previous === undefined ? write() : this.#runAfter(previous, write);
			if (result instanceof Promise) {
				this.#await(key, result, sized?.size ?? {bytes: 0});
			}
		} catch (error) {
			this.#fail(key, error);
		}

		return true;
	}

	/**
	Updates the bytes that a pending write takes, for example when its body has been decoded.

	@returns Whether there was room for them; if not, the write must be dropped.
	*/
	resize(key: string, size: WriteSize, bytes: number): boolean {
		const total = this.#bytes + bytes - size.bytes;
		if (bytes > size.bytes && this.#writes > 1 && total > maxPendingBytes) {
			this.#drop(key);
			return false;
		}

		this.#bytes = total;
		size.bytes = bytes;
		return true;
	}

	/** Does the same as `whenWritten` for someone who waits: the writes are not deferred any longer. */
	written(key: string): MaybePromise<void> {
		this.#options.store.flush?.();
		return this.whenWritten(key);
	}

	/** Resolves when the pending writes of a key are done, or after `storeTimeout`; at once if there are none. */
	whenWritten(key: string): MaybePromise<void> {
		const pending = this.pending.get(key);
		return pending === undefined ? undefined : withinTime(pending, this.#options.settings().storeTimeout, undefined);
	}

	/** Adds other work for which `idle` waits. The promise must not reject. */
	track(work: Promise<void>): void {
		this.#work.add(work);
		void (async () => {
			await work;
			this.#work.delete(work);
		})();
	}

	/** Resolves when all work in the background has ended and everything is written. */
	async idle(): Promise<void> {
		// A refresh does not keep the process alive, but a call that waits for it does.
		const alive = setInterval(() => {}, longestTimer); // eslint-disable-line @typescript-eslint/no-empty-function
		try {
			while (this.#work.size > 0) {
				this.#options.store.flush?.();
				// eslint-disable-next-line no-await-in-loop -- More may begin while these end.
				await Promise.all(this.#work);
			}

			await this.settle();
			// The locks may be what is left.
			this.#options.store.flush?.();
		} finally {
			clearInterval(alive);
		}
	}

	/** Resolves when no write is pending, also none that began meanwhile. */
	async settle(): Promise<void> {
		while (this.pending.size > 0) {
			this.#options.store.flush?.();
			// eslint-disable-next-line no-await-in-loop -- Others may begin while these end.
			await Promise.all(this.pending.values());
		}
	}

	#remove(key: string, reason: string): MaybePromise<void> {
		const {store, events} = this.#options;
		return then(store.delete(key), isDeleted => {
			if (isDeleted) {
				events.removed('deleted', {reason, key});
			}
		});
	}

	async #runAfter(previous: Promise<void>, write: () => MaybePromise<void>): Promise<void> {
		this.#options.store.flush?.();
		await previous;
		await write();
	}

	#await(key: string, result: Promise<void>, size: WriteSize): void {
		this.#writes++;
		this.#bytes += size.bytes;
		// A later write of the key may have replaced this one by its end.
		const pending: Promise<void> = this.#settle(key, result, size, () => this.pending.get(key) === pending);
		this.pending.set(key, pending);
	}

	async #settle(key: string, result: Promise<void>, size: WriteSize, isLatest: () => boolean): Promise<void> {
		try {
			await result;
		} catch (error) {
			this.#fail(key, error);
		}

		this.#writes--;
		this.#bytes -= size.bytes;
		if (isLatest()) {
			this.pending.delete(key);
		}
	}

	#drop(key: string): void {
		this.#fail(key, new CacheHooksError('ERR_STORE_QUEUE', `The store is too slow. ${this.#writes} writes of ${this.#bytes} bytes are pending, so that a response was not stored.`));
	}

	#fail(key: string, error: unknown): void {
		this.#options.events.emit('storeError', {operation: 'set', key, error});
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
