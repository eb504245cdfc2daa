import {hash, randomUUID} from 'node:crypto';
import type {StoredResponse} from '../model/stored-response.ts';
import type {Store} from '../stores/types.ts';
import {all, then, type MaybePromise} from '../maybe-promise.ts';
import {decodeRecord, encodeRecord} from './records.ts';

/** What was done to all that has a tag. */
export type TagDeed = 'deleted' | 'expired';

type TagRecord = {
	readonly generation: string;
	readonly at: number;
};

const never: TagRecord = {generation: '', at: -Infinity};

// So many are remembered, against stores that forget.
const capacity = 10_000;

const knownByStore = new WeakMap<Store, Map<string, TagRecord>>();

/**
Deletes and expires everything that has a tag at once, for all processes, without looking for it: a record of the tag names a generation, which entries copy when they are written. One that has another generation was stored before.

A generation tells what was stored before from what was stored after, within a millisecond too, and whatever the clocks of other processes say. Deleting and expiring have a record each, since a store knows no step that changes part of one.
*/
export class Tags {
	readonly #store: Store;
	readonly #now: () => number;

	/** A bounded store may drop a record: what it was about must not come back. */
	readonly #known: Map<string, TagRecord>;

	/**
	Reads nothing yet.

	@param store - Throws its faults: a record that cannot be read is not the same as none.
	@param identity - The store itself, which other caches of this process may share.
	*/
	constructor(store: Store, identity: Store, now: () => number) {
		this.#store = store;
		this.#now = now;
		this.#known = knownByStore.get(identity) ?? new Map<string, TagRecord>();
		knownByStore.set(identity, this.#known);
	}

	/** Everything that has one of the tags, and was stored before, is deleted or stale from now on. */
	async mark(tags: Iterable<string>, deed: TagDeed): Promise<void> {
		for (const tag of new Set(tags)) {
			const record = {generation: randomUUID(), at: this.#now()};
			await this.#write(recordKey(tag, deed), record); // eslint-disable-line no-await-in-loop -- The store is not to be flooded.
		}
	}

	/**
	The response with the generations of its tags, to be stored.

	@param sent - When its request was sent. What was asked for before a tag was deleted or expired may be of before, too.
	@returns `undefined` for such a one.
	*/
	stamp(stored: StoredResponse, sent: number): MaybePromise<StoredResponse | undefined> {
		const {tags} = stored;
		if (tags === undefined) {
			return stored;
		}

		return then(this.#records(tags), records => records.flat().some(({at}) => at > sent)
			? undefined
			: {...stored, tagGenerations: records.map(([deleted, expired]) => `${deleted.generation}|${expired.generation}`)});
	}

	/**
	The response as it is now: stale since its tag was expired.

	@returns `undefined` where a tag of it was deleted.
	*/
	judge(stored: StoredResponse): MaybePromise<StoredResponse | undefined> {
		const {tags, tagGenerations = []} = stored;
		return tags === undefined
			? stored
			: then(this.#records(tags), records => {
				let expires = stored.expires ?? Infinity;
				for (const [index, [deleted, expired]] of records.entries()) {
					const [deletedThen = '', expiredThen = ''] = tagGenerations[index]?.split('|') ?? [];
					if (deleted.generation !== deletedThen) {
						return undefined;
					}

					if (expired.generation !== expiredThen) {
						expires = Math.min(expires, expired.at);
					}
				}

				return expires === (stored.expires ?? Infinity) ? stored : {...stored, expires};
			});
	}

	/** The store was emptied. */
	forget(): void {
		this.#known.clear();
	}

	#records(tags: readonly string[]): MaybePromise<ReadonlyArray<readonly [deleted: TagRecord, expired: TagRecord]>> {
		return all(tags.map(tag => this.#recordsOf(tag)));
	}

	#recordsOf(tag: string): MaybePromise<readonly [deleted: TagRecord, expired: TagRecord]> {
		const keys = [recordKey(tag, 'deleted'), recordKey(tag, 'expired')];
		return then(all(keys.map(key => this.#read(key))), ([deleted, expired]) => [deleted!, expired!] as const);
	}

	#read(key: string): MaybePromise<TagRecord> {
		return then(this.#store.get(key), value => {
			const record = decode(decodeRecord(value));
			if (record !== undefined) {
				this.#remember(key, record);
				return record;
			}

			const known = this.#known.get(key);
			return known === undefined ? never : then(this.#write(key, known), () => known);
		});
	}

	#write(key: string, record: TagRecord): MaybePromise<void> {
		return then(this.#store.set(key, encodeRecord(`${record.at} ${record.generation}`, this.#store.holds), {expires: undefined, size: 64}), () => {
			this.#remember(key, record);
		});
	}

	#remember(key: string, record: TagRecord): void {
		this.#known.delete(key);
		this.#known.set(key, record);
		if (this.#known.size > capacity) {
			this.#known.delete(this.#known.keys().next().value!);
		}
	}
}

function recordKey(tag: string, deed: TagDeed): string {
	return `got-cache:1:tag:${deed}:${hash('sha256', tag, 'hex')}`;
}

/** What is no record of ours is as good as one that was just made: nothing stored has its generation. */
function decode(text: string | undefined): TagRecord | undefined {
	if (text === undefined) {
		return undefined;
	}

	const [at, generation = text] = text.split(' ', 2);
	return {generation, at: Number(at)};
}
