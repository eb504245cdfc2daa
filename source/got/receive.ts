import {Buffer} from 'node:buffer';
import {STATUS_CODES, type ClientRequest, type IncomingMessage} from 'node:http';
import type {Action, Exchange, StatusWatcher} from '../exchange/exchange.ts';
import type {MaybePromise} from '../maybe-promise.ts';
import {appendMember} from '../policy/fields.ts';
import type {Body} from '../entry/stored-response.ts';
import {contentLength} from '../policy/response-facts.ts';
import type {WriteReason} from '../policy/types.ts';
import {ServedResponse} from './served-response.ts';
import {replaceEmit, type Emit} from './watch-request.ts';

/** Reports a response to an exchange, and returns the response for the caller. */
export function receive(response: IncomingMessage, exchange: Exchange, options: ReceiveOptions): MaybePromise<Received> {
	const head = {
		statusCode: response.statusCode!,
		statusMessage: messageOf(response),
		rawHeaders: response.rawHeaders ?? toRawHeaders(response.headers),
	};
	let action: MaybePromise<Action>;
	try {
		action = exchange.next({type: 'response', head, mayRetry: options.mayRetry});
	} catch (error) {
		discard(response);
		throw error;
	}

	return action instanceof Promise ? answerLater(action, response, exchange, options) : answer(action, response, exchange, options);
}

async function answerLater(pending: Promise<Action>, response: IncomingMessage, exchange: Exchange, options: ReceiveOptions): Promise<Received> {
	let action: Action;
	try {
		action = await pending;
	} catch (error) {
		discard(response);
		throw error;
	}

	return answer(action, response, exchange, options);
}

export type Received = {
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

function answer(action: Action, response: IncomingMessage, exchange: Exchange, options: ReceiveOptions): Received {
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
		new BodyCollector(response, exchange, options).start(action.status);
	}

	return {given: response, awaitsRetries: action.awaitsRetries};
}

/** Reads an unwanted response to its end, so that its connection can be used again. Over HTTP/2, a response whose request is sent once more is not read: the request would destroy itself, as if the caller had given up, and it has no connection of its own. */
function discard(response: IncomingMessage, isRead = true): void {
	response.on('error', ignoreError);
	if (isRead) {
		response.resume();
	}
}

function ignoreError(): void {} // eslint-disable-line @typescript-eslint/no-empty-function

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

const bodyEvents: ReadonlySet<string | symbol> = new Set(['data', 'end', 'aborted', 'error', 'close']);

/** Replaces the member of this cache in `Cache-Status`, unless the caller has changed the headers. */
function replaceCacheStatus({headers, rawHeaders}: IncomingMessage, old: string, status: string): void {
	const field = headers['cache-status'];
	if (typeof field === 'string' && field.endsWith(old)) {
		headers['cache-status'] = field.slice(0, -old.length) + status;
	}

	const index = (rawHeaders as string[] | undefined)?.lastIndexOf(old) ?? -1;
	if (index !== -1) {
		rawHeaders[index] = status;
	}
}

/** Copies the body of a response for an exchange while the caller reads it. Neither starts nor delays the stream. */
class BodyCollector implements StatusWatcher {
	readonly #response: IncomingMessage;
	readonly #exchange: Exchange;
	readonly #options: ReceiveOptions;

	/** The member of `Cache-Status` that the response has. */
	#status: string | undefined;
	#body: BodyCopy;
	#isOver = false;
	#restore: (() => void) | undefined;
	#fail: (() => void) | undefined;

	constructor(response: IncomingMessage, exchange: Exchange, options: ReceiveOptions) {
		this.#response = response;
		this.#exchange = exchange;
		this.#options = options;
		this.#body = new BodyCopy(contentLength(response.headers));
	}

	start(status: string | undefined): void {
		this.#status = status;
		this.#exchange.watchStatus(this);
		this.#restore = replaceEmit(this.#response, bodyEvents, (event, parameters, emit) => this.#handle(event, parameters, emit));
		if (this.#options.request === undefined) {
			return;
		}

		const fail = (): void => {
			this.#stop('incomplete');
		};

		// Over HTTP/2, Got 16 emits only an error of the request when a body is cut off.
		this.#fail = fail;
		this.#options.request.on('error', fail);
	}

