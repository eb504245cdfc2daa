import {StoreTimeoutError} from '../errors.ts';
import type {MaybePromise} from './types.ts';

/** A timer for longer than that fires at once. */
const longestTimer = 2_147_483_647;

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

export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
	return typeof (value as {then?: unknown} | undefined | null)?.then === 'function';
}
