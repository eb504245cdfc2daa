import {Buffer} from 'node:buffer';
import {ReadableStream} from 'node:stream/web';
import type {Options} from 'got';
import {fieldValue, type Fields} from '../policy/fields.ts';
import {shortenTimeout, withinLimits, type WaitEnd} from './caller-limits.ts';

/** Bytes of form data that are read before they are sent. */
const limit = 10 * 1024 * 1024;

type Chunk = string | Uint8Array;
type Chunks = Pick<AsyncIterator<Chunk, undefined>, 'next' | 'return'>;

/** Whether the body of a request is form data, of which Got has made a stream. */
export function isFormDataStream({body}: Options, headers: Fields): boolean {
	return typeof body === 'object' && !ArrayBuffer.isView(body) && typeof (body as Partial<AsyncIterable<Chunk>>)[Symbol.asyncIterator] === 'function' && /^\s*multipart\/form-data\b/iv.test(fieldValue(headers, 'content-type') ?? '');
}

/**
Reads form data before it is sent, so that it can be part of the key: exactly the bytes that were read are sent. What is longer than 10 MB, or cannot be read, is sent as it comes.

@returns Why nobody waits for it any more, if the request has ended meanwhile.
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
		// The chunks as they came: upload progress stays what it is, and Got can send them again.
		options.body = chunks;
	} else {
		continueWith(options, joined(chunks, outcome));
	}

	shortenTimeout(options, performance.now() - start);
	return undefined;
}

/** Reads chunks until there is no more; gives what is left where there is, or what fails as they did. */
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
			const {value, done} = await rest.next(); // eslint-disable-line no-await-in-loop -- As above.
			if (done === true) {
				return;
			}

			yield value;
		}
	} finally {
		await rest.return?.();
	}
}

/** Got knows by the very stream that it made that the form data can be read once more, for a redirect or a retry. */
function continueWith(options: Options, chunks: AsyncGenerator<Chunk, void>): void {
	const {body} = options as {readonly body: unknown};
	if (!(body instanceof ReadableStream)) {
		// Not a Node.js stream: Got listens for the errors of the first one alone.
		options.body = chunks;
		return;
	}

	const stream = ReadableStream.from(chunks);
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
		// Nobody wants them any more.
	}
}
