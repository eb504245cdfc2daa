/** What a subject needs to know: where the origin listens, and what is asked of it. */
export type Place = {
	/** Of the origin, without a slash at the end. */
	readonly origin: string;

	/** Where a Redis listens; nothing where there is none. */
	readonly redis?: string;

	/** A folder of this subject's own. */
	readonly folder: string;
	readonly bytes: number;
	readonly read: 'json' | 'text' | 'buffer' | 'stream';

	/** How many there are where there are many. */
	readonly entries: number;
};

/** A subject that is ready. */
export type Opened = {
	/**
	One operation; what is there at once is not waited for.

	@param index - Counts up, in case that no two operations should be of the same resource.
	*/
	run(index: number): unknown;

	/** Before the first round and after the last: throws where an answer is not what it should be. */
	check?(): Promise<void>;

	/** What an operation has left to be done later. It counts as the operation's CPU time. */
	settle?(): Promise<void>;

	/** What takes the place of a timed round where no time is measured, or that of a whole process. */
	weigh?(): Promise<Round>;
	close?(): Promise<void>;
};

export type Subject = (place: Place) => Promise<Opened>;

/** What a subject may need that not every machine has. */
export type Need = 'redis-server' | 'requests-cache';

/** Median and mean time of an operation and its CPU time (of user and system together), in microseconds; bytes of memory an entry; and the peak of resident memory, in bytes. */
export type Measure = 'p50' | 'mean' | 'cpu' | 'heap' | 'peak';

export type Round = Readonly<Partial<Record<Measure, number>>>;

export type Goal = {
	/** Who is compared. */
	readonly subject: string;
	readonly against: string;
	readonly by: Measure;
	readonly atMost: number;

	/** The ratio that is accepted until the goal is reached. Default: the goal itself. */
	readonly accepted?: number;
};

export type Scenario = {
	readonly title: string;
	readonly subjects: readonly string[];
	readonly place?: Partial<Pick<Place, 'bytes' | 'read' | 'entries'>>;
	readonly concurrency?: number;

	/** Into how many each round is cut: the finer subjects take turns, the less is in the ratio what disturbs the machine. Default: 1. */
	readonly blocks?: number;

	/** Fewer rounds than asked for, and one to warm up, where one takes long and says the same again. */
	readonly mostRounds?: number;
	readonly goals?: readonly Goal[];
};

export type Measured = {
	readonly scenario: Scenario;

	/** The rounds of each have been measured side by side. */
	readonly subjects: ReadonlyArray<{readonly name: string; readonly rounds: readonly Round[]}>;
	readonly failures: ReadonlyArray<{readonly name: string; readonly reason: string}>;
	readonly leftOut: ReadonlyArray<{readonly name: string; readonly need: Need}>;
};
