import type {MaybePromise} from '../maybe-promise.ts';

/**
A value that a store can hold, by its `valueType`. `objects`: any objects, stored by reference. `documents`: plain data, which comes back deeply equal and with its members in order: strings, finite numbers, booleans, `null`, `Uint8Array`s, arrays and plain objects, at any depth. `bytes`: `Uint8Array`. `text`: strings.
*/
export type StoredValue = string | Uint8Array | object;

/** What a store gets beside a value. */
export type SetOptions = {
	/** The time from which the store may forget the value, in milliseconds since the epoch. `undefined` keeps it forever. */
	readonly expires: number | undefined;

	/** The size of the value in bytes, for bounded stores that cannot measure objects. Absent if the store can measure it. */
	readonly size?: number;

	/** The times by which stores with an index find the entry. Absent for values that are not entries. */
	readonly indexed?: IndexedTimes;
};

/** Times in milliseconds since the epoch. */
export type IndexedTimes = {
	/** When the response was received, or last validated, in milliseconds since the epoch. */
	readonly createdAt: number;

	/** When the response becomes stale, in milliseconds since the epoch; `undefined` for an entry that is fresh forever. */
	readonly freshUntil: number | undefined;
};

/**
Selects entries that meet all given conditions; one that is absent holds for all. Only values that were set with `indexed` are found.
*/
export type StoreQuery = {
	/** Selects entries whose `freshUntil` is at or before this time, in milliseconds since the epoch. Absent: all. */
	readonly staleAt?: number;

	/** Selects entries whose `createdAt` is before this time, in milliseconds since the epoch. Absent: all. */
	readonly createdBefore?: number;

	/** What the entries are in the order of. Default: any order. */
	readonly orderBy?: 'createdAt' | 'freshUntil' | 'size' | 'key';

	/** Whether the order is descending. Default: `false`. */
	readonly descending?: boolean;
};

/**
A place for values. It knows keys, values and expiry times, and never reads a header.

Each method may return its result or a promise of it: a synchronous result costs no turn of the event loop. Methods may throw: `guardStore` turns errors into misses.
*/
export type Store = {
	/** The name for messages, such as `'memory'`. */
	readonly name: string;

	/** What values the store takes: see `StoredValue`. */
	readonly valueType: 'objects' | 'documents' | 'bytes' | 'text';

	/** The absolute path of the file or folder of a store on disk. A store that may lie in memory instead has `undefined` there; it is absent in any other. */
	readonly path?: string | undefined;

	/**
	Who can use the values: only those that have this object (`process`), the processes of this machine (`machine`), or those of several machines (`network`). In a `machine` store, a process that has ended loses its locks at once. A `process` store begins empty and needs no record of what other processes invalidate. Default: `'network'`, which is right for every store.
	*/
	readonly scope?: 'process' | 'machine' | 'network' | undefined;

	/** Whether people read the stored bytes or text: a cache then stores JSON, with decoded bodies. Default: `false`. */
	readonly isHumanReadable?: boolean;

	/** The maximum length of a key in bytes. Default: 8,192. */
	readonly maxKeyBytes?: number;

	/** Returns the value, or `undefined` if there is none or it has expired. */
	get(key: string): MaybePromise<StoredValue | undefined>;

	/** Sets a value, in place of what was there. */
	set(key: string, value: StoredValue, options: SetOptions): MaybePromise<void>;

	/** Deletes a value. Returns whether there was one. */
	delete(key: string): MaybePromise<boolean>;

	/** Deletes several values. */
	deleteMany(keys: readonly string[]): MaybePromise<void>;

	/** Deletes everything that this library stored here, and nothing else. */
	clear(): MaybePromise<void>;

	/** Iterates over all unexpired values; none comes twice, even while values are deleted. */
	iterate(): AsyncIterable<readonly [key: string, value: StoredValue]>;

	/** Ends the connection, or whatever the store has opened. No call comes after it. */
	close(): MaybePromise<void>;

	/** Sets the value if the key has no unexpired one, and returns whether it did. Of many concurrent calls, in many processes, exactly one returns `true`. Absent if the store has no such atomic operation. */
	add?(key: string, value: StoredValue, options: SetOptions): MaybePromise<boolean>;

	/** Returns the keys of the unexpired entries that meet the query, by an index. Absent if the store has no index. */
	find?(query: StoreQuery): AsyncIterable<string>;

	/** Deletes the unexpired entries that meet the query, by an index, and returns their number. Absent if the store has no index. */
	deleteFound?(query: StoreQuery): MaybePromise<number>;

	/** Returns the number of unexpired entries (values that were set with `indexed`) without reading them. `NaN` from a guarded store that does not answer. */
	count?(): MaybePromise<number>;

	/** Returns the size of everything stored in bytes, without reading it. `NaN` from a guarded store that does not answer. */
	size?(): MaybePromise<number>;

	/** Where the locks of a cache lie, if a lock costs less there than among the values: they are no values, but `clear` deletes them as well. Default: the store itself. */
	readonly locks?: LockStore | undefined;

	/** A cache with a `mode` calls this before everything else: the store keeps recordings, which are made to be shared, so the umask decides who may read the files. Absent if the store creates no files. */
	keepRecordings?(): void;

	/** Calls the listener with the key of each value that is removed to make room. Returns a function that removes the listener. Absent if the store is not bounded or does not know the keys. */
	watchEvictions?(listener: (key: string) => void): () => void;
};

/** The calls of a store that locks need. A lock always expires. */
export type LockStore = Required<Pick<Store, 'name' | 'valueType' | 'get' | 'set' | 'delete' | 'add'>>;

/** The listeners of `watchEvictions`, for stores that are bounded. */
export class EvictionListeners {
	readonly #listeners = new Set<(key: string) => void>();

	/** Returns a function that removes the listener. */
	add(listener: (key: string) => void): () => void {
		this.#listeners.add(listener);
		return () => {
			this.#listeners.delete(listener);
		};
	}

	emit(key: string): void {
		for (const listener of this.#listeners) {
			listener(key);
		}
	}
}
