import {chain, type MaybePromise} from '../cache/maybe-promise.ts';
import {createKey, type KeyRequest} from '../matching/key.ts';
import type {ExchangeSettings} from './exchange-settings.ts';
import type {OutgoingRequest} from './exchange-types.ts';

/**
The key of a request: the user's `keyFn`, if there is one, else the default.

@returns `undefined` where `keyFn` wants the request not cached.
*/
export function keyOf({method, override, url, fields, body}: OutgoingRequest, settings: ExchangeSettings): MaybePromise<string | undefined> {
	const request: KeyRequest = {
		// A request that is to be taken for another is not the same as that other.
		method: override === undefined ? method : `${method} as ${override}`,
		url,
		headers: fields,
		body: body === 'unknown' ? undefined : body,
	};
	const defaultKey = (other: KeyRequest): string => createKey(other, settings);
	return settings.keyFn === undefined ? defaultKey(request) : settings.keyFn(request, defaultKey);
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
	};
}

/**
The keys under which a GET and a HEAD of a resource lie for this caller.
*/
export function readKeys(request: OutgoingRequest, url: string, settings: ExchangeSettings): MaybePromise<ReadonlyArray<string | undefined>> {
	return chain(keyOf(sibling(request, 'GET', url), settings), get => chain(keyOf(sibling(request, 'HEAD', url), settings), head => [get, head]));
}
