import {getExpirationDatetime, parseExpiration, type ExpirationTime} from '../policy/expiration.ts';
import {fieldValue} from '../policy/fields.ts';
import {describeBytes, describePeriod} from './amounts.ts';
import {CachedRequest} from './cached-request.ts';
import {decodedContent} from './content-coding.ts';
import {showAsText} from './inspected.ts';
import {nodeHeaders, type NodeHeaders, type StoredResponse} from './stored-response.ts';

let readStored: (response: CachedResponse) => StoredResponse;

/** What is behind a response, with the expiration that it has by now. */
export function storedOf(response: CachedResponse): StoredResponse {
	return readStored(response);
}

/**
A stored response as a user sees it. Changing it changes nothing stored, unless `cache.save()` writes it.
*/
export class CachedResponse {
	readonly fromCache = true;

	/** The key under which it lies; of a variant, not that of the resource. */
	readonly cacheKey: string;
	readonly method: string;

	/** Without user info and fragment; ignored parameters are `REDACTED`. */
	readonly url: string;
	readonly statusCode: number;
	readonly statusMessage: string;

	/** When it was received, or last validated. */
	readonly createdAt: Date;

	/** Whether the origin has said since it was received that it is still right. */
	readonly revalidated: boolean;

	/** By which it can be deleted and expired together with others. */
	readonly tags: readonly string[];

	/** The request that it answers; `undefined` for what an older version stored. */
	readonly request: CachedRequest | undefined;
	readonly #stored: StoredResponse;
	readonly #now: () => number;
	#decoded: Uint8Array | undefined;
	#expires: number | undefined;

	static {
		showAsText(this);
		readStored = response => ({...response.#stored, expires: response.#expires});
	}

	constructor(cacheKey: string, stored: StoredResponse, now: () => number) {
		this.cacheKey = cacheKey;
		this.method = stored.method;
		this.url = stored.url;
		this.statusCode = stored.statusCode;
		this.statusMessage = stored.statusMessage;
		this.createdAt = new Date(stored.createdAt);
		this.revalidated = stored.revalidated === true;
		this.tags = stored.tags ?? [];
		this.request = stored.request && new CachedRequest(stored.request);
		this.#stored = stored;
		this.#now = now;
		this.#expires = stored.expires;
	}

	/** When it ceases to be fresh; `undefined` for one that never does. */
	get expires(): Date | undefined {
		return this.#expires === undefined ? undefined : new Date(this.#expires);
	}

	/** Seconds until it expires, below 0 once it has; `undefined` for one that never does. */
	get expiresDelta(): number | undefined {
		return this.#expires === undefined ? undefined : Math.round((this.#expires - this.#now()) / 1000);
	}

	/** When it ceases to be fresh, in seconds since the epoch; `undefined` for one that never does. */
	get expiresUnix(): number | undefined {
		return this.#expires === undefined ? undefined : Math.round(this.#expires / 1000);
	}

	get isExpired(): boolean {
		return this.#expires !== undefined && this.#expires <= this.#now();
	}

	/**
	Whether it was received (or validated) before a moment, or longer ago than a time.

	@throws {TypeError} Where it is neither.
	*/
	isOlderThan(time: ExpirationTime): boolean {
		return this.#stored.createdAt < earliest(time, this.#now());
	}

	/**
	Gives this object another expiration, counted from now; `cache.save()` writes it.

	@returns Whether it has expired by that.
	@throws {TypeError} Where it is no expiration, or `DO_NOT_CACHE`.
	*/
	resetExpiration(expireAfter: ExpirationTime): boolean {
		if (parseExpiration(expireAfter)?.kind === 'do-not-cache') {
			throw new TypeError('Expected an expiration, got `DO_NOT_CACHE`: delete the response instead');
		}

		this.#expires = getExpirationDatetime(expireAfter, new Date(this.#now()))?.getTime();
		return this.isExpired;
	}

	/**
	Where a redirect leads; empty for any other response. Each hop is stored by itself, so that one which was reached by redirects does not know of them.
	*/
	get redirectUrls(): readonly string[] {
		const target = redirectTarget(this.#stored);
		return target === undefined ? [] : [target];
	}

	get headers(): NodeHeaders {
		return nodeHeaders(this.#stored.fields);
	}

	/** A copy of the content, with content codings undone. */
	get body(): Uint8Array {
		return Uint8Array.from(this.#content);
	}

	/** Bytes that are stored of the content. */
	get size(): number {
		return this.#stored.body.byteLength;
	}

	text(): string {
		return new TextDecoder().decode(this.#content);
	}

	/**
	The content as JSON, parsed anew each time.

	@throws {SyntaxError} Where the content is not JSON.
	*/
	json(): unknown {
		return JSON.parse(this.text());
	}

	/** Everything but the content. */
	// eslint-disable-next-line @typescript-eslint/naming-convention -- `JSON.stringify` names it so.
	toJSON(): Record<string, unknown> {
		const {cacheKey, method, url, statusCode, statusMessage, headers, createdAt, expires, isExpired, revalidated, size, redirectUrls, tags, request} = this;
		return {
			cacheKey,
			method,
			url,
			statusCode,
			statusMessage,
			headers,
			createdAt,
			expires,
			isExpired,
			revalidated,
			size,
			redirectUrls,
			tags,
			request,
		};
	}

	/** One line, also for `console.log`: `GET https://example.com/ 200 (308 B) fresh, expires in 4 m`. */
	toString(): string {
		return `${this.method} ${this.url} ${this.statusCode} (${describeBytes(this.size)}) ${this.#freshness()}`;
	}

	get #content(): Uint8Array {
		this.#decoded ??= decodedContent(this.#stored);
		return this.#decoded;
	}

	#freshness(): string {
		if (this.#expires === undefined) {
			return 'fresh, never expires';
		}

		const left = this.#expires - this.#now();
		return left > 0 ? `fresh, expires in ${describePeriod(left)}` : `stale, expired ${describePeriod(-left)} ago`;
	}
}

/** Where a redirect leads; `undefined` for any other response. */
export function redirectTarget({statusCode, url, fields}: StoredResponse): string | undefined {
	const location = statusCode >= 300 && statusCode < 400 ? fieldValue(fields, 'location') : undefined;
	return location !== undefined && URL.canParse(location, url) ? new URL(location, url).href : undefined;
}

/**
The moment before which something is older than `time`: that moment, or so long before now.

@throws {TypeError} Where it is neither.
*/
export function earliest(time: ExpirationTime, now: number): number {
	const expiration = parseExpiration(time);
	if (expiration?.kind === 'at') {
		return expiration.time;
	}

	if (expiration?.kind === 'after') {
		return now - expiration.milliseconds;
	}

	throw new TypeError('Expected a moment (a Date) or a length of time (seconds, `\'5m\'`, `{minutes: 5}`)');
}

/** What cannot be read, or is found by nobody: why, under which key. */
export class InvalidEntry {
	readonly cacheKey: string;
	readonly error: unknown;

	constructor(cacheKey: string, error: unknown) {
		this.cacheKey = cacheKey;
		this.error = error;
	}
}
