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

// The shortest and the longest time between two reads of the lock of another process, in milliseconds.
const minPause = 5;
const maxPause = 100;

// How often the store may refuse a lock that it says is free, before a request is sent without it.
const maxRefusals = 3;

/** The keys whose locks requests of this process hold, or are acquiring. */
const lockedKeys = new WeakMap<CacheCore, Set<string>>();

type LockOptions = {
	readonly cache: CacheCore;
	readonly key: string;

	/** The request of this process that acquires the lock, for all requests that wait for it. */
	readonly inFlight: InFlight<any>;
	readonly budget: TimeBudget;

	/** Decides once more, with what is stored now. */
	readonly lookUpAgain: () => MaybePromise<Action>;
};

/** `acquired`: this request holds the lock; `taken`: another process does; `timeout`: the store failed, or took too long. */
type Acquisition = 'acquired' | 'taken' | 'timeout';

/**
Acquires the lock of a key, so that no other process sends a request for it, or waits for the process that holds the lock and decides by what that has stored.

@param action - What to do if the lock cannot be acquired in time.
@returns What to do now: send the request, or serve what was stored meanwhile.
*/
export function sendWithLock(action: Action, options: LockOptions): MaybePromise<Action> {
	return then(acquireInTime(options), result => {
		if (result === 'timeout') {
			return action;
		}

		// Another process may have acquired and released the lock since the store was read.
		return result === 'taken' ? waitForLock(action, options) : options.lookUpAgain();
	});
}

/** Acquires the lock, unless another process holds it, or the store takes too long. A request does not wait for another one of this process that holds the lock: the response to that is outdated, or of another variant. */
function acquireInTime(options: LockOptions): MaybePromise<Acquisition> {
	const {cache, key, inFlight} = options;
	return lockedKeys.get(cache)?.has(key) === true ? 'timeout' : callStore('add', () => then(acquire(key, inFlight, cache), isAcquired => isAcquired ? 'acquired' : 'taken'), options);
}

/** Calls the store within the time budget. Reports a fault, which counts as a timeout. */
function callStore<State>(operation: 'add' | 'get', call: () => MaybePromise<State>, {cache, key, budget}: LockOptions): MaybePromise<State | 'timeout'> {
	const answer = recover<State | 'timeout'>(call, error => {
		cache.events.tolerate(operation, key, error);
		return 'timeout';
	});
	return answer instanceof Promise ? withinTime<State | 'timeout'>(answer, budget.left, 'timeout') : answer;
}

/** Returns whether a refresh may be sent, since no other process holds the lock. */
export async function mayRefresh(key: string, inFlight: InFlight<any>, cache: CacheCore): Promise<boolean> {
	return !cache.locks.isOn || recover(() => acquire(key, inFlight, cache), error => {
		// A store that cannot write the lock could not write the response either.
		cache.events.tolerate('add', key, error);
		return false;
	});
}

/** Acquires the lock for a request, until the request has ended and its response is written. */
function acquire(key: string, inFlight: InFlight<any>, cache: CacheCore): MaybePromise<boolean> {
	const held = lockedKeys.get(cache) ?? new Set<string>();
	const isFirst = !held.has(key);
	lockedKeys.set(cache, held.add(key));
	const forget = (): void => {
		if (isFirst) {
			held.delete(key);
		}
	};

	const taking = recover(() => cache.locks.take(key), error => {
		cache.writes.isReliable = false;
		forget();
		throw error;
	});
	return then(taking, lock => {
		if (lock === undefined) {
			forget();
			return false;
		}

		// After a failed write it proves nothing: a full disk may have room for a lock.
		cache.writes.isReliable ??= true;

		const releaseAfter = (ending: Ending): void => {
			held.delete(key);
			cache.writes.track(release(lock, ending, key, cache));
		};

		if (inFlight.hasEnded) {
			releaseAfter('failed');
		} else {
			inFlight.onEnd = releaseAfter;
		}

		return true;
	});
}

async function release(lock: Lock, ending: Ending, key: string, cache: CacheCore): Promise<void> {
	try {
		// The response is passed to the queue of writes right after the request has ended.
		await Promise.resolve();
		await cache.writes.whenWritten(key);
		await lock.release(ending === 'refused');
	} catch (error) {
		cache.events.emit('storeError', {operation: 'delete', key, error});
	}
}

/** Waits for the process that holds the lock, at most as long as one lock lasts, even if several processes hold it one after the other. */
async function waitForLock(action: Action, options: LockOptions): Promise<Action> {
	const {cache, budget, inFlight} = options;
	const {clock} = budget;
	const end = clock.now() + Math.min(cache.locks.milliseconds, budget.totalLeft);
	let pause = minPause;
	let next = action;
	let refusals = 0;
	for (let start = clock.now(); start < end && !inFlight.hasEnded; start = clock.now()) {
		await sleep(clock, Math.min(pause, end - start)); // eslint-disable-line no-await-in-loop -- It is a wait.
		pause = Math.min(2 * pause, maxPause);
		budget.extend(start);
		const readStart = clock.now();
		const state = await readLock(options); // eslint-disable-line no-await-in-loop
		if (state === 'refused' || state === 'timeout') {
			break;
		}

		if (state === 'taken') {
			// The other request is in flight: reading the lock does not count towards the time of the store.
			budget.extend(readStart);
			continue;
		}

		// The other request has ended: its response is stored, or this request is the next to be sent.
		next = await options.lookUpAgain(); // eslint-disable-line no-await-in-loop
		if (next.do === 'serve') {
			break;
		}

		const result = await acquireInTime(options); // eslint-disable-line no-await-in-loop
		if (result === 'acquired') {
			// Another process may have acquired the lock first, and released it.
			next = await options.lookUpAgain(); // eslint-disable-line no-await-in-loop
		}

		// A lock that is free although this request cannot acquire it was acquired and released by another process meanwhile, or the store supports no locks.
		if (result !== 'taken' || (await readLock(options) !== 'taken' && ++refusals === maxRefusals)) { // eslint-disable-line no-await-in-loop
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

function readLock(options: LockOptions): MaybePromise<LockState | 'timeout'> {
	return callStore('get', () => options.cache.locks.stateOf(options.key), options);
}
