import type {Ignored} from '../identity/ignored.ts';
import {leadsToSecret, redactFields} from '../identity/redact.ts';
import {redactUrl} from '../identity/url.ts';
import {
	fieldsOf,
	storedResponse,
	type StoredRequest,
	type StoredResponse,
} from '../model/stored-response.ts';
import {
	datedFields,
	freshenedFields,
	storableFields,
	type RawFields,
} from '../policy/stored-fields.ts';
import {tagsOf} from '../policy/tags.ts';
import type {Lifetime} from '../policy/types.ts';
import {newGeneration} from './variants.ts';

/**
A response that is to be stored, before its body is there.
*/
export type ReceivedResponse = {
	/** Of the request that it will answer. */
	readonly method: string;
	readonly url: string;
	readonly head: {readonly statusCode: number; readonly statusMessage: string; readonly rawHeaders: RawFields};
	readonly received: number;
	readonly lifetime: Lifetime;

	readonly decidedBy: 'user' | 'origin';

	/** Fields that are not to be stored. */
	readonly withheld: readonly string[];

	/** What is redacted. */
	readonly ignored: Ignored;

	/** How long it took to come, in milliseconds. */
	readonly took?: number;
};

/** A body as it is stored, and what it answers. */
export type StoredContent = {
	readonly body: Uint8Array;

	/** The content codings that were undone. */
	readonly codings: readonly string[];
	readonly request: StoredRequest;
};

/**
What is stored of a response: nothing that belongs to one connection, and no credential.
Where content codings were undone, headers are made to agree.
*/
export function composeResponse(response: ReceivedResponse, {body, codings, request}: StoredContent): StoredResponse {
	const {method, url, head, received, lifetime, withheld, decidedBy, ignored, took} = response;
	const excluded = codings.length > 0 ? [...withheld, 'content-encoding', 'content-length'] : withheld;
	const storable = storableFields(head.rawHeaders, excluded);
	return storedResponse({
		method,
		url: redactUrl(url, ignored),
		statusCode: head.statusCode,
		statusMessage: head.statusMessage,
		rawHeaders: datedFields(redactFields(storable, url, ignored), received),
		createdAt: received,
		expires: lifetime.expires,
		retainUntil: lifetime.retainUntil,
		initialAge: lifetime.initialAge,
		decidedBy,
		generation: newGeneration(),
		...(codings.length > 0 && {codings}),
		...(took !== undefined && {took}),
		request,
	}, body);
}

/**
The lines of a 304 that may be stored: what leads to a secret is left out, so that what was stored stands.

@param url - What was asked for.
*/
export function storableUpdate(raw: RawFields, url: string, ignored: Ignored): string[] {
	const lines: string[] = [];
	for (let index = 0; index < raw.length; index += 2) {
		const line = raw.slice(index, index + 2);
		if (!leadsToSecret(fieldsOf(line), url, ignored)) {
			lines.push(...line);
		}
	}

	return redactFields(lines, url, ignored);
}

/** How long what was validated is fresh now, and what of it is not to be stored any longer. */
export type Renewal = Lifetime & {readonly withheld: readonly string[]};

/**
The stored response with the news of a 304 (RFC 9111 §3.2).
*/
export function freshenResponse(stored: StoredResponse, update: readonly string[], received: number, renewal: Renewal): StoredResponse {
	const {expires, retainUntil, initialAge, withheld} = renewal;
	const tagged = withTags(stored, tagsOf(fieldsOf(update)));
	return storedResponse({
		...tagged,
		rawHeaders: datedFields(freshenedFields(stored.rawHeaders, update, withheld), received),
		createdAt: received,
		expires,
		retainUntil,
		initialAge,
		revalidated: true,
	}, stored.body);
}

/** The response with further tags. */
export function withTags(stored: StoredResponse, further: readonly string[]): StoredResponse {
	return further.length === 0 ? stored : {...stored, tags: [...new Set([...stored.tags ?? [], ...further])]};
}
