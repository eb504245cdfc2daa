import {hash, randomUUID} from 'node:crypto';
import {all, then, type MaybePromise} from '../maybe-promise.ts';
import type {Store} from '../stores/types.ts';
import type {Invalidation} from './invalidation.ts';
import {decodeRecord, encodeRecord} from './records.ts';
import type {Batch, Publisher} from './unpublished.ts';

const day = 86_400_000;

/** The milliseconds for which an invalidated resource is remembered. An entry that is older than that is validated before it is used. */
export const resourceRetention: number = 30 * day;

/** The milliseconds for which invalidations of keys, and of everything, are remembered: a response that took longer is not stored. */
export const exchangeRetention: number = day / 24;

// So many records are remembered, so that they are read again only after something was invalidated.
const mostRemembered = 10_000;

// So many records are written at a time.
const writesAtOnce = 100;

const headKey = 'got-cache:1:journal';

// Near 2 ** 53, the next whole number might be the same one.
const lastPosition = 2 ** 52;

/** What a record says. */
type Mark = {
	readonly position: number;

	/** Whether this process wrote it. */
	readonly isOwn: boolean;
};

type Remembered = Mark & {
	readonly text: string | undefined;

	/** The head at which it was read; `null` where it is to be read again. */
	readonly head: string | undefined | null;
};

type JournalRecordsOptions = {
	/** A store that throws its faults: a record that cannot be read is not the same as none. */
	readonly store: Store;
	readonly now: () => number;
};

/**
The invalidations in a store that several processes see: one record for each name, with the position of its last invalidation, and one, the head, with that of the last of all.

A position is a whole number above the head that its writer has read: milliseconds since the epoch, or one more than the head where the clock says less. So each process goes on from what it finds, whatever its clock says, and what was asked for at a head is from before all that is noted by whoever reads that head later. Two processes that read the same head may write the same position: no text is written twice, so that a third one sees both of them.

Two that write the head at the same moment may turn the order of their positions round, by as much as their clocks differ. What was asked for between the two is fetched once more, but may miss an invalidation that follows within that difference.
*/
export class JournalRecords implements Publisher {
	readonly now: () => number;
	readonly #store: Store;
	readonly #remembered = new Map<string, Remembered>();
	#head: {readonly position: number; readonly text: string | undefined} | undefined;

	/** The highest position that was ever read or written: the store may lose its head, or be emptied. */
	#highest = 0;

	/** The numbers of the last call, and of the call that gave the head: a store may answer its calls in another order. */
	#lastCall = 0;
	#headCall = 0;

	/** Reads nothing yet. */
	constructor({store, now}: JournalRecordsOptions) {
		this.#store = store;
		this.now = now;
	}

	/** The position of the head as it was last read or written; `undefined` where it never was. */
	get head(): number | undefined {
		return this.#head?.position;
	}

	/**
	Reads the head.

	@returns Its position: 0 where there is none, `Infinity` where it cannot be understood, so that the records are looked at.
	*/
	readHead(): MaybePromise<number> {
		this.#lastCall++;
		const call = this.#lastCall;
		return then(this.#store.get(headKey), value => {
			const text = textOf(value);
			const position = positionIn(text);
			this.#setHead(call, text, position);
			return position;
		});
	}

	/**
	Reads what was last noted of a name, unless it is known at this head.

	@param restores - Whether the record of a tag is written again that the store has dropped.
	*/
	read(invalidation: Invalidation, restores = false): MaybePromise<Mark> {
		const key = recordKey(invalidation);
		const head = this.#head?.text;
		const known = this.#remembered.get(key);
		if (known !== undefined && known.head === head) {
			return known;
		}

		return then(this.#store.get(key), value => {
			const text = textOf(value);
			const position = positionIn(text);
			const isDropped = known !== undefined && known.position > position;
			const isOwn = known?.isOwn === true && known.text === text;
			const mark = isDropped
				? {...known, head}
				: {
					position, text, isOwn, head,
				};
			this.#remember(key, mark);
			return text === undefined && isDropped && restores && invalidation.kind === 'tag' ? then(this.#restore(key, known.text!), () => mark) : mark;
		});
	}

	/** Writes the records first and then the head, so that whoever sees the head finds them. */
	publish(batch: Batch): MaybePromise<number> {
		return then(this.readHead(), () => {
			const position = Math.max(Math.floor(this.now()), this.#highest + 1);
			const text = `${position} ${randomUUID()}`;
			return then(this.#writeAll(batch, position, text), () => {
				this.#lastCall++;
				const call = this.#lastCall;
				return then(this.#write(headKey, text, undefined), () => {
					this.#setHead(call, text, position);
					return position;
				});
			});
		});
	}

	#writeAll(batch: Batch, position: number, text: string): MaybePromise<unknown> {
		const records = [...batch];
		let written: MaybePromise<unknown>;
		for (let start = 0; start < records.length; start += writesAtOnce) {
			const chunk = records.slice(start, start + writesAtOnce);
			written = then(written, () => all(chunk, ([key, {invalidation}]) => then(this.#write(key, text, retentionOf(invalidation)), () => {
				this.#remember(key, {
					position, text, isOwn: true, head: null,
				});
			})));
		}

		return written;
	}

	#write(key: string, text: string, retention: number | undefined): MaybePromise<void> {
		const expires = retention === undefined ? undefined : this.now() + retention;
		return this.#store.set(key, encodeRecord(text, this.#store.holds), {expires, size: text.length});
	}

	/** Writes a record again that the store has dropped, unless another process has written a later one meanwhile. */
	#restore(key: string, text: string): MaybePromise<unknown> {
		return this.#store.add?.(key, encodeRecord(text, this.#store.holds), {expires: undefined, size: text.length});
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

	#remember(key: string, mark: Remembered): void {
		this.#remembered.delete(key);
		this.#remembered.set(key, mark);
		if (this.#remembered.size > mostRemembered) {
			this.#remembered.delete(this.#remembered.keys().next().value!);
		}
	}
}

/** The key of the record of an invalidation. One by a condition has that of everything. */
export function recordKey(invalidation: Invalidation): string {
	switch (invalidation.kind) {
		case 'resource': {
			return `got-cache:1:resource:${digest(invalidation.resource)}`;
		}

		case 'tag': {
			return `got-cache:1:tag:${invalidation.deed}:${digest(invalidation.tag)}`;
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

/** The milliseconds for which the record of an invalidation is kept; `undefined` for tags, whose records stay as long as entries do. */
function retentionOf({kind}: Invalidation): number | undefined {
	if (kind === 'tag') {
		return undefined;
	}

	return kind === 'resource' ? resourceRetention : exchangeRetention;
}

function digest(text: string): string {
	return hash('sha256', text, 'hex');
}

function textOf(value: Awaited<ReturnType<Store['get']>>): string | undefined {
	return value === undefined ? undefined : decodeRecord(value) ?? '';
}

/** The position in the text of a record: 0 where there is none, `Infinity` where the text is not of this library, so that it concerns all entries. */
function positionIn(text: string | undefined): number {
	if (text === undefined) {
		return 0;
	}

	const position = Number(/^(?<position>\d{1,16})(?: |$)/v.exec(text)?.groups?.position ?? Infinity);
	return position < lastPosition ? position : Infinity;
}
