import {hash, randomUUID} from 'node:crypto';
import {all, then, type MaybePromise} from '../maybe-promise.ts';
import type {Store} from '../stores/types.ts';
import {addRecord, readRecord, writeRecord} from './records.ts';
import type {Batch} from './local-journal.ts';

/** A response, as invalidations name it. */
export type Subject = {
	/** The known keys under which the response is, or will be, stored: the primary one, and that of its variant. */
	readonly keys: readonly string[];

	/** The name of the resource, as `resourceOfRequest` returns it. */
	readonly resource: string;

	/** The target URI, without its secrets. */
	readonly url: string;

	/** The known tags of the response. */
	readonly tags: readonly string[];
};

/** What an invalidation does to responses. */
export type Effect = 'deleted' | 'expired';

/** A tag has a record for each effect. */
export const effects: readonly Effect[] = ['deleted', 'expired'];

/** An invalidation by a name, which is looked up when a stored response is found. */
export type NamedInvalidation =
	| {readonly kind: 'resource'; readonly resource: string}
	| {readonly kind: 'tag'; readonly tag: string; readonly effect: Effect};

/** An invalidation. It concerns responses whose request was sent before it. */
export type Invalidation =
	| NamedInvalidation
	| {readonly kind: 'key'; readonly key: string}

	/** All responses for which a condition is true; for other processes, all responses. */
	| {readonly kind: 'matching'; readonly concerns: (subject: Subject) => boolean};

/** The invalidation of all responses. */
export const everything: Invalidation = {kind: 'matching', concerns: () => true};

/** Whether an invalidation concerns a response. */
export function isConcerned(subject: Subject, invalidation: Invalidation): boolean {
	switch (invalidation.kind) {
		case 'resource': {
			return subject.resource === invalidation.resource;
		}

		case 'tag': {
			return subject.tags.includes(invalidation.tag);
		}

		case 'key': {
			return subject.keys.includes(invalidation.key);
		}

		case 'matching': {
			return invalidation.concerns(subject);
		}

		default: {
			return invalidation satisfies never;
		}
	}
}

/** Returns the key of the record of an invalidation. All invalidations by a condition share one. */
export function recordKey(invalidation: Invalidation): string {
	switch (invalidation.kind) {
		case 'resource': {
			return `got-cache:1:resource:${digest(invalidation.resource)}`;
		}

		case 'tag': {
			return `got-cache:1:tag:${invalidation.effect}:${digest(invalidation.tag)}`;
		}

		case 'key': {
			return `got-cache:1:key:${digest(invalidation.key)}`;
		}

		case 'matching': {
			return 'got-cache:1:everything';
		}

		default: {
			return invalidation satisfies never;
		}
	}
}

function digest(text: string): string {
	return hash('sha256', text, 'hex');
}

const day = 86_400_000;

/** The milliseconds for which the record of an invalidated resource is stored. An older entry is validated before it is used. */
export const resourceRetention: number = 30 * day;

/** The milliseconds for which records of invalidated keys, and of everything, are stored: a response that took longer is not stored. */
export const exchangeRetention: number = day / 24;

/** The milliseconds for which the record of an invalidation is stored: that of a tag never expires. */
const retentions = {
	tag: undefined, resource: resourceRetention, key: exchangeRetention, matching: exchangeRetention,
} as const;

// The maximum number of records in memory.
const maxCached = 10_000;

// The number of records that are written at a time.
const batchSize = 100;

const headKey = 'got-cache:1:journal';

// Near 2 ** 53, the next whole number might be the same one.
const lastPosition = 2 ** 52;

/** The last invalidation of a name. */
type LastInvalidation = {
	readonly position: number;

	/** Whether this process wrote it. */
	readonly isOwn: boolean;
};

/** A record in memory. It is read again only after the head has changed. */
type CachedRecord = LastInvalidation & {
	readonly text: string | undefined;

	/** The head with which it was read; `null` if it must be read again. */
	readonly head: string | undefined | null;
};

/**
The invalidations in a store that several processes share. Each invalidated name has a record with the position of its last invalidation. One more record, the head, has the position of the last invalidation of any name.

A position is a whole number: milliseconds since the epoch or, if the clock is behind, the head plus one. A new position is therefore always greater than the head that its process read, and the order does not depend on clocks: an invalidation whose process read the head after a request has a greater position than that request. If two processes read the same head, they may write the same position. Their records still have different texts, so that a third process sees both.

If two processes write the head at the same moment, the smaller position may be written last, by as much as their clocks differ. A response that was requested between the two writes is fetched again, but an invalidation that follows within that difference may not reach it.
*/
export class JournalRecords {
	readonly now: () => number;
	readonly #store: Store;
	readonly #cached = new Map<string, CachedRecord>();
	#head: {readonly position: number; readonly text: string | undefined} | undefined;

