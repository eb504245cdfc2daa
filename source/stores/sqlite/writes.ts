import process from 'node:process';
import {CacheHooksError} from '../../errors.ts';
import type {MaybePromise} from '../../maybe-promise.ts';
import {
	isBusy,
	isFull,
	pauseBefore,
	storeErrorOf,
} from './errors.ts';
import {makeRoomInLog} from './eviction.ts';
import {inTransaction} from './schema.ts';
import type {Action} from './statements.ts';

export type Write<T = unknown> = {
	/** Decides what readers of the key see until the write is committed: the value, nothing, or, for `add`, the result of an early commit. They do not see a `note`. */
	readonly kind: 'set' | 'add' | 'delete' | 'clear' | 'note';
	readonly keys: readonly string[];
	readonly value?: Uint8Array | undefined;
	readonly expires?: number | null | undefined;

	/** The time of an `add`, in milliseconds since the epoch. */
	readonly now?: number | undefined;
	readonly run: Action<T>;

	/** Whether the write may be committed some milliseconds later, together with others. Default: `false`. */
	readonly isDeferrable?: boolean;
};

/** What all writes of a store have in common. */
export type Writer = {
	/** Runs after the writes of a store, in the same transaction, and returns what to do once it is committed. */
	readonly finish?: Action<(() => void) | undefined>;

	/** The maximum time for which a write is tried again if it meets a lock, in milliseconds. */
	readonly busyTimeout: number;
};

/** A write that is not committed. Objects of a class cost less than copies of a write. */
class Pending implements Write {
	kind: Write['kind'];
	readonly keys: Write['keys'];
	readonly value: Write['value'];
	readonly expires: Write['expires'];
	readonly now: Write['now'];
	readonly run: Write['run'];
	readonly finish: Writer['finish'];
	readonly end: number;
	result: unknown;
	isSettled = false;
	hasMadeRoom = false;
	#outcome: PromiseWithResolvers<unknown> | undefined;

	constructor({kind, keys, value, expires, now, run}: Write, {finish, busyTimeout}: Writer) {
		this.kind = kind;
		this.keys = keys;
		this.value = value;
		this.expires = expires;
		this.now = now;
		this.run = run;
		this.finish = finish;
		this.end = performance.now() + busyTimeout;
	}

	/** The promise of the result, to be asked for before the write is settled. It is made for those who wait. */
	get promise(): Promise<unknown> {
		this.#outcome ??= Promise.withResolvers<unknown>();
		return this.#outcome.promise;
	}

	resolve(result: unknown): void {
		this.#outcome?.resolve(result);
	}

	reject(error: unknown): void {
		this.#outcome?.reject(error);
	}
}

/** The size of the values of one transaction. More are committed before the turn of the event loop ends. */
const bytesPerCommit = 2_097_152;

/** The maximum size of all values that wait for a lock. */
const maxPendingBytes = 67_108_864;

/** How long a write may be deferred, in milliseconds: a transaction takes longer than the write of 10 KB itself. */
const deferral = 5;

/** The queues with writes that are not committed. They are flushed when the process exits. */
const unwritten = new Set<WriteQueue>();
let isWatchingExit = false;
let isExiting = false;

/**
The writes of a file. All writes of one turn of the event loop are committed in one transaction, with those that were deferred. Readers in this process see them before.
*/
export class WriteQueue {
	readonly #path: string;
	readonly #run: <T>(action: Action<T>) => T;
	readonly #removeFile: () => boolean;
	readonly #latest = new Map<string, Pending>();
	#queue: Pending[] = [];
	#clear: Pending | undefined;
	#bytes = 0;
	#attempts = 0;
	#isScheduled = false;
	#isDeferred = false;

	/**
	Has no writes yet.

	@param removeFile - Removes the file if no other process has it open, and returns whether it did.
	*/
	constructor(path: string, run: <T>(action: Action<T>) => T, removeFile: () => boolean) {
		this.#path = path;
		this.#run = run;
		this.#removeFile = removeFile;
		watchExit();
	}

