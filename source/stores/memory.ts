import {Buffer} from 'node:buffer';
import {
	checkOptions,
	commonOptions,
	positiveInteger,
	type CommonOptions,
} from './options.ts';
import {
	EvictionListeners,
	type SetOptions,
	type SetResult,
	type Store,
	type StoredValue,
	type StoreQuery,
} from './types.ts';

export type MemoryStoreOptions = CommonOptions & {
	/**
	The maximum size of all entries in bytes. Each counts with its `size` (or the bytes of its string or `Uint8Array`) and its key. Default: 134,217,728 (128 MiB).
	*/
	readonly maxBytes?: number;

	/**
	The maximum number of entries. Default: 10,000.
	*/
	readonly maxEntries?: number;
};

class Entry {
	readonly key: string;
	/** Grows from entry to entry, so that an iteration knows which entries were added after it began. */
	readonly serial: number;
	value: StoredValue | undefined;
	expires = 0;
	/** The times of `indexed`; `undefined` if there are none. An object for them would take 3 % more memory. */
	createdAt: number | undefined;
	freshUntil: number | undefined;
	bytes = 0;
	wasRead = false;
	previous: Entry = this;
	next: Entry = this;

	constructor(key: string, serial: number) {
		this.key = key;
		this.serial = serial;
	}
}

/**
Stores objects in this process, by reference and without serialization. Every answer is synchronous.

The bounds are never exceeded. Entries that have expired or were not read recently are removed to make room, by the CLOCK algorithm: a read only sets a flag, which is ten times cheaper than moving the entry to the end of a Map. An entry that alone is larger than `maxBytes` is not stored, and an older value of its key is removed.

@throws {SettingError} For a wrong option.
*/
export class MemoryStore implements Store {
	readonly name = 'memory';
	readonly valueType = 'objects';
	readonly scope = 'process';
	readonly maxBytes: number;
	readonly #maxEntries: number;
	readonly #now: () => number;
	readonly #entries = new Map<string, Entry>();
	/** The next candidate for eviction. The entries form a ring, and a new one is inserted behind this one. */
	#hand: Entry | undefined;
	#bytes = 0;
	#serial = 0;
	readonly #evictionListeners = new EvictionListeners();

	constructor(options: MemoryStoreOptions = {}) {
		checkOptions('createStore(\'memory\')', options, {...commonOptions, maxBytes: positiveInteger, maxEntries: positiveInteger});
		const {maxBytes = 128 * 1024 * 1024, maxEntries = 10_000, now = Date.now} = options;
		this.maxBytes = maxBytes;
		this.#maxEntries = maxEntries;
		this.#now = now;
	}

	/** The number of entries, including expired ones. */
	get entryCount(): number {
		return this.#entries.size;
	}

	get(key: string): StoredValue | undefined {
		const entry = this.#entries.get(key);
		if (entry === undefined) {
			return undefined;
		}

		if (entry.expires <= this.#now()) {
			this.#remove(entry);
			return undefined;
		}

		entry.wasRead = true;
		return entry.value;
	}

