import process from 'node:process';
import {warnOnce} from '../../warnings.ts';
import {findRegistry} from '../attempt-options.ts';
import {adoptGot} from './adoption.ts';
import {configure} from './configuration.ts';
import {installCache} from './install-cache.ts';
import {registerHooks} from './module-hooks.ts';
import {createRegistry} from './process-registry.ts';

/**
Creates the registry of the process, and installs the cache that environment variables or a file configure. In a runtime without module hooks, such as Bun, it only warns.

@throws {CacheHooksError} `ERR_CACHE_CONFIG` if a setting in a variable or the file is wrong, or the file cannot be run. The message names the variable or the file.
*/
export async function register(): Promise<void> {
	if (registerHooks === undefined) {
		warnOnce('GOT_CACHE_NO_HOOKS');
		return;
	}

	if (findRegistry() !== undefined) {
		return;
	}

	adoptGot(createRegistry(), registerHooks);
	await configure(process.env, process.cwd(), installCache);
}
