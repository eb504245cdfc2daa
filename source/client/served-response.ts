import {Readable} from 'node:stream';
import {nodeHeaders, type NodeHeaders, type StoredResponse} from '../model/stored-response.ts';

const chunkSize = 65_536;
const nothing = new Uint8Array(0);

type Answer = {
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly headers: NodeHeaders;
	readonly rawHeaders: string[];
	readonly body: Uint8Array;
	readonly fromCache: boolean;
};

/**
An answer that came from no socket, in the shape of an `IncomingMessage`.

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

	/** As Got times a request, for those who read it without asking where the response came from. */
	timings: Record<string, unknown> = instantTimings(Date.now());
	readonly #body: Uint8Array;
	#position = 0;

	constructor({statusCode, statusMessage, headers, rawHeaders, body, fromCache}: Answer) {
		super({highWaterMark: chunkSize});
		this.statusCode = statusCode;
		this.statusMessage = statusMessage;
		this.headers = headers;
		this.rawHeaders = rawHeaders;
		this.fromCache = fromCache;
		this.#body = body;
	}

	static stored(stored: StoredResponse): ServedResponse {
		return new ServedResponse({
			statusCode: stored.statusCode,
			statusMessage: stored.statusMessage,
			headers: nodeHeaders(stored.fields),
			rawHeaders: [...stored.rawHeaders],
			body: stored.body,
			fromCache: true,
		});
	}

	/** RFC 9111 §5.2.1.7, with requests-cache's words. */
	static notCached(): ServedResponse {
		return new ServedResponse({
			statusCode: 504, statusMessage: 'Not Cached', headers: {}, rawHeaders: [], body: nothing, fromCache: false,
		});
	}

	override _read(): void {
		const end = Math.min(this.#position + chunkSize, this.#body.byteLength);
		if (end > this.#position) {
			this.push(Uint8Array.prototype.slice.call(this.#body, this.#position, end));
			this.#position = end;
		}

		if (end === this.#body.byteLength) {
			this.push(null);
		}
	}
}

/** Everything happened now, and took no time; nothing was encrypted, nothing failed. */
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
