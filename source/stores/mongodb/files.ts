import {Buffer} from 'node:buffer';
import type * as MongoDb from 'mongodb';
import {ignore} from '../server-options.ts';
import {
	expiryIndex,
	makeIndexes,
	pagesById,
	type MongoConnection,
	type ConnectedMongo,
} from './connection.ts';
import type {EntryDocument} from './entries.ts';

type FilesOptions = {
	readonly connection: MongoConnection;

	/** The name of the bucket, whose collections are `<bucketName>.files` and `<bucketName>.chunks`. */
	readonly bucketName: string;

	/** The collection of the entries that own the files. It distinguishes them from other files in the bucket. */
	readonly owner: string;

	/** The size of a chunk in bytes. */
	readonly chunkSize: number;
	readonly now: () => number;
};

/* eslint-disable @typescript-eslint/naming-convention -- The names of GridFS. */
type Chunk = {
	readonly files_id: MongoDb.ObjectId;
	readonly n: number;
	readonly data: Uint8Array;
};

/**
The large values of entries, as files of GridFS. Each file has an id of its own and is never overwritten.

The driver's `GridFSBucket` cannot give chunks the date by which the server deletes what has expired.
*/
export class GridFsFiles {
	readonly #options: FilesOptions;

	constructor(options: FilesOptions) {
		this.#options = options;
	}

	/** Writes a file for an entry, and returns its id. A write that fails removes what it has written, unless the server is away. */
	async write(bytes: Uint8Array, {namespace, key, expires}: EntryDocument): Promise<MongoDb.ObjectId> {
		const {connection, owner, chunkSize, now} = this.#options;
		const uploadDate = new Date(now());
		const ours = {owner, ...(expires !== undefined && {expires})};
		const id = await connection.run('set', async connected => {
			await this.#makeIndexes(connected);
			const {ObjectId} = connected.driver;
			const seconds = Math.floor(now() / 1000);
			return new ObjectId(ObjectId.generate(seconds));
		});
		try {
			for (let n = 0; n * chunkSize < bytes.length; n++) {
				const data = bytes.subarray(n * chunkSize, (n + 1) * chunkSize);
				// eslint-disable-next-line no-await-in-loop
				await connection.run('set', async connected => this.#chunks(connected).insertOne({
					files_id: id, n, data, ...ours,
				}), data.length);
			}

			await connection.run('set', async connected => this.#files(connected).insertOne({
				_id: id, length: bytes.length, chunkSize, uploadDate, filename: key, metadata: {namespace}, ...ours,
			}));
			return id;
		} catch (error) {
			await this.remove([id]).catch(ignore);
			throw error;
		}
	}

	/** Returns the content of a file, or `undefined` if a part of it is missing. */
	async read(id: MongoDb.ObjectId, length: number): Promise<Uint8Array | undefined> {
		const chunks = await this.#options.connection.run('get', async connected => this.#chunks(connected).find<Chunk>({files_id: id}, {promoteBuffers: true}).sort({n: 1}).toArray(), length);
		const bytes = Buffer.concat(chunks.map(({data}) => data));
		return bytes.length === length ? bytes : undefined;
	}

	async remove(ids: readonly MongoDb.ObjectId[]): Promise<void> {
		if (ids.length === 0) {
			return;
		}

		const $in = [...ids];
		await this.#options.connection.run('delete', async connected => {
			await this.#files(connected).deleteMany({_id: {$in}});
			await this.#chunks(connected).deleteMany({files_id: {$in}});
		});
	}

	/** Yields pages of the ids of files, complete or not and of every namespace, whose writing began before that time. */
	begunBefore(time: number): AsyncGenerator<readonly MongoDb.ObjectId[], void> {
		const {connection, owner} = this.#options;
		const seconds = Math.max(0, Math.floor(time / 1000));
		// The chunks are searched, since they are written before the file.
		return pagesById(async (after: MongoDb.ObjectId | undefined, limit) => connection.run('purge', async connected => {
			const files_id = {$lt: connected.driver.ObjectId.createFromTime(seconds), ...(after !== undefined && {$gt: after})};
			const chunks = await this.#chunks(connected).find<Chunk>({files_id, n: 0, owner}).project<Chunk>({files_id: 1}).sort({files_id: 1}).limit(limit).toArray();
			return chunks.map(chunk => chunk.files_id);
		}), id => id);
	}

	/** Makes the indexes of GridFS, and those by which our files expire. */
	async #makeIndexes(connected: ConnectedMongo): Promise<void> {
		const expiry = expiryIndex({owner: this.#options.owner});
		await makeIndexes(connected, this.#chunks(connected), [[{files_id: 1, n: 1}, {unique: true}], expiry]);
		await makeIndexes(connected, this.#files(connected), [[{filename: 1, uploadDate: 1}, {}], expiry]);
	}

	#files({database}: ConnectedMongo): MongoDb.Collection {
		return database.collection(`${this.#options.bucketName}.files`);
	}

	#chunks({database}: ConnectedMongo): MongoDb.Collection {
		return database.collection(`${this.#options.bucketName}.chunks`);
	}
}
/* eslint-enable @typescript-eslint/naming-convention */
