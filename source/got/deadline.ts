/** A stream that may be left before it has ended. */
type Leavable = {
	readonly on: (event: 'error', listener: (error: unknown) => void) => unknown;
	readonly destroy: (error?: Error) => unknown;
};

/**
How long something may take. What is still open when its time is over is destroyed; its timer keeps no process alive.
*/
export class Deadline {
	readonly #end: number;
	readonly #timer: NodeJS.Timeout;
	readonly #open = new Set<Leavable>();
	readonly #over = Promise.withResolvers<never>();
	readonly #createError: () => Error;
	#error: Error | undefined;

	/**
	Begins to count.

	@param createError - The error of whatever takes longer.
	*/
	constructor(milliseconds: number, createError: () => Error) {
		this.#end = performance.now() + milliseconds;
		this.#createError = createError;
		// Where nobody waits, the rejection must not be an unhandled one.
		this.#over.promise.catch(() => undefined);
		this.#timer = setTimeout(() => {
			this.#expire();
		}, milliseconds).unref();
	}

	get isOver(): boolean {
		return this.#error !== undefined;
	}

	/** Milliseconds. */
	get left(): number {
		return this.#end - performance.now();
	}

	/**
	Waits for something. What comes too late is ignored, an error too.

	@throws {Error} The deadline's, where the time is over before.
	*/
	async within<T>(pending: Promise<T>): Promise<T> {
		return Promise.race([this.#over.promise, pending]);
	}

	/** Waits for some milliseconds. */
	async wait(milliseconds: number): Promise<void> {
		const {promise, resolve} = Promise.withResolvers<void>();
		const timer = setTimeout(resolve, milliseconds).unref();
		try {
			await this.within(promise);
		} finally {
			clearTimeout(timer);
		}
	}

	/** Destroys a stream when the time is over, or at once where it is over already. Errors of the stream are ignored. */
	bind(stream: Leavable): void {
		stream.on('error', () => undefined);
		if (this.#error === undefined) {
			this.#open.add(stream);
		} else {
			stream.destroy(this.#error);
		}
	}

	/** Stops the deadline. */
	end(): void {
		clearTimeout(this.#timer);
		this.#open.clear();
	}

	#expire(): void {
		this.#error = this.#createError();
		this.#over.reject(this.#error);
		for (const stream of this.#open) {
			stream.destroy(this.#error);
		}

		this.#open.clear();
	}
}
