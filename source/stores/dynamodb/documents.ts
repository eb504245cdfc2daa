import {Buffer} from 'node:buffer';
import type {AttributeValue} from '@aws-sdk/client-dynamodb';
import {
	isPackedName,
	membersOf,
	notPlain,
	packedMember,
	unpack,
} from '../packed.ts';

type MarshalledDocument = {
	readonly value: AttributeValue;

	/** The names of the members in an order that most maps have, as a JSON array. `undefined` if no map has two members. */
	readonly order: string | undefined;

	/** An upper bound of the size of `value` and `order` in an item. */
	readonly bytes: number;
};

/** DynamoDB allows 32 levels, of which a packed part takes one. */
const deepestLevel = 28;
const longestName = 20_000;
const orderName = '(order)';

/** The size of a value in addition to its text, and of a number. */
const valueBytes = 4;
const numberBytes = 22;

/**
Converts plain data to DynamoDB's own types, so that it is readable in a console. The parts that DynamoDB cannot hold are packed (see `pack`): `-0` and numbers out of range, strings with lone surrogates, objects with names that it refuses, and what is nested too deeply.

DynamoDB does not preserve the order of members. `order` has it for all maps, and a map with another order stores its own in `(order)`. The SDK's `marshall` preserves neither, and refuses numbers beyond 2 ** 53.

@param mostBytes - The limit above which the result is not used. The conversion stops there, and `bytes` is larger.
@throws {CacheHooksError} `ERR_STORE_VALUE` if the value is not plain data.
*/
export function marshal(value: unknown, mostBytes: number): MarshalledDocument {
	return new Marshaller(mostBytes).marshal(value);
}

class Marshaller {
	readonly #mostBytes: number;
	readonly #maps: Array<{readonly names: readonly string[]; readonly map: Record<string, AttributeValue>}> = [];
	#bytes = 0;

	constructor(mostBytes: number) {
		this.#mostBytes = mostBytes;
	}

	marshal(whole: unknown): MarshalledDocument {
		const value = this.#attribute(whole, 0);
		const names = this.#bytes > this.#mostBytes ? [] : this.#addOrders();
		const order = names.length === 0 ? undefined : JSON.stringify(names);
		return {value, order, bytes: this.#bytes + Buffer.byteLength(order ?? '')};
	}

	/** Returns the common order, and adds their own to the maps that have another. */
	#addOrders(): readonly string[] {
		const order = commonOrder(this.#maps.map(({names}) => names));
		const positions = positionsOf(order);
		for (const {names, map} of this.#maps) {
			if (names.every((name, index) => !(index > 0 && positions.get(names[index - 1]!)! > positions.get(name)!))) {
				continue;
			}

			this.#bytes += orderName.length + valueBytes;
			map[orderName] = this.#text(JSON.stringify(names));
		}

		return order;
	}

	#attribute(value: unknown, depth: number): AttributeValue {
		this.#bytes += valueBytes;
		if (value === null || this.#bytes > this.#mostBytes) {
			return {NULL: true};
		}

		if (typeof value === 'string') {
			return value.isWellFormed() ? this.#text(value) : this.#packed(value);
		}

		if (typeof value === 'number') {
			this.#bytes += numberBytes;
			return isAllowedNumber(value) ? {N: String(value)} : this.#packed(value);
		}

		if (typeof value === 'boolean') {
			return {BOOL: value};
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

		if (depth >= deepestLevel) {
			return this.#packed(value);
		}

		return Array.isArray(value)
			? {L: value.map(item => this.#attribute(item ?? null, depth + 1))}
			: this.#map(value, depth);
	}

	#map(value: object, depth: number): AttributeValue {
		const members = membersOf(value);
		if (members.some(([name]) => isRefusedName(name))) {
			return this.#packed(value);
		}

		const map: Record<string, AttributeValue> = {};
		const names = members.map(([name]) => name).filter(name => !isIndex(name));
		if (names.length > 1) {
			this.#maps.push({names, map});
		}

		for (const [name, member] of members) {
			this.#bytes += Buffer.byteLength(name);
			map[name] = this.#attribute(member, depth + 1);
		}

		return {M: map};
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

/** Converts the result of `marshal` back. */
export function unmarshal(whole: AttributeValue, order: string | undefined): unknown {
	const common = positionsOf(order === undefined ? [] : JSON.parse(order) as string[]);
	const valueOf = (attribute: AttributeValue): unknown => {
		if (attribute.M !== undefined) {
			return objectOf(attribute.M);
		}

		return attribute.L === undefined ? attribute.S ?? attribute.B ?? attribute.BOOL ?? (attribute.N === undefined ? null : Number(attribute.N)) : attribute.L.map(item => valueOf(item));
	};

	const objectOf = (map: Record<string, AttributeValue>): unknown => {
		const [[first, packed] = ['']] = Object.entries(map);
		if (isPackedName(first)) {
			return unpack(packed!.S ?? packed!.B!);
		}

		const own = map[orderName]?.S;
		const positions = own === undefined ? common : positionsOf(JSON.parse(own) as string[]);
		return Object.fromEntries(Object.entries(map)
			.filter(([name]) => name !== orderName)
			.map(([name, member]): [string, unknown] => [name, valueOf(member)])
			.toSorted(([a], [b]) => (positions.get(a) ?? 0) - (positions.get(b) ?? 0)));
	};

	return valueOf(whole);
}

/** DynamoDB's numbers are 1e-130 to 9.99e125 with 38 digits, which is enough for JavaScript's, and have no negative zero. */
function isAllowedNumber(value: number): boolean {
	const size = Math.abs(value);
	return size === 0 ? Object.is(value, 0) : size >= 1e-130 && size < 9.9e125;
}

/** DynamoDB refuses some names, the SDK assigns to `__proto__`, and some have a meaning here. */
function isRefusedName(name: string): boolean {
	return name === '' || name === '__proto__' || name === orderName || isPackedName(name) || !name.isWellFormed() || name.length > longestName;
}

/** Whether the name is an array index: objects list those first and by number. */
function isIndex(name: string): boolean {
	return /^(?:0|[1-9]\d{0,9})$/v.test(name) && Number(name) < 4_294_967_295;
}

/** Returns an order of the names in all lists with which most lists agree: a new name follows its predecessor, and the first name of a list follows all. */
function commonOrder(lists: ReadonlyArray<readonly string[]>): string[] {
	// A linked list of the names, which begins at `undefined`.
	const next = new Map<string | undefined, string | undefined>([[undefined, undefined]]);
	let last: string | undefined;
	for (const list of lists) {
		let previous = last;
		for (const name of list) {
			if (!next.has(name)) {
				next.set(name, next.get(previous));
				next.set(previous, name);
				last = previous === last ? name : last;
			}

			previous = name;
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
