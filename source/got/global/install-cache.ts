import type {BeforeRequestHook, Got} from 'got';
import type {Criteria, LongTask} from '../../cache/criteria.ts';
import {HttpCache} from '../../cache/http-cache.ts';
import {CacheHooksError, SettingError} from '../../errors.ts';
import {anyFunction, parseInput} from '../../parse.ts';
import type {CacheSettings} from '../../settings/settings.ts';
import {findRegistry} from '../attempt-options.ts';
import {
	cacheHooks,
	clientOfHook,
	createClient,
	getCache,
	gotInstance,
	type CacheClient,
} from '../cache-hooks.ts';
import {ownCacheChannel} from '../register-channel.ts';
import {requireSupportedGot} from '../supported-got.ts';
import {transportFor} from '../transport.ts';
import {registerHooks} from './module-hooks.ts';
import type {Installed, ProcessRegistry} from './process-registry.ts';

/** A cache that is installed until it is uninstalled, replaced or disposed of. */
export type Installation = AsyncDisposable & {
	/** The installed cache. */
	readonly cache: HttpCache;
};

type Instance = Pick<Got, 'defaults'>;

/**
Gives all Got instances of the process a cache, including those of dependencies and those that were created before. An instance that has a cache of its own keeps it. A previously installed cache is replaced and closed.

The process must have been started with `node --import got-cache-hooks/register`. Otherwise, pass an instance that has `mutableDefaults: true`: only that one gets the cache.

@returns An object for `await using`: leaving the block uninstalls the cache and closes it.
@throws {SettingError} If a setting is wrong.
@throws {CacheHooksError} `ERR_NOT_REGISTERED` if the process was started without the register, or the register does not reach this code. `ERR_UNSUPPORTED_GOT` if the instance is of an older Got.
@throws {TypeError} If the defaults of the instance cannot be changed.

@example
```ts
import got from 'got';
import {installCache, uninstallCache} from 'got-cache-hooks';

// With `node --import got-cache-hooks/register`.
installCache({store: 'memory', expireAfter: '1h'});
await got('https://api.example.com/users/1');
const {isFromCache} = await got('https://api.example.com/users/1');
console.log(isFromCache);
//=> true

await uninstallCache();
```
*/
export function installCache(settings: CacheSettings = {}, instance?: Instance): Installation {
	return instance === undefined ? installForProcess(settings) : installForInstance(settings, instance);
}

/**
Uninstalls the cache. Requests from now on have no cache.

@param instance - The instance that was passed to `installCache`.
@returns A promise that resolves when pending writes are complete and the store is closed.
@throws What the store throws when it is closed.

@example
```ts
import {installCache, isInstalled, uninstallCache} from 'got-cache-hooks';

installCache({store: 'memory'});
await uninstallCache();
console.log(isInstalled());
//=> false
```
*/
export async function uninstallCache(instance?: Instance): Promise<void> {
	if (instance !== undefined) {
		await removeHook(parseInput(gotInstance, instance, 'instance'))?.cache.close();
		return;
	}

	const registry = findRegistry();
	const installed = registry?.ofProcess;
	registry?.install(undefined);
	await installed?.client.cache.close();
}

/**
Runs a function in whose call tree, and only there, a cache with these settings is installed instead of any other. The cache is closed when the function has finished.

@throws The errors of `installCache`, and those of the function.

@example
```ts
import got from 'got';
import {enabled} from 'got-cache-hooks';

// With `node --import got-cache-hooks/register`, as for `installCache()`.
const isFromCache = await enabled({store: 'memory'}, async () => {
	await got('https://api.example.com/users/1');
	return (await got('https://api.example.com/users/1')).isFromCache;
});
console.log(isFromCache);
//=> true
```
*/
export async function enabled<Result>(settings: CacheSettings, action: () => Result | Promise<Result>): Promise<Result> {
	parseInput(anyFunction, action, 'action');
	const registry = requireRegistry();
	const installed = toInstalled(createClient(settings));
	try {
		return await registry.run(installed, action);
	} finally {
		await installed.client.cache.close();
	}
}

/**
Runs a function in whose call tree, and only there, no cache is installed. Instances keep caches of their own, which have `cache.disabled()`.

@returns What the function returns.
@throws What the function throws.

@example
```ts
import {disabled, installCache, isInstalled, uninstallCache} from 'got-cache-hooks';

installCache({store: 'memory'});
console.log(isInstalled(), disabled(() => isInstalled()));
//=> true false

await uninstallCache();
```
*/
export function disabled<Result>(action: () => Result): Result {
	parseInput(anyFunction, action, 'action');
	const registry = findRegistry();
	return registry === undefined ? action() : registry.run(undefined, action);
}

