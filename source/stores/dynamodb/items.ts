import {setTimeout as pause} from 'node:timers/promises';
import {Buffer} from 'node:buffer';
import {createHash} from 'node:crypto';
import type {KeysAndAttributes, WriteRequest, AttributeValue} from '@aws-sdk/client-dynamodb';
import {CacheHooksError} from '../../errors.ts';
import {inParallel} from '../many-keys.ts';
import {batches} from '../server-options.ts';
import {
	pack,
	packBytes,
	unpack,
	unpackBytes,
} from '../packed.ts';
import type {SetOptions, StoredValue} from '../types.ts';
import type {Connection} from './connection.ts';

const writesPerBatch = 25;
const readsPerBatch = 100;

const batchesAtOnce = 4;
const firstPause = 50;
const longestPause = 2000;

/**
Puts and deletes any number of items of different keys, in no particular order.

@throws {CacheHooksError} `ERR_STORE_THROTTLED` if some items are left unprocessed for longer than `retryFor`.
*/
export async function writeItems(connection: Connection, writes: readonly WriteRequest[], perBatch: number = writesPerBatch): Promise<void> {
	const {tableName} = connection.options;
	await inParallel([...batches(writes, perBatch)], batchesAtOnce, async batch => untilProcessed(connection, batch, async requests => {
		const {UnprocessedItems: unprocessed} = await connection.send('BatchWriteItem', {RequestItems: {[tableName]: requests}});
		return {left: unprocessed?.[tableName] ?? [], isThrottled: true};
	}));
}

export async function deleteItems(connection: Connection, keys: readonly ItemKey[]): Promise<void> {
	await writeItems(connection, keys.map(key => ({DeleteRequest: {Key: key}})));
}

/**
Returns the items of different keys that exist, in no particular order.

@throws {CacheHooksError} `ERR_STORE_THROTTLED` if some keys are left unprocessed for longer than `retryFor`.
*/
export async function readItems(connection: Connection, keys: readonly ItemKey[], options: Omit<KeysAndAttributes, 'Keys'>): Promise<Item[]> {
	const {tableName} = connection.options;
	const found: Item[] = [];
	await inParallel([...batches(keys, readsPerBatch)], batchesAtOnce, async batch => untilProcessed(connection, batch, async keysLeft => {
		const {Responses: responses, UnprocessedKeys: unprocessed} = await connection.send('BatchGetItem', {RequestItems: {[tableName]: {...options, Keys: [...keysLeft]}}});
		const items = responses?.[tableName] ?? [];
		found.push(...items);
		// A response holds 16 MB. Keys that did not fit are asked for again without a pause.
		return {left: (unprocessed?.[tableName]?.Keys ?? []) as ItemKey[], isThrottled: items.length === 0};
	}));
	return found;
}

type Step<T> = (pending: T[]) => Promise<{readonly left: T[]; readonly isThrottled: boolean}>;

async function untilProcessed<T>(connection: Connection, all: readonly T[], step: Step<T>): Promise<void> {
	const {retryFor, tableName} = connection.options;
	const end = performance.now() + retryFor;
	let pauseLimit = firstPause;
	for (let pending = [...all]; pending.length > 0;) {
		const {left, isThrottled} = await step(pending); // eslint-disable-line no-await-in-loop
		pauseLimit = left.length < pending.length ? firstPause : Math.min(pauseLimit * 2, longestPause);
		pending = left;
		if (!isThrottled || pending.length === 0) {
			continue;
		}

		// Pauses are random, so that processes that were throttled together do not try again together.
		const wait = Math.random() * pauseLimit;
		if (performance.now() + wait > end) {
			throw new CacheHooksError('ERR_STORE_THROTTLED', `The DynamoDB table \`${tableName}\` left ${left.length} of ${all.length} items unprocessed for ${retryFor} ms.`);
		}

		await pause(wait); // eslint-disable-line no-await-in-loop
	}
}

export type Item = Readonly<Record<string, AttributeValue>>;

