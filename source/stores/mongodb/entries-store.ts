import type {StoredValue, StoreQuery} from '../types.ts';
import type {MongoConnection} from './connection.ts';
import type {Content, Entries} from './entries.ts';

type EntriesStoreOptions<Value> = {
	readonly connection: MongoConnection;
	readonly entries: Entries;

	/** The value that was given to be stored. */
	readonly valueOf: (content: Content) => Value;
};

/**
What the stores on MongoDB have in common: all but what they hold.
*/
export class EntriesStore<Value extends StoredValue> {
	protected readonly connection: MongoConnection;
	protected readonly entries: Entries;
	readonly #valueOf: (content: Content) => Value;

	constructor({connection, entries, valueOf}: EntriesStoreOptions<Value>) {
		this.connection = connection;
		this.entries = entries;
		this.#valueOf = valueOf;
	}

	async get(key: string): Promise<Value | undefined> {
		const content = await this.entries.get(key);
		return content && this.#valueOf(content);
	}

	async delete(key: string): Promise<boolean> {
		return this.entries.delete(key);
	}

	async deleteMany(keys: readonly string[]): Promise<void> {
		await this.entries.deleteMany(keys);
	}

	async clear(): Promise<void> {
		await this.entries.clear();
	}

	/**
	By pages of keys, in their order: no cursor is held between two.
	*/
	async * iterate(): AsyncGenerator<readonly [key: string, value: Value], void> {
		for await (const [key, content] of this.entries.iterate()) {
			yield [key, this.#valueOf(content)];
		}
	}

	find(query: StoreQuery): AsyncGenerator<string, void> {
		return this.entries.find(query);
	}

	async deleteFound(query: StoreQuery): Promise<number> {
		return this.entries.deleteFound(query);
	}

	async count(): Promise<number> {
		return this.entries.count();
	}

	/**
	Removes what has expired, and what lies apart from its entry (chunks, files) and belongs to none an hour after it was begun: of entries that the server has deleted, and of writers that were killed. Now and then this happens in passing.

	@returns How many there were.
	*/
	async purge(): Promise<number> {
		return this.entries.purge();
	}

	async close(): Promise<void> {
		await this.connection.close();
	}
}
