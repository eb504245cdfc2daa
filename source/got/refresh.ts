import {ClientRequest} from 'node:http';
import {setImmediate as turn} from 'node:timers/promises';
import type {Options, Request} from 'got';
import type {Flight} from '../exchange/flight.ts';
import {learnRequestClass} from './got-copies.ts';
import type {ServedResponse} from './served-response.ts';

// How long a refresh may take where the user's `timeout.request` does not say.
const usualTimeout = 60_000;

const mark = Symbol('refresh');

/** The flight that a request refreshes for, if it is a refresh. */
export function refreshOf(options: Options): Flight | undefined {
	return (options.context as {[mark]?: Flight})[mark];
}

/**
Sends a request once more, for the cache alone, as the user's client would: with its hooks, retries and timeouts. Nobody waits for it, the process included.

It is a stream of Got's, which is neither parsed nor shown to `afterResponse`. Its signal is not the caller's, whose request may be over.

@param served - What the caller has instead.
@throws Where the request fails.
*/
export async function refresh(options: Options, served: ServedResponse, flight: Flight): Promise<void> {
	// Got says whose response it is when it has it.
	await turn();
	const userRequest = learnRequestClass(options, served as {request?: Request});
	if (userRequest === undefined) {
		return;
	}

	const request = Reflect.construct<[undefined, undefined, Options], Request>(userRequest, [undefined, undefined, options]);
	Object.assign(request.options, {
		isStream: true,
		signal: undefined,
		followRedirect: false,
		context: {...options.context, [mark]: flight},
	});
	const state: State = {current: request};
	const giveUp = (): void => {
		state.current.destroy(new Error(`The refresh took longer than ${usualTimeout} ms`));
	};

	const limit = options.timeout.request === undefined ? setTimeout(giveUp, usualTimeout).unref() : undefined;
	try {
		await drain(request, state);
	} finally {
		clearTimeout(limit);
	}
}

/** The attempt that runs. */
type State = {current: Request};

async function drain(request: Request, state: State): Promise<void> {
	state.current = request;
	request.on('request', native => {
		// Sockets of other kinds may be shared with requests that somebody waits for.
		if (native instanceof ClientRequest) {
			native.once('socket', socket => {
				socket.unref?.();
			});
		}
	});
	return new Promise((resolve, reject) => {
		let isRetried = false;
		request.once('retry', (_count: number, _error: unknown, createRetryStream: () => Request) => {
			isRetried = true;
			resolve(drain(createRetryStream(), state));
		});
		request.on('error', error => {
			reject(error);
		});
		request.once('close', () => {
			if (!isRetried) {
				resolve();
			}
		});
		request.once('end', resolve);
		request.resume();
		void request.flush();
	});
}