/**
Returns whether a cache is installed for this call tree, or for an instance.

@throws {SettingError} If `instance` is not an instance of Got.

@example
```ts
import {installCache, isInstalled, uninstallCache} from 'got-cache-hooks';

installCache({store: 'memory'});
console.log(isInstalled());
//=> true

await uninstallCache();
```
*/
export function isInstalled(instance?: Instance): boolean {
	return (instance === undefined ? findRegistry()?.current : installedHook(parseInput(gotInstance, instance, 'instance'))) !== undefined;
}

/**
Deletes all entries of the installed cache, if there is one.

@throws What the store throws.

@example
```ts
import got from 'got';
import {clear, getCache, installCache, uninstallCache} from 'got-cache-hooks';

installCache({store: 'memory'});
await got('https://api.example.com/users/1');
await clear();
console.log(await getCache()!.count());
//=> 0

await uninstallCache();
```
*/
export async function clear(): Promise<void> {
	await getCache()?.clear();
}

/**
Deletes the entries of the installed cache that match any criterion, if there is one.

@returns The number of deleted entries, as in `HttpCache.delete`.
@throws The errors of `HttpCache.delete`.

@example
```ts
import got from 'got';
import {deleteResponses, installCache, uninstallCache} from 'got-cache-hooks';

installCache({store: 'memory'});
await got('https://api.example.com/users/1');
console.log(await deleteResponses({urls: ['https://api.example.com/users/1']}));
//=> 1

await uninstallCache();
```
*/
export async function deleteResponses(criteria: Criteria, task?: LongTask): Promise<number> {
	// A cache without entries checks the arguments as well.
	return (getCache() ?? new HttpCache({store: 'memory'})).delete(criteria, task);
}

function installForProcess(settings: CacheSettings): Installation {
	const registry = requireRegistry();
	const installed = toInstalled(createClient(settings));
	const previous = registry.ofProcess;
	registry.install(installed);
	closeInBackground(previous?.client);
	return {
		cache: installed.client.cache,
		[Symbol.asyncDispose]: async () => registry.ofProcess === installed ? uninstallCache() : undefined,
	};
}

function requireRegistry(): ProcessRegistry {
	const registry = findRegistry();
	if (registry === undefined) {
		throw new CacheHooksError('ERR_NOT_REGISTERED', `${reasonForNoRegistry()} Or pass an instance that has \`mutableDefaults: true\`, or extend instances with \`cacheHooks()\`.`);
	}

	return registry;
}

function reasonForNoRegistry(): string {
	if (ownCacheChannel.hasSubscribers) {
		return '`got-cache-hooks/register` does not reach this VM context, such as one of Jest or of Vitest\'s VM pools: Node.js does not load its modules. Run the code outside of it.';
	}

	return registerHooks === undefined
		? '`got-cache-hooks/register` needs `module.registerHooks()`, which this runtime does not have. Use Node.js.'
		: 'The process was started without `node --import got-cache-hooks/register`. Start it with that.';
}

function toInstalled(client: CacheClient): Installed {
	return {client, transportFor: options => transportFor(options, client.client)};
}

const installedHooks = new WeakSet<BeforeRequestHook>();

function installForInstance(settings: CacheSettings, instance: Instance): Installation {
	const {defaults} = parseInput(gotInstance, instance, 'instance');
	requireSupportedGot(defaults.options);
	if (!defaults.mutableDefaults) {
		throw new SettingError('instance', 'The defaults of `instance` cannot be changed. Create it with `mutableDefaults: true`, or use `instance.extend(cacheHooks(settings))`.');
	}

	const hook = cacheHooks(settings).hooks!.beforeRequest![0]!;
	installedHooks.add(hook);
	closeInBackground(removeHook(instance));
	beforeRequestHooks(instance).push(hook);
	return {
		cache: clientOfHook(hook)!.cache,
		[Symbol.asyncDispose]: async () => installedHook(instance) === hook ? uninstallCache(instance) : undefined,
	};
}

function beforeRequestHooks({defaults}: Instance): BeforeRequestHook[] {
	return defaults.options.hooks.beforeRequest;
}

function installedHook(instance: Instance): BeforeRequestHook | undefined {
	return beforeRequestHooks(instance).findLast(hook => installedHooks.has(hook));
}

function removeHook(instance: Instance): CacheClient | undefined {
	const hook = installedHook(instance);
	if (hook === undefined) {
		return undefined;
	}

	const hooks = beforeRequestHooks(instance);
	hooks.splice(hooks.indexOf(hook), 1);
	return clientOfHook(hook);
}

/** Closes a replaced cache. An error is a `storeError` event. */
function closeInBackground(client: CacheClient | undefined): void {
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
