import {
	all,
	recover,
	then,
	type MaybePromise,
} from '../maybe-promise.ts';
import type {StoredResponse} from '../model/stored-response.ts';
import type {Store} from '../stores/types.ts';
import {
	deeds,
	everything,
	type Forgotten,
	type Invalidation,
	type NamedInvalidation,
	type Subject,
} from './invalidation.ts';
import {
	exchangeRetention,
	JournalRecords,
	recordKey,
	resourceRetention,
} from './journal-records.ts';
import type {LocalJournal} from './local-journal.ts';

// Of more keys than that, other processes are told that everything may have changed.
const mostKeys = 100;

// How far the clocks of processes are apart at most, in milliseconds, where nothing but time tells what came first.
const clockMargin = 60_000;

type JournalOptions = {
	readonly local: LocalJournal;

	/** Whether other processes may see the store. */
	readonly isShared: boolean;

	/** Throws its faults: a record that cannot be read is not the same as none. */
	readonly store: Store;
	readonly now: () => number;

	/** Told of a fault that keeps an invalidation from other processes. */
	readonly onFault: (error: unknown) => void;
};

/** What decides whether an entry is still true. */
export type Use = {
	/** The name of its resource; `undefined` where unsafe methods do not invalidate it. */
	readonly resource: (() => string) | undefined;
};

/** When an exchange began: in the order of this process, and in that of the store. */
export type Position = {
	readonly here: number;

	/** The head of the store; `undefined` where it was never read. */
	readonly head: number | undefined;

	/** Milliseconds since the epoch. */
	readonly time: number;
};

/**
What is no longer true: unsafe methods, tags, `delete`, `expire`, `clear`, `save` and `@Invalidates` note here what they concern. A response that was asked for before is neither stored, nor renewed, nor joined by a request that comes after.

A hit asks only for unsafe methods and tags, which hold for all processes and all partitions: by a record in the store, the head, which has the position of the last invalidation. Only where that has moved, the records of the resource and the tags are read again. Stores of one process need no records.
*/
export class Journal {
	readonly #local: LocalJournal;
	readonly #isShared: boolean;
	readonly #records: JournalRecords;
	readonly #now: () => number;
	readonly #onFault: (error: unknown) => void;

	/** Reads nothing yet. */
	constructor({local, isShared, store, now, onFault}: JournalOptions) {
		this.#local = local;
		this.#isShared = isShared;
		this.#records = new JournalRecords({store, now});
		this.#now = now;
		this.#onFault = onFault;
	}

	/** The position of the last invalidation by this process. */
	get last(): number {
		return this.#local.last;
	}

