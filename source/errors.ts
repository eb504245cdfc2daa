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
	*/
	constructor(method: string, url: string) {
		super('ERR_NOT_RECORDED', `No response is recorded for \`${method} ${url}\``);
	}
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
One line for any value, short enough for an error message.
*/
export function describe(value: unknown): string {
	if (typeof value === 'string') {
		return `string ${JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value)}`;
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
