import type {CacheCore} from '../cache/core.ts';
import type {Lock, LockState} from '../cache/locks.ts';
import {
	recover,
	then,
	withinTime,
	type MaybePromise,
} from '../maybe-promise.ts';
import type {Clock} from './clock.ts';
import type {Ending, InFlight} from './in-flight.ts';
import type {TimeBudget} from './time-budget.ts';
import type {Action} from './types.ts';

// How often a request that waits for another process looks whether that has ended: soon at first, then less often.
const firstPause = 5;
const longestPause = 100;

/** The keys whose locks requests of this process have, or are about to have. */
const holders = new WeakMap<CacheCore, Set<string>>();

type LockOptions = {
	readonly cache: CacheCore;
	readonly key: string;

	/** The request of this process that takes the lock, for all that wait for it. */
	readonly inFlight: InFlight<any>;
	readonly budget: TimeBudget;

	/** Decides anew, by what is stored now. */
	readonly again: () => MaybePromise<Action>;
};

/**
Takes the lock of a key, so that no other process asks the origin for the same; or waits for the one that has it, and then for what that has stored.

@param action - What is done once the request may be sent.
@returns What is done instead, if what came meanwhile answers the request.
*/
export function underLock(action: Action, options: LockOptions): MaybePromise<Action> {
	return then(take(options), taking => {
		if (taking === 'late') {
			return action;
		}

		// Another process may have had the lock, and given it back, since the store was read.
		return taking === 'taken' ? waitFor(action, options) : options.again();
	});
}

/** Takes the lock, unless another process has it, or the store takes too long. For another request of this process there is nothing to wait: its response is outdated, or another variant. */
function take({cache, key, inFlight, budget}: LockOptions): MaybePromise<'ours' | 'taken' | 'late'> {
	if (holders.get(cache)?.has(key) === true) {
		return 'late';
	}

	const taking = then(hold(key, inFlight, cache), isOurs => isOurs ? 'ours' : 'taken');
	return taking instanceof Promise ? withinTime<'ours' | 'taken' | 'late'>(taking, budget.left, 'late') : taking;
}

/** Whether a refresh may be sent: no other request, of any process, does the same. */
export async function mayRefresh(key: string, inFlight: InFlight<any>, cache: CacheCore): Promise<boolean> {
	return !cache.locks.isOn || hold(key, inFlight, cache);
}

/** Takes the lock for a request, until that has ended and its response is written. */
function hold(key: string, inFlight: InFlight<any>, cache: CacheCore): MaybePromise<boolean> {
	const held = holders.get(cache) ?? new Set<string>();
	const isFirst = !held.has(key);
	holders.set(cache, held.add(key));
	const forget = (): void => {
		if (isFirst) {
			held.delete(key);
		}
	};

	const taking = recover(() => cache.locks.take(key), error => {
		forget();
		throw error;
	});
	return then(taking, lock => {
		if (lock === undefined) {
			forget();
			return false;
		}

		const giveBack = (ending: Ending): void => {
			held.delete(key);
			cache.hold(release(lock, ending, key, cache));
		};

		if (inFlight.isOver) {
			giveBack('failed');
		} else {
			inFlight.onEnd = giveBack;
		}

		return true;
	});
}

async function release(lock: Lock, ending: Ending, key: string, cache: CacheCore): Promise<void> {
	try {
		// A result is there right before it is handed to be written.
		await Promise.resolve();
		await cache.whenWritten(key);
		await lock.release(ending === 'refused');
	} catch (error) {
		cache.report('storeError', {operation: 'delete', key, error});
	}
}

/** A request waits as long as one lock lasts, however many take one after the other. */
async function waitFor(action: Action, options: LockOptions): Promise<Action> {
	const {cache, budget, inFlight} = options;
	const {clock} = budget;
	const end = clock.now() + Math.min(cache.locks.milliseconds, budget.totalLeft);
	let pause = firstPause;
	let next = action;
	for (let start = clock.now(); start < end && !inFlight.isOver; start = clock.now()) {
		await sleep(clock, Math.min(pause, end - start)); // eslint-disable-line no-await-in-loop -- It is a wait.
		pause = Math.min(2 * pause, longestPause);
		budget.extend(start);
		const asked = clock.now();
		const state = await look(options); // eslint-disable-line no-await-in-loop
		if (state === 'refused' || state === 'late') {
			break;
		}

		if (state === 'taken') {
			// The other one is under way: neither was this time lost by the store.
			budget.extend(asked);
			continue;
		}

		// It has ended: its response is there, or this request is the next to be sent.
		next = await options.again(); // eslint-disable-line no-await-in-loop
		if (next.do === 'serve') {
			break;
		}

		const taking = await take(options); // eslint-disable-line no-await-in-loop
		if (taking === 'ours') {
			// Yet another one may have been quicker, and have ended as well.
			next = await options.again(); // eslint-disable-line no-await-in-loop
		}

		// A store may take no locks at all.
		if (taking !== 'taken' || await look(options) !== 'taken') { // eslint-disable-line no-await-in-loop
			break;
		}
	}

	return next;
}

async function sleep(clock: Clock, milliseconds: number): Promise<void> {
	return new Promise(resolve => {
		clock.after(milliseconds, resolve);
	});
}

async function look({cache, key, budget}: LockOptions): Promise<LockState | 'late'> {
	const looking = cache.locks.look(key);
	return looking instanceof Promise ? withinTime<LockState | 'late'>(looking, budget.left, 'late') : looking;
}
