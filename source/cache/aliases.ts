import {redactUrl, resourceOf} from '../identity/url.ts';
import type {StoredResponse} from '../model/stored-response.ts';
import type {CacheCore} from './core.ts';
import {listAll} from './listing.ts';

/** Whether an entry is not found by its URL alone: it came through a connection to another authority, or by other TLS settings than the defaults. */
export function isAlias({url, request}: StoredResponse): boolean {
	return request !== undefined && (request.trust !== undefined || request.url !== url);
}

/**
The keys of the entries that answer a GET or a HEAD of a URL, as the origin sees it, without credentials, and that the URL alone does not lead to. The store is searched only where there may be any.
*/
export async function aliasKeys(core: CacheCore, url: string): Promise<string[]> {
	if (!await core.aliases.isThere()) {
		return [];
	}

	const resource = resourceOf(redactUrl(url, core.settings.ignoredParameters));
	const keys: string[] = [];
	for await (const {key, stored} of listAll(core, {})) {
		if (stored !== undefined && isAlias(stored) && isPublicRead(stored) && resourceOf(stored.url) === resource) {
			keys.push(key);
		}
	}

	return keys;
}

function isPublicRead({method, request}: StoredResponse): boolean {
	return (method === 'GET' || method === 'HEAD') && request?.partition === undefined;
}
