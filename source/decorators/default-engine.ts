import {coreOf, givenSettings, HttpCache} from '../cache/http-cache.ts';
import {Engine} from '../exchange/engine.ts';
import {resolveSettings} from '../settings.ts';

let engine: Engine | undefined;

/** Who keeps the results of functions for which no class, and no `cache`, says where: the store of a client without settings. Nothing is opened before the first call. */
export function defaultEngine(): Engine {
	engine ??= engineOfCache(new HttpCache());
	return engine;
}

/** Who works with a cache: the client that has it, or one by the settings that it was made with. */
export function engineOfCache(cache: HttpCache): Engine {
	const core = coreOf(cache);
	const given = givenSettings(cache);
	return Engine.of(core) ?? new Engine(core, resolveSettings(given), given);
}
