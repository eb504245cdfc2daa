import type * as MongoDb from 'mongodb';
import {readMany} from '../many-keys.ts';
import {
	batches,
	ignore,
	keyPrefix,
	resolveServerOptions,
} from '../server-options.ts';
import type {SetOptions, StoredValue, StoreQuery} from '../types.ts';
import {mongoConnection, type MongoConnection} from './connection.ts';
import {
	EntryCollection,
	hasCode,
	type EntryDocument,
	type OldDocument,
} from './entries.ts';
import {GridFsFiles} from './files.ts';
import type {MongoServerOptions} from './options.ts';

/** A value as it is stored, either in its document or as the bytes of a file. */
export type Content =
	| {readonly value: unknown; readonly size: number; readonly packed?: () => unknown}
	| {readonly bytes: Uint8Array};

type MongoStoreOptions<Value> = {
	/** The name of the store, for messages. */
	readonly name: string;
	readonly server: MongoServerOptions;
	readonly collectionName: string;
	readonly bucketName: string;

	/** The size of the chunks of a file in bytes. */
	readonly chunkSize: number;

	/** Converts a value to what is stored. `packed` makes a form that a server with fewer types than MongoDB can hold. */
	readonly toContent: (value: StoredValue, connection: MongoConnection) => Promise<Content>;
	readonly fromDocument: (value: unknown) => Value;
	readonly fromBytes: (bytes: Uint8Array) => Value;
};

/** The last time that a `Date` can hold. */
const lastTime = 8.64e15;
const keysPerQuery = 500;
const setsBetweenPurges = 256;

/** A writer that has not finished after that many milliseconds was killed. */
const longestWrite = 3_600_000;

/** The error code with which servers with fewer types than MongoDB refuse a document. */
const badValue = 2;

/** Sets a document. Returns the old one, or `false` if it set nothing. */
type SetDocument = (entry: EntryDocument, bytes: number) => Promise<OldDocument | undefined | false>;

/**
What the two stores on MongoDB share: a document for each key, and a file of GridFS for each value that is too large for a document.

A new file is written first, then its document replaces the old one in one step, then the old file is removed. So a reader finds the old value or the new one, never a mix.
*/
export class MongoStore<Value extends StoredValue> {
	readonly #options: MongoStoreOptions<Value>;
	readonly #connection: MongoConnection;
	readonly #entries: EntryCollection;
	readonly #files: GridFsFiles;
	readonly #namespace: string;
	readonly #prefix: string;
	readonly #now: () => number;
	#sets = 0;
	#lastPurge: number;

