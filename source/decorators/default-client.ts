import {coreOf, givenSettings, HttpCache} from '../cache/http-cache.ts';
import {Client} from '../exchange/client.ts';
import {resolveSettings} from '../settings/settings.ts';

let client: Client | undefined;

/** The client that keeps the results of functions for which no class, and no `cache`, says where: one without settings. Nothing is opened before the first call. */
export function defaultClient(): Client {
	client ??= clientOfCache(new HttpCache());
	return client;
}

/** The client that has a cache, or one by the settings that the cache was made with. */
export function clientOfCache(cache: HttpCache): Client {
	const core = coreOf(cache);
	const given = givenSettings(cache);
	return Client.of(core) ?? new Client(core, resolveSettings(given), given);
}
