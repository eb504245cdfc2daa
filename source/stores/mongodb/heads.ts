import type * as MongoDb from 'mongodb';
import {expiryIndex, makeIndexes, type MongoConnection} from './connection.ts';

/**
The document of one key. It is replaced as a whole, so that whoever reads it finds the old or the new.
*/
export type Head = {
	/** The namespace's prefix and the key. */
	readonly _id: string;
	readonly namespace: string;
	readonly key: string;
	readonly expires?: Date;
	readonly createdAt?: Date;
	/** What never ceases to be fresh has the last date there is: it comes last in order. */
	readonly freshUntil?: Date;
	readonly size?: number;
	readonly value?: unknown;

	/** Where the bytes are, and how many, that stand for the value. */
	readonly body?: MongoDb.ObjectId;
	readonly length?: number;
};

type HeadFilter = MongoDb.Filter<Head>;
type HeadCollection = MongoDb.Collection<Head>;

const duplicateKey = 11_000;
const notImplemented = 238;
const attempts = 5;

const indexes = [
	expiryIndex({namespace: {$type: 'string'}, key: {$type: 'string'}}),
	[{namespace: 1, createdAt: 1}, {}],
	[{namespace: 1, freshUntil: 1}, {}],
	[{body: 1}, {sparse: true}],
] as const;

/**
The heads of all namespaces, in one collection.
*/
export class Heads {
	readonly #connection: MongoConnection;
	readonly #collectionName: string;
	#indexes: Promise<void> | undefined;

	/** Whether the server gives a part of a document that it replaces or deletes; FerretDB 1 gives the whole or none. */
	#isLean = true;

	constructor(connection: MongoConnection, collectionName: string) {
		this.#connection = connection;
		this.#collectionName = collectionName;
	}

	async get(filter: HeadFilter): Promise<Head | undefined> {
		const found = await this.run('get', async heads => heads.findOne(filter));
		return found ?? undefined;
	}

	/** Puts it in the place of what has its `_id`, and gives back the `body` and `length` of that. */
	async replace(head: Head, bytes: number): Promise<Head | undefined> {
		await this.#makeIndexes();
		for (let attempt = 1; ; attempt++) {
			try {
				return await this.#exchange('set', head, {_id: head._id}, {upsert: true}, bytes); // eslint-disable-line no-await-in-loop
			} catch (error) {
				// Two that write a new key at once may both find it missing.
				if (attempt === attempts || (error as {code?: unknown}).code !== duplicateKey) {
					throw error;
				}
			}
		}
	}

	/** Puts it where there is none, or none that is live, and says what became of it: what it replaced, or `false` where it replaced nothing and is not there. */
	async add(head: Head, now: Date, bytes: number): Promise<Head | undefined | false> {
		await this.#makeIndexes();
		for (let attempt = 0; attempt < attempts; attempt++) {
			try {
				await this.run('add', async heads => heads.insertOne(head), bytes); // eslint-disable-line no-await-in-loop
				return undefined;
			} catch (error) {
				if ((error as {code?: unknown}).code !== duplicateKey) {
					throw error;
				}
			}

			// eslint-disable-next-line no-await-in-loop
			const expired = await this.#exchange('add', head, {_id: head._id, expires: {$lte: now}}, {}, bytes);
			if (expired !== undefined) {
				return expired;
			}

			// eslint-disable-next-line no-await-in-loop
			if (await this.get({_id: head._id}) !== undefined) {
				return false;
			}
		}

		return false;
	}

	async delete(filter: HeadFilter): Promise<Head | undefined> {
		const found = await this.#lean(projection => this.run('delete', async heads => heads.findOneAndDelete(filter, projection)));
		return found ?? undefined;
	}

	/** The heads that are found, in order of `_id` and without their values, a page at a time: no cursor is held between two. */
	async * pages(filter: HeadFilter): AsyncGenerator<readonly Head[], void> {
		const limit = 256;
		let after: string | undefined;
		for (;;) {
			const rest: HeadFilter = after === undefined ? filter : {$and: [filter, {_id: {$gt: after}}]};
			// eslint-disable-next-line no-await-in-loop
			const page = await this.run('iterate', async heads => heads.find(rest).project<Head>({key: 1, body: 1}).sort({_id: 1}).limit(limit).toArray());
			yield page;
			if (page.length < limit) {
				return;
			}

			after = page.at(-1)!._id;
		}
	}

	async run<T>(operation: string, action: (heads: HeadCollection) => Promise<T>, bytes?: number): Promise<T> {
		return this.#connection.run(operation, async ({database}) => action(database.collection<Head>(this.#collectionName)), bytes);
	}

	async #exchange(operation: string, {_id, ...head}: Head, filter: HeadFilter, options: {readonly upsert?: boolean}, bytes: number): Promise<Head | undefined> {
		const found = await this.#lean(projection => this.run(operation, async heads => heads.findOneAndReplace(filter, head, {...options, ...projection, returnDocument: 'before'}), bytes));
		return found ?? undefined;
	}

	async #lean<T>(action: (options: {readonly projection?: MongoDb.Document}) => Promise<T>): Promise<T> {
		if (this.#isLean) {
			try {
				return await action({projection: {expires: 1, body: 1, length: 1}});
			} catch (error) {
				if ((error as {code?: unknown}).code !== notImplemented) {
					throw error;
				}

				this.#isLean = false;
			}
		}

		return action({});
	}

	/** Once. */
	async #makeIndexes(): Promise<void> {
		this.#indexes ??= this.#connection.run('set', async link => makeIndexes(link, link.database.collection(this.#collectionName), indexes));
		try {
			await this.#indexes;
		} catch (error) {
			this.#indexes = undefined;
			throw error;
		}
	}
}
