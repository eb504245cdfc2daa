import {Writable} from 'node:stream';
import type {ClientRequest} from 'node:http';
import type {Options} from 'got';

type Timeouts = {request?: number | undefined};

/**
Leaves a request the rest of its time: Got 15 begins to count when there is a `ClientRequest`, while this one has waited for another. Got 16 counts from the start, and by itself.

@param waited - Milliseconds.
*/
export function shortenTimeout(options: Options, waited: number): void {
	const timeout = options.timeout as Timeouts;
	const limit = timeout.request;
	if (limit === undefined) {
		return;
	}

	timeout.request = Math.max(1, limit - waited);
	// Got has read it by then; a retry has all of its time again.
	setImmediate(() => {
		timeout.request = limit;
	});
}

/**
A request that was never sent, since its time was over before it could be: Got 15 makes the error of that itself, and knows only `ClientRequest`s. Got 16 has given up by now, and destroys it.
*/
export function lateRequest(options: Options): ClientRequest {
	const limit = options.timeout.request!;
	shortenTimeout(options, limit);
	const request = new Writable({
		write(_chunk, _encoding, callback) {
			callback();
		},
		destroy(error, callback) {
			if (error !== null) {
				error.message = `Timeout awaiting 'request' for ${limit}ms`;
			}

			callback(error);
		},
		// Its socket never comes.
		final() {}, // eslint-disable-line @typescript-eslint/no-empty-function
	});
	return Object.assign(request, {setTimeout() {}}) as unknown as ClientRequest; // eslint-disable-line @typescript-eslint/no-empty-function
}
