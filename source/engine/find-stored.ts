import type {CacheCore} from '../cache/core.ts';
import type {Match, NoMatch} from '../cache/variants.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import {identify, siblingOf} from '../identity/identify.ts';
import type {StoredResponse} from '../model/stored-response.ts';
import type {ExchangeSettings} from './exchange-settings.ts';
import type {OutgoingRequest} from './exchange-types.ts';

export const noMatch: NoMatch = {stored: undefined, varies: false};

/** What is stored by the word of one is nothing to the other: two clients may share a store. */
export function decidedBy({cacheControl}: ExchangeSettings): 'user' | 'origin' {
	return cacheControl ? 'origin' : 'user';
}

/**
The stored response for a request. What answers a GET answers a HEAD, without its content (RFC 9110 §9.3.2).
*/
export function findStored(key: string, request: OutgoingRequest, settings: ExchangeSettings, cache: CacheCore): MaybePromise<Match | NoMatch> {
	const find = (primary: string): MaybePromise<Match | NoMatch> => then(cache.match(primary, request.fields), match => current(match, request, settings, cache));
	if (request.method !== 'HEAD' || request.override !== undefined) {
		return find(key);
	}

	return then(identify(siblingOf(request, 'GET'), settings).key(settings.secret), keyOfGet => then(
		keyOfGet === undefined ? noMatch : find(keyOfGet),
		match => match.stored === undefined ? find(key) : match,
	));
}

function current(match: Match | NoMatch, request: OutgoingRequest, settings: ExchangeSettings, cache: CacheCore): Match | NoMatch {
	if (match.stored === undefined) {
		return match;
	}

	const isCurrent = answersMethod(match.stored, request)
		&& match.stored.decidedBy === decidedBy(settings)
		&& !(settings.cacheControl && cache.invalidations.outdates(request, match.primary, match.stored.createdAt));
	return isCurrent ? match : noMatch;
}

/** What a HEAD got has no content for others, though a `keyFn` may give them one key (RFC 9110 §9.3.2). */
export function answersMethod(stored: Pick<StoredResponse, 'method'>, request: Pick<OutgoingRequest, 'method'>): boolean {
	return stored.method !== 'HEAD' || request.method === 'HEAD';
}
