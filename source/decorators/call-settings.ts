import type {ExchangeSettings} from '../exchange/settings.ts';
import type {SentRequest} from '../identity/sent-request.ts';
import {resourceOfRequest} from '../identity/identify.ts';
import type {Ignored} from '../identity/credentials.ts';
import {callMethod} from '../policy/facts.ts';
import type {CachedResponse} from '../entry/cached-response.ts';
import {callUrl} from './call-names.ts';

const derived = new WeakMap<ExchangeSettings, ExchangeSettings>();

/**
The settings by which a result is kept, of those by which a response would be: what is said of HTTP says nothing of a call.
*/
export function callSettings(settings: ExchangeSettings, filterFn: ((response: CachedResponse) => Promise<boolean>) | undefined): ExchangeSettings {
	const known = derived.get(settings) ?? {
		...settings,
		cacheControl: false,
		allowableMethods: new Set([callMethod]),
		allowableCodes: new Set([200]),
		gatewayTimeout: 'error',
		staleIfErrorAfter: 'failure',
		cacheStatus: false,
		storeEncoded: false,
		matchHeaders: false,
		partitionBy: false,
		filterFn: undefined,
		// The key is made before, of more than what is stored.
		keyFn: request => request.body as string,
	};
	derived.set(settings, known);
	return filterFn === undefined ? known : {...known, filterFn};
}

/** A call as the exchange knows requests. */
export function callRequest(name: string, key: string): SentRequest {
	return {
		method: callMethod,
		override: undefined,
		url: callUrl(name),
		targetUrl: callUrl(name),
		fields: {},
		body: key,
	};
}

/** Names the results of a function, whatever the arguments, as invalidations do. */
export function callResource(name: string, ignored: Ignored): string {
	return resourceOfRequest(callRequest(name, ''), ignored);
}
