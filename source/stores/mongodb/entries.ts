import type * as MongoDb from 'mongodb';
import {
	batches,
	ignore,
	keyPrefix,
	resolveServerOptions,
} from '../server-options.ts';
import type {SetOptions, StoredValue, StoreQuery} from '../types.ts';
import {Bodies, unfinishedAfter} from './bodies.ts';
import {MongoConnection, type MongoServerOptions} from './connection.ts';
import {Heads, type Head} from './heads.ts';

/** A value as it stands in its head, or the bytes of its body. */
export type Content = {readonly value: unknown} | {readonly bytes: Uint8Array};

type EntriesStoreOptions<Value> = {
	/** The store's name, in messages. */
	readonly name: string;
	readonly server: MongoServerOptions;
	readonly headsName: string;
	readonly bucketName: string;
	readonly chunkSize: number;

	/** The value that was given to be stored. */
	readonly valueOf: (content: Content) => Value;
};

/** The last moment that a date can name. */
const lastTime = 8.64e15;
const keysPerQuery = 500;
const valuesAtOnce = 8;
const setsBetweenPurges = 256;

/**
What the stores on MongoDB have in common, which is all but what they hold: a head for each key, and bodies for what does not lie in one.

A new body is written first, under an id of its own; then the head is replaced in one step, and then the old body goes. So a reader finds the old or the new, and never a mix.
*/
export class EntriesStore<Value extends StoredValue> {
	protected readonly connection: MongoConnection;
	readonly #heads: Heads;
	readonly #bodies: Bodies;
	readonly #namespace: string;
	readonly #prefix: string;
	readonly #now: () => number;
	readonly #valueOf: (content: Content) => Value;
	#sets = 0;
	#lastPurge: number;

