import {UnreadableError} from './stage.ts';

/**
The maximum number of values in an entry: objects, arrays and their members, of its metadata and a readable body together. JSON of 256 KiB has half as many. Reading them takes about 50 ms.
*/
export const maxValues = 250_000;

/** The maximum nesting depth of an entry. A readable body is nested at most 24 levels deep, and metadata less. */
export const maxDepth = 64;

/**
Counts the values in serialized data before they are created: a few bytes of a forged or decompressed entry could otherwise take gigabytes of memory, or hours.
*/
export class ValueCounter {
	readonly #max: number;
	#count = 0;
	#depth = 0;

	constructor(max: number = maxValues) {
		this.#max = max;
	}

	/**
	Counts values.

	@throws {UnreadableError} `too-large` if there are too many.
	*/
	add(count: number): void {
		this.#count += count;
		if (this.#count > this.#max) {
			throw new UnreadableError('too-large');
		}
	}

	/**
	Counts an object or array, whose members follow.

	@throws {UnreadableError} `too-large` if it is nested too deeply.
	*/
	open(): void {
		this.add(1);
		this.#depth++;
		if (this.#depth > maxDepth) {
			throw new UnreadableError('too-large');
		}
	}

	/** Ends the members of the last opened object or array. */
	close(): void {
		this.#depth--;
	}
}

/** Whether plain data can be read again once it is written. */
export function isWithinLimits(value: unknown, max: number = maxValues): boolean {
	return countValues(value, max, () => true) <= max;
}

/**
Checks that data is plain: no other objects than plain ones, no arrays with holes, whose length may be forged, and not more values than were written. Data that refers to itself, or to the same object twice on each level, would take forever to read.

@param max - The maximum number of values.
@throws {UnreadableError} `format` if it is not plain.
*/
export function assertPlain(value: unknown, max: number): void {
	if (countValues(value, max, isPlain) > max) {
		throw new UnreadableError('format');
	}
}

/** Returns the number of values; more than `max` if there are more, if one is not allowed, or if they are nested too deeply. */
function countValues(value: unknown, max: number, isAllowed: (value: unknown) => boolean, depth = 0): number {
	if (!isAllowed(value)) {
		return Infinity;
	}

	if (typeof value !== 'object' || value === null || value instanceof Uint8Array) {
		return 1;
	}

	const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
	let count = depth < maxDepth ? 1 : Infinity;
	for (let index = 0; index < members.length && count <= max; index++) {
		count += countValues(members[index], max - count, isAllowed, depth + 1);
	}

	return count;
}

function isPlain(value: unknown): boolean {
	if (typeof value !== 'object') {
		return !['bigint', 'symbol', 'function'].includes(typeof value);
	}

	if (Array.isArray(value)) {
		return Object.keys(value).length === value.length;
	}

	const prototype: unknown = value === null ? null : Object.getPrototypeOf(value);
	return prototype === null || prototype === Object.prototype || value instanceof Uint8Array;
}
