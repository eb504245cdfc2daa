import {hash} from 'node:crypto';
import {all, recover, then, type MaybePromise} from '../maybe-promise.ts';
import type {StoredResponse} from '../model/stored-response.ts';
import type {Store} from '../stores/types.ts';
import type {Deed, Invalidation, LocalJournal, Subject} from './local-journal.ts';
import {decodeRecord, encodeRecord} from './records.ts';

const day = 86_400_000;

// An invalidated resource is remembered so long. What was stored before, and is older, is validated before it is used.
const resourceRetention = 30 * day;

// What is under way in another process ends within that time.
const exchangeRetention = day / 24;

// So many positions are remembered, so that they are read again only after something was invalidated.
const mostRemembered = 10_000;

const headKey = 'got-cache:1:journal';

export type JournalOptions = {
	readonly local: LocalJournal;

	/** Whether other processes may see the store. */
	readonly isShared: boolean;

	/** Throws its faults: a record that cannot be read is not the same as none. */
	readonly store: Store;
	readonly now: () => number;

	/** Told of a fault that keeps an invalidation from other processes. */
	readonly onFault: (error: unknown) => void;
};

const everything: Invalidation = {kind: 'matching', concerns: () => true};

/** What decides whether an entry is still true. */
export type Use = {
	/** The name of its resource; `undefined` where unsafe methods do not invalidate it. */
	readonly resource: (() => string) | undefined;
};

/**
What is no longer true: unsafe methods, tags, `delete`, `expire`, `clear`, `save` and `@Invalidates` note here what they concern. A response that was asked for before is neither stored, nor renewed, nor joined by a request that comes after.

A hit asks only for unsafe methods and tags, which hold for all processes and all partitions: by a record in the store, the head, which has the position of the last invalidation. Only where that has moved, the records of the resource and the tags are read again. Stores of one process need no records.
*/
export class Journal {
	readonly #local: LocalJournal;
	readonly #store: Store;
	readonly #isShared: boolean;
	readonly #now: () => number;
	readonly #onFault: (error: unknown) => void;

	/** Positions by the key of their record, each with the head at which it was read. */
	readonly #read = new Map<string, {readonly head: number; readonly position: number}>();
	#pending: Promise<void> | undefined;

	/** Reads nothing yet. */
	constructor({local, isShared, store, now, onFault}: JournalOptions) {
		this.#local = local;
		this.#store = store;
		this.#isShared = isShared;
		this.#now = now;
		this.#onFault = onFault;
	}

	/** The position of the last invalidation that this process knows of. */
	get last(): number {
		return this.#local.last;
	}

	/** Begins an exchange; gives its position. */
	begin(): number {
		return this.#local.begin();
	}

	/** Ends an exchange that began at a position. */
	end(position: number): void {
		this.#local.end(position);
	}

