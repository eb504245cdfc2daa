import {Buffer} from 'node:buffer';
import type * as MongoDb from 'mongodb';

/** The name under which a part stands as JSON text that a document of MongoDB cannot hold as it is. */
const textName = '(json)';

/** The name, in that text, of what JSON does not know. */
const specialName = '(special)';

/** MongoDB takes 100 levels, and some are around the value. */
const deepest = 80;

type Entries = ReadonlyArray<readonly [string, unknown]>;
type Special = readonly ['bytes', string] | readonly ['-0'] | readonly ['object', Entries];

/**
The value with whatever MongoDB cannot hold, and no more, as text: objects with names that are empty, begin with `$` or hold a `.`, strings that are no UTF-16, `-0`, what lies too deep.
*/
export function toDocument(value: unknown, depth = 0): unknown {
	if (typeof value === 'string') {
		return value.isWellFormed() ? value : toText(value);
	}

	if (typeof value !== 'object' || value === null) {
		return Object.is(value, -0) ? toText(value) : value;
	}

	if (value instanceof Uint8Array) {
		return value;
	}

	if (depth >= deepest) {
		return toText(value);
	}

	if (Array.isArray(value)) {
		return value.map(item => toDocument(item, depth + 1));
	}

	const entries = Object.entries(value);
	return entries.every(([name]) => isName(name))
		? Object.fromEntries(entries.map(([name, item]) => [name, toDocument(item, depth + 1)]))
		: toText(value);
}

/** The whole value as text, for servers that hold less than MongoDB. */
export function toText(value: unknown): object {
	return {[textName]: JSON.stringify(special(value))};
}

export function fromDocument(value: unknown): unknown {
	if (typeof value !== 'object' || value === null) {
		return value;
	}

	if (Array.isArray(value)) {
		return value.map(item => fromDocument(item));
	}

	const {_bsontype: type} = value as {readonly _bsontype?: string};
	if (type === 'Binary') {
		return new Uint8Array((value as MongoDb.Binary).value());
	}

	const text = (value as Record<string, unknown>)[textName];
	return typeof text === 'string'
		? plain(JSON.parse(text))
		: Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fromDocument(item)]));
}

/** `_bsontype` says to the driver that an object is one of its own. */
function isName(name: string): boolean {
	return name !== '' && !/^\$|[\0.]/v.test(name) && name.isWellFormed() && !['__proto__', '_bsontype', 'toBSON', textName].includes(name);
}

function special(value: unknown): unknown {
	if (Object.is(value, -0)) {
		return {[specialName]: ['-0'] satisfies Special};
	}

	if (value instanceof Uint8Array) {
		return {[specialName]: ['bytes', Buffer.from(value).toString('base64')] satisfies Special};
	}

	if (typeof value !== 'object' || value === null) {
		return value;
	}

	if (Array.isArray(value)) {
		return value.map(item => special(item));
	}

	const entries = Object.entries(value).map(([name, item]) => [name, special(item)] as const);
	return Object.hasOwn(value, specialName) ? {[specialName]: ['object', entries] satisfies Special} : Object.fromEntries(entries);
}

function plain(value: unknown): unknown {
	if (typeof value !== 'object' || value === null) {
		return value;
	}

	if (Array.isArray(value)) {
		return value.map(item => plain(item));
	}

	if (!Object.hasOwn(value, specialName)) {
		return plainObject(Object.entries(value));
	}

	const [kind, content] = (value as Record<string, Special>)[specialName]!;
	switch (kind) {
		case '-0': {
			return -0;
		}

		case 'bytes': {
			return new Uint8Array(Buffer.from(content, 'base64'));
		}

		case 'object': {
			return plainObject(content);
		}

		default: {
			return kind satisfies never;
		}
	}
}

function plainObject(entries: Entries): object {
	return Object.fromEntries(entries.map(([name, item]) => [name, plain(item)]));
}
