import {Buffer} from 'node:buffer';
import {
	bodyBytes,
	storedResponse,
	type StoredMetadata,
	type StoredResponse,
} from '../stored-response.ts';
import {bytesOf, readableBody} from './body.ts';
import {isObject, UnreadableError, type EntryDocument} from './stage.ts';

const documentVersion = 1;

/**
Returns an entry as plain data.

@param isReadable - Whether to convert the body to text or a JSON value, if the same bytes can be restored from it.
@param format - What the format takes.
*/
export function toDocument(stored: StoredResponse, isReadable: boolean, format: Format): EntryDocument {
	const body = isReadable ? readableBody(stored) : {bytes: format.takesParts === true ? stored.body as Uint8Array : bodyBytes(stored.body)};
	if (format.omitsUndefined === true) {
		const document = {
			...stored, version: documentVersion, fields: undefined, body,
		} as const;
		return document;
	}

	const {fields: _fields, body: _body, ...metadata} = stored;
	return {version: documentVersion, ...withoutUndefined(metadata), body};
}

type Format = {
	/** Whether the format omits members that are `undefined`. Otherwise, there are none, which takes longer. */
	readonly omitsUndefined?: boolean | undefined;

	/** Whether the format takes the parts of a body, which are otherwise copied to one array. */
	readonly takesParts?: boolean;
};

/**
Returns the entry of a document, after checking it.

@throws {UnreadableError} If it is not an entry of this version.
*/
export function fromDocument(document: unknown): StoredResponse {
	if (!isObject(document) || !Object.hasOwn(document, 'version') || !Object.hasOwn(document, 'body')) {
		throw new UnreadableError('format');
	}

	const {version, body, ...metadata} = document;
	if (version !== documentVersion) {
		throw new UnreadableError(Number.isSafeInteger(version) ? 'version' : 'format');
	}

	const bytes = bytesOf(body);
	const checked = checkedMetadata(metadata);
	if (checked.byteLength !== bytes.byteLength) {
		throw new UnreadableError('truncated');
	}

	// Documents omit members that are `undefined`.
	return storedResponse({...checked, expires: checked.expires, retainUntil: checked.retainUntil}, bytes);
}

/** Returns the document with its bytes as base64. */
export function toJsonDocument(document: EntryDocument): EntryDocument {
	const {body} = document;
	return 'bytes' in body ? {...document, body: {base64: Buffer.from(body.bytes.buffer, body.bytes.byteOffset, body.bytes.byteLength).toString('base64')}} : document;
}

// Omitting `undefined` members does not change the type.
function withoutUndefined<Members extends object>(members: Members): Members {
	return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Members;
}

type DocumentMetadata = StoredMetadata & {readonly byteLength: number};

type Check = (value: unknown) => boolean;

const isString: Check = value => typeof value === 'string';
const isBoolean: Check = value => typeof value === 'boolean';
const isTrue: Check = value => value === true;
const isNumber: Check = value => Number.isFinite(value);
const isInteger: Check = value => Number.isSafeInteger(value);
const isArrayOf = (check: Check): Check => value => Array.isArray(value) && value.every(item => check(item));
const isStrings = isArrayOf(isString);
const isRawHeaders: Check = value => isStrings(value) && (value as unknown[]).length % 2 === 0;
const isPair: Check = value => isStrings(value) && (value as unknown[]).length === 2;
const optional = (check: Check): Check => value => value === undefined || check(value);

/** Returns a check for an object with certain members; it may have others. */
const shape = (checks: Readonly<Record<string, Check>>): Check => {
	const entries = Object.entries(checks);
	return value => isObject(value) && entries.every(([name, check]) => check(Object.hasOwn(value, name) ? value[name] : undefined));
};

const isPartition = shape({parts: optional(isArrayOf(isPair)), digest: isString});

const isRequest = shape({
	method: isString,
	url: isString,
	rawHeaders: isRawHeaders,
	body: optional(isString),
	bodyParts: optional(isStrings),
	trust: optional(isString),
	partition: optional(isPartition),
});

const isFacts = shape({
	noCache: optional(isTrue),
	mustRevalidate: optional(isTrue),
	immutable: optional(isTrue),
	staleIfError: optional(isNumber),
	staleWhileRevalidate: optional(isNumber),
	lastModified: optional(isNumber),
	isDateWeak: optional(isTrue),
	targets: optional(isStrings),
} satisfies {readonly [Name in keyof NonNullable<StoredMetadata['facts']>]-?: Check});

const isCookies = isArrayOf(shape({name: isString, url: isString, isDeleted: isBoolean}));

const isMetadata = shape({
	method: isString,
	url: isString,
	statusCode: isInteger,
	statusMessage: isString,
	rawHeaders: isRawHeaders,
	createdAt: isNumber,
	initialAge: isNumber,
	expires: optional(isNumber),
	retainUntil: optional(isNumber),
	codings: optional(isStrings),
	facts: optional(isFacts),
	decidedBy: value => value === 'user' || value === 'origin',
	generation: isString,
	vary: optional(shape({names: isStrings, digest: isString})),
	request: optional(isRequest),
	primary: optional(isString),
	tags: optional(isStrings),
	position: optional(isNumber),
	took: optional(isNumber),
	revalidated: optional(isBoolean),
	cookies: optional(isCookies),
	expiredWith: optional(isString),
	check: optional(isString),
	byteLength: isInteger,
} satisfies {readonly [Name in keyof DocumentMetadata]-?: Check});

// Assigning these members could change the prototype of an object.
const forbiddenNames = ['__proto__', 'constructor', 'prototype'];

function checkedMetadata(value: unknown): DocumentMetadata {
	if (!isMetadata(value) || forbiddenNames.some(name => Object.hasOwn(value as object, name))) {
		throw new UnreadableError('metadata');
	}

	return value as DocumentMetadata;
}
