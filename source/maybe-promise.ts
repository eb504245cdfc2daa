export type MaybePromise<T> = T | Promise<T>;

/**
`then` that stays synchronous where its input is: what a synchronous store can answer costs no turn of the event loop.
*/
export function then<T, Result>(value: MaybePromise<T>, next: (value: T) => MaybePromise<Result>): MaybePromise<Result> {
	return value instanceof Promise ? value.then(next) : next(value);
}

/**
Runs an action for each item, as `Promise.all` of a map, but synchronously where all of the answers are.

@throws What an action throws. What others reject with later is ignored then: nobody could handle it.
*/
export function all<Item, Result>(items: readonly Item[], action: (item: Item) => MaybePromise<Result>): MaybePromise<readonly Result[]> {
	const results: Array<MaybePromise<Result>> = [];
	try {
		for (const item of items) {
			results.push(action(item));
		}
	} catch (error) {
		void Promise.allSettled(results);
		throw error;
	}

	return results.some(result => result instanceof Promise) ? Promise.all(results) : results as Result[];
}

/** Runs an action; `instead` takes the place of what it throws, now or later. */
export function recover<T>(action: () => MaybePromise<T>, instead: (error: unknown) => MaybePromise<T>): MaybePromise<T> {
	try {
		const value = action();
		return value instanceof Promise ? value.catch(instead) : value;
	} catch (error) {
		return instead(error);
	}
}

/** Milliseconds; for longer than that, a timer fires at once. */
export const longestTimer = 2_147_483_647;

/**
The value that is waited for, or another one when the time is over. What comes later, a rejection too, is ignored.
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

/** Whether it is a promise, of whatever library. */
export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
	return typeof (value as {then?: unknown} | undefined | null)?.then === 'function';
}
