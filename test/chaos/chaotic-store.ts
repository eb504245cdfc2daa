import {setTimeout as delay} from 'node:timers/promises';
import type {
	MaybePromise,
	SetOptions,
	SetResult,
	Store,
	StoredValue,
} from '../../source/index.ts';
import {then} from '../../source/maybe-promise.ts';
import type {Random} from './random.ts';

/** Stands before a store of bytes, and throws, rejects, hangs, delays, truncates, flips bits, forgets and lies at random. */
export class ChaoticStore implements Store {
	readonly name = 'chaotic';
	readonly valueType = 'bytes';
	readonly faults: Record<string, number> = {};
	readonly #inner: Store;
	readonly #random: Random;

	/** The written values, for wrong answers. */
	readonly #keys = new Set<string>();

	constructor(random: Random, inner: Store) {
		this.#random = random;
		this.#inner = inner;
	}

	get(key: string): MaybePromise<StoredValue | undefined> {
		return this.#disturb(() => this.#read(key));
	}

	set(key: string, value: StoredValue, options: SetOptions): MaybePromise<SetResult> {
		return this.#disturb(() => {
			if (this.#fault('forgets', 0.02)) {
				return;
			}

			this.#keys.add(key);
			return this.#inner.set(key, value, options);
		});
	}

	add(key: string, value: StoredValue, options: SetOptions): MaybePromise<boolean> {
		return this.#disturb(() => {
			const isLie = this.#fault('lies about adding', 0.05);
			return then(this.#inner.add!(key, value, options), isNew => isNew !== isLie);
		});
	}

	delete(key: string): MaybePromise<boolean> {
		return this.#disturb(() => this.#fault('does not delete', 0.05) || this.#inner.delete(key));
	}

	deleteMany(keys: readonly string[]): MaybePromise<void> {
		return this.#inner.deleteMany(keys);
	}

	clear(): MaybePromise<void> {
		return this.#inner.clear();
	}

	iterate(): AsyncIterable<readonly [string, StoredValue]> {
		return this.#inner.iterate();
	}

	close(): MaybePromise<void> {
		return this.#inner.close();
	}

	#read(key: string): MaybePromise<Uint8Array | undefined> {
		return then(this.#inner.get(this.#fault('lies', 0.03) ? this.#other() ?? key : key), value => this.#spoilt(value as Uint8Array | undefined));
	}

	#spoilt(value: Uint8Array | undefined): Uint8Array | undefined {
		if (value === undefined) {
			return undefined;
		}

		if (this.#fault('truncates', 0.03)) {
			return value.subarray(0, this.#random.below(value.length));
		}

		if (this.#fault('flips a bit', 0.03)) {
			const flipped = Uint8Array.from(value);
			const index = this.#random.below(value.length);
			const bit = 2 ** this.#random.below(8);
			flipped[index]! += Math.floor(flipped[index]! / bit) % 2 === 0 ? bit : -bit;
			return flipped;
		}

		return value;
	}

	/** Another key. */
	#other(): string | undefined {
		return this.#keys.values().toArray().at(this.#random.below(this.#keys.size));
	}

	#disturb<Result>(action: () => MaybePromise<Result>): MaybePromise<Result> {
		if (this.#fault('throws', 0.02)) {
			throw new Error('The store throws');
		}

		if (this.#fault('rejects', 0.02)) {
			return Promise.reject(new Error('The store rejects'));
		}

		if (this.#fault('hangs', 0.01)) {
			return new Promise(() => {});
		}

		return this.#fault('delays', 0.1) ? delay(this.#random.below(30)).then(action) : action();
	}

	#fault(name: string, share: number): boolean {
		const happens = this.#random.happens(share);
		if (happens) {
			this.faults[name] = (this.faults[name] ?? 0) + 1;
		}

		return happens;
	}
}
