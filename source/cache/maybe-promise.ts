import type {MaybePromise} from '../model/maybe-promise.ts';

export {chain, type MaybePromise} from '../model/maybe-promise.ts';

/** `Promise.all` that stays synchronous where all of its input is. */
export function all<T>(values: ReadonlyArray<MaybePromise<T>>): MaybePromise<readonly T[]> {
	return values.some(value => value instanceof Promise) ? Promise.all(values) : values as readonly T[];
}

/** Milliseconds; for longer than that, a timer fires at once. */
export const longestTimer = 2_147_483_647;

/**
What is waited for, or something instead when the time is over; what comes later, a rejection too, is ignored.
*/
export async function withinTime<T>(pending: Promise<T>, milliseconds: number, instead: T): Promise<T> {
	if (milliseconds > longestTimer) {
		return pending;
	}

	const limit = Promise.withResolvers<T>();
	const timer = setTimeout(() => {
		limit.resolve(instead);
	}, Math.max(0, milliseconds));
	try {
		return await Promise.race([pending, limit.promise]);
	} finally {
		clearTimeout(timer);
	}
}