	constructor({name, server, headsName, bucketName, chunkSize, valueOf}: EntriesStoreOptions<Value>) {
		const limits = resolveServerOptions(server);
		const connection = new MongoConnection(name, server, limits);
		this.connection = connection;
		this.#heads = new Heads(connection, headsName);
		this.#bodies = new Bodies({
			connection, bucketName, owner: headsName, chunkSize, now: limits.now,
		});
		this.#namespace = limits.cacheName;
		this.#prefix = keyPrefix(limits.cacheName);
		this.#now = limits.now;
		this.#lastPurge = limits.now();
		this.#valueOf = valueOf;
	}

	async get(key: string): Promise<Value | undefined> {
		const content = await this.#content(key);
		return content && this.#valueOf(content);
	}

	protected async setContent(key: string, content: Content, size: number, options: SetOptions): Promise<void> {
		const expires = dateOf(options.expires, Math.ceil);
		if (this.#isPast(expires)) {
			await this.delete(key);
			return;
		}

		await this.#withHead(key, content, size, options, async head => {
			const old = await this.#heads.replace(head, 'value' in content ? size : 0);
			return {isThere: true, old};
		});
		this.#sets++;
		// A clock that was set back does not put it off.
		if (this.#sets % setsBetweenPurges === 0 && Math.abs(this.#now() - this.#lastPurge) >= unfinishedAfter) {
			void this.#purgeInPassing();
		}
	}

	protected async addContent(key: string, content: Content, size: number, options: SetOptions): Promise<boolean> {
		if (this.#isPast(dateOf(options.expires, Math.ceil))) {
			const head = await this.#heads.get({_id: this.#prefix + key});
			return head === undefined || this.#isPast(head.expires);
		}

		return this.#withHead(key, content, size, options, async head => {
			const old = await this.#heads.add(head, new Date(this.#now()), 'value' in content ? size : 0);
			return old === false ? {isThere: false, old: undefined} : {isThere: true, old};
		});
	}

	async delete(key: string): Promise<boolean> {
		const old = await this.#heads.delete({_id: this.#prefix + key});
		if (old?.body !== undefined) {
			await this.#bodies.remove([old.body]);
		}

		// What has expired goes too, but was no longer there for anybody.
		return old !== undefined && !this.#isPast(old.expires);
	}

	async deleteMany(keys: readonly string[]): Promise<void> {
		for (const batch of batches(keys, keysPerQuery)) {
			await this.#deleteWhere({_id: {$in: batch.map(key => this.#prefix + key)}}); // eslint-disable-line no-await-in-loop
		}
	}

	async clear(): Promise<void> {
		await this.#deleteWhere(this.#all());
	}

	/** By pages of keys, in their order: no cursor is held between two. */
	async * iterate(): AsyncGenerator<readonly [key: string, value: Value], void> {
		for await (const page of this.#heads.pages({...this.#all(), ...this.#live()})) {
			for (const batch of batches(page, valuesAtOnce)) {
				// eslint-disable-next-line no-await-in-loop
				const values = await Promise.all(batch.map(async ({key}) => this.get(key)));
				for (const [index, value] of values.entries()) {
					if (value !== undefined) {
						yield [batch[index]!.key, value];
					}
				}
			}
		}
	}

	async * find(query: StoreQuery): AsyncGenerator<string, void> {
		const {orderBy, descending} = query;
		const direction = descending ? -1 : 1;
		const cursor = await this.#heads.run('find', async collection => {
			const found = collection.find(this.#found(query)).project<Pick<Head, 'key'>>({key: 1});
			return orderBy === undefined ? found : found.sort(orderBy === 'key' ? {_id: direction} : {[orderBy]: direction, _id: 1});
		});
		try {
			// eslint-disable-next-line no-await-in-loop
			while (await this.#heads.run('find', async () => cursor.hasNext())) {
				yield * await this.#present(cursor.readBufferedDocuments().map(({key}) => key)); // eslint-disable-line no-await-in-loop
			}
		} finally {
			void cursor.close().catch(ignore);
		}
	}

	async #content(key: string): Promise<Content | undefined> {
		let last: Head | undefined;
		for (;;) {
			// eslint-disable-next-line no-await-in-loop
			const head = await this.#heads.get({_id: this.#prefix + key});
			if (head === undefined || this.#isPast(head.expires)) {
				return undefined;
			}

			if (head.body === undefined) {
				return {value: head.value};
			}

			// eslint-disable-next-line no-await-in-loop
			const bytes = await this.#bodies.read(head.body, head.length!);
			// It was replaced while it was read, unless its body is lost.
			if (bytes !== undefined || last?.body?.equals(head.body)) {
				return bytes && {bytes};
			}

			last = head;
		}
	}

	/** Which keys are still there: a server that sorts without an index goes on with what it found at first. */
	async #present(keys: readonly string[]): Promise<readonly string[]> {
		const filter = {...this.#all(), _id: {$in: keys.map(key => this.#prefix + key)}};
		const present = await this.#heads.run('find', async heads => heads.find(filter).project<Pick<Head, 'key'>>({key: 1}).toArray());
		const known = new Set(present.map(({key}) => key));
		return keys.filter(key => known.has(key));
	}

	async deleteFound(query: StoreQuery): Promise<number> {
		return this.#deleteWhere(this.#found(query));
	}

	async count(): Promise<number> {
		return this.#heads.run('count', async heads => heads.countDocuments(this.#found({})));
	}

	/**
	Removes what has expired, and what lies apart from its entry (chunks, files) and belongs to none an hour after it was begun: of entries that the server has deleted, and of writers that were killed. Now and then this happens in passing.

	@returns How many there were.
	*/
	async purge(): Promise<number> {
		const now = this.#now();
		this.#lastPurge = now;
		let total = await this.#deleteWhere({...this.#all(), expires: {$lte: new Date(now)}});
		for await (const ids of this.#bodies.begunBefore(new Date(now - unfinishedAfter))) {
			total += await this.#removeUnused(ids);
		}

		return total;
	}

	async close(): Promise<void> {
		await this.connection.close();
	}

	async #purgeInPassing(): Promise<void> {
		try {
			await this.purge();
		} catch {
			// Nobody waits for it, and the next may succeed.
		}
	}

	async #removeUnused(ids: readonly MongoDb.ObjectId[]): Promise<number> {
		const used = await this.#heads.run('purge', async heads => heads.find({body: {$in: [...ids]}}).project<Pick<Head, 'body'>>({body: 1}).toArray());
		const unused = ids.filter(id => used.every(({body}) => !body!.equals(id)));
		await this.#bodies.remove(unused);
		return unused.length;
	}

	/** Writes the body, if there is one, hands the head on, and clears up after what comes of that. */
	async #withHead(key: string, content: Content, size: number, options: SetOptions, place: (head: Head) => Promise<{isThere: boolean; old: Head | undefined}>): Promise<boolean> {
		const head = this.#head(key, size, options);
		if ('value' in content) {
			const {isThere, old} = await place({...head, value: content.value});
			await this.#forget(old);
			return isThere;
		}

		const body = await this.#bodies.write(content.bytes, {namespace: head.namespace, key, expires: head.expires});
		let placed;
		try {
			placed = await place({...head, body, length: content.bytes.length});
		} catch (error) {
			await this.#bodies.remove([body]).catch(ignore);
			throw error;
		}

		if (placed.isThere) {
			await this.#forget(placed.old);
		} else {
			await this.#bodies.remove([body]);
		}

		return placed.isThere;
	}

	/** What was replaced is of no use to anybody; where it cannot be removed, `purge` does so later. */
	async #forget(old: Head | undefined): Promise<void> {
		if (old?.body !== undefined) {
			await this.#bodies.remove([old.body]).catch(ignore);
		}
	}

	/** Bodies go after their heads: so no head is without its body, and what is left over where this fails is removed by `purge`. */
	async #deleteWhere(filter: MongoDb.Filter<Head>): Promise<number> {
		const {deletedCount} = await this.#heads.run('delete', async collection => collection.deleteMany({$and: [filter, {body: {$exists: false}}]}));
		let total = deletedCount;
		for await (const page of this.#heads.pages({$and: [filter, {body: {$exists: true}}]})) {
			const ids = page.map(({body}) => body!);
			// Those that were replaced meanwhile have another body, and stay.
			const deleted = await this.#heads.run('delete', async collection => collection.deleteMany({_id: {$in: page.map(({_id}) => _id)}, body: {$in: ids}}));
			total += deleted.deletedCount;
			await this.#bodies.remove(ids);
		}

		return total;
	}

	#head(key: string, size: number, {expires, indexed}: SetOptions): Head {
		const end = dateOf(expires, Math.ceil);
		return {
			_id: this.#prefix + key,
			namespace: this.#namespace,
			key,
			...(end !== undefined && {expires: end}),
			...(indexed !== undefined && {
				createdAt: dateOf(indexed.createdAt, Math.floor) ?? new Date(lastTime),
				freshUntil: dateOf(indexed.freshUntil, Math.ceil) ?? new Date(lastTime),
				size,
			}),
		};
	}

	#found({staleAt, createdBefore}: StoreQuery): MongoDb.Filter<Head> {
		return {
			...this.#all(),
			namespace: this.#namespace,
			createdAt: createdBefore === undefined ? {$exists: true} : {$lt: new Date(Math.min(Math.ceil(createdBefore), lastTime))},
			...(staleAt !== undefined && {freshUntil: {$lte: new Date(Math.min(Math.floor(staleAt), lastTime - 1))}}),
			...this.#live(),
		};
	}

	/** By `_id`, of which there always is an index: every key begins with the prefix, whose last colon has `;` behind it. */
	#all(): MongoDb.Filter<Head> {
		return {_id: {$gte: this.#prefix, $lt: `${this.#prefix.slice(0, -1)};`}};
	}

	/** The server deletes what has expired up to a minute late, or not at all. */
	#live(): MongoDb.Filter<Head> {
		return {expires: {$not: {$lte: new Date(this.#now())}}};
	}

	#isPast(expires: Date | undefined): boolean {
		return expires !== undefined && expires.getTime() <= this.#now();
	}
}

/** None for what is beyond all dates. */
function dateOf(time: number | undefined, round: (time: number) => number): Date | undefined {
	return time === undefined || !(Math.abs(time) < lastTime) ? undefined : new Date(round(time));
}
