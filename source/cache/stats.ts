import type {CircuitState} from '../stores/breaker.ts';

/**
What a cache of this process has done since it was made, or since `resetStats()`.
*/
export type CacheStats = {
	readonly since: Date;

	/** Answers from the store that were fresh. */
	readonly hits: number;

	/** Answers from the store that had expired. */
	readonly stale: number;

	/** Answers from the store after the origin's 304. */
	readonly revalidated: number;

	/** Answers of the origin, and errors for want of any, in all and by reason. */
	readonly misses: number;
	readonly missesByReason: Readonly<Record<string, number>>;

	/** Requests for which the cache stood aside. */
	readonly bypassed: number;

	/** Responses handed to the store, and those that were not, by reason. */
	readonly stored: number;
	readonly refused: number;
	readonly refusedByReason: Readonly<Record<string, number>>;

	/** What bounded stores made room by, where they tell. */
	readonly evicted: number;

	/** Faults of the store, of functions in the settings, and of refreshes. */
	readonly errors: number;

	/** Whether the store is used (`closed`), left alone after faults (`open`), or tried again by one call (`half-open`). */
	readonly circuit: CircuitState;

	/** Content that did not come from the origin. */
	readonly bytesSaved: number;

	/** How long the origin took to give, when it was asked, what it was not asked for again. */
	readonly millisecondsSaved: number;
};

export type Answered = 'hit' | 'stale' | 'revalidated' | 'miss' | 'bypassed';

/** Counts. */
export class Figures {
	#since: number;
	#answered: Record<Answered, number> = {
		hit: 0, stale: 0, revalidated: 0, miss: 0, bypassed: 0,
	};

	#misses = new Map<string, number>();
	#refused = new Map<string, number>();
	#bytes = 0;
	#milliseconds = 0;
	stored = 0;
	evicted = 0;
	errors = 0;

	constructor(now: number) {
		this.#since = now;
	}

	answer(how: Answered, reason: string): void {
		this.#answered[how]++;
		if (how === 'miss') {
			count(this.#misses, reason);
		}
	}

	refuse(reason: string): void {
		count(this.#refused, reason);
	}

	save(bytes: number, milliseconds: number): void {
		this.#bytes += bytes;
		this.#milliseconds += milliseconds;
	}

	get all(): Omit<CacheStats, 'circuit'> {
		const {hit, stale, revalidated, miss, bypassed} = this.#answered;
		return {
			since: new Date(this.#since),
			hits: hit,
			stale,
			revalidated,
			misses: miss,
			missesByReason: Object.fromEntries(this.#misses),
			bypassed,
			stored: this.stored,
			refused: this.#refused.values().reduce((sum, number) => sum + number, 0),
			refusedByReason: Object.fromEntries(this.#refused),
			evicted: this.evicted,
			errors: this.errors,
			bytesSaved: this.#bytes,
			millisecondsSaved: this.#milliseconds,
		};
	}

	reset(now: number): void {
		this.#since = now;
		this.#answered = {
			hit: 0, stale: 0, revalidated: 0, miss: 0, bypassed: 0,
		};
		this.#misses = new Map();
		this.#refused = new Map();
		this.#bytes = 0;
		this.#milliseconds = 0;
		this.stored = 0;
		this.evicted = 0;
		this.errors = 0;
	}
}

function count(counts: Map<string, number>, reason: string): void {
	counts.set(reason, (counts.get(reason) ?? 0) + 1);
}
