import type {CacheCore} from '../cache/core.ts';
import type {Match, NoMatch} from '../cache/entries.ts';
import {
	identify,
	resourceOfRequest,
	siblingOf,
	type Identity,
} from '../identity/identify.ts';
import {unknownBody} from '../identity/sent-request.ts';
import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import {CachedResponse} from '../entry/cached-response.ts';
import type {StoredResponse} from '../entry/stored-response.ts';
import {requestFacts, type RequestFacts} from '../policy/facts.ts';
import type {TagFunction} from '../settings/settings.ts';
import type {ExchangeSettings} from './settings.ts';
import type {SentRequest} from './exchange.ts';

/**
Finds the stored response for a request. What answers a GET answers a HEAD, without its content (RFC 9110 §9.3.2).
*/
export function findStored(key: string, request: SentRequest, settings: ExchangeSettings, cache: CacheCore): MaybePromise<Match | NoMatch> {
	const find = (primary: string): MaybePromise<Match | NoMatch> => then(
		cache.match(primary, request.fields, {resource: settings.cacheControl ? () => resourceOfRequest(request, settings.ignoredParameters) : undefined, isReadOnly: settings.readOnly}),
		match => match.stored === undefined || (answersMethod(match.stored, request) && match.stored.decidedBy === policySource(settings)) ? match : noMatch,
	);
	if (request.method !== 'HEAD' || request.override !== undefined) {
		return find(key);
	}

	return then(identify(siblingOf(request, 'GET'), settings).key(settings.secret), keyOfGet => then(
		keyOfGet === undefined ? noMatch : find(keyOfGet),
		match => match.stored === undefined && match.isUnread !== true ? find(key) : match,
	));
}

export const noMatch: NoMatch = {stored: undefined, varies: false};

/** Whether a stored response may answer the method of a request: one to a HEAD has no content for a GET, though a `keyFn` may give both the same key (RFC 9110 §9.3.2). */
export function answersMethod(stored: Pick<StoredResponse, 'method'>, request: Pick<SentRequest, 'method'>): boolean {
	return stored.method !== 'HEAD' || request.method === 'HEAD';
}

/** Whether the settings (`'user'`) or the headers (`'origin'`) decide what is stored and for how long. Where two clients share a store, one does not use what the other decided. */
export function policySource({cacheControl}: Pick<ExchangeSettings, 'cacheControl'>): 'user' | 'origin' {
	return cacheControl ? 'origin' : 'user';
}

/**
The keys under which a GET and a HEAD of a resource lie for this caller.

@param target - The target URI.
*/
export function readKeys(request: SentRequest, target: string, settings: ExchangeSettings): MaybePromise<ReadonlyArray<string | undefined>> {
	const keyFor = (method: string): MaybePromise<string | undefined> => identify(siblingOf(request, method, target), settings).key(settings.secret);
	return then(keyFor('GET'), get => then(keyFor('HEAD'), head => [get, head]));
}

/** Makes the facts of a request that the rules ask for. */
export function factsOf({method, override, targetUrl, fields, body}: SentRequest, identity: Identity, settings: ExchangeSettings): RequestFacts {
	return requestFacts({
		method,
		override,
		url: targetUrl,
		// A recording does not depend on the directives of a request.
		fields: settings.mode === undefined ? fields : {...fields, 'cache-control': undefined, pragma: undefined},
		keyable: body !== unknownBody,
		hasSecretBody: settings.cacheControl && method === 'POST' && identity.hasBodyCredential,
	}, settings);
}

/**
Whether the user's `filterFn` lets a response be stored and used. Where the function fails, it does not; a `settingError` event reports that, and the request goes on.
*/
export function accepts({filterFn, now}: Pick<ExchangeSettings, 'filterFn' | 'now'>, stored: StoredResponse, key: string | undefined, cache: CacheCore): MaybePromise<boolean> {
	return filterFn === undefined || recover(() => filterFn(new CachedResponse(key ?? '', stored, now)), error => {
		cache.report('settingError', {setting: 'filterFn', error});
		return false;
	});
}

/**
The tags that the user's function gives; `undefined` where it fails, which a `settingError` event reports: a response that could not be deleted by its tags is better not stored.
*/
export function tagsGiven(tagsFor: TagFunction, response: CachedResponse, cache: CacheCore): readonly string[] | undefined {
	try {
		const tags: unknown = tagsFor(response);
		if (Array.isArray(tags) && tags.every(tag => typeof tag === 'string' && tag !== '')) {
			return tags as readonly string[];
		}

		throw new TypeError('Expected `tags` to give an array of strings that are not empty');
	} catch (error) {
		cache.report('settingError', {setting: 'tags', error});
		return undefined;
	}
}
