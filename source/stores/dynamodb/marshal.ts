import {Buffer} from 'node:buffer';
import type {Attribute} from './attributes.ts';
import {agrees, commonOrder, isIndex} from './order.ts';
import {
	checkedScalar,
	membersOf,
	numberText,
	toText,
} from './text.ts';

type Marshalled = {
	readonly value: Attribute;

	/** The names of members in an order that most maps agree with, as a JSON array; `undefined` where there is nothing to note. */
	readonly order: string | undefined;

	/** What is too large for an item: what `value` says of it is its place in here. */
	readonly spilled: readonly Uint8Array[];

	/** At least what `value` and `order` weigh in an item. */
	readonly bytes: number;
};

/** DynamoDB nests 32 levels; what is wrapped takes one or two more. */
const deepest = 28;
const longestName = 60_000;
const spilledFrom = 4096;
const containerBytes = 3;
const memberBytes = 1;
const numberBytes = 21;
const orderMember = '$order';

/**
Plain data in DynamoDB's own types, so that it can be read in a console. What they do not hold is a map with one member whose name begins with one `$`:

- `$number`: a number that DynamoDB has not, as text (`-0`, `5e-324`)
- `$string`: a string with lone surrogates, as JSON
- `$json`: what is nested too deeply, as JSON text (see `toText`)
- `$text`, `$bytes`: a string or bytes, elsewhere: where they begin and how long they are

Names that begin with `$` get another; a name that DynamoDB refuses is `$` and its place in `order`. Maps come back from DynamoDB in any order: `order` tells it for all, and a map that disagrees notes its own in `$order`.

@throws {CacheHooksError} `ERR_STORE_VALUE` for what is no plain data.
*/
export function marshal(value: unknown, maxBytes: number): Marshalled {
	const whole = new Marshaller(value, Infinity).result();
	if (whole.bytes <= maxBytes) {
		return whole;
	}

	const spilled = new Marshaller(value, spilledFrom).result();
	if (spilled.bytes <= maxBytes) {
		return spilled;
	}

	const text = Buffer.from(toText(value));
	return {
		value: {M: {$json: range(0, text.length)}}, order: undefined, spilled: [text], bytes: 100,
	};
}

class Marshaller {
	readonly #value: unknown;
	readonly #spillFrom: number;
	readonly #order: string[];
	readonly #positions: Map<string, number>;
	readonly #spilled: Uint8Array[] = [];
	#spilledBytes = 0;
	#bytes = 0;

	constructor(value: unknown, spillFrom: number) {
		this.#value = value;
		this.#spillFrom = spillFrom;
		const lists: string[][] = [];
		const refused: string[] = [];
		listNames(value, 0, lists, refused);
		this.#order = commonOrder([...lists, ...refused.map(name => [name])]);
		this.#positions = new Map(this.#order.map((name, index) => [name, index]));
	}

	result(): Marshalled {
		const value = this.#attribute(this.#value, 0);
		const order = this.#order.length === 0 ? undefined : JSON.stringify(this.#order);
		return {
			value, order, spilled: this.#spilled, bytes: this.#bytes + (order === undefined ? 0 : Buffer.byteLength(order)),
		};
	}

	#attribute(value: unknown, depth: number): Attribute {
		this.#bytes += memberBytes;
		if (value instanceof Uint8Array) {
			return this.#binary(value);
		}

		if (typeof value === 'number') {
			this.#bytes += numberBytes;
			return isHeldNumber(value) ? {N: String(value)} : this.#wrapped('$number', {S: numberText(value)});
		}

		if (typeof value === 'object' && value !== null) {
			return this.#container(value, depth);
		}

		const scalar = checkedScalar(value);
		if (typeof scalar === 'string') {
			return this.#string(scalar);
		}

		return scalar === null ? {NULL: true} : {BOOL: scalar};
	}

	#container(value: object, depth: number): Attribute {
		if (depth >= deepest) {
			return this.#wrapped('$json', this.#text(toText(value)));
		}

		this.#bytes += containerBytes;
		return Array.isArray(value)
			? {L: value.map(item => this.#attribute(item ?? null, depth + 1))}
			: this.#map(membersOf(value), depth);
	}

	#map(members: ReadonlyArray<readonly [string, unknown]>, depth: number): Attribute {
		const entries = members.map(([name, member]): [string, Attribute] => [this.#name(name), this.#attribute(member, depth + 1)]);
		const names = orderedNames(members);
		if (!agrees(names, this.#positions)) {
			this.#bytes += orderMember.length + memberBytes;
			entries.push([orderMember, this.#text(JSON.stringify(names))]);
		}

		return {M: Object.fromEntries(entries)};
	}

	#name(name: string): string {
		const held = isRefused(name) ? `$${this.#positions.get(name)!}` : (name.startsWith('$') ? `$${name}` : name);
		this.#bytes += Buffer.byteLength(held);
		return held;
	}

	#string(value: string): Attribute {
		return value.isWellFormed() ? this.#text(value, '$text') : this.#wrapped('$string', this.#text(JSON.stringify(value)));
	}

	/** The text, or its place elsewhere: wrapped, where nothing else says that it is one. */
	#text(text: string, wrapper?: string): Attribute {
		const length = Buffer.byteLength(text);
		if (length >= this.#spillFrom) {
			const place = this.#spill(Buffer.from(text));
			return wrapper === undefined ? place : this.#wrapped(wrapper, place);
		}

		this.#bytes += length;
		return {S: text};
	}

	#binary(value: Uint8Array): Attribute {
		if (value.byteLength >= this.#spillFrom) {
			return this.#wrapped('$bytes', this.#spill(value));
		}

		this.#bytes += value.byteLength;
		return {B: value};
	}

	#wrapped(name: string, payload: Attribute): Attribute {
		this.#bytes += containerBytes + memberBytes + name.length;
		return {M: {[name]: payload}};
	}

	#spill(bytes: Uint8Array): Attribute {
		const place = range(this.#spilledBytes, bytes.byteLength);
		this.#spilled.push(bytes);
		this.#spilledBytes += bytes.byteLength;
		this.#bytes += containerBytes + (2 * numberBytes);
		return place;
	}
}

function range(offset: number, length: number): Attribute {
	return {L: [{N: String(offset)}, {N: String(length)}]};
}

/** DynamoDB's numbers go from 1e-130 to 9.99e125, and have no negative zero. JavaScript's digits all fit into its 38. */
function isHeldNumber(value: number): boolean {
	const size = Math.abs(value);
	return size === 0 ? Object.is(value, 0) : size >= 1e-130 && size < 9.9e125;
}

function isRefused(name: string): boolean {
	return name === '' || name === '__proto__' || !name.isWellFormed() || name.length > longestName / 3;
}

/** Where there is one name or none, and with names that are numbers, nothing needs to be noted. */
function orderedNames(members: ReadonlyArray<readonly [string, unknown]>): string[] {
	const names = members.map(([name]) => name).filter(name => !isIndex(name));
	return names.length > 1 ? names : [];
}

function listNames(value: unknown, depth: number, lists: string[][], refused: string[]): void {
	if (typeof value !== 'object' || value === null || value instanceof Uint8Array || depth >= deepest) {
		return;
	}

	if (Array.isArray(value)) {
		for (const item of value) {
			listNames(item, depth + 1, lists, refused);
		}

		return;
	}

	const members = membersOf(value);
	lists.push(orderedNames(members));
	for (const [name, member] of members) {
		if (isRefused(name)) {
			refused.push(name);
		}

		listNames(member, depth + 1, lists, refused);
	}
}
