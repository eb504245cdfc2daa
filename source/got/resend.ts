import type {ClientRequest} from 'node:http';
import {longestTimer} from '../maybe-promise.ts';
import {
	isClientRequest,
	requestFunctionOf,
	sentBody,
	type AttemptParts,
	type RequestResult,
} from './native-request.ts';

/** Milliseconds that Got's own timers have to fire before ours. */
const margin = 50;

type Former = {
	/** The request that Got knows of. */
	readonly first: ClientRequest;

	/** When it began to count `timeout.request`, by `performance.now()`. */
	readonly start: number;

	/** Listens to the second request, which is then sent. */
	readonly listen: (second: ClientRequest) => void;
};

/**
Sends a request once more, without the conditions of the cache, and keeps the limits of the caller that Got keeps on the first one.
*/
export async function resend({url, options}: AttemptParts, {first, start, listen}: Former): Promise<RequestResult> {
	const result = await requestFunctionOf(options)(url, options.createNativeRequestOptions());
	if (!isClientRequest(result)) {
		return result;
	}

	const {request: limit = Infinity, socket} = options.timeout;
	if (socket !== undefined && socket <= longestTimer) {
		result.setTimeout(socket, () => {
			first.emit('timeout');
		});
	}

	const left = start + limit - performance.now();
	if (left <= longestTimer) {
		endLate(result, left);
	}

	listen(result);
	result.end(sentBody(options));
	return result;
}

/** When the time is over, Got 14 and 15 destroy the first request, and this one with it. Got 16 waits for the end of the response, since the first request has ended. */
function endLate(request: ClientRequest, left: number): void {
	let timer = setTimeout(() => {
		// Where the process was busy, Got's timers are late, too.
		timer = setTimeout(() => {
			request.destroy();
		}, margin).unref();
	}, left).unref();
	request.once('close', () => {
		clearTimeout(timer);
	});
}
