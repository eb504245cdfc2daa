import {constants} from 'node:buffer';
import {promisify} from 'node:util';
import zlib from 'node:zlib';
import {fieldTokens, type Fields} from '../policy/fields.ts';

type Options = {readonly maxOutputLength: number};
type Decoder = {
	readonly later: (body: Uint8Array, options: Options) => Promise<Uint8Array>;
	readonly now: (body: Uint8Array, options: Options) => Uint8Array;
};

const gzip: Decoder = {later: promisify<Uint8Array, zlib.ZlibOptions, Uint8Array>(zlib.unzip), now: zlib.unzipSync};
const raw: Decoder = {later: promisify<Uint8Array, zlib.ZlibOptions, Uint8Array>(zlib.inflateRaw), now: zlib.inflateRawSync};

// Some servers send `deflate` without zlib's header, and clients have learnt to read it.
const deflate = (body: Uint8Array): Decoder => ((body[0] ?? 8) & 0x0F) === 8 ? gzip : raw; // eslint-disable-line no-bitwise

const decoders: Readonly<Record<string, Decoder>> = {
	gzip,
	'x-gzip': gzip,
	deflate: {
		later: async (body, options) => deflate(body).later(body, options),
		now: (body, options) => deflate(body).now(body, options),
	},
	br: {later: promisify<Uint8Array, zlib.BrotliOptions, Uint8Array>(zlib.brotliDecompress), now: zlib.brotliDecompressSync},
	zstd: {later: promisify<Uint8Array, zlib.ZstdOptions, Uint8Array>(zlib.zstdDecompress), now: zlib.zstdDecompressSync},
};

// As curl has it: each coding costs a pass over the body, and nobody needs more.
const mostCodings = 5;

/**
The content codings of a response, in the order applied; empty where there are none, where there are more than five, or where one of them is not known: then the body stays as it came.
*/
export function decodableCodings(fields: Fields): readonly string[] {
	const codings = fieldTokens(fields, 'content-encoding').filter(coding => coding !== 'identity');
	return codings.length <= mostCodings && codings.every(coding => Object.hasOwn(decoders, coding)) ? codings : [];
}

/**
Undoes the codings, last applied first (RFC 9110 §8.4).

@param limit - Bytes that the content may have, so that a small body cannot fill the memory.
@returns `undefined` where the body is broken or larger than the limit.
*/
export async function decodeContent(body: Uint8Array, codings: readonly string[], limit: number): Promise<Uint8Array | undefined> {
	const options = {maxOutputLength: Math.min(limit, constants.MAX_LENGTH)};
	let content = body;
	try {
		for (const coding of codings.toReversed()) {
			// A coded body without bytes is sent for no content (HEAD, 204).
			if (content.byteLength > 0) {
				content = await decoders[coding]!.later(content, options); // eslint-disable-line no-await-in-loop -- Each coding is undone in what the one outside it gave.
			}
		}

		// `node:zlib` gives a part of 64 KB, which would be kept whole for as long as the entry.
		return content.byteLength < content.buffer.byteLength ? Uint8Array.from(content) : content;
	} catch {
		return undefined;
	}
}

// Bytes of content to which a body that was stored with its coding is decoded.
const mostBytes = 64 * 1024 * 1024;

/** The content of a response that may be stored with its codings; as it is stored, where it cannot be decoded. */
export function decodedContent({body, fields}: {readonly body: Uint8Array; readonly fields: Fields}): Uint8Array {
	let content = body;
	try {
		for (const coding of decodableCodings(fields).toReversed()) {
			content = content.byteLength > 0 ? decoders[coding]!.now(content, {maxOutputLength: mostBytes}) : content;
		}

		return content;
	} catch {
		return body;
	}
}
