export type MaybePromise<T> = T | Promise<T>;

/**
What a store can hold. `objects`: live values, kept by reference. `bytes`: `Uint8Array`. `text`: strings.
*/
export type StoredValue = string | Uint8Array | object;

export type SetOptions = {
	/** Milliseconds since the epoch at which the store may forget the value; `undefined` keeps it for good. */
	readonly expires: number | undefined;

	/** Bytes that the value stands for, for stores that are bounded and cannot measure live objects. */
	readonly size?: number;
};

/**
Where bytes lie. A store knows keys, values and one point in time; it never reads a header.

Every method may answer at once or by a promise: what is synchronous costs no turn of the event loop.
Methods may throw; `guardStore` turns that into misses.
*/
export type Store = {
	/** For messages: `'memory'`, `'sqlite'`, `'keyv'`. */
	readonly name: string;
	readonly holds: 'objects' | 'bytes' | 'text';

	/** The value, or `undefined` when there is none or its time has passed. */
	get(key: string): MaybePromise<StoredValue | undefined>;
	set(key: string, value: StoredValue, options: SetOptions): MaybePromise<void>;

	/** Whether there was one. */
	delete(key: string): MaybePromise<boolean>;
	deleteMany(keys: readonly string[]): MaybePromise<void>;

	/** Removes what this library stored here, and nothing else. */
	clear(): MaybePromise<void>;

	/** All live entries; nothing twice, also while entries are deleted. */
	iterate(): AsyncIterable<readonly [key: string, value: StoredValue]>;
	close(): MaybePromise<void>;
};
