import {CacheHooksError, SettingError} from '../errors.ts';

/**
What every store on a server may be told.
*/
export type ServerOptions = {
	/**
	The namespace: stores of different names on one server do not see each other's entries. Default: `'http_cache'`.
	*/
	readonly cacheName?: string;

	/**
	Milliseconds that connecting may take. Default: 2000.
	*/
	readonly connectionTimeout?: number;

	/**
	Milliseconds that the server may take for one command, and 1 ms more for every 10 kB; a connection on which it takes longer is given up. Default: 5000.
	*/
	readonly commandTimeout?: number;

	/**
	The current time in milliseconds since the epoch. Default: `Date.now`.
	*/
	readonly now?: () => number;
};

export type ResolvedServerOptions = Required<ServerOptions>;

/**
The options with their defaults.

@throws {TypeError} Where a value is wrong.
*/
export function resolveServerOptions(options: ServerOptions): ResolvedServerOptions {
	const {cacheName = 'http_cache', connectionTimeout = 2000, commandTimeout = 5000, now = Date.now} = options;
	if (typeof cacheName !== 'string' || cacheName === '') {
		throw new SettingError('cacheName', cacheName, 'a name');
	}

	for (const [name, value] of Object.entries({connectionTimeout, commandTimeout})) {
		if (typeof value !== 'number' || !(value > 0)) {
			throw new SettingError(name, value, 'a number of milliseconds above 0');
		}
	}

	return {
		cacheName, connectionTimeout, commandTimeout, now,
	};
}

/**
What every key of a namespace begins with. No namespace's prefix begins another's key: `n1` and the key `:a`, and `n1:` and the key `a`, stay apart.
*/
export function keyPrefix(cacheName: string): string {
	if (!cacheName.isWellFormed()) {
		throw new SettingError('cacheName', cacheName, 'a name without lone surrogates');
	}

	return `${cacheName.replaceAll(/[%:]/gv, sign => encodeURIComponent(sign))}::`;
}

export function closedError(name: string): CacheHooksError {
	return new CacheHooksError('ERR_STORE_CLOSED', `The ${name} store is closed`);
}

/**
The value as bytes.

@throws {CacheHooksError} `ERR_STORE_VALUE` where it is none.
*/
export function checkBytes(name: string, value: unknown): Uint8Array {
	if (!(value instanceof Uint8Array)) {
		throw new CacheHooksError('ERR_STORE_VALUE', `The ${name} store holds bytes: expected a \`Uint8Array\``);
	}

	return value;
}

/** Many keys in handfuls. */
export function * batches<T>(items: readonly T[], size: number): Generator<readonly T[], void> {
	for (let index = 0; index < items.length; index += size) {
		yield items.slice(index, index + size);
	}
}

/** For what clears up after a failure, and may fail like it. */
export function ignore(): void {
	// What has failed before is what matters.
}
