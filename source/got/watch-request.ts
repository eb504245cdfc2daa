import type {EventEmitter} from 'node:events';
import type {ClientRequest, IncomingMessage} from 'node:http';
import type {MaybePromise} from '../maybe-promise.ts';
import {FailedResponse, type ServedResponse} from './served-response.ts';
import type {RequestResult} from './native-request.ts';

/**
Lets the cache see a request's response or failure before Got does, and put a stored response in its place. Where the request is sent once more, Got is told of what happens to the second one as if it happened to the first, the only one that Got knows of.
*/
export function watchRequest(request: ClientRequest, watcher: Watcher): Watched {
	return new WatchedRequest(request, watcher);
}

type Watcher = {
	/** Gives the response that Got gets in place of one: that one itself or a stored one; `undefined` where the request is to be sent once more. A promise may reject, but the function must not throw. */
	readonly respond: (response: IncomingMessage, request: ClientRequest) => MaybePromise<GivenResponse | undefined>;

	/** Sends the request once more; `listen` is called with the new request before that is sent. */
	readonly resend: (listen: (request: ClientRequest) => void) => Promise<RequestResult>;

	/** Called when the request is destroyed, with an error if it is by a timeout: nobody waits for it any more. */
	readonly giveUp: (error: Error | undefined) => void;

	/** Called when the request has ended without a response. */
	readonly close: () => void;

	/** Gives the response that Got gets in place of a failure, if any. It must not throw. */
	readonly fail: (error: unknown) => ServedResponse | undefined;
};

type Watched = {
	/** Whether somebody has destroyed the request. */
	readonly isDestroyed: boolean;
};

export type GivenResponse = IncomingMessage | ServedResponse;

class WatchedRequest implements Watched {
	readonly #request: ClientRequest;
	readonly #watcher: Watcher;

	/** The listeners of `close` that were there before Got's. */
	readonly #before: ReturnType<ClientRequest['rawListeners']>;
	#isSettled = false;
	#isGivenUp = false;
	#isDestroyed = false;
	#reason: Error | undefined;
	#isReplaced = false;
	#isResent = false;
	#second: ClientRequest | undefined;

	/** The response to the first request. */
	#unused: IncomingMessage | undefined;

	constructor(request: ClientRequest, watcher: Watcher) {
		this.#request = request;
		this.#watcher = watcher;

		// Whoever destroys a request without an error has given up on it: Got on abort, the user on `stream.destroy()`.
		const {destroy} = request;
		request.destroy = error => {
			this.#isGivenUp ||= error === undefined;
			this.#isDestroyed = true;
			this.#reason = error;
			watcher.giveUp(error);
			this.#second?.destroy(error);
			return destroy.call(request, error);
		};

		// An abort is followed by nothing else.
		request.once('close', () => {
			if (!this.#isSettled && !this.#isResent) {
				watcher.close();
			}
		});

		forgiveWrites(request, () => this.#isReplaced);
		this.#before = request.rawListeners('close');
		// Once the request is sent again, the second one fails with the same error.
		replaceEmit(request, (event, argument, emit) => (this.#isResent && event === 'error') || this.#handle(event, argument, emit));
	}

	get isDestroyed(): boolean {
		return this.#isDestroyed;
	}

	#handle(event: string | symbol, argument: unknown, emit: Emission): boolean {
		if (this.#isReplaced && (event === 'error' || event === 'close')) {
			return endReplaced(event, this.#request, this.#before);
		}

		if (this.#isSettled) {
			return emit();
		}

		if (event === 'response') {
			this.#isSettled = true;
			this.#unused ??= argument as IncomingMessage;
			const given = this.#watcher.respond(argument as IncomingMessage, this.#second ?? this.#request);
			if (given instanceof Promise) {
				void this.#giveLater(given, emit);
				return true;
			}

			return this.#give(given, emit);
		}

		if (event !== 'error' || this.#isGivenUp) {
			return emit();
		}

		this.#isSettled = true;
		const standIn = this.#watcher.fail(argument);
		if (standIn === undefined) {
			return this.#isResent ? tellFailure(argument as Error, emit) : emit();
		}

		this.#isReplaced = true;
		return emit('response', standIn);
	}

	#give(given: GivenResponse | undefined, emit: Emission): boolean {
		if (given === undefined) {
			void this.#resend(emit);
			return true;
		}

		// `destroyed` would not tell: Node.js sets it when the response has ended.
		return this.#isGivenUp || emit('response', given);
	}

	async #giveLater(pending: Promise<GivenResponse | undefined>, emit: Emission): Promise<void> {
		try {
			this.#give(await pending, emit);
		} catch (error) {
			tellFailure(error as Error, emit);
		}
	}

	/** Sends the request once more: from then on, Got is told of the second request in place of the first. */
	async #resend(emit: Emission): Promise<void> {
		this.#isSettled = false;
		this.#isResent = true;
		const tell = (event: 'response' | 'error', argument: unknown): void => {
			this.#handle(event, argument, (other = event, replacement = argument) => emit(other, replacement));
		};

		let result: RequestResult;
		try {
			result = await this.#watcher.resend(second => {
				this.#listen(second, tell);
			});
		} catch (error) {
			tell('error', error);
			this.#endUnsettled(tell);
			return;
		}

		if (result !== this.#second) {
			tell('response', result);
		}
	}

	#listen(second: ClientRequest, tell: (event: 'response' | 'error', argument: unknown) => void): void {
		this.#second = second;
		second.once('response', response => {
			tell('response', response);
		});
		second.on('error', error => {
			tell('error', error);
		});
		second.once('close', () => {
			this.#endUnsettled(tell);
		});
		if (this.#isDestroyed) {
			second.destroy(this.#reason);
		}
	}

	/** The second request has come to an end. */
	#endUnsettled(tell: (event: 'error', argument: unknown) => void): void {
		// Over HTTP/2, the first response has not been read yet.
		this.#unused?.resume();
		if (this.#isSettled) {
			return;
		}

		if (this.#isGivenUp) {
			this.#watcher.close();
		} else {
			tell('error', Object.assign(new Error('The server aborted pending request'), {code: 'ECONNRESET'}));
		}
	}
}

