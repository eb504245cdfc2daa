import {constants} from 'node:buffer';
import {promisify} from 'node:util';
import zlib from 'node:zlib';
import {fieldTokens, type Fields} from '../policy/fields.ts';

type Options = {readonly maxOutputLength: number};
export type Decoder = {
	readonly decode: (body: Uint8Array, options: Options) => Promise<Uint8Array>;
	readonly decodeSync: (body: Uint8Array, options: Options) => Uint8Array;
};

const gzip: Decoder = {decode: promisify<Uint8Array, zlib.ZlibOptions, Uint8Array>(zlib.unzip), decodeSync: zlib.unzipSync};
const rawDeflate: Decoder = {decode: promisify<Uint8Array, zlib.ZlibOptions, Uint8Array>(zlib.inflateRaw), decodeSync: zlib.inflateRawSync};

// Some servers send `deflate` without the header of zlib, and clients accept it.
const deflate = (body: Uint8Array): Decoder => ((body[0] ?? 8) & 0x0F) === 8 ? gzip : rawDeflate; // eslint-disable-line no-bitwise

// A window of 8 MiB, which is all that RFC 9659 allows. By default, a forged header could allocate 128 MiB.
const zstdLimits: zlib.ZstdOptions = {params: {[zlib.constants.ZSTD_d_windowLogMax]: 23}};

type Coding = 'gzip' | 'x-gzip' | 'deflate' | 'br' | 'zstd';

export const decoders: Readonly<Record<Coding, Decoder>> = {
	gzip,
	'x-gzip': gzip,
	deflate: {
		decode: async (body, options) => deflate(body).decode(body, options),
		decodeSync: (body, options) => deflate(body).decodeSync(body, options),
	},
	br: {decode: promisify<Uint8Array, zlib.BrotliOptions, Uint8Array>(zlib.brotliDecompress), decodeSync: zlib.brotliDecompressSync},
	zstd: {
		decode: async (body, options) => promisify<Uint8Array, zlib.ZstdOptions, Uint8Array>(zlib.zstdDecompress)(body, {...zstdLimits, ...options}),
		decodeSync: (body, options) => zlib.zstdDecompressSync(body, {...zstdLimits, ...options}),
	},
};

const decoderOf = (coding: string): Decoder => decoders[coding as Coding];

// The limit of curl. Each coding costs one pass over the body.
const maxCodings = 5;

/**
Returns the content codings of a response, in the order applied; empty if there are none, if there are more than five, or if one of them is unknown. The body then stays as it was received.
*/
export function decodableCodings(fields: Fields): readonly string[] {
	const codings = fieldTokens(fields, 'content-encoding').filter(coding => coding !== 'identity');
	return codings.length <= maxCodings && codings.every(coding => Object.hasOwn(decoders, coding)) ? codings : [];
}

/**
Undoes the codings, last applied first (RFC 9110 §8.4).

@param limit - The maximum number of bytes of the content, so that a small body cannot fill the memory.
@returns `undefined` if the body is invalid, or its content is larger than the limit.
*/
export async function decodeContent(body: Uint8Array, codings: readonly string[], limit: number): Promise<Uint8Array | undefined> {
	const options = {maxOutputLength: Math.min(limit, constants.MAX_LENGTH)};
	let content = body;
	try {
		for (const coding of codings.toReversed()) {
			// A response without content (HEAD, 204) may name a coding all the same.
			if (content.byteLength > 0) {
				content = await decoderOf(coding).decode(content, options); // eslint-disable-line no-await-in-loop -- The input is the output of the previous step.
			}
		}

		// `node:zlib` may return a view of a larger buffer, which would stay in memory with the entry.
		return content.byteLength < content.buffer.byteLength ? Uint8Array.from(content) : content;
	} catch {
		return undefined;
	}
}

// The maximum number of bytes of the content of a body that is stored with its codings.
const maxContentBytes = 64 * 1024 * 1024;

/** Returns the content of a response that may be stored with its codings; the stored body if it cannot be decoded. */
export function decodedContent({body, fields}: {readonly body: Uint8Array; readonly fields: Fields}): Uint8Array {
	let content = body;
	try {
		for (const coding of decodableCodings(fields).toReversed()) {
			content = content.byteLength > 0 ? decoderOf(coding).decodeSync(content, {maxOutputLength: maxContentBytes}) : content;
		}

		return content;
	} catch {
		return body;
	}
}
