import {StoreTimeoutError} from '../errors.ts';
import {unlessLate} from '../maybe-promise.ts';

/** The size of a value extends its time limit by 1 ms for every 10 kB. */
export const bytesPerMillisecond = 10_000;

/**
Waits for the answer of a store, for a limited time. An answer or a rejection that comes later is ignored.

@throws {StoreTimeoutError} When the time is over.
*/
export function within<T>(milliseconds: number, operation: string, answer: Promise<T>): Promise<T> {
	return unlessLate(answer, milliseconds, () => {
		throw new StoreTimeoutError(operation, milliseconds);
	});
}
