import type {CacheCore} from '../cache/core.ts';
import type {Lock, LockState} from '../cache/locks.ts';
import {
	recover,
	then,
	withinTime,
	type MaybePromise,
} from '../maybe-promise.ts';
import type {Clock, TimeBudget} from './time-budget.ts';
import type {Ending, InFlight} from './in-flight.ts';
import type {Action} from './exchange.ts';

// The pauses between two looks at the lock of another process, in milliseconds: the first one, and the longest.
const firstPause = 5;
const longestPause = 100;

/** The keys whose locks requests of this process have, or are taking. */
const holders = new WeakMap<CacheCore, Set<string>>();

type LockOptions = {
	readonly cache: CacheCore;
	readonly key: string;

	/** The request of this process that takes the lock, for all requests that wait for it. */
	readonly inFlight: InFlight<any>;
	readonly budget: TimeBudget;

	/** Decides once more, by what is stored now. */
	readonly again: () => MaybePromise<Action>;
};

/**
Takes the lock of a key, so that no other process sends a request for it; or waits for the process that has the lock, and decides by what that has stored.

@param action - What to do where the lock cannot be taken in time.
@returns What to do now: to send the request, or to serve what is stored meanwhile.
*/
export function withLock(action: Action, options: LockOptions): MaybePromise<Action> {
	return then(take(options), taking => {
		if (taking === 'late') {
			return action;
		}

		// Another process may have had the lock, and given it back, since the store was read.
		return taking === 'taken' ? waitFor(action, options) : options.again();
	});
}

/** Takes the lock, unless another process has it, or the store takes too long. A request does not wait for another one of this process that has the lock: the response to that is outdated, or of another variant. */
function take({cache, key, inFlight, budget}: LockOptions): MaybePromise<'ours' | 'taken' | 'late'> {
	if (holders.get(cache)?.has(key) === true) {
		return 'late';
	}

	const taking = recover<'ours' | 'taken' | 'late'>(() => then(hold(key, inFlight, cache), isOurs => isOurs ? 'ours' : 'taken'), error => {
		cache.tolerate('add', key, error);
		return 'late';
	});
	return taking instanceof Promise ? withinTime<'ours' | 'taken' | 'late'>(taking, budget.left, 'late') : taking;
}

/** Whether a refresh may be sent: no other request, of any process, does the same. */
export async function mayRefresh(key: string, inFlight: InFlight<any>, cache: CacheCore): Promise<boolean> {
	return !cache.locks.isOn || recover(() => hold(key, inFlight, cache), error => {
		// What could not be written after it need not be asked for.
		cache.tolerate('add', key, error);
		return false;
	});
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

		if (inFlight.hasEnded) {
			giveBack('failed');
		} else {
			inFlight.onEnd = giveBack;
		}

		return true;
	});
}

async function release(lock: Lock, ending: Ending, key: string, cache: CacheCore): Promise<void> {
	try {
		// A result is handed to be written right after the request has ended.
		await Promise.resolve();
		await cache.whenWritten(key);
		await lock.release(ending === 'refused');
	} catch (error) {
		cache.report('storeError', {operation: 'delete', key, error});
	}
}

/** Waits for the process that has the lock, at most as long as one lock lasts, however many processes take it one after the other. */
async function waitFor(action: Action, options: LockOptions): Promise<Action> {
	const {cache, budget, inFlight} = options;
	const {clock} = budget;
	const end = clock.now() + Math.min(cache.locks.milliseconds, budget.totalLeft);
	let pause = firstPause;
	let next = action;
	for (let start = clock.now(); start < end && !inFlight.hasEnded; start = clock.now()) {
		await sleep(clock, Math.min(pause, end - start)); // eslint-disable-line no-await-in-loop -- It is a wait.
		pause = Math.min(2 * pause, longestPause);
		budget.extend(start);
		const asked = clock.now();
		const state = await look(options); // eslint-disable-line no-await-in-loop
		if (state === 'refused' || state === 'late') {
			break;
		}

		if (state === 'taken') {
			// The other request is under way: this time does not count against the store either.
			budget.extend(asked);
			continue;
		}

		// The other request has ended: its response is stored, or this request is the next to be sent.
		next = await options.again(); // eslint-disable-line no-await-in-loop
		if (next.do === 'serve') {
			break;
		}

		const taking = await take(options); // eslint-disable-line no-await-in-loop
		if (taking === 'ours') {
			// Yet another request may have been quicker, and have ended as well.
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
	const looking = recover<LockState | 'late'>(() => cache.locks.look(key), error => {
		cache.tolerate('get', key, error);
		return 'late';
	});
	return looking instanceof Promise ? withinTime<LockState | 'late'>(looking, budget.left, 'late') : looking;
}