	constructor(options: MongoStoreOptions<Value>) {
		const {name, server, collectionName, bucketName, chunkSize} = options;
		const limits = resolveServerOptions(server);
		const {cacheName, now} = limits;
		this.#options = options;
		this.#connection = mongoConnection(name, server, limits);
		this.#entries = new EntryCollection(this.#connection, collectionName);
		this.#files = new GridFsFiles({
			connection: this.#connection, bucketName, owner: collectionName, chunkSize, now,
		});
		this.#namespace = cacheName;
		this.#prefix = keyPrefix(cacheName);
		this.#now = now;
		this.#lastPurge = now();
	}

	async get(key: string): Promise<Value | undefined> {
		let previous: EntryDocument | undefined;
		for (;;) {
			const entry = await this.#entries.get(this.#prefix + key); // eslint-disable-line no-await-in-loop
			if (entry === undefined || this.#hasExpired(entry.expires)) {
				return undefined;
			}

			if (entry.file === undefined) {
				return this.#options.fromDocument(entry.value);
			}

			const bytes = await this.#files.read(entry.file, entry.length!); // eslint-disable-line no-await-in-loop
			if (bytes !== undefined) {
				return this.#options.fromBytes(bytes);
			}

			// The file was replaced during the read, unless the document names the same one again.
			if (previous?.file?.equals(entry.file)) {
				return undefined;
			}

			previous = entry;
		}
	}

	async set(key: string, value: StoredValue, options: SetOptions): Promise<void> {
		const content = await this.#options.toContent(value, this.#connection);
		if (this.#hasExpired(dateOf(options.expires, Math.ceil))) {
			await this.delete(key);
			return;
		}

		await this.#write(key, content, options, async (entry, bytes) => this.#entries.replace(entry, bytes));
		this.#sets++;
		// The difference is absolute, so that a clock that was set back does not delay the purge.
		if (this.#sets % setsBetweenPurges === 0 && Math.abs(this.#now() - this.#lastPurge) >= longestWrite) {
			void this.purge().catch(ignore);
		}
	}

	async add(key: string, value: StoredValue, options: SetOptions): Promise<boolean> {
		const content = await this.#options.toContent(value, this.#connection);
		if (this.#hasExpired(dateOf(options.expires, Math.ceil))) {
			const current = await this.get(key);
			return current === undefined;
		}

		return this.#write(key, content, options, async (entry, bytes) => this.#entries.add(entry, new Date(this.#now()), bytes));
	}

	async delete(key: string): Promise<boolean> {
		const old = await this.#entries.delete(this.#prefix + key);
		if (old?.file !== undefined) {
			await this.#files.remove([old.file]);
		}

		return old !== undefined && !this.#hasExpired(old.expires);
	}

	async deleteMany(keys: readonly string[]): Promise<void> {
		for (const batch of batches(keys, keysPerQuery)) {
			await this.#deleteWhere({_id: {$in: batch.map(key => this.#prefix + key)}}); // eslint-disable-line no-await-in-loop
		}
	}

	async clear(): Promise<void> {
		await this.#deleteWhere(this.#inNamespace());
	}

	/** Yields the entries in the order of their keys. */
	async * iterate(): AsyncGenerator<readonly [key: string, value: Value], void> {
		for await (const page of this.#entries.pages({...this.#inNamespace(), ...this.#unexpired()})) {
			yield * readMany(page.map(({key}) => key), async key => this.get(key));
		}
	}

	async * find(query: StoreQuery): AsyncGenerator<string, void> {
		const {orderBy, descending} = query;
		const direction = descending ? -1 : 1;
		const cursor = await this.#entries.run('find', async entries => {
			const found = entries.find(this.#matching(query)).project<Pick<EntryDocument, '_id'>>({_id: 1});
			return orderBy === undefined ? found : found.sort(orderBy === 'key' ? {_id: direction} : {[orderBy]: direction, _id: 1});
		});
		try {
			// eslint-disable-next-line no-await-in-loop
			while (await this.#entries.run('find', async () => cursor.hasNext())) {
				const ids = cursor.readBufferedDocuments().map(({_id}) => _id);
				// A server that sorts without an index also lists what was deleted in the meantime.
				// eslint-disable-next-line no-await-in-loop
				const documents = await this.#entries.run('find', async entries => entries.find({_id: {$in: ids}}).project<Pick<EntryDocument, '_id'>>({_id: 1}).toArray());
				const present = new Set(documents.map(({_id}) => _id));
				yield * ids.filter(id => present.has(id)).map(id => id.slice(this.#prefix.length));
			}
		} finally {
			void cursor.close().catch(ignore);
		}
	}

	async deleteFound(query: StoreQuery): Promise<number> {
		return this.#deleteWhere(this.#matching(query));
	}

	async count(): Promise<number> {
		return this.#entries.run('count', async entries => entries.countDocuments(this.#matching({})));
	}

	/**
	Removes expired entries, and the files of every namespace that have no entry an hour after their writing began: those of entries that the server has deleted, and of writers that were killed. The store itself does so at most once an hour, after 256 writes.

	@returns The number of entries and files.
	*/
	async purge(): Promise<number> {
		const now = this.#now();
		this.#lastPurge = now;
		let total = await this.#deleteWhere({...this.#inNamespace(), expires: {$lte: new Date(now)}});
		for await (const ids of this.#files.begunBefore(now - longestWrite)) {
			const used = await this.#entries.run('purge', async entries => entries.find({file: {$in: [...ids]}}).project<Pick<EntryDocument, 'file'>>({file: 1}).toArray());
			const unused = ids.filter(id => used.every(({file}) => !file!.equals(id)));
			await this.#files.remove(unused);
			total += unused.length;
		}

		return total;
	}

	async close(): Promise<void> {
		await this.#connection.close();
	}

	/** Writes the content and its document, and removes the file that is no longer used. Returns whether the document was set. */
	async #write(key: string, content: Content, options: SetOptions, set: SetDocument): Promise<boolean> {
		const entry = this.#entry(key, content, options);
		if ('bytes' in content) {
			const file = await this.#files.write(content.bytes, entry);
			let isSet = false;
			try {
				isSet = await this.#setDocument({...entry, file, length: content.bytes.length}, 0, set);
			} finally {
				if (!isSet) {
					await this.#files.remove([file]).catch(ignore);
				}
			}

			return isSet;
		}

		const {value, size, packed} = content;
		try {
			return await this.#setDocument({...entry, value}, size, set);
		} catch (error) {
			if (packed === undefined || !hasCode(error, badValue)) {
				throw error;
			}

			return this.#setDocument({...entry, value: packed()}, size, set);
		}
	}

	async #setDocument(entry: EntryDocument, bytes: number, set: SetDocument): Promise<boolean> {
		const old = await set(entry, bytes);
		if (old === false) {
			return false;
		}

		if (old?.file !== undefined) {
			// `purge` removes it later if this fails.
			await this.#files.remove([old.file]).catch(ignore);
		}

		return true;
	}

	/** Deletes documents first and their files next, so that no document is without its file. `purge` removes files that are left over. */
	async #deleteWhere(filter: MongoDb.Filter<EntryDocument>): Promise<number> {
		const remove = async (removed: MongoDb.Filter<EntryDocument>): Promise<number> => {
			const {deletedCount} = await this.#entries.run('delete', async entries => entries.deleteMany(removed));
			return deletedCount;
		};

		let total = await remove({$and: [filter, {file: {$exists: false}}]});
		for await (const page of this.#entries.pages({$and: [filter, {file: {$exists: true}}]})) {
			const files = page.map(({file}) => file!);
			// A document that was replaced in the meantime has another file, and stays.
			total += await remove({_id: {$in: page.map(({_id}) => _id)}, file: {$in: files}});
			await this.#files.remove(files);
		}

		return total;
	}

	#entry(key: string, content: Content, {expires, indexed}: SetOptions): EntryDocument {
		const end = dateOf(expires, Math.ceil);
		return {
			_id: this.#prefix + key,
			namespace: this.#namespace,
			key,
			...(end !== undefined && {expires: end}),
			...(indexed !== undefined && {
				createdAt: dateOf(indexed.createdAt, Math.floor) ?? new Date(lastTime),
				freshUntil: dateOf(indexed.freshUntil, Math.ceil) ?? new Date(lastTime),
				size: 'bytes' in content ? content.bytes.length : content.size,
			}),
		};
	}

	#matching({staleAt, createdBefore}: StoreQuery): MongoDb.Filter<EntryDocument> {
		return {
			...this.#inNamespace(),
			namespace: this.#namespace,
			createdAt: createdBefore === undefined ? {$exists: true} : {$lt: new Date(Math.min(Math.ceil(createdBefore), lastTime))},
			...(staleAt !== undefined && {freshUntil: {$lte: new Date(Math.min(Math.floor(staleAt), lastTime - 1))}}),
			...this.#unexpired(),
		};
	}

	/** Selects by `_id`, which always has an index: the ids begin with the prefix, which ends with a colon, and `;` is the next character. */
	#inNamespace(): MongoDb.Filter<EntryDocument> {
		return {_id: {$gte: this.#prefix, $lt: `${this.#prefix.slice(0, -1)};`}};
	}

	/** Excludes expired documents, which the server deletes up to a minute late or not at all. */
	#unexpired(): MongoDb.Filter<EntryDocument> {
		return {expires: {$not: {$lte: new Date(this.#now())}}};
	}

	#hasExpired(expires: Date | undefined): boolean {
		return expires !== undefined && expires.getTime() <= this.#now();
	}
}

/** Returns `undefined` for a time that no `Date` can hold. */
function dateOf(time: number | undefined, round: (time: number) => number): Date | undefined {
	return time === undefined || !(Math.abs(time) < lastTime) ? undefined : new Date(round(time));
}
