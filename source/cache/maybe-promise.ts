import type {MaybePromise} from '../stores/types.ts';

export type {MaybePromise} from '../stores/types.ts';

/**
`then` that stays synchronous where its input is: what a synchronous store can answer costs no turn of the event loop.
*/
export function chain<T, Result>(value: MaybePromise<T>, next: (value: T) => MaybePromise<Result>): MaybePromise<Result> {
	return value instanceof Promise ? value.then(next) : next(value);
}

/** `Promise.all` that stays synchronous where all of its input is. */
export function all<T>(values: ReadonlyArray<MaybePromise<T>>): MaybePromise<readonly T[]> {
	return values.some(value => value instanceof Promise) ? Promise.all(values) : values as readonly T[];
}
