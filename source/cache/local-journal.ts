/** What a response is, as invalidations name it. */
export type Subject = {
	/** The primary key; `undefined` where it is not known yet. */
	readonly key: string | undefined;

	/** The name of the resource, as `resourceOfRequest` gives it. */
	readonly resource: string;

	/** The target URI, without its secrets. */
	readonly url: string;

	/** The tags of the response, as far as they are known. */
	readonly tags: readonly string[];
};

/** What was done to the responses that an invalidation names. */
export type Deed = 'deleted' | 'expired';

/** An invalidation: which responses that were asked for before are no longer true. */
export type Invalidation =
	| {readonly kind: 'resource'; readonly resource: string}
	| {readonly kind: 'tag'; readonly tag: string; readonly deed: Deed}
	| {readonly kind: 'key'; readonly key: string}

	/** Everything that a condition holds for; other processes take it for everything. */
	| {readonly kind: 'matching'; readonly concerns: (subject: Subject) => boolean};

type Noted = {readonly position: number; readonly invalidation: Invalidation};

// What is noted beyond that is forgotten, and what was asked for before it counts as invalidated.
const mostRecent = 1000;
const mostNames = 10_000;

/**
The invalidations of a store that this process knows of, in the order in which they were noted. Caches that share a store share it.

A position is a number that grows with each invalidation: milliseconds since the epoch, or one more than the last where the clock says less. So positions of several processes can be compared, since each goes on from the last one that it has seen in the store.
*/
export class LocalJournal {
	/** Until when nobody knows any more what was invalidated: for entries without tags, and for those with tags. */
	forgotten: {resources: number; tags: number} = {resources: -Infinity, tags: -Infinity};
	readonly #recent: Noted[] = [];
	readonly #resources = new Map<string, number>();
	readonly #tags: Readonly<Record<Deed, Map<string, number>>> = {deleted: new Map(), expired: new Map()};

	/** The positions of the exchanges that are under way, and how many have each. */
	readonly #exchanges = new Map<number, number>();
	#last = 0;
	#floor = -Infinity;

	/** The position of the last invalidation. */
	get last(): number {
		return this.#last;
	}

	/** Goes on from a position that the store has. */
	reach(position: number): void {
		this.#last = Math.max(this.#last, position);
	}

	/** The position that an invalidation gets now. */
	next(now: number): number {
		return Math.max(now, this.#last + 1);
	}

	note(invalidations: readonly Invalidation[], position: number): void {
		this.reach(position);
		for (const invalidation of invalidations) {
			if (this.#exchanges.size > 0) {
				this.#recent.push({position, invalidation});
			}

			if (invalidation.kind === 'resource') {
				this.forgotten.resources = noteIn(this.#resources, invalidation.resource, position) ?? this.forgotten.resources;
			} else if (invalidation.kind === 'tag') {
				this.forgotten.tags = noteIn(this.#tags[invalidation.deed], invalidation.tag, position) ?? this.forgotten.tags;
			}
		}

		const excess = this.#recent.length - mostRecent;
		if (excess > 0) {
			this.#floor = this.#recent.splice(0, excess).at(-1)!.position;
		}
	}

	/** The position of the last invalidation of a resource. */
	ofResource(resource: string): number {
		return this.#resources.get(resource) ?? -Infinity;
	}

	/** The position of the last invalidation of a tag. */
	ofTag(tag: string, deed: Deed): number {
		return this.#tags[deed].get(tag) ?? -Infinity;
	}

	/** Whether something that was noted after a position, and up to another, concerns a response. */
	concerns(subject: Subject, after: number, upTo = Infinity): boolean {
		return after < this.#floor || this.#recent.some(({position, invalidation}) => position > after && position <= upTo && isConcerned(subject, invalidation));
	}

	/** An exchange begins: what is noted from now on is kept for it. */
	begin(): number {
		const position = this.#last;
		this.#exchanges.set(position, (this.#exchanges.get(position) ?? 0) + 1);
		return position;
	}

	/** An exchange that began at a position has ended. */
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

/** Notes a position; gives that of what was forgotten for it. */
function noteIn(positions: Map<string, number>, name: string, position: number): number | undefined {
	positions.delete(name);
	positions.set(name, position);
	if (positions.size <= mostNames) {
		return undefined;
	}

	const [oldest, forgotten] = positions.entries().next().value!;
	positions.delete(oldest);
	return forgotten;
}

function isConcerned(subject: Subject, invalidation: Invalidation): boolean {
	switch (invalidation.kind) {
		case 'resource': {
			return subject.resource === invalidation.resource;
		}

		case 'tag': {
			return subject.tags.includes(invalidation.tag);
		}

		case 'key': {
			return subject.key === invalidation.key;
		}

		case 'matching': {
			return invalidation.concerns(subject);
		}

		default: {
			return invalidation satisfies never;
		}
	}
}

const byStore = new WeakMap<object, LocalJournal>();
const byName = new Map<string, LocalJournal>();

/**
The invalidations of a store: caches of one process that share it share them.

@param store - The store as it was given. A name is that of one store for each `cacheName`, except for `'memory'`, which nobody shares.
*/
export function localJournalOf(store: object | string, cacheName: string): LocalJournal {
	if (store === 'memory') {
		return new LocalJournal();
	}

	const name = `${String(store)} ${cacheName}`;
	const known = typeof store === 'string' ? byName.get(name) : byStore.get(store);
	const journal = known ?? new LocalJournal();
	if (typeof store === 'string') {
		byName.set(name, journal);
	} else {
		byStore.set(store, journal);
	}

	return journal;
}
