import {SettingError, shownText} from '../errors.ts';
import {resolveSettings, statedSettings, type CacheSettings, type FixedSetting, type LiveSettings, type ResolvedSettings, type ResolvedRequestSettings} from '../settings/settings.ts';
import type {KeySettingsOfCache} from '../identity/types.ts';
import type {MaybePromise} from '../maybe-promise.ts';
import {settingsOfMode} from '../policy/modes.ts';
import type {PolicySettings} from '../policy/types.ts';

const fixed: Readonly<Record<FixedSetting, string>> = {
	autoclose: 'it says whose the store is',
	cacheName: 'the store is opened with it',
	failFast: 'the store is guarded with it',
	now: 'what is stored was dated by it',
	partitionSecret: 'keys are made with it',
	store: 'responses are kept there',
	storeTimeout: 'the store is guarded with it',
	serializer: 'what is stored was written by it',
	decodeContent: 'what is stored was written by it',
	maxBytes: 'the store is opened with it',
	maxEntries: 'the store is opened with it',
	maxEntryBytes: 'what is stored is read within its bounds',
	maxPendingBytes: 'the queue of writes is made with it',
	maxPendingWrites: 'the queue of writes is made with it',
	maxRefreshes: 'the work in the background is bounded with it',
	lock: 'other processes go by it',
	mode: 'what is stored was recorded by it',
};

/**
The settings of a client, to be read and assigned to while it runs. An assignment is checked as all settings are, together with those that stand.

@param ofCache - Settings of a cache that was made before the client.
@param apply - Takes the settings that hold from now on.
*/
export function liveSettings(given: CacheSettings, ofCache: readonly string[], apply: (settings: ResolvedSettings, given: CacheSettings) => void): LiveSettings {
	let own = copiedSettings(given);
	const shown = shownSettings(own);
	const change = (key: string | symbol, value: unknown): boolean => {
		if (typeof key === 'symbol') {
			return false;
		}

		if (Object.hasOwn(fixed, key)) {
			throw new SettingError(`cache.${key}`, hidden(key, value), `left as it is (${fixed[key as FixedSetting]}): make another client`);
		}

		if (ofCache.includes(key)) {
			throw new SettingError(`cache.${key}`, hidden(key, value), 'left as it is: it is a setting of the cache that was given');
		}

		const next = copiedSettings({...own, [key]: value});
		apply(resolveSettings(next), next);
		own = next;
		Object.assign(shown, shownSettings(own));
		return true;
	};

	return new Proxy(shown, {
		set: (_target, key, value) => change(key, value),
		deleteProperty: (_target, key) => change(key, undefined),
		defineProperty: () => false,
	}) as LiveSettings;
}

function shownSettings(own: CacheSettings): Record<string, unknown> {
	return Object.fromEntries(Object.entries(statedSettings(own)).map(([key, value]) => [key, hidden(key, copied(value))]));
}

function copiedSettings(settings: CacheSettings): CacheSettings {
	return Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, copied(value)]));
}

function hidden(key: string, value: unknown): unknown {
	if (key === 'store' && typeof value === 'string') {
		return value.includes('://') ? shownText(value) : value;
	}

	return key === 'partitionSecret' && value !== undefined ? 'REDACTED' : value;
}

/** What is not assigned is not checked: an array that was given cannot be changed in place. */
function copied(value: unknown): unknown {
	return Array.isArray(value) ? Object.freeze(value.map(item => copied(item))) : value;
}

/**
The settings that hold for one exchange.
*/
export type ExchangeSettings = PolicySettings & KeySettingsOfCache & Pick<ResolvedSettings, 'cacheStatus' | 'failFast' | 'filterFn' | 'maxEntryBytes' | 'mode' | 'now' | 'singleFlight' | 'staleIfErrorAfter' | 'storeEncoded' | 'storeSetCookie' | 'storeTimeout' | 'tags' | 'trust'> & {
	/** Gives the secret of the digests of credentials. */
	readonly secret: () => MaybePromise<string | Uint8Array>;

	/** The tags of the request, beside those of the client. */
	readonly requestTags: readonly string[];

	/** Whether nobody waits for the response. */
	readonly background?: boolean;
};

/**
The client's settings with the request's own above them. `expireAfter` is kept apart, since URL patterns stand between.
*/
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

/** The setting whose fault it is where a key cannot be made. */
export function settingOfKey({keyFn, partitionBy}: ExchangeSettings): 'keyFn' | 'partitionBy' {
	return keyFn === undefined && typeof partitionBy === 'function' ? 'partitionBy' : 'keyFn';
}
