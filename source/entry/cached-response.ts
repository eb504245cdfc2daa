import type {InspectOptions} from 'node:util';
import {SettingError} from '../errors.ts';
import type {StoredRequest} from '../identity/stored-request.ts';
import {
	expirationDate,
	parseExpiration,
	parseExpirationOrExpires,
	type ExpirationTime,
} from '../policy/expiration.ts';
import {fieldValue} from '../policy/fields.ts';
import {decodedContent} from './content-coding.ts';
import {
	bodyBytes,
	fieldsOf,
	type NodeHeaders,
	nodeHeaders,
	type StoredResponse,
} from './stored-response.ts';

/**
The request that a stored response answers. Its secrets are `REDACTED`, and a body that is neither JSON nor a form is left out. Reading it never throws.

@example
```ts
import {HttpCache} from 'got-cache-hooks';

const cache = new HttpCache({store: 'memory', expireAfter: '1h'});
await cache.save({url: 'https://api.example.com/users/1?api_key=abc'}, {body: '{"name": "Ada"}'});
for await (const {request} of cache.responses()) {
	console.log(request?.method, request?.url);
}
//=> GET https://api.example.com/users/1?api_key=REDACTED
```
*/
export class CachedRequest {
	/** The method that was sent. */
	readonly method: string;

	/** The URL without user info and fragment. */
	readonly url: string;

	/** A JSON or form body. */
	readonly body: string | undefined;
	readonly #request: StoredRequest;

	static {
		inspectAs(this.prototype, String);
	}

	constructor(request: StoredRequest) {
		// The method that was sent comes before the one that an override header asks for.
		this.method = request.method.split(':', 1)[0]!;
		this.url = request.url;
		this.body = request.body;
		this.#request = request;
	}

