import {describe, SettingError} from '../errors.ts';
import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import {isSafe} from '../policy/facts.ts';
import {hasNamedValues} from './body.ts';
import {isCredentialHeader, type Ignored} from './credentials.ts';
import {
	failureOf,
	isRecordKey,
	keyOfMatched,
	matchRequest,
	type MatchedRequest,
	type Secret,
} from './key.ts';
import {
	isRedactedPart,
	type HashedPart,
	type IdentitySettings,
	type KeyRequest,
	type KeySettingsOfCache,
} from './key-parts.ts';
import {redactHref, resourceOf} from './references.ts';
import {
	connectionUrl,
	isTargetHeader,
	knownBody,
	lowerCaseNames,
	matchedMethod,
	unknownBody,
	type SentRequest,
} from './sent-request.ts';
import {partitionOf, redactRequest, type StoredRequest} from './stored-request.ts';

/** Makes the identity of a request as it will be sent. */
export function identify(request: SentRequest, settings: KeySettingsOfCache): Identity {
	return new Identity(request, settings);
}

/**
The identity of a request: its key, its partition, and the parts of it that may be stored.
*/
export class Identity {
	readonly request: KeyRequest;
	readonly #settings: KeySettingsOfCache;
	readonly #isBodyUnknown: boolean;
	#matched: MatchedRequest | undefined;

	constructor(request: SentRequest, settings: KeySettingsOfCache) {
		this.request = keyRequest(request);
		this.#isBodyUnknown = request.body === unknownBody;
		this.#settings = settings;
	}

	/** Whether the body contains, or may contain, a credential or a tenant. The response then answers no other request. */
	get hasBodyCredential(): boolean {
		const {partitionBy} = this.#settings;
		if (this.request.body === undefined) {
			return this.#isBodyUnknown && hasNamedValues(this.request.headers);
		}

		try {
			return this.#parts.hasBodyCredential || (typeof partitionBy === 'function' && partitionBy(this.request) !== partitionBy({...this.request, method: 'GET', body: undefined}));
		} catch {
			// If the user's function fails, the response might be for one tenant only.
			return true;
		}
	}

	/** Whether a hashed part of the key has been redacted, as in a request of an archive, so that the key is unknown. */
	get isRedacted(): boolean {
		return this.#parts.hashed.some(part => isRedactedPart(part));
	}

