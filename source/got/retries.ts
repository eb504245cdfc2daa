import type {Options, Response} from 'got';
import {ServedResponse} from './served-response.ts';

/**
Lets Got retry by the user's own rules, including their `calculateDelay`. When Got would give up, it tries once more at once, and the stored response answers that attempt.
*/
export function awaitRetries(options: Options): void {
	const {calculateDelay, enforceRetryRules: areRulesEnforced = false} = options.retry;
	if (calculateDelay === undefined || waiting.has(calculateDelay)) {
		return;
	}

	const state: Waiting = {calculateDelay, isOver: false};
	const wait: CalculateDelay = async retry => {
		// With `enforceRetryRules`, Got does not call the function where its own rules refuse a retry.
		const delay = areRulesEnforced && retry.computedValue === 0 ? 0 : await calculateDelay(retry);
		// The attempt after the last one may not have come to the cache: it is not made twice.
		if (delay > 0 || state.isOver) {
			return delay;
		}

		state.isOver = true;
		return 1;
	};

	waiting.set(wait, state);
	options.retry.calculateDelay = wait;
	if (areRulesEnforced) {
		options.retry.enforceRetryRules = suspended;
	}
}

/**
Puts the user's retry options back.

@returns Whether Got has used up its retries, and this attempt is the last resort.
*/
export function restoreRetryOptions(options: Options): boolean {
	const {retry} = options;
	if (retry.enforceRetryRules === suspended) {
		retry.enforceRetryRules = true;
	}

	const state = retry.calculateDelay === undefined ? undefined : waiting.get(retry.calculateDelay);
	if (state === undefined) {
		return false;
	}

	retry.calculateDelay = state.calculateDelay;
	return state.isOver;
}

type RetryOptions = Options['retry'];
type CalculateDelay = NonNullable<RetryOptions['calculateDelay']>;

type Waiting = {
	readonly calculateDelay: CalculateDelay;
	isOver: boolean;
};

// Stands for `true` in `enforceRetryRules` while Got is to call `calculateDelay` in any case. A hook may set a boolean of its own meanwhile.
const suspended = null as unknown as boolean;

/** The functions that `awaitRetries` has set as `calculateDelay`, and the functions that they replace. Got copies `calculateDelay` to the next attempt. */
const waiting = new WeakMap<CalculateDelay, Waiting>();

/**
Keeps Got from retrying where the error status came from the cache: the cache would give it again. The pause before a retry is meant for the origin.

A retry that a hook asks for (`retryWithMergedOptions`) is made all the same. Other failures, such as those of a hook, are left to the user's own rules, without regard to the status.
*/
export function refuseRetry(options: Options): void {
	const {calculateDelay} = options.retry;
	if (calculateDelay === undefined || refusing.has(calculateDelay)) {
		return;
	}

	const refuse: CalculateDelay = retry => {
		const {error: {response, code}, retryOptions} = retry;
		if (code === retrying || !isServed(response)) {
			return calculateDelay(retry);
		}

		return code === errorStatus || retryOptions.enforceRetryRules === true ? 0 : calculateDelay({...retry, computedValue: 0});
	};

	refusing.add(refuse);
	options.retry.calculateDelay = refuse;
}

const refusing = new WeakSet<CalculateDelay>();

// The codes of Got's `HTTPError`, and of a retry that a hook asks for.
const errorStatus = 'ERR_NON_2XX_3XX_RESPONSE';
const retrying = 'ERR_RETRYING';

function isServed(response: Response | undefined): boolean {
	return response !== undefined && (response.isFromCache || (response as unknown) instanceof ServedResponse);
}
