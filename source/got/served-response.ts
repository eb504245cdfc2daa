import {Readable} from 'node:stream';
import type {RenderedResponse} from '../exchange/exchange.ts';
import type {NodeHeaders} from '../entry/stored-response.ts';

type Timings = {
	response: number | undefined;
	readonly phases: {firstByte: number | undefined};
};

/**
A failure in place of a response: Got fails with the error when it asks where the response came from.

Got 15 and 16 ignore the reset of a connection where the request has had a response. For one that Got knows nothing of, this is the way to tell it of the reset.
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

	/** Got has noted when the response came. This one never did. */
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

const usualChunkSize = 65_536;

/**
A response that the cache gives, in the shape of an `IncomingMessage`.

Headers and body are copies: whoever reads them may change them.
*/
export class ServedResponse extends Readable {
	readonly statusCode: number;
	statusMessage: string;
	headers: NodeHeaders;
	rawHeaders: string[];
	trailers: NodeHeaders = {};
	rawTrailers: string[] = [];
	httpVersion = '1.1';
	httpVersionMajor = 1;
	httpVersionMinor = 1;
	readonly aborted = false;
	readonly complete = true;

	/** Got's `isFromCache` comes from here. */
	readonly fromCache: boolean;

	/** Timings in the shape of Got's, for callers who read them of any response. */
	timings: Record<string, unknown> = instantTimings(Date.now());
	readonly #body: Uint8Array;
	readonly #chunkSize: number;
	#position = 0;

	/**
	Nothing is copied until it is read.

	@param isReadWhole - Whether the body is given at once: pieces are of use only to who reads a stream.
	*/
	constructor(response: RenderedResponse, isReadWhole = false) {
		super({highWaterMark: usualChunkSize});
		const {statusCode, statusMessage, headers, rawHeaders, body, fromCache} = response;
		this.statusCode = statusCode;
		this.statusMessage = statusMessage;
		this.headers = headers;
		this.rawHeaders = rawHeaders;
		this.fromCache = fromCache;
		this.#body = body;
		this.#chunkSize = isReadWhole ? body.byteLength : usualChunkSize;
	}

	override _read(): void {
		const end = Math.min(this.#position + this.#chunkSize, this.#body.byteLength);
		if (end > this.#position) {
			this.push(Uint8Array.prototype.slice.call(this.#body, this.#position, end));
			this.#position = end;
		}

		if (end === this.#body.byteLength) {
			this.push(null);
		}
	}
}

/** Timings by which everything happened at one moment; nothing was encrypted, and nothing failed. */
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
