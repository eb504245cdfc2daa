import {Keyv} from 'keyv';
import type {KeyvInstance} from './keyv-instances.ts';

const instances = new WeakMap<object, KeyvInstance>();

/**
Returns the Keyv 6 instance of ours for a storage adapter or a Map, which all caches on it share. The instance has no namespace, so that another Keyv can go on using the same adapter, which may hold only one namespace.
*/
export function withoutNamespace(storage: object): KeyvInstance {
	const known = instances.get(storage);
	if (known !== undefined) {
		return known;
	}

	// A Map needs no serialization, since the values are strings.
	const keyv = new Keyv({store: storage, ...(storage instanceof Map && {serialization: false as const})}) as unknown as KeyvInstance;
	instances.set(storage, keyv);
	return keyv;
}
