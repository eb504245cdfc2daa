import {Buffer} from 'node:buffer';
import {randomUUID} from 'node:crypto';
import {batches} from '../server-options.ts';
import {
	deletion,
	inParallel,
	readMany,
	writeMany,
} from './batches.ts';
import {isCausedBy, type Connection} from './connection.ts';
import {
	chunkKey,
	keyOf,
	ttlAttribute,
	type Item,
	type ItemKey,
} from './items.ts';

/**
What does not fit into an item lies in chunks under a random version. They are written before the item that names them, and that item is put in one step: a reader has all chunks of one version, or none.
*/
export type Version = {
	readonly head: ItemKey;
	readonly id: string;
	readonly count: number;
};

/** With its keys and the rest below DynamoDB's 400 KB (409,600 bytes). */
const chunkBytes = 390_000;

/** Seconds after which chunks that no entry came to name may go. */
const orphanTime = 24 * 60 * 60;
const updatesAtOnce = 8;

/** In base64, on the wire. */
const wireBytes = (bytes: number): number => (Math.ceil(bytes / 3) * 4) + 4000;

/** An answer holds 16 MB: with more keys in a request some would come back unread. */
const chunksPerRead = 40;
const readsAtOnce = 2;

/**
Writes them under a new version. What has been written of it when one fails is deleted.

@param ttl - The second at which the entry expires, and at the latest the chunks too; `undefined` lets them expire in a day, unless `keepChunks` is called.
*/
export async function writeChunks(connection: Connection, head: ItemKey, bytes: Uint8Array, ttl: number | undefined): Promise<Version> {
	const version: Version = {head, id: randomUUID(), count: Math.ceil(bytes.byteLength / chunkBytes)};
	const until = String(ttl ?? (Math.ceil(connection.options.now() / 1000) + orphanTime));
	try {
		await writeMany(connection, keysOf(version).map((key, index) => {
			const data = bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes);
			return {
				request: {PutRequest: {Item: {...key, data: {B: data}, [ttlAttribute]: {N: until}}}},
				bytes: wireBytes(data.byteLength),
			};
		}));
	} catch (error) {
		await dropChunks(connection, version);
		throw error;
	}

	return version;
}

/**
The bytes of the version that the item names, in one piece; `undefined` when some are not there: another writer has replaced them meanwhile.
*/
export async function readChunks(connection: Connection, head: Item, consistent: boolean): Promise<Uint8Array | undefined> {
	const version = versionIn(head)!;
	const found = await inParallel([...batches(keysOf(version), chunksPerRead)], readsAtOnce, async keys => readMany(connection, keys, {ConsistentRead: consistent}));
	const chunks = new Map(found.flat().map(item => [item.namespace?.S, item.data?.B]));
	const pieces = keysOf(version).map(({namespace}) => chunks.get(namespace.S)).filter(piece => piece !== undefined);
	return pieces.length === version.count ? Buffer.concat(pieces) : undefined;
}

/**
Lets the chunks of an entry that never expires be there for good. Those that are gone were replaced meanwhile.
*/
export async function keepChunks(connection: Connection, version: Version): Promise<void> {
	await inParallel(keysOf(version), updatesAtOnce, async key => {
		try {
			await connection.send('UpdateItem', {
				Key: key,
				UpdateExpression: 'REMOVE #ttl',
				ConditionExpression: 'attribute_exists(#ttl)',
				ExpressionAttributeNames: {'#ttl': ttlAttribute},
			});
		} catch (error) {
			if (!isCausedBy(error, 'ConditionalCheckFailedException')) {
				throw error;
			}
		}
	});
}

/** Chunks whose deletion failed, by connection: nothing else knows of them any more. */
const mostUndeleted = 100;
const undeleted = new WeakMap<Connection, Version[]>();

/**
Deletes chunks that no entry names any more. What fails does not matter to the caller: it is tried again with the next ones.
*/
export async function dropChunks(connection: Connection, ...versions: readonly Version[]): Promise<void> {
	const all = [...versions, ...undeleted.get(connection) ?? []];
	undeleted.delete(connection);
	if (all.length === 0) {
		return;
	}

	try {
		await writeMany(connection, all.flatMap(version => keysOf(version)).map(key => deletion(key)));
	} catch {
		undeleted.set(connection, [...undeleted.get(connection) ?? [], ...all].slice(-mostUndeleted));
	}
}

/** The chunks that the item names, if any. */
export function versionIn(item: Item | undefined): Version | undefined {
	const id = item?.version?.S;
	return id === undefined ? undefined : {head: keyOf(item!), id, count: Number(item!.chunks?.N ?? 0)};
}

function keysOf({head, id, count}: Version): ItemKey[] {
	return Array.from({length: count}, (_, index) => chunkKey(head, id, index));
}
