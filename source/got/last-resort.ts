import type {Options} from 'got';

type RetryOptions = Options['retry'];
type CalculateDelay = NonNullable<RetryOptions['calculateDelay']>;

type Waiting = {
	readonly calculateDelay: CalculateDelay;
	readonly enforceRetryRules: boolean | undefined;
	isOver: boolean;
};

/** Delays that wait for Got to use up its retries, and what they stand before. Got carries the function over to the next attempt. */
const waiting = new WeakMap<CalculateDelay, Waiting>();

/**
Lets Got retry by the user's own rules, a `calculateDelay` of theirs included; when it would give up, it tries once more at once, and that attempt is answered by what is stored.
*/
export function awaitRetries(options: Options): void {
	const {calculateDelay, enforceRetryRules} = options.retry;
	if (calculateDelay === undefined || waiting.has(calculateDelay)) {
		return;
	}

	const state: Waiting = {calculateDelay, enforceRetryRules, isOver: false};
	const wait: CalculateDelay = async retry => {
		// Got does not ask where its own rules say no already.
		const delay = enforceRetryRules === true && retry.computedValue === 0 ? 0 : await calculateDelay(retry);
		if (delay > 0) {
			return delay;
		}

		state.isOver = true;
		return 1;
	};

	waiting.set(wait, state);
	options.retry.calculateDelay = wait;
	options.retry.enforceRetryRules = false;
}

/**
Puts the user's retry options back.

@returns Whether Got has used up its retries, and this attempt is the last resort.
*/
export function endOfRetries(options: Options): boolean {
	const {calculateDelay} = options.retry;
	const state = calculateDelay === undefined ? undefined : waiting.get(calculateDelay);
	if (state === undefined) {
		return false;
	}

	options.retry.calculateDelay = state.calculateDelay;
	if (state.enforceRetryRules !== undefined) {
		options.retry.enforceRetryRules = state.enforceRetryRules;
	}

	return state.isOver;
}
