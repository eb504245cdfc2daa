import type * as MongoDb from 'mongodb';
import {isPackedName, packedMember, unpack} from '../packed.ts';

/** MongoDB takes 100 levels, and some are around the value. */
const deepest = 80;

/**
The value with whatever MongoDB cannot hold, and no more, packed (see `pack`): objects with names that are empty, begin with `$` or hold a `.`, strings that are no UTF-16, `-0`, what lies too deep.
*/
export function toDocument(value: unknown, depth = 0): unknown {
	if (typeof value === 'string') {
		return value.isWellFormed() ? value : packed(value);
	}

	if (typeof value !== 'object' || value === null) {
		return Object.is(value, -0) ? packed(value) : value;
	}

	if (value instanceof Uint8Array) {
		return value;
	}

	if (depth >= deepest) {
		return packed(value);
	}

	if (Array.isArray(value)) {
		return value.map(item => toDocument(item, depth + 1));
	}

	const entries = Object.entries(value);
	return entries.every(([name]) => isName(name))
		? Object.fromEntries(entries.map(([name, item]) => [name, toDocument(item, depth + 1)]))
		: packed(value);
}

/** The whole value packed, for servers that hold less than MongoDB. */
export function packed(value: unknown): object {
	return Object.fromEntries([packedMember(value)]);
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

	const entries = Object.entries(value).map(([name, item]) => [name, fromDocument(item)] as const);
	const [[first, content] = ['']] = entries;
	return isPackedName(first) ? unpack(content as string | Uint8Array) : Object.fromEntries(entries);
}

/** `_bsontype` says to the driver that an object is one of its own. */
function isName(name: string): boolean {
	return name !== '' && !/^\$|[\0.]/v.test(name) && name.isWellFormed() && !['__proto__', '_bsontype', 'toBSON'].includes(name) && !isPackedName(name);
}
