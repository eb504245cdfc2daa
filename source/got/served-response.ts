import {Buffer} from 'node:buffer';
import process from 'node:process';
import {Readable} from 'node:stream';
import type {RenderedResponse} from '../exchange/exchange.ts';
import {bodyBytes, type Body, type NodeHeaders} from '../entry/stored-response.ts';

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
	aborted = false;
	complete = true;

	/** Got's `isFromCache`. */
	readonly fromCache: boolean;

	/** Timings in the shape of Got's, which callers read from any response. */
	timings: Record<string, unknown> = instantTimings(Date.now());
	readonly #response: RenderedResponse;
	#rawHeaders: string[] | undefined;
	readonly #isReadWhole: boolean;

	/** The part of the body that is read next. */
	#part: Uint8Array;
	#position = 0;

	/** The parts of a body of several. */
	readonly #parts = noParts;
	#index = 0;
	#isAllPushed = false;

	/**
	Copies the body when it is read.

	@param isReadWhole - Whether to read the body as one chunk. Smaller chunks are useful only for streams.
	@param body - What can be read. Default: the body of the response.
	*/
	constructor(response: RenderedResponse, isReadWhole = false, body: Body = response.body) {
		super(streamOptions);
		const {statusCode, statusMessage, headers, fromCache} = response;
		this.statusCode = statusCode;
		this.statusMessage = statusMessage;
		this.headers = headers;
		this.#response = response;
		this.fromCache = fromCache;
		this.#isReadWhole = isReadWhole;
		if (isReadWhole || body instanceof Uint8Array) {
			this.#part = bodyBytes(body);
		} else {
			this.#part = body.parts[0] ?? noBytes;
			this.#parts = body.parts;
		}
	}

	get rawHeaders(): string[] {
		this.#rawHeaders ??= this.#response.rawHeaders;
		return this.#rawHeaders;
	}

	set rawHeaders(lines: string[]) {
		this.#rawHeaders = lines;
	}

	override _read(): void {
		const part = this.#part;
		const start = this.#position;
		const end = this.#isReadWhole ? part.byteLength : Math.min(start + defaultChunkSize, part.byteLength);
		this.#position = end;
		if (end > start) {
			this.push(Buffer.from(start === 0 && end === part.byteLength ? part : part.subarray(start, end)));
		}

		if (end === part.byteLength) {
			this.#endPart();
		}
	}

	/** Emits `aborted` if the body was not read to its end, as an `IncomingMessage` does. Otherwise Got would wait for the end for ever. */
	override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
		if (this.#isAllPushed && this.readableLength === 0) {
			callback(error);
			return;
		}

		if (error !== null) {
			// Got rejects with the error itself.
			this.complete = false;
			callback(error);
			return;
		}

		// Got may begin to read the response after the call that destroys it.
		process.nextTick(() => {
			// Got resumes the response of a redirect that it follows, and does not wait for its end.
			if (this.readableFlowing !== true) {
				this.aborted = true;
				this.complete = false;
				this.emit('aborted');
			}

			callback();
		});
	}

	#endPart(): void {
		const next = this.#parts[++this.#index];
		if (next === undefined) {
			this.#isAllPushed = true;
			this.push(null);
		} else {
			this.#part = next;
			this.#position = 0;
		}
	}
}

const noBytes = new Uint8Array(0);
const noParts: readonly Uint8Array[] = [];

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
