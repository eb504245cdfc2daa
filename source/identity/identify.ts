import {describe} from '../errors.ts';
import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import {isSafe} from '../policy/storing.ts';
import {hasNamedValues} from './body.ts';
import {tellsWhoAsks, type Ignored} from './credentials.ts';
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
	type IdentitySettings,
	type KeyRequest,
	type KeySettingsOfCache,
} from './key-parts.ts';
import {redactUrl, resourceOf} from './references.ts';
import {
	connectionUrl,
	isTargetHeader,
	knownBody,
	lowerCaseNames,
	matchedMethod,
	unknownBody,
	type SentRequest,
} from './sent-request.ts';
import {partitionOf, redactRequest, type RedactedRequest} from './stored-request.ts';

/** The identity of a request, as it will be sent. */
export function identify(request: SentRequest, settings: KeySettingsOfCache): Identity {
	return new Identity(request, settings);
}

/**
Who a request is: its key, whom it is for, and what of it may be stored. Everything that reads, writes, waits for or describes a request goes by this.
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

	/** Whether the body says, or may say, whom the response is for: then the response answers no other request. */
	get hasBodyCredential(): boolean {
		const {partitionBy} = this.#settings;
		if (this.request.body === undefined) {
			return this.#isBodyUnknown && hasNamedValues(this.request.headers);
		}

		try {
			return this.#parts.hasBodyCredential || (typeof partitionBy === 'function' && partitionBy(this.request) !== partitionBy({...this.request, method: 'GET', body: undefined}));
		} catch {
			// Where the user's function fails, the response might be for one tenant only.
			return true;
		}
	}

	/** Whether a part of the key has been redacted, as in a request of an archive: nobody can tell whom it was for. */
	get isRedacted(): boolean {
		return this.#parts.hashed.some(part => isRedactedPart(part));
	}

	/**
	The primary key: by the user's `keyFn`, if there is one, else the default one. The secret is read only where something is hashed.

	@returns `undefined` where `keyFn` wants the request not to be cached.
	@throws {TypeError} Where `keyFn` gives anything but a string that is not empty or `undefined`, or `partitionBy` gives no string.
	*/
	key(secret: GetSecret): MaybePromise<string | undefined> {
		const {keyFn} = this.#settings;
		if (keyFn !== undefined) {
			return keyByFunction(this.request, {...this.#settings, keyFn}, secret);
		}

		const plain = plainKeys(this.request, this.#settings);
		const known = plain?.get(this.request.url);
		if (known !== undefined) {
			return known;
		}

		const parts = this.#parts;
		if (parts.hashed.length > 0) {
			return then(secret(), value => keyOfMatched(parts, value));
		}

		const key = keyOfMatched(parts, '');
		if (plain !== undefined) {
			rememberKey(plain, this.request.url, key);
		}

		return key;
	}

	/** The request as it is stored beside its response, without its secrets. */
	stored(secret: GetSecret): MaybePromise<RedactedRequest> {
		const {hashed} = this.#isKnownPlain() ? {hashed: []} : this.#parts;
		const partition = hashed.length === 0 ? undefined : then(secret(), value => partitionOf(hashed, value));
		return then(partition, known => redactRequest(this.request, this.#settings, known));
	}

	/** What the key is made of, derived once. */
	get #parts(): MatchedRequest {
		this.#matched ??= matchRequest(this.request, this.#settings);
		return this.#matched;
	}

	/** Whether a key was made of the request that needed no secret. */
	#isKnownPlain(): boolean {
		return this.#settings.keyFn === undefined && plainKeys(this.request, this.#settings)?.has(this.request.url) === true;
	}
}

type GetSecret = () => MaybePromise<Secret>;

/** The parts of a request that keys are made of, as a `keyFn` gets them. */
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
The request for a resource as another method, or another resource of the same origin, would have it: without a body, for the same caller, through the same connection.

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
Names the resource of a request, whoever asks and however its parameters are ordered: the target URI without its secrets, and the connection where that goes elsewhere. A connection speaks for its own resources alone.

A response to an unsafe method has a name of its own, since another request by that method may leave it valid.

Stores hold a digest of the name without a key: a secret in the name could be found by guessing. So URLs that differ in their secrets alone are one resource.
*/
export function resourceOfRequest({method, override = method, url, targetUrl}: SentRequest, ignored: Ignored): string {
	const resource = resourceOf(redactUrl(targetUrl, ignored));
	const name = targetUrl === url || new URL(targetUrl).origin === new URL(url).origin ? resource : `${resource} ${new URL(url).origin}`;
	return isSafe(method, override) ? name : `${override} ${name}`;
}

/**
The key that the user's `keyFn` makes. Most functions need no secret, and then none is read. Where the function asks for the default key, and that needs a secret which is still to be read, the function is called again with it.
*/
function keyByFunction(request: KeyRequest, settings: KeySettingsOfCache & {readonly keyFn: NonNullable<KeySettingsOfCache['keyFn']>}, secret: GetSecret): MaybePromise<string | undefined> {
	let pending: Promise<Secret> | undefined;
	const call = (known: Secret | undefined): MaybePromise<unknown> => settings.keyFn(request, other => defaultKey(other, settings, () => {
		const value = known ?? secret();
		if (value instanceof Promise) {
			pending = value;
			throw new Error('The secret of the cache is being read');
		}

		return value;
	}));

	// The function may have caught the error about the missing secret: what it gave then does not count.
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
		throw new TypeError(`Expected \`keyFn\` to give a string that is not empty and is no key of this library's own records, or undefined for a request that is not to be cached; got ${describe(key)}`);
	}

	return key;
}

/**
The keys of plain requests like this one, by URL. A plain request is one whose key is made of nothing but its method, its URL and its TLS settings, and needs no secret.

@returns `undefined` where there is more.
*/
function plainKeys({method, headers, body, trust}: KeyRequest, {matchHeaders, partitionBy, cacheControl, ignoredParameters}: IdentitySettings): Keys | undefined {
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

/** Keys by URL. A map for each method and group of settings spares a hit the joining of all of them to one text. */
type Keys = Map<string, string>;

/** Keys of plain requests, by the ignored parameters, then by the other settings, then by method and TLS settings. To make such a key again, a digest, would cost more than all else on a hit. */
const knownKeys = new WeakMap<Ignored, Array<Map<string, Keys>>>();
const mostKeys = 2000;
const mostGroups = 50;

/** Remembers a key that was made without a secret: it is the same for everybody. */
function rememberKey(keys: Keys, url: string, key: string): void {
	if (keys.size >= mostKeys) {
		keys.clear();
	}

	keys.set(url, key);
}

function keysOf(ignored: Ignored, settings: number, group: string): Keys {
	const bySettings = knownKeys.get(ignored) ?? [];
	const groups = bySettings[settings] ?? new Map<string, Keys>();
	const keys = groups.get(group);
	if (keys !== undefined) {
		return keys;
	}

	if (groups.size >= mostGroups) {
		groups.clear();
	}

	const made: Keys = new Map();
	knownKeys.set(ignored, bySettings);
	bySettings[settings] = groups;
	groups.set(group, made);
	return made;
}
