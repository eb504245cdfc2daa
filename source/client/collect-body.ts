import {Buffer} from 'node:buffer';
import type {IncomingMessage} from 'node:http';
import type {WriteReason} from '../policy/reasons.ts';
import {replaceEmit} from './replace-emit.ts';

export type Collector = {
	/** The body ended, whole as far as the connection can tell. */
	readonly commit: (body: Uint8Array) => void;
	readonly abandon: (reason: WriteReason) => void;

	/** There is more of it. */
	readonly progress: () => void;
};

/**
Copies the body as it is read by whoever reads it: it neither starts the flow nor holds a chunk back, and costs nothing once it has given up.

@param limit - Bytes after which it gives up.
*/
export function collectBody(response: IncomingMessage, limit: number, {commit, abandon, progress}: Collector): void {
	let kept: Kept | undefined;
	let size = 0;
	let isOver = false;

	const end = (): void => {
		isOver = true;
		restore();
	};

	const stop = (reason: WriteReason): void => {
		end();
		kept = undefined;
		abandon(reason);
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

		progress();
		kept ??= new Kept(announcedLength(response, limit));
		kept.add(bytes);
	};

	const finish = (): void => {
		if (isOver) {
			return;
		}

		if (!response.complete || isReset(response)) {
			stop('incomplete');
			return;
		}

		end();
		commit((kept ?? new Kept(0)).bytes);
	};

	const restore = replaceEmit(response, (event, argument, emit) => {
		if (isOver) {
			return emit();
		}

		if (event === 'data') {
			keep(argument);
		} else if (event === 'end') {
			// The responses of http2-wrapper (Got 15) become complete in a listener of this very event.
			const isHeard = emit();
			finish();
			return isHeard;
		} else if (['aborted', 'error', 'close'].includes(event as string)) {
			stop('incomplete');
		}

		return emit();
	});
}

/** How long the body will be, if that is said and may be believed; else 0. */
function announcedLength({headers}: IncomingMessage, limit: number): number {
	const length = Number(headers['content-length']);
	return Number.isSafeInteger(length) && length <= limit ? length : 0;
}

/**
A copy of what came so far: whoever reads the stream may change the chunks that are handed on. Where the length is known from the beginning, each byte is copied once.
*/
class Kept {
	readonly #chunks: Uint8Array[] = [];

	/** Of the length that was said, as long as that holds. */
	#whole: Uint8Array | undefined;
	#size = 0;

	constructor(length: number) {
		this.#whole = length === 0 ? undefined : Buffer.allocUnsafeSlow(length);
	}

	get bytes(): Uint8Array {
		const whole = this.#whole;
		return whole?.byteLength === this.#size ? whole : this.#joined();
	}

	add(chunk: Uint8Array): void {
		const size = this.#size + chunk.byteLength;
		if (this.#whole !== undefined && size <= this.#whole.byteLength) {
			this.#whole.set(chunk, this.#size);
		} else {
			this.#leaveWhole();
			this.#chunks.push(Uint8Array.prototype.slice.call(chunk));
		}

		this.#size = size;
	}

	#leaveWhole(): void {
		if (this.#whole === undefined) {
			return;
		}

		this.#chunks.push(this.#whole.subarray(0, this.#size));
		this.#whole = undefined;
	}

	// Not `Buffer.concat`: a slice of its pool would keep the whole pool alive for as long as the entry.
	#joined(): Uint8Array {
		this.#leaveWhole();
		const body = Buffer.allocUnsafeSlow(this.#size);
		let position = 0;
		for (const chunk of this.#chunks) {
			body.set(chunk, position);
			position += chunk.byteLength;
		}

		return body;
	}
}

/** Http2-wrapper (Got 15) ends a body that was cut off like any other; the code of its stream tells them apart. */
function isReset(response: IncomingMessage): boolean {
	const {req} = response as {req?: {_request?: {rstCode?: number}}};
	return (req?._request?.rstCode ?? 0) !== 0;
}
