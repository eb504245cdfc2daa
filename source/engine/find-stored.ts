import type {HttpCache, Match, NoMatch} from '../cache/http-cache.ts';
import {chain, type MaybePromise} from '../cache/maybe-promise.ts';
import {normalizeUrl} from '../matching/url.ts';
import {keyOf, sibling} from './exchange-keys.ts';
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
export function findStored(key: string, request: OutgoingRequest, settings: ExchangeSettings, cache: HttpCache): MaybePromise<Match | NoMatch> {
	const find = (primary: string): MaybePromise<Match | NoMatch> => chain(cache.match(primary, request.fields), match => isCurrent(match, request, settings, cache) ? match : noMatch);
	if (request.method !== 'HEAD' || request.override !== undefined) {
		return find(key);
	}

	return chain(keyOf(sibling(request, 'GET'), settings), keyOfGet => chain(
		keyOfGet === undefined ? noMatch : find(keyOfGet),
		match => match.stored === undefined ? find(key) : match,
	));
}

function isCurrent(match: Match | NoMatch, {url}: OutgoingRequest, settings: ExchangeSettings, cache: HttpCache): boolean {
	if (match.stored === undefined) {
		return true;
	}

	return match.stored.decidedBy === decidedBy(settings)
		&& !(settings.cacheControl && cache.invalidations.outdates(normalizeUrl(url), match.primary, match.stored.createdAt));
}
