import {Buffer} from 'node:buffer';
import {storedResponse, type StoredResponse} from '../stored-response.ts';
import {bytesOf, readableBody} from './content.ts';
import {checkedMetadata, isObject} from './metadata.ts';
import type {EntryDocument} from './stage.ts';
import {UnreadableError} from './unreadable.ts';

const documentVersion = 1;

/**
An entry as plain data.

@param isReadable - Whether the body becomes text or a JSON value, where the same bytes come of it.
*/
export function toDocument(stored: StoredResponse, isReadable: boolean): EntryDocument {
	const {fields: _fields, body, ...metadata} = stored;
	return {version: documentVersion, ...withoutUndefined(metadata), body: isReadable ? readableBody(stored) : {bytes: body}};
}

/**
The entry of a document, which may be anything.

@throws {UnreadableError} Where it is none of this version.
*/
export function fromDocument(document: unknown): StoredResponse {
	if (!isObject(document) || !Object.hasOwn(document, 'version') || !Object.hasOwn(document, 'body')) {
		throw new UnreadableError('format');
	}

	const {version, body, ...metadata} = document;
	if (version !== documentVersion) {
		throw new UnreadableError(Number.isSafeInteger(version) ? 'version' : 'format');
	}

	return restored(metadata, bytesOf(body));
}

/**
An entry of its metadata and its body.

@throws {UnreadableError} Where one of them is not what it was.
*/
function restored(metadata: unknown, body: Uint8Array): StoredResponse {
	const checked = checkedMetadata(metadata);
	if (checked.byteLength !== body.byteLength) {
		throw new UnreadableError('truncated');
	}

	// What is written leaves out what is `undefined`.
	return storedResponse({...checked, expires: checked.expires, retainUntil: checked.retainUntil}, body);
}

/** The document with its bytes as base64. */
export function toJsonDocument(document: EntryDocument): EntryDocument {
	const {body} = document;
	return 'bytes' in body ? {...document, body: {base64: Buffer.from(body.bytes.buffer, body.bytes.byteOffset, body.bytes.byteLength).toString('base64')}} : document;
}

// The types of members are not lost by leaving some out.
function withoutUndefined<Members extends object>(members: Members): Members {
	return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Members;
}
