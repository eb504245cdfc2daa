import {SettingError} from '../errors.ts';
import {
	asObject,
	headersOf,
	parseInput,
	parseMembers,
	parseOptions,
	wholeNumber,
	type Parser,
	type Parsers,
} from '../parse.ts';
import {identify} from '../identity/identify.ts';
import type {SentRequest} from '../identity/sent-request.ts';
import {exposesCredential} from '../identity/stored-request.ts';
import {allowedExpiration, storedOf, type CachedResponse} from '../entry/cached-response.ts';
import {decodableCodings, decodedContent} from '../entry/content-coding.ts';
import {fieldsOf, type StoredResponse} from '../entry/stored-response.ts';
import {parseExpiration, type ExpirationTime} from '../policy/expiration.ts';
import {ReceivedFacts, requestFacts} from '../policy/facts.ts';
import {ResponseFacts} from '../policy/response-facts.ts';
import {areTagsBounded, maxTagLength, maxTags} from '../policy/fields.ts';
import {expiresAt} from '../policy/freshness.ts';
import {storageRefusal} from '../policy/storage-rules.ts';
import type {RefusalReason} from '../policy/types.ts';
import type {ResolvedSettings} from '../settings/settings.ts';
import {
	composeResponse,
	policySettings,
	withExpiration,
	withTags,
} from './compose-response.ts';
import type {CacheCore} from './core.ts';
import {taskParsers, type LongTask} from './criteria.ts';
import {listAll} from './listing.ts';

/**
A response to be stored. A response of Got is one, too: its `rawBody` is stored.
*/
export type DescribedResponse = {
	/**
	The status code.

	@default 200
	*/
	readonly statusCode?: number | undefined;

	/**
	The status text.

	@default ''
	*/
	readonly statusMessage?: string | undefined;

	/**
	The headers.

	@default {}
	*/
	readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>> | undefined;

	/** The content, decoded: a string or bytes. Without it and `rawBody`, the response has none. */
	readonly body?: unknown;

	/** The content with the codings that its headers name, as Got returns it with `decompress: false`. Absent if `body` is given. */
	readonly rawBody?: Uint8Array | undefined;
};

/** What `cache.save()` and `cache.fromHar()` store beside the response. */
export type SaveOptions = {
	/** How long the response is fresh: seconds, a duration or a `Date`. Default: as the settings say. */
	readonly expireAfter?: ExpirationTime | undefined;

	/** Tags beside those of its headers: at most 128 in all, of at most 256 characters each. Default: none. */
	readonly tags?: readonly string[] | undefined;
};

/** Why a response was not stored. */
export type SaveRefusal = RefusalReason | 'key-refused' | 'redacted' | 'too-large';

type Saved = SaveRefusal | {readonly key: string; readonly stored: StoredResponse};

type Received = {readonly statusCode: number; readonly statusMessage: string; readonly rawHeaders: string[]; readonly body: Uint8Array; readonly took?: number};

const responseParsers: Parsers<Omit<DescribedResponse, 'body'>> = {
	statusCode: wholeNumber('a whole number from 200 to 599', 200, 599),
	statusMessage: {allowed: 'a string', parse: value => typeof value === 'string' ? value : undefined},
	// A line break would end the header (RFC 9110 §5.5).
	headers: headersOf('a string without line breaks', line => typeof line === 'string' && !/[\0\n\r]/v.test(line)),
	rawBody: {allowed: 'a Uint8Array', parse: value => value instanceof Uint8Array ? value : undefined},
};

/**
Checks a response that a user passes. Other members are ignored, so that a response of Got can be passed.

@throws {SettingError} If it is not an object, or a member is invalid.
*/
export function checkedResponse(response: unknown): Received {
	const given = parseInput({allowed: 'an object with a response', parse: asObject}, response, 'response') as DescribedResponse;
	const {statusCode = 200, statusMessage = '', headers = {}, rawBody} = parseMembers(responseParsers, given, 'response');
	const {body = new Uint8Array(0)} = given;
	const content = rawBody ?? (typeof body === 'string' ? new TextEncoder().encode(body) : body);
	if (!(content instanceof Uint8Array)) {
		throw new SettingError('response.body', body, 'a string or a Uint8Array');
	}

	const rawHeaders = Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().flatMap(line => [name, line]));
	const decoded = rawBody === undefined ? content : decodedContent({body: content, fields: fieldsOf(rawHeaders)});
	return {
		statusCode, statusMessage, rawHeaders, body: Uint8Array.from(decoded),
	};
}

