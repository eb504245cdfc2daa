import type {StoredMetadata} from '../stored-response.ts';
import {UnreadableError} from './unreadable.ts';

type WrittenMetadata = StoredMetadata & {readonly byteLength: number};

type Check = (value: unknown) => boolean;

const isString: Check = value => typeof value === 'string';
const isTime: Check = value => Number.isFinite(value);
const isWhole: Check = value => Number.isSafeInteger(value);
const isStrings: Check = value => isArrayOf(value, isString);
const isLines: Check = value => isStrings(value) && (value as unknown[]).length % 2 === 0;
const optional = (check: Check): Check => value => value === undefined || check(value);
const oneOf = (...allowed: readonly unknown[]): Check => value => allowed.includes(value);

/** An object whose members pass; others may be there. */
const shape = (checks: Readonly<Record<string, Check>>): Check => {
	const entries = Object.entries(checks);
	return value => isObject(value) && entries.every(([name, check]) => check(own(value, name)));
};

const isPair: Check = value => isStrings(value) && (value as unknown[]).length === 2;

const isPartition = shape({parts: optional(value => isArrayOf(value, isPair)), digest: isString});

const isRequest = shape({
	method: isString,
	url: isString,
	rawHeaders: isLines,
	body: optional(isString),
	bodyParts: optional(isStrings),
	trust: optional(isString),
	partition: optional(isPartition),
});

const isVariation = shape({names: isStrings, digest: isString});

const isTrue: Check = value => value === true;

const isFacts = shape({
	noCache: optional(isTrue),
	mustRevalidate: optional(isTrue),
	immutable: optional(isTrue),
	staleIfError: optional(isTime),
	staleWhileRevalidate: optional(isTime),
	lastModified: optional(isTime),
	isDateWeak: optional(isTrue),
	targets: optional(isStrings),
} satisfies {readonly [Name in keyof NonNullable<StoredMetadata['facts']>]-?: Check});

const isCookie = shape({name: isString, url: isString, isDeleted: value => typeof value === 'boolean'});

/** Each member of the metadata, and what it must be. What has no row is kept as it is. */
const rows = {
	method: isString,
	url: isString,
	statusCode: isWhole,
	statusMessage: isString,
	rawHeaders: isLines,
	createdAt: isTime,
	initialAge: isTime,
	expires: optional(isTime),
	retainUntil: optional(isTime),
	codings: optional(isStrings),
	facts: optional(isFacts),
	decidedBy: oneOf('user', 'origin'),
	generation: isString,
	vary: optional(isVariation),
	request: optional(isRequest),
	primary: optional(isString),
	tags: optional(isStrings),
	position: optional(isTime),
	took: optional(isTime),
	revalidated: optional(value => typeof value === 'boolean'),
	cookies: optional(value => isArrayOf(value, isCookie)),
	expiredWith: optional(isString),
	check: optional(isString),
	byteLength: isWhole,
} satisfies {readonly [Name in keyof WrittenMetadata]-?: Check};

const isMetadata = shape(rows);

/** Names by which a member of an object is more than data. */
const refused = ['__proto__', 'constructor', 'prototype'];

/**
The metadata of an entry, checked.

@throws {UnreadableError} `metadata` where a member is missing or wrong, or has a name that is no data.
*/
export function checkedMetadata(value: unknown): WrittenMetadata {
	if (!isMetadata(value) || refused.some(name => Object.hasOwn(value as object, name))) {
		throw new UnreadableError('metadata');
	}

	return value as WrittenMetadata;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null;
}

function own(value: Readonly<Record<string, unknown>>, name: string): unknown {
	return Object.hasOwn(value, name) ? value[name] : undefined;
}

function isArrayOf(value: unknown, check: Check): boolean {
	return Array.isArray(value) && value.every(item => check(item));
}
