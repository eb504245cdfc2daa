import {identify} from '../identity/identify.ts';
import {redactUrl, resourceOf} from '../identity/references.ts';
import {
	connectionUrl,
	isTargetHeader,
	targetParts,
	type SentRequest,
} from '../identity/sent-request.ts';
import {fieldsOf, type StoredRequest, type StoredResponse} from '../entry/stored-response.ts';
import type {Fields} from '../policy/fields.ts';
import {isAlias, targetFields} from './compose-response.ts';
import type {CacheCore} from './core.ts';
import {listAll} from './listing.ts';

/** A request that is asked for: by the URL that the origin sees, or as it is sent. */
type Asked = {
	readonly request: SentRequest;
	readonly isByUrl: boolean;
};

/**
The keys of the entries that answer one of these requests, and whose TLS settings it does not name; of those that are asked for by URL, those that came through another connection as well. The store is searched only where there may be any.
*/
export async function aliasKeys(core: CacheCore, asked: readonly Asked[]): Promise<string[]> {
	if (asked.length === 0 || !await core.aliases.isThere()) {
		return [];
	}

	const {settings, secret} = core;
	const byResource = Map.groupBy(asked, ({request}) => resourceOf(redactUrl(request.targetUrl, settings.ignoredParameters)));
	const keys: string[] = [];
	for await (const {key, stored} of listAll(core, {})) {
		// A variant is found through its primary entry.
		if (stored?.request === undefined || stored.primary !== undefined || !isAlias(stored)) {
			continue;
		}

		for (const {request, isByUrl} of byResource.get(resourceOf(stored.url)) ?? []) {
			const alias = isByUrl ? throughItsConnection(request, stored.request) : {...request, trust: stored.request.trust};
			if (await identify(alias, settings).key(secret) === key) { // eslint-disable-line no-await-in-loop -- As the entries come.
				keys.push(key);
			}
		}
	}

	return keys;
}

/** A request as it would be sent to the same target in the way that a stored one was. */
function throughItsConnection(request: SentRequest, stored: StoredRequest): SentRequest {
	return {
		...request,
		url: connectionUrl(request.targetUrl, stored.url),
		fields: {...request.fields, ...targetFields(stored)},
		trust: stored.trust,
	};
}
