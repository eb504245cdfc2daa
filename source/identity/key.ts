import {
	createHmac,
	hash,
	randomBytes,
	type KeyObject,
} from 'node:crypto';
import type {Fields} from '../policy/fields.ts';
import {nominatedValues} from '../policy/vary.ts';
import {matchBody} from './body.ts';
import {matchedHeaders} from './headers.ts';
import {
	compileIgnored,
	ignoredByDefault,
	type Ignored,
	type IgnoredParameter,
} from './ignored.ts';
import {lowerCaseNames, matchedMethod, overridingMethod} from './method.ts';
import {sealIdentity} from './partition.ts';
import {Sieve, type Sealed} from './key-parts.ts';
import type {
	KeyRequest,
	MatchSettings,
	PartitionFunction,
	StorableRequest,
} from './types.ts';
import {normalizeUrl} from './url.ts';

/** What keyed digests are made with. */
export type Secret = string | Uint8Array | KeyObject;

/** The settings of a client that part keys; each has its default. */
export type KeySettings = {
	readonly matchHeaders?: boolean | readonly string[] | undefined;
	readonly partitionBy?: 'credentials' | false | PartitionFunction | undefined;
	readonly partitionSecret?: string | Uint8Array | undefined;
	readonly ignoredParameters?: readonly IgnoredParameter[] | ReadonlySet<IgnoredParameter> | undefined;
	readonly contentRootKey?: string | undefined;

	/** With `cacheControl`, two URLs are one only where RFC 3986 says so: the order of parameters parts them (RFC 9111 §4). */
	readonly cacheControl?: boolean | undefined;
};

/** A request reduced to what parts its key. */
export type MatchedRequest = {
	readonly parts: readonly unknown[];

	/** Needs a secret where there is something. */
	readonly sealed: readonly Sealed[];

	/** Whether some of the parts are of values that have been redacted. */
	readonly isLossy: boolean;
};

// Names the format of keys: what another format stored under another prefix is never mistaken for ours.
const prefix = 'got-cache:1:';

/**
The primary key of a request: a SHA-256 digest of method, normalized URL, body, matched headers and partition. An override header counts as the method; header names may have any letter case.

Credentials count by a keyed digest. Without `partitionSecret`, a secret of this process is taken: the key of a request that carries credentials is then not that of a cache, and not the same in the next process. In a `keyFn`, its second argument has the settings and the secret of the cache.

@throws {TypeError} Where the URL is none, or an ignored parameter is neither a name, a `RegExp` nor a JSON path.

@example
```
createKey({method: 'GET', url: 'https://example.com/?b=2&a=1', headers: {}}, {matchHeaders: ['Accept']});
//=> 'got-cache:1:…'
```
*/
export function createKey(request: KeyRequest, settings: KeySettings = {}): string {
	const {matchHeaders = false, partitionBy = 'credentials', partitionSecret, ignoredParameters, contentRootKey, cacheControl} = settings;
	const headers = lowerCaseNames(request.headers);
	const matched = matchRequest({...request, method: matchedMethod(request.method, overridingMethod(headers)), headers}, {
		matchHeaders: typeof matchHeaders === 'boolean' ? matchHeaders : matchHeaders.map(name => name.toLowerCase()),
		partitionBy,
		ignoredParameters: ignoredParameters === undefined ? ignoredByDefault : understood(ignoredParameters),
		contentRootKey,
		cacheControl,
	});
	return keyOfMatched(matched, partitionSecret ?? processSecret());
}

/**
What parts the key of a request.

@param request - Its header names in lower case, its method as it counts.
*/
export function matchRequest(request: StorableRequest, settings: MatchSettings): MatchedRequest {
	const sieve = new Sieve(settings);
	const url = new URL(request.url);
	const parts = [
		request.method,
		normalizeUrl(url, (name, value) => sieve.keeps('query', name, value), settings.cacheControl === true),
		matchBody(request, sieve) ?? null,
		matchedHeaders(request.headers, settings, sieve),
	];
	sealIdentity(request, url, settings, sieve);
	return {parts, sealed: sieve.sealed, isLossy: sieve.isLossy};
}

export function keyOfMatched({parts, sealed}: MatchedRequest, secret: Secret): string {
	return keyOfParts(parts, partitionDigest(sealed, secret));
}

/** The key of what is matched, for whom is known by a digest: `undefined` is for everybody. */
export function keyOfParts(parts: readonly unknown[], partition: string | undefined): string {
	return prefix + digest([...parts, partition ?? null]);
}

/** Whom a request is for; `undefined` where nothing is sealed. */
export function partitionDigest(sealed: readonly Sealed[], secret: Secret): string | undefined {
	return sealed.length === 0 ? undefined : keyedDigest(secret, sealed);
}

/**
The digest of the values that `Vary` nominates. Values are never stored in clear, and not to be guessed: a cookie may be among them.
*/
export function varyDigest(secret: Secret, names: readonly string[], request: Fields): string {
	return keyedDigest(secret, [names, nominatedValues(names, request).map(value => value ?? null)]);
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

function keyedDigest(secret: Secret, parts: readonly unknown[]): string {
	return createHmac('sha256', secret).update(JSON.stringify(parts)).digest('hex');
}

function understood(parameters: Iterable<IgnoredParameter>): Ignored {
	const ignored = compileIgnored(parameters);
	if (typeof ignored === 'number') {
		throw new TypeError(`Expected \`ignoredParameters[${ignored}]\` to be a name, a RegExp or a JSON path such as \`'$.user.token'\``);
	}

	return ignored;
}

let ofProcess: Uint8Array | undefined;

function processSecret(): Uint8Array {
	ofProcess ??= randomBytes(32);
	return ofProcess;
}
