import {fieldValue} from '../policy/fields.ts';
import {maybeCredential} from './credentials.ts';
import type {Ignored} from './ignored.ts';
import type {KeyRequest, MatchSettings} from './types.ts';

/** Keys that were made lately, by the parameters that are ignored. */
const known = new WeakMap<Ignored, Map<string, string>>();
const most = 2000;

/**
What parts the key of a request by itself: its method and its URL, if there is nothing else that could.

@returns `undefined` where there is.
*/
export function plainIdentity({method, url, headers, body, clientCertificate}: KeyRequest, {matchHeaders, partitionBy, cacheControl}: MatchSettings): string | undefined {
	if (body !== undefined || clientCertificate !== undefined || matchHeaders !== false || typeof partitionBy === 'function') {
		return undefined;
	}

	if (partitionBy === 'credentials') {
		for (const name in headers) {
			if (maybeCredential(name) && fieldValue(headers, name) !== undefined) {
				return undefined;
			}
		}
	}

	return `${partitionBy} ${cacheControl === true} ${method} ${url}`;
}

export function knownKey(identity: string, {ignoredParameters}: MatchSettings): string | undefined {
	return known.get(ignoredParameters)?.get(identity);
}

/** A key that was made without a secret: it is the same for everybody. */
export function rememberKey(identity: string, {ignoredParameters}: MatchSettings, key: string): void {
	let keys = known.get(ignoredParameters);
	if (keys === undefined || keys.size >= most) {
		keys = new Map();
		known.set(ignoredParameters, keys);
	}

	keys.set(identity, key);
}
