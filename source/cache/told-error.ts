import {codeOf, RedactedError} from '../errors.ts';
import type {Ignored} from '../identity/credentials.ts';
import {redactReferences} from '../identity/references.ts';

// The members in which errors of HTTP clients carry the request, with its credentials.
const carriers = ['options', 'config', 'request', 'response'] as const;

// A chain of causes that is longer is not looked through.
const deepest = 8;

/**
An error as an event may tell it. One that has a request in it, or names a URL with a credential, is told by another one, which has its name, its code, its message without that, and the places of its stack.
*/
export function toldError(error: unknown, ignored: Ignored): unknown {
	if (!holdsMore(error, ignored, 0)) {
		return error;
	}

	const {name, message} = error instanceof Error ? {name: error.constructor.name, message: error.message} : {name: 'RedactedError', message: String(error)};
	return new RedactedError(error, {name, code: codeOf(error) ?? 'ERR_REDACTED', message: redactReferences(message, ignored)});
}

function holdsMore(error: unknown, ignored: Ignored, depth: number): boolean {
	if (typeof error === 'string') {
		return redactReferences(error, ignored) !== error;
	}

	if (!(error instanceof Error) || error instanceof RedactedError) {
		return false;
	}

	if (depth === deepest || carriers.some(name => isObject((error as Partial<Record<typeof name, unknown>>)[name]))) {
		return true;
	}

	const texts: unknown[] = [error.message, ...Object.values<unknown>(error as unknown as Record<string, unknown>)];
	const inner: unknown[] = [error.cause, ...error instanceof AggregateError ? error.errors as unknown[] : []];
	return texts.some(text => typeof text === 'string' && redactReferences(text, ignored) !== text)
		|| inner.some(cause => holdsMore(cause, ignored, depth + 1));
}

function isObject(value: unknown): boolean {
	return typeof value === 'object' && value !== null;
}
