import {StoreTimeoutError} from '../errors.ts';
import {longestTimer} from '../maybe-promise.ts';

/**
The answer, or a `StoreTimeoutError`; what comes later, a rejection too, is ignored.
*/
export async function within<T>(milliseconds: number, operation: string, answer: Promise<T>): Promise<T> {
	if (milliseconds > longestTimer) {
		return answer;
	}

	const limit = Promise.withResolvers<never>();
	const timer = setTimeout(() => {
		limit.reject(new StoreTimeoutError(operation, milliseconds));
	}, milliseconds);
	try {
		return await Promise.race([answer, limit.promise]);
	} finally {
		clearTimeout(timer);
	}
}
