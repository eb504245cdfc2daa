import {isDeepStrictEqual} from 'node:util';
import type {Secret} from '../identity/key.ts';
import {Identity} from '../identity/identify.ts';
import {storableLines} from '../identity/redact.ts';
import {hasRedacted, recreatedKey, redactRequest} from '../identity/stored-request.ts';
import type {KeySettingsOfCache} from '../identity/types.ts';
import {redactUrl} from '../identity/url.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import {
	fieldsOf,
	storedResponse,
	type StoredRequest,
	type StoredResponse,
} from '../model/stored-response.ts';

/**
A stored response without what is secret by the settings of now.

@returns The very same where nothing is.
*/
export function redactAgain(stored: StoredResponse, settings: KeySettingsOfCache): StoredResponse {
	const {request, url, rawHeaders} = stored;
	const redacted = {
		url: redactUrl(url, settings.ignoredParameters),
		rawHeaders: storableLines(rawHeaders, url, settings.ignoredParameters),
		...(request !== undefined && {request: redactRequest({...request, headers: fieldsOf(request.rawHeaders)}, settings, request.partition)}),
	};
	return isDeepStrictEqual(redacted, {url, rawHeaders: [...rawHeaders], ...(request !== undefined && {request})}) ? stored : storedResponse({...stored, ...redacted}, stored.body);
}

/**
The key that a stored request has now.

A `keyFn` gets the request only if nothing of it has been redacted: from what is left, it could make one key for two users.

@returns `undefined` where it cannot be known, or the request is not to be cached any more.
*/
export function recreateKey(stored: StoredRequest, settings: KeySettingsOfCache, secret: () => MaybePromise<Secret>): MaybePromise<string | undefined> {
	if (isOfFormerFormat(stored)) {
		return undefined;
	}

	const {rawHeaders, partition, ...request} = stored;
	const storable = {...request, headers: fieldsOf(rawHeaders)};
	if (settings.keyFn === undefined) {
		return then(secret(), known => recreatedKey(storable, partition, settings, known));
	}

	const [method, override] = request.method.split(':', 2) as [string, string?];
	return hasRedacted(storable) || request.bodyParts !== undefined
		? undefined
		: new Identity({
			...storable, method, override, targetUrl: request.url, fields: storable.headers, body: request.body,
		}, settings).key(secret);
}

/** The first format of keys kept other parts of a body, and other names of whom a request was for. */
function isOfFormerFormat(stored: StoredRequest): boolean {
	return Object.hasOwn(stored, 'matchedBody') || (stored.partition !== undefined && !Array.isArray(stored.partition.parts));
}
