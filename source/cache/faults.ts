import {codeOf, describeFault, RedactedError} from '../errors.ts';
import type {Ignored} from '../identity/credentials.ts';
import {redactReferences} from '../identity/references.ts';
import {warnOnce} from '../warnings.ts';
import type {CacheEventName} from './types.ts';

/** Warns of an event that nobody listens to, if it is a fault. */
export function warnOfFault(event: CacheEventName, payload: object): void {
	const {error, operation = '', setting = ''} = payload as {readonly error?: unknown; readonly operation?: string; readonly setting?: string};
	switch (event) { // eslint-disable-line @typescript-eslint/switch-exhaustiveness-check -- The other events are no faults.
		case 'storeError': {
			warnOnce('GOT_CACHE_STORE_ERROR', operation, describeFault(error));
			break;
		}

		case 'settingError': {
			warnOnce('GOT_CACHE_SETTING_ERROR', setting, describeFault(error));
			break;
		}

		case 'backgroundError': {
			warnOnce('GOT_CACHE_BACKGROUND_ERROR', describeFault(error));
			break;
		}

		case 'internalError': {
			warnOnce('GOT_CACHE_INTERNAL_ERROR', describeFault(error));
			break;
		}

		default:
	}
}

/** Warns of an error of a listener, which has seen no credential: with its message, unless that looks like one all the same. */
export function warnOfListener(event: CacheEventName, error: unknown, ignored: Ignored): void {
	const isShown = error instanceof Error && redactReferences(error.message, ignored) === error.message && !/\b(?:basic|bearer)\b|key|passw|secret|token/iv.test(error.message);
	warnOnce('GOT_CACHE_LISTENER_ERROR', event, isShown ? `${error.message}.` : describeFault(error));
}

// The members in which errors of HTTP clients contain the request, with its credentials.
const requestMembers = ['options', 'config', 'request', 'response'] as const;

// Errors with a longer chain of causes are always replaced.
const maxCauses = 8;

/** Replaces an error that contains a request, or a URL with a credential, by one with its name, its code, its redacted message, and the places of its stack. */
export function redactError(error: unknown, ignored: Ignored): unknown {
	if (!mayHoldCredential(error, ignored, 0)) {
		return error;
	}

	const {name, message} = error instanceof Error ? {name: error.constructor.name, message: error.message} : {name: 'RedactedError', message: String(error)};
	return new RedactedError(error, {name, code: codeOf(error) ?? 'ERR_REDACTED', message: redactReferences(message, ignored)});
}

function mayHoldCredential(error: unknown, ignored: Ignored, depth: number): boolean {
	if (typeof error === 'string') {
		return redactReferences(error, ignored) !== error;
	}

	if (!(error instanceof Error) || error instanceof RedactedError) {
		return false;
	}

	if (depth === maxCauses || requestMembers.some(name => isObject((error as Partial<Record<typeof name, unknown>>)[name]))) {
		return true;
	}

	const texts: unknown[] = [error.message, ...Object.values<unknown>(error as unknown as Record<string, unknown>)];
	const causes: unknown[] = [error.cause, ...error instanceof AggregateError ? error.errors as unknown[] : []];
	return texts.some(text => typeof text === 'string' && redactReferences(text, ignored) !== text)
		|| causes.some(cause => mayHoldCredential(cause, ignored, depth + 1));
}

function isObject(value: unknown): boolean {
	return typeof value === 'object' && value !== null;
}
