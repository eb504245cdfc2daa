import {newGeneration} from '../cache/http-cache.ts';
import {DEFAULT_IGNORED_PARAMETERS} from '../matching/credentials.ts';
import {redactUrl} from '../matching/url.ts';
import {storedResponse, type StoredResponse} from '../model/stored-response.ts';
import {storableFields} from '../policy/stored-fields.ts';
import type {Lifetime} from '../policy/types.ts';
import type {IncomingHead, OutgoingRequest} from './exchange-types.ts';

/**
What is stored of a response: nothing that belongs to one connection, and no credential.

@param codings - The content codings that were undone; headers are made to agree.
*/
export function composeResponse(request: OutgoingRequest, head: IncomingHead, times: Lifetime & {readonly createdAt: number}, body: Uint8Array, codings: readonly string[]): StoredResponse {
	return storedResponse({
		method: request.method,
		url: redactUrl(request.url, DEFAULT_IGNORED_PARAMETERS),
		statusCode: head.statusCode,
		statusMessage: head.statusMessage,
		rawHeaders: storableFields(head.rawHeaders, codings.length > 0),
		createdAt: times.createdAt,
		expires: times.expires,
		retainUntil: times.retainUntil,
		generation: newGeneration(),
		...(codings.length > 0 && {codings}),
	}, body);
}
