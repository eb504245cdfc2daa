import {Buffer} from 'node:buffer';
import {hash} from 'node:crypto';
import {deserialize, serialize} from 'node:v8';
import {CacheHooksError, describe, SettingError} from '../errors.ts';
import {isPlainObject} from '../parse.ts';
import type {AnyResultSettings} from './method-settings.ts';

/** Returns the arguments of a call as text. Trailing `undefined` arguments are ignored. */
export function argumentsText(inputs: readonly unknown[], label: string): string {
	const last = inputs.findLastIndex(input => input !== undefined);
	return inputs.slice(0, last + 1).map((input, index) => structuralText(input, `argument ${index + 1} of ${label}`)).join(',');
}

/**
Returns a value as text. Two values have the same text if and only if they are structurally equal, regardless of the order of the members of objects and the items of `Map` and `Set`.

@param path - The location of the value, for error messages.
@throws {SettingError} If part of the value is not plain data (a function, a symbol, an instance of a class, or a circular reference), or is nested too deeply.
*/
export function structuralText(value: unknown, path: string): string {
	try {
		return textOf(value, path, []);
	} catch (error) {
		// The stack is what limits the depth.
		if (error instanceof RangeError) {
			throw new SettingError(path, `\`${path}\` is nested too deeply to be included in the key. Pass a \`keyFn\`.`);
		}

		throw error;
	}
}

function textOf(value: unknown, path: string, parents: readonly unknown[]): string {
	switch (typeof value) {
		case 'string': {
			return JSON.stringify(value);
		}

		case 'number': {
			return Object.is(value, -0) ? '0' : String(value);
		}

		case 'bigint': {
			return `${value}n`;
		}

		case 'boolean':
		case 'undefined': {
			return String(value);
		}

		case 'object': {
			return value === null ? 'null' : objectText(value, path, parents);
		}

		case 'function':
		case 'symbol': {
			throw keyError(value, path);
		}
	}
}

function objectText(value: object, path: string, parents: readonly unknown[]): string {
	if (parents.includes(value)) {
		throw new SettingError(path, `\`${path}\` contains itself and cannot be included in the key. Pass a \`keyFn\`.`);
	}

	const inner = [...parents, value];
	if (Array.isArray(value)) {
		return `[${Array.from(value, (item, index) => textOf(item, `${path}[${index}]`, inner)).join(',')}]`;
	}

	if (value instanceof Map) {
		const entries = Array.from(value, ([key, item]) => `${textOf(key, `a key of ${path}`, inner)}:${textOf(item, `an item of ${path}`, inner)}`);
		return `Map(${entries.toSorted().join(',')})`;
	}

	return value instanceof Set
		? `Set(${Array.from(value, item => textOf(item, `an item of ${path}`, inner)).toSorted().join(',')})`
		: builtinText(value) ?? membersText(value, path, inner);
}

function builtinText(value: object): string | undefined {
	if (value instanceof Date) {
		return `Date(${value.getTime()})`;
	}

	if (value instanceof RegExp || value instanceof URL) {
		return `${value instanceof URL ? 'URL' : 'RegExp'}(${JSON.stringify(String(value))})`;
	}

	if (ArrayBuffer.isView(value)) {
		const name = value instanceof Uint8Array ? 'Uint8Array' : value.constructor.name;
		return `${name}(${hash('sha256', Buffer.from(value.buffer, value.byteOffset, value.byteLength), 'hex')})`;
	}

	return value instanceof ArrayBuffer || value instanceof SharedArrayBuffer
		? `ArrayBuffer(${hash('sha256', new Uint8Array(value), 'hex')})`
		: undefined;
}

function membersText(value: object, path: string, parents: readonly unknown[]): string {
	if (!isPlainObject(value)) {
		throw keyError(value, path);
	}

	const symbol = Object.getOwnPropertySymbols(value)[0];
	if (symbol !== undefined) {
		throw keyError(symbol, `a member of ${path}`);
	}

	const members = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}:${textOf(item, `${path}.${name}`, parents)}`);
	return `{${members.toSorted().join(',')}}`;
}

function keyError(value: unknown, path: string): SettingError {
	return new SettingError(path, `\`${path}\` is ${describe(value)} and cannot be included in the key. Pass a \`keyFn\`.`);
}

type ReviveOptions = Pick<AnyResultSettings, 'type' | 'revive'>;

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
		return revive(plain);
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
	const isList = Array.isArray(value);
	for (const [index, item] of (isList ? value as readonly unknown[] : [value]).entries()) {
		const itemPath = isList ? `${path}[${index}]` : path;
		const seen = new Set<unknown>(isList ? [value] : []);
		if (type !== undefined && isObject(item) && Object.getPrototypeOf(item) === type.prototype) {
			checkMembers(item, itemPath, seen.add(item));
		} else {
			checkDeep(item, itemPath, seen);
		}
	}
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
