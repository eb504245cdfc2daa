import type {HttpCache, Match, NoMatch} from '../cache/http-cache.ts';
import {chain, type MaybePromise} from '../cache/maybe-promise.ts';
import {keyOf, sibling} from './exchange-keys.ts';
import type {ExchangeSettings} from './exchange-settings.ts';
import type {OutgoingRequest} from './exchange-types.ts';

export const noMatch: NoMatch = {stored: undefined, varies: false};

/**
The stored response for a request. What answers a GET answers a HEAD, without its content (RFC 9110 §9.3.2).
*/
export function findStored(key: string, request: OutgoingRequest, settings: ExchangeSettings, cache: HttpCache): MaybePromise<Match | NoMatch> {
	const {method, fields} = request;
	if (method !== 'HEAD') {
		return cache.match(key, fields);
	}

	return chain(keyOf(sibling(request, 'GET'), settings), keyOfGet => chain(
		keyOfGet === undefined ? noMatch : cache.match(keyOfGet, fields),
		match => match.stored === undefined ? cache.match(key, fields) : match,
	));
}
