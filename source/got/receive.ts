import {Buffer} from 'node:buffer';
import {STATUS_CODES, type ClientRequest, type IncomingMessage} from 'node:http';
import type {Exchange, Action} from '../exchange/exchange.ts';
import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import {appendMember} from '../policy/fields.ts';
import {contentLength} from '../policy/response-facts.ts';
import type {WriteReason} from '../policy/types.ts';
import {ServedResponse} from './served-response.ts';
import {replaceEmit} from './watch-request.ts';

/** Reports a response to an exchange, and returns the response for the caller. */
export function receive(response: IncomingMessage, exchange: Exchange, options: ReceiveOptions): MaybePromise<Received> {
	const head = {
		statusCode: response.statusCode!,
		statusMessage: messageOf(response),
		rawHeaders: response.rawHeaders ?? toRawHeaders(response.headers),
	};
	const action = recover(() => exchange.next({type: 'response', head, mayRetry: options.mayRetry}), error => {
		discard(response);
		throw error;
	});
	return then(action, next => answer(next, response, exchange, options));
}

type Received = {
	/** The response, whose body is being copied, or a stored one instead; `undefined` if the request must be sent once more. */
	readonly given: IncomingMessage | ServedResponse | undefined;
	readonly awaitsRetries: boolean;
};

type ReceiveOptions = {
	readonly mayRetry: boolean;

	/** The request of the response, if Got sends it and listens to its errors. */
	readonly request?: ClientRequest | undefined;

	/** Returns whether the caller has given up, so that an incomplete body is no fault of the origin. */
	readonly isGivenUp: () => boolean;
};

/** Returns the status message as in Got: HTTP/2 has none, and HTTP/1.1 may have an empty one. */
function messageOf({statusCode, statusMessage}: IncomingMessage): string {
	return statusMessage === undefined || statusMessage === '' ? STATUS_CODES[statusCode!] ?? '' : statusMessage;
}

function toRawHeaders(headers: IncomingMessage['headers']): string[] {
	return Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().flatMap(line => [name, line]));
}

function answer(action: Action, response: IncomingMessage, exchange: Exchange, {request, isGivenUp}: ReceiveOptions): Received {
	if (action.do === 'resend') {
		discard(response, response.httpVersionMajor !== 2);
		return {given: undefined, awaitsRetries: false};
	}

	if (action.do === 'serve') {
		discard(response);
		return {given: new ServedResponse(action.response), awaitsRetries: false};
	}

	if (action.do !== 'pass') {
		throw new Error(`A response cannot be answered with \`${action.do}\`.`);
	}

	addCacheStatus(response, action.status);
	if (action.collects) {
		collectBody(response, request, exchange.settings.maxEntryBytes, {
			awaitsEnd: exchange.settings.failFast,
			end: body => then(exchange.next({type: 'end', body}), () => undefined),
			discard(reason) {
				void exchange.next({type: 'discarded', reason, isByCaller: isGivenUp()});
			},
			progress(bytes) {
				exchange.progress(bytes);
			},
		});
	}

	return {given: response, awaitsRetries: action.awaitsRetries};
}

/** Reads an unwanted response to its end, so that its connection can be used again. Over HTTP/2, a response whose request is sent once more is not read: the request would destroy itself, as if the caller had given up, and it has no connection of its own. */
function discard(response: IncomingMessage, isRead = true): void {
	response.once('error', () => {}); // eslint-disable-line @typescript-eslint/no-empty-function
	if (isRead) {
		response.resume();
	}
}

/** Adds the member of this cache to the `Cache-Status` of the origin's response. */
function addCacheStatus(response: IncomingMessage, status: string | undefined): void {
	if (status === undefined) {
		return;
	}

	const existing = response.headers['cache-status'];
	response.headers['cache-status'] = appendMember(Array.isArray(existing) ? existing.join(', ') : existing, status);
	// The response of a user's request function may have no `rawHeaders`.
	(response.rawHeaders as string[] | undefined)?.push('Cache-Status', status);
}

