import {HttpCache} from '../cache/http-cache.ts';
import {Engine} from '../engine/engine.ts';
import {liveSettings} from '../engine/live-settings.ts';
import {runWithSettings} from '../engine/scope.ts';
import {resolveSettings, type CacheSettings} from '../settings.ts';

/**
A cache and the engine that serves a client from it.

@throws {SettingError} Where a setting is wrong.
*/
export function createEngine(settings: CacheSettings): Engine {
	const resolved = resolveSettings(settings);
	const cache = new HttpCache(resolved);
	const engine = new Engine(cache, resolved);
	cache.attach({
		run: (own, action) => runWithSettings(own, action, cache),
		settings: liveSettings(settings, next => {
			engine.reconfigure(next);
		}),
		keys: () => engine.settings,
	});
	return engine;
}
