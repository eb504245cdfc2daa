export type TimeLimits = {
	/** Milliseconds for which the store may hold a request back, all of its calls together. */
	readonly store: number;

	/** Milliseconds for which it may be held back in all. */
	readonly total: number;
};

/**
How much longer a request may be held back, on the monotonic clock. Time that passes counts against the store, except for the time that extends its budget: the wait for another request that is under way.
*/
export class TimeBudget {
	readonly #end: number;
	#storeEnd: number;

	constructor({store, total}: TimeLimits, start: number = performance.now()) {
		this.#storeEnd = start + store;
		this.#end = start + total;
	}

	/** Milliseconds for the store, and for a wait after a failure; not above 0 where there are none. */
	get left(): number {
		return Math.min(this.#storeEnd, this.#end) - performance.now();
	}

	/** Milliseconds for any wait. */
	get totalLeft(): number {
		return this.#end - performance.now();
	}

	/** The time since a moment was not the store's. */
	extend(since: number): void {
		this.#storeEnd += performance.now() - since;
	}
}
