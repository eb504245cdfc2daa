import type {MaybePromise} from './maybe-promise.ts';

/**
Writes, one after the other for each key, so that whoever reads after a write has begun sees what it wrote.
*/
export class WriteQueue {
	readonly #pending = new Map<string, Promise<void>>();

	readonly #onError: (key: string, error: unknown) => void;

	/**
	Nothing is pending at first.

	@param onError - Told of a write that failed; nobody waits for it who could be told otherwise.
	*/
	constructor(onError: (key: string, error: unknown) => void) {
		this.#onError = onError;
	}

	/** Runs the task: at once where nothing is pending for the key, else after that. */
	run(key: string, task: () => MaybePromise<void>): void {
		const previous = this.#pending.get(key);
		try {
			const result = previous === undefined ? task() : runAfter(previous, task);
			if (result instanceof Promise) {
				this.#hold(key, result);
			}
		} catch (error) {
			this.#onError(key, error);
		}
	}

	/**
	Resolves when what is pending for the key is written, or when the time is over; `undefined` where nothing is pending.
	*/
	pending(key: string, milliseconds: number): Promise<void> | undefined {
		const pending = this.#pending.get(key);
		return pending === undefined ? undefined : withinTime(pending, milliseconds);
	}

	/** Resolves when no write is pending, those that begin meanwhile included. */
	async idle(): Promise<void> {
		while (this.#pending.size > 0) {
			// eslint-disable-next-line no-await-in-loop -- Others may begin while these end.
			await Promise.all(this.#pending.values());
		}
	}

	#hold(key: string, result: Promise<void>): void {
		const held: Promise<void> = this.#settle(key, result, () => this.#pending.get(key) === held);
		this.#pending.set(key, held);
	}

	async #settle(key: string, result: Promise<void>, isLast: () => boolean): Promise<void> {
		try {
			await result;
		} catch (error) {
			this.#onError(key, error);
		}

		// A later write of the same key may have taken this one's place.
		if (isLast()) {
			this.#pending.delete(key);
		}
	}
}

async function runAfter(previous: Promise<void>, task: () => MaybePromise<void>): Promise<void> {
	await previous;
	await task();
}

async function withinTime(pending: Promise<void>, milliseconds: number): Promise<void> {
	let timer: NodeJS.Timeout | undefined;
	const limit = new Promise<void>(resolve => {
		timer = setTimeout(resolve, milliseconds);
	});
	await Promise.race([pending, limit]);
	clearTimeout(timer);
}
