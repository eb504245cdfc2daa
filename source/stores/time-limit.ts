import {StoreTimeoutError} from '../errors.ts';
import {withinTime} from '../maybe-promise.ts';

/** The size of a value extends its time limit by 1 ms for every 10 kB. */
export const bytesPerMillisecond = 10_000;
const timeIsOver = Symbol('time is over');

/**
Waits for the answer of a store, for a limited time. An answer or a rejection that comes later is ignored.

@throws {StoreTimeoutError} When the time is over.
*/
export async function within<T>(milliseconds: number, operation: string, answer: Promise<T>): Promise<T> {
	const result = await withinTime<T | typeof timeIsOver>(answer, milliseconds, timeIsOver);
	if (result === timeIsOver) {
		throw new StoreTimeoutError(operation, milliseconds);
	}

	return result;
}
