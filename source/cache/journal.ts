import {
	all,
	recover,
	then,
	type MaybePromise,
} from '../maybe-promise.ts';
import type {StoredResponse} from '../entry/stored-response.ts';
import type {Store} from '../stores/types.ts';
import {
	effects,
	everything,
	exchangeRetention,
	recordKey,
	resourceRetention,
	type Invalidation,
	type NamedInvalidation,
	type Subject,
	JournalRecords,
} from './journal-records.ts';
import type {LocalJournal} from './local-journal.ts';

// If more keys are invalidated at once, an invalidation of everything is published instead.
const maxKeys = 100;

// The greatest assumed difference of the clocks of two processes, in milliseconds. It counts if only the time says what came first.
const clockMargin = 60_000;

type JournalOptions = {
	readonly local: LocalJournal;

	/** Whether other processes may share the store. */
	readonly isShared: boolean;

	/** Whether nothing is published, also not for other caches of this process with the same store. Default: `false`. */
	readonly isReadOnly?: boolean;

	/** A store that throws its faults: a record that cannot be read may still exist. */
	readonly store: Store;
	readonly now: () => number;

	/** Called with a fault because of which an invalidation is not published. */
	readonly onFault: (error: unknown) => void;
};

export type LookupOptions = {
	/** Whether nothing may be written, not even to delete what cannot be read. Default: `false`. */
	readonly isReadOnly?: boolean;

	/** Returns the name of the resource; `undefined` without `cacheControl`, since unsafe methods then invalidate nothing. */
	readonly resource: (() => string) | undefined;
};

/** When an exchange began, compared with the invalidations of this process and of the store. */
export type Position = {
	/** The position in the journal of this process. */
	readonly local: number;

	/** The position of the last invalidation that this process found in the store; `undefined` if it never read it. */
	readonly head: number | undefined;

	/** Milliseconds since the epoch. */
	readonly time: number;
};

/**
The invalidations of a cache by unsafe methods, tags, `delete`, `expire`, `clear`, `save` and `@Invalidates`. A response whose request was sent before an invalidation that concerns it is neither stored nor freshened, and no later request waits for it.

A hit checks unsafe methods and tags only, which concern all processes and all partitions. It reads one record of the store, the head, which has the position of the last invalidation. Only if the head has changed, it reads the records of the resource and the tags again. A store of one process needs no records.

The methods throw what the store throws.
*/
export class Journal {
	readonly #options: JournalOptions;
	readonly #records: JournalRecords;

	constructor(options: JournalOptions) {
		this.#options = options;
		this.#records = new JournalRecords(options.store, options.now);
	}

	/** The position of the last invalidation by this process. */
	get last(): number {
		return this.#options.local.last;
	}

