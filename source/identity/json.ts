import {REDACTED} from './credentials.ts';

/** The path of a field from the root: member names and array indexes. */
export type JsonPath = ReadonlyArray<string | number>;

/**
A predicate of a field and its place in the text.

@param path - It is valid only during the call.
@param value - The canonical JSON text of the value. To read that of an object or an array copies all of it: check `isString` first.
*/
type FieldPredicate = (path: JsonPath, value: string, isString: boolean, start: number, end: number) => boolean;

/**
The maximum length of a JSON body that is read for a key, in characters or bytes. 256 KiB block the event loop for some 20 ms, and for at most some 100 ms if all names differ.
*/
export const maxJsonLength: number = 256 * 1024;

// The limit protects the stack.
const maxDepth = 500;

/**
Returns canonical JSON: without white space, the members of objects sorted by name, strings in one spelling.

Numbers keep their text, since two numbers may be equal as doubles only. Members of the same name keep their order.

@param includes - Whether a member or an item is part of the result.
@returns `undefined` if the text is no JSON, or nested too deep.
*/
export function canonicalJson(text: string, includes: FieldPredicate): string | undefined {
	try {
		return new Canonicalizer(text, includes).readText();
	} catch {
		return undefined;
	}
}

/**
Replaces the values of some fields of a JSON text. The rest of it stays as it is.

@param isSecret - Whether the value of a field is replaced.
@returns `undefined` if the text is no JSON, or nested too deep.
*/
export function redactJson(text: string, isSecret: FieldPredicate): string | undefined {
	const secrets: Array<readonly [start: number, end: number]> = [];
	const read = canonicalJson(text, (path, value, isString, start, end) => {
		if (isSecret(path, value, isString, start, end)) {
			// An object or an array comes after its own fields.
			while ((secrets.at(-1)?.[0] ?? -1) > start) {
				secrets.pop();
			}

			secrets.push([start, end]);
		}

		return true;
	});
	return read === undefined ? undefined : withoutRanges(text, secrets);
}

function withoutRanges(text: string, ranges: ReadonlyArray<readonly [start: number, end: number]>): string {
	const pieces: string[] = [];
	let from = 0;
	for (const [start, end] of ranges) {
		pieces.push(text.slice(from, start), JSON.stringify(REDACTED));
		from = end;
	}

	// With `+`, V8 could keep the whole text, with its credentials, in memory as long as a part of it.
	return [...pieces, text.slice(from)].join('');
}

// RFC 8259 §2, §3, §6 and §7. `JSON.parse` checks the escapes of strings.
const space = /[\t\n\r ]*/vy;
// eslint-disable-next-line no-control-regex, regexp/no-control-character -- JSON has no control characters in strings.
const string = /"[^\0-\u{1F}"\\]*(?:\\.[^\0-\u{1F}"\\]*)*"/vy;
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[Ee][+\-]?\d+)?|true|false|null/vy;

/**
Reads JSON in one pass. `JSON.parse`, which loses members of the same name, is used only for strings with escapes.

The result is concatenated by `+`, which copies long texts once in the end; `join` would copy them once for each level.

The methods throw if the text is no JSON. Each one moves behind what it reads and the white space after it.
*/
class Canonicalizer {
	readonly #text: string;
	readonly #includes: FieldPredicate;
	readonly #path: Array<string | number> = [];
	#position = 0;

	/** The end of the last token, before the white space after it. */
	#end = 0;

	constructor(text: string, includes: FieldPredicate) {
		this.#text = text;
		this.#includes = includes;
	}

	readText(): string | undefined {
		this.#moveTo(0);
		const value = this.#read();
		return this.#position === this.#text.length ? value : undefined;
	}

	#read(): string {
		switch (this.#text[this.#position]) {
			case '{': {
				return this.#readObject();
			}

			case '[': {
				return this.#readArray();
			}

			case '"': {
				return this.#readString();
			}

			case undefined:
			default: {
				return this.#readToken(scalar);
			}
		}
	}

	#readObject(): string {
		const members: Array<readonly [name: string, value: string]> = [];
		for (let index = 0; this.#reachesItem(index, '}'); index++) {
			const name = this.#readString();
			this.#pass(':');
			const value = this.#readAt(name.includes('\\') ? JSON.parse(name) as string : name.slice(1, -1));
			if (value !== undefined) {
				members.push([name, value]);
			}
		}

		members.sort((a, b) => compare(a[0], b[0]));
		let result = '{';
		for (const [name, value] of members) {
			result += result.length === 1 ? '' : ',';
			result += `${name}:`;
			result += value;
		}

		return result + '}';
	}

	#readArray(): string {
		let result = '[';
		for (let index = 0; this.#reachesItem(index, ']'); index++) {
			result += index === 0 ? '' : ',';
			// An item that is left out leaves an empty place, so that the indexes of the others stay the same.
			result += this.#readAt(index) ?? '';
		}

		return result + ']';
	}

	/** Moves to the first or the next item. If there is none, it moves behind the closing bracket. */
	#reachesItem(index: number, end: string): boolean {
		if (index === 0) {
			this.#moveTo(this.#position + 1);
		}

		if (this.#passes(end)) {
			return false;
		}

		if (index > 0) {
			this.#pass(',');
		}

		return true;
	}

	#passes(character: string): boolean {
		const isNext = this.#text[this.#position] === character;
		if (isNext) {
			this.#moveTo(this.#position + 1);
		}

		return isNext;
	}

	#pass(expected: string): void {
		if (!this.#passes(expected)) {
			throw new SyntaxError(`Expected ${expected}`);
		}
	}

	#readAt(step: string | number): string | undefined {
		this.#path.push(step);
		if (this.#path.length > maxDepth) {
			throw new RangeError('Nested too deep');
		}

		const start = this.#position;
		const value = this.#read();
		const isIncluded = this.#includes(this.#path, value, this.#text[start] === '"', start, this.#end);
		this.#path.pop();
		return isIncluded ? value : undefined;
	}

	#readString(): string {
		const text = this.#readToken(string);
		return text.includes('\\') ? JSON.stringify(JSON.parse(text)) : text;
	}

	#readToken(token: RegExp): string {
		const start = this.#position;
		token.lastIndex = start;
		if (!token.test(this.#text)) {
			throw new SyntaxError('Expected a value');
		}

		this.#moveTo(token.lastIndex);
		return this.#text.slice(start, this.#end);
	}

	#moveTo(end: number): void {
		this.#end = end;
		this.#position = end;
		// Most JSON has no white space.
		if (!(this.#text.codePointAt(end)! <= 0x20)) {
			return;
		}

		space.lastIndex = end;
		space.test(this.#text);
		this.#position = space.lastIndex;
	}
}

/** Compares two strings by code units, so that keys do not depend on the locale. */
export function compare(a: string, b: string): number {
	if (a === b) {
		return 0;
	}

	return a < b ? -1 : 1;
}
