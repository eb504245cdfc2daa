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
import {SettingError} from '../errors.ts';
import {Client} from '../exchange/client.ts';
import {explainRequest} from '../exchange/explain.ts';
import {runWithSettings} from '../exchange/scope.ts';
import {liveSettings} from '../exchange/settings.ts';
import {describedRequest} from '../identity/sent-request.ts';
import {parseInput, type Parser} from '../parse.ts';
import {settingsObject} from '../settings/parsers.ts';
import {
	cacheSettingNames,
	resolveRequestSettings,
	resolveSettings,
	type CacheSettings,
	type RequestSettings,
} from '../settings/settings.ts';
import {warnOnce} from '../warnings.ts';
import {findRegistry} from './attempt-options.ts';
import {ownCacheChannel, type OwnCacheMessage} from './register-channel.ts';
import {checkGot, unsupportedGot} from './supported-got.ts';
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

const clients = new WeakMap<BeforeRequestHook, CacheClient>();

/**
Returns options for `got.extend()` that give an instance a cache. The instance keeps all of its own options and hooks.

An instance that is extended twice has the cache of the later call.

@throws {TypeError} If a setting is wrong. The message names the setting, the value and the allowed values. `got.extend()` throws a `CacheHooksError` with the code `ERR_UNSUPPORTED_GOT` if it is the one of an older Got.

@example
```ts
import got from 'got';
import {cacheHooks} from 'got-cache-hooks';

const client = got.extend(cacheHooks({store: 'memory', expireAfter: '5m'}));
await client('https://api.example.com/users/1');
const {isFromCache} = await client('https://api.example.com/users/1');
console.log(isFromCache);
//=> true
```
*/
export function cacheHooks(settings: ClientSettings = {}): Pick<ExtendOptions, 'hooks'> {
	const cacheClient = createClient(settings);
	const {client} = cacheClient;
	const beforeRequest: BeforeRequestHook = (options, attempt) => {
		// As `requireSupportedGot` does: options may come here without `extend`.
		if (!('strictContentLength' in options)) {
			throw unsupportedGot(options);
		}

		if (ownCacheChannel.hasSubscribers) {
			ownCacheChannel.publish({options} satisfies OwnCacheMessage);
		}

		// With its own `cache` option, Got calls the request function in another way, and a second cache would be of no use.
		if (options.cache === undefined) {
			interceptAttempt(options as Options, client.inScope, attempt);
		} else {
			warnOnce('GOT_CACHE_TWO_CACHES');
		}
	};

	clients.set(beforeRequest, cacheClient);
	return {hooks: {init: [checkGot], beforeRequest: [beforeRequest]}};
}

/**
Returns a Got `context` with the cache settings of a request, checked and with completion. Got types `context` as a record of unknown values, which no module augmentation can change.

Use it when the instance was extended with `cacheHooks()`; one that `createCachedGot()` returns takes the settings beside Got's options, and its `context.cache` is checked by the compiler. A context that many requests use is checked once.

@throws {TypeError} When a setting is wrong.

@example
```ts
import got from 'got';
import {cacheContext, cacheHooks, cacheInfo} from 'got-cache-hooks';

const client = got.extend(cacheHooks({store: 'memory'}));
const response = await client('https://api.example.com/users/1', {context: cacheContext({expireAfter: '1m'})});
console.log(cacheInfo(response).expires !== undefined);
//=> true
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
```ts
import got from 'got';
import {cacheHooks, getCache} from 'got-cache-hooks';

const client = got.extend(cacheHooks({store: 'memory'}));
await client('https://api.example.com/users/1');
await getCache(client).clear();
console.log(await getCache(client).count());
//=> 0
```
*/
export function getCache(instance: Pick<Got, 'defaults'>): HttpCache;
export function getCache(): HttpCache | undefined;
export function getCache(instance?: Pick<Got, 'defaults'>): HttpCache | undefined {
	return instance === undefined ? findRegistry()?.current?.client.cache : requiredClient(instance, 'instance').cache;
}

/**
Returns what the exchanges of a Got instance share.

@throws {TypeError} When the instance has no cache.
*/
export function clientOfInstance(instance: unknown, path = 'instance'): Client {
	return requiredClient(instance, path).client;
}

export function clientOfHook(hook: BeforeRequestHook): CacheClient | undefined {
	return clients.get(hook);
}

/** Parses an instance of Got. */
export const gotInstance: Parser<Pick<Got, 'defaults' | 'extend'>> = {
	allowed: 'an instance of Got',
	parse(value) {
		const {defaults, extend} = new Object(value) as Partial<Got>;
		return typeof extend === 'function' && Array.isArray(defaults?.options?.hooks?.beforeRequest) ? value as Got : undefined;
	},
};

function requiredClient(instance: unknown, path: string): CacheClient {
	const {defaults} = parseInput(gotInstance, instance, path);
	const hook = defaults.options.hooks.beforeRequest.findLast(candidate => clients.has(candidate));
	const client = hook === undefined ? findRegistry()?.installedFor(defaults.options)?.client : clients.get(hook);
	if (client === undefined) {
		throw new SettingError(path, 'This instance of Got has no cache. Use the instance that `got.extend(cacheHooks())` or `createCachedGot()` returns, or install a cache with `installCache()`.');
	}

	return client;
}

/**
Creates a client with a new cache, or with the one in its settings.

@throws {SettingError} If a setting is wrong.
*/
export function createClient(clientSettings: ClientSettings): CacheClient {
	const {cache: given, ...own} = parseInput(settingsObject, clientSettings, 'cache') as ClientSettings;
	const settings = given === undefined ? own : settingsWith(given, own);
	const resolved = resolveSettings(settings);
	const cache = given ?? new HttpCache(settings);
	const client = new Client(coreOf(cache), resolved, settings);
	attachClient(cache, {
		async explain(request, requestSettings) {
			if (requestSettings !== undefined) {
				resolveRequestSettings(requestSettings, 'settings');
			}

			return explainRequest(describedRequest(request), client.settingsFor(requestSettings), client.cache);
		},
		run: (ofScope, action) => runWithSettings(ofScope, action, cache),
		settings: liveSettings(settings, given === undefined ? new Set() : cacheSettingNames, (next, stated) => {
			client.reconfigure(next, stated);
			if (given === undefined) {
				coreOf(cache).settings = next;
			}
		}),
	});
	return {client, cache};
}

/** Returns the settings of an existing cache, with the client's own over them. */
function settingsWith(cache: unknown, own: CacheSettings): CacheSettings {
	if (!(cache instanceof HttpCache)) {
		throw new SettingError('cache.cache', cache, 'an `HttpCache`');
	}

	const ofCache = Object.keys(own).find(name => own[name as keyof CacheSettings] !== undefined && cacheSettingNames.has(name));
	if (ofCache !== undefined) {
		throw new SettingError(`cache.${ofCache}`, `\`cache.${ofCache}\` cannot be set together with \`cache\`, because all clients of a cache share it. Set it where the cache is created.`);
	}

	return {...givenSettings(cache), ...own};
}