	/** Begins an exchange. */
	begin(): Position {
		const local = this.#options.local.begin();
		return {local, head: this.#options.isShared ? this.#records.head : local, time: this.#options.now()};
	}

	/** Ends an exchange that began at a position. */
	end({local}: Position): void {
		this.#options.local.end(local);
	}

	/**
	Adds invalidations. They take effect in this process at once, and in others when the returned promise resolves.

	@returns The position at which other processes find them.
	@throws What the store throws. They take effect in this process all the same, and are published once the store works.
	*/
	invalidate(invalidations: readonly Invalidation[]): MaybePromise<number | undefined> {
		if (invalidations.length === 0) {
			return undefined;
		}

		const position = this.#options.local.add(invalidations, this.#options.now());
		if (!this.#options.isShared) {
			this.#options.local.names.set(invalidations, position);
			return position;
		}

		for (const invalidation of forOthers(invalidations)) {
			this.#options.local.unpublished.add(recordKey(invalidation), invalidation);
		}

		return this.#options.local.unpublished.flush(this.#records);
	}

	/** Does the same as `invalidate` if nobody waits: a fault is passed to `onFault`. */
	invalidateQuietly(invalidations: readonly Invalidation[]): MaybePromise<number | undefined> {
		return this.#quietly(() => this.invalidate(invalidations));
	}

	/**
	Empties the store, its records included. A response that was requested before is not stored.

	@returns The position since which the store is empty; `undefined` if no other process can have stored anything meanwhile.
	*/
	async clear(empty: () => Promise<void>): Promise<number | undefined> {
		this.#options.local.add([everything], this.#options.now());
		// Other processes continue from the head: the next one must be above it.
		await this.#quietly(() => this.head());
		await empty();
		const position = await this.invalidate([everything]);
		return this.#options.isShared ? position : undefined;
	}

	/** Resolves when all invalidations by this process are published, or cannot be: they do not concern responses to requests that are sent from then on. */
	settled(): MaybePromise<void> {
		return this.#options.isShared ? this.#options.local.unpublished.settled() : undefined;
	}

	/** Reads the position of the last invalidation of any process. A lookup reads it in one batch with the entry. */
	head(): MaybePromise<number> {
		if (!this.#options.isShared) {
			return this.#options.local.last;
		}

		if (this.#options.isReadOnly !== true && this.#options.local.unpublished.isDue(this.#options.now())) {
			void this.#quietly(() => this.#options.local.unpublished.flush(this.#records));
		}

		return this.#records.readHead();
	}

	/** Reads the position for an entry that is written now: no invalidation so far concerns it. */
	position(): MaybePromise<number> {
		return then(this.settled(), () => then(this.head(), head => this.#options.isShared ? this.#records.head ?? 0 : head));
	}

	/** Whether an invalidation by this process after a position, and up to another, concerns a response. */
	concerns(subject: Subject, after: Position, upTo?: number): boolean {
		return this.#options.local.concerns(subject, after.local, upTo);
	}

	/**
	Verifies that no invalidation since a position, by any process, concerns a response to a request that was sent then.

	@returns The position that it is stored with; `undefined` if it must not be stored.
	*/
	verify(subject: Subject, after: Position): MaybePromise<number | undefined> {
		if (this.concerns(subject, after)) {
			return undefined;
		}

		return this.#options.isShared ? this.#changes(subject, after, false) : after.local;
	}

	/** Whether an invalidation by another process after a position concerns a response. */
	hasChangedElsewhere(subject: Subject, after: Position): MaybePromise<boolean> {
		return this.#options.isShared && then(this.#changes(subject, after, true), position => position === undefined);
	}

	/**
	Applies invalidations to an entry: it is expired if one of its tags was.

	@param head - The head as it was read with the entry.
	@returns `undefined` if its resource was changed by an unsafe method, or one of its tags was deleted.
	*/
	apply(stored: StoredResponse, {resource}: LookupOptions, head: number): MaybePromise<StoredResponse | undefined> {
		const {tags = [], position = 0} = stored;
		if ((resource === undefined && tags.length === 0) || (head === position && this.#isPublished)) {
			return stored;
		}

		// A head below the position of the entry means that the store has lost it, and perhaps its records.
		if (position > head || (tags.length > 0 && position < this.#discarded)) {
			return undefined;
		}

		const changed = resource === undefined ? 0 : this.#positionOf({kind: 'resource', resource: resource()});
		return then(changed, at => {
			if (at > position) {
				return undefined;
			}

			const isDiscarded = resource !== undefined && (position < this.#discarded || (this.#options.isShared && stored.createdAt < this.#options.now() - resourceRetention));
			return then(this.#tagPositions(tags), positions => this.#applyTags(isDiscarded ? [[0, Infinity], ...positions] : positions, stored));
		});
	}

	/** Applies the deletions and expirations of its tags to an entry; `undefined` if one was deleted. */
	#applyTags(positions: ReadonlyArray<readonly [deleted: number, expired: number]>, stored: StoredResponse): StoredResponse | undefined {
		const {position = 0, expires = Infinity} = stored;
		if (positions.some(([deleted]) => deleted > position)) {
			return undefined;
		}

		const times = positions.filter(([, expired]) => expired > position).map(([, expired]) => Math.min(expired, this.#options.now()));
		const earliest = Math.min(expires, ...times);
		return earliest === expires ? stored : {...stored, expires: earliest};
	}

	/** Whether other processes know of all invalidations by this process. */
	get #isPublished(): boolean {
		return !this.#options.isShared || this.#options.local.unpublished.size === 0;
	}

	get #discarded(): number {
		return this.#options.isShared ? this.#options.local.unpublished.discarded : this.#options.local.names.discarded;
	}

	#tagPositions(tags: readonly string[]): MaybePromise<ReadonlyArray<readonly [deleted: number, expired: number]>> {
		return all(tags, tag => then(
			all(effects, effect => this.#positionOf({kind: 'tag', tag, effect})),
			([deleted, expired]) => [deleted!, expired!] as const,
		));
	}

	/** Returns the position of the last invalidation of a name; `Infinity` while only this process knows of it. */
	#positionOf(invalidation: NamedInvalidation): MaybePromise<number> {
		if (!this.#options.isShared) {
			return this.#options.local.names.positionOf(invalidation);
		}

		return this.#options.local.unpublished.has(recordKey(invalidation)) ? Infinity : then(this.#records.read(invalidation), ({position}) => position);
	}

	/** Returns the position up to which nothing concerns a response; `undefined` if something does. */
	#changes(subject: Subject, {head: known, time}: Position, onlyElsewhere: boolean): MaybePromise<number | undefined> {
		return then(this.#records.readHead(), head => {
			const after = known ?? Math.min(head, Math.max(0, time - clockMargin));
			// A head below the known one means that the store has lost its records.
			if (head <= after && (onlyElsewhere || this.#isPublished)) {
				return head < after ? undefined : after;
			}

			if (this.#options.now() - time > exchangeRetention) {
				return undefined;
			}

			const {keys, resource, tags} = subject;
			const invalidations: Invalidation[] = [
				everything,
				{kind: 'resource', resource},
				...keys.map(key => ({kind: 'key', key}) as const),
				...tags.flatMap(tag => effects.map((effect): Invalidation => ({kind: 'tag', tag, effect}))),
			];
			const areChanged = all(invalidations, invalidation => this.#isInvalidatedAfter(invalidation, after, onlyElsewhere));
			return then(areChanged, changes => head < after || changes.includes(true) ? undefined : after);
		});
	}

	#isInvalidatedAfter(invalidation: Invalidation, after: number, onlyElsewhere: boolean): MaybePromise<boolean> {
		const isUnpublished = !onlyElsewhere && this.#options.local.unpublished.has(recordKey(invalidation));
		return isUnpublished || then(this.#records.read(invalidation, true), ({position, isOwn}) => position > after && !(onlyElsewhere && isOwn));
	}

	#quietly(action: () => MaybePromise<number | undefined>): MaybePromise<number | undefined> {
		return recover(action, error => {
			this.#options.onFault(error);
			return undefined;
		});
	}
}

/** Returns the invalidations to publish: instead of a great many keys, everything. */
function forOthers(invalidations: readonly Invalidation[]): readonly Invalidation[] {
	const others = invalidations.filter(({kind}) => kind !== 'key');
	return invalidations.length - others.length > maxKeys ? [...others, everything] : invalidations;
}
