import {SettingError, shownText} from '../errors.ts';
import {settingOfFailure} from '../identity/key.ts';
import type {KeySettingsOfCache} from '../identity/key-parts.ts';
import type {MaybePromise} from '../maybe-promise.ts';
import {settingsOfMode} from '../policy/modes.ts';
import type {PolicySettings} from '../policy/types.ts';
import {
	fixedSettings,
	resolveSettings,
	secretSettingNames,
	statedSettings,
	type CacheSettings,
	type LiveSettings,
	type ResolvedRequestSettings,
	type ResolvedSettings,
} from '../settings/settings.ts';

/** The settings of one exchange. */
export type ExchangeSettings = PolicySettings & KeySettingsOfCache & Pick<ResolvedSettings, 'cacheStatus' | 'failFast' | 'filterFn' | 'maxEntryBytes' | 'now' | 'singleFlight' | 'staleIfErrorAfter' | 'storeEncoded' | 'storeSetCookie' | 'storeTimeout' | 'tags' | 'trust'> & {
	/** Returns the secret for the digests of credentials. */
	readonly secret: () => MaybePromise<string | Uint8Array>;

	/** The tags of the request, in addition to those of the client. */
	readonly requestTags: readonly string[];

	/** Whether the request is a refresh, whose response no caller waits for. */
	readonly background?: boolean;
};

/** Returns the settings of a request: its own take precedence over those of the client. `expireAfter` stays separate, since URL patterns come between the two. */
export function exchangeSettings(client: ResolvedSettings, {expireAfter, tags: requestTags = [], ...own}: ResolvedRequestSettings, cache: Pick<ExchangeSettings, 'secret'> & {readonly isReadOnly: boolean}): ExchangeSettings {
	return {
		...client,
		...own,
		refresh: own.refresh ?? false,
		forceRefresh: own.forceRefresh ?? false,
		requestExpireAfter: expireAfter,
		requestTags,
		secret: cache.secret,
		...settingsOfMode(client.mode),
		...(cache.isReadOnly && {readOnly: true}),
	};
}

/** Returns the setting that an event names if a key cannot be made. */
export function settingOfKey(error: unknown, {keyFn, partitionBy}: ExchangeSettings): string {
	return settingOfFailure(error) ?? (keyFn === undefined && typeof partitionBy === 'function' ? 'partitionBy' : 'keyFn');
}

/**
Returns the settings of a client, to read and assign while it runs. An assignment is checked together with the other settings, as in the constructor.

@param ofCache - The settings of a cache that was passed to the client.
@param apply - Called with the settings that hold from now on.
*/
export function liveSettings(given: CacheSettings, ofCache: ReadonlySet<string>, apply: (settings: ResolvedSettings, given: CacheSettings) => void): LiveSettings {
	let own = copySettings(given);
	const visible = visibleSettings(own);
	const change = (key: string | symbol, value: unknown): boolean => {
		if (typeof key === 'symbol') {
			return false;
		}

		const reason = fixedSettings.get(key);
		if (reason !== undefined) {
			throw new SettingError(`cache.${key}`, `\`cache.${key}\` cannot be changed, because ${reason}. Create another client.`);
		}

		if (ofCache.has(key)) {
			throw new SettingError(`cache.${key}`, `\`cache.${key}\` cannot be changed for one client, because all clients of the cache share it. Create another cache.`);
		}

		const next = copySettings({...own, [key]: value});
		apply(resolveSettings(next), next);
		own = next;
		Object.assign(visible, visibleSettings(own));
		return true;
	};

	return new Proxy(visible, {
		set: (_target, key, value) => change(key, value),
		deleteProperty: (_target, key) => change(key, undefined),
		defineProperty: () => false,
	}) as LiveSettings;
}

function visibleSettings(own: CacheSettings): Record<string, unknown> {
	return Object.fromEntries(Object.entries(statedSettings(own)).map(([key, value]) => [key, redactSetting(key, copyArrays(value))]));
}

function copySettings(settings: CacheSettings): CacheSettings {
	return Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, copyArrays(value)]));
}

function redactSetting(key: string, value: unknown): unknown {
	if (key === 'store' && typeof value === 'string') {
		return value.includes('://') ? shownText(value) : value;
	}

	return value !== undefined && secretSettingNames.has(key) ? 'REDACTED' : value;
}

/** Copies and freezes arrays: a change in place would not be checked. */
function copyArrays(value: unknown): unknown {
	return Array.isArray(value) ? Object.freeze(value.map(item => copyArrays(item))) : value;
}
