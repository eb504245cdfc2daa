export type PatienceLimits = {
	/** Milliseconds for which the store may keep a request back, all of its calls together. */
	readonly store: number;

	/** Milliseconds for which it may be kept back in all; `Infinity` for no end. */
	readonly inAll: number;
};

/**
How much longer a request may be kept back, by `performance.now()`. What passes counts against the store, but for what is excused: waiting for another's request while that is on its way.
*/
export class Patience {
	readonly #end: number;
	#storeEnd: number;

	constructor({store, inAll}: PatienceLimits, start: number = performance.now()) {
		this.#storeEnd = start + store;
		this.#end = start + inAll;
	}

	/** Milliseconds for the store, and for waiting after a failure; not above 0 where there are none. */
	get left(): number {
		return Math.min(this.#storeEnd, this.#end) - performance.now();
	}

	/** Milliseconds for whatever there is to wait for. */
	get leftInAll(): number {
		return this.#end - performance.now();
	}

	/** What has passed since then was not the store's. */
	excuse(since: number): void {
		this.#storeEnd += performance.now() - since;
	}
}
