import {promisify} from 'node:util';
import zlib from 'node:zlib';
import {SettingError} from '../../errors.ts';
import {then, type MaybePromise} from '../../maybe-promise.ts';
import {headed, payloadOf} from './head.ts';
import {checkMembers} from './secrets.ts';
import type {Stage, StageContext} from './stage.ts';
import {UnreadableError, type UnreadableReason} from './unreadable.ts';

export type CompressionName = 'zstd' | 'br' | 'gzip';

export type CompressedOptions = {
	/**
	Bytes of a serialized entry below which it is left as it is.

	@default 1024
	*/
	readonly threshold?: number;
};

type Codec = {
	/** How it is told in what is stored. */
	readonly id: number;
	readonly compress: (bytes: Uint8Array) => Uint8Array;
	readonly compressLater: (bytes: Uint8Array) => Promise<Uint8Array>;
	readonly decompress: (bytes: Uint8Array, limit: Limit) => Uint8Array;
	readonly decompressLater: (bytes: Uint8Array, limit: Limit) => Promise<Uint8Array>;
};

type Limit = {readonly maxOutputLength: number};

// Brotli's own default is for files that are compressed once and sent often.
const brotliOptions: zlib.BrotliOptions = {params: {[zlib.constants.BROTLI_PARAM_QUALITY]: 4}};

// A window of 8 MiB, which is more than what we write asks for: by itself a forged head would have 128 MiB allocated.
const zstdLimits: zlib.ZstdOptions = {params: {[zlib.constants.ZSTD_d_windowLogMax]: 23}};

const codecs: Readonly<Record<CompressionName, Codec>> = {
	zstd: {
		id: 1,
		compress: bytes => zlib.zstdCompressSync(bytes),
		compressLater: promisify<Uint8Array, Uint8Array>(zlib.zstdCompress),
		decompress: (bytes, limit) => zlib.zstdDecompressSync(bytes, {...zstdLimits, ...limit}),
		decompressLater: async (bytes, limit) => promisify<Uint8Array, zlib.ZstdOptions, Uint8Array>(zlib.zstdDecompress)(bytes, {...zstdLimits, ...limit}),
	},
	br: {
		id: 2,
		compress: bytes => zlib.brotliCompressSync(bytes, brotliOptions),
		compressLater: async bytes => promisify<Uint8Array, zlib.BrotliOptions, Uint8Array>(zlib.brotliCompress)(bytes, brotliOptions),
		decompress: (bytes, limit) => zlib.brotliDecompressSync(bytes, limit),
		decompressLater: promisify<Uint8Array, zlib.BrotliOptions, Uint8Array>(zlib.brotliDecompress),
	},
	gzip: {
		id: 3,
		compress: bytes => zlib.gzipSync(bytes),
		compressLater: promisify<Uint8Array, Uint8Array>(zlib.gzip),
		decompress: (bytes, limit) => zlib.gunzipSync(bytes, limit),
		decompressLater: promisify<Uint8Array, zlib.ZlibOptions, Uint8Array>(zlib.gunzip),
	},
};

const uncompressed = 0;

// From there on the work is done beside the event loop; below, going there costs more than the work.
const laterFrom = 128 * 1024;

// More is not decompressed on the event loop, however few bytes it comes of: 128 MiB would hold it up for 200 ms.
const maxAtOnce = 8 * laterFrom;

/**
A stage that compresses entries. What is small, is compressed already (by its `Content-Encoding`, or as an image or archive) or does not become smaller is left as it is. Entries by another of the three algorithms stay readable.

Work on more than 128 KiB is done in another thread.

@throws {SettingError} For another algorithm or a wrong threshold.

@example
```
cacheHooks({serializer: compressed('zstd')});
```
*/
export function compressed(algorithm: CompressionName, options: CompressedOptions = {}): Stage<'bytes', 'bytes'> {
	const {codec, threshold} = checked(algorithm, options);
	return {
		name: 'compressed',
		takes: 'bytes',
		gives: 'bytes',

		dumps(bytes, context) {
			if (bytes.byteLength > context.maxBytes) {
				// It could not be read.
				throw new RangeError('The entry is larger than an entry may be');
			}

			const asItIs = bytes.byteLength < threshold || isCompressed(context.fields);
			if (asItIs) {
				return packed(uncompressed, bytes);
			}

			const result = bytes.byteLength < laterFrom ? codec.compress(bytes) : codec.compressLater(bytes);
			return then(result, smaller => smaller.byteLength < bytes.byteLength ? packed(codec.id, smaller) : packed(uncompressed, bytes));
		},

		loads(value, {maxBytes}) {
			const payload = payloadOf('Z', value);
			const [id] = payload;
			const bytes = payload.subarray(1);
			const used = Object.values(codecs).find(candidate => candidate.id === id);
			if (used === undefined && id !== uncompressed) {
				throw new UnreadableError(id === undefined ? 'truncated' : 'format');
			}

			return used === undefined ? bytes : decompressed(used, bytes, {maxOutputLength: maxBytes});
		},
	};
}

function decompressed(codec: Codec, bytes: Uint8Array, limit: Limit): MaybePromise<Uint8Array> {
	if (bytes.byteLength >= laterFrom / 8) {
		return decompressedLater(codec, bytes, limit);
	}

	try {
		return codec.decompress(bytes, {maxOutputLength: Math.min(limit.maxOutputLength, maxAtOnce)});
	} catch (error) {
		const unreadable = fault(error);
		// What so few bytes become is not known before.
		if (unreadable.reason === 'too-large' && limit.maxOutputLength > maxAtOnce) {
			return decompressedLater(codec, bytes, limit);
		}

		throw unreadable;
	}
}

async function decompressedLater(codec: Codec, bytes: Uint8Array, limit: Limit): Promise<Uint8Array> {
	try {
		return await codec.decompressLater(bytes, limit);
	} catch (error) {
		throw fault(error);
	}
}

const reasons: ReadonlyMap<unknown, UnreadableReason> = new Map([['ERR_BUFFER_TOO_LARGE', 'too-large'], ['Z_BUF_ERROR', 'truncated']]);

function fault(error: unknown): UnreadableError {
	const {code} = error as {readonly code?: unknown};
	return new UnreadableError(reasons.get(code) ?? 'format', {cause: error});
}

function packed(id: number, content: Uint8Array): Uint8Array {
	const {bytes, start} = headed('Z', 1 + content.byteLength);
	bytes[start] = id;
	bytes.set(content, start + 1);
	return bytes;
}

function isCompressed(fields: StageContext['fields']): boolean {
	const type = fields?.['content-type'];
	return fields?.['content-encoding'] !== undefined
		|| (typeof type === 'string' && /^(?:image\/(?!svg|bmp)|audio\/|video\/|font\/woff|application\/(?:zip|gzip|zstd|x-7z|x-bzip|x-xz|vnd\.rar|pdf))/iv.test(type));
}

function checked(algorithm: unknown, options: CompressedOptions): {readonly codec: Codec; readonly threshold: number} {
	if (typeof algorithm !== 'string' || !Object.hasOwn(codecs, algorithm)) {
		throw new SettingError('compressed', algorithm, `\`'${Object.keys(codecs).join('\'`, `\'')}'\``);
	}

	checkMembers(options, 'compressed', ['threshold']);
	const {threshold = 1024} = options;
	if (typeof threshold !== 'number' || !(threshold >= 0)) {
		throw new SettingError('compressed.threshold', threshold, 'a number of bytes from 0');
	}

	return {codec: codecs[algorithm as CompressionName], threshold};
}