	/** Returns the last write of a key that is not committed. */
	of(key: string): Write | undefined {
		return this.#latest.get(key) ?? this.#clear;
	}

	/**
	Adds a write. Resolves with its result once it is committed.

	Rejects, and drops the write, if a lock is held for too long or the write fails.

	@throws {CacheHooksError} `ERR_STORE_BUSY` if too many bytes are waiting.
	*/
	add<T>(write: Write<T>, writer: Writer): Promise<T> {
		const pending = new Pending(write, writer);
		const promise = pending.promise as Promise<T>;
		this.#add(pending, write.isDeferrable);
		return promise;
	}

	/**
	Adds a write whose result nobody needs, and which is dropped if it fails.

	@throws As `add`.
	*/
	addQuietly(write: Write, writer: Writer): void {
		this.#add(new Pending(write, writer), write.isDeferrable);
	}

	#add(pending: Pending, isDeferrable = false): void {
		if (this.#bytes > maxPendingBytes) {
			throw new CacheHooksError('ERR_STORE_BUSY', `A write is refused: ${this.#bytes} bytes are already waiting for a lock of the SQLite store \`${this.#path}\`.`);
		}

		this.#queue.push(pending);
		this.#bytes += pending.value?.byteLength ?? 0;
		if (pending.kind === 'clear') {
			this.#latest.clear();
			this.#clear = pending;
		}

		this.#show(pending);
		unwritten.add(this);
		if (isExiting || (this.#attempts === 0 && this.#bytes >= bytesPerCommit)) {
			this.#commit();
		}

		if (isDeferrable && this.#attempts === 0) {
			this.#defer();
		} else {
			this.#schedule();
		}
	}

	/** Commits all writes. Returns whether none is left: those that meet a lock are. */
	flush(): boolean {
		while (this.#queue.length > 0) {
			if (!this.#commit()) {
				return false;
			}
		}

		return true;
	}

	/** Commits what was deferred, unless it waits for a lock already. */
	flushDeferred(): void {
		if (this.#attempts === 0) {
			this.flush();
		}
	}

	/** Waits until all present writes have been committed or dropped: not at all if they meet no lock. */
	flushed(): MaybePromise<void> {
		return this.flush() ? undefined : settled(this.#queue);
	}

	#defer(): void {
		if (this.#isDeferred || this.#isScheduled || this.#queue.length === 0) {
			return;
		}

		this.#isDeferred = true;
		setTimeout(() => {
			this.#isDeferred = false;
			if (this.#queue.length === 0 || this.#isScheduled) {
				return;
			}

			this.#commit();
			this.#schedule();
		}, deferral);
	}

	#schedule(): void {
		if (this.#isScheduled || this.#queue.length === 0) {
			return;
		}

		this.#isScheduled = true;
		const commit = () => {
			this.#isScheduled = false;
			if (this.#queue.length > 0) {
				this.#commit();
			}

			this.#schedule();
		};

		if (this.#attempts === 0) {
			setImmediate(commit);
		} else {
			setTimeout(commit, pauseBefore(this.#attempts));
		}
	}

	/** Shows a write to readers. The result of an `add` is already known if another write of the key comes before it. */
	#show(write: Pending): void {
		const before = write.kind === 'add' ? this.of(write.keys[0]!) : undefined;
		if (before?.kind === 'set' && isUnexpired(before.expires, write.now!)) {
			return;
		}

		if (before !== undefined && before.kind !== 'add') {
			write.kind = 'set';
		}

		for (const key of write.keys) {
			this.#latest.set(key, write);
		}
	}

