import {then, type MaybePromise} from '../maybe-promise.ts';
import {isForEverybody, makeKey} from '../cache/request-keys.ts';
import {matchedMethod} from '../identity/method.ts';
import {matchRequest} from '../identity/key.ts';
import {partitionOf, redactRequest} from '../identity/stored-request.ts';
import type {KeyRequest} from '../identity/types.ts';
import type {StoredRequest} from '../model/stored-response.ts';
import {requestFacts, type RequestFacts} from '../policy/request-rules.ts';
import type {ExchangeSettings} from './exchange-settings.ts';
import type {OutgoingRequest} from './exchange-types.ts';

/** What the rules know of a request. */
export function factsOf({method, override, url, fields, body}: OutgoingRequest, settings: ExchangeSettings): RequestFacts {
	const head = {
		method,
		override,
		url,
		// A recording does not depend on what the cache is told.
		fields: settings.mode === undefined ? fields : {...fields, 'cache-control': undefined, pragma: undefined},
		keyable: body !== 'unknown',
	};
	return requestFacts(head, settings);
}

/** The key of a request; `undefined` where `keyFn` wants it not cached. */
export function keyOf(outgoing: OutgoingRequest, settings: ExchangeSettings): MaybePromise<string | undefined> {
	return makeKey(keyRequest(outgoing), settings, settings.secret);
}

/** The request as it is stored, without what is secret in it. */
export function storedRequest(outgoing: OutgoingRequest, settings: ExchangeSettings): MaybePromise<StoredRequest> {
	const request = keyRequest(outgoing);
	const sealed = isForEverybody(request, settings) ? [] : matchRequest(request, settings).sealed;
	const partition = sealed.length === 0 ? undefined : then(settings.secret(), secret => partitionOf(sealed, secret));
	return then(partition, known => redactRequest(request, settings, known));
}

/** The setting whose fault it is where a key cannot be made. */
export function settingOfKey({keyFn, partitionBy}: ExchangeSettings): 'keyFn' | 'partitionBy' {
	return keyFn === undefined && typeof partitionBy === 'function' ? 'partitionBy' : 'keyFn';
}

function keyRequest({method, override, url, fields, body, clientCertificate}: OutgoingRequest): KeyRequest {
	return {
		method: matchedMethod(method, override),
		url,
		headers: fields,
		body: body === 'unknown' ? undefined : body,
		clientCertificate,
	};
}

/**
The request for a resource as another method, or another resource, would have it: without a body, for the same caller.
*/
export function sibling(request: OutgoingRequest, method: string, url: string = request.url): OutgoingRequest {
	return {
		method,
		override: undefined,
		url,
		fields: request.fields,
		body: undefined,
		clientCertificate: request.clientCertificate,
	};
}

/**
The keys under which a GET and a HEAD of a resource lie for this caller.
*/
export function readKeys(request: OutgoingRequest, url: string, settings: ExchangeSettings): MaybePromise<ReadonlyArray<string | undefined>> {
	return then(keyOf(sibling(request, 'GET', url), settings), get => then(keyOf(sibling(request, 'HEAD', url), settings), head => [get, head]));
}
