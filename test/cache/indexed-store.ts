import {MemoryStore} from '../../source/stores/memory.ts';
import type {StoredValue} from '../../source/stores/types.ts';

/** A store with an index. It counts how often its entries are listed nevertheless. */
export class IndexedStore extends MemoryStore {
	#lists = 0;

	get lists(): number {
		return this.#lists;
	}

	override async * iterate(): AsyncGenerator<readonly [key: string, value: StoredValue], void> {
		this.#lists++;
		yield * super.iterate();
	}
}
