import type {InitHook} from 'got';
import {CacheHooksError} from '../errors.ts';

/** The versions of Got that this library supports, as users read them. */
export const supportedVersions = 'Got 14 (14.6 or newer), 15 or 16';

/** The least minor version of each major version of Got that this library supports. */
const leastMinors: ReadonlyMap<number, number> = new Map([[14, 6], [15, 0], [16, 0]]);

/** Returns whether this library supports a version of Got, such as `16.1.0`. */
export function isSupportedVersion(version: string): boolean {
	const [major, minor] = version.split('.').map(Number) as [number, number];
	return minor >= (leastMinors.get(major) ?? Infinity);
}

/**
Throws if the options are those of an older Got. They do not have its version, but `strictContentLength` came with Got 14.6.

@throws {CacheHooksError} `ERR_UNSUPPORTED_GOT`.
*/
export function requireSupportedGot(options: object | undefined): void {
	if (options === undefined || !('strictContentLength' in options)) {
		throw unsupportedGot(options);
	}
}

/** Creates the error for the options of an older Got. */
export function unsupportedGot(options: object | undefined): CacheHooksError {
	// Up to Got 11, options are a plain object, and an `init` hook gets nothing else.
	const version = options === undefined || Object.getPrototypeOf(options) === Object.prototype ? '11 or older' : '12, 13 or 14 before 14.6';
	return new CacheHooksError('ERR_UNSUPPORTED_GOT', `This is an instance of Got ${version}, but \`got-cache-hooks\` needs ${supportedVersions}. If another package brings this Got, look for a newer version of that package.`);
}

/** Checks the version of Got when options with this hook are merged, as `got.extend()` does, and removes itself, so that no request calls it. Got 11 calls it with each request only. */
export const checkGot: InitHook = (plain, self) => {
	requireSupportedGot(self);
	plain.hooks = {...plain.hooks, init: (plain.hooks?.init ?? []).filter(hook => hook !== checkGot)};
};
