import {HttpCache} from '../cache/http-cache.ts';
import {Engine} from '../engine/engine.ts';
import {resolveSettings} from '../settings.ts';

let engine: Engine | undefined;

/** Who keeps the results of functions for which no class, and no `cache`, says where: the store of a client without settings. Nothing is opened before the first call. */
export function defaultEngine(): Engine {
	const settings = resolveSettings();
	engine ??= new Engine(new HttpCache(settings), settings);
	return engine;
}

export function engineOfCache(cache: HttpCache): Engine {
	return Engine.of(cache) ?? new Engine(cache, resolveSettings());
}
