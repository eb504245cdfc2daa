import {Buffer} from 'node:buffer';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import type * as MongoDb from 'mongodb';
import {ignore} from '../server-options.ts';
import type {MongoLink} from './connection.ts';
import {
	idBefore,
	idsOf,
	newId,
	type Bodies,
	type BodiesOptions,
	type BodyOwner,
} from './bodies.ts';

const chunkSizeBytes = 1024 * 1024;

/**
Files of GridFS. It has no expiry: what nobody refers to is found and removed by `purge`.
*/
export class Files implements Bodies {
	readonly #options: BodiesOptions;
	readonly #bucketName: string;
	#bucketOf: {readonly database: MongoDb.Db; readonly bucket: MongoDb.GridFSBucket} | undefined;

	constructor(options: BodiesOptions, bucketName: string) {
		this.#options = options;
		this.#bucketName = bucketName;
	}

	async write(bytes: Uint8Array, owner: BodyOwner): Promise<MongoDb.ObjectId> {
		return this.#options.connection.run('set', async link => {
			const id = newId(link.driver, this.#options.now());
			const upload = this.#bucket(link).openUploadStreamWithId(id, owner.key, {chunkSizeBytes, metadata: {namespace: owner.namespace}});
			try {
				await pipeline(Readable.from(slices(bytes)), upload);
				return id;
			} catch (error) {
				await this.#remove(link, [id]).catch(ignore);
				throw error;
			}
		}, bytes.length);
	}

	async read(id: MongoDb.ObjectId, length: number): Promise<Uint8Array | undefined> {
		return this.#options.connection.run('get', async link => {
			try {
				const parts = await this.#bucket(link).openDownloadStream(id).toArray() as Uint8Array[];
				const bytes = Buffer.concat(parts);
				return bytes.length === length ? bytes : undefined;
			} catch (error) {
				// Somebody has removed it meanwhile.
				if ((error as {code?: unknown}).code === 'ENOENT' || error instanceof link.driver.MongoGridFSChunkError) {
					return undefined;
				}

				throw error;
			}
		}, length);
	}

	async remove(ids: readonly MongoDb.ObjectId[]): Promise<void> {
		if (ids.length > 0) {
			await this.#options.connection.run('delete', async link => this.#remove(link, ids));
		}
	}

	async keep(): Promise<void> {
		// The head's expiry is all there is.
	}

	/** By the chunks, which are written before the file is known; nothing empty is kept here. */
	begunBefore(time: Date): AsyncIterable<MongoDb.ObjectId> {
		return idsOf(async (after, limit) => this.#options.connection.run('purge', async link => {
			const id = {$lt: idBefore(link.driver, time), ...(after !== undefined && {$gt: after})};
			// eslint-disable-next-line @typescript-eslint/naming-convention
			const found = await this.#options.collection(link, 'chunks').find({files_id: id, n: 0}).project({files_id: 1}).sort({files_id: 1}).limit(limit).toArray();
			return found.map(chunk => chunk.files_id as MongoDb.ObjectId);
		}));
	}

	/** Not by the bucket, which stops at a file that is not there, and leaves its chunks. */
	async #remove(link: MongoLink, ids: readonly MongoDb.ObjectId[]): Promise<void> {
		const $in = [...ids];
		await this.#options.collection(link, 'files').deleteMany({_id: {$in}});
		await this.#options.collection(link, 'chunks').deleteMany({files_id: {$in}}); // eslint-disable-line @typescript-eslint/naming-convention
	}

	/** One for all uploads: a bucket looks for its indexes at its first. */
	#bucket({driver, database}: MongoLink): MongoDb.GridFSBucket {
		if (this.#bucketOf?.database !== database) {
			this.#bucketOf = {database, bucket: new driver.GridFSBucket(database, {bucketName: this.#bucketName})};
		}

		return this.#bucketOf.bucket;
	}
}

/** One after another: what the bucket is given whole, it writes at once, and would go on to write after a failure. */
function * slices(bytes: Uint8Array): Generator<Uint8Array, void> {
	for (let start = 0; start < bytes.length; start += chunkSizeBytes) {
		yield bytes.subarray(start, start + chunkSizeBytes);
	}
}
