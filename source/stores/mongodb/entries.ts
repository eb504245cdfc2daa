import type * as MongoDb from 'mongodb';
import {batches, ignore, keyPrefix} from '../server-options.ts';
import type {SetOptions, StoreQuery} from '../types.ts';
import {unfinishedAfter, type Bodies} from './bodies.ts';
import type {MongoConnection} from './connection.ts';
import type {Head, Heads} from './heads.ts';

/** A value as it stands in its head, or the bytes of its body. */
export type Content = {readonly value: unknown} | {readonly bytes: Uint8Array};

type EntriesOptions = {
	readonly connection: MongoConnection;
	readonly heads: Heads;
	readonly bodies: Bodies;
	readonly namespace: string;
	readonly now: () => number;
};

/** The last moment that a date can name. */
const lastTime = 8.64e15;
const keysPerQuery = 500;
const valuesAtOnce = 8;
const setsBetweenPurges = 256;

/**
What is common to both stores on MongoDB: a head for each key, and bodies for what does not lie in one.

A new body is written first, under an id of its own; then the head is replaced in one step, and then the old body goes. So a reader finds the old or the new, and never a mix.
*/
export class Entries {
	readonly #options: EntriesOptions;
	readonly #prefix: string;
	#sets = 0;
	#lastPurge: number;

	constructor(options: EntriesOptions) {
		this.#options = options;
		this.#prefix = keyPrefix(options.namespace);
		this.#lastPurge = options.now();
	}

	async get(key: string): Promise<Content | undefined> {
		const {heads, bodies} = this.#options;
		let last: Head | undefined;
		for (;;) {
			// eslint-disable-next-line no-await-in-loop
			const head = await heads.get({_id: this.#prefix + key});
			if (head === undefined || this.#isPast(head.expires)) {
				return undefined;
			}

			if (head.body === undefined) {
				return {value: head.value};
			}

			// eslint-disable-next-line no-await-in-loop
			const bytes = await bodies.read(head.body, head.length!);
			// It was replaced while it was read, unless its body is lost.
			if (bytes !== undefined || last?.body?.equals(head.body)) {
				return bytes && {bytes};
			}

			last = head;
		}
	}

	async set(key: string, content: Content, size: number, options: SetOptions): Promise<void> {
		const expires = dateOf(options.expires, Math.ceil);
		if (this.#isPast(expires)) {
			await this.delete(key);
			return;
		}

		await this.#withHead(key, content, size, options, async head => {
			const old = await this.#options.heads.replace(head, 'value' in content ? size : 0);
			return {isThere: true, old};
		});
		this.#sets++;
		if (this.#sets % setsBetweenPurges === 0 && this.#options.now() >= this.#lastPurge + unfinishedAfter) {
			void this.#purgeInPassing();
		}
	}

