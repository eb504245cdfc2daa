import {Buffer} from 'node:buffer';
import {createHash} from 'node:crypto';

/**
How entries are named in the table: partition key `namespace`, sort key `key`.

- To list or to clear a cache is a Query, which reads (and bills) nothing but that cache; with one key for all it would be a Scan of the whole table, other caches included.
- A busy namespace is no hot partition for good: there is no local index, so DynamoDB parts it by sort key when it is hot, and the keys (digests, in this library) are spread evenly.
- Chunks, which are what weighs, lie in partitions of their own, so that neither the 1,000 writes a second of a partition bound a large value, nor a Query meets them.
*/
export type ItemKey = {
	readonly namespace: {readonly S: string};
	readonly key: {readonly S: string};
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
Whether the sort key does not tell the key, so that the item must.
*/
export function isDigest(sortKey: string): boolean {
	return sortKey.startsWith(digestMark);
}

/**
Where a chunk lies: by the version it belongs to, so that no writer ever touches the chunks of another.
*/
export function chunkKey(head: ItemKey, version: string, index: number): ItemKey {
	return {namespace: {S: `${head.namespace.S}#${version}#${index}`}, key: head.key};
}

/** What DynamoDB takes as it is stays readable; all else, and what looks like a digest, becomes one. */
function held(name: string, longest: number, isReserved = false): string {
	const isHeld = name !== '' && !isReserved && !name.startsWith(digestMark) && name.isWellFormed() && Buffer.byteLength(name) <= longest;
	// JSON tells lone surrogates apart, which UTF-8 does not.
	return isHeld ? name : digestMark + createHash('sha256').update(JSON.stringify(name)).digest('hex');
}
