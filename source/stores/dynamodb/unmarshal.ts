import {Buffer} from 'node:buffer';
import type {Attribute} from './attributes.ts';
import {fromText} from './text.ts';

/**
What `marshal` was given.

@param spilled - What lies elsewhere, in one piece.
*/
export function unmarshal(value: Attribute, order: string | undefined, spilled: Uint8Array): unknown {
	const names = order === undefined ? [] : JSON.parse(order) as string[];
	return new Unmarshaller(names, spilled).value(value);
}

class Unmarshaller {
	readonly #order: readonly string[];
	readonly #positions: ReadonlyMap<string, number>;
	readonly #spilled: Uint8Array;

	constructor(order: readonly string[], spilled: Uint8Array) {
		this.#order = order;
		this.#positions = positionsOf(order);
		this.#spilled = spilled;
	}

	value(attribute: Attribute): unknown {
		if ('S' in attribute) {
			return attribute.S;
		}

		if ('N' in attribute) {
			return Number(attribute.N);
		}

		if ('B' in attribute) {
			return attribute.B;
		}

		if ('BOOL' in attribute) {
			return attribute.BOOL;
		}

		if ('L' in attribute) {
			return attribute.L.map(item => this.value(item));
		}

		return 'M' in attribute ? this.#map(attribute.M) : null;
	}

	#map(members: Readonly<Record<string, Attribute>>): unknown {
		const {$order: own, ...others} = members;
		const entries = Object.entries(others);
		const [name, payload] = entries[0] ?? [];
		if (entries.length === 1 && /^\$[a-z]/v.test(name!)) {
			return this.#unwrapped(name!, payload!);
		}

		const positions = own === undefined ? this.#positions : positionsOf(JSON.parse(this.#text(own)) as string[]);
		return Object.fromEntries(entries
			.map(([held, member]): [string, unknown] => [this.#name(held), this.value(member)])
			.toSorted(([a], [b]) => (positions.get(a) ?? 0) - (positions.get(b) ?? 0)));
	}

	#unwrapped(wrapper: string, payload: Attribute): unknown {
		switch (wrapper) {
			case '$number': {
				return Number(this.#text(payload));
			}

			case '$string': {
				return JSON.parse(this.#text(payload));
			}

			case '$json': {
				return fromText(this.#text(payload));
			}

			case '$bytes': {
				return new Uint8Array(this.#piece(payload));
			}

			default: {
				return this.#text(payload);
			}
		}
	}

	#name(held: string): string {
		if (!held.startsWith('$')) {
			return held;
		}

		return held.startsWith('$$') ? held.slice(1) : this.#order[Number(held.slice(1))]!;
	}

	#text(payload: Attribute): string {
		if ('S' in payload) {
			return payload.S;
		}

		const {buffer, byteOffset, byteLength} = this.#piece(payload);
		return Buffer.from(buffer, byteOffset, byteLength).toString();
	}

	#piece(payload: Attribute): Uint8Array {
		const [offset = 0, length = 0] = 'L' in payload ? payload.L.map(number => Number((number as {N: string}).N)) : [];
		return this.#spilled.subarray(offset, offset + length);
	}
}

function positionsOf(order: readonly string[]): ReadonlyMap<string, number> {
	return new Map(order.map((name, index) => [name, index]));
}