	/**
	Makes the primary key, by the user's `keyFn` if there is one. The secret is read only if a part is hashed.

	@returns `undefined` if `keyFn` refuses to cache the request.
	@throws {TypeError} If `keyFn` returns an invalid key, or `partitionBy` returns no string.
	*/
	key(secret: GetSecret): MaybePromise<string | undefined> {
		const {keyFn} = this.#settings;
		if (keyFn !== undefined) {
			return keyByFunction(this.request, {...this.#settings, keyFn}, secret);
		}

		const {ignoredParameters} = this.#settings;
		const name = plainName(this.request, this.#settings);
		const known = name === undefined ? undefined : plainKeys.get(ignoredParameters)?.get(name);
		if (known !== undefined) {
			return known;
		}

		const parts = this.#parts;
		if (parts.hashed.length > 0) {
			return hashedKey(parts, secret);
		}

		const key = keyOfMatched(parts, '');
		if (name !== undefined) {
			addPlainKey(ignoredParameters, name, key);
		}

		return key;
	}

	/** Makes the request as it is stored with its response, without credentials. */
	stored(secret: GetSecret): MaybePromise<StoredRequest> {
		const {hashed} = this.#parts;
		return hashed.length === 0 ? redactRequest(this.request, this.#settings, undefined) : this.#storedWith(hashed, secret);
	}

	#storedWith(hashed: readonly HashedPart[], secret: GetSecret): MaybePromise<StoredRequest> {
		return then(secret(), value => redactRequest(this.request, this.#settings, partitionOf(hashed, value)));
	}

	/** The parts of the key, made once. */
	get #parts(): MatchedRequest {
		this.#matched ??= matchRequest(this.request, this.#settings);
		return this.#matched;
	}
}

function hashedKey(parts: MatchedRequest, secret: GetSecret): MaybePromise<string> {
	return then(secret(), value => keyOfMatched(parts, value));
}

type GetSecret = () => MaybePromise<Secret>;

/** Returns the parts of a request that the key depends on, as a `keyFn` gets them. */
function keyRequest({method, override, url, fields, body, trust}: SentRequest): KeyRequest {
	return {
		method: matchedMethod(method, override),
		url,
		headers: fields,
		body: knownBody({body}),
		trust,
	};
}

/**
Makes the request of the same caller by another method, or for another resource of the same origin: without a body, through the same connection.

@param target - The target URI.
*/
export function siblingOf(request: SentRequest, method: string, target: string = request.targetUrl): SentRequest {
	return {
		...request,
		method,
		override: undefined,
		url: target === request.targetUrl ? request.url : connectionUrl(target, request.url),
		targetUrl: target,
		body: undefined,
	};
}

/**
Names the resource of a request, the same for every caller: the target URI without credentials and with sorted parameters, and the origin of the connection if it differs.

An unsafe method has a name of its own, since another request by that method may leave its responses valid.

Stores contain a digest of the name without a key, from which a credential could be guessed. So URLs that differ only in credentials are one resource.
*/
export function resourceOfRequest({method, override = method, url, targetUrl}: Pick<SentRequest, 'method' | 'override' | 'url' | 'targetUrl'>, ignored: Ignored): string {
	const resource = resourceOf(redactHref(targetUrl, ignored));
	const name = targetUrl === url || new URL(targetUrl).origin === new URL(url).origin ? resource : `${resource} ${new URL(url).origin}`;
	return isSafe(method, override) ? name : `${override} ${name}`;
}

/**
Makes the key by the user's `keyFn`. The secret is read only if the function calls `createKey` and that needs it: then the function is called again after the secret has been read.
*/
function keyByFunction(request: KeyRequest, settings: KeySettingsOfCache & {readonly keyFn: NonNullable<KeySettingsOfCache['keyFn']>}, secret: GetSecret): MaybePromise<string | undefined> {
	let pending: Promise<Secret> | undefined;
	const call = (known: Secret | undefined): MaybePromise<unknown> => settings.keyFn(request, other => defaultKey(other, settings, () => {
		const value = known ?? secret();
		if (value instanceof Promise) {
			pending = value;
			throw new Error('The secret of the cache is being read.');
		}

		return value;
	}));

	// The function may have caught the error about the missing secret, so that its first result does not count.
	const first = recover(() => call(undefined), error => {
		if (pending === undefined) {
			throw failureOf('keyFn', error);
		}
	});
	const second = (value: Secret): MaybePromise<unknown> => recover(() => call(value), error => {
		throw failureOf('keyFn', error);
	});
	return then(first, made => then(pending === undefined ? made : then(pending, second), key => checkedKey(key)));
}

function defaultKey(request: KeyRequest, settings: IdentitySettings, secret: () => Secret): string {
	const matched = matchRequest({...request, method: request.method.toUpperCase(), headers: lowerCaseNames(request.headers)}, settings);
	return keyOfMatched(matched, matched.hashed.length === 0 ? '' : secret());
}

function checkedKey(key: unknown): string | undefined {
	if (key !== undefined && (typeof key !== 'string' || key === '' || isRecordKey(key))) {
		throw new SettingError('cache.keyFn', `\`cache.keyFn\` returned ${describe(key)}. It must return a string that is not empty and is no key of an internal record, or \`undefined\` if the request is not to be cached.`);
	}

	return key;
}

/**
Returns what the key of a plain request depends on, besides the ignored parameters: its method, URL and TLS settings, and two settings.

@returns `undefined` if the request is not plain.
*/
function plainName({method, url, headers, body, trust}: KeyRequest, {matchHeaders, partitionBy, cacheControl, ignoredParameters}: IdentitySettings): string | undefined {
	if (body !== undefined || matchHeaders !== false || typeof partitionBy === 'function' || method.includes(':')) {
		return undefined;
	}

	for (const name in headers) {
		if (headers[name] !== undefined && (isTargetHeader(name) || (partitionBy === 'credentials' && isCredentialHeader(ignoredParameters, name)))) {
			return undefined;
		}
	}

	return `${partitionBy === false ? '-' : ''}${cacheControl === true ? '+' : ''}${method} ${trust ?? ''} ${url}`;
}

// The keys of plain requests that need no secret, by ignored parameters. To make one takes 2 µs, of the 60 µs of a hit.
const plainKeys = new WeakMap<Ignored, Map<string, string>>();
const maxPlainKeys = 2000;

function addPlainKey(ignored: Ignored, name: string, key: string): void {
	const keys = plainKeys.get(ignored) ?? new Map<string, string>();
	if (keys.size >= maxPlainKeys) {
		keys.clear();
	}

	plainKeys.set(ignored, keys.set(name, key));
}
