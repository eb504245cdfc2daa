import {isDeepStrictEqual} from 'node:util';
import {
	keyOfMatched,
	matchRequest,
	type Secret,
} from '../identity/key.ts';
import {lowerCaseNames} from '../identity/method.ts';
import {knownKey, plainIdentity, rememberKey} from '../identity/plain-keys.ts';
import {redactRequest} from '../identity/stored-request.ts';
import {redactFields} from '../identity/redact.ts';
import {hasRedacted, rematchedKey} from '../identity/rematch.ts';
import type {KeyRequest, MatchSettings} from '../identity/types.ts';
import {redactUrl} from '../identity/url.ts';
import {
	fieldsOf,
	storedResponse,
	type StoredRequest,
	type StoredResponse,
} from '../model/stored-response.ts';
import type {KeyFunction} from '../settings.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';

/** All that keys are made by. */
export type KeyMaking = MatchSettings & {
	readonly keyFn: KeyFunction | undefined;
};

/**
The key of a request: the user's `keyFn`, if there is one, else the default. The secret is asked for only where something is sealed, or may be.

@param request - Its header names in lower case, its method as it counts.
@returns `undefined` where `keyFn` wants the request not cached.
*/
export function makeKey(request: KeyRequest, settings: KeyMaking, secret: () => MaybePromise<Secret>): MaybePromise<string | undefined> {
	const {keyFn} = settings;
	if (keyFn !== undefined) {
		return then(secret(), known => keyFn(request, other => keyOfMatched(matchRequest(normal(other), settings), known)));
	}

	const identity = plainIdentity(request, settings);
	const key = identity === undefined ? undefined : knownKey(identity, settings);
	if (key !== undefined) {
		return key;
	}

	const matched = matchRequest(request, settings);
	if (identity !== undefined && matched.sealed.length === 0) {
		const made = keyOfMatched(matched, '');
		rememberKey(identity, settings, made);
		return made;
	}

	return matched.sealed.length === 0 ? keyOfMatched(matched, '') : then(secret(), known => keyOfMatched(matched, known));
}

/** Whether nothing of a request says who asks, as far as that was seen when its key was made. */
export function isForEverybody(request: KeyRequest, settings: KeyMaking): boolean {
	const identity = settings.keyFn === undefined ? plainIdentity(request, settings) : undefined;
	return identity !== undefined && knownKey(identity, settings) !== undefined;
}

// What a user's function made of it: the method is the one that it wants to count.
function normal(request: KeyRequest): KeyRequest {
	return {...request, method: request.method.toUpperCase(), headers: lowerCaseNames(request.headers)};
}

/**
A stored response without what is secret by the settings of now.

@returns The very same where nothing is.
*/
export function redactAgain(stored: StoredResponse, settings: KeyMaking): StoredResponse {
	const {request, url, rawHeaders} = stored;
	const redacted = {
		url: redactUrl(url, settings.ignoredParameters),
		rawHeaders: redactFields(rawHeaders, url, settings.ignoredParameters),
		...(request !== undefined && {request: redactRequest({...request, headers: fieldsOf(request.rawHeaders)}, settings, request.partition)}),
	};
	return isDeepStrictEqual(redacted, {url, rawHeaders: [...rawHeaders], ...(request !== undefined && {request})}) ? stored : storedResponse({...stored, ...redacted}, stored.body);
}

/**
The key that a stored request has now.

A `keyFn` gets the request only if nothing of it has been redacted: from what is left, it could make one key for two users.

@returns `undefined` where it cannot be known, or the request is not to be cached any more.
*/
export function remakeKey({rawHeaders, partition, ...request}: StoredRequest, settings: KeyMaking, secret: () => MaybePromise<Secret>): MaybePromise<string | undefined> {
	const storable = {...request, headers: fieldsOf(rawHeaders)};
	if (settings.keyFn === undefined) {
		return then(secret(), known => rematchedKey(storable, partition, settings, known));
	}

	return hasRedacted(storable) || request.matchedBody !== undefined ? undefined : makeKey(storable, settings, secret);
}
