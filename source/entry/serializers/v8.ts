import v8 from 'node:v8';
import {assertPlain, maxValues, ValueCounter} from './limits.ts';
import {
	UnreadableError,
	withHeader,
	withoutHeader,
	type EntryDocument,
	type Stage,
} from './stage.ts';

/** Serializes entries by structured clone. */
export const v8Format: Stage<'document', 'bytes'> = {
	name: 'v8',
	takes: 'document',
	gives: 'bytes',

	dumps: document => withHeader('8', v8.serialize(document)),

	loads(bytes) {
		const payload = withoutHeader('8', bytes);
		new CloneReader(payload).check();
		const value: unknown = v8.deserialize(payload);
		assertPlain(value, bytes.byteLength);
		return value as EntryDocument;
	},
};

// The tags of V8's `ValueSerializer` for plain data: one byte before each value.
const tags = {
	undefined: '_',
	null: '0',
	true: 'T',
	false: 'F',
	hole: '-',
	integer: 'I',
	unsigned: 'U',
	double: 'N',
	reference: '^',
	oneByteString: '"',
	twoByteString: 'c',
	utf8String: 'S',
	object: 'o',
	objectEnd: '{',
	denseArray: 'A',
	denseArrayEnd: '$',
	sparseArray: 'a',
	sparseArrayEnd: '@',
	// Node.js writes typed arrays as host objects: the type, the length, the bytes.
	host: '\\',
} as const;

const tagOf = (byte: number | undefined): string => String.fromCodePoint(byte ?? 0);

/**
Checks a structured clone without creating its values. V8 trusts the lengths in the clone: a few bytes that nest arrays, or set the length of empty ones, take gigabytes of memory and end the process.

Every error is an `UnreadableError`: `format` if the data is not plain, `truncated` if it ends too early, `too-large` if it exceeds the limits of an entry.
*/
class CloneReader {
	readonly #bytes: Uint8Array;
	// A value may be counted three times here: as an array slot, by its name, and itself.
	readonly #values = new ValueCounter(3 * maxValues);
	#position = 0;

	constructor(bytes: Uint8Array) {
		this.#bytes = bytes;
	}

	check(): void {
		// The version of the format: a tag and a number.
		this.#skip(1);
		this.#readNumber();
		this.#readValue();
	}

	#readValue(): void {
		const tag = this.#readTag();
		switch (tag) {
			case tags.object: {
				this.#values.open();
				this.#readMembers(tags.objectEnd);
				this.#readNumber();
				this.#values.close();
				break;
			}

			case tags.denseArray: {
				this.#readDenseArray();
				break;
			}

			case tags.sparseArray: {
				this.#values.open();
				this.#values.add(this.#readNumber());
				this.#readMembers(tags.sparseArrayEnd);
				this.#readNumber();
				this.#readNumber();
				this.#values.close();
				break;
			}

			default: {
				this.#values.add(1);
				this.#readScalar(tag);
			}
		}
	}

	#readDenseArray(): void {
		this.#values.open();
		const length = this.#readNumber();
		// V8 allocates the whole array before it reads the first item.
		this.#values.add(length);
		for (let index = 0; index < length; index++) {
			this.#readValue();
		}

		this.#readMembers(tags.denseArrayEnd);
		this.#readNumber();
		this.#readNumber();
		this.#values.close();
	}

	#readMembers(end: string): void {
		while (this.#peekTag() !== end) {
			this.#readValue();
			this.#readValue();
		}

		this.#skip(1);
	}

	#readScalar(tag: string): void {
		switch (tag) {
			case tags.undefined:
			case tags.null:
			case tags.true:
			case tags.false:
			case tags.hole: {
				break;
			}

			case tags.integer:
			case tags.unsigned:
			case tags.reference: {
				this.#readNumber();
				break;
			}

			case tags.double: {
				this.#skip(8);
				break;
			}

			case tags.oneByteString:
			case tags.twoByteString:
			case tags.utf8String: {
				this.#skip(this.#readNumber());
				break;
			}

			case tags.host: {
				this.#readNumber();
				this.#skip(this.#readNumber());
				break;
			}

			default: {
				throw new UnreadableError('format');
			}
		}
	}

	#peekTag(): string {
		while (this.#bytes[this.#position] === 0) {
			this.#position++;
		}

		return tagOf(this.#bytes[this.#position]);
	}

	#readTag(): string {
		const tag = this.#peekTag();
		this.#skip(1);
		return tag;
	}

	/** Reads a number of seven bits per byte, the lowest first. */
	#readNumber(): number {
		let number = 0;
		for (let factor = 1; ; factor *= 128) {
			const byte = this.#bytes[this.#position] ?? 0;
			this.#skip(1);
			number += (byte % 128) * factor;
			if (byte < 128) {
				return number;
			}
		}
	}

	#skip(count: number): void {
		this.#position += count;
		if (this.#position > this.#bytes.length) {
			throw new UnreadableError('truncated');
		}
	}
}
