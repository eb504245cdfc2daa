import {Buffer} from 'node:buffer';
import type {ClientRequest, IncomingMessage} from 'node:http';
import type {WriteReason} from '../policy/reasons.ts';
import {replaceEmit} from './replace-emit.ts';

export type Collector = {
	/** Whether its reader is told of the end when `end` has resolved, and fails where that rejects. Got 14 and 15 tell it at once over HTTP/2. */
	readonly awaitsEnd: boolean;

	/** The body ended, whole as far as the connection can tell. */
	readonly end: (body: Uint8Array) => Promise<void>;
	readonly cut: (reason: WriteReason) => void;

	/** There is more of it. */
	readonly progress: (bytes: number) => void;
};

/**
Copies the body as it is read by whoever reads it: it neither starts the flow nor holds a chunk back, and costs nothing once it has given up.

@param request - Over HTTP/2, Got 16 says by it alone that a body was cut off.
@param limit - Bytes after which it gives up.
*/
export function collectBody(response: IncomingMessage, request: ClientRequest | undefined, limit: number, {awaitsEnd, end, cut, progress}: Collector): void {
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

async function emitAfter(action: () => Promise<void>, emit: (event?: string, argument?: unknown) => boolean, request: ClientRequest | undefined): Promise<void> {
	try {
		await action();
	} catch (error) {
		// Of the response itself, its decoded body would not hear.
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
