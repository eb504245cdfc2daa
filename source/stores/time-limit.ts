import {CacheHooksError, StoreTimeoutError} from '../errors.ts';
import {withinTime} from '../maybe-promise.ts';

/** The number of calls of a process that may wait for one server. */
const mostPendingCalls = 10_000;

/** The size of a value extends its time limit by 1 ms for every 10 kB. */
export const bytesPerMillisecond = 10_000;
const timeIsOver = Symbol('time is over');

/**
Waits for the answer of a store, for a limited time. An answer or a rejection that comes later is ignored.

@throws {StoreTimeoutError} When the time is over.
*/
export async function within<T>(milliseconds: number, operation: string, answer: Promise<T>): Promise<T> {
	const result = await withinTime<T | typeof timeIsOver>(answer, milliseconds, timeIsOver);
	if (result === timeIsOver) {
		throw new StoreTimeoutError(operation, milliseconds);
	}

	return result;
}

/**
Calls of a server, each with a time limit. Their number is limited too, since a driver goes on waiting after the time limit.
*/
export class Calls {
	readonly #timeout: number;
	#pending = 0;

	constructor(timeout: number) {
		this.#timeout = timeout;
	}

	/**
	Calls the server.

	@param bytes - The size of what is sent or fetched, which extends the time limit.
	@throws {CacheHooksError} `ERR_STORE_TIMEOUT`, or `ERR_STORE_BUSY` where too many calls are waiting.
	*/
	async run<T>(operation: string, action: () => Promise<T>, bytes = 0): Promise<T> {
		if (this.#pending >= mostPendingCalls) {
			throw new CacheHooksError('ERR_STORE_BUSY', `\`${operation}\` is refused: ${mostPendingCalls} calls are already waiting for the store`);
		}

		return within(this.#timeout + Math.ceil(bytes / bytesPerMillisecond), operation, this.#count(action));
	}

	async #count<T>(action: () => Promise<T>): Promise<T> {
		this.#pending++;
		try {
			return await action();
		} finally {
			this.#pending--;
		}
	}
}
