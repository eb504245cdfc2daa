import {UnreadableError} from './unreadable.ts';

/**
Refuses what a document cannot be: other objects than plain ones, arrays with holes (whose length may be forged), and more values than were written: what refers to itself never ends, and what refers to others twice at each level has no end in sight.

@param most - How many values there may be.
@throws {UnreadableError} `format`.
*/
export function checkPlain(value: unknown, most: number): void {
	let count = 0;
	const check = (member: unknown): void => {
		count++;
		if (count > most || !isPlain(member)) {
			throw new UnreadableError('format');
		}

		if (typeof member === 'object' && member !== null && !(member instanceof Uint8Array)) {
			for (const inner of Object.values(member)) {
				check(inner);
			}
		}
	};

	check(value);
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
