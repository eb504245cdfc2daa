import type {CacheCore} from '../cache/core.ts';

/**
Work that no caller waits for, so much at a time and no more. Its failures are told, never thrown.
*/
export class Background {
	static readonly #byCache = new WeakMap<CacheCore, Background>();

	/** That of a cache: of all clients that share it, and of classes with settings of their own. */
	static of(cache: CacheCore): Background {
		const known = Background.#byCache.get(cache) ?? new Background(cache);
		Background.#byCache.set(cache, known);
		return known;
	}

	readonly #cache: CacheCore;
	#running = 0;

	private constructor(cache: CacheCore) {
		this.#cache = cache;
	}

	/** Whether there is room for more where so much may run. */
	hasRoom(limit: number): boolean {
		return this.#running < limit;
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
