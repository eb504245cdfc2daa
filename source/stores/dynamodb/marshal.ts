import {Buffer} from 'node:buffer';
import type {AttributeValue} from '@aws-sdk/client-dynamodb';
import {
	isPackedName,
	membersOf,
	notPlain,
	packedMember,
	unpack,
} from '../packed.ts';

export type Marshalled = {
	readonly value: AttributeValue;

	/** The names of members in an order that most maps agree with, as a JSON array; `undefined` where there is nothing to note. */
	readonly order: string | undefined;

	/** At least what `value` and `order` weigh in an item. */
	readonly bytes: number;
};

/** DynamoDB nests 32 levels; what is packed takes one more. */
const deepest = 28;
const longestName = 20_000;
const orderName = '(order)';

/** What a value weighs beside its text, a number with it. */
const valueBytes = 4;
const numberBytes = 22;

/**
Plain data in DynamoDB's own types, so that it can be read in a console. What they do not hold, and no more, is packed (see `pack`): `-0` and numbers that DynamoDB has not, strings with lone surrogates, objects with names that it refuses, what is nested too deeply.

Maps come back from DynamoDB in any order: `order` tells it for all, and a map that disagrees notes its own in `(order)`. The SDK's `marshall` keeps none of this, and refuses numbers beyond 2 ** 53.

@param mostBytes - Where it weighs more, what there is by then is of no use: `bytes` says so.
@throws {CacheHooksError} `ERR_STORE_VALUE` for what is no plain data.
*/
export function marshal(value: unknown, mostBytes: number): Marshalled {
	return new Marshaller(mostBytes).marshal(value);
}

class Marshaller {
	readonly #mostBytes: number;
	readonly #maps: Array<{readonly names: readonly string[]; readonly held: Record<string, AttributeValue>}> = [];
	#bytes = 0;

	constructor(mostBytes: number) {
		this.#mostBytes = mostBytes;
	}

	marshal(whole: unknown): Marshalled {
		const value = this.#attribute(whole, 0);
		const order = this.#bytes > this.#mostBytes ? [] : this.#noteOrder();
		const noted = order.length === 0 ? undefined : JSON.stringify(order);
		return {value, order: noted, bytes: this.#bytes + Buffer.byteLength(noted ?? '')};
	}

	#noteOrder(): readonly string[] {
		const order = commonOrder(this.#maps.map(({names}) => names));
		const positions = positionsOf(order);
		for (const {names, held} of this.#maps) {
			if (names.every((name, index) => !(index > 0 && positions.get(names[index - 1]!)! > positions.get(name)!))) {
				continue;
			}

			this.#bytes += orderName.length + valueBytes;
			held[orderName] = this.#text(JSON.stringify(names));
		}

		return order;
	}

	#attribute(value: unknown, depth: number): AttributeValue {
		this.#bytes += valueBytes;
		if (this.#bytes > this.#mostBytes) {
			return {NULL: true};
		}

		if (typeof value === 'string') {
			return value.isWellFormed() ? this.#text(value) : this.#packed(value);
		}

		if (typeof value === 'number') {
			this.#bytes += numberBytes;
			return isHeldNumber(value) ? {N: String(value)} : this.#packed(value);
		}

		if (typeof value === 'boolean') {
			return {BOOL: value};
		}

		if (value === null) {
			return {NULL: true};
		}

		if (typeof value !== 'object') {
			throw notPlain(`a ${typeof value}`);
		}

		return this.#object(value, depth);
	}

	#object(value: object, depth: number): AttributeValue {
		if (value instanceof Uint8Array) {
			this.#bytes += value.byteLength;
			return {B: value};
		}

		if (depth >= deepest) {
			return this.#packed(value);
		}

