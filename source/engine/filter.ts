import type {HttpCache} from '../cache/http-cache.ts';
import type {MaybePromise} from '../cache/maybe-promise.ts';
import type {CachedResponse} from '../model/cached-response.ts';

/**
Asks the user's filter. One that fails has not accepted; its fault is told, the request goes on.
*/
export function accepts(filterFn: (response: CachedResponse) => MaybePromise<boolean>, response: CachedResponse, cache: HttpCache): MaybePromise<boolean> {
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
