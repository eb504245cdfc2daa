import {randomUUID} from 'node:crypto';
import type {Store} from '../stores/types.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import {decodeRecord, encodeRecord} from './records.ts';

const leasePrefix = 'got-cache:1:lease:';

/** Milliseconds; 0 is off. `'local'` is on for stores that are files of this machine. */
export type LeaseSetting = number | 'local';

/** What others find: nobody asks, somebody does, or what was got could not be shared. */
export type LeaseState = 'free' | 'taken' | 'passed';

const usualLease = 10_000;
const local: ReadonlySet<string> = new Set(['sqlite', 'filesystem']);
const passedFor = 2000;
const passed = 'passed';

export type LeasesOptions = {
	readonly setting: LeaseSetting;
	readonly now: () => number;
};

/**
Leases in the store: of the processes that lack a response, the one that has the lease asks for it. A lease ends by itself, so that a process that was killed holds nobody up for longer.
*/
export class Leases {
	readonly #store: Store;
	readonly #now: () => number;

	/** How long a lease lasts, in milliseconds; 0 where there are none. */
	readonly milliseconds: number;

	constructor(store: Store, {setting, now}: LeasesOptions) {
		const isLocal = local.has(store.name) && setting === 'local';
		const wanted = isLocal ? usualLease : setting;
		this.milliseconds = wanted === 'local' || store.add === undefined ? 0 : wanted;
		this.#store = store;
		this.#now = now;
	}

	/** Takes the lease of a key, if nobody has it. */
	take(key: string): MaybePromise<Lease | undefined> {
		const token = randomUUID();
		const expires = this.#now() + this.milliseconds;
		const added = this.#store.add!(leasePrefix + key, encodeRecord(token, this.#store.holds), {expires, size: token.length});
		return then(added, isOurs => isOurs ? new Lease(this.#store, leasePrefix + key, this.#now, expires) : undefined);
	}

	look(key: string): MaybePromise<LeaseState> {
		return then(this.#store.get(leasePrefix + key), value => {
			if (value === undefined) {
				return 'free';
			}

			return decodeRecord(value) === passed ? 'passed' : 'taken';
		});
	}
}

/** The right to ask for a key. */
export class Lease {
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
	Gives it back: another may ask, or find what was stored.

	@param isPassed - Whether what was got cannot be shared: then none need wait for the next to find that out.
	*/
	release(isPassed: boolean): MaybePromise<void> {
		// It may be another's by now.
		if (this.#now() >= this.#expires) {
			return;
		}

		return isPassed
			? this.#store.set(this.#key, encodeRecord(passed, this.#store.holds), {expires: this.#now() + passedFor, size: passed.length})
			: then(this.#store.delete(this.#key), () => undefined);
	}
}
