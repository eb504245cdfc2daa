import {Buffer} from 'node:buffer';
import {createHash} from 'node:crypto';
import type {AttributeValue} from '@aws-sdk/client-dynamodb';
import {packBytes, unpackBytes} from '../packed.ts';
import type {SetOptions} from '../types.ts';
import {marshal, unmarshal} from './marshal.ts';

export type Item = Readonly<Record<string, AttributeValue>>;

/**
How entries are named in the table: partition key `namespace`, sort key `key`.

- To list or to clear a cache is a Query, which reads (and bills) nothing but that cache; with one key for all it would be a Scan of the whole table, other caches included.
- A busy namespace is no hot partition for good: there is no local index, so DynamoDB parts it by sort key when it is hot, and the keys (digests, in this library) are spread evenly.
- Chunks, which are what weighs, lie in partitions of their own, so that neither the 1,000 writes a second of a partition bound a large value, nor a Query meets them.
*/
export type ItemKey = {
	readonly namespace: {S: string};
	readonly key: {S: string};
};

const longestNamespace = 1900;
const longestKey = 1024;
const digestMark = 'sha256:';
const noNamespace = '-';

/**
The partition of a namespace. No two namespaces share one, the empty one included.
*/
export function partitionOf(namespace: string): string {
	return namespace === '' ? noNamespace : held(namespace, longestNamespace, namespace === noNamespace);
}

export function itemKey(partition: string, key: string): ItemKey {
	return {namespace: {S: partition}, key: {S: held(key, longestKey)}};
}

/**
Where a chunk lies: by the version it belongs to, so that no writer ever touches the chunks of another.
*/
export function chunkKey(head: ItemKey, version: string, index: number): ItemKey {
	return {namespace: {S: `${head.namespace.S}#${version}#${index}`}, key: head.key};
}

/** Where the item lies. */
export function keyOf({namespace, key}: Item): ItemKey {
	return {namespace: {S: namespace!.S!}, key: {S: key!.S!}};
}

/** What DynamoDB takes as it is stays readable; all else, and what looks like a digest, becomes one. */
function held(name: string, longest: number, isReserved = false): string {
	const isHeld = name !== '' && !isReserved && !name.startsWith(digestMark) && name.isWellFormed() && Buffer.byteLength(name) <= longest;
	// JSON tells lone surrogates apart, which UTF-8 does not.
	return isHeld ? name : digestMark + createHash('sha256').update(JSON.stringify(name)).digest('hex');
}

/** An entry as it is to be written. */
export type Draft = {
	readonly key: ItemKey;
	readonly item: Item;

	/** The whole value, where it is too large for an item. It is written first. */
	readonly spilled: Uint8Array | undefined;

	/** The second of its TTL. */
	readonly ttl: number | undefined;

	/** What the item weighs on the wire, or more. */
	readonly bytes: number;
};

/** DynamoDB deletes an item some time after this second, which is never before the entry's time. */
export const ttlAttribute = 'ttl';

/** Below DynamoDB's 400 KB (409,600 bytes), with room for keys and times. */
const mostValueBytes = 380_000;

/**
The entry as it is to be written.

@throws {CacheHooksError} `ERR_STORE_VALUE` for what is no plain data.
*/
export function draftOf(partition: string, key: string, value: unknown, {expires, indexed}: SetOptions): Draft {
	const place = itemKey(partition, key);
	const marshalled = marshal(value, mostValueBytes);
	const isHeld = marshalled.bytes <= mostValueBytes;
	const ttl = expires === undefined || expires === Infinity ? undefined : Math.ceil(expires / 1000);
	return {
		key: place,
		item: {
			...place,
			...noted('wholeKey', place.key.S.startsWith(digestMark) ? JSON.stringify(key) : undefined),
			...(isHeld && {value: marshalled.value, ...noted('order', marshalled.order)}),
			...noted('expires', expires),
			...noted(ttlAttribute, ttl),
			...noted('createdAt', indexed?.createdAt),
			...noted('freshUntil', indexed?.freshUntil),
		},
		spilled: isHeld ? undefined : packBytes(value),
		ttl,
		bytes: (isHeld ? marshalled.bytes * 2 : 0) + 20_000,
	};
}

function noted(name: string, value: string | number | undefined): Item {
	return value === undefined || value === Infinity ? {} : {[name]: typeof value === 'string' ? {S: value} : {N: String(value)}};
}

export function keyIn(item: Item): string {
	const whole = item.wholeKey?.S;
	return whole === undefined ? item.key!.S! : JSON.parse(whole) as string;
}

/** `undefined` where the item is none of ours. */
export function valueIn(item: Item, spilled?: Uint8Array): unknown {
	try {
		return spilled === undefined ? unmarshal(item.value!, item.order?.S) : unpackBytes(spilled);
	} catch {
		return undefined;
	}
}

/** DynamoDB deletes late, so that what has expired may still be there. */
export function isLive(item: Item, now: number): boolean {
	return Number(item.expires?.N ?? Infinity) > now;
}
