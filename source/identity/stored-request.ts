import {fieldLines, type Fields} from '../policy/fields.ts';
import type {RawFields} from '../policy/storing.ts';
import {redactBody} from './body.ts';
import {credentialResponseHeaders} from './credential-table.ts';
import {
	ignoresHeader,
	REDACTED,
	type Ignored,
	classifyName,
} from './credentials.ts';
import {
	isRedactedPart,
	KeyParts,
	type HashedPart,
	type IdentitySettings,
	type StorableRequest,
} from './key-parts.ts';
import {
	keyOfParts,
	matchRequest,
	partitionDigest,
	type MatchedRequest,
	type Secret,
} from './key.ts';
import {
	isReference,
	isSecretUrl,
	redactReferences,
	redactUrl,
} from './references.ts';

/**
A request as it is stored beside its response: without secrets, and so that its key can be made again.
*/
export type RedactedRequest = {
	/** The method, with the one that an override header asks for behind a colon. */
	readonly method: string;
	readonly url: string;
	readonly rawHeaders: readonly string[];

	/** JSON or a form. */
	readonly body?: string;

	/** Of any other body, the parts that its key is made of. */
	readonly bodyParts?: readonly string[];

	/** The digest of the TLS settings that differ from the defaults. */
	readonly trust?: string;

	/** Whom the request was for. */
	readonly partition?: Partition;
};

/** The names of the hashed parts, in order, and their keyed digest. */
type Partition = {
	readonly parts: ReadonlyArray<readonly [where: string, name: string]>;
	readonly digest: string;
};

/**
What of a request may be stored: ignored parameters and everything that may be a credential are replaced, wherever they stand.

@param request - Its header names in lower case, its method with an override behind it. One that is stored already may be redacted once more.
*/
export function redactRequest(request: StorableRequest, settings: IdentitySettings, partition: Partition | undefined): RedactedRequest {
	const {
		method, url, headers, body, bodyParts, trust,
	} = request;
	const {ignoredParameters} = settings;
	const parts = new KeyParts(settings);
	return {
		method,
		url: redactUrl(url, ignoredParameters),
		rawHeaders: redactHeaders(headers, ignoredParameters),
		...(body !== undefined && redactBody({headers, body}, ignoredParameters, (path, value, isString) => parts.isSecretField(path, value, isString), parts)),
		...(bodyParts !== undefined && {bodyParts}),
		...(trust !== undefined && {trust}),
		...(partition !== undefined && {partition}),
	};
}

function redactHeaders(headers: Fields, ignored: Ignored): string[] {
	const lines: string[] = [];
	for (const name of Object.keys(headers)) {
		// RFC 9113 §8.3: pseudo-headers are no fields.
		if (name.startsWith(':')) {
			continue;
		}

		const isSecret = classifyName(name) !== 'plain' || ignoresHeader(ignored, name);
		for (const line of fieldLines(headers, name)) {
			lines.push(name, isSecret ? REDACTED : redactReferences(line, ignored));
		}
	}

	return lines;
}

/** Whom a request is for, in the form that is stored. There must be hashed parts. */
export function partitionOf(hashed: readonly HashedPart[], secret: Secret): Partition {
	return {parts: hashed.map(([where, name]) => [where, where === 'user info' ? '' : name] as const), digest: partitionDigest(hashed, secret)!};
}

/**
The key that a stored request has by other settings than those by which it was stored.

What was redacted is gone. Whom the request was for is known by its digest, as long as the same names tell; where a value counts in clear that is gone, there is no key any more, since a guessed one could answer another's request.

@returns `undefined` where the key cannot be known.
*/
export function recreatedKey(request: StorableRequest, partition: Partition | undefined, settings: IdentitySettings, secret: Secret): string | undefined {
	if (typeof settings.partitionBy === 'function' && !isOfTenant(partition) && hasRedacted(request)) {
		return undefined;
	}

	const {parts, known} = rematched(request, partition, settings, secret);
	return known === 'gone' ? undefined : keyOfParts(parts, known?.digest);
}

/**
Whom a stored request is for by the current settings; what is stored with it where these settings cannot tell.
*/
export function recreatedPartition(request: StorableRequest, partition: Partition | undefined, settings: IdentitySettings, secret: Secret): Partition | undefined {
	const {known} = rematched(request, partition, settings, secret);
	return known === 'gone' ? partition : known ?? partition;
}

type Rematched = Pick<MatchedRequest, 'parts'> & {readonly known: Partition | 'gone' | undefined};

