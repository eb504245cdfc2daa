import type {Options} from 'got';

type RetryOptions = Options['retry'];
type CalculateDelay = NonNullable<RetryOptions['calculateDelay']>;

type Waiting = {
	readonly calculateDelay: CalculateDelay;
	isOver: boolean;
};

// In place of `true`, so that Got asks always. A hook may give a boolean of its own meanwhile.
const suspended = null as unknown as boolean;

/** Delays that wait for Got to use up its retries, and what they stand before. Got carries the function over to the next attempt. */
const waiting = new WeakMap<CalculateDelay, Waiting>();

/**
Lets Got retry by the user's own rules, a `calculateDelay` of theirs included; when it would give up, it tries once more at once, and that attempt is answered by what is stored.
*/
export function awaitRetries(options: Options): void {
	const {calculateDelay, enforceRetryRules: areRulesEnforced = false} = options.retry;
	if (calculateDelay === undefined || waiting.has(calculateDelay)) {
		return;
	}

	const state: Waiting = {calculateDelay, isOver: false};
	const wait: CalculateDelay = async retry => {
		// Got does not ask where its own rules say no already.
		const delay = areRulesEnforced && retry.computedValue === 0 ? 0 : await calculateDelay(retry);
		// Where the attempt that followed did not come to the cache, it was the last one all the same.
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
export function endOfRetries(options: Options): boolean {
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
