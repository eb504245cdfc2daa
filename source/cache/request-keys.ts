import {isDeepStrictEqual} from 'node:util';
import {isStoredAsSent} from '../identity/body.ts';
import {Identity} from '../identity/identify.ts';
import type {Secret} from '../identity/key.ts';
import {redactUrl} from '../identity/references.ts';
import {matchedMethod, overridingMethod, targetUrl} from '../identity/sent-request.ts';
import {
	hasRedacted,
	recreatedKey,
	recreatedPartition,
	redactRequest,
	storableLines,
} from '../identity/stored-request.ts';
import type {KeySettingsOfCache, StorableRequest} from '../identity/key-parts.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import {
	fieldsOf,
	isCall,
	storedResponse,
	type StoredRequest,
	type StoredResponse,
} from '../entry/stored-response.ts';

/**
A stored response without what is secret by the settings of now, under the URL that the origin saw, and with whom it is for.

@returns The very same where nothing of it is another.
*/
export function redactAgain(stored: StoredResponse, settings: KeySettingsOfCache, secret: Secret): StoredResponse {
	const {request, url, rawHeaders} = stored;
	const redacted = {
		url: redactUrl(request === undefined ? url : targetOf(request), settings.ignoredParameters),
		rawHeaders: storableLines(rawHeaders, url, settings.ignoredParameters),
		...(request !== undefined && {request: redactStored(request, settings, secret)}),
	};
	return isDeepStrictEqual(redacted, {url, rawHeaders: [...rawHeaders], ...(request !== undefined && {request})}) ? stored : storedResponse({...stored, ...redacted}, stored.body);
}

function redactStored({rawHeaders, partition, ...request}: StoredRequest, settings: KeySettingsOfCache, secret: Secret): StoredRequest {
	const storable = {...request, headers: fieldsOf(rawHeaders)};
	const hasOwnKey = settings.keyFn !== undefined || isCall(request);
	return redactRequest(storable, settings, hasOwnKey ? partition : recreatedPartition(storable, partition, settings, secret));
}

function targetOf({url, rawHeaders}: StoredRequest): string {
	return targetUrl(new URL(url), fieldsOf(rawHeaders));
}

/**
The key that a stored request has now.

A `keyFn` gets the request only if nothing of it has been redacted: from what is left, it could make one key for two users.

@param key - Under which it is stored.
@returns `undefined` where it cannot be known, or the request is not to be cached any more.
*/
export function recreateKey(stored: StoredRequest, key: string, settings: KeySettingsOfCache, secret: () => MaybePromise<Secret>): MaybePromise<string | undefined> {
	const {rawHeaders, partition, ...request} = stored;
	const storable = {...request, headers: fieldsOf(rawHeaders)};
	if (!URL.canParse(request.url) || lacksParts(stored) || (key.startsWith(formerPrefix) && hasUnknownParts(storable))) {
		return undefined;
	}

	if (request.body !== undefined && !isStoredAsSent({headers: storable.headers, body: request.body})) {
		return undefined;
	}

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

/** The prefix of keys of the first format. */
const formerPrefix = 'got-cache:1:';

/** The first format kept other parts of a body, and other names of whom a request was for. */
function lacksParts(stored: StoredRequest): boolean {
	return Object.hasOwn(stored, 'matchedBody') || (stored.partition !== undefined && !Array.isArray(stored.partition.parts));
}

/** The first format did not keep what a request believed, nor tell apart methods that were asked for at once. */
function hasUnknownParts({url, method, headers}: StorableRequest): boolean {
	return url.startsWith('https:') || method !== matchedMethod(method.split(':', 1)[0]!, overridingMethod(headers));
}