	/** The header fields, with `REDACTED` in place of credentials. */
	get headers(): NodeHeaders {
		return nodeHeaders(fieldsOf(this.#request.rawHeaders));
	}

	/** Returns all of it as plain data. */
	// eslint-disable-next-line @typescript-eslint/naming-convention -- `JSON.stringify` names it so.
	toJSON(): Record<string, unknown> {
		const {method, url, headers, body} = this;
		return {
			method,
			url,
			headers,
			...(body !== undefined && {body}),
		};
	}

	/** Returns `GET https://example.com/`, also for `console.log`. */
	toString(): string {
		return `${this.method} ${this.url}`;
	}
}

let readStored: (response: CachedResponse) => StoredResponse;

/** Returns the stored response behind a `CachedResponse`, with its current expiration. */
export function storedOf(response: CachedResponse): StoredResponse {
	return readStored(response);
}

/**
A stored response as a user sees it. Changing it changes nothing in the store, unless `cache.save()` writes it.

@example
```ts
import {HttpCache} from 'got-cache-hooks';

const cache = new HttpCache({store: 'memory', expireAfter: '1h'});
await cache.save({url: 'https://api.example.com/users/1'}, {body: '{"name": "Ada"}'});
const response = await cache.get({url: 'https://api.example.com/users/1'});
console.log(response?.statusCode, response?.json(), response?.isExpired);
//=> 200 { name: 'Ada' } false
```
*/
export class CachedResponse {
	/** Always `true`: what is stored comes from the cache. */
	readonly fromCache = true;

	/** The key of the entry in the store. A variant has a key of its own. */
	readonly cacheKey: string;

	/** The method of the request. */
	readonly method: string;

	/** The URL without user info and fragment. The values of ignored parameters are `REDACTED`. */
	readonly url: string;

	/** The status code that the origin sent. */
	readonly statusCode: number;

	/** The status text. */
	readonly statusMessage: string;

	/** When the response was received, or last validated. */
	readonly createdAt: Date;

	/** Whether the origin has validated the response since it was received. */
	readonly revalidated: boolean;

	/** Tags by which the response can be deleted and expired together with others. */
	readonly tags: readonly string[];

	/** The request that the response answers; `undefined` if an older version stored the response. */
	readonly request: CachedRequest | undefined;
	readonly #stored: StoredResponse;
	readonly #now: () => number;
	#decoded: Uint8Array | undefined;
	#expires: number | undefined;

	static {
		inspectAs(this.prototype, String);
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

	/** When the response becomes stale; `undefined` if it never does. */
	get expires(): Date | undefined {
		return this.#expires === undefined ? undefined : new Date(this.#expires);
	}

	/** Seconds until the response becomes stale, negative once it has; `undefined` if it never does. */
	get expiresDelta(): number | undefined {
		return this.#expires === undefined ? undefined : Math.round((this.#expires - this.#now()) / 1000);
	}

	/** When the response becomes stale, in seconds since the epoch; `undefined` if it never does. */
	get expiresUnix(): number | undefined {
		return this.#expires === undefined ? undefined : Math.round(this.#expires / 1000);
	}

	/** Whether the response is stale. */
	get isExpired(): boolean {
		return this.#expires !== undefined && this.#expires <= this.#now();
	}

	/**
	Whether the response was received or validated before a date, or longer ago than a duration.

	@throws {TypeError} If `time` is neither.
	*/
	isOlderThan(time: ExpirationTime): boolean {
		const before = timeBefore(time, this.#now());
		if (before === undefined) {
			throw new SettingError('time', time, 'a Date, an HTTP date or a duration (seconds, `\'5m\'`, `{minutes: 5}`)');
		}

		return this.#stored.createdAt < before;
	}

	/**
	Sets a new expiration, counted from now. `cache.save()` writes it to the store.

	@returns Whether the response has expired now.
	@throws {TypeError} If it is not an expiration, or is `DO_NOT_CACHE`.
	*/
	resetExpiration(expireAfter: ExpirationTime): boolean {
		const now = this.#now();
		const expiration = parseExpirationOrExpires(expireAfter, now);
		if (expiration === undefined || expiration.kind === 'do-not-cache') {
			throw new SettingError('expireAfter', expireAfter, allowedExpiration);
		}

		this.#expires = expirationDate(expiration, now)?.getTime();
		return this.isExpired;
	}

	/**
	The target of a redirect; empty for any other response. Each hop is an entry of its own, so that the last response does not list the redirects that led to it.
	*/
	get redirectUrls(): readonly string[] {
		const target = redirectTarget(this.#stored);
		return target === undefined ? [] : [target];
	}

	/** The header fields, without what is secret. */
	get headers(): NodeHeaders {
		return nodeHeaders(this.#stored.fields);
	}

	/** A copy of the content, with content codings undone. */
	get body(): Uint8Array {
		return Uint8Array.from(this.#content);
	}

	/** The number of bytes of the stored body. */
	get size(): number {
		return this.#stored.byteLength;
	}

	/** Returns the content as text, by UTF-8. */
	text(): string {
		return new TextDecoder().decode(this.#content);
	}

	/**
	Parses the content as JSON, each time anew.

	@throws {SyntaxError} If the content is not JSON.
	*/
	json(): unknown {
		return JSON.parse(this.text());
	}

	/** Returns everything but the content. */
	// eslint-disable-next-line @typescript-eslint/naming-convention -- `JSON.stringify` names it so.
	toJSON(): Record<string, unknown> {
		return {
			cacheKey: this.cacheKey,
			method: this.method,
			url: this.url,
			statusCode: this.statusCode,
			statusMessage: this.statusMessage,
			headers: this.headers,
			createdAt: this.createdAt,
			expires: this.expires,
			isExpired: this.isExpired,
			revalidated: this.revalidated,
			size: this.size,
			redirectUrls: this.redirectUrls,
			tags: this.tags,
			request: this.request,
		};
	}

	/** Returns one line, also for `console.log`: `GET https://example.com/ 200 (308 B) fresh, expires in 4 m`. */
	toString(): string {
		return `${this.method} ${this.url} ${this.statusCode} (${describeBytes(this.size)}) ${this.#freshness()}`;
	}

	get #content(): Uint8Array {
		this.#decoded ??= decodedContent({body: bodyBytes(this.#stored.body), fields: this.#stored.fields});
		return this.#decoded;
	}

	#freshness(): string {
		if (this.#expires === undefined) {
			return 'fresh, never expires';
		}

		const left = this.#expires - this.#now();
		return left > 0 ? `fresh, expires in ${describeDuration(left)}` : `stale, expired ${describeDuration(-left)} ago`;
	}
}

/**
An entry that cannot be read, or that no request can find. Reading it never throws.

@example
```ts
import {HttpCache, InvalidEntry} from 'got-cache-hooks';

const store = new Map();
await new HttpCache({store, serializer: 'json'}).save({url: 'https://api.example.com/'}, {body: 'Hello'});
for await (const entry of new HttpCache({store, serializer: 'v8'}).filter({invalid: true})) {
	console.log(entry instanceof InvalidEntry && String(entry.error).split(':', 1)[0]);
}
//=> UnreadableError
```
*/
export class InvalidEntry {
	/** The key of the entry in the store. */
	readonly cacheKey: string;

	/** Why the entry is invalid. */
	readonly error: unknown;

	constructor(cacheKey: string, error: unknown) {
		this.cacheKey = cacheKey;
		this.error = error;
	}
}

/** Returns the target of a redirect; `undefined` for any other response. */
export function redirectTarget({statusCode, url, fields}: StoredResponse): string | undefined {
	const location = statusCode >= 300 && statusCode < 400 ? fieldValue(fields, 'location') : undefined;
	return location !== undefined && URL.canParse(location, url) ? new URL(location, url).href : undefined;
}

/** What a message says is allowed as the expiration of a stored response. */
export const allowedExpiration = 'a number of seconds from 0, a valid Date, a duration such as `\'5m\'`, an HTTP date, `NEVER_EXPIRE` or `EXPIRE_IMMEDIATELY`';

/**
Returns a date as milliseconds since the epoch, or the time that is a duration before now.

@returns `undefined` if `time` is neither.
*/
export function timeBefore(time: unknown, now: number): number | undefined {
	const expiration = parseExpiration(time, now);
	if (expiration?.kind === 'at') {
		return expiration.time;
	}

	return expiration?.kind === 'after' ? now - expiration.milliseconds : undefined;
}

/**
Lets `util.inspect`, and with it `console.log`, show an object, or all of a class by its prototype, as `show` says.

A method `[inspect.custom]` would do the same, but `isolatedDeclarations` does not allow computed names.
*/
export function inspectAs<Shown extends object>(target: Shown, show: (shown: Shown, options: InspectOptions) => string): void {
	Object.defineProperty(target, Symbol.for('nodejs.util.inspect.custom'), {
		value(this: Shown, depth: number, options: InspectOptions) {
			return show(this, {...options, depth});
		},
		writable: true,
		configurable: true,
	});
}

const units: ReadonlyArray<readonly [name: string, milliseconds: number]> = [
	['d', 86_400_000],
	['h', 3_600_000],
	['m', 60_000],
	['s', 1000],
];

/** Returns a duration in its largest unit: `4 m`. */
export function describeDuration(milliseconds: number): string {
	const [name, unit] = units.find(([, size]) => milliseconds >= size) ?? ['ms', 1];
	return `${Math.floor(milliseconds / unit)} ${name}`;
}

/** Returns a number of bytes in a readable unit: `308 B`, `1.2 kB`. */
export function describeBytes(bytes: number): string {
	if (bytes < 1000) {
		return `${bytes} B`;
	}

	return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
