import {setTimeout as pause} from 'node:timers/promises';
import type {MaybePromise} from '../types.ts';
import {isBusy} from './faults.ts';

const longestPause = 50;

/**
Does something at once. What meets a lock is tried again until the time is over, without blocking: no statement waits for a lock by itself.
*/
export function untilUnlocked<T>(milliseconds: number, action: () => T): MaybePromise<T> {
	try {
		return action();
	} catch (error) {
		if (isBusy(error) && milliseconds > 0) {
			return tryAgain(performance.now() + milliseconds, action);
		}

		throw error;
	}
}

async function tryAgain<T>(end: number, action: () => T): Promise<T> {
	for (let attempt = 1; ; attempt++) {
		await pause(pauseBefore(attempt)); // eslint-disable-line no-await-in-loop
		try {
			return action();
		} catch (error) {
			if (!isBusy(error) || performance.now() >= end) {
				throw error;
			}
		}
	}
}

/** Milliseconds, which grow, and are others for everybody who waits for the same lock. */
export function pauseBefore(attempt: number): number {
	return 1 + (Math.random() * Math.min(2 ** attempt, longestPause));
}
