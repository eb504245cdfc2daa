import {constants} from 'node:buffer';
import {promisify} from 'node:util';
import zlib from 'node:zlib';
import {fieldTokens, type Fields} from '../policy/fields.ts';

type Decoder = (body: Uint8Array, options: {maxOutputLength: number}) => Promise<Uint8Array>;

const gunzip = promisify<Uint8Array, zlib.ZlibOptions, Uint8Array>(zlib.unzip);
const inflateRaw = promisify<Uint8Array, zlib.ZlibOptions, Uint8Array>(zlib.inflateRaw);

const decoders: Readonly<Record<string, Decoder>> = {
	gzip: gunzip,
	'x-gzip': gunzip,
	// Some servers send `deflate` without zlib's header, and clients have learnt to read it.
	deflate: async (body, options) => ((body[0] ?? 8) & 0x0F) === 8 ? gunzip(body, options) : inflateRaw(body, options), // eslint-disable-line no-bitwise
	br: promisify<Uint8Array, zlib.BrotliOptions, Uint8Array>(zlib.brotliDecompress),
	zstd: promisify<Uint8Array, zlib.ZstdOptions, Uint8Array>(zlib.zstdDecompress),
};

/**
The content codings of a response, in the order applied; empty where there are none, or where one of them is not known: then the body stays as it came.
*/
export function decodableCodings(fields: Fields): readonly string[] {
	const codings = fieldTokens(fields, 'content-encoding').filter(coding => coding !== 'identity');
	return codings.every(coding => Object.hasOwn(decoders, coding)) ? codings : [];
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
				// eslint-disable-next-line no-await-in-loop -- Each coding is undone in what the one outside it gave.
				content = await decoders[coding]!(content, options);
			}
		}

		return content;
	} catch {
		return undefined;
	}
}