/**
Copies a body while the caller reads it. Neither starts nor delays the stream.

@param request - The request of the response. Over HTTP/2, Got 16 emits only an error of the request when a body is cut off.
@param limit - The maximum number of bytes to copy.
*/
function collectBody(response: IncomingMessage, request: ClientRequest | undefined, limit: number, {awaitsEnd, end, discard: onDiscard, progress}: Collector): void {
	let body = new BodyCopy(contentLength(response.headers));
	let isOver = false;

	const finish = (): void => {
		isOver = true;
		restore();
		request?.off('error', fail);
	};

	const stop = (reason: WriteReason): void => {
		finish();
		body = new BodyCopy(undefined);
		onDiscard(reason);
	};

	const fail = (): void => {
		stop('incomplete');
	};

	const copy = (chunk: unknown): void => {
		// A string has been decoded: the bytes are lost.
		if (typeof chunk === 'string') {
			stop('incomplete');
			return;
		}

		const bytes = chunk as Uint8Array;
		if (body.byteLength + bytes.byteLength > limit) {
			stop('too-large');
			return;
		}

		progress(bytes.byteLength);
		body.add(bytes);
	};

	const complete = (): MaybePromise<void> => {
		if (isOver) {
			return undefined;
		}

		if (!response.complete || isReset(response)) {
			stop('incomplete');
			return undefined;
		}

		finish();
		return end(body.take());
	};

	const restore = replaceEmit(response, bodyEvents, (event, argument, emit) => {
		if (isOver) {
			return emit();
		}

		if (event === 'data') {
			copy(argument);
		} else if (event === 'end' && awaitsEnd && response.complete) {
			void emitAfter(complete, emit, request);
			return true;
		} else if (event === 'end') {
			// The responses of http2-wrapper (Got 15) become complete in a listener of this event.
			const hasListeners = emit();
			// Nobody waits for the write, nor for its fault.
			void recover(complete, () => undefined);
			return hasListeners;
		} else {
			stop('incomplete');
		}

		return emit();
	});
	request?.on('error', fail);
}

const bodyEvents: ReadonlySet<string | symbol> = new Set(['data', 'end', 'aborted', 'error', 'close']);

type Collector = {
	/** Whether the reader gets the `end` event only when `end` has resolved, and an error if it rejects. Over HTTP/2, Got 14 and 15 end the body at once. */
	readonly awaitsEnd: boolean;

	/** Called when the body has ended, whole as far as the connection can know. */
	readonly end: (body: Uint8Array) => MaybePromise<void>;

	/** Called with the reason if the body is not to be stored. */
	readonly discard: (reason: WriteReason) => void;

	/** Called with the size of each chunk. */
	readonly progress: (bytes: number) => void;
};

async function emitAfter(action: () => MaybePromise<void>, emit: (event?: string, argument?: unknown) => boolean, request: ClientRequest | undefined): Promise<void> {
	try {
		await action();
	} catch (error) {
		// An error of the response itself would not reach the reader of the decoded body.
		if (request === undefined) {
			emit('error', error);
		} else {
			request.emit('error', error);
		}

		return;
	}

	emit();
}

/** How many times the bytes that have arrived may be reserved: an origin may announce more than it sends. */
const maxReserve = 64;

/** A copy of a body that arrives in chunks, which its reader may change. If the length is announced, the chunks are copied only once, into one buffer. */
export class BodyCopy {
	readonly #announced: number;

	/** The buffer for the whole body; `undefined` if its length is unknown, or little of it has arrived. */
	#whole: Uint8Array | undefined;

	/** The chunks, while there is no buffer for the whole body. */
	#chunks: Uint8Array[] = [];
	#byteLength = 0;

	/**
	Creates an empty copy.

	@param announced - The number of bytes that the body should have. Default: unknown.
	*/
	constructor(announced: number | undefined) {
		this.#announced = announced ?? NaN;
	}

	get byteLength(): number {
		return this.#byteLength;
	}

	add(chunk: Uint8Array): void {
		const position = this.#byteLength;
		this.#byteLength += chunk.byteLength;
		if (this.#byteLength > this.#announced && this.#whole !== undefined) {
			this.#chunks = [this.#whole.subarray(0, position)];
			this.#whole = undefined;
		} else if (this.#byteLength <= this.#announced && this.#announced <= maxReserve * this.#byteLength) {
			this.#whole ??= concatenate(this.#chunks, this.#announced);
			this.#chunks = [];
			this.#whole.set(chunk, position);
			return;
		}

		this.#chunks.push(concatenate([chunk], chunk.byteLength));
	}

	/** Returns the copy. */
	take(): Uint8Array {
		const parts = this.#whole === undefined ? this.#chunks : [this.#whole.subarray(0, this.#byteLength)];
		const [first] = parts;
		return parts.length === 1 && first!.buffer.byteLength === first!.byteLength ? first! : concatenate(parts, this.#byteLength);
	}
}

// `Buffer.concat` would return a slice of a pool, and keep the whole pool in memory for as long as the stored response.
function concatenate(chunks: readonly Uint8Array[], size: number): Uint8Array {
	const body = Buffer.allocUnsafeSlow(size);
	let position = 0;
	for (const chunk of chunks) {
		body.set(chunk, position);
		position += chunk.byteLength;
	}

	return body;
}

/** Returns whether an HTTP/2 stream was reset: http2-wrapper (Got 15) ends a body that was cut off like any other. */
function isReset(response: IncomingMessage): boolean {
	const {req} = response as {req?: {_request?: {rstCode?: number}}};
	return (req?._request?.rstCode ?? 0) !== 0;
}
