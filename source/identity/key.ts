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
import {parseOptions} from '../parse.ts';
import {fieldLines, fieldValue, type Fields} from '../policy/fields.ts';
import {nominatedValues, normalizeFieldValue} from '../policy/field-values.ts';
import {bodyParts, matchedContentType} from './body.ts';
import {
	ignoredByDefault,
	ignoresHeader,
	type IgnoredParameter,
	classifyName,
} from './credentials.ts';
import {keyParsers} from './key-settings.ts';
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
	parseRequest,
	targetParts,
} from './sent-request.ts';

/** Wraps an error of a user's function that has seen a request, since its message may contain a credential. */
export function failureOf(setting: SettingFunction, thrown: unknown): Error {
	return settingOfFailure(thrown) === undefined ? new SettingFunctionError(setting, thrown) : thrown as Error;
}

type SettingFunction = 'keyFn' | 'partitionBy' | 'urlsExpireAfter';

class SettingFunctionError extends RedactedError {
	readonly #setting: SettingFunction;

	constructor(setting: SettingFunction, thrown: unknown) {
		super(thrown, {
			name: 'RedactedError',
			code: 'ERR_SETTING_FUNCTION',
			message: `\`${setting}\` threw ${kindOf(thrown)}. Its message is not shown, since it may contain a credential; call \`error.thrown()\` to get it.`,
		});
		this.#setting = setting;
	}

	static settingOf(thrown: unknown): SettingFunction | undefined {
		return new Object(thrown) instanceof this ? (thrown as SettingFunctionError).#setting : undefined;
	}
}

/** Returns the setting whose function has thrown an error, or has returned a wrong value; `undefined` if it is another error. */
export function settingOfFailure(thrown: unknown): SettingFunction | undefined {
	if (thrown instanceof SettingError && (thrown.path === 'cache.keyFn' || thrown.path === 'cache.partitionBy')) {
		return thrown.path === 'cache.keyFn' ? 'keyFn' : 'partitionBy';
	}

	return SettingFunctionError.settingOf(thrown);
}

/**
Makes the primary key of a request: a SHA-256 digest of its method, target URL, TLS settings, body, matched headers and partition. An override header counts as the method; header names may have any letter case.

Credentials are included by a keyed digest. Without `partitionSecret`, the secret of this process is used: then the key of a request with credentials differs from that of a cache, and from that in the next process. In a `keyFn`, use its second argument instead, which has the settings and the secret of the cache.

@throws {TypeError} If the URL is invalid, or an ignored parameter is neither a name, a `RegExp` nor a JSON path.

@example
```ts
import {createKey} from 'got-cache-hooks';

const key = createKey({method: 'GET', url: 'https://example.com/?b=2&a=1', headers: {accept: 'text/plain'}}, {matchHeaders: ['Accept']});
console.log(key.slice(0, 12));
//=> got-cache:2:
```
*/
export function createKey(request: KeyRequest, settings: KeySettings = {}): string {
	const {partitionSecret, ...given} = parseOptions(keyParsers, settings, 'settings');
	const {method = 'GET', headers: fields = {}} = parseRequest(request);
	const headers = lowerCaseNames(fields);
	const matched = matchRequest({...request, method: matchedMethod(method, overridingMethod(headers)), headers}, {...defaultIdentitySettings, ...given});
	return keyOfMatched(matched, partitionSecret ?? processSecret());
}

/** The defaults of the client settings that the key depends on. */
export const defaultIdentitySettings: IdentitySettings = {
	matchHeaders: false,
	partitionBy: 'credentials',
	ignoredParameters: ignoredByDefault,
	contentRootKey: undefined,
};

/** The client settings that the key depends on. Each may be left out, and then has the default of the client setting of that name. */
export type KeySettings = {
	/** The request headers that are included in the key. */
	readonly matchHeaders?: boolean | readonly string[] | undefined;

	/** Who may share a response. */
	readonly partitionBy?: 'credentials' | false | PartitionCallback | undefined;

	/** The secret with which credentials are digested. */
	readonly partitionSecret?: string | Uint8Array | undefined;

	/** The parameters that are not included in the key. */
	readonly ignoredParameters?: readonly IgnoredParameter[] | ReadonlySet<IgnoredParameter> | undefined;

	/** The member of a JSON body inside which parameters are ignored by name. */
	readonly contentRootKey?: string | undefined;

	/** With `cacheControl`, the order of query parameters is part of the key (RFC 9111 §4). */
	readonly cacheControl?: boolean | undefined;
};

