import type {PutItemInput, QueryInput, QueryOutput} from '@aws-sdk/client-dynamodb';
import {inParallel} from '../many-keys.ts';
import type {SetOptions, Store, StoredValue} from '../types.ts';
import {
	deleteItems,
	readItems,
	draftOf,
	itemKey,
	keyIn,
	keyOf,
	partitionOf,
	valueIn,
	type Draft,
	type Item,
	type ItemKey,
} from './items.ts';
import {Chunks, versionIn} from './chunks.ts';
import {Connection, isCausedBy} from './connection.ts';
import {checkDynamoDbOptions, type DynamoDbStoreOptions} from './options.ts';

type Condition = Pick<PutItemInput, 'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'>;

/** The attributes that say whether an entry exists, and which chunks it has. They have aliases, since some are reserved words of DynamoDB. */
const withoutValue = {
	ProjectionExpression: '#namespace, #key, #expires, #version, #chunks',
	ExpressionAttributeNames: {
		'#namespace': 'namespace', '#key': 'key', '#expires': 'expires', '#version': 'version', '#chunks': 'chunks',
	},
} as const;

/** The table may be the user's, with other items in the partition. */
const isOurs = '(attribute_exists(#value) OR attribute_exists(#version))';
const ourNames = {'#value': 'value', '#version': 'version'} as const;

const hasNoChunks: Condition = {
	ConditionExpression: 'attribute_not_exists(#version)',
	ExpressionAttributeNames: {'#version': 'version'},
};

const callsAtOnce = 16;

/**
Stores documents in a DynamoDB table, as items that are readable in a console. Several processes and several caches with different names may share a table.

- A document is JSON text, or bytes of `node:v8` if JSON would lose something. One over 380 KB is in chunks beside its item. A reader gets one whole version or a miss.
- DynamoDB deletes expired entries late, but they are not served.
- `iterate`, `clear` and `count` read all items of the cache, and nothing else in the table.

The SDK, `@aws-sdk/client-dynamodb`, must be installed when the store is made, and is loaded by the first call. Every error is a `CacheHooksError` with the SDK's error as `cause`: `ERR_STORE_THROTTLED`, `ERR_STORE_CREDENTIALS`, `ERR_STORE_UNREACHABLE`, `ERR_STORE_TABLE` (no table), `ERR_STORE_SCHEMA`, or `ERR_STORE_FAULT`. After `close` every call throws `ERR_STORE_CLOSED`.

@throws {SettingError} If an option is wrong.
@throws {CacheHooksError} `ERR_STORE_DRIVER` if the SDK is not installed.

@example
```ts
import got from 'got';
import {cacheHooks} from 'got-cache-hooks';
import {DynamoDbStore} from 'got-cache-hooks/dynamodb';

const store = new DynamoDbStore({client: {region: 'eu-central-1'}, tableName: 'responses'});
const client = got.extend(cacheHooks({store, expireAfter: '1h', autoclose: true}));
```
*/
export class DynamoDbStore implements Store {
	readonly name = 'dynamodb';

	/** The store takes plain data, as documents. */
	readonly valueType = 'documents';
	readonly #connection: Connection;
	readonly #chunks: Chunks;
	readonly #partition: string;

	constructor(options: DynamoDbStoreOptions = {}) {
		checkDynamoDbOptions(options);
		this.#connection = new Connection(options);
		this.#chunks = new Chunks(this.#connection);
		this.#partition = partitionOf(options.cacheName ?? 'http_cache');
	}

	async get(key: string): Promise<StoredValue | undefined> {
		const item = await this.#read(key, this.#connection.options.consistentRead);
		return item === undefined ? undefined : this.#value(item);
	}

