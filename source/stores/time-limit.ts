import {StoreTimeoutError} from '../errors.ts';
import {unlessLate, type MaybePromise} from '../maybe-promise.ts';

/** The size of a value extends its time limit by 1 ms for every 10 kB. */
export const bytesPerMillisecond = 10_000;

/**
Waits for the answer of a store, for a limited time. An answer or a rejection that comes later is ignored.

@throws {StoreTimeoutError} When the time is over.
*/
export function within<T>(milliseconds: number, operation: string, answer: Promise<T>): Promise<T> {
	return unlessLate(answer, milliseconds, () => {
		throw new StoreTimeoutError(operation, milliseconds);
	});
}

/** How long a later call for the same key waits for a write that never ends, in milliseconds. */
const longestLateWrite = 30_000;

const lateWritesOf = new WeakMap<object, LateWrites>();

/**
The writes of a store, by key, that took longer than their time limit and may still be carried out. A later call for the same key must not overtake them.
*/
export class LateWrites extends Map<string, Promise<void>> {
	/** Returns the late writes of a store, which all its guards share. */
	static of(store: object): LateWrites {
		const known = lateWritesOf.get(store) ?? new LateWrites();
		lateWritesOf.set(store, known);
		return known;
	}

	/** Adds a write for as long as it may still be carried out, or for 30 seconds. */
	add(key: string, writing: Promise<unknown>): void {
		const {promise, resolve} = Promise.withResolvers<void>();
		// The process does not wait for it.
		const timer = setTimeout(resolve, longestLateWrite).unref();
		this.set(key, promise);
		void (async () => {
			await Promise.race([promise, Promise.allSettled([writing])]);
			clearTimeout(timer);
			resolve();
			// A later write may have taken its place.
			if (this.get(key) === promise) {
				this.delete(key);
			}
		})();
	}

	/** Runs an action after the late write of a key. */
	follow<T>(key: string, action: () => MaybePromise<T>): MaybePromise<T> {
		const writing = this.get(key);
		return writing === undefined ? action() : writing.then(action);
	}

	/** Resolves when all late writes have ended. */
	async ended(): Promise<void> {
		await Promise.all(this.values());
	}
}
