/**
Work that no caller waits for: one at a time for each key. Its failures are told, never thrown.
*/
export class Background {
	readonly #running = new Map<string, Promise<void>>();
	readonly #onError: (error: unknown) => void;

	constructor(onError: (error: unknown) => void) {
		this.#onError = onError;
	}

	run(key: string, task: () => Promise<void>): void {
		if (this.#running.has(key)) {
			return;
		}

		this.#running.set(key, this.#run(key, task));
	}

	/** Resolves when nothing is running. */
	async idle(): Promise<void> {
		while (this.#running.size > 0) {
			// eslint-disable-next-line no-await-in-loop -- Others may begin while these end.
			await Promise.all(this.#running.values());
		}
	}

	async #run(key: string, task: () => Promise<void>): Promise<void> {
		try {
			await task();
		} catch (error) {
			this.#onError(error);
		} finally {
			this.#running.delete(key);
		}
	}
}
