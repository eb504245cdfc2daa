import {randomUUID} from 'node:crypto';
import process from 'node:process';
import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import {isGone, processIdentity} from '../stores/process-identity.ts';
import type {Store} from '../stores/types.ts';
import {decodeRecord, encodeRecord} from './records.ts';

const lockPrefix = 'got-cache:1:lock:';
const takeoverPrefix = 'got-cache:1:takeover:';

/** Whether locks are used; `'local'` for locks in stores that are files of this machine, SQLite and the filesystem. */
export type LockSetting = boolean | 'local';

/** The state of a lock: no process sends a request (`free`), one does (`taken`), or the response to it could not be shared (`refused`). */
export type LockState = 'free' | 'taken' | 'refused';

/** Stores that the processes of one machine share: there, a lock names its owner, and is free once that has ended. */
const localStores: ReadonlySet<string> = new Set(['sqlite', 'filesystem']);

// The milliseconds after which a lock ends by itself: a process that was killed delays no other for longer.
const lockTime = 10_000;
const refusalTime = 2000;
const refused = 'refused';

// How much the wall clock may have deviated from the monotonic one while a lock was held, in milliseconds: beyond that, the store may have let another process have the lock.
const deviation = 1000;

// How long `close` waits for requests that are under way, in milliseconds.
const closingTime = 1000;

type LocksOptions = {
	readonly setting: LockSetting;

	/** Milliseconds since the epoch, by which the store ends a lock. */
	readonly now: () => number;

	/** Milliseconds that never go back. Default: `performance.now`. */
	readonly clock?: () => number;
};

/** All locks that this process holds. */
const heldHere = new Set<Lock>();
let isWatchingExit = false;

/**
Locks in the store: of the processes that lack a response, the one that has the lock asks the origin for it.
*/
export class Locks {
	readonly #store: Store;
	readonly #now: () => number;
	readonly #clock: () => number;
	readonly #isLocal: boolean;
	readonly #held = new Set<Lock>();
	readonly #taking = new Set<Promise<unknown>>();
	#isClosing = false;
	#whenFree: (() => void) | undefined;
	readonly isOn: boolean;

	/** The milliseconds for which other processes wait for a lock. */
	readonly milliseconds: number = lockTime;

	/**
	Takes nothing yet.

	@param store - Throws its faults: what cannot be taken is not the same as what another process has.
	*/
	constructor(store: Store, {setting, now, clock = () => performance.now()}: LocksOptions) {
		this.#isLocal = localStores.has(store.name);
		const isWanted = setting === 'local' ? this.#isLocal : setting;
		this.isOn = isWanted && store.add !== undefined;
		this.#store = store;
		this.#now = now;
		this.#clock = clock;
	}

	/**
	Takes the lock of a key, unless somebody has it.

	@throws What the store throws.
	*/
	take(key: string): MaybePromise<Lock | undefined> {
		if (this.#isClosing) {
			return undefined;
		}

		const lock = this.#make(lockPrefix + key);
		const taking = then(lock.take(), isTaken => isTaken || (this.#isLocal && this.#takeOver(lock)));
		const taken = then(taking, isTaken => isTaken ? this.#hold(lock) : undefined);
		if (taken instanceof Promise) {
			this.#track(taken);
		}

		return taken;
	}

	/**
	Reads the state of the lock of a key.

	@throws What the store throws.
	*/
	look(key: string): MaybePromise<LockState> {
		return then(this.#read(lockPrefix + key), text => {
			if (text === undefined || this.#isAbandoned(text)) {
				return 'free';
			}

			return text === refused ? 'refused' : 'taken';
		});
	}

	/** Gives back all locks that are held: after a grace of 1 second those of requests that are still under way. Meanwhile, none is taken. */
	async close(): Promise<void> {
		this.#isClosing = true;
		try {
			await this.#free();
			await Promise.allSettled(this.#taking);
			await Promise.allSettled(Array.from(this.#held, async lock => lock.release(false)));
		} finally {
			this.#isClosing = false;
		}
	}

	/** Resolves when no lock is held, or after the grace. */
	async #free(): Promise<void> {
		if (this.#isFree) {
			return;
		}

		const {promise, resolve} = Promise.withResolvers<void>();
		const timer = setTimeout(resolve, closingTime);
		this.#whenFree = resolve;
		await promise;
		clearTimeout(timer);
		this.#whenFree = undefined;
	}

	get #isFree(): boolean {
		return this.#held.size === 0 && this.#taking.size === 0;
	}

	#noteEnd(): void {
		if (this.#isFree) {
			this.#whenFree?.();
		}
	}

	#track(taking: Promise<unknown>): void {
		this.#taking.add(taking);
		void (async () => {
			await Promise.allSettled([taking]);
			this.#taking.delete(taking);
			this.#noteEnd();
		})();
	}

	#make(key: string): Lock {
		const lock: Lock = new Lock({
			store: this.#store,
			key,
			identity: this.#isLocal ? processIdentity() : undefined,
			now: this.#now,
			clock: this.#clock,
			onEnd: () => {
				this.#held.delete(lock);
				heldHere.delete(lock);
				this.#noteEnd();
			},
		});
		return lock;
	}