	replaceStatus(status: string | undefined): void {
		if (status === undefined || this.#status === undefined) {
			return;
		}

		replaceCacheStatus(this.#response, this.#status, status);
		this.#status = status;
	}

	#handle(event: string | symbol, parameters: readonly unknown[], emit: Emit): boolean {
		if (this.#isOver) {
			return emit(event, ...parameters);
		}

		if (event === 'data') {
			this.#copy(parameters[0]);
			return emit(event, ...parameters);
		}

		if (event !== 'end') {
			this.#stop('incomplete');
			return emit(event, ...parameters);
		}

		// With `failFast`, the reader gets the `end` event only when everything is written, and an error if that fails. Over HTTP/2, Got 14 and 15 end the body at once.
		if (this.#exchange.settings.failFast && this.#response.complete) {
			void emitAfter(() => this.#complete(), emit, this.#options.request);
			return true;
		}

		// The responses of http2-wrapper (Got 15) become complete in a listener of this event.
		const hasListeners = emit('end');
		this.#completeQuietly();
		return hasListeners;
	}

	#copy(chunk: unknown): void {
		// A string has been decoded: the bytes are lost.
		if (typeof chunk === 'string') {
			this.#stop('incomplete');
			return;
		}

		const bytes = chunk as Uint8Array;
		if (this.#body.byteLength + bytes.byteLength > this.#exchange.settings.maxEntryBytes) {
			this.#stop('too-large');
			return;
		}

		this.#exchange.progress(bytes.byteLength);
		this.#body.add(bytes);
	}

	/** Reports the end. Nobody waits for the write, nor for its fault. */
	#completeQuietly(): void {
		try {
			const writing = this.#complete();
			if (writing instanceof Promise) {
				writing.catch(() => undefined);
			}
		} catch {}
	}

	#complete(): MaybePromise<unknown> {
		if (this.#isOver) {
			return undefined;
		}

		if (!this.#response.complete || isReset(this.#response)) {
			this.#stop('incomplete');
			return undefined;
		}

		this.#finish();
		return this.#exchange.next({type: 'end', body: this.#body.take()});
	}

	#stop(reason: WriteReason): void {
		this.#finish();
		this.#body = new BodyCopy(undefined);
		void this.#exchange.next({type: 'discarded', reason, isByCaller: this.#options.isGivenUp()});
	}

	#finish(): void {
		this.#isOver = true;
		this.#restore?.();
		if (this.#fail !== undefined) {
			this.#options.request?.off('error', this.#fail);
		}
	}
}

async function emitAfter(action: () => MaybePromise<unknown>, emit: Emit, request: ClientRequest | undefined): Promise<void> {
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

	emit('end');
}

/** The number of bytes of a part of a body. A smaller body has one part. */
const partSize = 1024 * 1024;

/** How many times the bytes that have arrived may be reserved: an origin may announce more than it sends. */
const maxReserve = 64;

/** A copy of a body that arrives in chunks, which its reader may change. If the length is announced, the chunks are copied only once. */
export class BodyCopy {
	readonly #announced: number;

	/** The parts that are full. */
	#full: Uint8Array[] = [];

	/** The part that is being filled, and how many of its bytes are. */
	#part: Uint8Array = noBytes;
	#filled = 0;
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
		this.#byteLength += chunk.byteLength;
		let rest = chunk;
		while (this.#filled + rest.byteLength > partSize) {
			const length = partSize - this.#filled;
			this.#fill(rest.subarray(0, length));
			rest = rest.subarray(length);
			this.#full.push(this.#part);
			this.#part = noBytes;
			this.#filled = 0;
		}

		this.#fill(rest);
	}

	/** Returns the copy, and keeps none. */
	take(): Body {
		const last = this.#filled === this.#part.byteLength ? this.#part : copied(this.#part.subarray(0, this.#filled), this.#filled);
		const parts = this.#full;
		this.#full = [];
		this.#part = noBytes;
		this.#filled = 0;
		return parts.length === 0 ? last : {parts: [...parts, last]};
	}

	/** Adds bytes to the current part. */
	#fill(bytes: Uint8Array): void {
		const length = this.#filled + bytes.byteLength;
		if (length > this.#part.byteLength) {
			this.#part = copied(this.#part.subarray(0, this.#filled), this.#capacity(length));
		}

		this.#part.set(bytes, this.#filled);
		this.#filled = length;
	}

	/** Returns how many bytes the current part gets, of which so many are needed now. */
	#capacity(needed: number): number {
		const announced = Math.min(this.#announced - (this.#full.length * partSize), partSize);
		if (announced >= needed && announced <= maxReserve * this.#byteLength) {
			return announced;
		}

		const {byteLength} = this.#part;
		// One chunk is often all of a body. Those of a longer one are not moved each time.
		return Math.min(Math.max(needed, byteLength === 0 ? this.#byteLength : 2 * byteLength), partSize);
	}
}

const noBytes = new Uint8Array(0);

/** Returns a copy of bytes with room for more. `Buffer.concat` would return a slice of a pool, and keep the whole pool in memory for as long as the stored response. */
function copied(bytes: Uint8Array, size: number): Uint8Array {
	const copy = Buffer.allocUnsafeSlow(size);
	copy.set(bytes);
	return copy;
}

/** Returns whether an HTTP/2 stream was reset: http2-wrapper (Got 15) ends a body that was cut off like any other. */
function isReset(response: IncomingMessage): boolean {
	const {req} = response as {req?: {_request?: {rstCode?: number}}};
	return (req?._request?.rstCode ?? 0) !== 0;
}
