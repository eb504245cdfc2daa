import {randomUUID} from 'node:crypto';
import {then, type MaybePromise} from '../maybe-promise.ts';
import type {Store} from '../stores/types.ts';
import {decodeRecord, encodeRecord} from './records.ts';

const lockPrefix = 'got-cache:1:lock:';

/** Whether locks are used; `'local'` for locks in stores that are files of this machine, SQLite and the filesystem. */
export type LockSetting = boolean | 'local';

/** The state of a lock: no process sends a request (`free`), one does (`taken`), or the response to it could not be shared (`refused`). */
export type LockState = 'free' | 'taken' | 'refused';

const localStores: ReadonlySet<string> = new Set(['sqlite', 'filesystem']);

// The milliseconds after which a lock ends by itself: a process that was killed delays no other for longer.
const lockTime = 10_000;
const refusalTime = 2000;
const refused = 'refused';

type LocksOptions = {
	readonly setting: LockSetting;
	readonly now: () => number;
};

/**
Locks in the store: of the processes that lack a response, the one that has the lock asks the origin for it.
*/
export class Locks {
	readonly #store: Store;
	readonly #now: () => number;
	readonly isOn: boolean;

	/** The milliseconds for which other processes wait for a lock. */
	readonly milliseconds: number = lockTime;

	constructor(store: Store, {setting, now}: LocksOptions) {
		const isWanted = setting === 'local' ? localStores.has(store.name) : setting;
		this.isOn = isWanted && store.add !== undefined;
		this.#store = store;
		this.#now = now;
	}

	/** Takes the lock of a key, unless somebody has it. */
	take(key: string): MaybePromise<Lock | undefined> {
		const token = randomUUID();
		const expires = this.#now() + lockTime;
		const added = this.#store.add!(lockPrefix + key, encodeRecord(token, this.#store.holds), {expires, size: token.length});
		return then(added, isOurs => isOurs ? new Lock(this.#store, lockPrefix + key, this.#now, expires) : undefined);
	}

	/** Reads the state of the lock of a key. */
	look(key: string): MaybePromise<LockState> {
		return then(this.#store.get(lockPrefix + key), value => {
			if (value === undefined) {
				return 'free';
			}

			return decodeRecord(value) === refused ? 'refused' : 'taken';
		});
	}
}

/** The right to send a request for a key. */
export class Lock {
	readonly #store: Store;
	readonly #key: string;
	readonly #now: () => number;
	readonly #expires: number;

	constructor(store: Store, key: string, now: () => number, expires: number) {
		this.#store = store;
		this.#key = key;
		this.#now = now;
		this.#expires = expires;
	}

	/**
	Gives the lock back: another process may take it, or find what was stored.

	@param isRefused - Whether the response cannot be shared: then no process waits for the next one, for 2 seconds.
	*/
	release(isRefused: boolean): MaybePromise<void> {
		// By now, another process may have the lock.
		if (this.#now() >= this.#expires) {
			return;
		}

		return isRefused
			? this.#store.set(this.#key, encodeRecord(refused, this.#store.holds), {expires: this.#now() + refusalTime, size: refused.length})
			: then(this.#store.delete(this.#key), () => undefined);
	}
}
