import {Buffer} from 'node:buffer';
import type * as MongoDb from 'mongodb';
import {ignore} from '../server-options.ts';
import {
	expiryIndex,
	makeIndexes,
	type MongoConnection,
	type MongoLink,
} from './connection.ts';

export type BodyOwner = {
	readonly namespace: string;
	readonly key: string;

	/** When the server may forget it; `undefined` keeps it for good. */
	readonly expires: Date | undefined;
};

export type BodiesOptions = {
	readonly connection: MongoConnection;

	/** The bucket: the collections are this with `.files` and `.chunks` behind it. */
	readonly bucketName: string;

	/** The collection of the heads that refer to the bodies: it tells ours from other files of the bucket. */
	readonly owner: string;
	readonly chunkSize: number;
	readonly now: () => number;
};

/** A writer that has not finished after that time never will. */
export const unfinishedAfter = 3_600_000;

const idsPerPage = 256;

/* eslint-disable @typescript-eslint/naming-convention -- GridFS has its own names */
type Chunk = {
	readonly files_id: MongoDb.ObjectId;
	readonly n: number;
	readonly data: Uint8Array;
};

/**
Bytes that heads refer to, as files of GridFS: under an id of their own, so that they are never written over.

The driver's `GridFSBucket` writes no dates into its chunks, by which the server deletes what has expired. What a writer that was killed has left, and expires never, is found by `begunBefore`.
*/
export class Bodies {
	readonly #options: BodiesOptions;

	constructor(options: BodiesOptions) {
		this.#options = options;
	}

	/** Leaves nothing behind where it fails, unless the server is lost. */
	async write(bytes: Uint8Array, {namespace, key, expires}: BodyOwner): Promise<MongoDb.ObjectId> {
		const {connection, owner, chunkSize, now} = this.#options;
		const uploadDate = new Date(now());
		const ours = {owner, ...(expires !== undefined && {expires})};
		const id = await connection.run('set', async link => {
			await this.#prepare(link);
			const {ObjectId} = link.driver;
			const bytesOfId = ObjectId.generate(Math.floor(now() / 1000));
			return new ObjectId(bytesOfId);
		});
		try {
			for (let n = 0; n * chunkSize < bytes.length; n++) {
				const data = bytes.subarray(n * chunkSize, (n + 1) * chunkSize);
				// eslint-disable-next-line no-await-in-loop
				await connection.run('set', async link => this.#chunks(link).insertOne({
					files_id: id, n, data, ...ours,
				}), data.length);
			}

			await connection.run('set', async link => this.#files(link).insertOne({
				_id: id, length: bytes.length, chunkSize, uploadDate, filename: key, metadata: {namespace}, ...ours,
			}));
			return id;
		} catch (error) {
			await this.remove([id]).catch(ignore);
			throw error;
		}
	}

	/** `undefined` where it is not there, or not whole. */
	async read(id: MongoDb.ObjectId, length: number): Promise<Uint8Array | undefined> {
		const chunks = await this.#options.connection.run('get', async link => this.#chunks(link).find<Chunk>({files_id: id}, {promoteBuffers: true}).sort({n: 1}).toArray(), length);
		const bytes = Buffer.concat(chunks.map(({data}) => data));
		return bytes.length === length ? bytes : undefined;
	}

	async remove(ids: readonly MongoDb.ObjectId[]): Promise<void> {
		if (ids.length === 0) {
			return;
		}

		const $in = [...ids];
		await this.#options.connection.run('delete', async link => {
			await this.#files(link).deleteMany({_id: {$in}});
			await this.#chunks(link).deleteMany({files_id: {$in}});
		});
	}

	/** The ids of our bodies, whole or not, of whatever namespace, that were begun before that time, by pages: no cursor is held between two. By the chunks, which are written before the file. */
	async * begunBefore(time: Date): AsyncGenerator<readonly MongoDb.ObjectId[], void> {
		const {connection, owner} = this.#options;
		const seconds = Math.max(0, Math.floor(time.getTime() / 1000));
		let after: MongoDb.ObjectId | undefined;
		do {
			const begun = after;
			// eslint-disable-next-line no-await-in-loop
			const ids = await connection.run('purge', async link => {
				const files_id = {$lt: link.driver.ObjectId.createFromTime(seconds), ...(begun !== undefined && {$gt: begun})};
				const found = await this.#chunks(link).find<Chunk>({files_id, n: 0, owner}).project<Chunk>({files_id: 1}).sort({files_id: 1}).limit(idsPerPage).toArray();
				return found.map(chunk => chunk.files_id);
			});
			yield ids;
			after = ids.length < idsPerPage ? undefined : ids.at(-1);
		} while (after !== undefined);
	}

	/** Those of GridFS, and those by which ours expire. */
	async #prepare(link: MongoLink): Promise<void> {
		const expiry = expiryIndex({owner: this.#options.owner});
		await makeIndexes(link, this.#chunks(link), [[{files_id: 1, n: 1}, {unique: true}], expiry]);
		await makeIndexes(link, this.#files(link), [[{filename: 1, uploadDate: 1}, {}], expiry]);
	}

	#files({database}: MongoLink): MongoDb.Collection {
		return database.collection(`${this.#options.bucketName}.files`);
	}

	#chunks({database}: MongoLink): MongoDb.Collection {
		return database.collection(`${this.#options.bucketName}.chunks`);
	}
}
/* eslint-enable @typescript-eslint/naming-convention */