	#hold(lock: Lock): Lock {
		this.#held.add(lock);
		heldHere.add(lock);
		if (!isWatchingExit) {
			isWatchingExit = true;
			process.once('exit', releaseAll);
		}

		return lock;
	}

	/** Takes the lock of a process that has ended. Of all that try, one has the dead one's token: it alone writes the lock. Where that one ends as well before it has, the lock ends by itself. */
	#takeOver(lock: Lock): MaybePromise<boolean> {
		return then(this.#read(lock.key), text => {
			if (text === undefined || !this.#isAbandoned(text)) {
				return false;
			}

			const [token] = text.split(' ', 1);
			const takeover = this.#make(takeoverPrefix + token!);
			return then(takeover.take(), isOurs => isOurs && then(this.#read(lock.key), current =>
				// Somebody else may have won long before, so that the record of that is over.
				current === text && then(lock.overwrite(), () => true),
			));
		});
	}

	#read(lockKey: string): MaybePromise<string | undefined> {
		return then(this.#store.get(lockKey), value => value === undefined ? undefined : decodeRecord(value) ?? '');
	}

	#isAbandoned(text: string): boolean {
		const [, identity] = text.split(' ', 2);
		return this.#isLocal && identity !== undefined && isGone(identity);
	}
}

type LockOptions = {
	readonly store: Store;
	readonly key: string;

	/** The identity of this process, where others can tell whether that has ended. */
	readonly identity: string | undefined;
	readonly now: () => number;
	readonly clock: () => number;
	readonly onEnd: () => void;
};

/** The right to send a request for a key. */
export class Lock {
	readonly key: string;
	readonly #options: LockOptions;
	readonly #text: string;
	readonly #start: {readonly time: number; readonly clock: number};
	#isReleased = false;

	constructor(options: LockOptions) {
		const {key, identity, now, clock} = options;
		this.key = key;
		this.#options = options;
		this.#text = [randomUUID(), ...identity === undefined ? [] : [identity]].join(' ');
		this.#start = {time: now(), clock: clock()};
	}

	/** Writes the lock, unless it is there. */
	take(): MaybePromise<boolean> {
		const {store} = this.#options;
		return store.add!(this.key, encodeRecord(this.#text, store.holds), {expires: this.#start.time + lockTime, size: this.#text.length});
	}

	/** Writes the lock, whatever is there. */
	overwrite(): MaybePromise<void> {
		return this.#write(this.#text, lockTime);
	}

	/**
	Gives the lock back, unless another process has it by now: another one may take it, or find what was stored.

	@param isRefused - Whether the response cannot be shared: then no process waits for the next one, for 2 seconds.
	@throws What the store throws.
	*/
	release(isRefused: boolean): MaybePromise<void> {
		if (this.#isReleased) {
			return;
		}

		this.#isReleased = true;
		const {store, onEnd} = this.#options;
		const released = recover(() => then(this.#isCertain() || this.#isStored(), isOurs => {
			if (isOurs) {
				return isRefused ? this.#write(refused, refusalTime) : then(store.delete(this.key), () => undefined);
			}

			return undefined;
		}), error => {
			onEnd();
			throw error;
		});
		return then(released, onEnd);
	}

	/** Whether no clock can have ended the lock for another process. */
	#isCertain(): boolean {
		const {now, clock} = this.#options;
		const passed = clock() - this.#start.clock;
		return passed < lockTime && Math.abs(now() - this.#start.time - passed) <= deviation;
	}

	#isStored(): MaybePromise<boolean> {
		return then(this.#options.store.get(this.key), value => value !== undefined && decodeRecord(value) === this.#text);
	}

	#write(text: string, milliseconds: number): MaybePromise<void> {
		const {store, now} = this.#options;
		return store.set(this.key, encodeRecord(text, store.holds), {expires: now() + milliseconds, size: text.length});
	}
}

/** At the end of a process that has not closed its caches: a store that writes at once frees them; elsewhere, others find out that their owner has ended. */
function releaseAll(): void {
	for (const lock of heldHere) {
		void recover(() => lock.release(false), () => undefined);
	}
}
