import {deserialize, serialize} from 'node:v8';
import {CacheHooksError, describe} from '../errors.ts';

export type Revival = {
	/** The class of the value, or of the items of the array that it is. */

	readonly type?: (abstract new (...inputs: any[]) => unknown) | undefined;

	/** Makes of a plain copy what was there. */
	readonly revive?: ((plain: never) => unknown) | undefined;
};

/**
A value as bytes, by structured clone.

@throws {CacheHooksError} Where a copy would not be the same: it has functions in it, or instances of classes for which there is neither `type` nor `revive`.
*/
export function toBytes(value: unknown, {type, revive}: Revival, label: string): Uint8Array {
	if (revive === undefined) {
		check(value, type, `the result of ${label}`);
	}

	try {
		return serialize(value);
	} catch (error) {
		throw new CacheHooksError('ERR_RESULT_NOT_CLONEABLE', `The result of ${label} cannot be kept: structured clone does not take all of it`, {cause: error});
	}
}

/**
The value that `toBytes` took; each time another copy.

@throws Where the bytes are no such value.
*/
export async function fromBytes(bytes: Uint8Array, {type, revive}: Revival): Promise<unknown> {
	// Typed arrays in the value are views of the bytes that are read: those that are stored are nobody's.
	const plain: unknown = deserialize(Uint8Array.from(bytes));
	if (revive !== undefined) {
		return revive(plain as never);
	}

	if (type === undefined) {
		return plain;
	}

	return Array.isArray(plain) ? plain.map(item => instanceOf(item, type)) : instanceOf(plain, type);
}

function instanceOf(plain: unknown, type: NonNullable<Revival['type']>): unknown {
	return isObject(plain) && isPlain(plain) ? Object.assign(Object.create(type.prototype as object) as object, plain) : plain;
}

// What structured clone gives back as it was.
const cloned = [Date, RegExp, Map, Set, Error, ArrayBuffer, SharedArrayBuffer, Boolean, Number, String];

function check(value: unknown, type: Revival['type'], place: string): void {
	if (isOf(value, type)) {
		checkMembers(value, place);
		return;
	}

	if (Array.isArray(value)) {
		for (const [index, item] of value.entries()) {
			const itemPlace = `${place}[${index}]`;
			if (isOf(item, type)) {
				checkMembers(item, itemPlace);
			} else {
				checkDeep(item, itemPlace, new Set([value]));
			}
		}

		return;
	}

	checkDeep(value, place, new Set());
}

function isOf(value: unknown, type: Revival['type']): value is object {
	return type !== undefined && isObject(value) && Object.getPrototypeOf(value) === type.prototype;
}

function checkMembers(value: object, place: string): void {
	for (const [name, item] of Object.entries(value)) {
		checkDeep(item, `${place}.${name}`, new Set([value]));
	}
}

function checkDeep(value: unknown, place: string, seen: Set<unknown>): void {
	if (typeof value === 'function' || typeof value === 'symbol') {
		throw new CacheHooksError('ERR_RESULT_NOT_CLONEABLE', `${place} is ${typeof value === 'symbol' ? 'a symbol' : describe(value)}, which cannot be kept: give a plain value, or \`result: false\``);
	}

	if (!isObject(value) || seen.has(value)) {
		return;
	}

	seen.add(value);
	if (value instanceof Map || value instanceof Set) {
		for (const item of value instanceof Map ? [...value].flat() : value) {
			checkDeep(item, `an item of ${place}`, seen);
		}
	} else if (Array.isArray(value)) {
		for (const [index, item] of value.entries()) {
			checkDeep(item, `${place}[${index}]`, seen);
		}
	} else if (isPlain(value)) {
		for (const [name, item] of Object.entries(value)) {
			checkDeep(item, `${place}.${name}`, seen);
		}
	} else if (!ArrayBuffer.isView(value) && cloned.every(known => !(value instanceof known))) {
		throw new CacheHooksError('ERR_RESULT_NOT_CLONEABLE', `${place} is ${describe(value)}, of which only a plain copy could be kept: give \`type\` or \`revive\``);
	}
}

function isObject(value: unknown): value is object {
	return typeof value === 'object' && value !== null;
}

function isPlain(value: object): boolean {
	const prototype: unknown = Object.getPrototypeOf(value);
	return prototype === Object.prototype || prototype === null;
}
