import {CacheHooksError, SettingError} from '../errors.ts';
import {hearErrors, throwingFaults} from './keyv-faults.ts';
import {
	adopt,
	canIterate,
	shapeOf,
	type Keyv5Instance,
	type KeyvInstance,
	type KeyvLike,
} from './keyv-shapes.ts';
import type {SetOptions, Store, StoredValue} from './types.ts';

type KeyvStoreOptions = {
	/**
	Sets this cache's keys apart in a `Map` or a storage adapter. Not used for a Keyv instance, nor for an adapter with a namespace: they keep their own.
	*/
	readonly namespace: string;

	/**
	The current time in milliseconds since the epoch, from which the time to live is taken. Default: `Date.now`.
	*/
	readonly now?: () => number;
};

/**
Keeps text in a Keyv 5 or 6 instance, a Keyv storage adapter or a `Map`.

- A Keyv instance is used as it is, with its namespace, serialization and default `ttl`. `clear` is its own `clear`, so what else is under its namespace goes too (and with Keyv 5 over an adapter without namespaces, everything). Only of a `Map` under Keyv 5 is the namespace alone removed.
- Adapters and Maps go into a Keyv 6 of our own.
- Entries expire by Keyv's clock, `Date.now`.
- What Keyv only emits as an `error` event is thrown by the call in which it happened. Keyv hears those events for good, so that an adapter without a listener does not end the process.
- `iterate` throws `ERR_STORE_ITERATE` where the storage cannot list its keys.

Throws a `TypeError` for a value of no such shape, and for an empty namespace.
*/
export class KeyvStore implements Store {
	readonly name = 'keyv';
	readonly holds = 'text';
	readonly isLocal: boolean;
	readonly #keyv: KeyvInstance;
	readonly #keyv5: Keyv5Instance | undefined;
	readonly #now: () => number;

