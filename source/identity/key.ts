import {
	createHmac,
	hash,
	randomBytes,
	type KeyObject,
} from 'node:crypto';
import {
	kindOf,
	RedactedError,
	describe,
	SettingError,
} from '../errors.ts';
import {
	fieldLines,
	fieldValue,
	nominatedValues,
	normalizeFieldValue,
	type Fields,
} from '../policy/fields.ts';
import {bodyParts, matchedContentType} from './body.ts';
import {
	compileIgnored,
	ignoredByDefault,
	ignoresHeader,
	REDACTED,
	type Ignored,
	type IgnoredParameter,
	classifyName,
} from './credentials.ts';
import {
	KeyParts,
	type HashedPart,
	type IdentitySettings,
	type KeyRequest,
	type PartitionCallback,
	type StorableRequest,
} from './key-parts.ts';
import {normalizeUrl, parsedUrl} from './references.ts';
import {
	lowerCaseNames,
	matchedMethod,
	methodParts,
	overridingMethod,
	targetParts,
} from './sent-request.ts';

/** The error of a function of the settings that has seen a request: what it says may hold a credential. */
export function failureOf(setting: 'keyFn' | 'partitionBy', thrown: unknown): RedactedError {
	return thrown instanceof RedactedError
		? thrown
		: new RedactedError(thrown, {
			name: 'RedactedError',
			code: 'ERR_SETTING_FUNCTION',
			message: `\`${setting}\` threw ${kindOf(thrown)}; what that says is not shown, since it may hold a credential, and is given by \`error.thrown()\``,
		});
}

/**
Makes the primary key of a request: a SHA-256 digest of its method, target URL, TLS settings, body, matched headers and partition. An override header counts as the method; header names may have any letter case.

Credentials count by a keyed digest. Without `partitionSecret`, the secret of this process is taken: then the key of a request that carries credentials is not that of a cache, and not the same in the next process. The second argument of a `keyFn` has the settings and the secret of the cache.

@throws {TypeError} Where the URL is invalid, or an ignored parameter is neither a name, a `RegExp` nor a JSON path.

@example
```
createKey({method: 'GET', url: 'https://example.com/?b=2&a=1', headers: {}}, {matchHeaders: ['Accept']});
//=> 'got-cache:2:…'
```
*/
export function createKey(request: KeyRequest, settings: KeySettings = {}): string {
	const {matchHeaders = false, partitionBy = 'credentials', partitionSecret, ignoredParameters, contentRootKey, cacheControl} = settings;
	const headers = lowerCaseNames(request.headers);
	const matched = matchRequest({...request, method: matchedMethod(request.method, overridingMethod(headers)), headers}, {
		matchHeaders: typeof matchHeaders === 'boolean' ? matchHeaders : matchHeaders.map(name => name.toLowerCase()),
		partitionBy,
		ignoredParameters: ignoredParameters === undefined ? ignoredByDefault : toIgnored(ignoredParameters),
		contentRootKey,
		cacheControl,
	});
	return keyOfMatched(matched, partitionSecret ?? processSecret());
}

/** The settings of a client that decide the key. Each has the default of the client's setting of that name. */
export type KeySettings = {
	readonly matchHeaders?: boolean | readonly string[] | undefined;
	readonly partitionBy?: 'credentials' | false | PartitionCallback | undefined;
	readonly partitionSecret?: string | Uint8Array | undefined;
	readonly ignoredParameters?: readonly IgnoredParameter[] | ReadonlySet<IgnoredParameter> | undefined;
	readonly contentRootKey?: string | undefined;

	/** With `cacheControl`, two URLs are one only where RFC 3986 says so: the order of parameters is part of the key (RFC 9111 §4). */
	readonly cacheControl?: boolean | undefined;
};

/** The secret of keyed digests. */
export type Secret = string | Uint8Array | KeyObject;

/**
The parts of a request that its key is made of.

@param request - Its header names in lower case, its method with an override behind it.
@throws {TypeError} Where `partitionBy` gives no string: a request without a tenant must not meet another's response.
*/
export function matchRequest(request: StorableRequest, settings: IdentitySettings): MatchedRequest {
	const keyParts = new KeyParts(settings);
	const url = parsedUrl(request.url);
	const parts = [
		methodParts(request.method, request.headers),
		normalizeUrl(url, (where, name, value) => keyParts.keeps(where, name, value), settings.cacheControl === true),
		targetParts(url, request.headers)?.map(([name, value]) => keyParts.keepsHeader('target', name, value) ? [name, value] : [name]) ?? null,
		request.trust ?? null,
		(request.body === undefined ? request.bodyParts : bodyParts({headers: request.headers, body: request.body}, keyParts)) ?? null,
		matchedHeaders(request.headers, settings, keyParts),
	];
	hashPartition(request, url, settings, keyParts);
	const {hashed, hasBodyCredential} = keyParts;
	return {parts, hashed, hasBodyCredential};
}

/** The parts of a key. */
export type MatchedRequest = {
	/** The parts that are in the key in clear. */
	readonly parts: readonly unknown[];

	/** The parts of which the key has a keyed digest. Where there are any, the key needs a secret. */
	readonly hashed: readonly HashedPart[];

	/** Whether there may be a credential in the body. */
	readonly hasBodyCredential: boolean;
};

