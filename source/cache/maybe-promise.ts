import type {MaybePromise} from '../stores/types.ts';

export type {MaybePromise} from '../stores/types.ts';

/**
`then` that stays synchronous where its input is: what a synchronous store can answer costs no turn of the event loop.
*/
export function chain<T, Result>(value: MaybePromise<T>, next: (value: T) => MaybePromise<Result>): MaybePromise<Result> {
	return value instanceof Promise ? value.then(next) : next(value);
}

// For longer than that, a timer fires at once.
const longestTimer = 2_147_483_647;

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
