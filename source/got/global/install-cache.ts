import type {BeforeRequestHook, Got} from 'got';
import type {CacheSettings} from '../../settings/settings.ts';
import {
	cacheHooks,
	clientOfHook,
	type CacheClient,
	getCache,
	createClient,
	type ClientSettings,
} from '../cache-hooks.ts';
import type {HttpCache} from '../../cache/http-cache.ts';
import type {Criteria} from '../../cache/criteria.ts';
import type {LongTask} from '../../cache/listing.ts';
import {CacheHooksError} from '../../errors.ts';
import {transportFor} from '../transport.ts';
import {findRegistry} from '../attempt-options.ts';
import type {Installed, ProcessRegistry} from './process-registry.ts';

export type Instance = Pick<Got, 'defaults'>;

const hooksOfInstallations = new WeakSet<BeforeRequestHook>();

/**
Gives one instance a cache whose hook can be taken out again.

@throws {TypeError} Where the hooks of the instance cannot be changed.
*/
export function installForInstance(settings: CacheSettings, instance: Instance): Installation {
	if (!instance.defaults.mutableDefaults) {
		throw new TypeError('Expected an instance with `mutableDefaults: true`, whose hooks can be changed; others take `instance.extend(cacheHooks(settings))`');
	}

	const {hooks} = cacheHooks(settings);
	const hook = hooks!.beforeRequest![0]!;
	hooksOfInstallations.add(hook);
	closeInBackground(removeHook(instance));
	beforeRequest(instance).push(hook);
	return installation(clientOfHook(hook)!, async () => installedHook(instance) === hook ? uninstallFromInstance(instance) : undefined);
}

function beforeRequest({defaults}: Instance): BeforeRequestHook[] {
	return defaults.options.hooks.beforeRequest;
}

/** The hook of what is installed for an instance. */
export function installedHook(instance: Instance): BeforeRequestHook | undefined {
	return beforeRequest(instance).findLast(hook => hooksOfInstallations.has(hook));
}

export async function uninstallFromInstance(instance: Instance): Promise<void> {
	await removeHook(instance)?.cache.close();
}

function removeHook(instance: Instance): CacheClient | undefined {
	const hook = installedHook(instance);
	if (hook === undefined) {
		return undefined;
	}

	const hooks = beforeRequest(instance);
	hooks.splice(hooks.indexOf(hook), 1);
	return clientOfHook(hook);
}

/**
A cache that is installed until it is uninstalled, replaced or disposed of.
*/
export type Installation = AsyncDisposable & {
	readonly cache: HttpCache;
};

export function installation({cache}: CacheClient, uninstall: () => Promise<void>): Installation {
	return {cache, [Symbol.asyncDispose]: uninstall};
}

/** Closes what nobody waits for any more. */
export function closeInBackground(client: CacheClient | undefined): void {
	if (client !== undefined) {
		void closeReporting(client);
	}
}

async function closeReporting({cache, client}: CacheClient): Promise<void> {
	try {
		await cache.close();
	} catch (error) {
		client.cache.events.emit('storeError', {operation: 'close', error});
	}
}

/**
Gives all Got instances of the process a cache: those of dependencies, and those that were made before, too. An instance that has a cache of its own keeps that. What was installed before is replaced, and closed.

The process must have been started with `node --import got-cache-hooks/register`. Without that, name an instance that has `mutableDefaults: true`: it alone gets the cache.

@returns What `await using` takes: leaving the block uninstalls the cache and closes it.
@throws {SettingError} Where a setting is wrong.
@throws {CacheHooksError} `ERR_NOT_REGISTERED` where the process was started without the register.
@throws {TypeError} Where the defaults of the instance cannot be changed.

@example
```
installCache({expireAfter: '1h'});
```
*/
export function installCache(settings: CacheSettings = {}, instance?: Instance): Installation {
	return instance === undefined ? installForProcess(settings) : installForInstance(settings, instance);
}

/**
Takes the cache away: from now on requests go out as if there had never been one.

@param instance - The one that was named to `installCache`.
@returns When what was under way is written, and the store is closed.
*/
export async function uninstallCache(instance?: Instance): Promise<void> {
	if (instance !== undefined) {
		await uninstallFromInstance(instance);
		return;
	}

	const registry = findRegistry();
	const installed = registry?.ofProcess;
	registry?.install(undefined);
	await installed?.client.cache.close();
}

/**
Runs a function in whose call tree, and only there, a cache with these settings is installed: whatever is installed around it. It is closed when the function is done.

@throws As `installCache`, and what the function throws.
*/
export async function enabled<Result>(settings: CacheSettings, action: () => Result | Promise<Result>): Promise<Result> {
	const registry = requireRegistry();
	const installed = toInstalled(createClient(settings));
	try {
		return await registry.run(installed, action);
	} finally {
		await installed.client.cache.close();
	}
}

/**
Runs a function in whose call tree, and only there, nothing is installed. Caches of instances are not concerned: they have `cache.disabled()`.

@returns What the function returns.
*/
export function disabled<Result>(action: () => Result): Result {
	const registry = findRegistry();
	return registry === undefined ? action() : registry.run(undefined, action);
}

/** Whether a cache is installed for this call tree, or for an instance. */
export function isInstalled(instance?: Instance): boolean {
	return (instance === undefined ? findRegistry()?.current : installedHook(instance)) !== undefined;
}

/** Deletes everything that the installed cache has stored; nothing where none is installed. */
export async function clear(): Promise<void> {
	await getCache()?.clear();
}

/**
Deletes from the installed cache what any of the criteria means: as `delete` of `HttpCache`, whose result it has. Nothing is deleted where none is installed.
*/
export async function deleteResponses(criteria: Criteria, task?: LongTask): Promise<number> {
	return await getCache()?.delete(criteria, task) ?? 0;
}

function installForProcess(settings: CacheSettings): Installation {
	const registry = requireRegistry();
	const installed = toInstalled(createClient(settings));
	const former = registry.ofProcess;
	registry.install(installed);
	closeInBackground(former?.client);
	return installation(installed.client, async () => registry.ofProcess === installed ? uninstallCache() : undefined);
}

function requireRegistry(): ProcessRegistry {
	const registry = findRegistry();
	if (registry === undefined) {
		throw new CacheHooksError('ERR_NOT_REGISTERED', 'The process was started without `node --import got-cache-hooks/register`: start it so, or name an instance that has `mutableDefaults: true`');
	}

	return registry;
}

function toInstalled(client: CacheClient): Installed {
	return {client, transportFor: options => transportFor(options, client.client)};
}
