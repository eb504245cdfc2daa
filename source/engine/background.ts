import type {CacheCore} from '../cache/core.ts';

/**
Work that no caller waits for, so much at a time and no more. Its failures are told, never thrown.
*/
export class Background {
	readonly #cache: CacheCore;
	readonly #limit: number;
	#running = 0;

	constructor(cache: CacheCore, limit: number) {
		this.#cache = cache;
		this.#limit = limit;
	}

	/** Whether there is room for more. */
	get hasRoom(): boolean {
		return this.#running < this.#limit;
	}

	run(task: () => Promise<void>): void {
		this.#cache.hold(this.#run(task));
	}

	async #run(task: () => Promise<void>): Promise<void> {
		this.#running++;
		try {
			await task();
		} catch (error) {
			this.#cache.report('backgroundError', {error});
		} finally {
			this.#running--;
		}
	}
}
