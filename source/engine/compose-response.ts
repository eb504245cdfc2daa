import {newGeneration} from '../cache/http-cache.ts';
import {DEFAULT_IGNORED_PARAMETERS} from '../matching/credentials.ts';
import {redactUrl} from '../matching/url.ts';
import {storedResponse, type StoredResponse} from '../model/stored-response.ts';
import {datedFields, storableFields} from '../policy/stored-fields.ts';
import type {Lifetime} from '../policy/types.ts';
import type {IncomingHead} from './exchange-types.ts';

/**
A response that is to be stored, before its body is there.
*/
export type ReceivedResponse = {
	/** Of the request that it will answer. */
	readonly method: string;
	readonly url: string;
	readonly head: IncomingHead;
	readonly received: number;
	readonly lifetime: Lifetime;

	readonly decidedBy: 'user' | 'origin';

	/** Fields that are not to be stored. */
	readonly withheld: readonly string[];
};

/**
What is stored of a response: nothing that belongs to one connection, and no credential.

@param codings - The content codings that were undone; headers are made to agree.
*/
export function composeResponse(response: ReceivedResponse, body: Uint8Array, codings: readonly string[]): StoredResponse {
	const {method, url, head, received, lifetime, withheld, decidedBy} = response;
	const excluded = codings.length > 0 ? [...withheld, 'content-encoding', 'content-length'] : withheld;
	return storedResponse({
		method,
		url: redactUrl(url, DEFAULT_IGNORED_PARAMETERS),
		statusCode: head.statusCode,
		statusMessage: head.statusMessage,
		rawHeaders: datedFields(storableFields(head.rawHeaders, excluded), received),
		createdAt: received,
		expires: lifetime.expires,
		retainUntil: lifetime.retainUntil,
		initialAge: lifetime.initialAge,
		decidedBy,
		generation: newGeneration(),
		...(codings.length > 0 && {codings}),
	}, body);
}
