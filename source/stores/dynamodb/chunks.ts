import {Buffer} from 'node:buffer';
import {randomUUID} from 'node:crypto';
import {inParallel} from '../many-keys.ts';
import {batches, ignore} from '../server-options.ts';
import {
	deleteItems,
	readItems,
	writeItems,
	chunkKey,
	keyOf,
	ttlAttribute,
	type Item,
	type ItemKey,
} from './items.ts';
import {isCausedBy, type Connection} from './connection.ts';

/** The chunks of one write of a large entry. */
export type Version = {
	/** The key of the entry. */
	readonly key: ItemKey;
	readonly id: string;
	readonly count: number;
};

/** The size of a chunk, which leaves room for its keys below DynamoDB's limit of 400 KB (409,600 bytes). */
const chunkBytes = 390_000;

/** Seconds after which chunks without an entry expire. */
const orphanTime = 24 * 60 * 60;
const updatesAtOnce = 8;

/** DynamoDB accepts 16 MB in one request. A request with 6 MB, in base64, finishes within the time limit of a call. */
const chunksPerWrite = 11;

/** A response holds 16 MB: with more keys in a request, some would be left unprocessed. */
const chunksPerRead = 40;
const readsAtOnce = 2;

/**
The chunks of values that are too large for an item.

They are written under a random version before the item that names the version, which is put in one step. So a reader finds all chunks of one version or none.
*/
export class Chunks {
	readonly #connection: Connection;

	constructor(connection: Connection) {
		this.#connection = connection;
	}

	/**
	Writes a value under a new version. Deletes what has been written if that fails.

	@param ttl - The second at which the entry and its chunks expire. If it is `undefined`, the chunks expire in a day unless `keep` is called.
	*/
	async write(key: ItemKey, bytes: Uint8Array, ttl: number | undefined): Promise<Version> {
		const version: Version = {key, id: randomUUID(), count: Math.ceil(bytes.byteLength / chunkBytes)};
		const expiry = String(ttl ?? (Math.ceil(this.#connection.options.now() / 1000) + orphanTime));
		try {
			await writeItems(this.#connection, keysOf(version).map((place, index) => {
				const data = bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes);
				return {PutRequest: {Item: {...place, data: {B: data}, [ttlAttribute]: {N: expiry}}}};
			}), chunksPerWrite);
		} catch (error) {
			await this.delete(version);
			throw error;
		}

		return version;
	}

	/**
	Returns the value whose version the item names, or `undefined` if chunks are missing, since another writer has replaced the entry.
	*/
	async read(item: Item, isConsistent: boolean): Promise<Uint8Array | undefined> {
		const version = versionIn(item)!;
		const found = await inParallel([...batches(keysOf(version), chunksPerRead)], readsAtOnce, async keys => readItems(this.#connection, keys, {ConsistentRead: isConsistent}));
		const chunks = new Map(found.flat().map(({namespace, data}) => [namespace?.S, data?.B]));
		const pieces = keysOf(version).map(({namespace}) => chunks.get(namespace.S)).filter(piece => piece !== undefined);
		return pieces.length === version.count ? Buffer.concat(pieces) : undefined;
	}

	/**
	Makes the chunks of an entry that never expires permanent, except those that another writer has deleted.
	*/
	async keep(version: Version): Promise<void> {
		await inParallel(keysOf(version), updatesAtOnce, async key => {
			try {
				await this.#connection.send('UpdateItem', {
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

	/** Deletes the chunks of a version that no entry names any more. It never throws, since nothing depends on it. */
	async delete(version: Version | undefined): Promise<void> {
		await deleteItems(this.#connection, version === undefined ? [] : keysOf(version)).catch(ignore);
	}
}

/** Returns the version that the item names, if any. */
export function versionIn(item: Item | undefined): Version | undefined {
	const id = item?.version?.S;
	return id === undefined ? undefined : {key: keyOf(item!), id, count: Number(item!.chunks?.N ?? 0)};
}

function keysOf({key, id, count}: Version): ItemKey[] {
	return Array.from({length: count}, (_, index) => chunkKey(key, id, index));
}
