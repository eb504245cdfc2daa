import {
	attach,
	coreOf,
	givenSettings,
	HttpCache,
} from '../cache/http-cache.ts';
import {SettingError} from '../errors.ts';
import {Client} from '../exchange/client.ts';
import {explainRequest} from '../exchange/explain.ts';
import {liveSettings} from '../exchange/live-settings.ts';
import {runWithSettings} from '../exchange/scope.ts';
import {describedRequest} from '../identity/sent-request.ts';
import {cacheSettingNames, resolveSettings, type CacheSettings} from '../settings/settings.ts';

/** The settings of a client, and optionally the cache that it uses. */
export type ClientSettings = CacheSettings & {
	/**
	The cache to use instead of a new one. Its settings apply unless the client has its own.

	Use it when several clients should share a cache.
	*/
	readonly cache?: HttpCache | undefined;
};

/** A cache, and what the exchanges of its client have in common. */
export type CacheClient = {
	readonly client: Client;
	readonly cache: HttpCache;
};

/**
Creates a client with its cache, unless the settings contain one.

@throws {SettingError} When a setting is wrong.
*/
export function createClient({cache: given, ...own}: ClientSettings): CacheClient {
	const settings = given === undefined ? own : settingsWith(given, own);
	const resolved = resolveSettings(settings);
	const cache = given ?? new HttpCache(settings);
	const client = new Client(coreOf(cache), resolved, settings);
	attach(cache, {
		explain: async (request, requestSettings) => explainRequest(describedRequest(request), client.settingsFor(requestSettings), client.cache),
		run: (ofScope, action) => runWithSettings(ofScope, action, cache),
		settings: liveSettings(settings, given === undefined ? new Set() : cacheSettingNames, (next, stated) => {
			client.reconfigure(next, stated);
			if (given === undefined) {
				coreOf(cache).reconfigure(next);
			}
		}),
	});
	return {client, cache};
}

/** Returns the settings of a client whose cache was given: the client's own, and otherwise those of the cache. */
function settingsWith(cache: unknown, own: CacheSettings): CacheSettings {
	if (!(cache instanceof HttpCache)) {
		throw new SettingError('cache.cache', cache, 'an HttpCache');
	}

	const ofCache = Object.entries(own).find(([name, value]) => value !== undefined && cacheSettingNames.has(name));
	if (ofCache !== undefined) {
		const [name] = ofCache;
		throw new SettingError(`cache.${name}`, `\`cache.${name}\` cannot be set together with \`cache\`, because all clients of a cache share it. Set it where the cache is created.`);
	}

	return {...givenSettings(cache), ...own};
}