	/**
	Notes invalidations: in this process at once, for others once it resolves.

	@throws What the store throws; in this process they hold all the same.
	*/
	note(invalidations: readonly Invalidation[]): MaybePromise<void> {
		if (invalidations.length === 0) {
			return;
		}

		const provisional = this.#local.next(this.#now());
		this.#local.note(invalidations, provisional);
		if (!this.#isShared) {
			return;
		}

		const noted = then(this.#pending, () => then(this.#readHead(), head => this.#publish(invalidations, Math.max(provisional, head + 1))));
		if (noted instanceof Promise) {
			const pending: Promise<void> = noted.catch(() => undefined).then(() => {
				this.#pending = this.#pending === pending ? undefined : this.#pending;
			});
			this.#pending = pending;
		}

		return noted;
	}

	/** As `note`, where nobody waits for it: a fault is told. */
	noteQuietly(invalidations: readonly Invalidation[]): MaybePromise<void> {
		return recover(() => this.note(invalidations), error => {
			this.#onFault(error);
		});
	}

	/** Reads the position of the last invalidation, of any process. A lookup does so in one batch with the entry. */
	head(): MaybePromise<number> {
		if (!this.#isShared) {
			return this.#local.last;
		}

		return then(this.#pending, () => then(this.#readHead(), head => {
			this.#local.reach(head);
			return this.#local.last;
		}));
	}

	/** Notes in this process alone that everything that was asked for before is no longer true. */
	noteHere(): void {
		this.#local.note([everything], this.#local.next(this.#now()));
	}

	/** Whether something that was noted in this process after a position, and up to another, concerns a response. */
	concerns(subject: Subject, after: number, upTo?: number): boolean {
		return this.#local.concerns(subject, after, upTo);
	}

	/**
	Whether something that was noted after a position, by any process, concerns a response: then it is not stored.

	@throws What the store throws.
	*/
	hasChanged(subject: Subject, after: number): MaybePromise<boolean> {
		if (this.#local.concerns(subject, after)) {
			return true;
		}

		return this.hasChangedElsewhere(subject, after);
	}

	/**
	Whether something that was noted after a position, by another process, concerns a response.

	@throws What the store throws.
	*/
	hasChangedElsewhere(subject: Subject, after: number): MaybePromise<boolean> {
		return this.#isShared && then(this.head(), head => head > after && this.#hasRecordAfter(subject, after, head));
	}

	/**
	An entry as it is now: expired since one of its tags was.

	@param head - The head as it was read with the entry.
	@returns `undefined` where its resource was changed by an unsafe method, or a tag of it was deleted.
	@throws What the store throws.
	*/
	judge(stored: StoredResponse, {resource}: Use, head: number): MaybePromise<StoredResponse | undefined> {
		const {tags = [], position = 0, createdAt} = stored;
		if (head <= position || (resource === undefined && tags.length === 0)) {
			return stored;
		}

		if (tags.length > 0 && position <= this.#local.forgotten.tags) {
			return undefined;
		}

		const changed = resource === undefined ? -Infinity : this.#positionOf({kind: 'resource', resource: resource()}, head);
		return then(changed, at => at > position ? undefined : then(this.#tagPositions(tags, head), positions => {
			if (positions.some(([deleted]) => deleted > position)) {
				return undefined;
			}

			const isUnknown = resource !== undefined && (position <= this.#local.forgotten.resources || createdAt < this.#now() - resourceRetention);
			const expirations = positions.map(([, expired]) => expired > position ? Math.min(expired, this.#now()) : Infinity);
			const expires = Math.min(stored.expires ?? Infinity, isUnknown ? this.#now() : Infinity, ...expirations);
			return expires === (stored.expires ?? Infinity) ? stored : {...stored, expires};
		}));
	}

	/** The store was emptied, its records included. What was asked for before is not stored. */
	noteCleared(): MaybePromise<void> {
		this.#read.clear();
		return this.note([everything]);
	}

	#tagPositions(tags: readonly string[], head: number): MaybePromise<ReadonlyArray<readonly [deleted: number, expired: number]>> {
		return all(tags.map(tag => then(
			all((['deleted', 'expired'] as const).map(deed => this.#positionOf({kind: 'tag', tag, deed}, head))),
			([deleted, expired]) => [deleted!, expired!] as const,
		)));
	}

	#positionOf(invalidation: Exclude<Invalidation, {kind: 'matching' | 'key'}>, head: number): MaybePromise<number> {
		const local = invalidation.kind === 'tag' ? this.#local.ofTag(invalidation.tag, invalidation.deed) : this.#local.ofResource(invalidation.resource);
		return this.#isShared ? then(this.#readPosition(invalidation, head), position => Math.max(local, position)) : local;
	}

	#hasRecordAfter({key, resource, tags}: Subject, after: number, head: number): MaybePromise<boolean> {
		const invalidations: Invalidation[] = [
			everything,
			{kind: 'resource', resource},
			...(key === undefined ? [] : [{kind: 'key', key} as const]),
			...tags.flatMap(tag => (['deleted', 'expired'] as const).map((deed): Invalidation => ({kind: 'tag', tag, deed}))),
		];
		return then(all(invalidations.map(invalidation => this.#readPosition(invalidation, head))), positions => positions.some(position => position > after));
	}

	/** The records come before the head, so that whoever sees the head finds them. */
	#publish(invalidations: readonly Invalidation[], position: number): MaybePromise<void> {
		if (position > this.#local.last) {
			this.#local.note(invalidations, position);
		}

		const records = new Map(invalidations.map(invalidation => [recordKey(invalidation), retentionOf(invalidation)]));
		const written = all(Array.from(records, ([key, retention]) => this.#write(key, position, retention)));
		return then(written, () => this.#write(headKey, position, undefined));
	}

	#readHead(): MaybePromise<number> {
		return then(this.#store.get(headKey), value => positionIn(decodeRecord(value)));
	}

	#readPosition(invalidation: Invalidation, head: number): MaybePromise<number> {
		const key = recordKey(invalidation);
		const known = this.#read.get(key);
		if (known?.head === head) {
			return known.position;
		}

		return then(this.#store.get(key), value => {
			const read = positionIn(decodeRecord(value));
			const position = Math.max(read, known?.position ?? 0);
			this.#remember(key, head, position);
			// A bounded store may have dropped the record, and what was deleted must not come back.
			return position > read && invalidation.kind === 'tag' ? then(this.#write(key, position, undefined), () => position) : position;
		});
	}

	#write(key: string, position: number, retention: number | undefined): MaybePromise<void> {
		const expires = retention === undefined ? undefined : this.#now() + retention;
		return then(this.#store.set(key, encodeRecord(String(position), this.#store.holds), {expires, size: 16}), () => {
			if (key !== headKey) {
				this.#remember(key, -1, position);
			}
		});
	}

	#remember(key: string, head: number, position: number): void {
		this.#read.delete(key);
		this.#read.set(key, {head, position});
		if (this.#read.size > mostRemembered) {
			this.#read.delete(this.#read.keys().next().value!);
		}
	}
}

function recordKey(invalidation: Invalidation): string {
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

/** Of tags as long as what is stored; of the others as long as somebody may ask for them. */
function retentionOf({kind}: Invalidation): number | undefined {
	if (kind === 'tag') {
		return undefined;
	}

	return kind === 'resource' ? resourceRetention : exchangeRetention;
}

function digest(text: string): string {
	return hash('sha256', text, 'hex');
}

/** What is no record of ours is as good as one that was just made: nothing stored is of after it. */
function positionIn(text: string | undefined): number {
	if (text === undefined) {
		return 0;
	}

	const position = Number(text.split(' ', 1)[0]);
	return Number.isFinite(position) ? position : Infinity;
}

export type {Deed, Invalidation, Subject} from './local-journal.ts';
