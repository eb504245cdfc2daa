/** A value, or a promise of it. What a synchronous store can answer then costs no turn of the event loop. */
export type MaybePromise<T> = T | Promise<T>;

/** Calls a function with a value: at once, or when the promise of it resolves. */
export function then<T, Result>(value: MaybePromise<T>, next: (value: T) => MaybePromise<Result>): MaybePromise<Result> {
	return value instanceof Promise ? value.then(next) : next(value);
}

/**
Runs an action for each item, like `Promise.all` of a map, but synchronously when all results are.

@throws The error of an action that throws synchronously. Later rejections of other actions are then ignored, since nobody could handle them.
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

/** Runs an action. When it throws or rejects, returns the result of `instead`. */
export function recover<T>(action: () => MaybePromise<T>, instead: (error: unknown) => MaybePromise<T>): MaybePromise<T> {
	try {
		const value = action();
		return value instanceof Promise ? value.catch(instead) : value;
	} catch (error) {
		return instead(error);
	}
}

/** The longest delay of a timer, in milliseconds. With a longer one, the timer fires at once. */
export const longestTimer = 2_147_483_647;

/**
Waits for a value for a limited time, and then returns another one. What the promise settles with later, a rejection included, is ignored.
*/
export function withinTime<T>(pending: Promise<T>, milliseconds: number, instead: T): Promise<T> {
	return unlessLate(pending, milliseconds, () => instead);
}

/**
Waits for a value for a limited time, and then returns the result of `onTimeout`, or rejects with what it throws. What the promise settles with later, a rejection included, is ignored.
*/
export function unlessLate<T>(pending: Promise<T>, milliseconds: number, onTimeout: () => T): Promise<T> {
	return milliseconds > longestTimer ? pending : settledInTime<T, T>(pending, milliseconds, {onValue: value => value, onTimeout});
}

type Outcomes<T, Result> = {
	readonly onValue: (value: T) => MaybePromise<Result>;

	/** Default: throws the error. */
	readonly onError?: (error: unknown) => MaybePromise<Result>;
	readonly onTimeout: () => MaybePromise<Result>;
};

/**
Waits for a promise for a limited time. Returns the result of the function for what comes first, or rejects with what it throws; the others are not called.

It makes one promise: a race of promises, or an asynchronous function around it, would make several.
*/
export function settledInTime<T, Result>(pending: Promise<T>, milliseconds: number, {onValue, onError = rethrow, onTimeout}: Outcomes<T, Result>): Promise<Result> {
	return new Promise((resolve, reject) => {
		let isOver = false;
		const conclude = <Value>(outcome: (value: Value) => MaybePromise<Result>, value: Value): void => {
			if (isOver) {
				return;
			}

			isOver = true;
			clearTimeout(timer);
			try {
				resolve(outcome(value));
			} catch (error) {
				reject(error as Error); // eslint-disable-line @typescript-eslint/no-unnecessary-type-assertion
			}
		};

		const timer = milliseconds > longestTimer ? undefined : setTimeout(conclude, Math.max(0, milliseconds), onTimeout, undefined);
		// eslint-disable-next-line unicorn/prefer-then-catch -- That would be one more promise.
		pending.then(value => {
			conclude(onValue, value);
		}, (error: unknown) => {
			conclude(onError, error);
		});
	});
}

function rethrow(error: unknown): never {
	throw error as Error;
}

/** Whether a value is a promise, of any library. */
export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
	return typeof (value as {then?: unknown} | undefined | null)?.then === 'function';
}
