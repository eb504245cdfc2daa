import type {Fields} from '../policy/fields.ts';
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
	redactHref,
	redactReferences,
} from './references.ts';

/**
A request as it is stored with its response: without credentials, but such that its key can be made again.
*/
export type StoredRequest = {
	/** The method, followed by a colon and the method of an override header. */
	readonly method: string;
	readonly url: string;
	readonly rawHeaders: readonly string[];

	/** A body that is JSON or a form. */
	readonly body?: string;

	/** The parts of the key of any other body. */
	readonly bodyParts?: readonly string[];

	/** The digest of the TLS settings that differ from the defaults. */
	readonly trust?: string;

	/** The hashed parts of the key. */
	readonly partition?: Partition;
};

/** The names of the hashed parts of a key, in order, and their keyed digest. */
type Partition = {
	readonly parts: ReadonlyArray<readonly [where: string, name: string]>;
	readonly digest: string;
};

/**
Redacts a request: replaces ignored parameters and everything that may be a credential.

@param request - With header names in lower case, and an override behind the method. A stored request may be redacted again.
*/
export function redactRequest(request: StorableRequest, settings: IdentitySettings, partition: Partition | undefined): StoredRequest {
	const {method, url, headers, body, bodyParts, trust} = request;
	const {ignoredParameters} = settings;
	const redacted = {method, url: redactHref(url, ignoredParameters), rawHeaders: redactHeaders(headers, ignoredParameters)};
	return body === undefined && bodyParts === undefined && trust === undefined && partition === undefined
		? redacted
		: {
			...redacted,
			...(body !== undefined && redactBody({headers, body}, settings)),
			...(bodyParts !== undefined && {bodyParts}),
			...(trust !== undefined && {trust}),
			...(partition !== undefined && {partition}),
		};
}

/** Returns header lines without credentials. The names must be in lower case. */
export function redactHeaders(headers: Fields, ignored: Ignored): string[] {
	const lines: string[] = [];
	for (const name in headers) {
		// RFC 9113 §8.3: pseudo-headers are no fields.
		if (!Object.hasOwn(headers, name) || name.startsWith(':')) {
			continue;
		}

		const isSecret = classifyName(name) !== 'plain' || ignoresHeader(ignored, name);
		const value = headers[name];
		if (typeof value === 'string') {
			lines.push(name, isSecret ? REDACTED : redactLine(value, ignored));
			continue;
		}

		for (const line of value ?? []) {
			lines.push(name, isSecret ? REDACTED : redactLine(line, ignored));
		}
	}

	return lines;
}

function redactLine(line: string, ignored: Ignored): string {
	if (line.length > maxKnownLength) {
		return redactReferences(line, ignored);
	}

	let known = knownLines.get(ignored);
	if (known === undefined || known.size >= maxKnownLines) {
		known = new Map();
		knownLines.set(ignored, known);
	}

	let redacted = known.get(line);
	if (redacted === undefined) {
		redacted = redactReferences(line, ignored);
		known.set(line, redacted);
	}

	return redacted;
}

// The lines of request headers, redacted: most requests have the same ones. To read the URL in a `User-Agent` allocates 3 KB.
const knownLines = new WeakMap<Ignored, Map<string, string>>();
const maxKnownLines = 500;
const maxKnownLength = 500;

/** Makes the partition of a request from its hashed parts, of which there must be at least one. */
export function partitionOf(hashed: readonly HashedPart[], secret: Secret): Partition {
	return {parts: hashed.map(([where, name]) => [where, where === 'user info' ? '' : name] as const), digest: partitionDigest(hashed, secret)!};
}

/**
Makes the key of a stored request by other settings than those when it was stored.

The stored digest replaces the redacted values as long as the same names are hashed.

@returns `undefined` if the key depends on a redacted value otherwise, and so is unknown.
*/
export function recreatedKey(request: StorableRequest, partition: Partition | undefined, settings: IdentitySettings, secret: Secret): string | undefined {
	if (typeof settings.partitionBy === 'function' && !isOfTenant(partition) && hasRedacted(request)) {
		return undefined;
	}

	const {parts, known} = matchAgain(request, partition, settings, secret);
	return known === 'unknown' ? undefined : keyOfParts(parts, known?.digest);
}

/**
Makes the partition of a stored request by the current settings, or returns the stored one if that is impossible.
*/
export function recreatedPartition(request: StorableRequest, partition: Partition | undefined, settings: IdentitySettings, secret: Secret): Partition | undefined {
	const {known} = matchAgain(request, partition, settings, secret);
	return known === 'unknown' ? partition : known ?? partition;
}

type MatchedAgain = Pick<MatchedRequest, 'parts'> & {readonly known: Partition | 'unknown' | undefined};

