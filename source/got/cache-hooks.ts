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
import {liveSettings} from '../exchange/settings.ts';
import {runWithSettings} from '../exchange/scope.ts';
import {describedRequest} from '../identity/sent-request.ts';
import {resolveSettings, type CacheSettings} from '../settings/settings.ts';
import {findRegistry} from './attempt-options.ts';
import {interceptAttempt} from './transport.ts';

/** Settings of a client, which may be given a cache. */
export type ClientSettings = CacheSettings & {
	/** A cache that was made before, in place of one of its own: several clients may share it. Its settings hold where the client does not say otherwise. */
	readonly cache?: HttpCache | undefined;
};

/** A cache, and what the exchanges of its client share. */
export type CacheClient = {
	readonly client: Client;
	readonly cache: HttpCache;
};

/** What is settled with the cache: its store, and what its keys are made by. */
const settingsOfCache = ['store', 'cacheName', 'storeTimeout', 'failFast', 'autoclose', 'now', 'partitionSecret', 'maxBytes', 'maxEntries', 'matchHeaders', 'ignoredParameters', 'contentRootKey', 'partitionBy', 'cacheControl', 'keyFn', 'mode', 'serializer', 'decodeContent', 'lock', 'maxPendingWrites', 'maxPendingBytes', 'waitUntil'] as const;

/**
A client with its cache, which is made by the settings or given in them.

@throws {SettingError} Where a setting is wrong.
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

/** The settings of a client whose cache was given: those of the cache, with the client's own above them. */
function settingsWith(cache: unknown, own: CacheSettings): CacheSettings {
	if (!(cache instanceof HttpCache)) {
		throw new SettingError('cache.cache', cache, 'an HttpCache');
	}

	for (const name of settingsOfCache) {
		if (own[name] !== undefined) {
			throw new SettingError(`cache.${name}`, own[name], 'absent, since `cache` is given: it is a setting of that');
		}
	}

	return {...givenSettings(cache), ...own};
}

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
			interceptAttempt(options as Options, client.inScope);
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
	return hook === undefined ? findRegistry()?.installedFor(options)?.client : clients.get(hook);
}
