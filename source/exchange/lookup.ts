import type {CacheCore} from '../cache/core.ts';
import type {Match, NoMatch} from '../cache/entries.ts';
import {
	identify,
	resourceOfRequest,
	siblingOf,
	type Identity,
} from '../identity/identify.ts';
import {unknownBody, type SentRequest} from '../identity/sent-request.ts';
import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import {CachedResponse} from '../entry/cached-response.ts';
import type {StoredResponse} from '../entry/stored-response.ts';
import {requestFacts, type RequestFacts} from '../policy/facts.ts';
import type {ExchangeSettings} from './settings.ts';

/** Finds the stored response for a request. A response to a GET answers a HEAD, without its content (RFC 9110 §9.3.2). */
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

/** Returns whether a stored response may answer the method of a request. The response to a HEAD has no content for a GET, though a `keyFn` may give both the same key (RFC 9110 §9.3.2). */
export function answersMethod(stored: Pick<StoredResponse, 'method'>, request: Pick<SentRequest, 'method'>): boolean {
	return stored.method !== 'HEAD' || request.method === 'HEAD';
}

/** Returns whether the settings (`'user'`) or the headers (`'origin'`) decide what is stored and for how long. Of two clients that share a store, each ignores entries of the other policy source. */
export function policySource({cacheControl}: Pick<ExchangeSettings, 'cacheControl'>): 'user' | 'origin' {
	return cacheControl ? 'origin' : 'user';
}

/** Returns the keys of the caller's GET and HEAD of a target URI. */
export function keysOfTarget(request: SentRequest, target: string, settings: ExchangeSettings): MaybePromise<ReadonlyArray<string | undefined>> {
	const keyFor = (method: string): MaybePromise<string | undefined> => identify(siblingOf(request, method, target), settings).key(settings.secret);
	return then(keyFor('GET'), get => then(keyFor('HEAD'), head => [get, head]));
}

/** Returns the facts of a request for the rules. */
export function factsOf({method, override, targetUrl, fields, body}: SentRequest, identity: Identity, settings: ExchangeSettings): RequestFacts {
	return requestFacts({
		method,
		override,
		url: targetUrl,
		// A recording does not depend on the directives of the request.
		fields: settings.mode === undefined ? fields : {...fields, 'cache-control': undefined, pragma: undefined},
		keyable: body !== unknownBody,
		hasSecretBody: settings.cacheControl && method === 'POST' && identity.hasBodyCredential,
	}, settings);
}

/** Returns whether the user's `filterFn` accepts a response. A function that throws accepts none: a `settingError` event reports the error, and the request goes on. */
export function accepts({filterFn, now}: Pick<ExchangeSettings, 'filterFn' | 'now'>, stored: StoredResponse, key: string | undefined, cache: CacheCore): MaybePromise<boolean> {
	return filterFn === undefined || recover(() => filterFn(new CachedResponse(key ?? '', stored, now)), error => {
		cache.events.emit('settingError', {setting: 'filterFn', error});
		return false;
	});
}
