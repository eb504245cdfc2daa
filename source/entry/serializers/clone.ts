import v8 from 'node:v8';
import {headed, payloadOf} from './head.ts';
import {maxParts, PartCounter} from './parts.ts';
import {checkPlain} from './plain.ts';
import type {EntryDocument, Stage} from './stage.ts';
import {UnreadableError} from './unreadable.ts';

/** A structured clone, by Node.js. */
export const clone: Stage<'document', 'bytes'> = {
	name: 'v8',
	takes: 'document',
	gives: 'bytes',

	dumps(document) {
		const bytes = v8.serialize(document);
		const {bytes: entry, start} = headed('8', bytes.length);
		entry.set(bytes, start);
		return entry;
	},

	loads(bytes) {
		const payload = payloadOf('8', bytes);
		new CloneReader(payload).check();
		const value: unknown = v8.deserialize(payload);
		checkPlain(value, bytes.byteLength);
		return value as EntryDocument;
	},
};

// The tags of V8's `ValueSerializer` that plain data is written by: one byte before each value.
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
	// Node writes typed arrays as its own: which one, the length, the bytes.
	host: '\\',
} as const;

const tagOf = (byte: number | undefined): string => String.fromCodePoint(byte ?? 0);

/**
Goes over a structured clone and makes nothing of it. V8 trusts the lengths that are written in one: a few bytes that nest arrays, or set the length of empty ones, take gigabytes of memory, and end the process.

Everything that it throws is an `UnreadableError`: `format` for what is no plain data, `too-large` for what is more than an entry may be.
*/
class CloneReader {
	readonly #bytes: Uint8Array;
	// A value counts up to three times here: its place, its name and itself.
	readonly #parts = new PartCounter(3 * maxParts);
	#position = 0;

	constructor(bytes: Uint8Array) {
		this.#bytes = bytes;
	}

	check(): void {
		// The version of the format: a byte that says so, and a number.
		this.#skip(1);
		this.#readNumber();
		this.#readValue();
	}

	#readValue(): void {
		const tag = this.#readTag();
		switch (tag) {
			case tags.object: {
				this.#parts.open();
				this.#readMembers(tags.objectEnd);
				this.#readNumber();
				this.#parts.close();
				break;
			}

			case tags.denseArray: {
				this.#readDenseArray();
				break;
			}

			case tags.sparseArray: {
				this.#parts.open();
				this.#parts.add(this.#readNumber());
				this.#readMembers(tags.sparseArrayEnd);
				this.#readNumber();
				this.#readNumber();
				this.#parts.close();
				break;
			}

			default: {
				this.#parts.add(1);
				this.#readScalar(tag);
			}
		}
	}

	#readDenseArray(): void {
		this.#parts.open();
		const length = this.#readNumber();
		// All of them are allocated before the first is read.
		this.#parts.add(length);
		for (let index = 0; index < length; index++) {
			this.#readValue();
		}

		this.#readMembers(tags.denseArrayEnd);
		this.#readNumber();
		this.#readNumber();
		this.#parts.close();
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

	/** A number of seven bits a byte, the lowest first. */
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
