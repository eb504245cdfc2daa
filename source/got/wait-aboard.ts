import type {Options} from 'got';
import type {MaybePromise} from '../maybe-promise.ts';

/** The caller has given up, or its time is over; what it waited for comes for nobody. */
export type End = 'aborted' | 'late';

/**
What is waited for before a request may be sent, or why nobody waits any more: Got cannot cut off what has no `ClientRequest` yet.

@param start - Of the wait, by `performance.now()`.
*/
export async function waitAboard<Result>(pending: MaybePromise<Result>, {signal, timeout}: Options, start: number): Promise<Result | End> {
	const {promise, resolve} = Promise.withResolvers<End>();
	const abort = (): void => {
		resolve('aborted');
	};

	const limit = timeout.request;
	// Got 16 has a timer for the same moment, which was set before.
	const timer = limit === undefined || limit >= 2 ** 31 ? undefined : setTimeout(resolve, Math.max(0, start + limit - performance.now()), 'late').unref();
	signal?.addEventListener('abort', abort, {once: true});
	if (signal?.aborted) {
		abort();
	}

	try {
		return await Promise.race([pending, promise]);
	} finally {
		clearTimeout(timer);
		signal?.removeEventListener('abort', abort);
	}
}
