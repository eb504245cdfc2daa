import {Buffer} from 'node:buffer';
import {deserialize, serialize} from 'node:v8';
import {CacheHooksError} from '../errors.ts';

/** The names of the member that replaces a part of a document that the server cannot store: with JSON text, or with bytes of `node:v8`. */
const textName = '(json)';
const bytesName = '(v8)';

/** Returns plain data as JSON text, which is readable, or as bytes of `node:v8` where JSON would lose bytes, `-0` or a number that is not finite. */
export function pack(value: unknown): string | Uint8Array {
	return isJson(value) ? JSON.stringify(value) : serialize(value);
}

export function unpack(packed: string | Uint8Array): unknown {
	return typeof packed === 'string' ? JSON.parse(packed) : deserialize(packed);
}

/**
Returns plain data as bytes.

@throws {CacheHooksError} `ERR_STORE_VALUE` for anything that is not plain data.
*/
export function packBytes(value: unknown): Uint8Array {
	const packed = pack(value);
	return typeof packed === 'string' ? Buffer.from(packed) : packed;
}

export function unpackBytes(bytes: Uint8Array): unknown {
	// The format of `node:v8` begins with this byte, and no JSON text does.
	return unpack(bytes[0] === 0xFF ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
}

/**
Returns the single member of the object that replaces a part of a document.

@throws As `packBytes`.
*/
export function packedMember(value: unknown): readonly [name: string, packed: string | Uint8Array] {
	const packed = pack(value);
	return [typeof packed === 'string' ? textName : bytesName, packed];
}

export function isPackedName(name: string): boolean {
	return name === textName || name === bytesName;
}

/**
Returns the members of an object that are stored, in order.

@throws {CacheHooksError} `ERR_STORE_VALUE` for an instance of a class, which would lose its class.
*/
function membersOf(value: object): Array<[string, unknown]> {
	const prototype: unknown = Object.getPrototypeOf(value);
	// A plain object of another realm has another `Object.prototype`, which has no prototype either.
	if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
		throw notPlain(`an instance of ${(value as {constructor?: {name?: string}}).constructor?.name ?? 'a class'}`);
	}

	return Object.entries(value).filter(([, member]) => member !== undefined);
}

function notPlain(what: string): CacheHooksError {
	return new CacheHooksError('ERR_STORE_VALUE', `A store of documents holds plain data, not ${what}.`);
}

/** Checks every part, even after the answer is known, so that the error for data that is not plain is always thrown. */
function isJson(value: unknown): boolean {
	if (value instanceof Uint8Array) {
		return false;
	}

	if (typeof value === 'object' && value !== null) {
		const parts = Array.isArray(value) ? value : membersOf(value).map(([, member]) => member);
		return parts.map(part => isJson(part)).every(Boolean);
	}

	if (['bigint', 'function', 'symbol'].includes(typeof value)) {
		throw notPlain(`a ${typeof value}`);
	}

	return typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0));
}