/**
Stores a response for a request, as if the origin had sent it now.

@returns The reason if it may not be stored.
*/
export async function saveResponse(core: CacheCore, request: SentRequest, received: Received, {expireAfter, tags = []}: ParsedOptions): Promise<Saved> {
	const {settings} = core;
	const {ignoredParameters: ignored, now} = settings;
	const identity = identify(request, settings);
	if (identity.isRedacted) {
		return 'redacted';
	}

	const createdAt = now();
	const facts = receivedFacts(request, received, {settings, tags, createdAt});
	const refusal = storageRefusal(facts, 'save');
	if (refusal !== undefined) {
		return refusal;
	}

	const key = core.checkedKey(await identity.key(core.secret));
	if (key === undefined) {
		return 'key-refused';
	}

	const {response, terms} = facts;
	const composed = composeResponse({
		method: request.method,
		url: request.targetUrl,
		head: received,
		received: createdAt,
		terms: {
			...terms,
			// The content is decoded, so that these no longer hold.
			excludedFields: [...terms.excludedFields, ...(decodableCodings(response.fields).length > 0 ? ['content-encoding'] : []), 'content-length'],
		},
		decidedBy: settings.cacheControl ? 'origin' : 'user',
		ignored,
		storeSetCookie: settings.storeSetCookie,
		...(received.took !== undefined && {took: received.took}),
	}, {
		body: received.body,
		codings: [],
		request: await identity.stored(core.secret),
	});
	const tagged = withTags(composed, facts.tags);
	const expiring = expireAfter === undefined ? tagged : withExpiration(tagged, expiresAt(expireAfter, now()), now(), settings);
	await core.journal.invalidate([{kind: 'key', key}]);
	const stored = await core.withCurrentPosition(expiring);
	const result = await core.writes.exclusively(key, () => core.managedVariants.save(key, request.fields, stored));
	return result === 'too-large' ? result : {key, stored};
}

/** Makes the facts of a response as if the origin had sent it now. */
function receivedFacts({method, override, targetUrl, fields}: SentRequest, {statusCode, rawHeaders}: Received, {settings, tags, createdAt}: {readonly settings: ResolvedSettings; readonly tags: readonly string[]; readonly createdAt: number}): ReceivedFacts {
	const rules = policySettings(settings);
	const head = {statusCode, fields: fieldsOf(rawHeaders)};
	return new ReceivedFacts(
		requestFacts({
			method, override, url: targetUrl, fields, keyable: true,
		}, rules),
		new ResponseFacts(head, rules.cacheControlTargets, createdAt),
		{
			stored: undefined, conditional: false, tags, exposesCredential: exposesCredential(head.fields, targetUrl, settings.ignoredParameters),
		},
		{requested: createdAt, received: createdAt},
	);
}

/** Stores a response that the cache gave, with its current expiration. */
export async function saveAgain(core: CacheCore, response: CachedResponse, {expireAfter, tags = []}: ParsedOptions): Promise<Saved> {
	const now = core.settings.now();
	const stored = withTags(storedOf(response), tags);
	if (!areTagsBounded(stored.tags ?? [])) {
		return 'too-many-tags';
	}

	const expires = expireAfter === undefined ? stored.expires : expiresAt(expireAfter, now);
	await core.journal.invalidate([{kind: 'key', key: response.cacheKey}]);
	const written = await core.withCurrentPosition(withExpiration(stored, expires, now, core.settings));
	const result = await core.writes.exclusively(response.cacheKey, () => core.managedEntries.write(response.cacheKey, written));
	return result === 'too-large' ? result : {key: response.cacheKey, stored: written};
}

export type StoredExpiration = Exclude<ReturnType<typeof parseExpiration>, undefined | {readonly kind: 'do-not-cache'}>;

/**
Makes the parser of the expiration of a stored response, which cannot be `DO_NOT_CACHE`.

@param now - Decides the century of an HTTP date whose year has two digits.
*/
export function expirationParser(now: number): Parser<StoredExpiration> {
	return {
		allowed: allowedExpiration,
		parse(value) {
			const expiration = parseExpiration(value, now);
			return expiration?.kind === 'do-not-cache' ? undefined : expiration;
		},
	};
}

/** The options of `save`, parsed. */
export type ParsedOptions = Pick<SaveOptions, 'tags'> & {readonly expireAfter?: StoredExpiration | undefined};

const saveParsers = (now: number): Parsers<ParsedOptions> => ({
	expireAfter: expirationParser(now),
	tags: {
		allowed: `an array of at most ${maxTags} strings of 1 to ${maxTagLength} characters`,
		parse: value => Array.isArray(value) && areTagsBounded(value) ? value : undefined,
	},
});

export function checkedOptions(now: number, options: unknown = {}): ParsedOptions {
	return parseOptions(saveParsers(now), options, 'options');
}

export function checkedImportOptions(now: number, options: unknown): ParsedOptions & LongTask {
	return parseOptions({...saveParsers(now), ...taskParsers}, options, 'options');
}

/** The result of `update`. */
export type UpdatedCache = {
	/** The number of entries that were copied. */
	readonly copied: number;

	/** The number of entries that the other cache cannot read or find, entries with a tag that this cache has deleted since, entries that only the secret of the other cache finds, and entries that are larger than the bound of the store. */
	readonly skipped: number;
};

/** Copies the entries of another cache, one at a time, with their expirations. Entries with the same key are overwritten. */
export async function copyEntries(core: CacheCore, other: CacheCore, task: LongTask): Promise<UpdatedCache> {
	await Promise.all([core.writes.settle(), other.writes.settle()]);
	const isOneSecret = await core.secrets.adopt(await other.secret());
	let copied = 0;
	let skipped = 0;
	for await (const {key, stored} of listAll(other, task)) {
		const isFound = stored !== undefined && (isOneSecret || (stored.request?.partition === undefined && stored.vary === undefined));
		const valid = isFound ? await core.applyInvalidations(stored, true) : undefined;
		const copy = valid && await core.withCurrentPosition(valid);
		if (copy === undefined) {
			skipped++;
			continue;
		}

		if (copy.primary !== undefined) {
			await core.unreachable.set();
		}

		const result = await core.writes.exclusively(key, () => core.managedEntries.write(key, copy));
		if (result === 'too-large') {
			skipped++;
		} else {
			copied++;
		}
	}

	return {copied, skipped};
}
