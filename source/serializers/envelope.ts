import {Buffer} from 'node:buffer';
import {storedResponse, type StoredMetadata, type StoredResponse} from '../model/stored-response.ts';

// 'GCH' and the version; then the length of the metadata (4 bytes, big-endian), the metadata as JSON, the body.
const magic = [0x47, 0x43, 0x48, 1] as const;
const headerLength = 8;

/**
One entry as bytes: the metadata is read without touching the body, the body without copying it.
*/
export function encodeBytes(stored: StoredResponse): Uint8Array {
	const metadata = JSON.stringify(metadataOf(stored));
	const length = Buffer.byteLength(metadata);
	const bytes = Buffer.allocUnsafe(headerLength + length + stored.body.byteLength);
	bytes.set(magic);
	bytes.writeUInt32BE(length, 4);
	bytes.write(metadata, headerLength);
	bytes.set(stored.body, headerLength + length);
	return bytes;
}

/**
The entry that `encodeBytes` wrote; its body is a view of the bytes given.

@throws {TypeError} Where the bytes are not an entry of this version.
*/
export function decodeBytes(value: Uint8Array): StoredResponse {
	const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
	if (bytes.length < headerLength || magic.some((byte, index) => bytes[index] !== byte)) {
		throw new TypeError('Not an entry of this version');
	}

	const end = headerLength + bytes.readUInt32BE(4);
	if (end > bytes.length) {
		throw new TypeError('The entry is cut short');
	}

	return restore(bytes.toString('utf8', headerLength, end), bytes.subarray(end));
}

/**
One entry as text, for stores that hold no bytes.
*/
export function encodeText(stored: StoredResponse): string {
	return JSON.stringify({version: magic[3], metadata: JSON.stringify(metadataOf(stored)), body: Buffer.from(stored.body.buffer, stored.body.byteOffset, stored.body.byteLength).toString('base64')});
}

/**
The entry that `encodeText` wrote.

@throws {TypeError | SyntaxError} Where the text is not an entry of this version.
*/
export function decodeText(text: string): StoredResponse {
	const entry = JSON.parse(text) as {version?: unknown; metadata?: unknown; body?: unknown} | null;
	if (entry?.version !== magic[3] || typeof entry.metadata !== 'string' || typeof entry.body !== 'string') {
		throw new TypeError('Not an entry of this version');
	}

	return restore(entry.metadata, Buffer.from(entry.body, 'base64'));
}

type WrittenMetadata = StoredMetadata & {readonly byteLength: number};

function metadataOf({fields: _fields, body: _body, ...metadata}: StoredResponse): WrittenMetadata {
	return metadata;
}

function restore(text: string, body: Uint8Array): StoredResponse {
	const metadata = JSON.parse(text) as unknown;
	if (!isMetadata(metadata)) {
		throw new TypeError('The metadata of the entry is incomplete');
	}

	if (metadata.byteLength !== body.byteLength) {
		throw new TypeError('The body of the entry is not as long as it was');
	}

	return storedResponse(metadata, body);
}

function isMetadata(value: unknown): value is WrittenMetadata {
	if (typeof value !== 'object' || value === null) {
		return false;
	}

	const {method, url, statusCode, statusMessage, rawHeaders, createdAt, initialAge, expires, retainUntil, decidedBy, generation, vary} = value as Record<string, unknown>;
	return [method, url, statusMessage, generation].every(field => typeof field === 'string')
		&& Number.isSafeInteger(statusCode)
		&& isTime(createdAt)
		&& isTime(initialAge)
		&& (decidedBy === 'user' || decidedBy === 'origin')
		&& (expires === undefined || isTime(expires))
		&& (retainUntil === undefined || isTime(retainUntil))
		&& isStrings(rawHeaders) && rawHeaders.length % 2 === 0
		&& (vary === undefined || isVary(vary));
}

function isTime(value: unknown): value is number {
	return typeof value === 'number' && Number.isFinite(value);
}

function isStrings(value: unknown): value is string[] {
	return Array.isArray(value) && value.every(item => typeof item === 'string');
}

function isVary(value: unknown): boolean {
	return typeof value === 'object' && value !== null && 'names' in value && 'digest' in value && isStrings(value.names) && typeof value.digest === 'string' && (!('others' in value) || isStrings(value.others));
}
