/** Who is told of what leaves a store to make room. */
export class Evictions {
	readonly #listeners = new Set<(key: string) => void>();

	/** Until what it gives is called. */
	watch(listener: (key: string) => void): () => void {
		this.#listeners.add(listener);
		return () => {
			this.#listeners.delete(listener);
		};
	}

	tell(key: string): void {
		for (const listener of this.#listeners) {
			listener(key);
		}
	}
}