	constructor(storage: KeyvLike, {namespace, now = Date.now}: KeyvStoreOptions) {
		const shape = shapeOf(storage);
		if (shape === undefined) {
			throw new SettingError('cache.store', storage, 'a Keyv instance, a Keyv storage adapter or a Map');
		}

		if (namespace === '') {
			throw new SettingError('cache.cacheName', namespace, 'a name: without one `clear` would remove everything');
		}

		// Several Keyv instances may be around one Map, which nobody can tell.
		this.isLocal = shape === 'map';
		this.#keyv = shape === 'map' || shape === 'adapter' ? adopt(storage, namespace) : storage as unknown as KeyvInstance;
		this.#keyv5 = shape === 'keyv5' ? this.#keyv : undefined;
		this.#now = now;
		hearErrors(this.#keyv);
	}

	async get(key: string): Promise<string | undefined> {
		const keyv = this.#keyv;
		const exactKey = this.#exactKey(key);
		// Keyv 5 swallows what its storage throws in `get`, but not in `getRaw`.
		const value = await throwingFaults<unknown>(async () => {
			if (keyv.getRaw === undefined) {
				return keyv.get(exactKey);
			}

			const raw = await keyv.getRaw(exactKey);
			return raw?.value;
		});
		return typeof value === 'string' ? value : undefined;
	}

	async set(key: string, value: StoredValue, {expires}: SetOptions): Promise<void> {
		if (typeof value !== 'string') {
			throw new CacheHooksError('ERR_STORE_VALUE', 'A Keyv store holds text: expected a string');
		}

		const timeToLive = expires === undefined || !Number.isFinite(expires) ? undefined : expires - this.#now();
		if (timeToLive !== undefined && timeToLive <= 0) {
			// To Keyv a time to live of 0 means for good.
			await this.delete(key);
			return;
		}

		const isSet = await throwingFaults(async () => this.#keyv.set(this.#exactKey(key), value, timeToLive));
		if (isSet === false) {
			throw new CacheHooksError('ERR_STORE_FAULT', 'The Keyv store did not take the value');
		}
	}

	async delete(key: string): Promise<boolean> {
		const wasThere: unknown = await throwingFaults(async () => this.#keyv.delete(this.#exactKey(key)));
		return wasThere === true;
	}

	async deleteMany(keys: readonly string[]): Promise<void> {
		if (keys.length === 0) {
			return;
		}

		const keyv = this.#keyv;
		await throwingFaults<unknown>(async () => keyv.deleteMany === undefined
			? Promise.all(keys.map(async key => keyv.delete(key)))
			: keyv.deleteMany([...keys]));
	}

	async clear(): Promise<void> {
		const keyv5 = this.#keyv5;
		if (keyv5?.store instanceof Map) {
			for (const key of mapKeys(keyv5, keyv5.store)) {
				keyv5.store.delete(key);
			}

			return;
		}

		await throwingFaults(async () => this.#keyv.clear());
	}

	async * iterate(): AsyncGenerator<readonly [key: string, value: string], void> {
		const keyv5 = this.#keyv5;
		if (keyv5?.store instanceof Map) {
			yield * this.#iterateMap(keyv5, keyv5.store);
			return;
		}

		if (!canIterate(this.#keyv)) {
			throw new CacheHooksError('ERR_STORE_ITERATE', 'This Keyv store cannot list its keys: its storage adapter has no iterator that Keyv uses');
		}

		const entries = this.#keyv.iterator!(this.#keyv.namespace);
		try {
			for (;;) {
				// Each step on its own: an error event belongs to the step, not to who made the generator.
				const step = await throwingFaults(async () => entries.next()); // eslint-disable-line no-await-in-loop
				if (step.done) {
					return;
				}

				const [key, value] = step.value as [string, unknown];
				if (typeof value === 'string') {
					yield [this.#ownKey(key), value];
				}
			}
		} finally {
			await entries.return();
		}
	}

	async close(): Promise<void> {
		await throwingFaults(async () => this.#keyv.disconnect?.());
	}

	/**
	Keyv 5's own iterator over a Map also meets the keys of namespaces that contain this one's name.
	*/
	async * #iterateMap(keyv5: Keyv5Instance, map: Map<unknown, unknown>): AsyncGenerator<readonly [key: string, value: string], void> {
		const {length} = prefixOf(keyv5);
		for (const key of mapKeys(keyv5, map)) {
			const value = await this.get(key.slice(length)); // eslint-disable-line no-await-in-loop
			if (value !== undefined) {
				yield [key.slice(length), value];
			}
		}
	}

	/**
	Keyv 5 leaves the prefix away before a key that begins like one, so that `a` and `keyv:a` would be the same.
	*/
	#exactKey(key: string): string {
		const keyv5 = this.#keyv5;
		if (keyv5?._getKeyPrefix === undefined) {
			return key;
		}

		const prefix = prefixOf(keyv5);
		return prefix !== '' && key.startsWith(prefix) && keyv5._getKeyPrefix(key) === key ? prefix + key : key;
	}

	/**
	Keyv 5 takes off what stands before the first `:`, also when the namespace has one itself.
	*/
	#ownKey(key: string): string {
		const prefix = this.#keyv5 === undefined ? '' : prefixOf(this.#keyv5);
		const rest = prefix.slice(prefix.indexOf(':') + 1);
		return key.startsWith(rest) ? key.slice(rest.length) : key;
	}
}

function prefixOf({namespace, useKeyPrefix}: Keyv5Instance): string {
	return useKeyPrefix === false || namespace === undefined || namespace === '' ? '' : `${namespace}:`;
}

/** A copy, so that changes to the Map meanwhile neither hide a key nor bring one twice. */
function mapKeys(keyv5: Keyv5Instance, map: Map<unknown, unknown>): string[] {
	const prefix = prefixOf(keyv5);
	return map.keys().filter((key): key is string => typeof key === 'string' && key.startsWith(prefix)).toArray();
}
