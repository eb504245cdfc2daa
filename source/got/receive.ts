import {Buffer} from 'node:buffer';
import {STATUS_CODES, type ClientRequest, type IncomingMessage} from 'node:http';
import type {Exchange, Action} from '../exchange/exchange.ts';
import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import {appendMember} from '../policy/fields.ts';
import type {WriteReason} from '../policy/types.ts';
import {ServedResponse} from './served-response.ts';
import {replaceEmit} from './watch-request.ts';

/** Tells an exchange of a response, and gives what the caller gets. */
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
	/** The response with its body being copied, or a stored one in its place; `undefined` where the request is to be sent once more. */
	readonly given: IncomingMessage | ServedResponse | undefined;
	readonly awaitsRetries: boolean;
};

type ReceiveOptions = {
	readonly mayRetry: boolean;

	/** The request of the response, if Got drives it and listens to its errors. */
	readonly request?: ClientRequest | undefined;

	/** Whether the caller has given the request up, so that the end of the body is no fault of the origin. */
	readonly isGivenUp: () => boolean;
};

/** The status message as Got gives it: HTTP/2 has none, and HTTP/1.1 may have an empty one. */
function messageOf({statusCode, statusMessage}: IncomingMessage): string {
	return statusMessage === undefined || statusMessage === '' ? STATUS_CODES[statusCode!] ?? '' : statusMessage;
}

function toRawHeaders(headers: IncomingMessage['headers']): string[] {
	return Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().flatMap(line => [name, line]));
}

function answer(action: Action, response: IncomingMessage, exchange: Exchange, {request, isGivenUp}: ReceiveOptions): Received {
	if (action.do === 'resend') {
		discardForNext(response);
		return {given: undefined, awaitsRetries: false};
	}

	if (action.do === 'serve') {
		discard(response);
		return {given: new ServedResponse(action.response), awaitsRetries: false};
	}

	if (action.do !== 'pass') {
		throw new Error(`A response cannot be answered with \`${action.do}\``);
	}

	tellStatus(response, action.status);
	if (action.collects) {
		collectBody(response, request, exchange.settings.maxEntryBytes, {
			awaitsEnd: exchange.settings.failFast,
			async end(body) {
				await exchange.next({type: 'end', body});
			},
			cut(reason) {
				void exchange.next({type: 'discarded', reason, isByCaller: isGivenUp()});
			},
			progress(bytes) {
				exchange.progress(bytes);
			},
		});
	}

	return {given: response, awaitsRetries: action.awaitsRetries};
}

/** Reads a response that nobody wants to its end, so that its connection is free again. */
function discard(response: IncomingMessage): void {
	response.once('error', () => {}); // eslint-disable-line @typescript-eslint/no-empty-function
	response.resume();
}

/** The same before the request is sent once more. Over HTTP/2 the response is not read: the request would destroy itself, which looks as if the caller had given it up, and it holds no connection of its own. */
function discardForNext(response: IncomingMessage): void {
	if (response.httpVersionMajor === 2) {
		response.once('error', () => {}); // eslint-disable-line @typescript-eslint/no-empty-function
	} else {
		discard(response);
	}
}

/** Adds the member of this cache to the `Cache-Status` of the origin's response. */
function tellStatus(response: IncomingMessage, status: string | undefined): void {
	if (status === undefined) {
		return;
	}

	const existing = response.headers['cache-status'];
	response.headers['cache-status'] = appendMember(Array.isArray(existing) ? existing.join(', ') : existing, status);
	// The response of a user's request function may have no `rawHeaders`.
	(response.rawHeaders as string[] | undefined)?.push('Cache-Status', status);
}

/**
Copies a body while somebody reads it. The copy neither starts the flow nor holds a chunk back, and costs nothing once it has been given up.

@param request - The request of the response: over HTTP/2, Got 16 emits an error only there when a body was cut off.
@param limit - The number of bytes after which the copy is given up.
*/
function collectBody(response: IncomingMessage, request: ClientRequest | undefined, limit: number, {awaitsEnd, end, cut, progress}: Collector): void {
	const chunks: Uint8Array[] = [];
	let size = 0;
	let isOver = false;

	const finish = (): void => {
		isOver = true;
		restore();
		request?.off('error', fail);
	};

	const stop = (reason: WriteReason): void => {
		finish();
		chunks.length = 0;
		cut(reason);
	};

	const fail = (): void => {
		stop('incomplete');
	};

	const keep = (chunk: unknown): void => {
		// A string has been decoded already: the bytes are gone.
		if (typeof chunk === 'string') {
			stop('incomplete');
			return;
		}

		const bytes = chunk as Uint8Array;
		size += bytes.byteLength;
		if (size > limit) {
			stop('too-large');
			return;
		}

		progress(bytes.byteLength);
		// Whoever reads the stream may change the chunk that is handed on.
		chunks.push(Uint8Array.prototype.slice.call(bytes));
	};

	const complete = async (): Promise<void> => {
		if (isOver) {
			return;
		}

		if (!response.complete || isReset(response)) {
			stop('incomplete');
			return;
		}

		finish();
		await end(concatenate(chunks, size));
	};

	const restore = replaceEmit(response, (event, argument, emit) => {
		if (isOver) {
			return emit();
		}

		if (event === 'data') {
			keep(argument);
		} else if (event === 'end' && awaitsEnd && response.complete) {
			void emitAfter(complete, emit, request);
			return true;
		} else if (event === 'end') {
			// The responses of http2-wrapper (Got 15) become complete in a listener of this very event.
			const isHeard = emit();
			void settle(complete());
			return isHeard;
		} else if (['aborted', 'error', 'close'].includes(event as string)) {
			stop('incomplete');
		}

		return emit();
	});
	request?.on('error', fail);
}

type Collector = {
	/** Whether the reader gets the `end` event only when `end` has resolved, and an error where it rejects. Over HTTP/2, Got 14 and 15 end the body at once. */
	readonly awaitsEnd: boolean;

	/** Called when the body has ended, whole as far as the connection can tell. */
	readonly end: (body: Uint8Array) => Promise<void>;

	/** Called when the body will not be stored, and why. */
	readonly cut: (reason: WriteReason) => void;

	/** Called when some more of the body has come. */
	readonly progress: (bytes: number) => void;
};

async function emitAfter(action: () => Promise<void>, emit: (event?: string, argument?: unknown) => boolean, request: ClientRequest | undefined): Promise<void> {
	try {
		await action();
	} catch (error) {
		// The decoded body would not get an error of the response itself.
		if (request === undefined) {
			emit('error', error);
		} else {
			request.emit('error', error);
		}

		return;
	}

	emit();
}

async function settle(pending: Promise<void>): Promise<void> {
	await Promise.allSettled([pending]);
}

// Not `Buffer.concat`: a slice of its pool would keep the whole pool alive for as long as the entry.
function concatenate(chunks: readonly Uint8Array[], size: number): Uint8Array {
	const body = Buffer.allocUnsafeSlow(size);
	let position = 0;
	for (const chunk of chunks) {
		body.set(chunk, position);
		position += chunk.byteLength;
	}

	return body;
}

/** Http2-wrapper (Got 15) ends a body that was cut off like any other; the code of its stream tells them apart. */
function isReset(response: IncomingMessage): boolean {
	const {req} = response as {req?: {_request?: {rstCode?: number}}};
	return (req?._request?.rstCode ?? 0) !== 0;
}
