import type {Options} from 'got';
import {ServedResponse} from './served-response.ts';

type CalculateDelay = Options['retry']['calculateDelay'];

const refusing = new WeakSet<CalculateDelay & object>();

/**
Got retries an error status after a pause that is meant for the origin. One that came from the cache would come again: it is the answer.

What a hook asks for (`retryWithMergedOptions`) is done all the same, and other failures of the request are left to the user's own `calculateDelay`.
*/
export function refuseRetry(options: Options): void {
	const {calculateDelay} = options.retry;
	if (calculateDelay === undefined || refusing.has(calculateDelay)) {
		return;
	}

	const refuse: NonNullable<CalculateDelay> = retry => {
		const {response, code} = retry.error;
		const isServed = code !== 'ERR_RETRYING' && response !== undefined && (response.isFromCache || (response as unknown) instanceof ServedResponse);
		return isServed ? 0 : calculateDelay(retry);
	};

	refusing.add(refuse);
	options.retry.calculateDelay = refuse;
}
