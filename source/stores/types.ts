export type MaybePromise<T> = T | Promise<T>;

/**
What a store can hold. `objects`: live values, kept by reference. `documents`: plain data, which comes back deeply equal and with its members in order: strings, finite numbers, booleans, `null`, `Uint8Array`s, arrays and plain objects, at any depth. `bytes`: `Uint8Array`. `text`: strings.
*/
export type StoredValue = string | Uint8Array | object;

export type SetOptions = {
	/** Milliseconds since the epoch at which the store may forget the value; `undefined` keeps it for good. */
	readonly expires: number | undefined;

	/** Bytes that the value stands for, for stores that are bounded and cannot measure live objects. */
	readonly size?: number;

	/** By what the entry may be found without reading it, by stores that keep an index. What is no entry has none. */
	readonly indexed?: IndexedTimes;
};

/** Milliseconds since the epoch. */
export type IndexedTimes = {
	readonly createdAt: number;

	/** `undefined` never ceases to be fresh. */
	readonly freshUntil: number | undefined;
};

/**
Which entries are looked for: those for which everything that is given holds. Only what was set with `indexed` is found.
*/
export type StoreQuery = {
	/** Its `freshUntil` is this or before. */
	readonly staleAt?: number;

	/** Its `createdAt` is before this. */
	readonly createdBefore?: number;
	readonly orderBy?: 'createdAt' | 'freshUntil' | 'size' | 'key';
	readonly descending?: boolean;
};

/**
Where bytes lie. A store knows keys, values and one point in time; it never reads a header.

Every method may answer at once or by a promise: what is synchronous costs no turn of the event loop.
Methods may throw; `guardStore` turns that into misses.
*/
export type Store = {
	/** For messages: `'memory'`, `'sqlite'`, `'keyv'`. */
	readonly name: string;
	readonly holds: 'objects' | 'documents' | 'bytes' | 'text';

	/** The absolute path of the file or folder in which it keeps entries; `undefined` in memory. Absent where there is no such thing. */
	readonly path?: string | undefined;

	/** Whether it is memory of this process, which no other process can see. Default: `false`. */
	readonly isLocal?: boolean;

	/** The most bytes that a key may have. Default: 8,192. */
	readonly maxKeyBytes?: number;

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

	/** Sets the value where the key has no live one, and says whether it did: of many at once, in many processes, exactly one does. Absent where the store knows no such step. */
	add?(key: string, value: StoredValue, options: SetOptions): MaybePromise<boolean>;

	/** The keys of the live entries that are found, by an index. Absent where the store keeps none. */
	find?(query: StoreQuery): AsyncIterable<string>;

	/** Deletes what is found, by an index, and says how many there were. Absent where the store keeps none. */
	deleteFound?(query: StoreQuery): MaybePromise<number>;

	/** How many live entries (what was set with `indexed`) there are, without handing them out. `NaN` from a guarded store that does not answer. */
	count?(): MaybePromise<number>;

	/** Bytes that everything stored takes, without handing it out. `NaN` from a guarded store that does not answer. */
	size?(): MaybePromise<number>;

	/** Called before all else by a cache with a `mode`: what is stored is a recording, made to be passed on, so the umask says who may read the files. Absent where the store makes no files. */
	keepRecordings?(): void;

	/** Tells of what leaves to make room, until what it gives is called. Absent where the store is not bounded, or does not know. */
	watchEvictions?(listener: (key: string) => void): () => void;
};
