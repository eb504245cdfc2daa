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

const codeOf = (tag: string): number => tag.codePointAt(0)!;
const followedBy = (tags: string, numbers: number, bytes: number | 'counted' = 0) => Array.from(tags, tag => [codeOf(tag), {numbers, bytes}] as const);

/** The tags of V8's `ValueSerializer` for plain data, one byte before each value, with how many numbers follow, and how many bytes: as many as the last number says if they are `counted`. */
const scalars: ReadonlyMap<number, {readonly numbers: number; readonly bytes: number | 'counted'}> = new Map([
	// `undefined`, `null`, the booleans, a hole of an array.
	...followedBy('_0TF-', 0),
	// Integers, and a reference to a value before.
	...followedBy('IU^', 1),
	// A double.
	...followedBy('N', 0, 8),
	// Strings in Latin-1, UTF-16 and UTF-8.
	...followedBy('"cS', 1, 'counted'),
	// Node.js writes typed arrays as host objects: the type, the length, the bytes.
	...followedBy('\\', 2, 'counted'),
]);

const [objectTag, denseArrayTag, sparseArrayTag] = [codeOf('o'), codeOf('A'), codeOf('a')];

/** The tags after the names and values of the members, with how many numbers follow. */
const ends: ReadonlyMap<number, {readonly end: number; readonly numbers: number}> = new Map([
	[objectTag, {end: codeOf('{'), numbers: 1}],
	[denseArrayTag, {end: codeOf('$'), numbers: 2}],
	[sparseArrayTag, {end: codeOf('@'), numbers: 2}],
]);

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
		const tag = this.#peekTag();
		this.#skip(1);
		const container = ends.get(tag);
		if (container !== undefined) {
			this.#values.open();
			this.#readMembers(tag, container.end);
			this.#readNumbers(container.numbers);
			this.#values.close();
			return;
		}

		this.#values.add(1);
		const scalar = scalars.get(tag);
		if (scalar === undefined) {
			throw new UnreadableError('format');
		}

		const last = this.#readNumbers(scalar.numbers);
		this.#skip(scalar.bytes === 'counted' ? last : scalar.bytes);
	}

	#readMembers(tag: number, end: number): void {
		if (tag !== objectTag) {
			const length = this.#readNumber();
			// V8 allocates the whole array before it reads the first item.
			this.#values.add(length);
			const items = tag === denseArrayTag ? length : 0;
			for (let index = 0; index < items; index++) {
				this.#readValue();
			}
		}

		while (this.#peekTag() !== end) {
			this.#readValue();
			this.#readValue();
		}

		this.#skip(1);
	}

	#peekTag(): number {
		while (this.#bytes[this.#position] === 0) {
			this.#position++;
		}

		return this.#bytes[this.#position] ?? 0;
	}

	/** Returns the last of some numbers; 0 if there are none. */
	#readNumbers(count: number): number {
		let last = 0;
		for (let index = 0; index < count; index++) {
			last = this.#readNumber();
		}

		return last;
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
