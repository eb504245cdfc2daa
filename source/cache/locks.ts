import process from 'node:process';
import {
	recover,
	then,
	withinTime,
	type MaybePromise,
} from '../maybe-promise.ts';
import {isGone, processIdentity} from '../stores/process-identity.ts';
import type {LockStore, Store} from '../stores/types.ts';
import {randomName} from './random-name.ts';
import {addRecord, readRecord, writeRecord} from './records.ts';

const lockPrefix = 'got-cache:1:lock:';
const takeoverPrefix = 'got-cache:1:takeover:';

/** Whether to use locks; `'local'` uses them in the stores whose `scope` is this machine: there, a lock names its owner, and is free once the owner has ended. */
export type LockSetting = boolean | 'local';

/** The state of a lock: no process sends a request (`free`), one does (`taken`), or the response to it could not be shared (`refused`). */
export type LockState = 'free' | 'taken' | 'refused';

// The milliseconds after which a lock expires: a process that was killed delays no other process for longer.
const lockTime = 10_000;
const refusalTime = 2000;
const refused = 'refused';

// How far the wall clock may deviate from the monotonic one while a lock is held, in milliseconds: beyond that, the lock may have expired for the store.
const maxDeviation = 1000;

// The milliseconds for which `close` waits for requests that are under way.
const closingTime = 1000;

type LocksOptions = {
	readonly setting: LockSetting;

	/** Milliseconds since the epoch, by which the store expires a lock. */
	readonly now: () => number;

	/** Milliseconds that never go back. Default: `performance.now`. */
	readonly clock?: () => number;
};

/** All locks that this process holds. */
const allHeld = new Set<Lock>();
let isWatchingExit = false;

/**
Locks in the store: of the processes that need a response, the one that holds the lock sends the request. The methods throw what the store throws.
*/
export class Locks {
	readonly #options: LockOptions;
	readonly #held = new Set<Lock>();
	readonly #taking = new Set<Promise<unknown>>();
	#isClosing = false;
	#whenFree: (() => void) | undefined;
	readonly isOn: boolean;

	/** The milliseconds for which other processes wait for a lock that is not released. */
	readonly milliseconds: number = lockTime;

