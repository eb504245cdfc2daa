import {AsyncLocalStorage} from 'node:async_hooks';
import type {StoreErrorEvent} from './events.ts';

const current = new AsyncLocalStorage<ToldFaults>();

/**
The faults of the store that were told of one request: a store that fails is asked several times, for an entry, for the head of the journal, and once more before something is stored, and says the same each time.
*/
export class ToldFaults {
	/** There are none while nothing has failed. */
	#told: Set<string> | undefined;

	/** Runs what is done for the request: faults of it and of what follows from it are the request's. */
	run<Value>(action: () => Value): Value {
		return current.run(this, action);
	}

	/**
	Notes a fault.

	@returns Whether it is one that was not told yet.
	*/
	add(fault: string): boolean {
		this.#told ??= new Set();
		const {size} = this.#told;
		return this.#told.add(fault).size > size;
	}
}

/** Whether a fault is to be told: it is no request's, or the first of its operation and its reason. An entry that cannot be read is a fault of its own. */
export function isToldFirst({operation, key, error}: StoreErrorEvent): boolean {
	const {name, code, message} = new Object(error) as {readonly name?: unknown; readonly code?: unknown; readonly message?: unknown};
	const reason = error instanceof Error ? [name, code, message] : [error];
	return current.getStore()?.add([operation, operation === 'decode' ? key : '', ...reason].map(String).join('\n')) ?? true;
}
