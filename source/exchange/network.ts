import {AsyncLocalStorage} from 'node:async_hooks';
import {CacheHooksError} from '../errors.ts';

const storage = new AsyncLocalStorage<true>();

/** Whether the code that runs is inside of `withoutNetwork`: there no cache lets a request be sent. */
export const refusals: Pick<AsyncLocalStorage<true>, 'getStore'> = storage;

/** Runs a function; no cache lets a request be sent in its call tree, and only there. */
export function refusingNetwork<Result>(action: () => Result): Result {
	return storage.run(true, action);
}

/**
The error of a request that is kept from the network.

@param url - As it may be shown.
@param reason - Why the cache has no answer.
*/
export function networkRefusal(method: string, url: string, reason: string): CacheHooksError {
	return new CacheHooksError('ERR_NO_NETWORK', `No answer is stored for ${method} ${url} (${reason}), and \`withoutNetwork\` lets nothing out`);
}
