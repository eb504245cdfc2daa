import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import type {Forgotten, Invalidation} from './invalidation.ts';
import type {JournalRecords} from './journal-records.ts';

/** Invalidations by the keys of their records, so that each name is there once. */
export type Batch = ReadonlyMap<string, {readonly invalidation: Invalidation}>;

// The most names that wait for a store that fails. Beyond that, the oldest ones are forgotten: entries from before them count as invalidated.
const maxNames = 10_000;

// The milliseconds for which a store that failed is not called.
const pause = 10_000;

/**
The invalidations by this process that are not in the store yet, since it is slow or fails. Until they are, this process uses nothing that they concern.

They are published together: what is noted while others are being published is published with the next ones, so that a slow store causes no queue.
*/
export class Unpublished {
	readonly #batch = new Map<string, {readonly invalidation: Invalidation}>();
	#forgotten: Forgotten = {resources: -Infinity, tags: -Infinity};
	#current: Promise<void> | undefined;
	#next: Promise<number> | undefined;
	#failedAt = -Infinity;

	get size(): number {
		return this.#batch.size;
	}

	get forgotten(): Forgotten {
		return this.#forgotten;
	}

	has(key: string): boolean {
		return this.#batch.has(key);
	}

	add(key: string, invalidation: Invalidation): void {
		// The latest are last.
		this.#batch.delete(key);
		this.#batch.set(key, {invalidation});
	}

	/** Whether it is time to publish again what could not be published. */
	isDue(now: number): boolean {
		return this.#batch.size > 0 && this.#current === undefined && this.#next === undefined && Math.abs(now - this.#failedAt) >= pause;
	}

	/**
	Publishes everything.

	@returns The position at which it is found.
	@throws What the store throws. What could not be published stays here.
	*/
	flush(records: JournalRecords): MaybePromise<number> {
		if (this.#current === undefined && this.#next === undefined) {
			return this.#publish(records);
		}

		this.#next ??= this.#publishAfter(this.#current!, records);
		return this.#next;
	}

	/** Resolves when nothing is being published. */
	settled(): MaybePromise<void> {
		return this.#next === undefined ? this.#current : ended(this.#next);
	}

	async #publishAfter(current: Promise<void>, records: JournalRecords): Promise<number> {
		await current;
		this.#next = undefined;
		return this.#publish(records);
	}

	#publish(records: JournalRecords): MaybePromise<number> {
		const batch = new Map(this.#batch);
		const published = recover(() => then(records.publish(batch), position => {
			this.#remove(batch);
			return position;
		}), error => {
			this.#fail(records);
			throw error;
		});
		if (published instanceof Promise) {
			const current = ended(published).then(() => {
				this.#current = this.#current === current ? undefined : this.#current;
			});
			this.#current = current;
		}

		return published;
	}

	/** Removes what was published; a name that was noted again meanwhile stays. */
	#remove(batch: Batch): void {
		for (const [key, noted] of batch) {
			if (this.#batch.get(key) === noted) {
				this.#batch.delete(key);
			}
		}
	}

	#fail({head, now}: JournalRecords): void {
		this.#failedAt = now();
		for (const key of this.#batch.keys()) {
			if (this.#batch.size <= maxNames) {
				break;
			}

			const position = (head ?? this.#failedAt) + 1;
			this.#batch.delete(key);
			this.#forgotten = {resources: position, tags: position};
		}
	}
}

/** Waits for the end of an action. Its faults are for those who wait for its value. */
async function ended(pending: Promise<unknown>): Promise<void> {
	try {
		await pending;
	} catch {}
}
