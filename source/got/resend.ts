import type {ClientRequest} from 'node:http';
import {longestTimer} from '../maybe-promise.ts';
import {
	isClientRequest,
	requestFunctionOf,
	sentBody,
	type AttemptParts,
	type RequestResult,
} from './native-request.ts';

/** The milliseconds by which Got's own timers come before ours. */
const margin = 50;

type Former = {
	/** The request that Got knows of. */
	readonly first: ClientRequest;

	/** When Got began to count `timeout.request` for it, by `performance.now()`. */
	readonly start: number;

	/** Listens to the second request, before it is sent. */
	readonly listen: (second: ClientRequest) => void;
};

/**
Sends a request once more, without the conditions of the cache. The timeouts of the caller, which Got applies to the first request only, hold for the second one, too.
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

/** Destroys the second request when the time is over. Got 14 and 15 do so by themselves, since they destroy the first request and the second one with it; Got 16 does not, since the first request has ended. */
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
