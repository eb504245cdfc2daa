import {AsyncLocalStorage} from 'node:async_hooks';
import {CacheHooksError} from '../errors.ts';

/**
The methods that a Keyv 5 or 6 instance, a Keyv storage adapter and a `Map` share. Values are recognized by their structure, not by their class, since several copies of Keyv may be installed.
*/
export type KeyvLike = {
	get(key: string): unknown;
	set(key: string, value: any, third?: any): unknown;
	delete(key: string): unknown;
	clear(): unknown;
};

/** The part of a Keyv 5 or 6 instance that is used here. */
export type KeyvInstance = {
	get(key: string): Promise<unknown>;
	getRaw?(key: string): Promise<{value?: unknown} | undefined>;
	set(key: string, value: unknown, ttl?: number): Promise<unknown>;
	delete(key: string): Promise<boolean>;
	deleteMany?(keys: string[]): Promise<unknown>;
	clear(): Promise<void>;
	disconnect?(): Promise<void>;
	on(event: string, listener: (error: unknown) => void): unknown;
	readonly namespace?: string | undefined;
	readonly store: unknown;
};

/** The part that only Keyv 5 has, which itself puts the namespace before the keys. */
export type Keyv5Instance = KeyvInstance & {
	readonly useKeyPrefix?: boolean;
	_getKeyPrefix?(key: string): string;
};

/** The Map or adapter in a Keyv instance. */
export type KeyvStorage = {
	readonly namespace?: string | undefined;
	iterator?(namespace?: string): AsyncIterable<unknown>;
	keys?(): Iterable<unknown>;
	entries?(): unknown;
};

/** Returns what the value is to Keyv, or `undefined` if Keyv cannot use it. */
export function shapeOf(value: unknown): 'map' | 'keyv6' | 'keyv5' | 'adapter' | undefined {
	if (value instanceof Map) {
		return 'map';
	}

	if (typeof value !== 'object' || value === null || !hasMethods(value, ['get', 'set', 'delete', 'clear'])) {
		return undefined;
	}

	if ('store' in value && hasMethods(value, ['getRaw', 'setRaw', 'encode', 'on'])) {
		return 'keyv6';
	}

	const isKeyv5 = 'store' in value && 'opts' in value && hasMethods(value, ['on'])
		&& (hasMethods(value, ['serializeData']) || hasMethods(value, ['_getKeyPrefix']));
	return isKeyv5 ? 'keyv5' : 'adapter';
}

function hasMethods(value: object, names: readonly string[]): boolean {
	return names.every(name => typeof (value as Record<string, unknown>)[name] === 'function');
}

/** Returns the Map or adapter itself, which Keyv 6 wraps if it is a Map or an adapter for Keyv 5. */
export function storageOf({store}: KeyvInstance): KeyvStorage {
	const {namespaceSeparator, store: wrapped} = store as {namespaceSeparator?: unknown; store?: unknown};
	return namespaceSeparator !== undefined && typeof wrapped === 'object' && wrapped !== null ? wrapped : store as KeyvStorage;
}

type Call = {fault?: {readonly error: unknown}};

/** The call during which an `error` event is emitted: one instance has many calls at once. */
const calls = new AsyncLocalStorage<Call>();
const instancesWithListener = new WeakSet();

/**
Listens to the `error` events of an instance, once. Without a listener Keyv 6 throws them, and an adapter may end the process.
*/
export function listenToErrors(keyv: KeyvInstance): void {
	if (instancesWithListener.has(keyv)) {
		return;
	}

	instancesWithListener.add(keyv);
	keyv.on('error', error => {
		const call = calls.getStore();
		if (call !== undefined) {
			call.fault ??= {error};
		}
	});
}

/**
Runs a call of a Keyv instance, and throws an error that the instance only emits.
*/
export async function throwingErrors<T>(action: () => Promise<T>): Promise<T> {
	const call: Call = {};
	const result = await calls.run(call, action);
	if (call.fault !== undefined) {
		const {error} = call.fault;
		throw error instanceof Error ? error : new CacheHooksError('ERR_STORE_FAULT', `The Keyv store failed: ${String(error)}.`);
	}

	return result;
}
