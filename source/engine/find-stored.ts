import type {CacheCore} from '../cache/core.ts';
import type {Match, NoMatch} from '../cache/variants.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import type {StoredResponse} from '../model/stored-response.ts';
import {fieldValue} from '../policy/fields.ts';
import {keyOf, sibling} from './exchange-keys.ts';
import type {ExchangeSettings} from './exchange-settings.ts';
import type {OutgoingRequest} from './exchange-types.ts';

export const noMatch: NoMatch = {stored: undefined, varies: false, others: []};

/** What is stored by the word of one is nothing to the other: two clients may share a store. */
export function decidedBy({cacheControl}: ExchangeSettings): 'user' | 'origin' {
	return cacheControl ? 'origin' : 'user';
}

/** The tags of the variants that the origin may choose from: strong ones that only one of them has, so that there is no mistaking. */
export function variantTags({others}: NoMatch): readonly string[] {
	const tags = others.map(({stored}) => fieldValue(stored.fields, 'etag')!);
	return tags.filter(tag => tag.startsWith('"') && tags.indexOf(tag) === tags.lastIndexOf(tag));
}

/** What the rules are told of what was found. */
export function lookedUp(match: Match | NoMatch): {readonly stored: StoredResponse | undefined; readonly tags: readonly string[]} {
	return {stored: match.stored, tags: match.stored === undefined ? variantTags(match) : []};
}

/**
The stored response for a request. What answers a GET answers a HEAD, without its content (RFC 9110 §9.3.2).
*/
export function findStored(key: string, request: OutgoingRequest, settings: ExchangeSettings, cache: CacheCore): MaybePromise<Match | NoMatch> {
	const find = (primary: string): MaybePromise<Match | NoMatch> => then(cache.match(primary, request.fields), match => current(match, request, settings, cache));
	if (request.method !== 'HEAD' || request.override !== undefined) {
		return find(key);
	}

	return then(keyOf(sibling(request, 'GET'), settings), keyOfGet => then(
		keyOfGet === undefined ? noMatch : find(keyOfGet),
		match => match.stored === undefined ? find(key) : match,
	));
}

function current(match: Match | NoMatch, {url}: OutgoingRequest, settings: ExchangeSettings, cache: CacheCore): Match | NoMatch {
	const isCurrent = ({primary, stored}: Match): boolean => stored.decidedBy === decidedBy(settings)
		&& !(settings.cacheControl && cache.invalidations.outdates(url, primary, stored.createdAt));

	if (match.stored === undefined) {
		// What a filter would refuse is not offered to the origin; it is asked of what is used.
		return {...match, others: settings.filterFn === undefined ? match.others.filter(other => isCurrent(other)) : []};
	}

	return isCurrent(match) ? match : noMatch;
}