	/** Commits one transaction. Returns whether it met no lock. */
	#commit(): boolean {
		const queue = this.#queue;
		// Writes of listeners come after these.
		this.#queue = [];
		const length = lengthOfBatch(queue);
		const hasMetLock = this.#attempt(length === queue.length ? queue : queue.slice(0, length));
		const left = queue.filter(write => !write.isSettled);
		this.#attempts = hasMetLock && left.length > 0 ? this.#attempts + 1 : 0;
		this.#queue = left.length > 0 ? [...left, ...this.#queue] : this.#queue;
		if (this.#queue.length === 0) {
			unwritten.delete(this);
		}

		return !hasMetLock;
	}

	/** Returns whether the writes met a lock. After any other failure they are tried one by one, so that only those that fail are lost. */
	#attempt(writes: readonly Pending[]): boolean {
		try {
			const followUps = this.#run((statements, database) => inTransaction(database, () => runAll(writes, statements, database)));
			for (const write of writes) {
				this.#settle(write);
				write.resolve(write.result);
			}

			for (const followUp of followUps) {
				followUp();
			}

			return false;
		} catch (error) {
			if (isBusy(error)) {
				this.#dropLate(writes, error);
				return true;
			}

			return writes.length === 1 || (error as CacheHooksError).code === 'ERR_STORE_CORRUPT' ? this.#fail(writes, error) : writes.map(write => this.#attempt([write])).includes(true);
		}
	}

	/** Rejects the first write. The others are tried again, in the new file after a damaged one. */
	#fail([first, ...others]: readonly Pending[], error: unknown): boolean {
		const write = first!;
		if (isFull(error) && !write.hasMadeRoom) {
			write.hasMadeRoom = true;
			this.#run(makeRoomInLog);
			return this.#attempt([write]);
		}

		this.#settle(write);
		if (write.kind === 'clear' && isFull(error) && this.#removeFile()) {
			write.resolve(undefined);
		} else {
			write.reject(storeErrorOf(error, this.#path));
		}

		return others.length > 0 && this.#attempt(others);
	}

	#dropLate(writes: readonly Pending[], error: unknown): void {
		const now = performance.now();
		const late = writes.filter(({end}) => end <= now);
		for (const write of late) {
			this.#settle(write);
			write.reject(storeErrorOf(error, this.#path));
		}
	}

	#settle(write: Pending): void {
		write.isSettled = true;
		this.#bytes -= write.value?.byteLength ?? 0;
		if (this.#clear === write) {
			this.#clear = undefined;
		}

		for (const key of write.keys) {
			if (this.#latest.get(key) === write) {
				this.#latest.delete(key);
			}
		}
	}
}

export function isUnexpired(expires: number | null | undefined, now: number): boolean {
	return expires === null || expires === undefined || expires > now;
}

/** Runs the writes of a transaction, then the `finish` of each of their stores. Returns what to do once they are committed. */
function runAll(writes: readonly Pending[], ...file: Parameters<Action<unknown>>): ReadonlyArray<() => void> {
	const finishes: Array<Writer['finish']> = [];
	const followUps: Array<() => void> = [];
	for (const write of writes) {
		write.result = write.run(...file);
		if (!finishes.includes(write.finish)) {
			finishes.push(write.finish);
		}
	}

	for (const finish of finishes) {
		const followUp = finish?.(...file);
		if (followUp !== undefined) {
			followUps.push(followUp);
		}
	}

	return followUps;
}

function lengthOfBatch(queue: readonly Pending[]): number {
	let bytes = 0;
	let length = 0;
	for (const {value} of queue) {
		bytes += value?.byteLength ?? 0;
		length++;
		if (bytes >= bytesPerCommit) {
			break;
		}
	}

	return length;
}

async function settled(writes: readonly Pending[]): Promise<void> {
	await Promise.allSettled(writes.map(async ({promise}) => promise));
}

/** Commits everything at the exit of the process, also what other listeners write then. */
function watchExit(): void {
	if (isWatchingExit) {
		return;
	}

	isWatchingExit = true;
	process.once('exit', () => {
		isExiting = true;
		for (const left of unwritten) {
			left.flush();
		}
	});
}
