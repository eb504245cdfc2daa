import type {EventEmitter} from 'node:events';
import type {ClientRequest, IncomingMessage} from 'node:http';
import type {MaybePromise} from '../maybe-promise.ts';
import {FailedResponse, type ServedResponse} from './served-response.ts';
import type {RequestResult} from './native-request.ts';

/** What the watcher of a request does. */
export type Watcher = {
	/** Returns the response for Got: the given one or a stored one; `undefined` to send the request once more. A promise may reject, but the function must not throw. */
	readonly respond: (response: IncomingMessage, request: ClientRequest) => MaybePromise<GivenResponse | undefined>;

	/** Sends the request once more, and calls `listen` with the new request before that is sent. */
	readonly resend: (listen: (request: ClientRequest) => void) => Promise<RequestResult>;

	/** Called when the request is destroyed, with an error if a timeout destroys it. */
	readonly onDestroy: (error: Error | undefined) => void;

	/** Called when the request closes without a response. */
	readonly close: () => void;

	/** Returns the response for Got instead of an error, if there is one. It must not throw. */
	readonly fail: (error: unknown) => ServedResponse | undefined;
};

export type GivenResponse = IncomingMessage | ServedResponse;

/** Lets the cache see the response or the error of a request before Got does, and replace it by a stored response. If the request is sent once more, emits the events of the second request on the first one, the only one that Got has. */
export class WatchedRequest {
	readonly #request: ClientRequest;
	readonly #watcher: Watcher;

	/** The listeners of `close` that were added before Got's. */
	readonly #closeListeners: ReturnType<ClientRequest['rawListeners']>;

	/** Undoes what was replaced on the request. */
	readonly #restore: () => void;
	#isSettled = false;
	#isGivenUp = false;
	#isDestroyed = false;
	#reason: Error | undefined;
	#isReplaced = false;
	#isResent = false;
	#second: ClientRequest | undefined;

	/** The response to the first request. */
	#firstResponse: IncomingMessage | undefined;

	constructor(request: ClientRequest, watcher: Watcher) {
		this.#request = request;
		this.#watcher = watcher;

		// A request is destroyed without an error if the caller gives up: by Got on abort, by the user with `stream.destroy()`.
		const {destroy} = request;
		const restoreDestroy = replaceMethod(request, 'destroy', (error?: Error): ClientRequest => {
			this.#isGivenUp ||= error === undefined;
			this.#isDestroyed = true;
			this.#reason = error;
			watcher.onDestroy(error);
			this.#second?.destroy(error);
			return destroy.call(request, error);
		});
		const restoreWrites = ignoreWriteErrors(request, () => this.#isReplaced);
		this.#closeListeners = request.rawListeners('close');
		// Once the request is sent again, the second one emits the same error.
		const restoreEmit = replaceEmit(request, handledEvents, (event, parameters, emit) => (this.#isResent && event === 'error') || this.#handle(event, parameters, emit));
		const restore = (): void => {
			restoreEmit();
			restoreWrites();
			restoreDestroy();
		};

		this.#restore = restore;
	}

	/** Whether Got or the caller has destroyed the request. */
	get isDestroyed(): boolean {
		return this.#isDestroyed;
	}

	#handle(event: string | symbol, parameters: readonly unknown[], emit: Emit): boolean {
		if (this.#isReplaced && (event === 'error' || event === 'close')) {
			return endReplaced(event, this.#request, this.#closeListeners);
		}

		if (this.#isSettled) {
			// Got keeps the request, which would keep the whole exchange in memory. While the body is read, whether the caller gives up still counts.
			if (event === 'close' && !this.#isResent && this.#firstResponse?.readableEnded === true) {
				this.#restore();
			}

			return emit(event, ...parameters);
		}

		if (event === 'close' && !this.#isResent) {
			// After an abort, no other event follows.
			this.#watcher.close();
			return emit(event, ...parameters);
		}

		if (event === 'response') {
			const response = parameters[0] as IncomingMessage;
			this.#isSettled = true;
			this.#firstResponse ??= response;
			const given = this.#watcher.respond(response, this.#second ?? this.#request);
			if (given instanceof Promise) {
				void this.#giveLater(given, emit);
				return true;
			}

			return this.#give(given, emit);
		}

		if (event !== 'error' || this.#isGivenUp) {
			return emit(event, ...parameters);
		}

		this.#isSettled = true;
		const replacement = this.#watcher.fail(parameters[0]);
		if (replacement === undefined) {
			return this.#isResent ? emitFailure(parameters[0] as Error, emit) : emit(event, ...parameters);
		}

		this.#isReplaced = true;
		return emit('response', replacement);
	}

	#give(given: GivenResponse | undefined, emit: Emit): boolean {
		if (given === undefined) {
			void this.#resend(emit);
			return true;
		}

		// Node.js sets `destroyed` when the response has ended, so that it does not show whether the caller has given up.
		return this.#isGivenUp || emit('response', given);
	}

	async #giveLater(pending: Promise<GivenResponse | undefined>, emit: Emit): Promise<void> {
		try {
			this.#give(await pending, emit);
		} catch (error) {
			emitFailure(error as Error, emit);
		}
	}

	/** Sends the request once more. From now on, Got gets the events of the second request. */
	async #resend(emit: Emit): Promise<void> {
		this.#isSettled = false;
		this.#isResent = true;
		const forward = (event: 'response' | 'error', argument: unknown): void => {
			this.#handle(event, [argument], emit);
		};

		let result: RequestResult;
		try {
			result = await this.#watcher.resend(second => {
				this.#listen(second, forward);
			});
		} catch (error) {
			forward('error', error);
			this.#endUnsettled(forward);
			return;
		}

		if (result !== this.#second) {
			forward('response', result);
		}
	}

	#listen(second: ClientRequest, forward: (event: 'response' | 'error', argument: unknown) => void): void {
		this.#second = second;
		second.once('response', response => {
			forward('response', response);
		});
		second.on('error', error => {
			forward('error', error);
		});
		second.once('close', () => {
			this.#endUnsettled(forward);
		});
		if (this.#isDestroyed) {
			second.destroy(this.#reason);
		}
	}

	/** Reports that the second request has closed without a response. */
	#endUnsettled(forward: (event: 'error', argument: unknown) => void): void {
		// Over HTTP/2, the first response has not been read yet.
		this.#firstResponse?.resume();
		if (this.#isSettled) {
			return;
		}

		if (this.#isGivenUp) {
			this.#watcher.close();
		} else {
			forward('error', Object.assign(new Error('The server aborted pending request'), {code: 'ECONNRESET'}));
		}
	}
}

