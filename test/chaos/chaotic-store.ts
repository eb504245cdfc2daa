import {setTimeout as delay} from 'node:timers/promises';
import type {MaybePromise, Store, StoredValue} from '../../source/index.ts';
import type {Random} from './random.ts';

/** Holds bytes, and throws, rejects, hangs, delays, truncates, flips bits, forgets and lies at random. */
export class ChaoticStore implements Store {
	readonly name = 'chaotic';
	readonly holds = 'bytes';
	readonly faults: Record<string, number> = {};
	readonly #values = new Map<string, Uint8Array>();
	readonly #random: Random;

	constructor(random: Random) {
		this.#random = random;
	}

	get(key: string): MaybePromise<StoredValue | undefined> {
		return this.#disturb(() => this.#read(key));
	}

	set(key: string, value: StoredValue): MaybePromise<void> {
		return this.#disturb(() => {
			if (!this.#fault('forgets', 0.02)) {
				this.#values.set(key, Uint8Array.from(value as Uint8Array));
			}
		});
	}

	add(key: string, value: StoredValue): MaybePromise<boolean> {
		return this.#disturb(() => {
			const isNew = !this.#values.has(key);
			if (isNew) {
				this.#values.set(key, Uint8Array.from(value as Uint8Array));
			}

			return this.#fault('lies about adding', 0.05) ? !isNew : isNew;
		});
	}

	delete(key: string): MaybePromise<boolean> {
		return this.#disturb(() => this.#fault('does not delete', 0.05) || this.#values.delete(key));
	}

	deleteMany(): void {}

	clear(): void {
		this.#values.clear();
	}

	async * iterate(): AsyncIterable<readonly [string, StoredValue]> {
		yield * this.#values;
	}

	close(): void {}

	#read(key: string): Uint8Array | undefined {
		const value = this.#fault('lies', 0.03) ? this.#other() : this.#values.get(key);
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

	/** What lies under another key. */
	#other(): Uint8Array | undefined {
		return this.#values.values().toArray().at(this.#random.below(this.#values.size));
	}

	#disturb<Result>(action: () => Result): MaybePromise<Result> {
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
