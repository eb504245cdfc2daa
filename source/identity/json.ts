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

type Member = readonly [name: string, value: string];

const whitespace = new Set([0x09, 0x0A, 0x0D, 0x20]);
const space = 0x20;
const quote = 0x22;
const comma = 0x2C;
const colon = 0x3A;
const openingBracket = 0x5B;
const backslash = 0x5C;
const closingBracket = 0x5D;
const openingBrace = 0x7B;
const closingBrace = 0x7D;

// RFC 8259 §3, §6: numbers, booleans and null.
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[Ee][+\-]?\d+)?|true|false|null/vy;

/**
Reads JSON in one pass. `JSON.parse`, which loses members of the same name, is used only for strings with escapes.

The result is concatenated by `+`, which copies long texts once in the end; `join` would copy them once for each level.

The methods throw if the text is no JSON.
*/
class Canonicalizer {
	readonly #text: string;
	readonly #includes: FieldPredicate;
	readonly #path: Array<string | number> = [];
	#position = 0;

	constructor(text: string, includes: FieldPredicate) {
		this.#text = text;
		this.#includes = includes;
	}

	readText(): string {
		this.#next();
		const value = this.#read();
		this.#next();
		if (this.#position < this.#text.length) {
			throw new SyntaxError('Expected the end');
		}

		return value;
	}

	#read(): string {
		switch (this.#text.codePointAt(this.#position)) {
			case openingBrace: {
				return this.#readObject();
			}

			case openingBracket: {
				return this.#readArray();
			}

			case quote: {
				return this.#readString();
			}

			case undefined:
			default: {
				return this.#readScalar();
			}
		}
	}

	#readObject(): string {
		const members: Member[] = [];
		for (let index = 0; this.#reachesItem(index, closingBrace); index++) {
			const name = this.#readString();
			this.#pass(colon);
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
		for (let index = 0; this.#reachesItem(index, closingBracket); index++) {
			result += index === 0 ? '' : ',';
			// An item that is left out leaves an empty place, so that the indexes of the others stay the same.
			result += this.#readAt(index) ?? '';
		}

		return result + ']';
	}

	/** Moves to the first or the next item. If there is none, it moves behind the closing bracket. */
	#reachesItem(index: number, end: number): boolean {
		if (index === 0) {
			this.#position++;
		}

		const code = this.#next();
		if (code === end) {
			this.#position++;
			return false;
		}

		if (index > 0) {
			this.#pass(comma);
		}

		return true;
	}

	/** Moves behind an expected character and the white space after it. */
	#pass(expected: number): void {
		const code = this.#next();
		if (code !== expected) {
			throw new SyntaxError(`Expected ${String.fromCodePoint(expected)}`);
		}

		this.#position++;
		this.#next();
	}

	#readAt(step: string | number): string | undefined {
		this.#path.push(step);
		if (this.#path.length > maxDepth) {
			throw new RangeError('Nested too deep');
		}

		const start = this.#position;
		const value = this.#read();
		const isIncluded = this.#includes(this.#path, value, this.#text.codePointAt(start) === quote, start, this.#position);
		this.#path.pop();
		return isIncluded ? value : undefined;
	}

	#readString(): string {
		const text = this.#text;
		const start = this.#position;
		if (text.codePointAt(start) !== quote) {
			throw new SyntaxError('Expected a string');
		}

		let isPlain = true;
		let position = start + 1;
		for (let code = text.codePointAt(position); code !== quote; code = text.codePointAt(position)) {
			if (code === undefined || code < space) {
				throw new SyntaxError('Expected a character of a string');
			}

			isPlain &&= code !== backslash;
			position += code === backslash ? 2 : 1;
		}

		this.#position = position + 1;
		const string = text.slice(start, this.#position);
		return isPlain ? string : JSON.stringify(JSON.parse(string));
	}

	#readScalar(): string {
		const start = this.#position;
		scalar.lastIndex = start;
		if (!scalar.test(this.#text)) {
			throw new SyntaxError('Expected a value');
		}

		this.#position = scalar.lastIndex;
		return this.#text.slice(start, this.#position);
	}

	/** Moves to the next character that is no white space, and returns its code. */
	#next(): number | undefined {
		let position = this.#position;
		let code = this.#text.codePointAt(position);
		while (code !== undefined && code <= space && whitespace.has(code)) {
			position++;
			code = this.#text.codePointAt(position);
		}

		this.#position = position;
		return code;
	}
}

/** Compares two strings by code units, so that keys do not depend on the locale. */
export function compare(a: string, b: string): number {
	if (a === b) {
		return 0;
	}

	return a < b ? -1 : 1;
}
