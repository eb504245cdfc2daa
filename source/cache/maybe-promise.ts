import type {MaybePromise} from '../model/maybe-promise.ts';

export {chain, type MaybePromise} from '../model/maybe-promise.ts';

/** `Promise.all` that stays synchronous where all of its input is. */
export function all<T>(values: ReadonlyArray<MaybePromise<T>>): MaybePromise<readonly T[]> {
	return values.some(value => value instanceof Promise) ? Promise.all(values) : values as readonly T[];
}
