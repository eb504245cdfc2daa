import type {
	BeforeRequestHook,
	ExtendOptions,
	Got,
	Options,
} from 'got';
import type {HttpCache} from '../cache/http-cache.ts';
import type {Client} from '../exchange/client.ts';
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
The cache of a Got instance: its own, of the last call if it was extended twice, else the one that is installed for the process. Without an instance, the one that is installed for this call tree or the process.

@returns `undefined` where there is none.
*/
export function getCache(instance?: Pick<Got, 'defaults'>): HttpCache | undefined {
	return (instance === undefined ? findRegistry()?.current?.client : clientOf(instance))?.cache;
}

/** What the exchanges of a Got instance share. */
export function clientOfInstance(instance: Pick<Got, 'defaults'>): Client | undefined {
	return clientOf(instance)?.client;
}

export function clientOfHook(hook: BeforeRequestHook): CacheClient | undefined {
	return clients.get(hook);
}

function clientOf({defaults: {options}}: Pick<Got, 'defaults'>): CacheClient | undefined {
	const hook = options.hooks.beforeRequest.findLast(candidate => clients.has(candidate));
	return hook === undefined ? findRegistry()?.servingOptions(options)?.client : clients.get(hook);
}
