import {SettingError} from '../errors.ts';
import {parseInput, text} from '../parse.ts';
import {identify} from '../identity/identify.ts';
import {redactUrl, resourceOf} from '../identity/references.ts';
import {
	connectionUrl,
	describedRequest,
	type DescribedRequest,
	type SentRequest,
} from '../identity/sent-request.ts';
import type {StoredRequest} from '../entry/stored-response.ts';
import {isAlias, targetFields} from './compose-response.ts';
import type {CacheCore} from './core.ts';
import type {NamedRequest} from './criteria.ts';
import {listAll, readReachable, type ListedEntry} from './listing.ts';

/** One entry: by its key, its URL, or the request that it answers. */
export type Target =
	| {readonly key: string}
	| {readonly url: string | URL}
	| {readonly request: DescribedRequest};

/**
Finds the entry of a target, fresh or not.

@throws {TypeError} Where the target is none.
*/
export async function findTarget(core: CacheCore, target: Target): Promise<ListedEntry | undefined> {
	const named = checkedTarget(target);
	if (typeof named === 'string') {
		const stored = await readReachable(core, named);
		return stored && {key: named, stored};
	}

	const primary = await identify(named.request, core.settings).key(core.secret);
	return await firstMatch(core, primary === undefined ? [] : [primary], named) ?? firstMatch(core, await aliasKeys(core, [named]), named);
}

async function firstMatch(core: CacheCore, keys: readonly string[], {request}: NamedRequest): Promise<ListedEntry | undefined> {
	for (const key of keys) {
		const match = await core.managedVariants.match(key, request.fields); // eslint-disable-line no-await-in-loop -- Only the first match is needed.
		const stored = match.stored && await core.applyInvalidations(match.stored); // eslint-disable-line no-await-in-loop
		if (stored !== undefined && match.stored !== undefined) {
			return {key: match.key, stored};
		}
	}

	return undefined;
}

/** Returns the keys of the entries that answer one of the requests. */
export async function keysOf(core: CacheCore, asked: readonly NamedRequest[]): Promise<string[]> {
	const keys = await Promise.all(asked.map(async ({request}) => identify(request, core.settings).key(core.secret)));
	return [...keys.filter(key => key !== undefined), ...await aliasKeys(core, asked)];
}

/**
Returns the keys of the entries that answer one of the requests, but have TLS settings that the request does not name, or, for a request by URL, came through another connection. The store is searched only where there may be any.
*/
async function aliasKeys(core: CacheCore, asked: readonly NamedRequest[]): Promise<string[]> {
	if (asked.length === 0 || !await core.aliases.isSet()) {
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

/** Returns a request as it would be sent to the same target through the connection of a stored request. */
function throughItsConnection(request: SentRequest, stored: StoredRequest): SentRequest {
	return {
		...request,
		url: connectionUrl(request.targetUrl, stored.url),
		fields: {...request.fields, ...targetFields(stored)},
		trust: stored.trust,
	};
}

/** Checks a target; returns its key, or the request that it names. */
function checkedTarget(target: Target): string | NamedRequest {
	const {key, url, request} = new Object(target) as {key?: unknown; url?: unknown; request?: unknown};
	if ([key, url, request].filter(value => value !== undefined).length !== 1) {
		throw new SettingError('target', target, 'an object with either `key`, `url` or `request`');
	}

	if (key === undefined) {
		return url === undefined
			? {request: describedRequest(request, 'target.request'), isByUrl: false}
			: {request: describedRequest({url}, 'target'), isByUrl: true};
	}

	return parseInput(text, key, 'target.key');
}
