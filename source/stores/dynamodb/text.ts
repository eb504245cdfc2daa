import {Buffer} from 'node:buffer';
import {CacheHooksError} from '../../errors.ts';

/**
Plain data as JSON text that loses nothing.

What JSON has no words for is an object with one member whose name begins with one `$`: `{"$bytes": "YQ=="}`, `{"$number": "-0"}`; names that begin so themselves get another.
*/
export function toText(value: unknown): string {
	return JSON.stringify(escaped(value));
}

/**
What `toText` was given.

@throws {SyntaxError} When it is no JSON.
*/
export function fromText(text: string): unknown {
	return restored(JSON.parse(text));
}

function escaped(value: unknown): unknown {
	if (value instanceof Uint8Array) {
		return {$bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')};
	}

	if (typeof value === 'number') {
		return Number.isFinite(value) && !Object.is(value, -0) ? value : {$number: numberText(value)};
	}

	if (Array.isArray(value)) {
		return value.map(item => item === undefined ? null : escaped(item));
	}

	return typeof value === 'object' && value !== null ? escapedMembers(value) : checkedScalar(value);
}

function escapedMembers(value: object): object {
	return Object.fromEntries(membersOf(value).map(([name, member]) => [name.startsWith('$') ? `$${name}` : name, escaped(member)]));
}

function restored(value: unknown): unknown {
	if (Array.isArray(value)) {
		return value.map(item => restored(item));
	}

	if (typeof value !== 'object' || value === null) {
		return value;
	}

	const members = Object.entries(value);
	const [name, payload] = members[0] ?? [];
	if (name === '$bytes') {
		return new Uint8Array(Buffer.from(payload as string, 'base64'));
	}

	return name === '$number'
		? Number(payload)
		: Object.fromEntries(members.map(([member, content]) => [member.startsWith('$') ? member.slice(1) : member, restored(content)]));
}

/** The shortest text that is this number again. */
export function numberText(value: number): string {
	return Object.is(value, -0) ? '-0' : String(value);
}

/**
The members that are kept, in order.

@throws {CacheHooksError} `ERR_STORE_VALUE` for what is no plain object: its class would be lost.
*/
export function membersOf(value: object): Array<[string, unknown]> {
	const prototype: unknown = Object.getPrototypeOf(value);
	// An object of another realm has another `Object.prototype`, which has no prototype either.
	if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
		throw unknownValue(`an instance of ${(value as {constructor?: {name?: string}}).constructor?.name ?? 'a class'}`);
	}

	return Object.entries(value).filter(([, member]) => member !== undefined);
}

export function checkedScalar(value: unknown): string | boolean | null {
	if (typeof value === 'string' || typeof value === 'boolean' || value === null) {
		return value;
	}

	throw unknownValue(`a ${typeof value}`);
}

function unknownValue(what: string): CacheHooksError {
	return new CacheHooksError('ERR_STORE_VALUE', `The DynamoDB store holds plain data, and not ${what}`);
}
