import {createRequire} from 'node:module';
import {Buffer} from 'node:buffer';
import type * as Bson from 'bson';
import {optionalPackage} from './optional-package.ts';
import {PartCounter} from './parts.ts';
import {checkPlain} from './plain.ts';
import type {EntryDocument, Stage} from './stage.ts';
import {UnreadableError} from './unreadable.ts';

const require = createRequire(import.meta.url);

// Up to that, the package's own buffer of 17 MB holds whatever JSON may become.
const certainlySmall = 1024 * 1024;

/**
BSON, by the package `bson`.

@throws {CacheHooksError} `ERR_SERIALIZER_PACKAGE` where it is not installed.
*/
export function bson(): Stage<'document', 'bytes'> {
	const {serialize, deserialize, calculateObjectSize, setInternalBufferSize} = optionalPackage('bson', 'bson', () => require('bson') as typeof Bson);
	return {
		name: 'bson',
		takes: 'document',
		gives: 'bytes',

		dumps(document) {
			if (document.byteLength > certainlySmall) {
				setInternalBufferSize(calculateObjectSize(document));
			}

			return serialize(document);
		},

		loads(bytes) {
			new BsonReader(bytes).check();
			const value: unknown = deserialize(bytes, {promoteBuffers: true});
			checkPlain(value, bytes.byteLength);
			return value as EntryDocument;
		},
	};
}

/** The lengths of values, by their type: of a fixed length, or of one that is written before them, with so many bytes more. */
const fixedLengths: ReadonlyMap<number, number> = new Map([[0x01, 8], [0x08, 1], [0x0A, 0], [0x10, 4], [0x12, 8]]);
const extraBytes: ReadonlyMap<number, number> = new Map([[0x02, 0], [0x05, 1]]);
const documentType = 0x03;
const arrayType = 0x04;

/**
Goes over BSON and makes nothing of it.

Everything that it throws is an `UnreadableError`: `format` for what is no plain data, `too-large` for what is more than an entry may be.
*/
class BsonReader {
	// eslint-disable-next-line @typescript-eslint/no-restricted-types -- Numbers are read from it.
	readonly #bytes: Buffer;
	readonly #parts = new PartCounter();
	#position = 0;

	constructor({buffer, byteOffset, byteLength}: Uint8Array) {
		this.#bytes = Buffer.from(buffer, byteOffset, byteLength);
	}

	check(): void {
		this.#readDocument();
	}

	#readDocument(): void {
		this.#parts.open();
		this.#readLength();
		for (let type = this.#readByte(); type !== 0; type = this.#readByte()) {
			this.#position = this.#bytes.indexOf(0, this.#position);
			this.#readByte();
			this.#readValue(type);
		}

		this.#parts.close();
	}

	#readValue(type: number): void {
		if (type === documentType || type === arrayType) {
			this.#readDocument();
			return;
		}

		this.#parts.add(1);
		const extra = extraBytes.get(type);
		const length = extra === undefined ? fixedLengths.get(type) : this.#readLength() + extra;
		if (length === undefined) {
			throw new UnreadableError('format');
		}

		this.#skip(length);
	}

	#readByte(): number {
		this.#skip(1);
		return this.#bytes[this.#position - 1]!;
	}

	#readLength(): number {
		this.#skip(4);
		return this.#bytes.readUInt32LE(this.#position - 4);
	}

	#skip(count: number): void {
		// Not where a name has no end either.
		if (this.#position < 0 || this.#position + count > this.#bytes.length) {
			throw new UnreadableError('truncated');
		}

		this.#position += count;
	}
}
