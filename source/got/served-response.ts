import {Buffer} from 'node:buffer';
import process from 'node:process';
import {Readable} from 'node:stream';
import type {Options, Request} from 'got';
import type {RenderedResponse} from '../exchange/exchange.ts';
import {
	bodyBytes,
	bodyLength,
	type Body,
	type NodeHeaders,
} from '../entry/stored-response.ts';
import {canTry, tryDirectRead} from './try-direct-read.ts';

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

	/** Got's request. Got sets this property. */
	declare readonly request?: Request | undefined;

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

/**
A response whose body Got reads directly.

Got's promise API reads a body through the stream of its own request and an asynchronous iterator, unless the response has ended before Got sees it: then it calls `toArray` of the response itself. So this response says that it has ended when Got asks.
*/
class DirectResponse extends ServedResponse {
	readonly #byteLength: number;
	#isBegun = false;

	static {
		// TypeScript allows no accessor here, and a field would be an enumerable property.
		Object.defineProperty(this.prototype, 'readableEnded', {
			get(this: DirectResponse): boolean {
				// An object that inherits from a response, or a proxy of one, has no private fields.
				return (#isBegun in this && this.#isReadDirectly) || isEnded(this);
			},
			configurable: true,
		});
	}

	constructor(response: RenderedResponse) {
		super(response, true);
		this.#byteLength = bodyLength(response.body);
	}

	/** Reads the body without an asynchronous iterator, since all of it is there. */
	override async toArray(options?: Parameters<Readable['toArray']>[0]): Promise<unknown[]> {
		if (options !== undefined || this.destroyed || isEnded(this)) {
			return super.toArray(options);
		}

		const chunks: unknown[] = [];
		try {
			for (let chunk: unknown = this.read(); chunk !== null; chunk = this.read()) {
				chunks.push(chunk);
			}
		} catch (error) {
			// A listener has thrown. Got ignores the rejection, but not an error of the response.
			this.destroy(error as Error);
			throw error;
		}

		// Got stops its timers with this event.
		await new Promise(resolve => {
			this.once('end', resolve);
		});
		return chunks;
	}

	/** Whether Got is about to read the body, and nobody has begun to. Got's promise API sets `_noPipe`; `options.isStream` may have been changed by a hook. */
	get #isReadDirectly(): boolean {
		const length = this.headers['content-length'];
		return this.request?._noPipe === true && !this.#isBegun && !this.destroyed
			// Somebody may have changed it. Got rejects a body of another length only if it reads that as a stream.
			&& (length === undefined || Number(length) === this.#byteLength);
	}

	override _read(): void {
		this.#isBegun = true;
		super._read();
	}
}

function isEnded(response: Readable): boolean {
	return Reflect.get(Readable.prototype, 'readableEnded', response);
}

/** Whether a Got reads bodies directly, by the class of its options. Until the trial has succeeded, and if it fails, this Got gets streams. */
const directReaders = new WeakMap<object, boolean>();

/** Returns the response for a request of Got. */
export function createServedResponse(response: RenderedResponse, options: Options): ServedResponse {
	const key = options.constructor;
	const mayRead = mayReadDirectly(response, options);
	if (mayRead && directReaders.get(key) === true) {
		return new DirectResponse(response);
	}

	const served = new ServedResponse(response, !options.isStream);
	if (mayRead && !directReaders.has(key)) {
		directReaders.set(key, false);
		served.once('close', () => {
			void tryGot(key, served);
		});
	}

	return served;
}

/** Returns whether a caller sees no difference if Got reads the body directly. */
function mayReadDirectly({statusCode, headers}: RenderedResponse, {isStream, signal, cache}: Options): boolean {
	// An abort at the last progress event would come too late, and Got's own cache reads a stream.
	return !isStream && signal === undefined && cache === undefined
		// Got decodes a body by a stream, and does not read that of a redirect, which its hooks and `followRedirect` may read.
		&& headers['content-encoding'] === undefined && Math.trunc(statusCode / 100) !== 3;
}

/** Finds out whether the Got that has read a response reads bodies directly. */
async function tryGot(key: object, {request}: ServedResponse): Promise<void> {
	if (request === undefined || !canTry()) {
		directReaders.delete(key);
		return;
	}

	try {
		const body = Buffer.from('body');
		const headers = {'content-length': String(body.byteLength)};
		directReaders.set(key, await tryDirectRead(request, new DirectResponse({
			statusCode: 200, statusMessage: 'OK', headers, rawHeaders: [], fromCache: true, body,
		}), body));
	} catch {
		// The entry stays `false`.
	}
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
