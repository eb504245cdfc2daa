import {CacheHooksError} from '../errors.ts';
import {isMissing, resolutionError} from '../optional-package.ts';
import {
	checked,
	commonOptions,
	type CommonOptions,
	type OptionTypes,
} from './options.ts';

/**
The options that all stores on a server have.
*/
export type ServerOptions = CommonOptions & {
	/**
	The maximum time to connect, in milliseconds. Default: 2000.
	*/
	readonly connectionTimeout?: number;

	/**
	The maximum time for one command, in milliseconds, plus 1 ms for every 10 kB; a connection that takes longer is given up. Default: 5000.
	*/
	readonly commandTimeout?: number;
};

export type ResolvedServerOptions = Required<ServerOptions>;

const timeout = checked<number>(value => typeof value === 'number' && value > 0, 'a number of milliseconds above 0');

export const serverOptions: OptionTypes<ServerOptions> = {...commonOptions, connectionTimeout: timeout, commandTimeout: timeout};

/** Returns the options with their defaults. */
export function resolveServerOptions({cacheName = 'http_cache', connectionTimeout = 2000, commandTimeout = 5000, now = Date.now}: ServerOptions): ResolvedServerOptions {
	return {
		cacheName, connectionTimeout, commandTimeout, now,
	};
}

/** Returns a function that runs an action at its first call, and at the next one again if it has failed. All calls have its result. */
export function onceSuccessful<T>(action: () => Promise<T>): () => Promise<T> {
	let result: Promise<T> | undefined;
	return async () => {
		const current = result ?? action();
		result = current;
		try {
			return await current;
		} catch (error) {
			if (result === current) {
				result = undefined;
			}

			throw error;
		}
	};
}

/**
Checks that an optional package that a store needs is installed, without loading it.

@throws {CacheHooksError} `ERR_STORE_DRIVER` if it is not installed. Nothing is known in a bundle.
*/
export function requireDriver(packageName: string, store: string): void {
	const error = resolutionError(packageName);
	if (error !== undefined) {
		throw notInstalled(packageName, store, error);
	}
}

/** Returns the error of the import of a driver, with the command that installs it if it is not installed. The import must be inside of `try`, by the literal name of the package: bundlers then include it where it is installed, and accept that it is not. */
export function driverError(packageName: string, store: string, cause: unknown): Error {
	return cause instanceof Error && !isMissing(cause) ? cause : notInstalled(packageName, store, cause);
}

function notInstalled(packageName: string, store: string, cause: unknown): CacheHooksError {
	return new CacheHooksError('ERR_STORE_DRIVER', `The store \`'${store}'\` needs the package \`${packageName}\`. Install it by \`npm install ${packageName}\`.`, {cause});
}

/**
Returns the prefix of every key of a namespace. No prefix of one namespace begins a key of another: the namespace `n1` with the key `:a` and the namespace `n1:` with the key `a` stay apart.
*/
export function keyPrefix(cacheName: string): string {
	return `${cacheName.replaceAll(/[%:]/gv, sign => encodeURIComponent(sign))}::`;
}

/** Returns the error of a call after `close`. The name is such as `Redis store`. */
export function closedError(name: string): CacheHooksError {
	return new CacheHooksError('ERR_STORE_CLOSED', `The ${name} is closed.`);
}

/**
Returns the value as bytes.

@throws {CacheHooksError} `ERR_STORE_VALUE` for any other value.
*/
export function checkBytes(name: string, value: unknown): Uint8Array {
	if (!(value instanceof Uint8Array)) {
		throw new CacheHooksError('ERR_STORE_VALUE', `The ${name} store holds bytes: expected a \`Uint8Array\`.`);
	}

	return value;
}

/** Splits items into batches. */
export function * batches<T>(items: readonly T[], size: number): Generator<readonly T[], void> {
	for (let index = 0; index < items.length; index += size) {
		yield items.slice(index, index + size);
	}
}

/** Ignores the error of a cleanup after a failure: the first error says more. */
export function ignore(): void {
	// Nothing to do.
}
