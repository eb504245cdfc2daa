import process from 'node:process';
import {adoptGot} from './adopt-got.ts';
import {configure} from './configuration.ts';
import {installCache} from './install-cache.ts';
import {createRegistry} from './process-registry.ts';

/**
Creates the registry of the process, and installs what the environment or a file configures.

@throws {CacheHooksError} `ERR_CACHE_CONFIG` where a setting in a variable or the file is wrong, or the file cannot be run: it names the variable or the file.
*/
export async function register(): Promise<void> {
	if (createRegistry() === undefined) {
		return;
	}

	adoptGot();
	await configure(process.env, process.cwd(), installCache);
}
