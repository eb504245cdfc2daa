import type {QueryInput, QueryOutput} from '@aws-sdk/client-dynamodb';
import type {SetOptions} from '../types.ts';
import {
	deletion,
	inParallel,
	readMany,
	writeMany,
} from './batches.ts';
import {dropChunks, readChunks, versionIn} from './chunks.ts';
import type {Connection} from './connection.ts';
import {
	draftOf,
	isLive,
	itemKey,
	keyIn,
	keyOf,
	partitionOf,
	valueIn,
	type Item,
	type ItemKey,
} from './items.ts';
import {addDraft, putDraft, putDrafts} from './writes.ts';

type NewEntry = {
	readonly key: string;
	readonly value: unknown;

	/** Milliseconds since the epoch; `undefined` keeps it for good. */
	readonly expires: number | undefined;
};
/** What must be known of an entry to delete it, or to say that it is there. Named, for some are words of DynamoDB's own. */
const head = {
	ProjectionExpression: '#namespace, #key, #expires, #version, #chunks',
	ExpressionAttributeNames: {
		'#namespace': 'namespace', '#key': 'key', '#expires': 'expires', '#version': 'version', '#chunks': 'chunks',
	},
} as const;

/** An item of somebody else, who made the table, may lie in the partition. */
const isOurs = '(attribute_exists(#value) OR attribute_exists(#version))';
const ourNames = {'#value': 'value', '#version': 'version'} as const;

/** How many requests for one key each are on their way at once. */
const atOnce = 16;

/**
The entries of one namespace: what `DynamoDbStore`, which is one, and `KeyvDynamoDb`, which has one, have in common.
*/
export class Entries<Value = unknown> {
	readonly #connection: Connection;
	readonly #partition: string;

	constructor(connection: Connection, namespace: string) {
		this.#connection = connection;
		this.#partition = partitionOf(namespace);
	}

	async get(key: string): Promise<Value | undefined> {
		const {consistentRead} = this.#connection.options;
		const item = await this.#read(key, consistentRead);
		return item === undefined ? undefined : this.#value(item);
	}

