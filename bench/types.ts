/** What a subject needs to know: where the origin listens, and what is asked of it. */
export type Place = {
	/** Of the origin, without a slash at the end. */
	readonly origin: string;

	/** A folder of this subject's own. */
	readonly folder: string;
	readonly bytes: number;
	readonly read: 'json' | 'text' | 'buffer' | 'stream';
	readonly entries: number;
};

/** A subject that is ready: one call is one operation. */
export type Opened = {
	/** @param index - Counts up, in case that no two operations should be of the same resource. */
	run(index: number): Promise<unknown>;

	/** Resolves after everything was warmed; throws where an answer is not what it should be. */
	check?(): Promise<void>;
	close?(): Promise<void>;
};

export type Subject = (place: Place) => Promise<Opened>;

/** What one round of a subject took, in microseconds an operation. */
export type Round = {
	readonly p50: number;
	readonly mean: number;

	/** Of user and system together. */
	readonly cpu: number;
	readonly operations: number;
};

export type Goal = {
	/** Who is compared. */
	readonly subject: string;
	readonly against: string;
	readonly by: 'p50' | 'mean' | 'cpu';
	readonly atMost: number;
};

export type Scenario = {
	readonly title: string;
	readonly subjects: readonly string[];
	readonly place?: Partial<Omit<Place, 'origin' | 'folder'>>;
	readonly concurrency?: number;
	readonly goals?: readonly Goal[];
};
