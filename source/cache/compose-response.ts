import type {Ignored} from '../identity/credentials.ts';
import {redactHref} from '../identity/references.ts';
import {isTargetHeader, targetParts} from '../identity/sent-request.ts';
import {isStorable, mayUpdate, type StoredRequest} from '../identity/stored-request.ts';
import {
	type Body,
	fieldsOf,
	type StoredCookie,
	type StoredMetadata,
	type StoredResponse,
	storedResponse,
	type Variation,
} from '../entry/stored-response.ts';
import {
	fieldLines,
	tagsOf,
	type Fields,
	cookieFields,
	datedFields,
	freshenedFields,
	storableFields,
	type RawFields,
} from '../policy/fields.ts';
import {originFacts} from '../policy/facts.ts';
import {retained} from '../policy/freshness.ts';
import type {PolicySettings, StorageTerms} from '../policy/types.ts';
import type {ResolvedSettings} from '../settings/settings.ts';

/**
A response that is to be stored, before its body has been received.
*/
export type ReceivedResponse = {
	/** The method of the requests that it will answer. */
	readonly method: string;
	readonly url: string;
	readonly head: {readonly statusCode: number; readonly statusMessage: string; readonly rawHeaders: RawFields};
	readonly received: number;
	readonly terms: StorageTerms;
	readonly decidedBy: 'user' | 'origin';

	/** The parameters that are redacted. */
	readonly ignored: Ignored;

	/** Whether `Set-Cookie` is stored, and served on each hit. */
	readonly storeSetCookie: boolean;

	/** The milliseconds that the origin took. */
	readonly took?: number;
};

/** A body as it is stored, and the request that it answers. */
type StoredContent = {
	readonly body: Body;

	/** The content codings that were undone. */
	readonly codings: readonly string[];
	readonly request: StoredRequest;
};

/**
Makes the stored form of a response, without anything that belongs to one connection, and without credentials. If content codings were undone, the headers agree with that.
*/
export function composeResponse(response: ReceivedResponse, {body, codings, request}: StoredContent): StoredResponse {
	const {method, url, head, received, terms, decidedBy, ignored, took} = response;
	const storable = storableFields(head.rawHeaders, unstoredNames(response, codings), (name, value) => isStorable(name, value, url, ignored));
	const metadata: Writable<StoredMetadata> = {
		method,
		url: redactHref(url, ignored),
		statusCode: head.statusCode,
		statusMessage: head.statusMessage,
		rawHeaders: datedFields(storable, received),
		createdAt: received,
		expires: terms.expires,
		retainUntil: terms.retainUntil,
		initialAge: terms.initialAge,
		decidedBy,
		generation: '',
		request,
	};
	const cookies = cookiesOf(response, request);
	if (codings.length > 0) {
		metadata.codings = codings;
	}

	if (took !== undefined) {
		metadata.took = took;
	}

	if (cookies.length > 0) {
		metadata.cookies = cookies;
	}

	if (terms.vary.length > 0) {
		metadata.vary = variationBy(terms.vary);
	}

	if (terms.facts !== undefined) {
		metadata.facts = terms.facts;
	}

	return storedResponse(metadata, body);
}

type Writable<T> = {-readonly [Name in keyof T]: T[Name]};

/** Returns the lower-case names of the fields that are not stored, beside those that never are. */
function unstoredNames({terms, storeSetCookie}: ReceivedResponse, codings: readonly string[]): readonly string[] {
	const cookies = storeSetCookie ? noNames : cookieFields;
	const others = codings.length > 0 ? contentFields : noNames;
	return terms.excludedFields.length + others.length === 0 ? cookies : [...terms.excludedFields, ...others, ...cookies];
}

const noNames: readonly string[] = [];
const contentFields: readonly string[] = ['content-encoding', 'content-length'];

/** Returns the cookies that a redirect set, without their values. A request without these cookies may be redirected elsewhere. They belong to the host of the connection, not to that of the `Host` header. */
function cookiesOf({head: {statusCode, rawHeaders}, received}: ReceivedResponse, {url}: StoredRequest): readonly StoredCookie[] {
	const isRedirect = statusCode >= 300 && statusCode < 400;
	return isRedirect ? fieldLines(fieldsOf(rawHeaders), 'set-cookie').map(line => parseCookie(line, url, received)).filter(cookie => cookie !== undefined) : noCookies;
}

const noCookies: readonly StoredCookie[] = [];