	async add(key: string, content: Content, size: number, options: SetOptions): Promise<boolean> {
		if (this.#isPast(dateOf(options.expires, Math.ceil))) {
			const head = await this.#options.heads.get({_id: this.#prefix + key});
			return head === undefined || this.#isPast(head.expires);
		}

		return this.#withHead(key, content, size, options, async head => {
			const old = await this.#options.heads.add(head, new Date(this.#options.now()), 'value' in content ? size : 0);
			return old === false ? {isThere: false, old: undefined} : {isThere: true, old};
		});
	}

	async delete(key: string): Promise<boolean> {
		const {heads, bodies} = this.#options;
		const old = await heads.delete({_id: this.#prefix + key});
		if (old?.body !== undefined) {
			await bodies.remove([old.body]);
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

	async * iterate(): AsyncGenerator<readonly [key: string, content: Content], void> {
		for await (const page of this.#options.heads.pages({...this.#all(), ...this.#live()})) {
			for (const batch of batches(page, valuesAtOnce)) {
				// eslint-disable-next-line no-await-in-loop
				const contents = await Promise.all(batch.map(async ({key}) => this.get(key)));
				for (const [index, content] of contents.entries()) {
					if (content !== undefined) {
						yield [batch[index]!.key, content];
					}
				}
			}
		}
	}

	async * find(query: StoreQuery): AsyncGenerator<string, void> {
		const {orderBy, descending} = query;
		const direction = descending ? -1 : 1;
		const {heads} = this.#options;
		const cursor = await heads.run('find', async collection => {
			const found = collection.find(this.#found(query)).project<Pick<Head, 'key'>>({key: 1});
			return orderBy === undefined ? found : found.sort(orderBy === 'key' ? {_id: direction} : {[orderBy]: direction, _id: 1});
		});
		try {
			// eslint-disable-next-line no-await-in-loop
			while (await heads.run('find', async () => cursor.hasNext())) {
				yield * await this.#present(cursor.readBufferedDocuments().map(({key}) => key)); // eslint-disable-line no-await-in-loop
			}
		} finally {
			void cursor.close().catch(ignore);
		}
	}

	/** Which keys are still there: a server that sorts without an index goes on with what it found at first. */
	async #present(keys: readonly string[]): Promise<readonly string[]> {
		const filter = {...this.#all(), _id: {$in: keys.map(key => this.#prefix + key)}};
		const present = await this.#options.heads.run('find', async heads => heads.find(filter).project<Pick<Head, 'key'>>({key: 1}).toArray());
		const known = new Set(present.map(({key}) => key));
		return keys.filter(key => known.has(key));
	}

	async deleteFound(query: StoreQuery): Promise<number> {
		return this.#deleteWhere(this.#found(query));
	}

	async count(): Promise<number> {
		return this.#options.heads.run('count', async heads => heads.countDocuments(this.#found({})));
	}

	/** Removes what has expired, and the bodies, of whatever namespace, that no head refers to an hour after they were begun. */
	async purge(): Promise<number> {
		const now = this.#options.now();
		this.#lastPurge = now;
		let total = await this.#deleteWhere({...this.#all(), expires: {$lte: new Date(now)}});
		let batch: MongoDb.ObjectId[] = [];
		for await (const id of this.#options.bodies.begunBefore(new Date(now - unfinishedAfter))) {
			batch.push(id);
			if (batch.length !== keysPerQuery) {
				continue;
			}

			total += await this.#removeUnused(batch);
			batch = [];
		}

		return total + await this.#removeUnused(batch);
	}

	async #purgeInPassing(): Promise<void> {
		try {
			await this.purge();
		} catch {
			// Nobody waits for it, and the next may succeed.
		}
	}

	async #removeUnused(ids: readonly MongoDb.ObjectId[]): Promise<number> {
		const used = await this.#options.heads.run('purge', async heads => heads.find({body: {$in: [...ids]}}).project<Pick<Head, 'body'>>({body: 1}).toArray());
		const unused = ids.filter(id => used.every(({body}) => !body!.equals(id)));
		await this.#options.bodies.remove(unused);
		return unused.length;
	}

	/** Writes the body, if there is one, hands the head on, and clears up after what comes of that. */
	async #withHead(key: string, content: Content, size: number, options: SetOptions, place: (head: Head) => Promise<{isThere: boolean; old: Head | undefined}>): Promise<boolean> {
		const {bodies, namespace} = this.#options;
		const head = this.#head(key, size, options);
		if ('value' in content) {
			const {isThere, old} = await place({...head, value: content.value});
			await this.#forget(old);
			return isThere;
		}

		const body = await bodies.write(content.bytes, {namespace, key});
		let placed;
		try {
			placed = await place({...head, body, length: content.bytes.length});
		} catch (error) {
			await bodies.remove([body]).catch(ignore);
			throw error;
		}

		if (placed.isThere) {
			await bodies.keep(body, head.expires);
			await this.#forget(placed.old);
		} else {
			await bodies.remove([body]);
		}

		return placed.isThere;
	}

	/** What was replaced is of no use to anybody; where it cannot be removed, `purge` does so later. */
	async #forget(old: Head | undefined): Promise<void> {
		if (old?.body !== undefined) {
			await this.#options.bodies.remove([old.body]).catch(ignore);
		}
	}

	/** Bodies go after their heads: so no head is without its body, and what is left over where this fails is removed by `purge`. */
	async #deleteWhere(filter: MongoDb.Filter<Head>): Promise<number> {
		const {heads, bodies} = this.#options;
		const {deletedCount} = await heads.run('delete', async collection => collection.deleteMany({$and: [filter, {body: {$exists: false}}]}));
		let total = deletedCount;
		for await (const page of heads.pages({$and: [filter, {body: {$exists: true}}]})) {
			const ids = page.map(({body}) => body!);
			// Those that were replaced meanwhile have another body, and stay.
			const deleted = await heads.run('delete', async collection => collection.deleteMany({_id: {$in: page.map(({_id}) => _id)}, body: {$in: ids}}));
			total += deleted.deletedCount;
			await bodies.remove(ids);
		}

		return total;
	}

	#head(key: string, size: number, {expires, indexed}: SetOptions): Head {
		const end = dateOf(expires, Math.ceil);
		return {
			_id: this.#prefix + key,
			namespace: this.#options.namespace,
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
			namespace: this.#options.namespace,
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
		return {expires: {$not: {$lte: new Date(this.#options.now())}}};
	}

	#isPast(expires: Date | undefined): boolean {
		return expires !== undefined && expires.getTime() <= this.#options.now();
	}
}

/** None for what is beyond all dates. */
function dateOf(time: number | undefined, round: (time: number) => number): Date | undefined {
	return time === undefined || !(Math.abs(time) < lastTime) ? undefined : new Date(round(time));
}