/** Hashes the parts of a request that say who asks. A credential in the query or the body is hashed where these are read. */
function hashPartition(request: KeyRequest, url: URL, {partitionBy}: IdentitySettings, keyParts: KeyParts): void {
	if (partitionBy === false) {
		return;
	}

	if (partitionBy !== 'credentials') {
		const tenant = tenantOf(request, partitionBy);
		if (typeof tenant !== 'string') {
			throw new TypeError(`Expected \`partitionBy\` to give a string, got ${describe(tenant)}`);
		}

		keyParts.hash('tenant', '', tenant);
		return;
	}

	for (const [name, value] of Object.entries(request.headers)) {
		if (value !== undefined && keyParts.usesHeader(name)) {
			// A credential is no list, so that a comma in it does not part lines.
			keyParts.hash('header', name, fieldLines(request.headers, name).join('\n'));
		}
	}

	if (url.username !== '' || url.password !== '') {
		keyParts.hash('user info', url.username, url.password);
	}
}

function tenantOf(request: KeyRequest, partitionBy: PartitionCallback): unknown {
	try {
		return partitionBy(request);
	} catch (error) {
		throw failureOf('partitionBy', error);
	}
}

/**
The request headers that are included in the key by `matchHeaders`: sorted, names in lower case.

With `true`, all headers but those of the connection and those that are ignored are included. A header that is listed is included even where it is ignored, except for `Host`; a secret value is hashed.
*/
function matchedHeaders(headers: Fields, {matchHeaders, ignoredParameters}: IdentitySettings, parts: KeyParts): ReadonlyArray<readonly [name: string, value: string]> {
	if (matchHeaders === false) {
		return [];
	}

	const isMatched = (name: string): boolean => !neverMatched.has(name) && !name.startsWith(':') && !ignoresHeader(ignoredParameters, name);
	const names = matchHeaders === true ? Object.keys(headers).filter(name => isMatched(name)) : matchHeaders.filter(name => name !== 'host');
	const selected: Array<readonly [string, string]> = [];
	for (const name of names.toSorted()) {
		const value = fieldValue(headers, name);
		if (value === undefined) {
			continue;
		}

		if (classifyName(name) !== 'plain' || ignoresHeader(ignoredParameters, name)) {
			parts.hash('match', name, value);
		} else if (parts.keepsHeader('reference', name, value)) {
			// The boundary of form data is another each time, and its parts count by themselves.
			selected.push([name, name === 'content-type' ? matchedContentType(value, /^\s*multipart\//iv.test(value)) : normalizeFieldValue(name, value)]);
		}
	}

	return selected;
}

// These headers belong to the connection, say how to cache, or ask for a part or a comparison. `Host` is part of every key already.
const neverMatched = new Set([
	'cache-control',
	'connection',
	'content-length',
	'expect',
	'host',
	'if-match',
	'if-modified-since',
	'if-none-match',
	'if-range',
	'if-unmodified-since',
	'keep-alive',
	'pragma',
	'proxy-connection',
	'range',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
]);

/** The key of the parts of a request. */
export function keyOfMatched({parts, hashed}: MatchedRequest, secret: Secret): string {
	return keyOfParts(parts, partitionDigest(hashed, secret));
}

/** The key of some parts; `partition` is the keyed digest of the hashed ones, or `undefined` for everybody. */
export function keyOfParts(parts: readonly unknown[], partition: string | undefined): string {
	return prefix + digest([...parts, partition ?? null]);
}

// Names the format of keys: an entry of another format is a miss, or is moved by `recreateKeys`.
const prefix = 'got-cache:2:';

/** The keyed digest of hashed parts; `undefined` where there are none. */
export function partitionDigest(hashed: readonly HashedPart[], secret: Secret): string | undefined {
	return hashed.length === 0 ? undefined : keyedDigest(secret, hashed);
}

/**
The digest of the values that `Vary` nominates. It is keyed and the values are never stored in clear, since a cookie may be among them.
*/
export function varyDigest(secret: Secret, names: readonly string[], request: Fields): string {
	return keyedDigest(secret, [names, nominatedValues(names, request).map(value => value ?? null)]);
}

/**
The key of a variant. It is made of the generation of the primary entry, so that nobody finds the variant once that is gone.
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

function toIgnored(parameters: Iterable<IgnoredParameter>): Ignored {
	const items = [...parameters];
	const ignored = compileIgnored(items);
	if (typeof ignored === 'number') {
		throw new SettingError(`ignoredParameters[${ignored}]`, items[ignored], 'a name, a RegExp or a JSON path such as `\'$.user.token\'`');
	}

	return ignored;
}

let secretOfProcess: Uint8Array | undefined;

function processSecret(): Uint8Array {
	secretOfProcess ??= randomBytes(32);
	return secretOfProcess;
}

/** Whether a key is that of a record of the cache itself, and not of a response. */
export function isRecordKey(key: string): boolean {
	return recordKey.test(key);
}

// A record has a word where an entry has a digest.
const recordKey = /^got-cache:1:[a-z]+(?::|$)/v;
