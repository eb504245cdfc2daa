import type {CacheCore} from '../cache/core.ts';
import type {CachedResponse} from '../entry/cached-response.ts';
import {CacheHooksError} from '../errors.ts';
import type {ExchangeSettings} from '../exchange/settings.ts';
import type {SentRequest} from '../identity/sent-request.ts';
import type {Ignored} from '../identity/credentials.ts';
import {resourceOfRequest} from '../identity/identify.ts';
import {callMethod} from '../policy/facts.ts';

const callScheme = 'call:';

/** Returns the URL under which the results of a function are stored. */
export function callUrl(name: string): string {
	return `${callScheme}${encodeURIComponent(name)}`;
}

export function isCallUrl(url: string): boolean {
	return url.startsWith(callScheme);
}

/** Returns a call as a request for the exchange. */
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

/** Returns the resource of all results of a function, for invalidations. */
export function callResource(name: string, ignored: Ignored): string {
	return resourceOfRequest(callRequest(name, ''), ignored);
}

const settingsOfCalls = new WeakMap<ExchangeSettings, ExchangeSettings>();

/**
Returns the settings for the exchange of a call. Settings about HTTP do not apply to it.
*/
export function callSettings(settings: ExchangeSettings, filterFn: ((response: CachedResponse) => Promise<boolean>) | undefined): ExchangeSettings {
	const ofCalls = settingsOfCalls.get(settings) ?? {
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
		// The key already exists, and depends on more than what is stored.
		keyFn: request => request.body as string,
	};
	settingsOfCalls.set(settings, ofCalls);
	return filterFn === undefined ? ofCalls : {...ofCalls, filterFn};
}

/**
Returns the name of a method: `GitHub.repos`, or `GitHub::repos` for a static method.

@throws {CacheHooksError} If the class has no name.
*/
export function methodName(owner: object | undefined, method: string, label: string): string {
	const isStatic = typeof owner === 'function';
	const name: unknown = isStatic ? owner.name : owner?.constructor.name;
	if (typeof name !== 'string' || name === '' || name === 'Object') {
		throw new CacheHooksError('ERR_CALL_NAME', `${label} has no class whose name can be included in the key. Call it on its instance, or set a \`name\`.`);
	}

	return `${name}${isStatic ? '::' : '.'}${method}`;
}

/** A function whose results have a name. */
export type NamedFunction = {
	/** Identifies the function, whatever instance it is called on: its decorated method, or the function itself. */
	readonly identity: object;

	/** The class whose name is part of the name; `undefined` if the `name` was set. */
	readonly owner: object | undefined;
};

type Registration = {readonly identity: WeakRef<object>; readonly owner: WeakRef<object> | undefined};

const registrations = new WeakMap<CacheCore, Map<string, Registration>>();

/**
Registers the name of a function in a cache, so that two functions with the same name do not share their results.

@throws {CacheHooksError} If another function has the name already.
*/
export function registerName(cache: CacheCore, name: string, {identity, owner}: NamedFunction): void {
	const ofCache = registrations.get(cache) ?? new Map<string, Registration>();
	registrations.set(cache, ofCache);
	const registration = ofCache.get(name);
	if (registration === undefined || isCollected(registration)) {
		ofCache.set(name, {identity: new WeakRef(identity), owner: owner && new WeakRef(owner)});
	} else if (registration.identity.deref() !== identity || registration.owner?.deref() !== owner) {
		throw new CacheHooksError('ERR_CALL_NAME', `Two functions have the name \`${name}\` in one cache. Set a different \`name\` for one of them.`);
	}
}

function isCollected({identity, owner}: Registration): boolean {
	return identity.deref() === undefined || (owner !== undefined && owner.deref() === undefined);
}
