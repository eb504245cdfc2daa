import {hash} from 'node:crypto';
import {fieldValue, type Fields} from '../policy/fields.ts';
import {nominatedValues} from '../policy/vary.ts';
import {credentialFields} from './credentials.ts';
import {normalizeUrl} from './url.ts';

/**
A request as it is matched: what will be sent.
*/
export type KeyRequest = {
	readonly method: string;
	readonly url: string;

	/** Lower-case names. */
	readonly headers: Fields;
	readonly body?: string | Uint8Array | undefined;
};

export type KeySettings = {
	/** The request headers that part the key: none, all, or those named (in lower case). */
	readonly matchHeaders: boolean | readonly string[];

	/** `'credentials'` keeps requests with different credentials apart; `false` shares. */
	readonly partitionBy: 'credentials' | false;

	/** With `cacheControl`, two URLs are one only where RFC 3986 says so: the order of parameters parts them (RFC 9111 §4). */
	readonly cacheControl?: boolean;
};

// Names the format of keys: what another format stored under another prefix is never mistaken for ours.
const prefix = 'got-cache:1:';

/**
The primary key of a request: a SHA-256 digest of method, normalized URL, body, matched headers and credentials.

@example
```
createKey({method: 'GET', url: 'https://example.com/?b=2&a=1', headers: {}}, {matchHeaders: false, partitionBy: 'credentials'});
//=> 'got-cache:1:…'
```
*/
export function createKey(request: KeyRequest, settings: KeySettings): string {
	return prefix + digest([
		request.method,
		normalizeUrl(request.url, settings.cacheControl === true),
		request.body === undefined ? null : bodyDigest(request.body),
		selectHeaders(request.headers, settings.matchHeaders),
		settings.partitionBy === false ? [] : selectHeaders(request.headers, credentialFields),
	]);
}

/**
The digest of the values that `Vary` nominates. Values are never stored in clear: a cookie may be among them.
*/
export function varyDigest(names: readonly string[], request: Fields): string {
	return digest([names, nominatedValues(names, request).map(value => value ?? null)]);
}

/**
The key of a variant: it dies with the generation of the primary entry that leads to it.
*/
export function variantKey(generation: string, variant: string): string {
	return prefix + digest([generation, variant]);
}

function digest(parts: readonly unknown[]): string {
	return hash('sha256', JSON.stringify(parts), 'hex');
}

function bodyDigest(body: string | Uint8Array): string {
	return hash('sha256', body, 'hex');
}

// They belong to the connection or say how to cache, not what is asked for.
const neverMatched = new Set(['connection', 'cache-control', 'content-length', 'host', 'keep-alive', 'pragma', 'te', 'trailer', 'transfer-encoding', 'upgrade']);

function selectHeaders(headers: Fields, selection: boolean | readonly string[]): ReadonlyArray<readonly [string, string]> {
	if (selection === false) {
		return [];
	}

	const names = selection === true ? Object.keys(headers).filter(name => !neverMatched.has(name)) : selection;
	const selected: Array<readonly [string, string]> = [];
	for (const name of names.toSorted()) {
		const value = fieldValue(headers, name);
		if (value !== undefined) {
			selected.push([name, value.split(',').map(part => part.trim()).join(',')]);
		}
	}

	return selected;
}