/**
The partition key `namespace` and the sort key `key` of an item.

- A Query lists a cache, and reads (and bills) nothing but that cache. With one key for both it would be a Scan of the whole table.
- A busy namespace does not limit throughput for good: without a local index, DynamoDB splits it by sort key, and the keys of this library are digests, which spread evenly.
- Chunks have partitions of their own, so that a large value is not limited to the 1,000 writes a second of one partition, and a Query does not read chunks.
*/
export type ItemKey = {
	readonly namespace: {S: string};
	readonly key: {S: string};
};

const longestNamespace = 1900;
const longestKey = 1024;
const digestPrefix = 'sha256:';
const emptyNamespace = '-';

/** Returns the partition key of a namespace. Each namespace has its own, also the empty one. */
export function partitionOf(namespace: string): string {
	return namespace === '' ? emptyNamespace : keyAttribute(namespace, longestNamespace, namespace === emptyNamespace);
}

export function itemKey(partition: string, key: string): ItemKey {
	return {namespace: {S: partition}, key: {S: keyAttribute(key, longestKey)}};
}

/** Returns the key of a chunk. It contains the version, so that no writer touches the chunks of another. */
export function chunkKey(key: ItemKey, version: string, index: number): ItemKey {
	return {namespace: {S: `${key.namespace.S}#${version}#${index}`}, key: key.key};
}

export function keyOf({namespace, key}: Item): ItemKey {
	return {namespace: {S: namespace!.S!}, key: {S: key!.S!}};
}

/** Returns the name itself if DynamoDB accepts it, so that it stays readable, and otherwise its digest. */
function keyAttribute(name: string, longest: number, isReserved = false): string {
	const isAccepted = name !== '' && !isReserved && !name.startsWith(digestPrefix) && name.isWellFormed() && Buffer.byteLength(name) <= longest;
	// JSON distinguishes lone surrogates, UTF-8 does not.
	return isAccepted ? name : digestPrefix + createHash('sha256').update(JSON.stringify(name)).digest('hex');
}

/** An entry to be written. */
export type Draft = {
	readonly key: ItemKey;
	readonly item: Item;

	/** The value if it is too large for an item. It is written first, in chunks. */
	readonly chunked: Uint8Array | undefined;

	/** The second of its TTL. */
	readonly ttl: number | undefined;
};

/** DynamoDB deletes an item some time after this second, which is never before the entry expires. */
export const ttlAttribute = 'ttl';

/** The maximum size of a value in an item, which leaves room for keys and times below DynamoDB's limit of 400 KB (409,600 bytes). */
const mostValueBytes = 380_000;

/**
Converts an entry to what is written.

@throws {CacheHooksError} `ERR_STORE_VALUE` if the value is not plain data.
*/
export function draftOf(partition: string, key: string, value: unknown, {expires, indexed}: SetOptions): Draft {
	const place = itemKey(partition, key);
	const packed = pack(value);
	const isSmall = Buffer.byteLength(packed) <= mostValueBytes;
	const ttl = expires === undefined || expires === Infinity ? undefined : Math.ceil(expires / 1000);
	return {
		key: place,
		item: {
			...place,
			...attribute('wholeKey', place.key.S.startsWith(digestPrefix) ? JSON.stringify(key) : undefined),
			...(isSmall && {value: typeof packed === 'string' ? {S: packed} : {B: packed}}),
			...attribute('expires', expires),
			...attribute(ttlAttribute, ttl),
			...attribute('createdAt', indexed?.createdAt),
			...attribute('freshUntil', indexed?.freshUntil),
		},
		chunked: isSmall ? undefined : packBytes(value),
		ttl,
	};
}

function attribute(name: string, value: string | number | undefined): Item {
	return value === undefined || value === Infinity ? {} : {[name]: typeof value === 'string' ? {S: value} : {N: String(value)}};
}

/** Returns the key of the entry. */
export function keyIn(item: Item): string {
	const whole = item.wholeKey?.S;
	return whole === undefined ? item.key!.S! : JSON.parse(whole) as string;
}

/** Returns the value of the entry, or `undefined` if the item is not ours. */
export function valueIn(item: Item, chunked?: Uint8Array): StoredValue | undefined {
	try {
		return (chunked === undefined ? unpack(item.value!.S ?? item.value!.B!) : unpackBytes(chunked)) as StoredValue;
	} catch {
		return undefined;
	}
}
