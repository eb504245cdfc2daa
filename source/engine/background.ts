import type {CacheCore} from '../cache/core.ts';

/**
Work that no caller waits for: one at a time for each key. Its failures are told, never thrown.
*/
export class Background {
	readonly #running = new Set<string>();
	readonly #cache: CacheCore;

	constructor(cache: CacheCore) {
		this.#cache = cache;
	}

	run(key: string, task: () => Promise<void>): void {
		if (this.#running.has(key)) {
			return;
		}

		this.#running.add(key);
		this.#cache.hold(this.#run(key, task));
	}

	async #run(key: string, task: () => Promise<void>): Promise<void> {
		try {
			await task();
		} catch (error) {
			this.#cache.report('backgroundError', {error});
		} finally {
			this.#running.delete(key);
		}
	}
}