/** Got 15 and 16 ignore these errors where the request has had a response. */
const ignored = new Set<unknown>(['ECONNRESET', 'EPIPE']);

function tellFailure(error: Error, emit: Emission): boolean {
	const isHeard = emit('error', error);
	// Where Got does not ignore the error, it does not look at a response any more.
	return ignored.has((error as {readonly code?: unknown}).code) ? emit('response', new FailedResponse(error)) : isHeard;
}

/**
Keeps the end of a request from Got that a stored response has replaced: Got would take it for another failure. The listeners that were there before Got's are called, so that Node.js and agents give back what they hold for the request.
*/
function endReplaced(event: 'error' | 'close', request: ClientRequest, before: ReturnType<ClientRequest['rawListeners']>): boolean {
	if (event === 'close') {
		for (const listener of before) {
			listener.call(request);
		}
	}

	return true;
}

/**
Keeps the failure of a request that a stored response has replaced from the callbacks of `write` and `end`: by them, a stream of Got would end with an error after it was answered.
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

/**
Replaces the `emit` of an emitter: unlike a listener, the replacement sees each event first, and can change or drop it.

@param intercept - Gets the event, its first argument, and a function that emits it, or another event in its place.
@returns A function that puts the former `emit` back.
*/
export function replaceEmit(emitter: EventEmitter, intercept: (event: string | symbol, argument: unknown, emit: Emission) => boolean): () => void {
	const original = emitter.emit as Emit;
	const own = Object.getOwnPropertyDescriptor(emitter, 'emit');

	const emit: Emit = (event, ...arguments_) => intercept(event, arguments_[0], (replacedEvent, replacement) => replacedEvent === undefined
		? original.call(emitter, event, ...arguments_)
		: original.call(emitter, replacedEvent, replacement));

	// Not enumerable: code that copies the properties of a response must not copy this.
	Object.defineProperty(emitter, 'emit', {
		value: emit, configurable: true, writable: true, enumerable: false,
	});

	return () => {
		// Another replacement may have been made since, which calls this one.
		if (emitter.emit !== emit) {
			return;
		}

		if (own === undefined) {
			Reflect.deleteProperty(emitter, 'emit');
		} else {
			Object.defineProperty(emitter, 'emit', own);
		}
	};
}

/** Emits the event that was intercepted, or another one in its place. */
type Emission = (event?: string | symbol, argument?: unknown) => boolean;

type Emit = (event: string | symbol, ...arguments_: unknown[]) => boolean;
