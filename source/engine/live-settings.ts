import {SettingError} from '../errors.ts';
import {
	resolveSettings,
	statedSettings,
	type CacheSettings,
	type FixedSetting,
	type LiveSettings,
	type ResolvedSettings,
} from '../settings.ts';

const fixed: Readonly<Record<FixedSetting, string>> = {
	autoclose: 'it says whose the store is',
	cacheName: 'the store is opened with it',
	failFast: 'the store is guarded with it',
	now: 'what is stored was dated by it',
	partitionSecret: 'keys are made with it',
	store: 'responses are kept there',
	storeTimeout: 'the store is guarded with it',
};

/**
The settings of a client, to be read and assigned to while it runs. An assignment is checked as all settings are, together with those that stand.

@param apply - Takes the settings that hold from now on.
*/
export function liveSettings(given: CacheSettings, apply: (settings: ResolvedSettings) => void): LiveSettings {
	let own = copiedSettings(given);
	const shown = shownSettings(own);
	const change = (key: string | symbol, value: unknown): boolean => {
		if (typeof key === 'symbol') {
			return false;
		}

		if (Object.hasOwn(fixed, key)) {
			throw new SettingError(`cache.${key}`, hidden(key, value), `left as it is (${fixed[key as FixedSetting]}): make another client`);
		}

		const next = copiedSettings({...own, [key]: value});
		apply(resolveSettings(next));
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
	return key === 'partitionSecret' && value !== undefined ? 'REDACTED' : value;
}

/** What is not assigned is not checked: an array that was given cannot be changed in place. */
function copied(value: unknown): unknown {
	return Array.isArray(value) ? Object.freeze(value.map(item => copied(item))) : value;
}
