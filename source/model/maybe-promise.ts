export type MaybePromise<T> = T | Promise<T>;

/**
`then` that stays synchronous where its input is: what a synchronous store can answer costs no turn of the event loop.
*/
export function chain<T, Result>(value: MaybePromise<T>, next: (value: T) => MaybePromise<Result>): MaybePromise<Result> {
	return value instanceof Promise ? value.then(next) : next(value);
}
