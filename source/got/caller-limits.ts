import type {ClientRequest} from 'node:http';
import {Writable} from 'node:stream';
import type {Options} from 'got';
import {longestTimer} from '../maybe-promise.ts';
import {isTimeout} from './native-request.ts';

/** A limit of Got's that holds while a request waits for another one. */
type Limit = 'request' | 'response' | 'socket';

/** Why nobody waits any more: the caller's signal, or one of its timeouts. */
export type WaitEnd = 'aborted' | Limit;

type Timeouts = Partial<Record<Limit, number | undefined>>;

const limits: readonly Limit[] = ['request', 'response', 'socket'];

/**
What is waited for before a request may be sent, or why nobody waits any more: Got cannot cut off what has no `ClientRequest` yet.

`start` is when the wait began, by `performance.now()`. `hasResponse` says whether the response that is waited for has begun, so that `timeout.response` is kept, and `timeout.socket`.
*/
export async function withinLimits<Result>(pending: Promise<Result>, {signal, timeout}: Options, {start, hasResponse}: {readonly start: number; readonly hasResponse: () => boolean}): Promise<Result | WaitEnd> {
	const {promise, resolve} = Promise.withResolvers<WaitEnd>();
	const abort = (): void => {
		resolve('aborted');
	};

	const timers = limits.map(name => {
		const limit = (timeout as Timeouts)[name];
		if (limit === undefined || limit > longestTimer) {
			return undefined;
		}

		// Got 16 has a timer of its own for `timeout.request`, which is to be the first one.
		const left = Math.ceil(start + limit - performance.now()) + 1;
		const timer = setTimeout(() => {
			if (name !== 'request' && hasResponse()) {
				// Where that one fails, the response of the next one is waited for.
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
Leaves a request the rest of its time: Got 15 begins to count when there is a `ClientRequest`, while this one has waited for another. Got 16 counts from the start, and by itself.

@param waited - Milliseconds.
*/
export function shortenTimeout(options: Options, waited: number, name: Limit = 'request'): void {
	const timeout = options.timeout as Timeouts;
	const limit = timeout[name];
	if (limit === undefined) {
		return;
	}

	timeout[name] = Math.max(1, limit - waited);
	// Got has read it by then; a retry has all of its time again.
	setImmediate(() => {
		timeout[name] = limit;
	});
}

/** Lets the error of a timeout name the caller's own limit, of which the request had the rest. */
export function restoreTimeoutMessage(error: Error, timeout: Timeouts): void {
	const {event} = error as {readonly event?: Limit};
	const limit = isTimeout(error) ? timeout[event!] : undefined;
	if (limit !== undefined) {
		error.message = `Timeout awaiting '${event!}' for ${limit}ms`;
	}
}

/**
A request that was never sent, since its time was over before it could be: Got makes the error of that itself, and knows only `ClientRequest`s. Of `timeout.request`, Got 16 has told by now, and destroys it.
*/
export function timedOutRequest(options: Options, name: Limit): ClientRequest {
	const limit = (options.timeout as Timeouts)[name];
	if (name !== 'socket') {
		shortenTimeout(options, Infinity, name);
	}

	const request = new Writable({
		// It is Got that ends it.
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
			// Got waits for the response once everything is sent.
			if (name === 'response') {
				callback();
			}
		},
	});
	return Object.assign(request, {
		// Its socket never comes, and is silent.
		setTimeout(_milliseconds: number, expire: () => void) {
			if (name === 'socket') {
				setImmediate(expire);
			}
		},
	}) as unknown as ClientRequest;
}
