import type {
	BeforeRequestHook,
	ExtendOptions,
	Got,
	Options,
} from 'got';
import {
	attach,
	coreOf,
	givenSettings,
	HttpCache,
} from '../cache/http-cache.ts';
import {SettingError} from '../errors.ts';
import {Client} from '../exchange/client.ts';
import {explainRequest} from '../exchange/explain.ts';
import {runWithSettings} from '../exchange/scope.ts';
import {liveSettings} from '../exchange/settings.ts';
import {describedRequest} from '../identity/sent-request.ts';
import {resolveSettings, type CacheSettings} from '../settings/settings.ts';
import {findRegistry} from './attempt-options.ts';
import {interceptAttempt} from './transport.ts';

/** The settings of a client, which may use an existing cache. */
export type ClientSettings = CacheSettings & {
	/** An existing cache to use, which several clients may share. Its settings hold where the client's own do not say otherwise. Default: a new cache. */
	readonly cache?: HttpCache | undefined;
};

/** A cache, and the client for its exchanges. */
export type CacheClient = {
	readonly client: Client;
	readonly cache: HttpCache;
};

/** The settings of a cache that cannot change for one of its clients. */
const settingsOfCache = ['store', 'cacheName', 'storeTimeout', 'failFast', 'autoclose', 'now', 'partitionSecret', 'maxBytes', 'maxEntries', 'matchHeaders', 'ignoredParameters', 'contentRootKey', 'partitionBy', 'cacheControl', 'keyFn', 'mode', 'serializer', 'decodeContent', 'lock', 'maxPendingWrites', 'maxPendingBytes', 'waitUntil'] as const;

const clients = new WeakMap<BeforeRequestHook, CacheClient>();

/**
Returns options for `got.extend()` that give an instance a cache. The instance keeps all of its own options and hooks.

An instance that is extended twice has the cache of the later call.

@throws {TypeError} If a setting is wrong. The message names the setting, the value and the allowed values.

@example
```
import got from 'got';
import {cacheHooks} from 'got-cache-hooks';

const client = got.extend(cacheHooks({store: 'memory', expireAfter: '5m'}));
```
*/
export function cacheHooks(settings: ClientSettings = {}): Pick<ExtendOptions, 'hooks'> {
	const cacheClient = createClient(settings);
	const {client} = cacheClient;
	const beforeRequest: BeforeRequestHook = options => {
		// With its own `cache` option, Got calls the request function in another way, and a second cache would be of no use.
		if (options.cache === undefined) {
			interceptAttempt(options as Options, client.inScope);
		}
	};

	clients.set(beforeRequest, cacheClient);
	return {hooks: {beforeRequest: [beforeRequest]}};
}

/**
Returns the cache of a Got instance: that of the last call if it was extended twice, otherwise the one that is installed for the process. Without an instance, returns the cache that is installed for this call tree or the process.

@returns `undefined` if there is none.
*/
export function getCache(instance?: Pick<Got, 'defaults'>): HttpCache | undefined {
	return (instance === undefined ? findRegistry()?.current?.client : clientOf(instance))?.cache;
}

/** Returns the client of a Got instance. */
export function clientOfInstance(instance: Pick<Got, 'defaults'>): Client | undefined {
	return clientOf(instance)?.client;
}

export function clientOfHook(hook: BeforeRequestHook): CacheClient | undefined {
	return clients.get(hook);
}

function clientOf({defaults: {options}}: Pick<Got, 'defaults'>): CacheClient | undefined {
	const hook = options.hooks.beforeRequest.findLast(candidate => clients.has(candidate));
	return hook === undefined ? findRegistry()?.installedFor(options)?.client : clients.get(hook);
}

/**
Creates a client with a new cache, or with the one in its settings.

@throws {SettingError} If a setting is wrong.
*/
export function createClient({cache: given, ...own}: ClientSettings): CacheClient {
	const settings = given === undefined ? own : settingsWith(given, own);
	const resolved = resolveSettings(settings);
	const cache = given ?? new HttpCache(settings);
	const client = new Client(coreOf(cache), resolved, settings);
	attach(cache, {
		explain: async (request, requestSettings) => explainRequest(describedRequest(request), client.settingsFor(requestSettings), client.cache),
		run: (ofScope, action) => runWithSettings(ofScope, action, cache),
		settings: liveSettings(settings, given === undefined ? [] : settingsOfCache, (next, stated) => {
			client.reconfigure(next, stated);
			if (given === undefined) {
				coreOf(cache).reconfigure(next);
			}
		}),
	});
	return {client, cache};
}

/** Returns the settings of an existing cache, with the client's own over them. */
function settingsWith(cache: unknown, own: CacheSettings): CacheSettings {
	if (!(cache instanceof HttpCache)) {
		throw new SettingError('cache.cache', cache, 'an HttpCache');
	}

	for (const name of settingsOfCache) {
		if (own[name] !== undefined) {
			throw new SettingError(`cache.${name}`, own[name], 'left out, since it is a setting of the given `cache`');
		}
	}

	return {...givenSettings(cache), ...own};
}
