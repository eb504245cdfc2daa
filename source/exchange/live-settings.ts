import {SettingError, shownText} from '../errors.ts';
import {
	fixedSettings,
	resolveSettings,
	secretSettingNames,
	statedSettings,
	type CacheSettings,
	type LiveSettings,
	type ResolvedSettings,
} from '../settings/settings.ts';

/**
Returns the settings of a client for reading and assigning while it is in use. An assignment is checked together with the other settings.

@param ofCache - The settings of a cache that other clients use as well.
@param apply - Applies changed settings.
*/
export function liveSettings(given: CacheSettings, ofCache: ReadonlySet<string>, apply: (settings: ResolvedSettings, given: CacheSettings) => void): LiveSettings {
	let own = copiedSettings(given);
	const shown = shownSettings(own);
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
	return Object.fromEntries(Object.entries(statedSettings(own)).map(([key, value]) => [key, concealed(key, copied(value))]));
}

function copiedSettings(settings: CacheSettings): CacheSettings {
	return Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, copied(value)]));
}

function concealed(key: string, value: unknown): unknown {
	if (key === 'store' && typeof value === 'string') {
		return value.includes('://') ? shownText(value) : value;
	}

	return value !== undefined && secretSettingNames.has(key) ? 'REDACTED' : value;
}

/** Copies and freezes arrays, since a change in place would not be checked. */
function copied(value: unknown): unknown {
	return Array.isArray(value) ? Object.freeze(value.map(item => copied(item))) : value;
}
