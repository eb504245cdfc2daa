import {nodeHeaders, type NodeHeaders, type StoredResponse} from './stored-response.ts';

/**
A stored response as a user sees it, in `filterFn`. Changing it changes nothing stored.
*/
export class CachedResponse {
	readonly cacheKey: string;
	readonly method: string;
	readonly url: string;
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly createdAt: Date;

	/** `undefined` for one that never expires. */
	readonly expires: Date | undefined;
	readonly isExpired: boolean;
	readonly #stored: StoredResponse;

	constructor(cacheKey: string, stored: StoredResponse, now: number) {
		this.cacheKey = cacheKey;
		this.method = stored.method;
		this.url = stored.url;
		this.statusCode = stored.statusCode;
		this.statusMessage = stored.statusMessage;
		this.createdAt = new Date(stored.createdAt);
		this.expires = stored.expires === undefined ? undefined : new Date(stored.expires);
		this.isExpired = stored.expires !== undefined && stored.expires <= now;
		this.#stored = stored;
	}

	get headers(): NodeHeaders {
		return nodeHeaders(this.#stored.fields);
	}

	/** A copy of the content. */
	get body(): Uint8Array {
		return Uint8Array.from(this.#stored.body);
	}

	/** Bytes of content. */
	get size(): number {
		return this.#stored.body.byteLength;
	}

	text(): string {
		return new TextDecoder().decode(this.#stored.body);
	}

	/**
	The content as JSON, parsed anew each time.

	@throws {SyntaxError} Where the content is not JSON.
	*/
	json(): unknown {
		return JSON.parse(this.text());
	}
}
