import {inspect, isDeepStrictEqual, type InspectOptions} from 'node:util';
import {shownText} from '../errors.ts';
import {describeBytes, describeDuration} from '../entry/cached-response.ts';
import {secretSettingNames, statedSettings, type CacheSettings} from '../settings/settings.ts';
import type {Store} from '../stores/types.ts';
import type {CacheStats} from './types.ts';

/** Returns a cache in one line or a few: its store, and the settings that differ from the defaults. Credentials are `REDACTED`. */
export function inspectedCache(store: Store, settings: CacheSettings, options: InspectOptions): string {
	if ((options.depth ?? 0) < 0) {
		return '[HttpCache]';
	}

	const {store: setting, ...others} = settings;
	const place = store.path ?? (typeof setting === 'string' && setting.includes('://') ? shownText(setting) : '');
	const defaults: Readonly<Record<string, unknown>> = {...statedSettings({cacheControl: settings.cacheControl}), cacheControl: false};
	const different = Object.entries(others).filter(([name, value]) => value !== undefined && !isDeepStrictEqual(value, defaults[name]));
	const shown = {store: `${store.name} ${place}`.trim(), ...Object.fromEntries(different.map(([name, value]) => [name, shownSetting(name, value)]))};
	return `HttpCache ${inspect(shown, {...options, depth: 3})}`;
}

/** The stages of a serializer may have keys. */
function shownSetting(name: string, value: unknown): unknown {
	if (secretSettingNames.has(name)) {
		return 'REDACTED';
	}

	return name === 'serializer' && typeof value !== 'string' ? 'a serializer' : value;
}

/** Returns what a cache has done as figures in a few lines. */
export function inspectedStats(stats: CacheStats): string {
	const {hits, stale, revalidated, misses, missesByReason, bypassed, stored, refused, refusedByReason, evicted, errors} = stats;
	const answers = hits + stale + revalidated + misses;
	const part = answers === 0 ? '' : `: ${Math.round((hits + stale + revalidated) / answers * 100)} % from the cache`;
	return [
		`CacheStats since ${stats.since.toISOString()}`,
		`  answers    ${hits} hits, ${stale} stale, ${revalidated} revalidated, ${misses} misses${byReason(missesByReason)}, ${bypassed} bypassed${part}`,
		`  responses  ${stored} stored, ${refused} refused${byReason(refusedByReason)}, ${evicted} evicted`,
		`  saved      ${describeBytes(stats.bytesSaved)}, ${describeDuration(stats.millisecondsSaved)}`,
		`  store      ${errors} errors, circuit ${stats.circuit}`,
	].join('\n');
}

function byReason(counts: Readonly<Record<string, number>>): string {
	const listed = Object.entries(counts).map(([reason, count]) => `${reason} ${count}`);
	return listed.length === 0 ? '' : ` (${listed.join(', ')})`;
}
