import {Buffer} from 'node:buffer';
import type * as Bson from 'bson';
import {then} from '../../maybe-promise.ts';
import {optionalPackage} from '../../optional-package.ts';
import {assertPlain, ValueCounter} from './limits.ts';
import {
	packageError,
	UnreadableError,
	type EntryDocument,
	type Stage,
} from './stage.ts';

// The buffer of the package, 17 MB, is large enough for any body up to this size.
const maxDefaultBytes = 1024 * 1024;

/**
Creates the stage that serializes entries as BSON, by the package `bson`.

@throws `MODULE_NOT_FOUND` if the package is not installed.
*/
export function bson(): Stage<'document', 'bytes'> {
	const library = optionalPackage<typeof Bson>('bson', async () => {
		try {
			return await import('bson');
		} catch (error) {
			throw packageError('bson', error);
		}
	});
	return {
		name: 'bson',
		takes: 'document',
		gives: 'bytes',

		dumps: document => then(library(), ({serialize, calculateObjectSize, setInternalBufferSize}) => {
			if (document.byteLength > maxDefaultBytes) {
				setInternalBufferSize(calculateObjectSize(document));
			}

			return serialize(document);
		}),

		loads(bytes) {
			new BsonReader(bytes).check();
			return then(library(), ({deserialize}) => {
				const value: unknown = deserialize(bytes, {promoteBuffers: true});
				assertPlain(value, bytes.byteLength);
				return value as EntryDocument;
			});
		},
	};
}

/** The number of bytes of a value, by its type. */
const fixedLengths: ReadonlyMap<number, number> = new Map([[0x01, 8], [0x08, 1], [0x0A, 0], [0x10, 4], [0x12, 8]]);

/** The types of values whose length precedes them, with the number of bytes that the length does not count. */
const extraBytes: ReadonlyMap<number, number> = new Map([[0x02, 0], [0x05, 1]]);
const documentType = 0x03;
const arrayType = 0x04;

/**
Checks BSON without creating its values.

Every error is an `UnreadableError`: `format` if the data is not plain, `truncated` if it ends too early, `too-large` if it exceeds the limits of an entry.
*/
class BsonReader {
	// eslint-disable-next-line @typescript-eslint/no-restricted-types -- Numbers are read from it.
	readonly #bytes: Buffer;
	readonly #values = new ValueCounter();
	#position = 0;

	constructor({buffer, byteOffset, byteLength}: Uint8Array) {
		this.#bytes = Buffer.from(buffer, byteOffset, byteLength);
	}

	check(): void {
		this.#readDocument();
	}

	#readDocument(): void {
		this.#values.open();
		this.#readLength();
		for (let type = this.#readByte(); type !== 0; type = this.#readByte()) {
			this.#position = this.#bytes.indexOf(0, this.#position);
			this.#readByte();
			this.#readValue(type);
		}

		this.#values.close();
	}

	#readValue(type: number): void {
		if (type === documentType || type === arrayType) {
			this.#readDocument();
			return;
		}

		this.#values.add(1);
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
		// The position is -1 if the end of a name is missing.
		if (this.#position < 0 || this.#position + count > this.#bytes.length) {
			throw new UnreadableError('truncated');
		}

		this.#position += count;
	}
}
