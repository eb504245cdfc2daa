import process from 'node:process';
import {setImmediate as nextTurn} from 'node:timers/promises';
import type {Opened, Round} from './types.ts';

/** Quicker operations (µs) are timed by the batch, since the clock itself takes a part of such a time. */
const quick = 2;
const batchSize = 100;

/** Milliseconds after which the event loop turns: what is only promises would keep everything else of its process waiting for the whole round. */
const longestStretch = 1;

/**
Rounds of one subject: so and so many operations at once, again and again until the time is up.

A loop of our own: tinybench takes a microsecond of CPU time around an operation and for its statistics, twice as much as this, where some operations last ten; and it never lets the event loop turn between two that are only promises.
*/
export class Timing {
	readonly #opened: Opened;
	readonly #concurrency: number;
	#batch = 1;
	#index = 0;

	constructor(opened: Opened, concurrency: number) {
		this.#opened = opened;
		this.#concurrency = concurrency;
	}

	async round(milliseconds: number): Promise<Round> {
		const samples: number[] = [];
		const cpuBefore = process.cpuUsage();
		const start = performance.now();
		await Promise.all(Array.from({length: this.#concurrency}, async () => this.#repeat(start + milliseconds, samples)));
		const time = performance.now() - start;
		await this.#opened.settle?.();
		const {user, system} = process.cpuUsage(cpuBefore);
		const operations = samples.length * this.#batch;
		const p50 = median(samples) * 1000;
		if (p50 < quick) {
			this.#batch = batchSize;
		}

		return {p50, mean: time * 1000 / operations, cpu: (user + system) / operations};
	}

	async #repeat(deadline: number, samples: number[]): Promise<void> {
		let turned = performance.now();
		for (let end = turned; end < deadline;) {
			const start = performance.now();
			for (let count = 0; count < this.#batch; count++) {
				const answer = this.#opened.run(this.#index++);
				if (answer instanceof Promise) {
					await answer;
				}
			}

			end = performance.now();
			samples.push((end - start) / this.#batch);
			if (end - turned <= longestStretch) {
				continue;
			}

			await nextTurn();
			turned = performance.now();
		}
	}
}

export function median(values: readonly number[]): number {
	const sorted = Float64Array.from(values).toSorted();
	const middle = Math.floor(sorted.length / 2);
	return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
