import type {Invalidation} from '../cache/journal-records.ts';
import {identify, resourceOfRequest, siblingOf} from '../identity/identify.ts';
import type {SentRequest} from '../identity/sent-request.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import {isSafe} from '../policy/facts.ts';
import type {Invalidated} from '../policy/response-rules.ts';
import type {ExchangeSettings} from './settings.ts';

/** Returns the invalidations of the resources that an unsafe request may have changed (RFC 9111 §4.4). */
export function resourceInvalidations(request: SentRequest, invalid: readonly Invalidated[], {allowableMethods, ignoredParameters}: ExchangeSettings): readonly Invalidation[] {
	const {method, override = method} = request;
	const methods = new Set(['GET', ...[...allowableMethods].filter(allowed => !isSafe(allowed))]);
	const resources = invalid.flatMap(({url, keepsOwnMethod}) => [...methods]
		.filter(stored => !keepsOwnMethod || stored !== override)
		.map(stored => resourceOfRequest(siblingOf(request, stored, url), ignoredParameters)));
	return resources.map(resource => ({kind: 'resource', resource}));
}

/** Returns the keys of the caller's GET and HEAD of a target URI. */
export function keysOfTarget(request: SentRequest, target: string, settings: ExchangeSettings): MaybePromise<ReadonlyArray<string | undefined>> {
	const keyFor = (method: string): MaybePromise<string | undefined> => identify(siblingOf(request, method, target), settings).key(settings.secret);
	return then(keyFor('GET'), get => then(keyFor('HEAD'), head => [get, head]));
}
