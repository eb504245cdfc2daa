import type * as MongoDb from 'mongodb';
import {onceSuccessful} from '../server-options.ts';
import {
	expiryIndex,
	makeIndexes,
	pagesById,
	type Index,
	type MongoConnection,
} from './connection.ts';

/**
The document of one key. It is replaced as a whole, so that a reader finds the old document or the new one.
*/
export type EntryDocument = {
	/** The prefix of the namespace, and the key. */
	readonly _id: string;
	readonly namespace: string;
	readonly key: string;
	readonly expires?: Date;
	readonly createdAt?: Date;
	/** The last possible date if the entry is always fresh, so that it sorts last. */
	readonly freshUntil?: Date;
	readonly size?: number;
	readonly value?: unknown;

	/** The id of the file that holds a large value. */
	readonly file?: MongoDb.ObjectId;
	/** The size of the file in bytes. */
	readonly length?: number;
};

/** The document that was replaced or deleted. */
export type OldDocument = Pick<EntryDocument, 'expires' | 'file'>;

type EntryFilter = MongoDb.Filter<EntryDocument>;
type Entries = MongoDb.Collection<EntryDocument>;

const duplicateKey = 11_000;
const notImplemented = 238;
const mostAttempts = 5;

const indexes: readonly Index[] = [
	expiryIndex({namespace: {$type: 'string'}, key: {$type: 'string'}}),
	[{namespace: 1, createdAt: 1}, {}],
	[{namespace: 1, freshUntil: 1}, {}],
	[{file: 1}, {sparse: true}],
];

/**
The documents of all keys of all namespaces, in one collection.
*/
export class EntryCollection {
	readonly #connection: MongoConnection;
	readonly #name: string;
	readonly #makeIndexes: () => Promise<void>;

	/** Whether the server returns a projection of a document that it replaces or deletes. FerretDB 1 cannot. */
	#canProject = true;

	constructor(connection: MongoConnection, name: string) {
		this.#connection = connection;
		this.#name = name;
		this.#makeIndexes = onceSuccessful(async () => connection.run('set', async connected => makeIndexes(connected, connected.database.collection(name), indexes)));
	}

	async get(id: string): Promise<EntryDocument | undefined> {
		const found = await this.run('get', async entries => entries.findOne({_id: id}));
		return found ?? undefined;
	}

	/** Sets a document, and returns the one that it replaced. */
	async replace(entry: EntryDocument, bytes: number): Promise<OldDocument | undefined> {
		await this.#makeIndexes();
		const {_id, ...document} = entry;
		for (let attempt = 1; ; attempt++) {
			try {
				// eslint-disable-next-line no-await-in-loop
				return await this.#withOld('set', async (entries, options) => entries.findOneAndReplace({_id}, document, {...options, upsert: true}), bytes);
			} catch (error) {
				// Two writers of a new key may both find no document.
				if (attempt === mostAttempts || !hasCode(error, duplicateKey)) {
					throw error;
				}
			}
		}
	}

	/** Sets a document unless there is an unexpired one. Returns the expired document that it replaced, or `false` if it set nothing. */
	async add(entry: EntryDocument, now: Date, bytes: number): Promise<OldDocument | undefined | false> {
		await this.#makeIndexes();
		const {_id, ...document} = entry;
		try {
			// An unexpired document does not match, so that the insertion meets its id.
			return await this.#withOld('add', async (entries, options) => entries.findOneAndReplace({_id, expires: {$lte: now}}, document, {...options, upsert: true}), bytes);
		} catch (error) {
			if (hasCode(error, duplicateKey)) {
				return false;
			}

			throw error;
		}
	}

	/** Deletes a document, and returns it. */
	async delete(id: string): Promise<OldDocument | undefined> {
		return this.#withOld('delete', async (entries, options) => entries.findOneAndDelete({_id: id}, options));
	}

	/** Yields the documents that match, in the order of their ids, a page at a time, with their key and file only. */
	pages(filter: EntryFilter): AsyncGenerator<readonly EntryDocument[], void> {
		return pagesById(async (after: string | undefined, limit) => {
			const rest: EntryFilter = after === undefined ? filter : {$and: [filter, {_id: {$gt: after}}]};
			return this.run('iterate', async entries => entries.find(rest).project<EntryDocument>({key: 1, file: 1}).sort({_id: 1}).limit(limit).toArray());
		}, ({_id}) => _id);
	}

	async run<T>(operation: string, action: (entries: Entries) => Promise<T>, bytes?: number): Promise<T> {
		return this.#connection.run(operation, async ({database}) => action(database.collection<EntryDocument>(this.#name)), bytes);
	}

	/** Runs an action that returns the old document, without its value if the server can leave that out. */
	async #withOld(operation: string, action: (entries: Entries, options: {readonly projection?: MongoDb.Document}) => Promise<OldDocument | null>, bytes?: number): Promise<OldDocument | undefined> {
		if (this.#canProject) {
			try {
				return await this.run(operation, async entries => action(entries, {projection: {expires: 1, file: 1}}), bytes) ?? undefined;
			} catch (error) {
				if (!hasCode(error, notImplemented)) {
					throw error;
				}

				this.#canProject = false;
			}
		}

		return await this.run(operation, async entries => action(entries, {}), bytes) ?? undefined;
	}
}

export function hasCode(error: unknown, code: number): boolean {
	return (error as {code?: unknown}).code === code;
}