	async set(key: string, value: StoredValue, options: SetOptions): Promise<void> {
		const {expires} = options;
		if (expires !== undefined && expires <= this.#connection.options.now()) {
			await this.delete(key);
			return;
		}

		const draft = draftOf(this.#partition, key, value, options);
		// The condition saves that each write returns the item that it replaces, which rarely has chunks.
		const isSet = draft.chunked === undefined && await succeeds(async () => this.#put(draft.item, hasNoChunks));
		if (!isSet) {
			await this.#putWithChunks(draft);
		}
	}

	/** Sets the value if the key has no unexpired entry, and returns whether it did. */
	async add(key: string, value: StoredValue, options: SetOptions): Promise<boolean> {
		return succeeds(async () => this.#putWithChunks(draftOf(this.#partition, key, value, options), {
			ConditionExpression: 'attribute_not_exists(#key) OR #expires <= :now',
			ExpressionAttributeNames: {'#key': 'key', '#expires': 'expires'},
			ExpressionAttributeValues: {':now': {N: String(this.#connection.options.now())}},
		}));
	}

	/** Returns whether there was an entry. */
	async delete(key: string): Promise<boolean> {
		return this.#delete(itemKey(this.#partition, key));
	}

	/** Deletes several values. */
	async deleteMany(keys: readonly string[]): Promise<void> {
		const places = new Map(keys.map(key => itemKey(this.#partition, key)).map(place => [place.key.S, place]));
		await this.#deleteItems(await readItems(this.#connection, places.values().toArray(), {...withoutValue, ConsistentRead: true}));
	}

	async clear(): Promise<void> {
		const pages = this.#query({
			...withoutValue,
			ConsistentRead: true,
			FilterExpression: isOurs,
			ExpressionAttributeNames: {...withoutValue.ExpressionAttributeNames, ...ourNames},
		});
		for await (const {Items: items = []} of pages) {
			await this.#deleteItems(items);
		}
	}

	/** Yields the entries by pages of up to 1 MB, among them some that are deleted while their page is read. */
	async * iterate(): AsyncGenerator<readonly [key: string, value: StoredValue], void> {
		const pages = this.#query({ConsistentRead: this.#connection.options.consistentRead});
		for await (const {Items: items = []} of pages) {
			for (const item of items) {
				const value = this.#isUnexpired(item) ? await this.#value(item) : undefined; // eslint-disable-line no-await-in-loop
				if (value !== undefined) {
					yield [keyIn(item), value];
				}
			}
		}
	}

	/** Returns the number of unexpired entries that were set with `indexed`. */
	async count(): Promise<number> {
		let count = 0;
		const pages = this.#query({
			Select: 'COUNT',
			ConsistentRead: this.#connection.options.consistentRead,
			FilterExpression: `attribute_exists(#createdAt) AND (attribute_not_exists(#expires) OR #expires > :now) AND ${isOurs}`,
			ExpressionAttributeNames: {'#createdAt': 'createdAt', '#expires': 'expires', ...ourNames},
			ExpressionAttributeValues: {':now': {N: String(this.#connection.options.now())}},
		});
		for await (const {Count: onPage = 0} of pages) {
			count += onPage;
		}

		return count;
	}

	close(): void {
		this.#connection.close();
	}

	/** Writes the chunks of an entry, then its item, then deletes the chunks of the item that it replaced. */
	async #putWithChunks(draft: Draft, condition: Condition = {}): Promise<void> {
		const version = draft.chunked && await this.#chunks.write(draft.key, draft.chunked, draft.ttl);
		try {
			const item = version === undefined ? draft.item : {...draft.item, version: {S: version.id}, chunks: {N: String(version.count)}};
			const replaced = await this.#put(item, {...condition, ReturnValues: 'ALL_OLD'});
			await this.#chunks.delete(versionIn(replaced));
		} catch (error) {
			await this.#chunks.delete(version);
			throw error;
		}

		if (version === undefined || draft.ttl !== undefined) {
			return;
		}

		await this.#chunks.keep(version);
		// A batch that has deleted the entry in the meantime did not see the chunks.
		const {Item: item} = await this.#connection.send('GetItem', {...withoutValue, Key: draft.key, ConsistentRead: true});
		if (versionIn(item)?.id !== version.id) {
			await this.#chunks.delete(version);
		}
	}

	async #put(item: Item, options: Omit<PutItemInput, 'TableName' | 'Item'>): Promise<Item | undefined> {
		const {Attributes: old} = await this.#connection.send('PutItem', {Item: item, ...options});
		return old;
	}

	async #read(key: string, isConsistent: boolean): Promise<Item | undefined> {
		const {Item: item} = await this.#connection.send('GetItem', {Key: itemKey(this.#partition, key), ConsistentRead: isConsistent});
		return this.#isUnexpired(item) ? item : undefined;
	}

	/** Tries again if chunks are missing, since a writer that replaces an entry deletes its chunks. */
	async #value(item: Item, isSecondAttempt = false): Promise<StoredValue | undefined> {
		if (versionIn(item) === undefined) {
			return valueIn(item);
		}

		const chunked = await this.#chunks.read(item, isSecondAttempt || this.#connection.options.consistentRead);
		if (chunked !== undefined) {
			return valueIn(item, chunked);
		}

		const current = isSecondAttempt ? undefined : await this.#read(keyIn(item), true);
		return current && this.#value(current, true);
	}

	async #delete(place: ItemKey): Promise<boolean> {
		const {Attributes: old} = await this.#connection.send('DeleteItem', {Key: place, ReturnValues: 'ALL_OLD'});
		await this.#chunks.delete(versionIn(old));
		return this.#isUnexpired(old);
	}

	/** Deletes items in batches, but those with chunks one by one, since a batch does not return what it deleted. */
	async #deleteItems(items: readonly Item[]): Promise<void> {
		const keys = (hasChunks: boolean): ItemKey[] => items.filter(item => (versionIn(item) !== undefined) === hasChunks)
			.map(item => keyOf(item));
		await deleteItems(this.#connection, keys(false));
		await inParallel(keys(true), callsAtOnce, async key => this.#delete(key));
	}

	async * #query(input: Omit<QueryInput, 'TableName'>): AsyncGenerator<QueryOutput, void> {
		for (let from: QueryInput['ExclusiveStartKey'] | 'start' = 'start'; from !== undefined;) {
			const page: QueryOutput = await this.#connection.send('Query', { // eslint-disable-line no-await-in-loop
				...input,
				...(from !== 'start' && {ExclusiveStartKey: from}),
				KeyConditionExpression: '#namespace = :namespace',
				ExpressionAttributeNames: {'#namespace': 'namespace', ...input.ExpressionAttributeNames},
				ExpressionAttributeValues: {':namespace': {S: this.#partition}, ...input.ExpressionAttributeValues},
			});
			yield page;
			from = page.LastEvaluatedKey;
		}
	}

	/** DynamoDB deletes expired items late. */
	#isUnexpired(item: Item | undefined): boolean {
		return item !== undefined && Number(item.expires?.N ?? Infinity) > this.#connection.options.now();
	}
}

/** Returns whether the condition of a write held. */
async function succeeds(write: () => Promise<unknown>): Promise<boolean> {
	try {
		await write();
		return true;
	} catch (error) {
		if (isCausedBy(error, 'ConditionalCheckFailedException')) {
			return false;
		}

		throw error;
	}
}