		return Array.isArray(value)
			? {L: value.map(item => this.#attribute(item ?? null, depth + 1))}
			: this.#map(value, depth);
	}

	#map(value: object, depth: number): AttributeValue {
		const members = membersOf(value);
		if (members.some(([name]) => isRefused(name))) {
			return this.#packed(value);
		}

		const held: Record<string, AttributeValue> = {};
		const names = members.map(([name]) => name).filter(name => !isIndex(name));
		if (names.length > 1) {
			this.#maps.push({names, held});
		}

		for (const [name, member] of members) {
			this.#bytes += Buffer.byteLength(name);
			held[name] = this.#attribute(member, depth + 1);
		}

		return {M: held};
	}

	#packed(value: unknown): AttributeValue {
		const [name, content] = packedMember(value);
		this.#bytes += name.length + (2 * valueBytes);
		if (typeof content === 'string') {
			return {M: {[name]: this.#text(content)}};
		}

		this.#bytes += content.byteLength;
		return {M: {[name]: {B: content}}};
	}

	#text(value: string): AttributeValue {
		this.#bytes += Buffer.byteLength(value);
		return {S: value};
	}
}

/** What `marshal` was given. */
export function unmarshal(whole: AttributeValue, order: string | undefined): unknown {
	const common = positionsOf(order === undefined ? [] : JSON.parse(order) as string[]);
	const restored = (attribute: AttributeValue): unknown => {
		if (attribute.M !== undefined) {
			return map(attribute.M);
		}

		return attribute.L === undefined ? attribute.S ?? attribute.B ?? attribute.BOOL ?? (attribute.N === undefined ? null : Number(attribute.N)) : attribute.L.map(item => restored(item));
	};

	const map = (held: Record<string, AttributeValue>): unknown => {
		const [[first, packed] = ['']] = Object.entries(held);
		if (isPackedName(first)) {
			return unpack(packed!.S ?? packed!.B!);
		}

		const own = held[orderName]?.S;
		const positions = own === undefined ? common : positionsOf(JSON.parse(own) as string[]);
		return Object.fromEntries(Object.entries(held)
			.filter(([name]) => name !== orderName)
			.map(([name, member]): [string, unknown] => [name, restored(member)])
			.toSorted(([a], [b]) => (positions.get(a) ?? 0) - (positions.get(b) ?? 0)));
	};

	return restored(whole);
}

/** DynamoDB's numbers go from 1e-130 to 9.99e125, and have no negative zero. JavaScript's digits all fit into its 38. */
function isHeldNumber(value: number): boolean {
	const size = Math.abs(value);
	return size === 0 ? Object.is(value, 0) : size >= 1e-130 && size < 9.9e125;
}

/** By DynamoDB, by the SDK, which assigns to `__proto__`, or here, where it means something else. */
function isRefused(name: string): boolean {
	return name === '' || name === '__proto__' || name === orderName || isPackedName(name) || !name.isWellFormed() || name.length > longestName;
}

/** A name that is an array index: objects list those first and by number, however they were put. */
function isIndex(name: string): boolean {
	return /^(?:0|[1-9]\d{0,9})$/v.test(name) && Number(name) < 4_294_967_295;
}

/** One order of the names in all lists, with which most agree: a new name stands behind the one before it, the first of a list behind all. */
function commonOrder(lists: ReadonlyArray<readonly string[]>): string[] {
	// What follows each name; what follows `undefined` comes first.
	const next = new Map<string | undefined, string | undefined>([[undefined, undefined]]);
	let last: string | undefined;
	for (const list of lists) {
		let before = last;
		for (const name of list) {
			if (!next.has(name)) {
				next.set(name, next.get(before));
				next.set(before, name);
				last = before === last ? name : last;
			}

			before = name;
		}
	}

	const order: string[] = [];
	for (let name = next.get(undefined); name !== undefined; name = next.get(name)) {
		order.push(name);
	}

	return order;
}

function positionsOf(order: readonly string[]): ReadonlyMap<string, number> {
	return new Map(order.map((name, index) => [name, index]));
}
