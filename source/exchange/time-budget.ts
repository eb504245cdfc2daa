import {systemClock, type Clock} from './clock.ts';

type TimeLimits = {
	/** Milliseconds for which the store may hold a request back, all of its calls together. */
	readonly store: number;

	/** Milliseconds for which it may be held back in all. */
	readonly total: number;
};

/**
How much longer a request may be held back. Time that passes counts against the store, except for the time that extends its budget: the wait for another request that is under way.
*/
export class TimeBudget {
	readonly clock: Clock;

	/** When the budget began, by the clock. */
	readonly start: number;
	readonly #end: number;
	#storeEnd: number;

	/** Begins to count now, or has begun at a moment of the clock. */
	constructor({store, total}: TimeLimits, clock: Clock = systemClock, start: number = clock.now()) {
		this.clock = clock;
		this.start = start;
		this.#storeEnd = this.start + store;
		this.#end = this.start + total;
	}

	/** Milliseconds left for the store, and for a wait after a failure; 0 or less where the time is over. */
	get left(): number {
		return Math.min(this.#storeEnd, this.#end) - this.clock.now();
	}

	/** Milliseconds left for any wait; 0 or less where the time is over. */
	get totalLeft(): number {
		return this.#end - this.clock.now();
	}

	/** Does not count the time since a moment of the clock against the store. */
	extend(since: number): void {
		this.#storeEnd += this.clock.now() - since;
	}
}
