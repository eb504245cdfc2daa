import {promisify} from 'node:util';
import zlib from 'node:zlib';
import {listed} from '../../errors.ts';
import {then, type MaybePromise} from '../../maybe-promise.ts';
import {
	parseInput,
	parseOptions,
	type Parser,
	type Parsers,
} from '../../parse.ts';
import {decoders, type Decoder} from '../content-coding.ts';
import {
	UnreadableError,
	withHeader,
	withoutHeader,
	type Stage,
	type StageContext,
	type UnreadableReason,
} from './stage.ts';

/** The algorithms of `compressed()`: Zstandard, Brotli and gzip. */
export type CompressionName = 'zstd' | 'br' | 'gzip';

/** From which size on `compressed()` compresses. */
export type CompressedOptions = {
	/**
	The size of a serialized entry in bytes from which it is compressed.

	@default 1024
	*/
	readonly threshold?: number;
};

type Codec = {
	/** Identifies the algorithm in stored entries. */
	readonly id: number;
	readonly compress: (bytes: Uint8Array) => Uint8Array;
	readonly compressAsync: (bytes: Uint8Array) => Promise<Uint8Array>;
	readonly decoder: Decoder;
};

// The default of Brotli is for files that are compressed once and sent often.
const brotliOptions: zlib.BrotliOptions = {params: {[zlib.constants.BROTLI_PARAM_QUALITY]: 4}};

const codecs: Readonly<Record<CompressionName, Codec>> = {
	zstd: {
		id: 1,
		compress: bytes => zlib.zstdCompressSync(bytes),
		compressAsync: promisify<Uint8Array, Uint8Array>(zlib.zstdCompress),
		decoder: decoders.zstd,
	},
	br: {
		id: 2,
		compress: bytes => zlib.brotliCompressSync(bytes, brotliOptions),
		compressAsync: async bytes => promisify<Uint8Array, zlib.BrotliOptions, Uint8Array>(zlib.brotliCompress)(bytes, brotliOptions),
		decoder: decoders.br,
	},
	gzip: {
		id: 3,
		compress: bytes => zlib.gzipSync(bytes),
		compressAsync: promisify<Uint8Array, Uint8Array>(zlib.gzip),
		decoder: decoders.gzip,
	},
};

const uncompressed = 0;

// From this size on, the thread pool does the work. For less, switching threads costs more than the work.
const asyncThreshold = 128 * 1024;

// The maximum output of decompression on the event loop: 128 MiB would block it for 200 ms.
const maxSyncOutput = 8 * asyncThreshold;

/**
Creates a stage that compresses entries. Entries are stored uncompressed if they are small, if their content is compressed already (by its `Content-Encoding`, or as an image or archive), or if they would not become smaller. Entries compressed with another of the three algorithms stay readable.

Entries of more than 128 KiB are compressed in the thread pool.

@throws {SettingError} If the algorithm or the threshold is invalid.

@example
```ts
import got from 'got';
import {cacheHooks, compressed} from 'got-cache-hooks';

const client = got.extend(cacheHooks({store: 'memory', serializer: compressed('zstd')}));
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
				throw new RangeError(`The entry is larger than the limit of ${context.maxBytes} bytes.`);
			}

			if (bytes.byteLength < threshold || isCompressed(context.fields)) {
				return withId(uncompressed, bytes);
			}

			const result = bytes.byteLength < asyncThreshold ? codec.compress(bytes) : codec.compressAsync(bytes);
			return then(result, smaller => smaller.byteLength < bytes.byteLength ? withId(codec.id, smaller) : withId(uncompressed, bytes));
		},

		loads(value, {maxBytes}) {
			const payload = withoutHeader('Z', value);
			const [id] = payload;
			const bytes = payload.subarray(1);
			const used = Object.values(codecs).find(candidate => candidate.id === id);
			if (used === undefined && id !== uncompressed) {
				throw new UnreadableError(id === undefined ? 'truncated' : 'format');
			}

			return used === undefined ? bytes : decompress(used.decoder, bytes, maxBytes);
		},
	};
}

function decompress(decoder: Decoder, bytes: Uint8Array, maxOutputLength: number): MaybePromise<Uint8Array> {
	if (bytes.byteLength >= asyncThreshold / 8) {
		return decompressAsync(decoder, bytes, maxOutputLength);
	}

	try {
		return decoder.decodeSync(bytes, {maxOutputLength: Math.min(maxOutputLength, maxSyncOutput)});
	} catch (error) {
		const unreadable = toUnreadable(error);
		// The size of the output is not known in advance.
		if (unreadable.reason === 'too-large' && maxOutputLength > maxSyncOutput) {
			return decompressAsync(decoder, bytes, maxOutputLength);
		}

		throw unreadable;
	}
}

async function decompressAsync(decoder: Decoder, bytes: Uint8Array, maxOutputLength: number): Promise<Uint8Array> {
	try {
		return await decoder.decode(bytes, {maxOutputLength});
	} catch (error) {
		throw toUnreadable(error);
	}
}

const reasons: ReadonlyMap<unknown, UnreadableReason> = new Map([['ERR_BUFFER_TOO_LARGE', 'too-large'], ['Z_BUF_ERROR', 'truncated']]);

function toUnreadable(error: unknown): UnreadableError {
	const {code} = error as {readonly code?: unknown};
	return new UnreadableError(reasons.get(code) ?? 'format', {cause: error});
}

function withId(id: number, content: Uint8Array): Uint8Array {
	return withHeader('Z', Uint8Array.of(id), content);
}

function isCompressed(fields: StageContext['fields']): boolean {
	const type = fields?.['content-type'];
	return fields?.['content-encoding'] !== undefined
		|| (typeof type === 'string' && /^(?:image\/(?!svg|bmp)|audio\/|video\/|font\/woff|application\/(?:zip|gzip|zstd|x-7z|x-bzip|x-xz|vnd\.rar|pdf))/iv.test(type));
}

function checked(algorithm: unknown, options: unknown): {readonly codec: Codec; readonly threshold: number} {
	const codec = parseInput(codecParser, algorithm, 'compressed.algorithm');
	const {threshold = 1024} = parseOptions(compressedParsers, options, 'compressed');
	return {codec, threshold};
}

const codecParser: Parser<Codec> = {
	allowed: listed(Object.keys(codecs).map(name => `'${name}'`), 'or'),
	parse: value => typeof value === 'string' && Object.hasOwn(codecs, value) ? codecs[value as CompressionName] : undefined,
};

const compressedParsers: Parsers<CompressedOptions> = {
	threshold: {allowed: 'a number of bytes from 0', parse: value => typeof value === 'number' && value >= 0 ? value : undefined},
};
