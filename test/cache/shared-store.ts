import type {SetOptions, Store, StoredValue} from '../../source/stores/types.ts';

/** A store that several processes share, in the memory of this one. It counts its calls. */
export class SharedStore implements Store {
	readonly name: string = 'shared';
	readonly valueType = 'text';
	readonly scope: Store['scope'] = 'network';
	readonly values: Map<string, StoredValue>;
	readonly expirations: Map<string, number | undefined> = new Map<string, number | undefined>();
	readonly reads: string[] = [];
	readonly writes: string[] = [];

	/** Called before each call, which throws what this throws. */
	before: (operation: 'get' | 'set' | 'add' | 'delete', key: string) => void | Promise<void> = () => undefined;

	/** Makes a new store by default, or another view of one. */
	constructor(values: Map<string, StoredValue> = new Map<string, StoredValue>()) {
		this.values = values;
	}

	/** Returns the calls since the last time. */
	takeCalls(): {readonly reads: readonly string[]; readonly writes: readonly string[]} {
		return {reads: this.reads.splice(0), writes: this.writes.splice(0)};
	}

	async get(key: string): Promise<StoredValue | undefined> {
		this.reads.push(key);
		await this.before('get', key);
		return this.values.get(key);
	}

	async set(key: string, value: StoredValue, {expires}: SetOptions): Promise<void> {
		this.writes.push(key);
		await this.before('set', key);
		this.values.set(key, value);
		this.expirations.set(key, expires);
	}

	async add(key: string, value: StoredValue, options: SetOptions): Promise<boolean> {
		this.writes.push(key);
		await this.before('add', key);
		if (this.values.has(key)) {
			return false;
		}

		this.values.set(key, value);
		this.expirations.set(key, options.expires);
		return true;
	}

	async delete(key: string): Promise<boolean> {
		this.writes.push(key);
		await this.before('delete', key);
		return this.values.delete(key);
	}

	async deleteMany(keys: readonly string[]): Promise<void> {
		for (const key of keys) {
			await this.delete(key);
		}
	}

	async clear(): Promise<void> {
		this.values.clear();
	}

	async * iterate(): AsyncGenerator<readonly [key: string, value: StoredValue], void> {
		yield * new Map(this.values);
	}

	close(): void {}
}
