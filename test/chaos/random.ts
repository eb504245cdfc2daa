import process from 'node:process';

/** What a failure is repeated with: `CHAOS_SEED=…`. */
export function chosenSeed(): number {
	return Number(process.env.CHAOS_SEED ?? Date.now() % 2_147_483_647);
}

/** Whether all of it is run, as by `npm run test:chaos`, or a short form. */
export const isLong: boolean = process.env.CHAOS === 'long';

/** The same numbers for the same seed (mulberry32). */
export class Random {
	#state: number;

	constructor(seed: number) {
		this.#state = seed;
	}

	/** From 0 up to 1. */
	next(): number {
		this.#state = Math.trunc(this.#state + 0x6D_2B_79_F5);
		let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
	}

	/** A whole number below the limit. */
	below(limit: number): number {
		return Math.floor(this.next() * limit);
	}

	happens(share: number): boolean {
		return this.next() < share;
	}
}
