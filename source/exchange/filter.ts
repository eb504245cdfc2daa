import type {CacheCore} from '../cache/core.ts';
import {recover, type MaybePromise} from '../maybe-promise.ts';
import {CachedResponse} from '../model/cached-response.ts';
import type {StoredResponse} from '../model/stored-response.ts';
import type {TagFunction} from '../settings.ts';
import type {ExchangeSettings} from './settings.ts';

/**
Whether the user's filter lets a response be stored and used. One that fails has not accepted; its fault is told, and the request goes on.
*/
export function accepts({filterFn, now}: Pick<ExchangeSettings, 'filterFn' | 'now'>, stored: StoredResponse, key: string | undefined, cache: CacheCore): MaybePromise<boolean> {
	return filterFn === undefined || recover(() => filterFn(new CachedResponse(key ?? '', stored, now)), error => {
		cache.report('settingError', {setting: 'filterFn', error});
		return false;
	});
}

/**
The tags that the user's function gives; `undefined` where it fails, which is told: a response that could not be deleted by its tags is better not stored.
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
