import type {Options, Response} from 'got';
import {ServedResponse} from './served-response.ts';

type CalculateDelay = Options['retry']['calculateDelay'];

const refusing = new WeakSet<CalculateDelay & object>();

// Of Got's `HTTPError`, and of what a hook asks for.
const errorStatus = 'ERR_NON_2XX_3XX_RESPONSE';
const retrying = 'ERR_RETRYING';

/**
Got retries an error status after a pause that is meant for the origin. One that came from the cache would come again: it is the answer.

What a hook asks for (`retryWithMergedOptions`) is done all the same. Other failures, such as those of a hook, are left to the user's own rules, to which the status is nothing.
*/
export function refuseRetry(options: Options): void {
	const {calculateDelay} = options.retry;
	if (calculateDelay === undefined || refusing.has(calculateDelay)) {
		return;
	}

	const refuse: NonNullable<CalculateDelay> = retry => {
		const {error: {response, code}, retryOptions} = retry;
		if (code === retrying || !isServed(response)) {
			return calculateDelay(retry);
		}

		return code === errorStatus || retryOptions.enforceRetryRules === true ? 0 : calculateDelay({...retry, computedValue: 0});
	};

	refusing.add(refuse);
	options.retry.calculateDelay = refuse;
}

function isServed(response: Response | undefined): boolean {
	return response !== undefined && (response.isFromCache || (response as unknown) instanceof ServedResponse);
}
