import {randomUUID} from 'node:crypto';
import {then, type MaybePromise} from '../maybe-promise.ts';
import type {Store} from '../stores/types.ts';
import {decodeRecord, encodeRecord} from './records.ts';

const lockPrefix = 'got-cache:1:lock:';

/** Whether there are locks. `'local'` is where a store is a file of this machine. */
export type LockSetting = boolean | 'local';

/** What other processes find: nobody asks the origin, somebody does, or what was received could not be shared. */
export type LockState = 'free' | 'taken' | 'refused';

const localStores: ReadonlySet<string> = new Set(['sqlite', 'filesystem']);

// A lock ends by itself, so that a process that was killed holds nobody up for longer.
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

	/** How long others wait for one, in milliseconds. */
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

	look(key: string): MaybePromise<LockState> {
		return then(this.#store.get(lockPrefix + key), value => {
			if (value === undefined) {
				return 'free';
			}

			return decodeRecord(value) === refused ? 'refused' : 'taken';
		});
	}
}

/** The right to ask the origin for a key. */
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
	Gives it back: another process may ask, or find what was stored.

	@param isRefused - Whether what was received cannot be shared: then nobody need wait for the next one to find that out.
	*/
	release(isRefused: boolean): MaybePromise<void> {
		// It may be another's by now.
		if (this.#now() >= this.#expires) {
			return;
		}

		return isRefused
			? this.#store.set(this.#key, encodeRecord(refused, this.#store.holds), {expires: this.#now() + refusalTime, size: refused.length})
			: then(this.#store.delete(this.#key), () => undefined);
	}
}
