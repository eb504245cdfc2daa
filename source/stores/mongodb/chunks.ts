import {Buffer} from 'node:buffer';
import type * as MongoDb from 'mongodb';
import {ignore} from '../server-options.ts';
import {
	idBefore,
	idsOf,
	newId,
	unfinishedAfter,
	type Bodies,
	type BodiesOptions,
	type BodyOwner,
} from './bodies.ts';

/** What is sent and kept whole is bounded by it: a chunk of 16 MB would wait long for its turn. */
const largestChunk = 4 * 1024 * 1024;

type Chunk = {
	readonly body: MongoDb.ObjectId;
	readonly index: number;
	readonly bytes: MongoDb.Binary;
	readonly expires: Date;
};

/**
Values over the limit of a document, in chunks of up to 4 MB in a collection of their own. The server deletes those whose writer was killed.
*/
export class Chunks implements Bodies {
	readonly #options: BodiesOptions;
	readonly #chunkSize: number;

	constructor(options: BodiesOptions, largestDocument: number) {
		this.#options = options;
		this.#chunkSize = Math.min(largestDocument, largestChunk);
	}

	async write(bytes: Uint8Array, owner: BodyOwner): Promise<MongoDb.ObjectId> {
		const {connection} = this.#options;
		const expires = new Date(this.#options.now() + unfinishedAfter);
		const body = await connection.run('set', async link => {
			await this.#prepare(link.driver, this.#options.collection(link, 'chunks'));
			return newId(link.driver, this.#options.now());
		});
		try {
			for (let index = 0; index * this.#chunkSize < bytes.length; index++) {
				const part = bytes.subarray(index * this.#chunkSize, (index + 1) * this.#chunkSize);
				// eslint-disable-next-line no-await-in-loop
				await connection.run('set', async link => this.#options.collection(link, 'chunks').insertOne({
					body, index, ...owner, expires, bytes: new link.driver.Binary(part),
				}), part.length);
			}

			return body;
		} catch (error) {
			await this.remove([body]).catch(ignore);
			throw error;
		}
	}

	async read(id: MongoDb.ObjectId, length: number): Promise<Uint8Array | undefined> {
		const parts = [];
		let total = 0;
		for (let index = 0; total < length; index++) {
			// eslint-disable-next-line no-await-in-loop
			const chunk = await this.#options.connection.run('get', async link => this.#options.collection(link, 'chunks').findOne<Chunk>({body: id, index}), this.#chunkSize);
			if (chunk === null) {
				return undefined;
			}

			parts.push(chunk.bytes.value());
			total += chunk.bytes.length();
		}

		return Buffer.concat(parts, total);
	}

	async remove(ids: readonly MongoDb.ObjectId[]): Promise<void> {
		if (ids.length > 0) {
			await this.#options.connection.run('delete', async link => this.#options.collection(link, 'chunks').deleteMany({body: {$in: [...ids]}}));
		}
	}

	async keep(id: MongoDb.ObjectId, expires: Date | undefined): Promise<void> {
		const change = expires === undefined ? {$unset: {expires: ''}} : {$set: {expires}};
		await this.#options.connection.run('set', async link => this.#options.collection(link, 'chunks').updateMany({body: id}, change));
	}

	begunBefore(time: Date): AsyncIterable<MongoDb.ObjectId> {
		return idsOf(async (after, limit) => this.#options.connection.run('purge', async link => {
			const body = {$lt: idBefore(link.driver, time), ...(after !== undefined && {$gt: after})};
			const found = await this.#options.collection(link, 'chunks').find<Pick<Chunk, 'body'>>({body, index: 0}).project({body: 1}).sort({body: 1}).limit(limit).toArray();
			return found.map(chunk => chunk.body as MongoDb.ObjectId);
		}));
	}

	async #prepare({MongoServerError}: typeof MongoDb, chunks: MongoDb.Collection): Promise<void> {
		try {
			await chunks.createIndex({body: 1, index: 1}, {}, {});
			await chunks.createIndex({expires: 1}, {expireAfterSeconds: 0}, {});
		} catch (error) {
			// Without the indexes it is slow, and needs `purge`, but works.
			if (!(error instanceof MongoServerError)) {
				throw error;
			}
		}
	}
}