/** Matches a stored request by the current settings. Its partition is `'unknown'` if that depends on redacted values. */
function matchAgain(request: StorableRequest, partition: Partition | undefined, settings: IdentitySettings, secret: Secret): MatchedAgain {
	// If the tenant is known, `partitionBy` is not called: it would get a request without credentials.
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

	// The digest of a body that cannot be read would be that of the stored body, not of the sent one.
	const isUnknown = absent.length > 0 || hashed.some(part => isRedactedPart(part) || (part[0] === 'body' && hasRedacted(request)));
	return {parts, known: isUnknown ? 'unknown' : partitionOf(hashed, secret)};
}

function isOfTenant(partition: Partition | undefined): boolean {
	return partition?.parts.some(([where]) => where === 'tenant') === true;
}

/** Whether nothing of a hashed part is stored, not even its name. */
function isNeverStored(where: string, {partitionBy}: IdentitySettings): boolean {
	return where === 'multipart' || where === 'body' || (where === 'user info' && partitionBy === 'credentials');
}

/** Whether two lists have the same places and names, in any order. */
function isSame(hashed: ReadonlyArray<HashedPart | readonly [string, string]>, known: Partition['parts']): boolean {
	const named = (list: ReadonlyArray<readonly [string, string, ...unknown[]]>): string => list.map(([where, name]) => JSON.stringify([where, name])).toSorted().join(',');
	return named(hashed) === named(known);
}

/** Whether a value of a stored request is redacted. */
export function hasRedacted({url, headers, body}: StorableRequest): boolean {
	return [url, body, ...Object.values(headers).flat()].some(text => typeof text === 'string' && text.includes(REDACTED));
}

/**
Whether a header line of a response may be stored: it is none that the settings ignore, and no `Content-Location` with a credential. Other lines are left out and not redacted, since a caller gets no value that the origin did not send.

@param name - In lower case.
*/
export function isStorable(name: string, value: string, url: string, ignored: Ignored): boolean {
	return name === 'content-location' ? !isSecretUrl(value, url, ignored) : needed.has(name) || !ignoresHeader(ignored, name);
}

/**
Whether a header line of a 304 may be stored: it is storable, and exposes no credential.

@param name - In lower case.
*/
export function mayUpdate(name: string, value: string, url: string, ignored: Ignored): boolean {
	return !credentialResponseHeaders.has(name) && !referencesSecret(name, value, url, ignored) && isStorable(name, value, url, ignored);
}

// A stored response would be wrong without these headers, so that they are stored even if the settings ignore them.
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

/**
Whether a header of a response contains a credential: as its value, or in a URL such as that of `Location`, `Link` or `Refresh`. A field with more than 100 references counts as one. Such a response is not stored, since it would be wrong without the header.

@param url - The URL of the request.
*/
export function exposesCredential(fields: Fields, url: string, ignored: Ignored): boolean {
	return Object.keys(fields).some(name => credentialResponseHeaders.has(name) || referencesSecret(name, fields[name] ?? noReferences, url, ignored));
}

function referencesSecret(name: string, lines: string | readonly string[], url: string, ignored: Ignored): boolean {
	if (name === 'content-location' || (!needed.has(name) && ignoresHeader(ignored, name))) {
		return false;
	}

	const targets = referencesIn(lines, references.get(name) ?? referencesOfOthers);
	return targets.length > 0 && (targets.length > maxReferences || areSecret(targets, url, ignored));
}

function areSecret(targets: readonly string[], url: string, ignored: Ignored): boolean {
	return targets.some(target => isSecretUrl(target, url, ignored));
}

function referencesIn(lines: string | readonly string[], find: (line: string) => readonly string[]): readonly string[] {
	return typeof lines === 'string' ? find(lines) : referencesInLines(lines, find);
}

function referencesInLines(lines: readonly string[], find: (line: string) => readonly string[]): readonly string[] {
	return lines.flatMap(line => find(line));
}

const maxReferences = 100;

/** Extracts the references that a client follows, by field. */
const references: ReadonlyMap<string, (line: string) => readonly string[]> = new Map([
	['location', line => [line]],
	['link', line => line.split('<', maxReferences + 2).slice(1).map(part => part.split('>', 1)[0]!)],
	// HTML, “shared declarative refresh steps”: both `url=` and the semicolon are optional.
	['refresh', line => [line.replace(/^[\s\d.]*[,;]?\s*(?:url\s*=\s*)?["']?/iv, '')]],
]);

/** Extracts a reference if the value of any other field is one. */
const referencesOfOthers = (line: string): readonly string[] => isReference(line.trim()) ? [line.trim()] : noReferences;

const noReferences: readonly string[] = [];