	/** The highest position that was ever read or written: the store may lose its head, or be emptied. */
	#highest = 0;

	/** The numbers of the last call, and of the one that returned the head: a store may answer its calls in another order. */
	#lastCall = 0;
	#headCall = 0;

	/** Creates the journal in a store that throws its faults: a record that cannot be read may still exist. */
	constructor(store: Store, now: () => number) {
		this.#store = store;
		this.now = now;
	}

	/** The position of the head as it was last read or written; `undefined` if it never was. */
	get head(): number | undefined {
		return this.#head?.position;
	}

	/**
	Reads the head.

	@returns Its position: 0 if there is none, `Infinity` if it cannot be understood, so that the records are read.
	*/
	readHead(): MaybePromise<number> {
		this.#lastCall++;
		const call = this.#lastCall;
		return then(readRecord(this.#store, headKey), text => {
			const position = positionIn(text);
			this.#setHead(call, text, position);
			return position;
		});
	}

	/**
	Reads the last invalidation of a name. It reads the store only if the head has changed.

	@param restores - Whether to write the record of a tag again that the store has evicted.
	*/
	read(invalidation: Invalidation, restores = false): MaybePromise<LastInvalidation> {
		const key = recordKey(invalidation);
		const head = this.#head?.text;
		const known = this.#cached.get(key);
		if (known !== undefined && known.head === head) {
			return known;
		}

		return then(readRecord(this.#store, key), text => {
			const position = positionIn(text);
			const isEvicted = known !== undefined && known.position > position;
			const isOwn = known?.isOwn === true && known.text === text;
			const record = isEvicted
				? {...known, head}
				: {
					position, text, isOwn, head,
				};
			this.#cache(key, record);
			// Another process may have written a later record meanwhile, which `add` leaves alone.
			return text === undefined && isEvicted && restores && invalidation.kind === 'tag' ? then(addRecord(this.#store, key, known.text!), () => record) : record;
		});
	}

	/** Writes the records of invalidations, then the head, so that a process that sees the head finds them. */
	publish(batch: Batch): MaybePromise<number> {
		return then(this.readHead(), () => {
			const position = Math.max(Math.floor(this.now()), this.#highest + 1);
			const text = `${position} ${randomUUID()}`;
			return then(this.#writeAll(batch, position, text), () => {
				this.#lastCall++;
				const call = this.#lastCall;
				return then(writeRecord(this.#store, headKey, text), () => {
					this.#setHead(call, text, position);
					return position;
				});
			});
		});
	}

	#writeAll(batch: Batch, position: number, text: string): MaybePromise<unknown> {
		const records = [...batch];
		let written: MaybePromise<unknown>;
		for (let start = 0; start < records.length; start += batchSize) {
			const chunk = records.slice(start, start + batchSize);
			written = then(written, () => all(chunk, ([key, {invalidation}]) => {
				const retention = retentions[invalidation.kind];
				return then(writeRecord(this.#store, key, text, retention === undefined ? undefined : this.now() + retention), () => {
					this.#cache(key, {
						position, text, isOwn: true, head: null,
					});
				});
			}));
		}

		return written;
	}

	#setHead(call: number, text: string | undefined, position: number): void {
		if (call < this.#headCall) {
			return;
		}

		this.#headCall = call;
		// A head that cannot be understood may be anywhere after the last one.
		const last = Number.isFinite(position) ? position : this.#head?.position;
		this.#head = last === undefined ? undefined : {position: last, text};
		this.#highest = Math.max(this.#highest, last ?? 0);
	}

	#cache(key: string, record: CachedRecord): void {
		this.#cached.delete(key);
		this.#cached.set(key, record);
		if (this.#cached.size > maxCached) {
			this.#cached.delete(this.#cached.keys().next().value!);
		}
	}
}

/** Returns the position in the text of a record: 0 if there is none, `Infinity` if the text is not of this library, so that it concerns all entries. */
function positionIn(text: string | undefined): number {
	if (text === undefined) {
		return 0;
	}

	const position = Number(/^(?<position>\d{1,16})(?: |$)/v.exec(text)?.groups?.position ?? Infinity);
	return position < lastPosition ? position : Infinity;
}
