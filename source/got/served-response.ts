import {Buffer} from 'node:buffer';
import {Readable} from 'node:stream';
import type {RenderedResponse} from '../exchange/exchange.ts';
import {partsOfBody, type Body, type NodeHeaders} from '../entry/stored-response.ts';

const defaultChunkSize = 65_536;
const streamOptions = {highWaterMark: defaultChunkSize};

/** A response from the cache, in the shape of an `IncomingMessage`. Headers and body are copies, which the caller may change. */
export class ServedResponse extends Readable {
	readonly statusCode: number;
	statusMessage: string;
	headers: NodeHeaders;
	trailers: NodeHeaders = {};
	rawTrailers: string[] = [];
	httpVersion = '1.1';
	httpVersionMajor = 1;
	httpVersionMinor = 1;
	readonly aborted = false;
	readonly complete = true;

	/** Got's `isFromCache`. */
	readonly fromCache: boolean;

	/** Timings in the shape of Got's, which callers read from any response. */
	timings: Record<string, unknown> = instantTimings(Date.now());
	readonly #response: RenderedResponse;
	#rawHeaders: string[] | undefined;
	readonly #parts: readonly Uint8Array[];

	/** The part of the body that is read next, and its first byte that is. */
	#index = 0;
	#position = 0;

	/**
	Copies the body when it is read.

	@param parts - What can be read. Default: the body of the response.
	*/
	constructor(response: RenderedResponse, parts: readonly Uint8Array[] = partsOfBody(response.body)) {
		super(streamOptions);
		const {statusCode, statusMessage, headers, fromCache} = response;
		this.statusCode = statusCode;
		this.statusMessage = statusMessage;
		this.headers = headers;
		this.#response = response;
		this.fromCache = fromCache;
		this.#parts = parts;
	}

	get rawHeaders(): string[] {
		this.#rawHeaders ??= this.#response.rawHeaders;
		return this.#rawHeaders;
	}

	set rawHeaders(lines: string[]) {
		this.#rawHeaders = lines;
	}

	override _read(): void {
		const part = this.#parts[this.#index];
		if (part === undefined) {
			this.push(null);
			return;
		}

		const start = this.#position;
		const end = Math.min(start + defaultChunkSize, part.byteLength);
		if (end === part.byteLength) {
			this.#index++;
			this.#position = 0;
		} else {
			this.#position = end;
		}

		// An empty chunk would be no chunk, after which nothing more is read.
		if (end > start) {
			this.push(Buffer.from(start === 0 && end === part.byteLength ? part : part.subarray(start, end)));
		}

		if (this.#index === this.#parts.length) {
			this.push(null);
		}
	}
}

/**
A response whose body Got takes without a stream.

Got's promise API reads a stream to its end, unless that has come before Got sees the response: then Got 16 calls `toArray`, and a hit costs a fifth less.
*/
class WholeResponse extends ServedResponse {
	readonly #body: Body;
	#isTaken = false;

	static {
		// A field would be enumerable, and an accessor is not allowed.
		Object.defineProperty(this.prototype, 'readableEnded', {value: true, configurable: true, writable: true});
	}

	constructor(response: RenderedResponse) {
		super(response);
		this.#body = response.body;
	}

	/** Returns the body, which Got copies. */
	override toArray(): never {
		const parts = this.#isTaken ? [] : partsOfBody(this.#body);
		this.#isTaken = true;
		return parts as never;
	}

	override _read(): void {
		if (this.#isTaken) {
			this.push(null);
		} else {
			super._read();
		}
	}
}

/**
Returns a response from the cache.

@param takesWholeBody - Whether Got takes the body without a stream, if all of it is there.
*/
export function servedResponse(response: RenderedResponse, takesWholeBody: boolean): ServedResponse {
	// Got decodes a body by a stream.
	return takesWholeBody && response.headers['content-encoding'] === undefined ? new WholeResponse(response) : new ServedResponse(response);
}

/** Returns timings of which all are the same moment, as of an unencrypted request without an error. */
function instantTimings(now: number): Record<string, unknown> {
	return {
		start: now,
		socket: now,
		lookup: now,
		connect: now,
		secureConnect: undefined,
		upload: now,
		response: now,
		end: now,
		error: undefined,
		abort: undefined,
		phases: {
			wait: 0,
			dns: 0,
			tcp: 0,
			tls: undefined,
			request: 0,
			firstByte: 0,
			download: 0,
			total: 0,
		},
	};
}

type Timings = {
	response: number | undefined;
	readonly phases: {firstByte: number | undefined};
};

/**
A substitute for a response, on which Got fails with an error when it reads `fromCache`.

Got 15 and 16 ignore a connection reset if the request has had a response, even one that Got has not seen. This response makes them fail all the same.
*/
export class FailedResponse extends Readable {
	readonly statusCode = 502;
	readonly headers = {};
	readonly rawHeaders: readonly string[] = [];
	readonly complete = false;
	readonly #error: Error;

	constructor(error: Error) {
		super({
			read() {
				this.push(null);
			},
		});
		this.#error = error;
	}

	get timings(): Timings {
		return {response: undefined, phases: {firstByte: undefined}};
	}

	/** Removes the time at which Got has received the response, since there was none. */
	set timings(timings: Timings) {
		timings.response = undefined;
		timings.phases.firstByte = undefined;
	}

	/**
	Got's `isFromCache`.

	@throws The error, always.
	*/
	get fromCache(): never {
		throw this.#error;
	}
}
