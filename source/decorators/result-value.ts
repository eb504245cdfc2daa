import {deserialize, serialize} from 'node:v8';
import {CacheHooksError, describe} from '../errors.ts';
import {isPlainObject} from '../parse.ts';

export type ReviveOptions = {
	/** The class of the value, or of the items if the value is an array. */

	readonly type?: (abstract new (...inputs: any[]) => unknown) | undefined;

	/** Restores the value from a plain copy. */
	readonly revive?: ((plain: never) => unknown) | undefined;
};

/**
Serializes a value by structured clone.

@throws {CacheHooksError} If the copy would differ: the value contains functions, or instances of classes without `type` or `revive`.
*/
export function toBytes(value: unknown, {type, revive}: ReviveOptions, label: string): Uint8Array {
	try {
		if (revive === undefined) {
			check(value, type, `the result of ${label}`);
		}

		return serialize(value);
	} catch (error) {
		if (error instanceof CacheHooksError) {
			throw error;
		}

		throw new CacheHooksError('ERR_RESULT_NOT_CLONEABLE', `The result of ${label} cannot be cached, because structured clone does not support all of it, or it is nested too deeply. Return a plain value, or set \`result: false\`.`, {cause: error});
	}
}

/**
Restores a new copy of the value that `toBytes` serialized.

@throws If the bytes are not such a value.
*/
export async function fromBytes(bytes: Uint8Array, {type, revive}: ReviveOptions): Promise<unknown> {
	// Typed arrays in the value are views of the input, so that the stored bytes must be copied.
	const plain: unknown = deserialize(Uint8Array.from(bytes));
	if (revive !== undefined) {
		return revive(plain as never);
	}

	if (type === undefined) {
		return plain;
	}

	return Array.isArray(plain) ? plain.map(item => instanceOf(item, type)) : instanceOf(plain, type);
}

function instanceOf(plain: unknown, type: NonNullable<ReviveOptions['type']>): unknown {
	return isPlainObject(plain) ? Object.assign(Object.create(type.prototype as object) as object, plain) : plain;
}

// The classes that structured clone preserves.
const cloneableClasses = [Date, RegExp, Map, Set, Error, ArrayBuffer, SharedArrayBuffer, Boolean, Number, String];

function check(value: unknown, type: ReviveOptions['type'], path: string): void {
	if (hasType(value, type)) {
		checkMembers(value, path, new Set([value]));
	} else if (Array.isArray(value)) {
		for (const [index, item] of value.entries()) {
			const itemPath = `${path}[${index}]`;
			if (hasType(item, type)) {
				checkMembers(item, itemPath, new Set([item]));
			} else {
				checkDeep(item, itemPath, new Set([value]));
			}
		}
	} else {
		checkDeep(value, path, new Set());
	}
}

function hasType(value: unknown, type: ReviveOptions['type']): value is object {
	return type !== undefined && isObject(value) && Object.getPrototypeOf(value) === type.prototype;
}

function checkMembers(value: object, path: string, seen: Set<unknown>): void {
	for (const [name, item] of Object.entries(value)) {
		checkDeep(item, `${path}.${name}`, seen);
	}
}

function checkDeep(value: unknown, path: string, seen: Set<unknown>): void {
	if (typeof value === 'function' || typeof value === 'symbol') {
		throw new CacheHooksError('ERR_RESULT_NOT_CLONEABLE', `${path} is ${typeof value === 'symbol' ? 'a symbol' : describe(value)}, which cannot be cached. Return a plain value, or set \`result: false\`.`);
	}

	if (!isObject(value) || seen.has(value)) {
		return;
	}

	seen.add(value);
	if (value instanceof Map || value instanceof Set) {
		for (const item of value instanceof Map ? [...value].flat() : value) {
			checkDeep(item, `an item of ${path}`, seen);
		}
	} else if (Array.isArray(value)) {
		for (const [index, item] of value.entries()) {
			checkDeep(item, `${path}[${index}]`, seen);
		}
	} else if (isPlainObject(value)) {
		checkMembers(value, path, seen);
	} else if (!ArrayBuffer.isView(value) && cloneableClasses.every(known => !(value instanceof known))) {
		throw new CacheHooksError('ERR_RESULT_NOT_CLONEABLE', `${path} is ${describe(value)}, which would be cached as a plain copy. Set \`type\` or \`revive\`.`);
	}
}

function isObject(value: unknown): value is object {
	return typeof value === 'object' && value !== null;
}
