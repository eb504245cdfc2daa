import {longestTimer} from '../maybe-promise.ts';

/** Monotonic time, and timers by it: a test gives one that it moves by hand. */
export type Clock = {
	/** Milliseconds that never go back. */
	readonly now: () => number;

	/** Calls an action after some milliseconds, unless what it gives is called before. */
	readonly after: (milliseconds: number, action: () => void) => () => void;
};

export const systemClock: Clock = {
	now: performance.now.bind(performance),
	after(milliseconds, action) {
		if (milliseconds > longestTimer) {
			return () => {}; // eslint-disable-line @typescript-eslint/no-empty-function -- It would never fire.
		}

		const timer = setTimeout(action, Math.max(0, milliseconds));
		return () => {
			clearTimeout(timer);
		};
	},
};

/** How long other requests wait for one that is under way, in milliseconds. */
export type Limits = {
	/** For the head of a response, and for its body where that has a known length. */
	readonly response: number;

	/** For a body whose length is not known, from its head on. */
	readonly unknownLength: number;
};

/** How far a body has come. */
export type BodyProgress = {
	/** Its whole length in bytes; `undefined` where it is not known. */
	readonly length: number | undefined;
	received: number;

	/** When some of it last came, in milliseconds since it has begun. */
	progressed: number;
};

// The milliseconds before the rate of a body is estimated, and between two estimates.
const firstEstimate = 1000;

/**
Milliseconds until others wait no more, or until it is estimated anew; not above 0 where they wait no more.

@param elapsed - Milliseconds since the request was sent, or since its body has begun.
*/
export function timeLeft(elapsed: number, body: BodyProgress | undefined, {response, unknownLength}: Limits): number {
	if (body === undefined) {
		return response - elapsed;
	}

	const {length, received, progressed} = body;
	if (length === undefined) {
		return unknownLength - elapsed;
	}

	// A body is waited for while it will be whole in time, at the rate seen. Whoever reads it may stop before its end: then nothing comes any more.
	const isStalled = elapsed - progressed >= unknownLength;
	const isInTime = elapsed < firstEstimate || (!isStalled && elapsed * length <= response * received);
	return isInTime ? Math.min(response - elapsed, firstEstimate) : 0;
}

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