	/** Creates locks in a store that throws its faults: a lock that cannot be taken may still be free. */
	constructor(store: Store, {setting, now, clock = () => performance.now()}: LocksOptions) {
		const isOnMachine = store.scope === 'machine';
		const locks = store.locks ?? store;
		this.isOn = (setting === 'local' ? isOnMachine : setting) && locks.add !== undefined;
		this.#options = {
			store: locks,
			isOnMachine,
			now,
			clock,
			onEnd: lock => {
				this.#held.delete(lock);
				allHeld.delete(lock);
				this.#resolveIfFree();
			},
		};
	}

	/** Takes the lock of a key, unless another request holds it. */
	take(key: string): MaybePromise<Lock | undefined> {
		if (this.#isClosing) {
			return undefined;
		}

		const lock = new Lock(lockPrefix + key, this.#options);
		const free = lock.take();
		if (free === true) {
			return this.#hold(lock);
		}

		const taking = then(free, isTaken => isTaken || (this.#options.isOnMachine && this.#takeOver(lock)));
		const taken = then(taking, isTaken => isTaken ? this.#hold(lock) : undefined);
		if (taken instanceof Promise) {
			this.#track(taken);
		}

		return taken;
	}

	/** Reads the state of the lock of a key. */
	stateOf(key: string): MaybePromise<LockState> {
		return then(readRecord(this.#options.store, lockPrefix + key), text => {
			if (text === undefined) {
				return 'free';
			}

			if (this.#isAbandoned(text)) {
				// Another process may be about to take it over.
				return then(readRecord(this.#options.store, takeoverKey(text)), takeover => takeover === undefined ? 'free' : 'taken');
			}

			return text === refused ? 'refused' : 'taken';
		});
	}

	/** Releases all locks, those of requests that are still under way after 1 second. Meanwhile, none is taken. */
	async close(): Promise<void> {
		const {promise: free, resolve} = Promise.withResolvers<void>();
		this.#isClosing = true;
		this.#whenFree = resolve;
		this.#resolveIfFree();
		try {
			await withinTime(free, closingTime, undefined);
			await Promise.allSettled(this.#taking);
			await Promise.allSettled(Array.from(this.#held, async lock => lock.release(false)));
		} finally {
			this.#isClosing = false;
			this.#whenFree = undefined;
		}
	}

	#resolveIfFree(): void {
		if (this.#held.size === 0 && this.#taking.size === 0) {
			this.#whenFree?.();
		}
	}

	#track(taking: Promise<unknown>): void {
		this.#taking.add(taking);
		void (async () => {
			await Promise.allSettled([taking]);
			this.#taking.delete(taking);
			this.#resolveIfFree();
		})();
	}

	#hold(lock: Lock): Lock {
		this.#held.add(lock);
		allHeld.add(lock);
		if (!isWatchingExit) {
			isWatchingExit = true;
			process.once('exit', releaseAll);
		}

		return lock;
	}

	/** Takes the lock of a process that has ended. Of all processes that try, the one that takes the takeover lock for the token of the old lock writes the new one. If that process ends before it has, the lock expires. */
	#takeOver(lock: Lock): MaybePromise<boolean> {
		return then(readRecord(this.#options.store, lock.key), text => {
			if (text === undefined || !this.#isAbandoned(text)) {
				return false;
			}

			const takeover = new Lock(takeoverKey(text), this.#options);
			return then(takeover.take(), isOurs => isOurs && then(readRecord(this.#options.store, lock.key), current =>
				// Another process may have taken the lock over so long ago that its takeover lock has expired.
				current === text && then(lock.overwrite(), () => true),
			));
		});
	}

	#isAbandoned(text: string): boolean {
		const [, identity] = text.split(' ', 2);
		return this.#options.isOnMachine && identity !== undefined && isGone(identity);
	}
}

/** Returns the key of the lock that a process needs to take over a lock with this content. */
function takeoverKey(text: string): string {
	return takeoverPrefix + text.split(' ', 1)[0]!;
}

type LockOptions = {
	readonly store: Store | LockStore;

	/** Whether other processes can find out whether this one has ended: then a lock has its identity. */
	readonly isOnMachine: boolean;
	readonly now: () => number;
	readonly clock: () => number;
	readonly onEnd: (lock: Lock) => void;
};

/** The right to send a request for a key. */
export class Lock {
	readonly key: string;
	readonly #options: LockOptions;
	readonly #text: string;
	readonly #startTime: number;
	readonly #startClock: number;
	#isReleased = false;

	constructor(key: string, options: LockOptions) {
		const {isOnMachine, now, clock} = options;
		this.key = key;
		this.#options = options;
		const token = randomName();
		this.#text = isOnMachine ? `${token} ${processIdentity()}` : token;
		this.#startTime = now();
		this.#startClock = clock();
	}

	/** Writes the lock, unless there is one. */
	take(): MaybePromise<boolean> {
		return addRecord(this.#options.store, this.key, this.#text, this.#startTime + lockTime)!;
	}

	/** Writes the lock, even over another one. */
	overwrite(): MaybePromise<void> {
		return this.#write(this.#text, lockTime);
	}

	/**
	Releases the lock, unless another process holds it by now.

	@param isRefused - Whether the response cannot be shared: then no process waits for the lock for 2 seconds.
	*/
	release(isRefused: boolean): MaybePromise<void> {
		if (this.#isReleased) {
			return;
		}

		this.#isReleased = true;
		const {store, onEnd} = this.#options;
		const released = recover(() => then(this.#isCertain() || then(readRecord(store, this.key), text => text === this.#text), isOurs => {
			if (isOurs) {
				return isRefused ? this.#write(refused, refusalTime) : then(store.delete(this.key), () => undefined);
			}

			return undefined;
		}), error => {
			onEnd(this);
			throw error;
		});
		return then(released, () => {
			onEnd(this);
		});
	}

	/** Whether the lock cannot have expired by any clock. */
	#isCertain(): boolean {
		const {now, clock} = this.#options;
		const passed = clock() - this.#startClock;
		return passed < lockTime && Math.abs(now() - this.#startTime - passed) <= maxDeviation;
	}

	#write(text: string, milliseconds: number): MaybePromise<void> {
		const {store, now} = this.#options;
		return writeRecord(store, this.key, text, now() + milliseconds);
	}
}

/** Releases the locks at the end of a process that has not closed its caches, in stores that write synchronously. Elsewhere, other processes find out that the owner has ended. */
function releaseAll(): void {
	for (const lock of allHeld) {
		void recover(() => lock.release(false), () => undefined);
	}
}
