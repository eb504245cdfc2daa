import {callInScope, type Scope} from '../exchange/scope.ts';
import type {AnyFunction} from './function-twin.ts';

const steps = ['next', 'return', 'throw'] as const;

type Iterated = Partial<Record<typeof steps[number] | '_read', unknown>> & {
	readonly [Symbol.iterator]?: unknown;
	readonly [Symbol.asyncIterator]?: unknown;
};

/**
What a function gave, so that what is still to be done for it is done in the function's scope, and whoever consumes it keeps their own: the steps of generators and iterators, and the reads of a stream that is made of one. A promise that has methods of its own, as Got's, stays what it is.
*/
export function holdScope(value: unknown, scope: Scope): unknown {
	if (typeof value !== 'object' || value === null) {
		return value;
	}

	if (value instanceof Promise) {
		return isPlainPromise(value) ? heldLater(value, scope) : value;
	}

	const iterated = value as Iterated;
	if (typeof iterated.next === 'function') {
		// What cannot be iterated is an object with a method of that name, and none of ours.
		if (iterated[Symbol.iterator] !== undefined || iterated[Symbol.asyncIterator] !== undefined) {
			replace(value, steps, scope);
		}
	} else if (typeof iterated._read === 'function') {
		replace(value, ['_read'], scope);
	} else if (typeof iterated[Symbol.asyncIterator] === 'function') {
		holdIterable(value, scope);
	}

	return value;
}

function isPlainPromise(promise: Promise<unknown>): boolean {
	return promise.constructor === Promise && Reflect.ownKeys(promise).every(key => typeof key === 'symbol');
}

async function heldLater(promise: Promise<unknown>, scope: Scope): Promise<unknown> {
	return holdScope(await promise, scope);
}

/** What begins only when it is iterated begins in the scope. */
function holdIterable(value: object, scope: Scope): void {
	const original = (value as Record<symbol, AnyFunction>)[Symbol.asyncIterator]!;
	define(value, Symbol.asyncIterator, function (this: unknown) {
		const iterator = callInScope(scope, original, this, []) as object;
		replace(iterator, steps, scope);
		return iterator;
	});
}

function replace(value: object, names: readonly string[], scope: Scope): void {
	for (const name of names) {
		const original = (value as Record<string, unknown>)[name];
		if (typeof original === 'function') {
			define(value, name, function (this: unknown, ...inputs) {
				return callInScope<unknown, unknown[], unknown>(scope, original as AnyFunction, this, inputs);
			});
		}
	}
}

/** On the object itself, which nobody else has yet; one that is frozen keeps what it has. */
function define(value: object, name: string | symbol, method: (this: unknown, ...inputs: unknown[]) => unknown): void {
	Reflect.defineProperty(value, name, {value: method, writable: true, configurable: true});
}
