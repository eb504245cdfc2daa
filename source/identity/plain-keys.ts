import {ignoresHeader, type Ignored} from './ignored.ts';
import {classifyName} from './credentials.ts';
import {isTargetHeader} from './target.ts';
import type {IdentitySettings, KeyRequest} from './types.ts';

/** Keys that were made lately, by the parameters that are ignored: a key of a plain request is a digest that costs more than all else on a hit. */
const known = new WeakMap<Ignored, Map<string, string>>();
const most = 2000;

/**
A name of a plain request: one whose key is made of nothing but its method, its URL and its TLS settings, and needs no secret.

@returns `undefined` where there is more.
*/
export function plainName({method, url, headers, body, trust}: KeyRequest, {matchHeaders, partitionBy, cacheControl, ignoredParameters}: IdentitySettings): string | undefined {
	if (body !== undefined || matchHeaders !== false || typeof partitionBy === 'function' || method.includes(':')) {
		return undefined;
	}

	for (const name in headers) {
		if (headers[name] !== undefined && (isTargetHeader(name) || (partitionBy === 'credentials' && mayIdentify(name, ignoredParameters)))) {
			return undefined;
		}
	}

	return `${partitionBy} ${cacheControl === true} ${trust} ${method} ${url}`;
}

function mayIdentify(name: string, ignored: Ignored): boolean {
	const kind = classifyName(name);
	return kind === 'secret' || (kind === 'ambiguous' && !ignoresHeader(ignored, name));
}

export function knownKey(name: string, {ignoredParameters}: IdentitySettings): string | undefined {
	return known.get(ignoredParameters)?.get(name);
}

/** Remembers a key that was made without a secret, so that it is the same for everybody. */
export function rememberKey(name: string, {ignoredParameters}: IdentitySettings, key: string): void {
	let keys = known.get(ignoredParameters);
	if (keys === undefined || keys.size >= most) {
		keys = new Map();
		known.set(ignoredParameters, keys);
	}

	keys.set(name, key);
}
