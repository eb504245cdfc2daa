import {copyMetadata} from './metadata.ts';

/** Any function; what it takes and gives is for its own types to say. */

export type AnyFunction = (this: any, ...inputs: any[]) => any;

/**
A function that stands in for another: with its name, length and own properties, and what other decorators have noted on it, so that frameworks find what they look for.
*/
export function asTwin<Twin extends AnyFunction>(twin: Twin, original: AnyFunction): Twin {
	for (const key of Reflect.ownKeys(original)) {
		const descriptor = Object.getOwnPropertyDescriptor(original, key)!;
		if (key !== 'prototype' && Object.getOwnPropertyDescriptor(twin, key)?.configurable !== false) {
			Object.defineProperty(twin, key, descriptor);
		}
	}

	copyMetadata(original, twin);
	return twin;
}
