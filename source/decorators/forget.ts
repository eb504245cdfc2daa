import type {CacheCore} from '../cache/core.ts';
import {httpCacheOf} from '../cache/http-cache.ts';
import type {Invalidation} from '../cache/invalidation.ts';
import {deleteWhere} from '../cache/removal.ts';
import {resourceOfRequest} from '../identity/identify.ts';
import {describedRequest} from '../identity/sent-request.ts';
import {redactUrl, resourceOf} from '../identity/references.ts';
import type {StoredResponse} from '../entry/stored-response.ts';
import {callMethod} from '../policy/facts.ts';
import {compileUrlPattern, type UrlMatcher, type UrlPattern} from '../policy/url-patterns.ts';
import {callUrl, isCallUrl} from './call-names.ts';
import {callResource} from './call-settings.ts';
import type {ResultPlace} from './result-function.ts';

/** What is to be forgotten: whatever one of them names. */
type Forgotten = {
	/** What was stored with one of these tags. */
	readonly tags: readonly string[];
	readonly urls: readonly UrlPattern[];
	readonly requests: ReadonlyArray<{readonly method?: string; readonly url: string | URL}>;

	/** The results of these methods, whatever the arguments, as they are kept: `GitHub.repos`. */
	readonly calls: readonly string[];
};

/** Deletes all of it from a cache. What was asked for before is neither stored nor joined after. A cache that is read only keeps what it has, as with unsafe methods. */
export async function forgetAll(cache: CacheCore, forgotten: Forgotten): Promise<void> {
	if (cache.isReadOnly || cache.settings.readOnly) {
		return;
	}

	const matches = matcherOf(forgotten.urls);
	await cache.journal.noteQuietly(invalidationsOf(forgotten, matches, cache));
	if (forgotten.tags.length > 0) {
		await httpCacheOf(cache).delete({tags: forgotten.tags});
	}

	await deleteWhere(cache, storedMatcherOf(forgotten, matches, cache), 'invalidated');
}

/** Deletes the result of one call. What is being called is of before: it is neither stored nor joined. */
export async function forgetCall({cache, key}: ResultPlace): Promise<void> {
	if (key === undefined) {
		return;
	}

	cache.checkWritable('invalidate');

	const noted = cache.journal.noteQuietly([{kind: 'key', key}]);
	cache.writes.delete(key, 'invalidated');
	await noted;
	await cache.writes.settle();
}

function matcherOf(urls: readonly UrlPattern[]): UrlMatcher {
	const patterns = urls.map(pattern => compileUrlPattern(pattern));
	return url => !isCallUrl(url) && patterns.some(matches => matches(url));
}

/** Tags are noted where they are deleted. */
function invalidationsOf({urls, requests, calls}: Forgotten, matches: UrlMatcher, {settings: {ignoredParameters}}: CacheCore): readonly Invalidation[] {
	const resources = [
		...requests.map(({method = 'GET', url}) => resourceOfRequest(describedRequest({method, url}), ignoredParameters)),
		...calls.map(name => callResource(name, ignoredParameters)),
	];
	return [
		...resources.map(resource => ({kind: 'resource', resource}) as const),
		...(urls.length === 0 ? [] : [{kind: 'matching', concerns: ({url}) => matches(url)} satisfies Invalidation]),
	];
}

function storedMatcherOf({requests, calls}: Forgotten, matches: UrlMatcher, {settings: {ignoredParameters}}: CacheCore): (stored: StoredResponse) => boolean {
	const nameOf = (method: string, url: string): string => `${method.toUpperCase()} ${resourceOf(url)}`;
	const named = new Set([
		...requests.map(({method = 'GET', url}) => nameOf(method, redactUrl(String(url), ignoredParameters))),
		...calls.map(name => nameOf(callMethod, callUrl(name))),
	]);
	return ({method, url}) => (named.size > 0 && named.has(nameOf(method, url))) || matches(url);
}
