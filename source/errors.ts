/**
Base of every error that this library makes, except wrong settings, which are `TypeError`s.

`code` is stable and meant for programs; the message is for people and never holds a credential.
*/
export class CacheHooksError extends Error {
	override readonly name: string = 'CacheHooksError';
	readonly code: string;

	constructor(code: string, message: string, options?: ErrorOptions) {
		super(message, options);
		this.code = code;
	}
}

/**
A store call that took longer than `storeTimeout`.
*/
export class StoreTimeoutError extends CacheHooksError {
	override readonly name = 'StoreTimeoutError';

	constructor(operation: string, milliseconds: number) {
		super('ERR_STORE_TIMEOUT', `The store did not answer \`${operation}\` within ${milliseconds} ms`);
	}
}

/**
A refresh in the background that took longer than `timeout.request`, or than 60 seconds.
*/
export class RefreshTimeoutError extends CacheHooksError {
	override readonly name = 'TimeoutError';

	/**
	Names the request.

	@param url - As it may be shown.
	*/
	constructor(url: string, milliseconds: number) {
		super('ERR_REFRESH_TIMEOUT', `The refresh of ${url} took longer than ${milliseconds} ms`);
	}
}

/**
A request that nothing was recorded for, with `mode: 'replay'`.
*/
export class NotRecordedError extends CacheHooksError {
	override readonly name = 'NotRecordedError';

	/**
	Names the request.

	@param url - As it may be shown.
	@param options - With the fault of the store as `cause`, where that could not be read.
	*/
	constructor(method: string, url: string, options?: ErrorOptions) {
		super('ERR_NOT_RECORDED', `No response is recorded for \`${method} ${url}\``, options);
	}
}

/**
Stands in for what was thrown where that may hold a credential: by a function of the settings that has seen a request, or with a whole request in it, as errors of Got have. It has the places of its stack.
*/
export class RedactedError extends CacheHooksError {
	override readonly name: string;
	readonly #thrown: unknown;

	/**
	Takes nothing of what was thrown but the places of its stack: name, code and message may be shown.
	*/
	constructor(thrown: unknown, {name, code, message}: {readonly name: string; readonly code: string; readonly message: string}) {
		super(code, message);
		this.name = name;
		this.#thrown = thrown;
		this.stack = [`${name}: ${message}`, ...placesOf(thrown)].join('\n');
	}

	/** What was thrown, with all that it holds. A method, since `util.inspect` can be told to read getters. */
	thrown(): unknown {
		return this.#thrown;
	}
}

/** What kind of thing was thrown, without what it says. */
export function kindOf(thrown: unknown): string {
	const code = codeOf(thrown);
	return thrown instanceof Error ? `${thrown.constructor.name}${code === undefined ? '' : ` (${code})`}` : `a ${typeof thrown}`;
}

/** The code of what was thrown, where it is one as Node.js and this library have them. */
export function codeOf(thrown: unknown): string | undefined {
	const {code} = new Object(thrown) as {readonly code?: unknown};
	return typeof code === 'string' && /^(?:ERR_[\dA-Z_]+|E[A-Z]{2,15})$/v.test(code) ? code : undefined;
}

/** The lines of a stack behind the message, which may have lines that look like them. */
function placesOf(thrown: unknown): readonly string[] {
	const {message, stack} = new Object(thrown) as {readonly message?: unknown; readonly stack?: unknown};
	const lines = typeof stack === 'string' && typeof message === 'string' ? stack.slice(stack.indexOf(message) + message.length).split('\n') : [];
	return lines.filter(line => /^ +at [^#;=?]*$/v.test(line));
}

/**
A wrong setting: `path` names it (`cache.urlsExpireAfter[1]`), the message says what came and what is allowed.
*/
export class SettingError extends TypeError {
	override readonly name = 'TypeError';
	readonly code = 'ERR_CACHE_SETTING';
	readonly path: string;

	constructor(path: string, received: unknown, allowed: string) {
		super(`Expected \`${path}\` to be ${allowed}, got ${describe(received)}`);
		this.path = path;
	}
}

/**
A text without what may be a credential in it, by the signs of URLs: user info, and what a query, a fragment or a parameter gives. It need be no URL.
*/
export function shownText(text: string): string {
	const scheme = /^[a-z][\w+\-.]*:\/\//iv.exec(text)?.[0] ?? '';
	const at = text.lastIndexOf('@');
	const shown = at === -1 ? text : `${scheme}…${text.slice(at)}`;
	const end = shown.search(/[#;=?]/v);
	return end === -1 ? shown : `${shown.slice(0, end + 1)}…`;
}

/** A value that may be a secret, as a message may show it: by its type. */
export function hidden(value: unknown): unknown {
	return typeof value === 'string' || typeof value === 'number' ? new Object(value) : value;
}

/**
One line for any value, short enough for an error message.
*/
export function describe(value: unknown): string {
	if (typeof value === 'string') {
		const text = shownText(value);
		return `string ${JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}…` : text)}`;
	}

	if (value === null || value === undefined) {
		return String(value);
	}

	if (typeof value === 'function') {
		return value.name === '' ? 'a function' : `function \`${value.name}\``;
	}

	if (typeof value === 'object') {
		const name: unknown = (value as {constructor?: {name?: unknown}}).constructor?.name;
		return value instanceof RegExp ? `RegExp ${String(value)}` : `an instance of ${typeof name === 'string' ? name : 'Object'}`;
	}

	return `${typeof value} ${(value as number | bigint | boolean | symbol).toString()}`;
}
