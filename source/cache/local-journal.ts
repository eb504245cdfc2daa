import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import type {Store} from '../stores/types.ts';
import {
	isConcerned,
	type Forgotten,
	type Invalidation,
	type NamedInvalidation,
	type Subject,
} from './invalidation.ts';
import type {JournalRecords} from './journal-records.ts';

type Noted = {readonly position: number; readonly invalidation: Invalidation};

// The most invalidations that are remembered. Responses whose request was sent before a forgotten one count as invalidated.
const maxRecent = 1000;

// The most names that are remembered, also while the store fails. Entries from before a forgotten one count as invalidated.
const maxNames = 10_000;

/**
The invalidations of a store by this process, in order. Caches that share a store share one journal.

A position in that order is a number that grows with each invalidation: milliseconds since the epoch, or one more than the last position where the clock is behind. It says nothing about other processes.
*/
export class LocalJournal {
	/** The last invalidations by name, for a store that no other process sees. */
	readonly names: LocalNames = new LocalNames();

	/** The invalidations that other processes do not know of yet, for a store that they share. */
	readonly unpublished: Unpublished = new Unpublished();
	readonly #recent: Noted[] = [];

	/** The positions of the exchanges that are under way, and how many have each. */
	readonly #exchanges = new Map<number, number>();
	#last = 0;
	#forgottenUpTo = -Infinity;

	/** The position of the last invalidation. */
	get last(): number {
		return this.#last;
	}

	/**
	Notes invalidations, for the exchanges that are under way.

	@returns Their position.
	*/
	note(invalidations: readonly Invalidation[], now: number): number {
		const position = Math.max(now, this.#last + 1);
		this.#last = position;
		if (this.#exchanges.size === 0) {
			return position;
		}

		for (const invalidation of invalidations) {
			this.#recent.push({position, invalidation});
		}

		const excess = this.#recent.length - maxRecent;
		if (excess > 0) {
			this.#forgottenUpTo = this.#recent.splice(0, excess).at(-1)!.position;
		}

		return position;
	}

	/** Whether an invalidation that was noted after a position, and up to another, concerns a response. */
	concerns(subject: Subject, after: number, upTo?: number): boolean {
		return after < this.#forgottenUpTo || this.#recent.some(({position, invalidation}) => position > after && position <= (upTo ?? Infinity) && isConcerned(subject, invalidation));
	}

	/** Begins an exchange: invalidations from now on are remembered for it. */
	begin(): number {
		const position = this.#last;
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
		const needed = this.#recent.findIndex(noted => noted.position > oldest);
		this.#recent.splice(0, needed === -1 ? this.#recent.length : needed);
	}
}

/** The positions at which resources and tags were last invalidated, for a store that no other process sees. */
class LocalNames {
	readonly #resources = new Map<string, number>();
	readonly #tags = {deleted: new Map<string, number>(), expired: new Map<string, number>()} as const;
	#forgotten: Forgotten = {resources: -Infinity, tags: -Infinity};

	get forgotten(): Forgotten {
		return this.#forgotten;
	}

	/** Notes invalidations at a position. */
	set(invalidations: readonly Invalidation[], position: number): void {
		for (const invalidation of invalidations) {
			if (invalidation.kind === 'resource') {
				this.#forgotten = {...this.#forgotten, resources: setLatest(this.#resources, invalidation.resource, position) ?? this.#forgotten.resources};
			} else if (invalidation.kind === 'tag') {
				this.#forgotten = {...this.#forgotten, tags: Math.max(this.#forgotten.tags, setLatest(this.#tags[invalidation.effect], invalidation.tag, position) ?? -Infinity)};
			}
		}
	}

	/** Returns the position of the last invalidation of a name; 0 where there was none. */
	positionOf(invalidation: NamedInvalidation): number {
		const position = invalidation.kind === 'tag' ? this.#tags[invalidation.effect].get(invalidation.tag) : this.#resources.get(invalidation.resource);
		return position ?? 0;
	}
}

/** Sets the position of a name; returns the position of the oldest name where that was forgotten. */
function setLatest(positions: Map<string, number>, name: string, position: number): number | undefined {
	positions.delete(name);
	positions.set(name, position);
	if (positions.size <= maxNames) {
		return undefined;
	}

	const [oldest, forgotten] = positions.entries().next().value!;
	positions.delete(oldest);
	return forgotten;
}

/** Invalidations by the keys of their records, so that each name is there once. */
export type Batch = ReadonlyMap<string, {readonly invalidation: Invalidation}>;

// The milliseconds for which a store that failed is not called.
const pause = 10_000;

/**
The invalidations by this process that are not in the store yet, since it is slow or fails. Until they are, this process uses nothing that they concern.

They are published together: what is noted while others are being published is published with the next ones, so that a slow store causes no queue.
*/
class Unpublished {
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

const byStore = new WeakMap<object, Map<string, LocalJournal>>();
const byName = new Map<string, LocalJournal>();

/**
Returns the journal of this process for a store.

@param store - The store as it was given. All caches that name a store and have the same `cacheName` share it, except in a `process` store, which each of them has for itself.
@param cacheName - The name that separates caches that share the store; `''` where nothing does.
@param scope - The `scope` of the store.
*/
export function localJournalOf(store: object | string, cacheName: string, scope?: Store['scope']): LocalJournal {
	if (typeof store === 'string') {
		return scope === 'process' ? new LocalJournal() : journalIn(byName, `${store} ${cacheName}`);
	}

	const journals = byStore.get(store) ?? new Map<string, LocalJournal>();
	byStore.set(store, journals);
	return journalIn(journals, cacheName);
}

function journalIn(journals: Map<string, LocalJournal>, name: string): LocalJournal {
	const journal = journals.get(name) ?? new LocalJournal();
	journals.set(name, journal);
	return journal;
}
