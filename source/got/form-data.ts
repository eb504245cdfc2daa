import {Buffer} from 'node:buffer';
import type * as streams from 'node:stream/web';
import type {Options} from 'got';
import {fieldValue, type Fields} from '../policy/fields.ts';
import {shortenTimeout, withinLimits, type WaitEnd} from './caller-limits.ts';

/** The maximum number of bytes of form data to read before the request is sent. */
const limit = 10 * 1024 * 1024;

type Chunk = string | Uint8Array;
type Chunks = Pick<AsyncIterator<Chunk, undefined>, 'next' | 'return'>;

/** Returns whether the body of a request is form data, from which Got has created a stream. */
export function isFormDataStream({body}: Options, headers: Fields): boolean {
	return typeof body === 'object' && !ArrayBuffer.isView(body) && typeof (body as Partial<AsyncIterable<Chunk>>)[Symbol.asyncIterator] === 'function' && /^\s*multipart\/form-data\b/iv.test(fieldValue(headers, 'content-type') ?? '');
}

/**
Reads form data before it is sent, so that it can be part of the key. The request sends exactly the bytes that were read. Form data that is longer than 10 MB, or cannot be read, is sent as a stream.

@returns Why the caller no longer waits, if the request has ended meanwhile.
*/
export async function readFormData(options: Options): Promise<WaitEnd | undefined> {
	const start = performance.now();
	const rest = (options.body as unknown as AsyncIterable<Chunk>)[Symbol.asyncIterator]() as Chunks;
	const chunks: Uint8Array[] = [];
	const outcome = await withinLimits(readUpTo(limit, rest, chunks), options, {start, hasResponse: () => true});
	if (outcome !== 'whole' && typeof outcome === 'string') {
		void abandon(rest);
		return outcome;
	}

	if (outcome === 'whole') {
		// The chunks stay separate for upload progress, and Got can send them again.
		options.body = chunks;
	} else {
		continueWith(options, joined(chunks, outcome));
	}

	shortenTimeout(options, performance.now() - start);
	return undefined;
}

/** Reads all chunks up to a number of bytes. Returns an iterator of the remaining ones if there are more, which throws the same error if reading fails. */
async function readUpTo(bytes: number, rest: Chunks, chunks: Uint8Array[]): Promise<'whole' | Chunks> {
	for (let size = 0; size <= bytes;) {
		try {
			const {value, done} = await rest.next(); // eslint-disable-line no-await-in-loop -- A stream has its own order.
			if (done === true) {
				return 'whole';
			}

			const chunk = typeof value === 'string' ? Buffer.from(value) : value;
			chunks.push(chunk);
			size += chunk.byteLength;
		} catch (error) {
			return {
				async next() {
					throw error;
				},
			};
		}
	}

	return rest;
}

async function * joined(chunks: readonly Uint8Array[], rest: Chunks): AsyncGenerator<Chunk, void> {
	try {
		yield * chunks;
		for (;;) {
			const {value, done} = await rest.next(); // eslint-disable-line no-await-in-loop -- A stream has its own order.
			if (done === true) {
				return;
			}

			yield value;
		}
	} finally {
		await rest.return?.();
	}
}

/** Makes the body yield the chunks. For form data of the platform, the body stays the stream that Got created: by that, Got knows that it can create it again for a redirect or a retry. */
function continueWith(options: Options, chunks: AsyncGenerator<Chunk, void>): void {
	const {body} = options as {readonly body: unknown};
	if (!(body instanceof ReadableStream)) {
		// This is no Node.js stream, since Got listens only to the errors of the first one.
		options.body = chunks;
		return;
	}

	// Not imported: `node:stream/web` takes a millisecond to load, and the type of the global lacks `from`.
	const stream = (ReadableStream as unknown as typeof streams.ReadableStream).from(chunks);
	Object.defineProperties(body, {
		getReader: {value: () => stream.getReader()},
		cancel: {value: async (reason: unknown) => stream.cancel(reason)},
		locked: {get: () => stream.locked},
		[Symbol.asyncIterator]: {value: () => stream[Symbol.asyncIterator]()},
	});
}

async function abandon(chunks: Chunks): Promise<void> {
	try {
		await chunks.return?.();
	} catch {
		// The request has ended, so nobody reads them.
	}
}
