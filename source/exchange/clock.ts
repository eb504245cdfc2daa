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
