import type {
	BeforeRequestHook,
	ExtendOptions,
	Got,
	Options,
} from 'got';
import type {HttpCache} from '../cache/http-cache.ts';
import {describe} from '../errors.ts';
import type {Client} from '../exchange/client.ts';
import {resolveRequestSettings, type RequestSettings} from '../settings/settings.ts';
import {findRegistry} from './attempt-options.ts';
import {createClient, type CacheClient, type ClientSettings} from './create-client.ts';
import {interceptAttempt} from './transport.ts';

export type {ClientSettings} from './create-client.ts';

const clients = new WeakMap<BeforeRequestHook, CacheClient>();

/**
Options for `got.extend()` that give an instance a cache. All of its own options and hooks stay in force.

An instance that is extended twice has the cache of the later call.

@throws {TypeError} Where a setting is wrong: it names the setting, what came, and what is allowed.

@example
```
import got from 'got';
import {cacheHooks} from 'got-cache-hooks';

const client = got.extend(cacheHooks({store: 'memory', expireAfter: '5m'}));
```
*/
export function cacheHooks(settings: ClientSettings = {}): Pick<ExtendOptions, 'hooks'> {
	const ofInstance = createClient(settings);
	const {client} = ofInstance;
	const beforeRequest: BeforeRequestHook = options => {
		// Got's own `cache` calls the request function in a way of its own; two caches in a row serve nobody.
		if (options.cache === undefined) {
			interceptAttempt(options as Options, client.here);
		}
	};

	clients.set(beforeRequest, ofInstance);
	return {hooks: {beforeRequest: [beforeRequest]}};
}

/**
Returns a Got `context` with the cache settings of a request, checked and with completion. Got types `context` as a record of unknown values, which no module augmentation can change.

Use it when the instance was extended with `cacheHooks()`; one that `createCachedGot()` returns takes the settings beside Got's options. A context that many requests use is checked once.

@throws {TypeError} When a setting is wrong.

@example
```
const response = await client('https://example.com', {context: cacheContext({expireAfter: '1m'})});
```
*/
export function cacheContext(settings: RequestSettings): {readonly cache: RequestSettings} {
	resolveRequestSettings(settings);
	return {cache: Object.freeze({...settings})};
}

/**
Returns the cache of a Got instance: its own, or else the one that is installed for the process. An instance that was extended with `cacheHooks()` twice has the cache of the later call.

Without an instance, returns the cache that is installed for this call tree or for the process; `undefined` when none is installed.

@throws {TypeError} When the instance has no cache.

@example
```
const client = got.extend(cacheHooks({store: 'memory'}));
await getCache(client).clear();
```
*/
export function getCache(instance: Pick<Got, 'defaults'>): HttpCache;
export function getCache(): HttpCache | undefined;
export function getCache(instance?: Pick<Got, 'defaults'>): HttpCache | undefined {
	return instance === undefined ? findRegistry()?.current?.client.cache : requiredClient(instance).cache;
}

/**
Returns what the exchanges of a Got instance share.

@throws {TypeError} When the instance has no cache.
*/
export function clientOfInstance(instance: Pick<Got, 'defaults'>): Client {
	return requiredClient(instance).client;
}

export function clientOfHook(hook: BeforeRequestHook): CacheClient | undefined {
	return clients.get(hook);
}

function requiredClient(instance: Pick<Got, 'defaults'>): CacheClient {
	const {defaults} = new Object(instance) as Partial<Pick<Got, 'defaults'>>;
	if (defaults === undefined) {
		throw new TypeError(`Expected an instance of Got, got ${describe(instance)}`);
	}

	const hook = defaults.options.hooks.beforeRequest.findLast(candidate => clients.has(candidate));
	const client = hook === undefined ? findRegistry()?.servingOptions(defaults.options)?.client : clients.get(hook);
	if (client === undefined) {
		throw new TypeError('This instance of Got has no cache. Use the instance that `got.extend(cacheHooks())` or `createCachedGot()` returns, or install a cache with `installCache()`.');
	}

	return client;
}