/** The secret of the keyed digests. */
export type Secret = string | Uint8Array | KeyObject;

/**
Returns the parts of the key of a request.

@param request - With header names in lower case, and an override behind the method.
@throws {TypeError} If `partitionBy` returns no string.
*/
export function matchRequest(request: StorableRequest, settings: IdentitySettings): MatchedRequest {
	const keyParts = new KeyParts(settings);
	const url = parsedUrl(request.url);
	const parts = [
		methodParts(request.method, request.headers),
		normalizeUrl(url, (where, name, value) => keyParts.addParameter(where, name, value), settings.cacheControl === true),
		targetParts(url, request.headers)?.map(([name, value]) => keyParts.addHeader('target', name, value) ? [name, value] : [name]) ?? null,
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
	/** The parts that are included in clear. */
	readonly parts: readonly unknown[];

	/** The parts that are included by a keyed digest. If there are any, the key needs a secret. */
	readonly hashed: readonly HashedPart[];

	/** Whether the body may contain a credential. */
	readonly hasBodyCredential: boolean;
};

/** Adds the tenant, or the credentials in the headers and the URL. Those in the query and the body are added where these are read. */
function hashPartition(request: KeyRequest, url: URL, {partitionBy}: IdentitySettings, keyParts: KeyParts): void {
	if (partitionBy === false) {
		return;
	}

	if (partitionBy !== 'credentials') {
		const tenant = tenantOf(request, partitionBy);
		if (typeof tenant !== 'string') {
			throw new SettingError('cache.partitionBy', `\`cache.partitionBy\` returned ${describe(tenant)}. It must return a string.`);
		}

		keyParts.hash('tenant', '', tenant);
		return;
	}

	for (const name in request.headers) {
		if (Object.hasOwn(request.headers, name) && request.headers[name] !== undefined && keyParts.isCredentialHeader(name)) {
			// A credential is no list: joined by commas, two lines could equal one.
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
Returns the request headers that `matchHeaders` includes in the key, sorted by name.

With `true`, these are all headers except ignored ones and those of the connection. A listed header is included even if it is ignored, except for `Host`. A credential is hashed.
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
		} else if (parts.addHeader('reference', name, value)) {
			// The boundary of form data differs each time, and its parts are included by themselves.
			selected.push([name, name === 'content-type' ? matchedContentType(value, /^\s*multipart\//iv.test(value)) : normalizeFieldValue(name, value)]);
		}
	}

	return selected;
}

// Headers of the connection, of caching, and of ranges and conditions. `Host` is part of every key anyway.
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

/** Makes a key from its parts. */
export function keyOfMatched({parts, hashed}: MatchedRequest, secret: Secret): string {
	return keyOfParts(parts, partitionDigest(hashed, secret));
}

/** Makes a key from the parts in clear and the keyed digest of the hashed ones, if there are any. */
export function keyOfParts(parts: readonly unknown[], partition: string | undefined): string {
	return prefix + digest([...parts, partition ?? null]);
}

// The version of the key format.
const prefix = 'got-cache:2:';

/** Makes the keyed digest of the hashed parts; `undefined` if there are none. */
export function partitionDigest(hashed: readonly HashedPart[], secret: Secret): string | undefined {
	return hashed.length === 0 ? undefined : keyedDigest(secret, hashed);
}

/**
Makes the keyed digest of the header values that `Vary` nominates, which are never stored, since one may be a cookie.
*/
export function varyDigest(secret: Secret, names: readonly string[], request: Fields): string {
	return keyedDigest(secret, [names, nominatedValues(names, request).map(value => value ?? null)]);
}

/**
Makes the key of a variant. It depends on the generation of the primary entry, so that the variant is unreachable once that entry is deleted.
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

let secretOfProcess: Uint8Array | undefined;

function processSecret(): Uint8Array {
	secretOfProcess ??= randomBytes(32);
	return secretOfProcess;
}

/** Whether a key is that of an internal record of the cache, and not of a response. */
export function isRecordKey(key: string): boolean {
	return recordKey.test(key);
}

// The key of a record has a word instead of a digest.
const recordKey = /^got-cache:1:[a-z]+(?::|$)/v;
