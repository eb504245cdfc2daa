import {Keyv} from 'keyv';
import {SettingError} from '../errors.ts';

/**
What a Keyv 5 or 6 instance, a Keyv storage adapter and a `Map` have in common. By structure and not by class: several copies of Keyv live side by side in real trees.
*/
export type KeyvLike = {
	get(key: string): unknown;
	set(key: string, value: any, third?: any): unknown;
	delete(key: string): unknown;
	clear(): unknown;
};

/**
The part of a Keyv instance, of version 5 or 6, that is used here.
*/
export type KeyvInstance = {
	get(key: string): Promise<unknown>;
	getRaw?(key: string): Promise<{value?: unknown} | undefined>;
	set(key: string, value: unknown, ttl?: number): Promise<unknown>;
	delete(key: string): Promise<boolean>;
	deleteMany?(keys: string[]): Promise<unknown>;
	clear(): Promise<void>;
	disconnect?(): Promise<void>;
	iterator?(namespace?: string): AsyncGenerator<unknown, void>;
	on(event: string, listener: (error: unknown) => void): unknown;
	readonly namespace?: string | undefined;
	readonly store: unknown;
};

/** What only Keyv 5 has: it prefixes the keys itself. */
export type Keyv5Instance = KeyvInstance & {
	readonly useKeyPrefix?: boolean;
	deserializeData?(data: unknown): Promise<{value?: unknown; expires?: number | undefined} | undefined>;
	_getKeyPrefix?(key: string): string;
};

type KeyvShape = 'map' | 'keyv6' | 'keyv5' | 'adapter';

/**
What the value is to Keyv, or `undefined` when it is nothing that Keyv could use.
*/
export function shapeOf(value: unknown): KeyvShape | undefined {
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

/** The namespaces that adapters were given here; those of their owners are not in it. */
const givenNamespaces = new WeakMap<object, string>();

/**
Puts a storage adapter or a Map into a Keyv of our own.

A namespace that the adapter's owner has set is kept. Adapters that keep the namespace themselves know only one, and with two the caches would read each other's entries: a second one is a `TypeError`.
*/
export function adopt(storage: object, namespace: string): KeyvInstance {
	// Keyv 5 leaves its namespace on Maps too, where it means nothing.
	const own = storage instanceof Map ? undefined : (storage as {namespace?: unknown}).namespace;
	const given = givenNamespaces.get(storage);
	if (given !== undefined && given !== namespace) {
		throw new SettingError('cache.store', storage, `a storage adapter of its own (this one already holds the cache \`${given}\`, and cannot hold \`${namespace}\` too)`);
	}

	const isOwners = given === undefined && typeof own === 'string' && own !== '';
	const keyv = new Keyv({
		store: storage,
		namespace: isOwners ? own : namespace,
		// Strings need no copy; everything else may end outside of the process.
		...(storage instanceof Map && {serialization: false as const}),
	});
	if (!isOwners && (storage as {namespace?: unknown}).namespace === namespace) {
		givenNamespaces.set(storage, namespace);
	}

	return keyv as unknown as KeyvInstance;
}

/**
Whether Keyv can list the keys. Its iterator alone does not say: that of Keyv 6 yields nothing where the storage has none.
*/
export function canIterate(keyv: KeyvInstance): boolean {
	if (typeof keyv.iterator !== 'function') {
		return false;
	}

	const adapter = keyv.store as Map<unknown, unknown> | {iterator?: unknown; namespaceSeparator?: unknown; store?: unknown; capabilities?: {store?: string}};
	if (adapter instanceof Map || adapter.namespaceSeparator === undefined || typeof adapter.store !== 'object' || adapter.store === null) {
		return adapter instanceof Map || typeof adapter.iterator === 'function';
	}

	// One of the two wrappers of Keyv 6: what counts is what it wraps.
	return hasMethods(adapter.store, ['iterator'])
		|| (adapter.capabilities?.store === 'mapLike' && hasMethods(adapter.store, ['entries']));
}

function hasMethods(value: object, names: readonly string[]): boolean {
	return names.every(name => typeof (value as Record<string, unknown>)[name] === 'function');
}
