import type {CacheCore} from '../cache/core.ts';
import {faceOf} from '../cache/http-cache.ts';
import {deleteWhere} from '../cache/removal.ts';
import {resourceOf} from '../identity/url.ts';
import {isCall, type StoredResponse} from '../model/stored-response.ts';
import {compileUrlPattern, type UrlPattern} from '../policy/url-patterns.ts';
import {callUrl} from './call-names.ts';
import {flightsOf} from './flights.ts';
import type {ResultPlace} from './result-function.ts';

/** What is to be forgotten: whatever one of them names. */
export type Forgotten = {
	/** What was stored with one of these tags. */
	readonly tags: readonly string[];
	readonly urls: readonly UrlPattern[];
	readonly requests: ReadonlyArray<{readonly method?: string; readonly url: string | URL}>;

	/** The results of these methods, whatever the arguments, as they are kept: `GitHub.repos`. */
	readonly calls: readonly string[];
};

/** Deletes all of it from a cache. */
export async function forgetAll(cache: CacheCore, forgotten: Forgotten, now: number): Promise<void> {
	for (const name of forgotten.calls) {
		forgetRunning(cache, name, now);
	}

	for (const {url} of forgotten.requests) {
		cache.invalidations.add(resourceOf(String(url)), now);
	}

	if (forgotten.tags.length > 0) {
		await faceOf(cache).delete({tags: forgotten.tags});
	}

	await deleteWhere(cache, matcherOf(forgotten), 'invalidated');
}

/** Deletes the result of one call. What is being called is of before, and is not kept when it comes. */
export function forgetCall({cache, name, key}: ResultPlace, now: number): void {
	if (key === undefined) {
		return;
	}

	forgetRunning(cache, name, now, key);
	cache.delete(key, 'invalidated');
}

function forgetRunning(cache: CacheCore, name: string, now: number, key?: string): void {
	cache.invalidations.add(resourceOf(callUrl(name)), now);
	if (key === undefined) {
		flightsOf(cache).leaveAll();
	} else {
		flightsOf(cache).leave(key);
	}
}

function matcherOf({urls, requests, calls}: Forgotten): (stored: StoredResponse) => boolean {
	const patterns = urls.map(pattern => compileUrlPattern(pattern));
	const resources = new Set(requests.map(({method = 'GET', url}) => `${method.toUpperCase()} ${resourceOf(String(url))}`));
	const named = new Set(calls.map(name => callUrl(name)));
	return stored => isCall(stored)
		? named.has(stored.url)
		: patterns.some(matches => matches(stored.url)) || resources.has(`${stored.method} ${resourceOf(stored.url)}`);
}
