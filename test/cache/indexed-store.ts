import {MemoryStore} from '../../source/stores/memory.ts';
import type {
	IndexedTimes,
	SetOptions,
	StoredValue,
	StoreQuery,
} from '../../source/stores/types.ts';

/**
A memory store with an index that is no more than it says; it counts what it is asked, and how often it is listed.
*/
export class IndexedStore extends MemoryStore {
	readonly #times = new Map<string, IndexedTimes & {readonly size: number}>();
	#lists = 0;

	get lists(): number {
		return this.#lists;
	}

	override set(key: string, value: StoredValue, options: SetOptions): void {
		super.set(key, value, options);
		if (options.indexed === undefined) {
			this.#times.delete(key);
		} else {
			this.#times.set(key, {...options.indexed, size: options.size ?? 0});
		}
	}

	override async * iterate(): AsyncGenerator<readonly [key: string, value: StoredValue], void> {
		this.#lists++;
		yield * super.iterate();
	}

	async * find(query: StoreQuery): AsyncGenerator<string, void> {
		yield * this.#found(query);
	}

	async deleteFound(query: StoreQuery): Promise<number> {
		const keys = this.#found(query);
		this.deleteMany(keys);
		return keys.length;
	}

	count(): number {
		return this.#found({}).length;
	}

	size(): number {
		return this.bytes;
	}

	#found({staleAt, createdBefore, orderBy = 'createdAt', descending = false}: StoreQuery): string[] {
		const found = [...this.#times].filter(([key, {createdAt, freshUntil = Infinity}]) => this.get(key) !== undefined
			&& (staleAt === undefined || freshUntil <= staleAt)
			&& (createdBefore === undefined || createdAt < createdBefore));
		const value = (key: string): number | string => orderBy === 'key' ? key : this.#times.get(key)![orderBy] ?? Infinity;
		const keys = found.map(([key]) => key).toSorted((one, other) => value(one) < value(other) ? -1 : 1);
		return descending ? keys.toReversed() : keys;
	}
}
