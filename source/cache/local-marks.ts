import type {Forgotten, Invalidation, NamedInvalidation} from './invalidation.ts';

// The most names that are kept. Entries from before a forgotten one count as invalidated.
const mostNames = 10_000;

/** Where resources and tags were last invalidated, for a store that no other process sees. */
export class LocalMarks {
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
				this.#forgotten = {...this.#forgotten, resources: markIn(this.#resources, invalidation.resource, position) ?? this.#forgotten.resources};
			} else if (invalidation.kind === 'tag') {
				this.#forgotten = {...this.#forgotten, tags: Math.max(this.#forgotten.tags, markIn(this.#tags[invalidation.deed], invalidation.tag, position) ?? -Infinity)};
			}
		}
	}

	/** The position of the last invalidation of a name; 0 where there was none. */
	of(invalidation: NamedInvalidation): number {
		const position = invalidation.kind === 'tag' ? this.#tags[invalidation.deed].get(invalidation.tag) : this.#resources.get(invalidation.resource);
		return position ?? 0;
	}
}

/** Marks a name; gives the position of the one that was forgotten for it. */
function markIn(positions: Map<string, number>, name: string, position: number): number | undefined {
	positions.delete(name);
	positions.set(name, position);
	if (positions.size <= mostNames) {
		return undefined;
	}

	const [oldest, forgotten] = positions.entries().next().value!;
	positions.delete(oldest);
	return forgotten;
}
