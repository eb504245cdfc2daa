import {Buffer} from 'node:buffer';
import {headed, payloadOf} from './head.ts';
import {parseBounded} from './json.ts';
import {isObject} from './metadata.ts';
import type {EntryDocument, Stage} from './stage.ts';
import {bytesOf} from './content.ts';
import {UnreadableError} from './unreadable.ts';

// After the head: the length of the metadata (4 bytes, big-endian), the metadata as JSON, the body.
const lengthBytes = 4;

/**
The library's own format: the metadata is read without touching the body, the body without copying it.
*/
export const binary: Stage<'document', 'bytes'> = {
	name: 'binary',
	takes: 'document',
	gives: 'bytes',

	dumps({version: _version, body, ...metadata}) {
		const content = bytesOf(body);
		const text = JSON.stringify(metadata);
		const length = Buffer.byteLength(text);
		const {bytes, start} = headed('H', lengthBytes + length + content.byteLength);
		bytes.writeUInt32BE(length, start);
		bytes.write(text, start + lengthBytes);
		bytes.set(content, start + lengthBytes + length);
		return bytes;
	},

	loads(value) {
		const bytes = payloadOf('H', value);
		const end = bytes.length < lengthBytes ? Infinity : lengthBytes + bytes.readUInt32BE(0);
		if (end > bytes.length) {
			throw new UnreadableError('truncated');
		}

		const metadata = parseBounded(bytes.toString('utf8', lengthBytes, end));
		if (!isObject(metadata)) {
			throw new UnreadableError('format');
		}

		return {...metadata, version: 1, body: {bytes: bytes.subarray(end)}} as unknown as EntryDocument;
	},
};
