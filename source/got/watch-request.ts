import type {ClientRequest, IncomingMessage} from 'node:http';
import {replaceEmit} from './replace-emit.ts';
import type {ServedResponse} from './served-response.ts';

export type GivenResponse = IncomingMessage | ServedResponse;

export type Watcher = {
	/** What takes the place of the origin's response: it, a stored one, or another that is waited for. Only what is waited for may fail. */
	readonly respond: (response: IncomingMessage) => GivenResponse | Promise<GivenResponse>;

	/** The request is destroyed, with an error where that is of a timeout: nothing is waited for any more. */
	readonly giveUp: (error: Error | undefined) => void;

	/** It has come to an end without a response. */
	readonly close: () => void;

	/** What takes the place of a failure, if anything. Must not fail. */
	readonly fail: (error: unknown) => ServedResponse | undefined;
};

export type Watched = {
	/** Whether somebody has destroyed the request. */
	readonly isDestroyed: boolean;
};

/**
Lets the cache see a request's response or failure before Got does, and put a stored response in its place.
*/
export function watchRequest(request: ClientRequest, {respond, fail, giveUp, close}: Watcher): Watched {
	let isSettled = false;
	let isGivenUp = false;
	const watched = {isDestroyed: false};

	// Whoever destroys a request without an error has given up on it: Got on abort, the user on `stream.destroy()`.
	const {destroy} = request;
	request.destroy = error => {
		isGivenUp ||= error === undefined;
		watched.isDestroyed = true;
		giveUp(error);
		return destroy.call(request, error);
	};

	// An abort is followed by nothing else.
	request.once('close', () => {
		if (!isSettled) {
			close();
		}
	});

	let isReplaced = false;
	forgiveWrites(request, () => isReplaced);
	const before = request.rawListeners('close');
	replaceEmit(request, (event, argument, emit) => {
		if (isReplaced && (event === 'error' || event === 'close')) {
			return endReplaced(event, request, before);
		}

		if (isSettled) {
			return emit();
		}

		if (event === 'response') {
			isSettled = true;
			const given = respond(argument as IncomingMessage);
			if (given instanceof Promise) {
				// Node.js marks the request as destroyed when its response has ended: that it still is wanted, nobody has denied.
				void emitLater(request, given, response => isGivenUp || emit('response', response));
				return true;
			}

			return emit('response', given);
		}

		if (event !== 'error' || isGivenUp) {
			return emit();
		}

		isSettled = true;
		const standIn = fail(argument);
		if (standIn === undefined) {
			return emit();
		}

		isReplaced = true;
		return emit('response', standIn);
	});
	return watched;
}

/**
The failure is over with the stored response: Got, which would take the end of the request for another failure, is not told of it. Whoever listened before Got did is: what Node.js and agents hold for the request is given back.
*/
function endReplaced(event: 'error' | 'close', request: ClientRequest, before: ReturnType<ClientRequest['rawListeners']>): boolean {
	if (event === 'close') {
		for (const listener of before) {
			listener.call(request);
		}
	}

	return true;
}

async function emitLater(request: ClientRequest, pending: Promise<GivenResponse>, emit: (response: GivenResponse) => boolean): Promise<void> {
	try {
		emit(await pending);
	} catch (error) {
		// Got takes no reset for a failure where there was a response; of the one that was, it knows nothing.
		Object.assign(request, {res: undefined});
		request.emit('error', error);
	}
}

/**
Whoever waits for a write or for the end of the request is told of the failure, too, when the socket closes: a stream of Got's would end with an error after it was answered.
*/
function forgiveWrites(request: ClientRequest, isForgiven: () => boolean): void {
	const forgiving = (argument: unknown): unknown => typeof argument === 'function'
		? (error?: Error | null) => {
			(argument as (error?: Error | null) => void)(isForgiven() ? undefined : error);
		}
		: argument;

	for (const name of ['write', 'end'] as const) {
		const original = request[name] as (...arguments_: unknown[]) => unknown;
		Object.assign(request, {[name]: (...arguments_: unknown[]) => original.apply(request, arguments_.map(argument => forgiving(argument)))});
	}
}
