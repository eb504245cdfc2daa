import {UnreadableError} from './unreadable.ts';

/**
Refuses what a document cannot be: other objects than plain ones, arrays with holes (whose length may be forged), and an object that is there twice (walking it may never end).

@throws {UnreadableError} `format`.
*/
export function checkPlain(value: unknown): void {
	checkTree(value, new Set());
}

function checkTree(value: unknown, seen: Set<object>): void {
	if (typeof value !== 'object' || value === null) {
		if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function') {
			throw new UnreadableError('format');
		}

		return;
	}

	if (seen.has(value) || !isPlain(value)) {
		throw new UnreadableError('format');
	}

	seen.add(value);
	if (value instanceof Uint8Array) {
		return;
	}

	const members = Object.values(value);
	if (Array.isArray(value) && members.length !== value.length) {
		throw new UnreadableError('format');
	}

	for (const member of members) {
		checkTree(member, seen);
	}
}

function isPlain(value: object): boolean {
	if (Array.isArray(value) || value instanceof Uint8Array) {
		return true;
	}

	const prototype: unknown = Object.getPrototypeOf(value);
	return prototype === Object.prototype || prototype === null;
}
