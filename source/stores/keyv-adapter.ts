import {Buffer} from 'node:buffer';
import {EventEmitter} from 'node:events';
import {CacheHooksError} from '../errors.ts';
import type {Store, StoredValue} from './types.ts';

export type KeyvEntry = {readonly key: string; readonly value: unknown; readonly ttl?: number; readonly expires?: number};

/** From 2001 on, a time in milliseconds since the epoch is larger than that; as a time to live it is 31 years. */
const leastTime = 1e12;

/** No text begins with this byte, nor with this character, as UTF-8 or in JSON. */
const bytesMark = 0xFF;
const textMark = '\u{1}';

/**
Any `Store` as a storage adapter for `new Keyv({store})`, of Keyv 5 and 6: it takes strings, which is what Keyv makes of values unless told otherwise, and bytes.

- Keyv 6 hands over when a value expires, Keyv 5 how long it lives: a number from 1,000,000,000,000 on is taken for a time. A time to live of more than 31 years cannot be told from one.
- The namespace that Keyv sets is kept apart from others, and `clear` removes it alone. Without one, what was set without one is meant. As with all adapters, two Keyv instances need two of these objects, over one store if you like.
- What was put into the store otherwise, by a cache, is neither seen nor removed.
- Throws what the store throws. `disconnect` closes the store.

@example
```ts
const keyv = new Keyv({store: asKeyvAdapter(new SqliteStore({path: 'keyv.sqlite'}))});
```
*/
export function asKeyvAdapter(store: Store, options: KeyvAdapterOptions = {}): KeyvAdapter {
	return new KeyvAdapter(store, options);
}

export type KeyvAdapterOptions = {
	/**
	The current time in milliseconds since the epoch. Default: `Date.now`.
	*/
	readonly now?: () => number;
};

export class KeyvAdapter extends EventEmitter {
	namespace: string | undefined;
	readonly capabilities = {expires: true} as const;

	/** Keyv 5 iterates over dialects that it knows, and no others. */
	readonly opts: Record<string, unknown> = {dialect: 'sqlite', url: ''};
	readonly #store: Store;
	readonly #now: () => number;

	constructor(store: Store, {now = Date.now}: KeyvAdapterOptions) {
		super();
		this.#store = store;
		this.#now = now;
	}

	async get<Value = unknown>(key: string): Promise<Value | undefined> {
		const value = await this.#store.get(this.#prefix() + key);
		return value === undefined ? undefined : fromStored(value) as Value;
	}

	async getMany<Value = unknown>(keys: readonly string[]): Promise<Array<Value | undefined>> {
		return Promise.all(keys.map(async key => this.get<Value>(key)));
	}

	/** @param expiry - When it expires, or how long it lives. */
	async set(key: string, value: unknown, expiry?: number): Promise<boolean> {
		await this.#store.set(this.#prefix() + key, toStored(value, this.#store.holds), {expires: this.#expires(expiry)});
		return true;
	}

	async setMany(entries: readonly KeyvEntry[]): Promise<boolean[]> {
		return Promise.all(entries.map(async ({key, value, ttl, expires}) => this.set(key, value, expires ?? ttl)));
	}

	async delete(key: string): Promise<boolean> {
		return this.#store.delete(this.#prefix() + key);
	}

	/** Whether there were any, for Keyv 5, as an answer a key, for Keyv 6: an array is true for the former, so it gets `false` for none. */
	async deleteMany(keys: readonly string[]): Promise<boolean[] | false> {
		const answers = await Promise.all(keys.map(async key => this.delete(key)));
		return answers.includes(true) ? answers : false;
	}

	async has(key: string): Promise<boolean> {
		return (await this.get(key)) !== undefined;
	}

	async hasMany(keys: readonly string[]): Promise<boolean[]> {
		return Promise.all(keys.map(async key => this.has(key)));
	}

	async clear(): Promise<void> {
		const prefix = this.#prefix();
		const keys = [];
		for await (const [key] of this.#store.iterate()) {
			if (key.startsWith(prefix)) {
				keys.push(key);
			}
		}

		await this.#store.deleteMany(keys);
	}

	/** Keyv 5 names the namespace, which is the one it has set. */
	async * iterator(_namespace?: string): AsyncGenerator<[key: string, value: any], void> {
		const prefix = this.#prefix();
		for await (const [key, value] of this.#store.iterate()) {
			if (key.startsWith(prefix)) {
				yield [key.slice(prefix.length), fromStored(value)];
			}
		}
	}

	async disconnect(): Promise<void> {
		await this.#store.close();
	}

	/** The first colon ends it, so that no namespace is a part of another one and a key. */
	#prefix(): string {
		return `keyv-${(this.namespace ?? '').replaceAll('%', '%25').replaceAll(':', '%3A')}:`;
	}

	#expires(expiry: number | undefined): number | undefined {
		if (typeof expiry !== 'number' || !Number.isFinite(expiry)) {
			return undefined;
		}

		return expiry >= leastTime ? expiry : this.#now() + expiry;
	}
}

function toStored(value: unknown, holds: Store['holds']): StoredValue {
	if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
		throw new CacheHooksError('ERR_STORE_VALUE', 'A store as a Keyv adapter takes strings and bytes: leave Keyv its serialization');
	}

	if (holds === 'bytes') {
		return typeof value === 'string' ? Buffer.from(value) : Buffer.concat([Buffer.of(bytesMark), value]);
	}

	if (holds === 'text') {
		return typeof value === 'string'
			? (value.startsWith(textMark) ? textMark + value : value)
			: `${textMark}base64:${Buffer.from(value).toString('base64')}`;
	}

	return {value};
}

function fromStored(stored: StoredValue): unknown {
	if (stored instanceof Uint8Array) {
		return stored[0] === bytesMark ? stored.subarray(1) : Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength).toString();
	}

	if (typeof stored !== 'string') {
		return (stored as {value?: unknown}).value;
	}

	if (!stored.startsWith(textMark)) {
		return stored;
	}

	return stored.startsWith(textMark, 1) ? stored.slice(1) : Buffer.from(stored.slice('\u{1}base64:'.length), 'base64');
}
