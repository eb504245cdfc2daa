import {Buffer} from 'node:buffer';
import {deserialize, serialize} from 'node:v8';
import {CacheHooksError} from '../errors.ts';

/** The names under which a part of a document stands that its server cannot hold as it is. */
const textName = '(json)';
const bytesName = '(v8)';

/**
Plain data as JSON text, which can be read, where that loses nothing; else, for bytes, `-0` and numbers that are not finite, as bytes in the format of `node:v8`.

@throws {CacheHooksError} `ERR_STORE_VALUE` for what is no plain data.
*/
export function pack(value: unknown): string | Uint8Array {
	return isJson(value) ? JSON.stringify(value) : serialize(value);
}

export function unpack(packed: string | Uint8Array): unknown {
	return typeof packed === 'string' ? JSON.parse(packed) : deserialize(packed);
}

/** As `pack` does, always bytes. */
export function packBytes(value: unknown): Uint8Array {
	const packed = pack(value);
	return typeof packed === 'string' ? Buffer.from(packed) : packed;
}

export function unpackBytes(bytes: Uint8Array): unknown {
	// Node's format begins with this byte, and no JSON text does.
	return unpack(bytes[0] === 0xFF ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
}

/** The one member by which a document says that a part of it is packed. */
export function packedMember(value: unknown): readonly [name: string, packed: string | Uint8Array] {
	const packed = pack(value);
	return [typeof packed === 'string' ? textName : bytesName, packed];
}

export function isPackedName(name: string): boolean {
	return name === textName || name === bytesName;
}

/**
The members that are kept, in order.

@throws {CacheHooksError} `ERR_STORE_VALUE` for an instance of a class, which would be lost.
*/
export function membersOf(value: object): Array<[string, unknown]> {
	const prototype: unknown = Object.getPrototypeOf(value);
	// An object of another realm has another `Object.prototype`, which has no prototype either.
	if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
		throw notPlain(`an instance of ${(value as {constructor?: {name?: string}}).constructor?.name ?? 'a class'}`);
	}

	return Object.entries(value).filter(([, member]) => member !== undefined);
}

export function notPlain(what: string): CacheHooksError {
	return new CacheHooksError('ERR_STORE_VALUE', `A store of documents holds plain data, and not ${what}`);
}

/** Looks at every part, so that none is overlooked which is no plain data. */
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
