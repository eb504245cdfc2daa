import {StoreTimeoutError} from '../errors.ts';
import {longestTimer} from '../maybe-promise.ts';

/** The size of a value extends its time limit by 1 ms for every 10 kB. */
export const bytesPerMillisecond = 10_000;

/**
Waits for the answer of a store, for a limited time. An answer or a rejection that comes later is ignored.

@throws {StoreTimeoutError} When the time is over.
*/
export function within<T>(milliseconds: number, operation: string, answer: Promise<T>): Promise<T> {
	if (milliseconds > longestTimer) {
		return answer;
	}

	// A race of promises would allocate several more of them.
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => {
			reject(new StoreTimeoutError(operation, milliseconds));
		}, milliseconds);
		const settle = async (): Promise<void> => {
			try {
				resolve(await answer);
			} catch (error) {
				reject(error as Error); // eslint-disable-line @typescript-eslint/no-unnecessary-type-assertion
			} finally {
				clearTimeout(timer);
			}
		};

		void settle();
	});
}