	/** The values in the order of the keys; a key may be there several times. */
	async getMany(keys: readonly string[]): Promise<Array<Value | undefined>> {
		const items = await this.#find(keys, {ConsistentRead: this.#connection.options.consistentRead});
		const live = [...items].filter(([, item]) => this.#isLive(item));
		const values = new Map(await inParallel(live, atOnce, async ([key, item]) => [key, await this.#value(item)] as const));
		return keys.map(key => values.get(key));
	}

	/** Whether there are any, in the order of the keys. */
	async hasMany(keys: readonly string[]): Promise<boolean[]> {
		const items = await this.#find(keys, {...head, ConsistentRead: this.#connection.options.consistentRead});
		return keys.map(key => this.#isLive(items.get(key)));
	}

	async set(key: string, value: unknown, options: SetOptions): Promise<void> {
		if (this.#hasPassed(options.expires)) {
			await this.delete(key);
			return;
		}

		await putDraft(this.#connection, draftOf(this.#partition, key, value, options));
	}

	/** Of several entries of one key, the last is set. */
	async setMany(entries: readonly NewEntry[]): Promise<void> {
		const last = new Map(entries.map(entry => [entry.key, entry])).values().toArray();
		await this.deleteEach(last.filter(({expires}) => this.#hasPassed(expires)).map(({key}) => key));
		const drafts = last.filter(({expires}) => !this.#hasPassed(expires))
			.map(({key, value, expires}) => draftOf(this.#partition, key, value, {expires}));
		const present = await readMany(this.#connection, drafts.map(({key}) => key), {...head, ConsistentRead: true});
		const chunked = new Set(present.filter(item => versionIn(item) !== undefined).map(item => item.key!.S!));
		await putDrafts(this.#connection, drafts, draft => chunked.has(draft.key.key.S));
	}

	/** Sets the value where the key has no live one, and says whether it did. */
	async add(key: string, value: unknown, options: SetOptions): Promise<boolean> {
		return addDraft(this.#connection, draftOf(this.#partition, key, value, options));
	}

	/** Whether there was one. */
	async delete(key: string): Promise<boolean> {
		return this.#delete(itemKey(this.#partition, key));
	}

	/** Whether there was one, in the order of the keys. */
	async deleteEach(keys: readonly string[]): Promise<boolean[]> {
		const items = await this.#find(keys, {...head, ConsistentRead: true});
		const wereLive = keys.map(key => this.#isLive(items.get(key)));
		await this.#deleteItems(items.values().toArray());
		return wereLive;
	}

	async clear(): Promise<void> {
		const pages = this.#query({
			...head,
			ConsistentRead: true,
			FilterExpression: isOurs,
			ExpressionAttributeNames: {...head.ExpressionAttributeNames, ...ourNames},
		});
		for await (const {Items: items = []} of pages) {
			await this.#deleteItems(items);
		}
	}

	/** By pages of up to 1 MB: what is deleted while its page is met may still be met. */
	async * iterate(): AsyncGenerator<readonly [key: string, value: Value], void> {
		const pages = this.#query({ConsistentRead: this.#connection.options.consistentRead});
		for await (const {Items: items = []} of pages) {
			for (const item of items) {
				const value = this.#isLive(item) ? await this.#value(item) : undefined; // eslint-disable-line no-await-in-loop
				if (value !== undefined) {
					yield [keyIn(item), value];
				}
			}
		}
	}

	/** How many live ones there are that were set with `indexed`. */
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

	/** Only a client of our own is closed. */
	close(): void {
		this.#connection.close();
	}

	async #read(key: string, consistent: boolean): Promise<Item | undefined> {
		const {Item: item} = await this.#connection.send('GetItem', {Key: itemKey(this.#partition, key), ConsistentRead: consistent});
		return this.#isLive(item) ? item : undefined;
	}

	/** Tried twice: whoever replaces an entry deletes its chunks. */
	async #value(item: Item, isAgain = false): Promise<Value | undefined> {
		if (versionIn(item) === undefined) {
			return valueIn(item) as Value | undefined;
		}

		const chunks = await readChunks(this.#connection, item, isAgain || this.#connection.options.consistentRead);
		if (chunks !== undefined) {
			return valueIn(item, chunks) as Value | undefined;
		}

		const again = isAgain ? undefined : await this.#read(keyIn(item), true);
		return again && this.#value(again, true);
	}

	/** The items that are there, by key; each is asked for once. */
	async #find(keys: readonly string[], how: Parameters<typeof readMany>[2]): Promise<Map<string, Item>> {
		const wanted = new Map(keys.map(key => {
			const place = itemKey(this.#partition, key);
			return [place.key.S, {key, place}];
		}));
		const items = await readMany(this.#connection, wanted.values().map(({place}) => place).toArray(), how);
		return new Map(items.map(item => [wanted.get(item.key!.S!)!.key, item]));
	}

	async #delete(place: ItemKey): Promise<boolean> {
		const {Attributes: old} = await this.#connection.send('DeleteItem', {Key: place, ReturnValues: 'ALL_OLD'});
		const version = versionIn(old);
		if (version !== undefined) {
			await dropChunks(this.#connection, version);
		}

		return this.#isLive(old);
	}

	/** Entries in chunks one by one: only the item that was deleted tells which chunks are of no more use. */
	async #deleteItems(items: readonly Item[]): Promise<void> {
		const places = (isChunked: boolean): ItemKey[] => items.filter(item => (versionIn(item) !== undefined) === isChunked)
			.map(item => keyOf(item));
		await writeMany(this.#connection, places(false).map(place => deletion(place)));
		await inParallel(places(true), atOnce, async place => this.#delete(place));
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

	#isLive(item: Item | undefined): boolean {
		return item !== undefined && isLive(item, this.#connection.options.now());
	}

	#hasPassed(expires: number | undefined): boolean {
		return expires !== undefined && expires <= this.#connection.options.now();
	}
}
