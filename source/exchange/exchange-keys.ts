import {identify, siblingOf, type Identity} from '../identity/identify.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import {requestFacts, type RequestFacts} from '../policy/request-facts.ts';
import type {ExchangeSettings} from './exchange-settings.ts';
import type {OutgoingRequest} from './exchange-types.ts';

/** What the rules know of a request. */
export function factsOf({method, override, targetUrl, fields, body}: OutgoingRequest, identity: Identity, settings: ExchangeSettings): RequestFacts {
	const head = {
		method,
		override,
		url: targetUrl,
		// A recording does not depend on what the cache is told.
		fields: settings.mode === undefined ? fields : {...fields, 'cache-control': undefined, pragma: undefined},
		keyable: body !== 'unknown',
		hasSecretBody: settings.cacheControl && method === 'POST' && identity.hasBodyCredential,
	};
	return requestFacts(head, settings);
}

/** The setting whose fault it is where a key cannot be made. */
export function settingOfKey({keyFn, partitionBy}: ExchangeSettings): 'keyFn' | 'partitionBy' {
	return keyFn === undefined && typeof partitionBy === 'function' ? 'partitionBy' : 'keyFn';
}

/**
The keys under which a GET and a HEAD of a resource lie for this caller.

@param target - The target URI.
*/
export function readKeys(request: OutgoingRequest, target: string, settings: ExchangeSettings): MaybePromise<ReadonlyArray<string | undefined>> {
	const keyFor = (method: string): MaybePromise<string | undefined> => identify(siblingOf(request, method, target), settings).key(settings.secret);
	return then(keyFor('GET'), get => then(keyFor('HEAD'), head => [get, head]));
}
