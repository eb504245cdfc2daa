import {CacheHooksError} from '../errors.ts';
import type {MaybePromise} from '../maybe-promise.ts';

type WriteQueueOptions = {
	/** Told of a write that failed, or for which there was no room; nobody waits for it who could be told otherwise. */
	readonly onError: (key: string, error: unknown) => void;

	/** How many writes may be pending, and how many bytes they may hold; the latest is dropped beyond that. Default: without end. */
	readonly maxWrites?: number;
	readonly maxBytes?: number;
};

/** The bytes that a write holds until it is done. */
export type Held = {bytes: number};

/**
Writes, one after the other for each key, so that whoever reads after a write has begun sees what it wrote.
*/
export class WriteQueue {
	/** The latest write of each key that is not done. */
	readonly pending: ReadonlyMap<string, Promise<void>>;
	readonly #pending = new Map<string, Promise<void>>();
	readonly #options: WriteQueueOptions;
	readonly #maxWrites: number;
	readonly #maxBytes: number;
	#writes = 0;
	#bytes = 0;

	constructor({maxWrites = Infinity, maxBytes = Infinity, ...options}: WriteQueueOptions) {
		this.#options = options;
		this.pending = this.#pending;
		this.#maxWrites = maxWrites;
		this.#maxBytes = maxBytes;
	}

	/** How many writes are pending. */
	get size(): number {
		return this.#writes;
	}

	/**
	Runs the task: at once where nothing is pending for the key, else after that.

	@param held - What the task holds; `undefined` for one that is never dropped.
	@returns Whether there was room for it.
	*/
	run(key: string, task: () => MaybePromise<void>, held?: Held): boolean {
		// What alone is too large has room where nothing else is pending.
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
	Counts the bytes that a pending write holds by now, as when its body has been decoded.

	@returns Whether there was room for them; if not, the write is to be dropped.
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

	/** Resolves when no write is pending, those that begin meanwhile included. */
	async idle(): Promise<void> {
		while (this.pending.size > 0) {
			// eslint-disable-next-line no-await-in-loop -- Others may begin while these end.
			await Promise.all(this.pending.values());
		}
	}

	#drop(key: string): void {
		this.#options.onError(key, new CacheHooksError('ERR_STORE_QUEUE', `The store is slower than what is to be written: with ${this.#writes} writes of ${this.#bytes} bytes pending, one was dropped`));
	}

	#hold(key: string, result: Promise<void>, counted: Held): void {
		this.#writes++;
		this.#bytes += counted.bytes;
		const held: Promise<void> = this.#settle(key, result, () => {
			this.#writes--;
			this.#bytes -= counted.bytes;
			return this.pending.get(key) === held;
		});
		this.#pending.set(key, held);
	}

	async #settle(key: string, result: Promise<void>, isLast: () => boolean): Promise<void> {
		try {
			await result;
		} catch (error) {
			this.#options.onError(key, error);
		}

		// A later write of the same key may have taken this one's place.
		if (isLast()) {
			this.#pending.delete(key);
		}
	}
}

async function runAfter(previous: Promise<void>, task: () => MaybePromise<void>): Promise<void> {
	await previous;
	await task();
}
