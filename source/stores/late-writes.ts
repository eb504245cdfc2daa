// What has not ended by then is given up, so that a call that never answers does not keep its key for good.
const longest = 30_000;

const byStore = new WeakMap<object, LateWrites>();

/**
The writes that have outlasted the time limit of their call, and that a store may still carry out: what comes later for the same key must not be overtaken by them.
*/
export class LateWrites {
	/** Those of each key. */
	readonly pending: ReadonlyMap<string, Promise<void>>;
	readonly #ofKeys = new Map<string, Promise<void>>();

	private constructor() {
		this.pending = this.#ofKeys;
	}

	/** Those of a store, however many guard it. */
	static of(store: object): LateWrites {
		const known = byStore.get(store) ?? new LateWrites();
		byStore.set(store, known);
		return known;
	}

	add(key: string, writing: Promise<unknown>): void {
		const {promise, resolve} = Promise.withResolvers<void>();
		// Nobody waits for it, the process included.
		const timer = setTimeout(resolve, longest).unref();
		this.#ofKeys.set(key, promise);
		void (async () => {
			await Promise.race([promise, Promise.allSettled([writing])]);
			clearTimeout(timer);
			resolve();
			// A later one may have taken its place.
			if (this.#ofKeys.get(key) === promise) {
				this.#ofKeys.delete(key);
			}
		})();
	}

	/** Resolves when all of them have ended. */
	async ended(): Promise<void> {
		await Promise.all(this.#ofKeys.values());
	}
}
