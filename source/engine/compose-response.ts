import {newGeneration} from '../cache/http-cache.ts';
import {DEFAULT_IGNORED_PARAMETERS} from '../matching/credentials.ts';
import {redactUrl} from '../matching/url.ts';
import {storedResponse, type StoredResponse} from '../model/stored-response.ts';
import {formatHttpDate} from '../policy/dates.ts';
import {storableFields, type RawFields} from '../policy/stored-fields.ts';
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

	/** Fields that are not to be stored. */
	readonly withheld: readonly string[];
};

/**
What is stored of a response: nothing that belongs to one connection, and no credential.

@param codings - The content codings that were undone; headers are made to agree.
*/
export function composeResponse(response: ReceivedResponse, body: Uint8Array, codings: readonly string[]): StoredResponse {
	const {method, url, head, received, lifetime, withheld} = response;
	const excluded = codings.length > 0 ? [...withheld, 'content-encoding', 'content-length'] : withheld;
	return storedResponse({
		method,
		url: redactUrl(url, DEFAULT_IGNORED_PARAMETERS),
		statusCode: head.statusCode,
		statusMessage: head.statusMessage,
		rawHeaders: dated(storableFields(head.rawHeaders, excluded), received),
		createdAt: received,
		expires: lifetime.expires,
		retainUntil: lifetime.retainUntil,
		initialAge: lifetime.initialAge,
		generation: newGeneration(),
		...(codings.length > 0 && {codings}),
	}, body);
}

/** RFC 9110 §6.6.1: a response that came without a date is of the moment when it came. */
function dated(raw: RawFields, received: number): RawFields {
	const isDated = raw.some((line, index) => index % 2 === 0 && line.toLowerCase() === 'date');
	return isDated ? raw : [...raw, 'Date', formatHttpDate(received)];
}
