import {longestTimer} from '../maybe-promise.ts';

/** Monotonic time, and timers by it. Tests pass a clock that they move by hand. */
export type Clock = {
	/** Returns milliseconds that never decrease. */
	readonly now: () => number;

	/** Calls an action after some milliseconds. Returns a function that cancels it. */
	readonly after: (milliseconds: number, action: () => void) => () => void;
};

export const systemClock: Clock = {
	now: performance.now.bind(performance),
	after(milliseconds, action) {
		if (milliseconds > longestTimer) {
			return () => {}; // eslint-disable-line @typescript-eslint/no-empty-function -- The timer would never fire.
		}

		const timer = setTimeout(action, Math.max(0, milliseconds));
		return () => {
			clearTimeout(timer);
		};
	},
};

type TimeLimits = {
	/** The maximum number of milliseconds for all calls of the store together. */
	readonly store: number;

	/** The maximum number of milliseconds in all. */
	readonly total: number;
};

/** The time for which a request may still wait. Time that passes counts towards the limit of the store, unless `extend` excludes it, as for the wait for another request in flight. */
export class TimeBudget {
	readonly clock: Clock;
	readonly #end: number;
	#storeEnd: number;

	/** Starts the budget now, or at an earlier time of the clock. */
	constructor({store, total}: TimeLimits, clock: Clock = systemClock, start: number = clock.now()) {
		this.clock = clock;
		this.#storeEnd = start + store;
		this.#end = start + total;
	}

	/** Milliseconds left for the store, and for a wait after a failure; 0 or less if there are none. */
	get left(): number {
		return Math.min(this.#storeEnd, this.#end) - this.clock.now();
	}

	/** Milliseconds left for any wait; 0 or less if there are none. */
	get totalLeft(): number {
		return this.#end - this.clock.now();
	}

	/** Excludes the time since a moment of the clock from the limit of the store. */
	extend(since: number): void {
		this.#storeEnd += this.clock.now() - since;
	}
}

/** The maximum number of milliseconds for which other requests wait for one in flight. */
export type WaitLimits = {
	/** For the head of a response, and for a body of known length. */
	readonly response: number;

	/** For a body of unknown length, from its head on. */
	readonly unknownLength: number;
};

export type BodyProgress = {
	/** The length in bytes; `undefined` if it is not known. */
	readonly length: number | undefined;
	received: number;

	/** When the last chunk came, in milliseconds since the body began. */
	progressed: number;
};

/** Milliseconds before the rate of a body is first estimated, and between two estimates. */
const estimateInterval = 1000;

/**
Returns the milliseconds until other requests stop waiting, or until the next estimate; 0 or less if they stop now.

@param elapsed - Milliseconds since the request was sent, or since its body began.
*/
export function waitTimeLeft(elapsed: number, body: BodyProgress | undefined, {response, unknownLength}: WaitLimits): number {
	if (body === undefined) {
		return response - elapsed;
	}

	const {length, received, progressed} = body;
	if (length === undefined) {
		return unknownLength - elapsed;
	}

	// Others wait while the body will be complete in time, at the rate so far. Its reader may stop before its end: then no more chunks come.
	const isStalled = elapsed - progressed >= unknownLength;
	const isInTime = elapsed < estimateInterval || (!isStalled && elapsed * length <= response * received);
	return isInTime ? Math.min(response - elapsed, estimateInterval) : 0;
}
