import process from 'node:process';
import type {MaybePromise} from './maybe-promise.ts';

/**
Whether this module is in a bundle, or in a runtime that does not say where a package lies. A bundle may contain an optional package or not, and the packages that are installed beside it say nothing about that: only the import itself shows it.
*/
function isBundled(): boolean {
	try {
		return !import.meta.url.startsWith(new URL('.', import.meta.resolve('got-cache-hooks/package.json')).href);
	} catch {
		return true;
	}
}

/**
Returns the error of a package that is not installed, or `undefined`. It is `undefined` in a bundle as well, where only the import of the package shows whether it is there.
*/
export function resolutionError(packageName: string): unknown {
	try {
		import.meta.resolve(packageName);
		return undefined;
	} catch (error) {
		return isBundled() ? undefined : error;
	}
}

/** Whether the error of an import says that the package, or one that it needs, is not installed. */
export function isMissing(error: unknown): boolean {
	const {code} = new Object(error) as {readonly code?: unknown};
	return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
}

/**
Loads an optional package at once, so that its stages are synchronous. In a bundle, the first call of the returned function imports it.

@param load - Imports the package, inside of `try`: bundlers then accept that it is not installed.
@throws `MODULE_NOT_FOUND` if the package is not installed.
*/
export function optionalPackage<Module extends object>(packageName: string, load: () => Promise<Module>): () => MaybePromise<Module> {
	if (isBundled()) {
		let loaded: MaybePromise<Module> | undefined;
		return () => {
			loaded ??= load().then(module => {
				loaded = module;
				return module;
			});
			return loaded;
		};
	}

	// Not at the top of the module, since `import.meta.url` is not defined in a CommonJS bundle.
	const module = process.getBuiltinModule('node:module').createRequire(import.meta.url)(packageName) as Module;
	return () => module;
}
