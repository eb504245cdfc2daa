import {REDACTED} from '../../source/identity/credentials.ts';
import {compare} from '../../source/identity/json.ts';

/**
What `source/identity/json.ts` must agree with: the same, read character by character, in the plainest way. It is slow, and on hostile text slower than linear.
*/
export type Keeps = (path: ReadonlyArray<string | number>, value: string, start: number, end: number) => boolean;

const maxDepth = 500;

export function referenceJson(text: string, keeps: Keeps): string | undefined {
	try {
		JSON.parse(text);
		return new Canonicalizer(text, keeps).read();
	} catch {
		return undefined;
	}
}

export function referenceRedaction(text: string, isSecret: (path: ReadonlyArray<string | number>) => boolean): string | undefined {
	const secrets: Array<readonly [start: number, end: number]> = [];
	const read = referenceJson(text, (path, _value, start, end) => {
		if (isSecret(path)) {
			// What holds others comes after them.
			while ((secrets.at(-1)?.[0] ?? -1) > start) {
				secrets.pop();
			}

			secrets.push([start, end]);
		}

		return true;
	});
	return read === undefined ? undefined : secrets.reduceRight((rest, [start, end]) => rest.slice(0, start) + JSON.stringify(REDACTED) + rest.slice(end), text);
}

/** Reads text that is known to be JSON. */
class Canonicalizer {
	readonly #text: string;
	readonly #keeps: Keeps;
	readonly #path: Array<string | number> = [];
	#position = 0;

	constructor(text: string, keeps: Keeps) {
		this.#text = text;
		this.#keeps = keeps;
	}

	read(): string {
		switch (this.#next()) {
			case '{': {
				return this.#readObject();
			}

			case '[': {
				return this.#readArray();
			}

			case '"': {
				return this.#readString();
			}

			default: {
				return this.#readWord();
			}
		}
	}

	#readObject(): string {
		const members: Array<readonly [name: string, value: string]> = [];
		this.#readItems('}', () => {
			const name = this.#readString();
			this.#next();
			this.#position += 1;
			const value = this.#readAt(JSON.parse(name) as string);
			if (value !== undefined) {
				members.push([name, value]);
			}
		});
		members.sort(([a], [b]) => compare(a, b));
		return `{${members.map(member => member.join(':')).join(',')}}`;
	}

	#readArray(): string {
		const items: string[] = [];
		let index = 0;
		this.#readItems(']', () => {
			// What is left out leaves its place behind: the others are still where they were.
			items.push(this.#readAt(index) ?? '');
			index += 1;
		});
		return `[${items.join(',')}]`;
	}

	#readItems(end: string, readItem: () => void): void {
		this.#position += 1;
		while (this.#next() !== end) {
			if (this.#text[this.#position] === ',') {
				this.#position += 1;
				this.#next();
			}

			readItem();
		}

		this.#position += 1;
	}

	#readAt(step: string | number): string | undefined {
		this.#path.push(step);
		if (this.#path.length > maxDepth) {
			throw new RangeError('Nested too deep');
		}

		this.#next();
		const start = this.#position;
		const value = this.read();
		const isKept = this.#keeps(this.#path, value, start, this.#position);
		this.#path.pop();
		return isKept ? value : undefined;
	}

	#readString(): string {
		const start = this.#position;
		let isPlain = true;
		for (this.#position += 1; this.#text[this.#position] !== '"'; this.#position += 1) {
			if (this.#text[this.#position] !== '\\') {
				continue;
			}

			isPlain = false;
			this.#position += 1;
		}

		this.#position += 1;
		const text = this.#text.slice(start, this.#position);
		return isPlain ? text : JSON.stringify(JSON.parse(text));
	}

	#readWord(): string {
		const start = this.#position;
		while (this.#position < this.#text.length && !' \t\n\r,]}'.includes(this.#text[this.#position]!)) {
			this.#position += 1;
		}

		return this.#text.slice(start, this.#position);
	}

	/** The next character that is no white space. */
	#next(): string {
		while (' \t\n\r'.includes(this.#text[this.#position] ?? '.')) {
			this.#position += 1;
		}

		return this.#text.charAt(this.#position);
	}
}
