import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import type {Store} from '../stores/types.ts';
import {addRecord, readRecord, writeRecord} from './records.ts';

/** The key of the record with the secret. Listings of entries skip it. */
export const secretKey = 'got-cache:1:secret';

const prefix = 'got-cache-secret:1:';

// For so many milliseconds after its own write, a process reads the secret again before each use, since another process may have written its own at the same time: longer than a store may delay such a write.
const recheckTime = 10_000;

// The milliseconds for which a store that failed is not called.
const pause = 10_000;

type PartitionSecretOptions = {
	/** A store that throws its faults. */
	readonly store: Store;

	/** The secret of the user, with which nothing is read or written. */
	readonly given: string | Uint8Array | undefined;

	/** Called with the faults of the store. It may throw them. */
	readonly onFault: (operation: 'get' | 'set', error: unknown) => void;

	/** Milliseconds that never go back. Default: `performance.now`. */
	readonly clock?: () => number;
};

/**
The secret of the keyed digests of a cache: random, made once, and stored beside the entries that need it.

The secret is written together with the first of these entries, so that reading changes nothing in the store. If several processes start at once, all use the secret that was written first, provided that the store has `add`. With any other store, the last write counts: each process reads the secret again for some seconds after its own write. Until then, a process misses entries that others stored, and never gets an entry of another user.

While the store fails, the process uses a secret of its own.
*/
export class PartitionSecret {
	readonly #options: PartitionSecretOptions;
	readonly #clock: () => number;

	/** Whether the secret was used: only then it is stored. */
	isInUse = false;

	/** The secret that is stored, or will be. */
	#secret: Uint8Array | undefined;
	#isStored = false;
	#recheckUntil = 0;
	#pausedUntil = 0;

	constructor(options: PartitionSecretOptions) {
		this.#options = options;
		this.#clock = options.clock ?? (() => performance.now());
	}

	get(): MaybePromise<string | Uint8Array> {
		return this.#options.given ?? (this.#isCertain() ? this.#current() : this.#load());
	}

	/** Stores the secret, if it is in use and not stored yet. Call it before an entry is written. */
	ensureStored(): MaybePromise<void> {
		// It reads the secret once more just before writing: the less time between the two, the rarer two processes write.
		return this.#mustWrite() ? then(this.#load(), () => this.#mustWrite() ? this.#write() : undefined) : undefined;
	}

	/** Call it when the store was emptied: the next entry that needs the secret stores it again. */
	forget(): void {
		this.#isStored = false;
	}

	/**
	Takes over the secret of another cache, unless this one has its own.

	@returns Whether both caches have the same secret now.
	*/
	async adopt(other: string | Uint8Array): Promise<boolean> {
		const own = await this.get();
		if (Buffer.from(own).equals(Buffer.from(other))) {
			return true;
		}

		if (typeof other === 'string' || this.#options.given !== undefined || this.#isStored) {
			return false;
		}

		this.#secret = Uint8Array.from(other);
		await this.#replace();
		return this.#isStored;
	}

	#mustWrite(): boolean {
		return this.#secret !== undefined && !this.#isStored && this.#clock() >= this.#pausedUntil;
	}

	#isCertain(): boolean {
		const now = this.#clock();
		return now < this.#pausedUntil || (this.#isStored && now >= this.#recheckUntil);
	}

	#current(): Uint8Array {
		this.isInUse = true;
		this.#secret ??= randomBytes(32);
		return this.#secret;
	}

	#load(): MaybePromise<Uint8Array> {
		return this.#attempt('get', () => then(readRecord(this.#options.store, secretKey), text => {
			const stored = text === undefined ? undefined : parse(text);
			this.#isStored = stored !== undefined;
			this.#secret = stored ?? this.#secret;
			return this.#current();
		}), () => this.#current());
	}

	/** Writes the secret unless another process has written its own, if the store has `add`. */
	#write(): MaybePromise<void> {
		const adding = this.#attempt('set', () => then(addRecord(this.#options.store, secretKey, this.#text()), isAdded => {
			if (isAdded !== undefined) {
				this.#confirmWrite(isAdded);
			}

			return isAdded;
		}), () => true);
		return then(adding, isAdded => {
			if (isAdded === undefined) {
				return this.#replace();
			}

			return isAdded ? undefined : then(this.#load(), () => this.#mustWrite() ? this.#replace() : undefined);
		});
	}

	/** Writes the secret, even over another one. */
	#replace(): MaybePromise<void> {
		return this.#attempt('set', () => then(writeRecord(this.#options.store, secretKey, this.#text()), () => {
			this.#confirmWrite(true);
		}), () => undefined);
	}

	#text(): string {
		return prefix + Buffer.from(this.#current()).toString('hex');
	}

	#confirmWrite(isStored: boolean): void {
		this.#isStored = isStored;
		this.#recheckUntil = this.#clock() + recheckTime;
	}

	/** Calls the store; if it fails, it is not called for a while, and `instead` returns the result. */
	#attempt<T>(operation: 'get' | 'set', call: () => MaybePromise<T>, instead: () => T): MaybePromise<T> {
		return recover(call, error => {
			this.#pausedUntil = this.#clock() + pause;
			this.#options.onFault(operation, error);
			return instead();
		});
	}
}

/** Returns the secret in the text of a record; `undefined` if the text is another one, which is then replaced. */
function parse(text: string): Uint8Array | undefined {
	const hex = text.startsWith(prefix) ? text.slice(prefix.length) : '';
	return /^[\da-f]{64}$/v.test(hex) ? Buffer.from(hex, 'hex') : undefined;
}