function rematched(request: StorableRequest, partition: Partition | undefined, settings: IdentitySettings, secret: Secret): Rematched {
	// A tenant that has been named is not asked for again: the function would see a request without credentials.
	const isNamed = typeof settings.partitionBy === 'function' && isOfTenant(partition);
	const {parts, hashed} = matchRequest(request, isNamed ? {...settings, partitionBy: () => REDACTED} : settings);
	const named = partition?.parts ?? [];
	const absent = named.filter(([where]) => isNeverStored(where, settings));
	if (hashed.length + absent.length === 0) {
		return {parts, known: undefined};
	}

	if (isSame([...hashed, ...absent], named)) {
		return {parts, known: partition};
	}

	// A body that is not read is digested as it is stored, and not as it was sent.
	const isGone = absent.length > 0 || hashed.some(part => isRedactedPart(part) || (part[0] === 'body' && hasRedacted(request)));
	return {parts, known: isGone ? 'gone' : partitionOf(hashed, secret)};
}

function isOfTenant(partition: Partition | undefined): boolean {
	return partition?.parts.some(([where]) => where === 'tenant') === true;
}

/** Hashed parts of which nothing is stored, not even their names: they are part of the key as long as the settings leave them there. */
function isNeverStored(where: string, {partitionBy}: IdentitySettings): boolean {
	return where === 'multipart' || where === 'body' || (where === 'user info' && partitionBy === 'credentials');
}

/** Whether two lists name the same values, in whatever order: both are sorted by the same rule. */
function isSame(hashed: ReadonlyArray<HashedPart | readonly [string, string]>, known: Partition['parts']): boolean {
	const named = (list: ReadonlyArray<readonly [string, string, ...unknown[]]>): string => list.map(([where, name]) => JSON.stringify([where, name])).toSorted().join(',');
	return named(hashed) === named(known);
}

/** Whether a value of a stored request was redacted. */
export function hasRedacted({url, headers, body}: StorableRequest): boolean {
	return [url, body, ...Object.values(headers).flat()].some(text => typeof text === 'string' && text.includes(REDACTED));
}

/**
The header lines of a response that may be stored. Lines that the settings ignore are left out, and so is a `Content-Location` with a secret: a caller gets no value that the origin did not send.
*/
export function storableLines(raw: RawFields, url: string, ignored: Ignored): string[] {
	const lines: string[] = [];
	for (let index = 0; index < raw.length; index += 2) {
		const [name, value] = [raw[index]!, raw[index + 1]!];
		if (isStorable(name.toLowerCase(), value, url, ignored)) {
			lines.push(name, value);
		}
	}

	return lines;
}

// A stored response without these headers would be used wrongly: they are stored even where the settings ignore them.
const needed = new Set([
	'accept-ranges',
	'age',
	'cache-control',
	'content-encoding',
	'content-language',
	'content-length',
	'content-range',
	'content-type',
	'date',
	'etag',
	'expires',
	'last-modified',
	'link',
	'location',
	'pragma',
	'refresh',
	'vary',
]);

function isStorable(name: string, value: string, url: string, ignored: Ignored): boolean {
	return name === 'content-location' ? !isSecretUrl(value, url, ignored) : needed.has(name) || !ignoresHeader(ignored, name);
}

/**
Whether a response hands out a secret: by a header that is a credential, or by a URL with a secret, as in `Location`, `Link` or `Refresh`, or may do so, since a field has more than 100 references. It cannot be stored as it is, nor be of use without.

@param url - The URL that was asked for.
*/
export function handsOutSecret(fields: Fields, url: string, ignored: Ignored): boolean {
	return Object.keys(fields).some(name => credentialResponseHeaders.has(name) || leadsToSecret(name, fields, url, ignored));
}

function leadsToSecret(name: string, fields: Fields, url: string, ignored: Ignored): boolean {
	if (name === 'content-location' || (!needed.has(name) && ignoresHeader(ignored, name))) {
		return false;
	}

	const find = references.get(name) ?? referencesOfOthers;
	const targets = fieldLines(fields, name).flatMap(line => find(line));
	return targets.length > mostReferences || targets.some(target => isSecretUrl(target, url, ignored));
}

// Of one field, so many references are looked at. Where there are more, one of them might be secret, and the response is not stored.
const mostReferences = 100;

/** The references that a client follows. With a secret replaced, they would lead elsewhere. */
const references: ReadonlyMap<string, (line: string) => readonly string[]> = new Map([
	['location', line => [line]],
	['link', line => line.split('<', mostReferences + 2).slice(1).map(part => part.split('>', 1)[0]!)],
	// HTML, “shared declarative refresh steps”: neither `url=` nor the semicolon must be there.
	['refresh', line => [line.replace(/^[\s\d.]*[,;]?\s*(?:url\s*=\s*)?["']?/iv, '')]],
]);

/** A value of any other field that is a URL. Callers use it, so that it cannot be left out; a `Content-Location` can. */
const referencesOfOthers = (line: string): readonly string[] => isReference(line.trim()) ? [line.trim()] : [];
