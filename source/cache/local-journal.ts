import {
	isConcerned,
	type Forgotten,
	type Invalidation,
	type NamedInvalidation,
	type Subject,
} from './invalidation.ts';
import {Unpublished} from './unpublished.ts';

type Noted = {readonly position: number; readonly invalidation: Invalidation};

// The most invalidations that are remembered. Responses whose request was sent before a forgotten one count as invalidated.
const maxRecent = 1000;

// The most names that are remembered. Entries from before a forgotten one count as invalidated.
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

const byStore = new WeakMap<object, Map<string, LocalJournal>>();
const byName = new Map<string, LocalJournal>();

/**
Returns the journal of this process for a store.

@param store - The store as it was given. A name is that of one store for each `cacheName`, except for `'memory'`, which is never shared.
@param cacheName - The name that separates caches that share the store; `''` where nothing does.
*/
export function localJournalOf(store: object | string, cacheName: string): LocalJournal {
	if (store === 'memory') {
		return new LocalJournal();
	}

	if (typeof store === 'string') {
		return journalIn(byName, `${store} ${cacheName}`);
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
