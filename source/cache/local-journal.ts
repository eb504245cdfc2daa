import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import type {Store} from '../stores/types.ts';
import {
	isConcerned,
	type Invalidation,
	type NamedInvalidation,
	type Subject,
	type JournalRecords,
} from './journal-records.ts';

type TimedInvalidation = {readonly position: number; readonly invalidation: Invalidation};

// The maximum number of invalidations in memory. Responses whose request was sent before a discarded one count as invalidated.
const maxRecent = 1000;

// The maximum number of names in memory, also while the store fails. Entries from before a discarded one count as invalidated.
const maxNames = 10_000;

/**
The invalidations of a store by this process, in order. Caches that share a store share one journal.

A position in that order is a number that grows with each invalidation: milliseconds since the epoch, or one more than the last position if the clock is behind. It says nothing about other processes.
*/
export class LocalJournal {
	/** The last invalidations by name, for a store that no other process sees. */
	readonly names: LocalNames = new LocalNames();

	/** The invalidations that other processes do not know of yet, for a store that they share. */
	readonly unpublished: Unpublished = new Unpublished();
	readonly #recent: TimedInvalidation[] = [];

	/** The positions of the exchanges that are under way, and how many have each. */
	readonly #exchanges = new Map<number, number>();
	#discardedUpTo = -Infinity;

	/** The position of the last invalidation. */
	last = 0;

	/**
	Adds invalidations, for the exchanges that are under way.

	@returns Their position.
	*/
	add(invalidations: readonly Invalidation[], now: number): number {
		const position = Math.max(now, this.last + 1);
		this.last = position;
		if (this.#exchanges.size === 0) {
			return position;
		}

		for (const invalidation of invalidations) {
			this.#recent.push({position, invalidation});
		}

		const excess = this.#recent.length - maxRecent;
		if (excess > 0) {
			this.#discardedUpTo = this.#recent.splice(0, excess).at(-1)!.position;
		}

		return position;
	}

	/** Whether an invalidation after a position, and up to another, concerns a response. */
	concerns(subject: Subject, after: number, upTo?: number): boolean {
		return after < this.#discardedUpTo || (this.#recent.length > 0 && this.#concernsRecently(subject, after, upTo ?? Infinity));
	}

	#concernsRecently(subject: Subject, after: number, upTo: number): boolean {
		return this.#recent.some(({position, invalidation}) => position > after && position <= upTo && isConcerned(subject, invalidation));
	}

	/** Begins an exchange: invalidations from now on are stored for it. */
	begin(): number {
		const position = this.last;
		this.#exchanges.set(position, (this.#exchanges.get(position) ?? 0) + 1);
		return position;
	}

	/** Ends an exchange that began at a position. */
	end(position: number): void {
		const count = this.#exchanges.get(position)! - 1;
		if (count > 0) {
			this.#exchanges.set(position, count);
			return;
		}

		this.#exchanges.delete(position);
		// Positions only grow, so that the first one is the least.
		const oldest = this.#exchanges.keys().next().value ?? Infinity;
		const needed = this.#recent.findIndex(({position: later}) => later > oldest);
		this.#recent.splice(0, needed === -1 ? this.#recent.length : needed);
	}
}

/** The positions at which resources and tags were last invalidated, for a store that no other process sees. */
class LocalNames {
	/** The position up to which names may have been discarded, since there were too many. */
	discarded = 0;
	readonly #positions = new Map<string, number>();

	/** Sets the position of the names that invalidations are by. */
	set(invalidations: readonly Invalidation[], position: number): void {
		for (const invalidation of invalidations) {
			if (invalidation.kind === 'key' || invalidation.kind === 'matching') {
				continue;
			}

			const name = nameOf(invalidation);
			// The latest are last.
			this.#positions.delete(name);
			this.#positions.set(name, position);
		}

		for (const [oldest, discarded] of this.#positions) {
			if (this.#positions.size <= maxNames) {
				break;
			}

			this.#positions.delete(oldest);
			this.discarded = discarded;
		}
	}

	/** Returns the position of the last invalidation of a name; 0 if there was none. */
	positionOf(invalidation: NamedInvalidation): number {
		return this.#positions.get(nameOf(invalidation)) ?? 0;
	}
}

function nameOf(invalidation: NamedInvalidation): string {
	return invalidation.kind === 'tag' ? `${invalidation.effect} ${invalidation.tag}` : invalidation.resource;
}

/** Invalidations by the keys of their records, so that each name is there once. */
export type Batch = ReadonlyMap<string, {readonly invalidation: Invalidation}>;

// The milliseconds for which a store that failed is not called.
const pause = 10_000;

/**
The invalidations by this process that are not in the store yet, since it is slow or fails. Until they are, this process uses nothing that they concern.

They are published together: those that are added during a publication are published with the next one, so that a slow store causes no queue.
*/
class Unpublished {
	/** The position up to which names may have been discarded, since there were too many. */
	discarded = 0;
	readonly #batch = new Map<string, {readonly invalidation: Invalidation}>();
	#current: Promise<void> | undefined;
	#next: Promise<number> | undefined;
	#failedAt = -Infinity;

	get size(): number {
		return this.#batch.size;
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

	/** Removes what was published, except names that were invalidated again meanwhile. */
	#remove(batch: Batch): void {
		for (const [key, published] of batch) {
			if (this.#batch.get(key) === published) {
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

			this.#batch.delete(key);
			this.discarded = (head ?? this.#failedAt) + 1;
		}
	}
}

/** Waits for the end of an action. Its faults are for those who wait for its value. */
async function ended(pending: Promise<unknown>): Promise<void> {
	try {
		await pending;
	} catch {}
}

const journals = new WeakMap<object, Map<string, LocalJournal>>();
const namedStores: object = {};

/**
Returns the journal of this process for a store.

@param store - The store as it was given. All caches that name a store and have the same `cacheName` share it, except in a `process` store, which each of them has for itself.
@param cacheName - The name that separates caches that share the store; `''` if nothing does.
@param scope - The `scope` of the store.
*/
export function localJournalOf(store: object | string, cacheName: string, scope?: Store['scope']): LocalJournal {
	if (typeof store === 'string' && scope === 'process') {
		return new LocalJournal();
	}

	const [owner, name] = typeof store === 'string' ? [namedStores, `${store} ${cacheName}`] : [store, cacheName];
	const known = journals.get(owner) ?? new Map<string, LocalJournal>();
	const journal = known.get(name) ?? new LocalJournal();
	journals.set(owner, known.set(name, journal));
	return journal;
}