const handledEvents: ReadonlySet<string | symbol> = new Set(['response', 'error', 'close']);

/** The error codes that Got 15 and 16 ignore if the request has had a response. */
const ignoredCodes = new Set<unknown>(['ECONNRESET', 'EPIPE']);

function emitFailure(error: Error, emit: Emit): boolean {
	const hasListeners = emit('error', error);
	// If Got does not ignore the error, it ignores this response.
	return ignoredCodes.has((error as {readonly code?: unknown}).code) ? emit('response', new FailedResponse(error)) : hasListeners;
}

/** Hides the end of a request from Got after a stored response has replaced its error: Got would treat it as another failure. Calls the listeners that were added before Got's, with which Node.js and agents release their resources. */
function endReplaced(event: 'error' | 'close', request: ClientRequest, closeListeners: ReturnType<ClientRequest['rawListeners']>): boolean {
	if (event === 'close') {
		for (const listener of closeListeners) {
			listener.call(request);
		}
	}

	return true;
}

/** Hides errors from the callbacks of `write` and `end` after a stored response has replaced them: a stream of Got would otherwise end with an error. Returns a function that restores both. */
function ignoreWriteErrors(request: ClientRequest, isReplaced: () => boolean): () => void {
	const {write, end} = request as {readonly write: Write; readonly end: Write};
	const call = (original: Write, parameters: unknown[]): unknown => {
		const index = parameters.findIndex(parameter => typeof parameter === 'function');
		if (index !== -1) {
			const callback = parameters[index] as (error?: Error | null) => void;
			const ignoring = (error?: Error | null): void => {
				callback(isReplaced() ? undefined : error);
			};

			parameters[index] = ignoring;
		}

		return original.apply(request, parameters);
	};

	const own = request as {write: Write; end: Write};
	const restoreWrite = replaceMethod(own, 'write', (...parameters) => call(write, parameters));
	const restoreEnd = replaceMethod(own, 'end', (...parameters) => call(end, parameters));
	return () => {
		restoreWrite();
		restoreEnd();
	};
}

type Write = (...parameters: unknown[]) => unknown;

/**
Replaces the `emit` of an emitter. Unlike a listener, the replacement sees each event first, and can change or drop it.

@param events - The events that are intercepted.
@param intercept - Called with the event, its parameters, and the previous `emit`, to emit this event or another one instead.
@returns A function that restores the previous `emit`.
*/
export function replaceEmit(emitter: EventEmitter, events: ReadonlySet<string | symbol>, intercept: (event: string | symbol, parameters: readonly unknown[], emit: Emit) => boolean): () => void {
	const original = emitter.emit as Emit;
	const emitOriginal: Emit = (event, ...parameters) => original.call(emitter, event, ...parameters);
	const emit: Emit = (event, ...parameters) => events.has(event)
		? intercept(event, parameters, emitOriginal)
		: original.call(emitter, event, ...parameters);

	return replaceMethod(emitter as {emit: Emit}, 'emit', emit);
}

/**
Replaces a method of one object.

@returns A function that restores the previous method, as an own property: to delete the property would make the object slow, and four times as large.
*/
function replaceMethod<Name extends string, Target extends Record<Name, unknown>>(target: Target, name: Name, replacement: Target[Name]): () => void {
	const original = target[name];
	// Code that copies the enumerable properties of a response must not copy this one.
	Object.defineProperty(target, name, {
		value: replacement, configurable: true, writable: true, enumerable: false,
	});

	return () => {
		// A later replacement may call this one.
		if (target[name] === replacement) {
			target[name] = original;
		}
	};
}

/** Emits an event. */
export type Emit = (event: string | symbol, ...parameters: readonly unknown[]) => boolean;
