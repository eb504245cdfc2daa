import type {ClientRequest} from 'node:http';
import {Writable} from 'node:stream';
import type {Options} from 'got';
import {longestTimer} from '../maybe-promise.ts';
import {isTimeout} from './native-request.ts';

/** A timeout of Got that holds while a request waits for another one. */
type Limit = 'request' | 'response' | 'socket';

/** Why the caller no longer waits: its signal was aborted, or one of its timeouts has expired. */
export type WaitEnd = 'aborted' | Limit;

type Timeouts = Partial<Record<Limit, number | undefined>>;

const limits: readonly Limit[] = ['request', 'response', 'socket'];

type Wait = {
	/** When the wait began, by `performance.now()`. */
	readonly start: number;

	/** Returns whether the response to the other request has begun: `timeout.response` and `timeout.socket` do not expire then. */
	readonly hasResponse: () => boolean;
};

/**
Waits for a promise within the caller's limits, which Got itself applies only to a `ClientRequest`.

@returns The result, or why the caller no longer waits.
*/
export function withinLimits<Result>(pending: Promise<Result>, options: Options, wait: Wait): Promise<Result | WaitEnd> {
	const {signal, timeout} = options;
	return signal === undefined && limits.every(name => (timeout as Timeouts)[name] === undefined) ? pending : unlessEnded(pending, options, wait);
}

async function unlessEnded<Result>(pending: Promise<Result>, {signal, timeout}: Options, {start, hasResponse}: Wait): Promise<Result | WaitEnd> {
	const {promise, resolve} = Promise.withResolvers<WaitEnd>();
	const abort = (): void => {
		resolve('aborted');
	};

	const timers = limits.map(name => {
		const limit = (timeout as Timeouts)[name];
		if (limit === undefined || limit > longestTimer) {
			return undefined;
		}

		// Got 16 has its own timer for `timeout.request`, which must expire first.
		const left = Math.ceil(start + limit - performance.now()) + 1;
		const timer = setTimeout(() => {
			if (name !== 'request' && hasResponse()) {
				// If the other request fails, the wait for the next one begins.
				timer.refresh();
			} else {
				resolve(name);
			}
		}, Math.max(0, left)).unref();
		return timer;
	});
	signal?.addEventListener('abort', abort, {once: true});
	if (signal?.aborted) {
		abort();
	}

	try {
		return await Promise.race([pending, promise]);
	} finally {
		for (const timer of timers) {
			clearTimeout(timer);
		}

		signal?.removeEventListener('abort', abort);
	}
}

/**
Shortens a timeout by the time for which a request has waited. Got 15 starts its timeouts with the `ClientRequest`; Got 16 starts them before, by itself.

@param waited - Milliseconds.
*/
export function shortenTimeout(options: Options, waited: number, name: Limit = 'request'): void {
	const timeout = options.timeout as Timeouts;
	const limit = timeout[name];
	if (limit === undefined) {
		return;
	}

	timeout[name] = Math.max(1, limit - waited);
	// Got has read the timeout by then. A retry has the whole time again.
	setImmediate(() => {
		timeout[name] = limit;
	});
}

/** Makes the error of a shortened timeout name the caller's own limit. */
export function restoreTimeoutMessage(error: Error, timeout: Timeouts): void {
	const {event} = error as {readonly event?: Limit};
	const limit = isTimeout(error) ? timeout[event!] : undefined;
	if (limit !== undefined) {
		error.message = `Timeout awaiting '${event!}' for ${limit}ms`;
	}
}

/** Returns a substitute for a request that timed out before it was sent, on which Got raises its own timeout error. For `timeout.request`, Got 16 has raised it already, and destroys the substitute. */
export function timedOutRequest(options: Options, name: Limit): ClientRequest {
	const limit = (options.timeout as Timeouts)[name];
	if (name !== 'socket') {
		shortenTimeout(options, Infinity, name);
	}

	const request = new Writable({
		// Got destroys it.
		autoDestroy: false,
		write(_chunk, _encoding, callback) {
			callback();
		},
		destroy(error, callback) {
			if (error !== null) {
				restoreTimeoutMessage(error, {[name]: limit});
			}

			callback(error);
		},
		final(callback) {
			// Got starts `timeout.response` once everything is sent.
			if (name === 'response') {
				callback();
			}
		},
	});
	return Object.assign(request, {
		// It never gets a socket.
		setTimeout(_milliseconds: number, expire: () => void) {
			if (name === 'socket') {
				setImmediate(expire);
			}
		},
	}) as unknown as ClientRequest;
}
