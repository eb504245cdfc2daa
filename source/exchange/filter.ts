import type {CacheCore} from '../cache/core.ts';
import type {MaybePromise} from '../maybe-promise.ts';
import type {CachedResponse} from '../model/cached-response.ts';
import type {TagFunction} from '../settings.ts';

/**
Asks the user's filter. One that fails has not accepted; its fault is told, the request goes on.
*/
export function accepts(filterFn: (response: CachedResponse) => MaybePromise<boolean>, response: CachedResponse, cache: CacheCore): MaybePromise<boolean> {
	const refuse = (error: unknown): boolean => {
		cache.report('settingError', {setting: 'filterFn', error});
		return false;
	};

	try {
		const accepted = filterFn(response);
		return accepted instanceof Promise ? accepted.catch(refuse) : accepted;
	} catch (error) {
		return refuse(error);
	}
}

/**
The tags that the user's function gives; `undefined` where it fails, which is told: what could not be deleted by its tags is better not stored.
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
