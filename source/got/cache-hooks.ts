import type {
	BeforeRequestHook,
	ExtendOptions,
	Got,
	Options,
} from 'got';
import {
	attachClient,
	coreOf,
	givenSettings,
	HttpCache,
} from '../cache/http-cache.ts';
import {describe, SettingError} from '../errors.ts';
import {Client} from '../exchange/client.ts';
import {explainRequest} from '../exchange/explain.ts';
import {liveSettings} from '../exchange/settings.ts';
import {runWithSettings} from '../exchange/scope.ts';
import {describedRequest} from '../identity/sent-request.ts';
import {
	resolveRequestSettings,
	resolveSettings,
	type CacheSettings,
	type RequestSettings,
} from '../settings/settings.ts';
import {findRegistry} from './global/process-registry.ts';
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
	attachClient(cache, {
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
	const client = hook === undefined ? findRegistry()?.installedFor(defaults.options)?.client : clients.get(hook);
	if (client === undefined) {
		throw new TypeError('This instance of Got has no cache. Use the instance that `got.extend(cacheHooks())` or `createCachedGot()` returns, or install a cache with `installCache()`.');
	}

	return client;
}