	/** Begins an exchange. */
	begin(): Position {
		const here = this.#local.begin();
		return {here, head: this.#isShared ? this.#records.head : here, time: this.#now()};
	}

	/** Ends an exchange that began at a position. */
	end({here}: Position): void {
		this.#local.end(here);
	}

	/**
	Notes invalidations: in this process at once, for others once it resolves.

	@returns The position at which others find them.
	@throws What the store throws. In this process they hold all the same, and they are published once it takes them.
	*/
	note(invalidations: readonly Invalidation[]): MaybePromise<number | undefined> {
		if (invalidations.length === 0) {
			return undefined;
		}

		const position = this.#local.note(invalidations, this.#now());
		if (!this.#isShared) {
			this.#local.marks.set(invalidations, position);
			return position;
		}

		for (const invalidation of forOthers(invalidations)) {
			this.#local.unpublished.add(recordKey(invalidation), invalidation);
		}

		return this.#local.unpublished.flush(this.#records);
	}

	/** As `note`, where nobody waits for it: a fault is told. */
	noteQuietly(invalidations: readonly Invalidation[]): MaybePromise<number | undefined> {
		return this.#quietly(() => this.note(invalidations));
	}

	/**
	Empties the store, its records included: what was asked for before is not stored.

	@returns The position since which it is empty; `undefined` where no other process has stored anything meanwhile.
	@throws What the store throws.
	*/
	async clear(empty: () => Promise<void>): Promise<number | undefined> {
		this.#local.note([everything], this.#now());
		// Other processes go on from the head: the next one must be after it.
		await this.#quietly(() => this.head());
		await empty();
		const position = await this.note([everything]);
		return this.#isShared ? position : undefined;
	}

	/** Resolves when what this process has noted so far is published, or cannot be: what is asked for from then on is of after it. */
	settled(): MaybePromise<void> {
		return this.#isShared ? this.#local.unpublished.settled() : undefined;
	}

	/**
	Reads the position of the last invalidation, of any process. A lookup does so in one batch with the entry.

	@throws What the store throws.
	*/
	head(): MaybePromise<number> {
		if (!this.#isShared) {
			return this.#local.last;
		}

		if (this.#local.unpublished.isDue(this.#now())) {
			void this.#quietly(() => this.#local.unpublished.flush(this.#records));
		}

		return this.#records.readHead();
	}

	/**
	Reads the position that an entry has which is written now: whatever was noted so far is from before.

	@throws What the store throws.
	*/
	position(): MaybePromise<number> {
		return then(this.settled(), () => then(this.head(), head => this.#isShared ? this.#records.head ?? 0 : head));
	}

	/** Whether something that was noted in this process after a position, and up to another, concerns a response. */
	concerns(subject: Subject, after: Position, upTo?: number): boolean {
		return this.#local.concerns(subject, after.here, upTo);
	}

	/**
	Verifies a response that was asked for at a position: nothing that was noted since, by any process, concerns it.

	@returns The position that it is stored with; `undefined` where it must not be stored.
	@throws What the store throws.
	*/
	verify(subject: Subject, after: Position): MaybePromise<number | undefined> {
		if (this.concerns(subject, after)) {
			return undefined;
		}

		return this.#isShared ? this.#changes(subject, after, false) : after.here;
	}

	/**
	Whether something that was noted after a position, by another process, concerns a response.

	@throws What the store throws.
	*/
	hasChangedElsewhere(subject: Subject, after: Position): MaybePromise<boolean> {
		return this.#isShared && then(this.#changes(subject, after, true), position => position === undefined);
	}

	/**
	An entry as it is now: expired since one of its tags was.

	@param head - The head as it was read with the entry.
	@returns `undefined` where its resource was changed by an unsafe method, or a tag of it was deleted.
	@throws What the store throws.
	*/
	judge(stored: StoredResponse, {resource}: Use, head: number): MaybePromise<StoredResponse | undefined> {
		const {tags = [], position = 0} = stored;
		if ((resource === undefined && tags.length === 0) || (head === position && this.#isPublished)) {
			return stored;
		}

		// The store has lost its head, and perhaps its records.
		if (position > head || (tags.length > 0 && position < this.#forgotten.tags)) {
			return undefined;
		}

		const changed = resource === undefined ? 0 : this.#positionOf({kind: 'resource', resource: resource()});
		return then(changed, at => {
			if (at > position) {
				return undefined;
			}

			const isForgotten = resource !== undefined && (position < this.#forgotten.resources || (this.#isShared && stored.createdAt < this.#now() - resourceRetention));
			return then(this.#tagPositions(tags), positions => this.#expired(isForgotten ? [[0, Infinity], ...positions] : positions, stored));
		});
	}

	/** An entry as its invalidations leave it. */
	#expired(positions: ReadonlyArray<readonly [deleted: number, expired: number]>, stored: StoredResponse): StoredResponse | undefined {
		const {position = 0, expires = Infinity} = stored;
		if (positions.some(([deleted]) => deleted > position)) {
			return undefined;
		}

		const times = positions.filter(([, expired]) => expired > position).map(([, expired]) => Math.min(expired, this.#now()));
		const earliest = Math.min(expires, ...times);
		return earliest === expires ? stored : {...stored, expires: earliest};
	}

	/** Whether others know of everything that this process has noted. */
	get #isPublished(): boolean {
		return !this.#isShared || this.#local.unpublished.size === 0;
	}

	get #forgotten(): Forgotten {
		return this.#isShared ? this.#local.unpublished.forgotten : this.#local.marks.forgotten;
	}

	#tagPositions(tags: readonly string[]): MaybePromise<ReadonlyArray<readonly [deleted: number, expired: number]>> {
		return all(tags.map(tag => then(
			all(deeds.map(deed => this.#positionOf({kind: 'tag', tag, deed}))),
			([deleted, expired]) => [deleted!, expired!] as const,
		)));
	}

	/** The position of the last invalidation of a name; `Infinity` while only this process knows of it. */
	#positionOf(invalidation: NamedInvalidation): MaybePromise<number> {
		if (!this.#isShared) {
			return this.#local.marks.of(invalidation);
		}

		return this.#local.unpublished.has(recordKey(invalidation)) ? Infinity : then(this.#records.read(invalidation), ({position}) => position);
	}

	/** The position up to which nothing concerns a response; `undefined` where something does. */
	#changes({keys, resource, tags}: Subject, {head: known, time}: Position, onlyElsewhere: boolean): MaybePromise<number | undefined> {
		return then(this.#records.readHead(), head => {
			const after = known ?? Math.min(head, Math.max(0, time - clockMargin));
			// Below what was known, the store has lost its head.
			if (head <= after && (onlyElsewhere || this.#isPublished)) {
				return head < after ? undefined : after;
			}

			if (this.#now() - time > exchangeRetention) {
				return undefined;
			}

			const invalidations: Invalidation[] = [
				everything,
				{kind: 'resource', resource},
				...keys.map(key => ({kind: 'key', key}) as const),
				...tags.flatMap(tag => deeds.map((deed): Invalidation => ({kind: 'tag', tag, deed}))),
			];
			const areChanged = all(invalidations.map(invalidation => this.#isNotedAfter(invalidation, after, onlyElsewhere)));
			return then(areChanged, changes => head < after || changes.includes(true) ? undefined : after);
		});
	}

	#isNotedAfter(invalidation: Invalidation, after: number, onlyElsewhere: boolean): MaybePromise<boolean> {
		const isUnpublished = !onlyElsewhere && this.#local.unpublished.has(recordKey(invalidation));
		return isUnpublished || then(this.#records.read(invalidation, true), ({position, isOwn}) => position > after && !(onlyElsewhere && isOwn));
	}

	#quietly(action: () => MaybePromise<number | undefined>): MaybePromise<number | undefined> {
		return recover(action, error => {
			this.#onFault(error);
			return undefined;
		});
	}
}

/** What other processes are told: a condition, or a great many keys, are everything. */
function forOthers(invalidations: readonly Invalidation[]): readonly Invalidation[] {
	return invalidations.length > mostKeys && invalidations.filter(({kind}) => kind === 'key').length > mostKeys
		? [...invalidations.filter(({kind}) => kind !== 'key'), everything]
		: invalidations;
}

export type {Deed, Invalidation, Subject} from './invalidation.ts';
