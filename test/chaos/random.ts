import process from 'node:process';

const largest = 2_147_483_647;

/** Whether all of it is run, as by `npm run test:nightly`, or a short form. */
export const isLong: boolean = process.env.CHAOS === 'long';

/** The same numbers for the same seed (Lehmer's generator). */
export class Random {
	#state: number;

	constructor(seed: number) {
		this.#state = seed;
	}

	/** From 0 up to 1. */
	next(): number {
		this.#state = (this.#state * 16_807) % largest;
		return this.#state / largest;
	}

	/** A whole number below the limit. */
	below(limit: number): number {
		return Math.floor(this.next() * limit);
	}

	happens(share: number): boolean {
		return this.next() < share;
	}
}