	set(key: string, value: StoredValue, {expires = Infinity, size, indexed}: SetOptions): SetResult {
		const bytes = sizeOfText(key) + (size ?? sizeOf(value));
		if (bytes > this.maxBytes) {
			this.delete(key);
			return 'too-large';
		}

		const present = this.#entries.get(key);
		if (present !== undefined) {
			this.#unlink(present);
		}

		this.#makeRoom(bytes, present === undefined ? 1 : 0);
		// An overwritten entry keeps its place in the Map, so that a running iteration does not yield it again.
		const entry = present ?? new Entry(key, ++this.#serial);
		entry.value = value;
		entry.expires = expires;
		entry.createdAt = indexed?.createdAt;
		entry.freshUntil = indexed?.freshUntil;
		entry.bytes = bytes;
		entry.wasRead = present !== undefined;
		this.#link(entry);
		this.#entries.set(key, entry);
		return undefined;
	}

	add(key: string, value: StoredValue, options: SetOptions): boolean {
		const present = this.#entries.get(key);
		if (present !== undefined && present.expires > this.#now()) {
			return false;
		}

		this.set(key, value, options);
		return this.#entries.has(key);
	}

	delete(key: string): boolean {
		const entry = this.#entries.get(key);
		if (entry === undefined) {
			return false;
		}

		this.#remove(entry);
		return entry.expires > this.#now();
	}

	deleteMany(keys: readonly string[]): void {
		for (const key of keys) {
			this.delete(key);
		}
	}

	clear(): void {
		this.#entries.clear();
		this.#hand = undefined;
		this.#bytes = 0;
	}

	/** Iterates over the entries that exist when it begins. Those that are removed before their turn are left out. */
	async * iterate(): AsyncGenerator<readonly [key: string, value: StoredValue], void> {
		const last = this.#serial;
		for (const entry of this.#entries.values()) {
			if (entry.serial <= last && entry.expires > this.#now()) {
				yield [entry.key, entry.value!];
			}
		}
	}

	/** Iterates over the keys of the entries that meet the query when it begins. Those that are removed before their turn are left out. */
	async * find(query: StoreQuery): AsyncGenerator<string, void> {
		for (const entry of ordered(this.#found(query), query)) {
			if (this.#entries.get(entry.key) === entry && entry.expires > this.#now()) {
				yield entry.key;
			}
		}
	}

	deleteFound(query: StoreQuery): number {
		const found = this.#found(query);
		for (const entry of found) {
			this.#remove(entry);
		}

		return found.length;
	}

	count(): number {
		return this.#found({}).length;
	}

	size(): number {
		return this.#bytes;
	}

	close(): void {
		this.clear();
	}

	watchEvictions(listener: (key: string) => void): () => void {
		return this.#evictionListeners.add(listener);
	}

	#found({staleAt = Infinity, createdBefore = Infinity}: StoreQuery): Entry[] {
		const now = this.#now();
		return this.#entries.values().filter(({expires, createdAt, freshUntil = Infinity}) => createdAt !== undefined && expires > now
			&& (staleAt === Infinity || freshUntil <= staleAt)
			&& (createdBefore === Infinity || createdAt < createdBefore)).toArray();
	}

	#makeRoom(bytes: number, entries: 0 | 1): void {
		while (this.#hand !== undefined && (this.#bytes + bytes > this.maxBytes || this.#entries.size + entries > this.#maxEntries)) {
			const entry = this.#hand;
			if (entry.wasRead && entry.expires > this.#now()) {
				entry.wasRead = false;
				this.#hand = entry.next;
			} else {
				this.#remove(entry);
				this.#evictionListeners.emit(entry.key);
			}
		}
	}

	#remove(entry: Entry): void {
		this.#entries.delete(entry.key);
		this.#unlink(entry);
	}

	#link(entry: Entry): void {
		this.#hand ??= entry;
		entry.next = this.#hand;
		entry.previous = this.#hand === entry ? entry : this.#hand.previous;
		entry.previous.next = entry;
		entry.next.previous = entry;
		this.#bytes += entry.bytes;
	}

	#unlink(entry: Entry): void {
		entry.previous.next = entry.next;
		entry.next.previous = entry.previous;
		this.#bytes -= entry.bytes;
		if (this.#hand === entry) {
			this.#hand = entry.next === entry ? undefined : entry.next;
		}
	}
}

const orderings = {
	createdAt: ({createdAt}: Entry) => createdAt!,
	freshUntil: ({freshUntil}: Entry) => freshUntil ?? Infinity,
	size: ({bytes}: Entry) => bytes,
	key: ({key}: Entry) => key,
} as const;

function ordered(entries: Entry[], {orderBy, descending = false}: StoreQuery): Entry[] {
	if (orderBy === undefined) {
		return entries;
	}

	const valueOf = orderings[orderBy];
	const sign = descending ? -1 : 1;
	return entries.toSorted((a, b) => {
		const [first, second] = [valueOf(a), valueOf(b)];
		return first === second ? 0 : (first < second ? -sign : sign);
	});
}

function sizeOf(value: StoredValue): number {
	return typeof value === 'string' ? sizeOfText(value) : (value instanceof Uint8Array ? value.byteLength : 0);
}

/** A string takes two bytes per character in memory, or one if it is ASCII. */
function sizeOfText(text: string): number {
	return Buffer.byteLength(text) === text.length ? text.length : 2 * text.length;
}
