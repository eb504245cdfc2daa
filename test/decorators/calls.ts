import {EventEmitter, once} from 'node:events';
import {setImmediate as turn} from 'node:timers/promises';

/** The calls of a function. The test decides when and how each call ends. */
export class Calls {
	readonly #pending: Array<PromiseWithResolvers<unknown>> = [];
	readonly #begun = new EventEmitter();
	count = 0;

	get pending(): number {
		return this.#pending.length;
	}

	async begin(): Promise<unknown> {
		this.count++;
		const call = Promise.withResolvers<unknown>();
		this.#pending.push(call);
		this.#begun.emit(String(this.count));
		return call.promise;
	}

	/** Resolves once this many calls have begun. */
	async reach(count: number): Promise<void> {
		if (this.count < count) {
			await once(this.#begun, String(count));
		}
	}

	succeed(value: unknown): void {
		this.#pending.shift()!.resolve(value);
	}

	/** Makes all running calls fail. */
	fail(error: Error): void {
		for (const {reject} of this.#pending.splice(0)) {
			reject(error);
		}
	}
}

/** Waits until only timers are pending. */
export async function settle(): Promise<void> {
	for (let round = 0; round < 20; round++) {
		await turn();
	}
}
