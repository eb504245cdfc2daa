import {chain, type MaybePromise} from '../cache/maybe-promise.ts';
import {keyOfMatched, matchRequest} from '../matching/key.ts';
import {lowerCaseNames, matchedMethod} from '../matching/method.ts';
import type {KeyRequest} from '../matching/types.ts';
import {requestFacts, type RequestFacts} from '../policy/request-rules.ts';
import type {ExchangeSettings} from './exchange-settings.ts';
import type {OutgoingRequest} from './exchange-types.ts';

/** What the rules know of a request. */
export function factsOf({method, override, url, fields, body}: OutgoingRequest, settings: ExchangeSettings): RequestFacts {
	const head = {
		method,
		override,
		url,
		fields,
		keyable: body !== 'unknown',
	};
	return requestFacts(head, settings);
}

/**
The key of a request: the user's `keyFn`, if there is one, else the default. The secret is asked for only where something is sealed, or may be.

@returns `undefined` where `keyFn` wants the request not cached.
*/
export function keyOf(outgoing: OutgoingRequest, settings: ExchangeSettings): MaybePromise<string | undefined> {
	const request = keyRequest(outgoing);
	const {keyFn, secret} = settings;
	if (keyFn !== undefined) {
		return chain(secret(), known => keyFn(request, other => keyOfMatched(matchRequest(normal(other), settings), known)));
	}

	const matched = matchRequest(request, settings);
	return matched.sealed.length === 0 ? keyOfMatched(matched, '') : chain(secret(), known => keyOfMatched(matched, known));
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

// What a user's function made of it: the method is the one that it wants to count.
function normal(request: KeyRequest): KeyRequest {
	return {...request, method: request.method.toUpperCase(), headers: lowerCaseNames(request.headers)};
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
	return chain(keyOf(sibling(request, 'GET', url), settings), get => chain(keyOf(sibling(request, 'HEAD', url), settings), head => [get, head]));
}