/**
Parses a cookie (RFC 6265 §5.2), as far as is needed to look it up in a cookie jar.

@returns `undefined` for one that no jar accepts.
*/
function parseCookie(line: string, url: string, now: number): StoredCookie | undefined {
	const [pair = '', ...attributes] = line.split(';');
	const name = pair.split('=', 1)[0]!.trim();
	if (name === '' || !pair.includes('=')) {
		return undefined;
	}

	const given = new Map(attributes.map(attribute => {
		const [attributeName = '', ...value] = attribute.split('=');
		return [attributeName.trim().toLowerCase(), value.join('=').trim()] as const;
	}));
	const {protocol, hostname, port, pathname} = new URL(url);
	const domain = given.get('domain')?.replace(/^\./v, '').toLowerCase() ?? '';
	if (domain !== '' && domain !== hostname && !hostname.endsWith(`.${domain}`)) {
		return undefined;
	}

	const path = given.get('path') ?? '';
	const host = domain === '' || domain === hostname ? hostname + (port === '' ? '' : `:${port}`) : domain;
	const age = given.get('max-age') ?? '';
	return {
		name,
		url: `${given.has('secure') ? 'https:' : protocol}//${host}${path.startsWith('/') ? path : pathname}`,
		// RFC 6265 §5.3: of the two, `Max-Age` counts.
		isDeleted: /^-?\d+$/v.test(age) ? Number(age) <= 0 : Date.parse(given.get('expires') ?? '') <= now,
	};
}

/**
Separates the header lines of a 304 that may be stored from those that are only for the caller. A line with a secret is only for the caller, so that the stored line stays.

@param url - The URL of the request.
*/
export function splitUpdate(raw: RawFields, url: string, {ignoredParameters: ignored, storeSetCookie}: {readonly ignoredParameters: Ignored; readonly storeSetCookie: boolean}): {readonly storable: string[]; readonly own: string[]} {
	const storable: string[] = [];
	const own: string[] = [];
	const lines = storableFields(raw, []);
	for (let index = 0; index < lines.length; index += 2) {
		const name = lines[index]!.toLowerCase();
		const value = lines[index + 1]!;
		const isKept = (storeSetCookie || !cookieFields.includes(name)) && mayUpdate(name, value, url, ignored);
		(isKept ? storable : own).push(lines[index]!, value);
	}

	return {storable, own};
}

/** Returns the header names by which a response varies. The digest of the values is made when the response is saved. */
function variationBy(names: readonly string[]): Variation {
	return {names, digest: ''};
}

/**
Updates a stored response by a 304 (RFC 9111 §3.2).
*/
export function freshenResponse(stored: StoredResponse, update: readonly string[], received: number, terms: StorageTerms): StoredResponse {
	const {expires, retainUntil, initialAge, excludedFields, facts} = terms;
	const tagged = withTags(stored, tagsOf(fieldsOf(update)));
	return storedResponse({
		...withoutTerms(tagged),
		rawHeaders: datedFields(freshenedFields(stored.rawHeaders, update, excludedFields), received),
		createdAt: received,
		expires,
		retainUntil,
		initialAge,
		revalidated: true,
		...(terms.vary.length > 0 && {vary: variationBy(terms.vary)}),
		...(facts !== undefined && {facts}),
	}, stored.body);
}

/** Returns the response without the terms that only some responses have. */
function withoutTerms(stored: StoredResponse): StoredResponse {
	if (stored.vary === undefined && stored.facts === undefined) {
		return stored;
	}

	const {vary: _vary, facts: _facts, ...others} = stored;
	return others;
}

/** Returns the response with another expiration, and retained as long as that requires. */
export function withExpiration(stored: StoredResponse, expires: number | undefined, now: number, settings: ResolvedSettings): StoredResponse {
	const rules = policySettings(settings);
	return {...stored, ...retained(expires, now, rules, originFacts(stored, rules))};
}

/** Returns the response with further tags. */
export function withTags(stored: StoredResponse, further: readonly string[]): StoredResponse {
	return further.length === 0 ? stored : {...stored, tags: [...new Set([...stored.tags ?? [], ...further])]};
}

/** Whether an entry is not found by its URL alone: its headers name another target than the URL of its connection, or its TLS settings were not the defaults. */
export function isAlias({request}: Pick<StoredResponse, 'request'>): boolean {
	return request !== undefined && (request.trust !== undefined || (namesTarget(request.rawHeaders) && Object.keys(targetFields(request)).length > 0));
}

/** Returns the headers of a stored request that name another target than its URL. */
export function targetFields({url, rawHeaders}: StoredRequest): Fields {
	return namesTarget(rawHeaders) ? Object.fromEntries(targetParts(new URL(url), fieldsOf(rawHeaders)) ?? []) : {};
}

function namesTarget(rawHeaders: RawFields): boolean {
	for (let index = 0; index < rawHeaders.length; index += 2) {
		if (isTargetHeader(rawHeaders[index]!.toLowerCase())) {
			return true;
		}
	}

	return false;
}

/** Returns the settings of the rules for a request without settings of its own. */
export function policySettings(settings: ResolvedSettings): PolicySettings {
	return {
		...settings,
		refresh: false,
		forceRefresh: false,
		requestExpireAfter: undefined,
	};
}
