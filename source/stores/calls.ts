import {CacheHooksError} from '../errors.ts';
import {within} from './time-limit.ts';

/** That many calls of one process wait only for a server that does not answer. */
const mostPending = 10_000;

const bytesPerMillisecond = 10_000;

/**
Calls to a server: each settles within its time, and what a driver goes on waiting for after that is bounded too.
*/
export class Calls {
	readonly #timeout: number;
	#pending = 0;

	constructor(timeout: number) {
		this.#timeout = timeout;
	}

	/**
	One call, within its time.

	@param bytes - What is sent or fetched; every 10 kB give 1 ms more.
	@throws {CacheHooksError} `ERR_STORE_TIMEOUT`, or `ERR_STORE_BUSY` where too many calls wait.
	*/
	async run<T>(operation: string, action: () => Promise<T>, bytes = 0): Promise<T> {
		if (this.#pending >= mostPending) {
			throw new CacheHooksError('ERR_STORE_BUSY', `The store has ${mostPending} calls waiting: \`${operation}\` is refused`);
		}

		this.#pending++;
		const answer = this.#count(action);
		return within(this.#timeout + Math.ceil(bytes / bytesPerMillisecond), operation, answer);
	}

	async #count<T>(action: () => Promise<T>): Promise<T> {
		try {
			return await action();
		} finally {
			this.#pending--;
		}
	}
}
