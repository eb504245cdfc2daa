import {hash, randomUUID} from 'node:crypto';
import {all, then, type MaybePromise} from '../maybe-promise.ts';
import type {Store} from '../stores/types.ts';
import {addRecord, readRecord, writeRecord} from './records.ts';
import type {Batch} from './local-journal.ts';

/** A response, as invalidations name it. */
export type Subject = {
	/** The known keys under which the response is, or will be, stored: the primary one, and that of its variant. */
	readonly keys: readonly string[];

	/** The name of the resource, as `resourceOfRequest` gives it. */
	readonly resource: string;

	/** The target URI, without its secrets. */
	readonly url: string;

	/** The known tags of the response. */
	readonly tags: readonly string[];
};

/** What an invalidation does to responses. */
export type Effect = 'deleted' | 'expired';

/** All effects: a tag has a record for each. */
export const effects: readonly Effect[] = ['deleted', 'expired'];

/** An invalidation by a name, which is looked up when a stored response is found. */
export type NamedInvalidation =
	| {readonly kind: 'resource'; readonly resource: string}
	| {readonly kind: 'tag'; readonly tag: string; readonly effect: Effect};

/** An invalidation. It concerns responses whose request was sent before it. */
export type Invalidation =
	| NamedInvalidation
	| {readonly kind: 'key'; readonly key: string}

	/** All responses for which a condition holds; for other processes, all responses. */
	| {readonly kind: 'matching'; readonly concerns: (subject: Subject) => boolean};

/** The invalidation of all responses. */
export const everything: Invalidation = {kind: 'matching', concerns: () => true};

/** The positions before which invalidations are forgotten, of resources and of tags. */
export type Forgotten = {readonly resources: number; readonly tags: number};

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

/** The milliseconds for which an invalidated resource is remembered. An older entry is validated before it is used. */
export const resourceRetention: number = 30 * day;

/** The milliseconds for which invalidations of keys, and of everything, are remembered: a response that took longer is not stored. */
export const exchangeRetention: number = day / 24;

/** Returns the milliseconds for which the record of an invalidation is stored; `undefined` for tags, whose records stay as long as entries do. */
export function retentionOf({kind}: Invalidation): number | undefined {
	if (kind === 'tag') {
		return undefined;
	}

	return kind === 'resource' ? resourceRetention : exchangeRetention;
}

// The number of records that are remembered, to be read again only after something was invalidated.
const maxRemembered = 10_000;

// The number of records that are written at a time.
const batchSize = 100;

const headKey = 'got-cache:1:journal';

// Near 2 ** 53, the next whole number might be the same one.
const lastPosition = 2 ** 52;

/** What a record holds. */
type JournalRecord = {
	readonly position: number;

	/** Whether this process wrote it. */
	readonly isOwn: boolean;
};

type Remembered = JournalRecord & {
	readonly text: string | undefined;

	/** The head at which it was read; `null` where it must be read again. */
	readonly head: string | undefined | null;
};

/**
The invalidations in a store that several processes share. Each invalidated name has a record with the position of its last invalidation. One more record, the head, has the position of the last invalidation of all.

A position is a whole number above the head that its writer has read: milliseconds since the epoch, or one more than the head where the clock is behind. So each process continues from what it finds, whatever its clock says, and a request that began at a head is older than all that is noted by a process that reads this head later. Two processes that read the same head may write the same position: no text is written twice, so that a third process sees both.

Two processes that write the head at the same moment may reverse the order of their positions, by as much as their clocks differ. A response that was requested between the two is fetched again, but may miss an invalidation that follows within that difference.
*/
export class JournalRecords {
	readonly now: () => number;
	readonly #store: Store;
	readonly #remembered = new Map<string, Remembered>();
	#head: {readonly position: number; readonly text: string | undefined} | undefined;

	/** The highest position that was ever read or written: the store may lose its head, or be emptied. */
	#highest = 0;

	/** The numbers of the last call, and of the call that gave the head: a store may answer its calls in another order. */
	#lastCall = 0;
	#headCall = 0;

	/**
	Reads nothing yet.

	@param store - Throws its faults: a record that cannot be read may still exist.
	*/
	constructor(store: Store, now: () => number) {
		this.#store = store;
		this.now = now;
	}

	/** The position of the head as it was last read or written; `undefined` where it never was. */
	get head(): number | undefined {
		return this.#head?.position;
	}

	/**
	Reads the head.

	@returns Its position: 0 where there is none, `Infinity` where it cannot be understood, so that the records are read.
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
	Reads the last invalidation of a name, unless it is known at this head.

	@param restores - Whether to write the record of a tag again that the store has evicted.
	*/
	read(invalidation: Invalidation, restores = false): MaybePromise<JournalRecord> {
		const key = recordKey(invalidation);
		const head = this.#head?.text;
		const known = this.#remembered.get(key);
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
			this.#remember(key, record);
			// Another process may have written a later record meanwhile, which `add` leaves alone.
			return text === undefined && isEvicted && restores && invalidation.kind === 'tag' ? then(addRecord(this.#store, key, known.text!), () => record) : record;
		});
	}

	/** Writes the records first and then the head, so that a process that sees the head finds them. */
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
				const retention = retentionOf(invalidation);
				return then(writeRecord(this.#store, key, text, retention === undefined ? undefined : this.now() + retention), () => {
					this.#remember(key, {
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

	#remember(key: string, record: Remembered): void {
		this.#remembered.delete(key);
		this.#remembered.set(key, record);
		if (this.#remembered.size > maxRemembered) {
			this.#remembered.delete(this.#remembered.keys().next().value!);
		}
	}
}

/** Returns the position in the text of a record: 0 where there is none, `Infinity` where the text is not of this library, so that it concerns all entries. */
function positionIn(text: string | undefined): number {
	if (text === undefined) {
		return 0;
	}

	const position = Number(/^(?<position>\d{1,16})(?: |$)/v.exec(text)?.groups?.position ?? Infinity);
	return position < lastPosition ? position : Infinity;
}
