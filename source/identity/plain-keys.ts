import {tellsWhoAsks, type Ignored} from './ignored.ts';
import {isTargetHeader} from './target.ts';
import type {IdentitySettings, KeyRequest} from './types.ts';

/** Keys by the URL alone: a text that is put together costs more to look up than all else on a hit. */
type Keys = Map<string, string>;

/** Keys that were made lately, by the parameters that are ignored, then by the other settings, then by method and TLS settings: a key of a plain request is a digest that costs more than all else on a hit. */
const known = new WeakMap<Ignored, Array<Map<string, Keys>>>();
const mostKeys = 2000;
const mostGroups = 50;

/**
The keys of plain requests like this one, by URL. A plain request is one whose key is made of nothing but its method, its URL and its TLS settings, and needs no secret.

@returns `undefined` where there is more.
*/
export function plainKeys({method, headers, body, trust}: KeyRequest, {matchHeaders, partitionBy, cacheControl, ignoredParameters}: IdentitySettings): Keys | undefined {
	if (body !== undefined || matchHeaders !== false || typeof partitionBy === 'function' || method.includes(':')) {
		return undefined;
	}

	for (const name in headers) {
		if (headers[name] !== undefined && (isTargetHeader(name) || (partitionBy === 'credentials' && tellsWhoAsks(ignoredParameters, name)))) {
			return undefined;
		}
	}

	return keysOf(ignoredParameters, (partitionBy === 'credentials' ? 0 : 1) + (cacheControl === true ? 2 : 0), trust === undefined ? method : `${method} ${trust}`);
}

/** Remembers a key that was made without a secret, so that it is the same for everybody. */
export function rememberKey(keys: Keys, url: string, key: string): void {
	if (keys.size >= mostKeys) {
		keys.clear();
	}

	keys.set(url, key);
}

function keysOf(ignored: Ignored, settings: number, group: string): Keys {
	const bySettings = known.get(ignored) ?? [];
	const groups = bySettings[settings] ?? new Map<string, Keys>();
	const keys = groups.get(group);
	if (keys !== undefined) {
		return keys;
	}

	if (groups.size >= mostGroups) {
		groups.clear();
	}

	const made: Keys = new Map();
	known.set(ignored, bySettings);
	bySettings[settings] = groups;
	groups.set(group, made);
	return made;
}
