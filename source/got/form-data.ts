import {Buffer} from 'node:buffer';
import {Readable} from 'node:stream';
import type {Options} from 'got';
import {fieldValue, type Fields} from '../policy/fields.ts';

/** Bytes of form data that are read before they are sent. */
const limit = 10 * 1024 * 1024;

type Chunk = string | Uint8Array;

/** Whether the body of a request is form data, of which Got has made a stream. */
export function isFormDataStream({body}: Options, headers: Fields): boolean {
	return typeof body === 'object' && !ArrayBuffer.isView(body) && typeof (body as Partial<AsyncIterable<Chunk>>)[Symbol.asyncIterator] === 'function' && /^multipart\/form-data\b/iv.test(fieldValue(headers, 'content-type') ?? '');
}

/**
Reads form data, so that it can be part of the key: exactly the bytes that were read are sent. What is longer than 10 MB stays a stream.
*/
export async function readFormData(options: Options): Promise<void> {
	const iterator = (options.body as unknown as AsyncIterable<Chunk>)[Symbol.asyncIterator]() as AsyncIterator<Chunk, undefined>;
	const chunks: Uint8Array[] = [];
	let size = 0;
	while (size <= limit) {
		const {value, done} = await iterator.next(); // eslint-disable-line no-await-in-loop -- A stream has its own order.
		if (done === true) {
			// The chunks as they came: upload progress stays what it is, and Got can send them again.
			options.body = chunks;
			return;
		}

		const chunk = typeof value === 'string' ? Buffer.from(value) : value;
		chunks.push(chunk);
		size += chunk.byteLength;
	}

	options.body = Readable.from(joined(chunks, iterator));
}

async function * joined(chunks: readonly Uint8Array[], rest: AsyncIterator<Chunk, undefined>): AsyncGenerator<Chunk, void> {
	yield * chunks;
	for (;;) {
		const {value, done} = await rest.next(); // eslint-disable-line no-await-in-loop -- As above.
		if (done === true) {
			return;
		}

		yield value;
	}
}
