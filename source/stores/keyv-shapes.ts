import {Keyv} from 'keyv';

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
	on(event: string, listener: (error: unknown) => void): unknown;
	readonly namespace?: string | undefined;
	readonly store: unknown;
};

/** What only Keyv 5 has: it prefixes the keys itself. */
export type Keyv5Instance = KeyvInstance & {
	readonly useKeyPrefix?: boolean;
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

const instances = new WeakMap<object, KeyvInstance>();

/**
Puts a storage adapter or a Map into a Keyv of our own, which all caches on it share. It gets no namespace, so that one that serves another Keyv goes on serving it: an adapter that keeps the namespace itself knows only one.
*/
export function withoutNamespace(storage: object): KeyvInstance {
	const known = instances.get(storage);
	if (known !== undefined) {
		return known;
	}

	// Strings need no copy; everything else may end outside of the process.
	const keyv = new Keyv({store: storage, ...(storage instanceof Map && {serialization: false as const})}) as unknown as KeyvInstance;
	instances.set(storage, keyv);
	return keyv;
}

function hasMethods(value: object, names: readonly string[]): boolean {
	return names.every(name => typeof (value as Record<string, unknown>)[name] === 'function');
}
