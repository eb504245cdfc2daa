import {UnreadableError} from './unreadable.ts';

/**
The most values that an entry may be made of, metadata and a readable body together: objects, arrays, what they hold. JSON of 256 KiB has half as many; reading them takes some 50 ms.
*/
export const maxParts = 250_000;

/** How deep they may be nested. A readable body is nested 24 levels deep at most, metadata less. */
export const maxDepth = 64;

/**
Counts the values of something that is read, before anything is made of them: some bytes of a forged or decompressed entry could take gigabytes of memory, or hours.
*/
export class PartCounter {
	readonly #most: number;
	#count = 0;
	#depth = 0;

	constructor(most: number = maxParts) {
		this.#most = most;
	}

	/**
	Counts values.

	@throws {UnreadableError} `too-large` where they are too many.
	*/
	add(count: number): void {
		this.#count += count;
		if (this.#count > this.#most) {
			throw new UnreadableError('too-large');
		}
	}

	/**
	Counts what holds others, whose values follow.

	@throws {UnreadableError} `too-large` where it is nested too deep.
	*/
	open(): void {
		this.add(1);
		this.#depth++;
		if (this.#depth > maxDepth) {
			throw new UnreadableError('too-large');
		}
	}

	/** Its values are counted. */
	close(): void {
		this.#depth--;
	}
}

/** Whether plain data could be read again once it is written: the same count, of what is there. */
export function isReadableAgain(value: unknown, most: number = maxParts): boolean {
	let count = 0;
	const check = (part: unknown, depth: number): boolean => {
		count++;
		const holdsOthers = typeof part === 'object' && part !== null && !(part instanceof Uint8Array);
		return count <= most && (!holdsOthers || (depth < maxDepth && Object.values(part).every(inner => check(inner, depth + 1))));
	};

	return check(value, 0);
}
