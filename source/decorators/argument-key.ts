import {Buffer} from 'node:buffer';
import {hash} from 'node:crypto';
import {describe} from '../errors.ts';

/**
What values are, as one text: equal where they are equal by structure, whatever the order of an object's members and of the items of a `Map` or a `Set`. Nothing that differs has the same text.

@throws {TypeError} Where one of them is not plain data: a function, a symbol, an instance of a class, something that contains itself. It names the place.
*/
export function structuralText(value: unknown, place: string, within: readonly unknown[] = []): string {
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
			return value === null ? 'null' : objectText(value, place, within);
		}

		case 'function':
		case 'symbol': {
			throw unkeyable(value, place);
		}
	}
}

function objectText(value: object, place: string, within: readonly unknown[]): string {
	if (within.includes(value)) {
		throw new TypeError(`\`${place}\` contains itself, so that no key can be made of it: give a \`keyFn\``);
	}

	const inner = [...within, value];
	if (Array.isArray(value)) {
		return `[${Array.from(value, (item, index) => structuralText(item, `${place}[${index}]`, inner)).join(',')}]`;
	}

	if (value instanceof Map) {
		const entries = Array.from(value, ([key, item]) => `${structuralText(key, `a key of ${place}`, inner)}:${structuralText(item, `an item of ${place}`, inner)}`);
		return `Map(${entries.toSorted().join(',')})`;
	}

	return value instanceof Set ? `Set(${Array.from(value, item => structuralText(item, `an item of ${place}`, inner)).toSorted().join(',')})` : leafText(value) ?? membersText(value, place, inner);
}

function leafText(value: object): string | undefined {
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

function membersText(value: object, place: string, within: readonly unknown[]): string {
	const prototype: unknown = Object.getPrototypeOf(value);
	if (prototype !== null && prototype !== Object.prototype) {
		throw unkeyable(value, place);
	}

	const symbol = Object.getOwnPropertySymbols(value)[0];
	if (symbol !== undefined) {
		throw unkeyable(symbol, `a member of ${place}`);
	}

	const members = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}:${structuralText(item, `${place}.${name}`, within)}`);
	return `{${members.toSorted().join(',')}}`;
}

function unkeyable(value: unknown, place: string): TypeError {
	const what = typeof value === 'symbol' ? String(value) : describe(value);
	return new TypeError(`\`${place}\` is ${what}, so that no key can be made of it: give a \`keyFn\``);
}

/** The arguments of a call; `undefined` at the end is as good as nothing. */
export function argumentsText(inputs: readonly unknown[], label: string): string {
	const last = inputs.findLastIndex(input => input !== undefined);
	return inputs.slice(0, last + 1).map((input, index) => structuralText(input, `argument ${index + 1} of ${label}`)).join(',');
}
