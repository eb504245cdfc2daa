import process from 'node:process';
import {CacheHooksError} from '../../errors.ts';
import type {MaybePromise} from '../types.ts';
import {
	isBusy,
	isFull,
	makeRoomInLog,
	storeFaultOf,
} from './faults.ts';
import {pauseBefore} from './locks.ts';
import {inTransaction} from './schema.ts';
import type {Action} from './statements.ts';

export type Write<T = unknown> = {
	/** What readers of the key see until it is committed: the value, nothing, or, of an `add`, not yet known. A note is seen by nobody. */
	readonly kind: 'set' | 'add' | 'delete' | 'clear' | 'note';
	readonly keys: readonly string[];
	readonly value?: Uint8Array;
	readonly expires?: number | null;

	/** When it was asked for, of an `add`, in milliseconds since the epoch. */
	readonly now?: number;
	readonly run: Action<T>;

	/** What the store does in the same transaction after its writes, and what it does once that is committed. */
	readonly tidy?: Action<(() => void) | undefined>;

	/** Milliseconds for which it is tried again where it meets a lock. */
	readonly milliseconds: number;
};

type Pending = Omit<Write, 'kind'> & {kind: Write['kind']} & PromiseWithResolvers<unknown> & {readonly end: number; isSettled: boolean; hasMadeRoom: boolean};

/** Bytes of values that wait for no end of the turn, and that one transaction takes. */
const bytesPerCommit = 2_097_152;

/** Bytes of values that wait for a lock at most. */
const mostBytes = 67_108_864;

/** Those with writes that are not committed yet: a process that ends by itself makes a last attempt. */
const unwritten = new Set<WriteQueue>();
let isWatchingExit = false;

/**
What is to be written to a file: all of one turn of the event loop is committed in one transaction. Who reads in this process sees it before.
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

	/**
	Has nothing to write yet.

	@param removeFile - Removes the file where nobody else has it open, and says whether it did.
	*/
	constructor(path: string, run: <T>(action: Action<T>) => T, removeFile: () => boolean) {
		this.#path = path;
		this.#run = run;
		this.#removeFile = removeFile;
	}

	/** The last write of a key that is not committed yet. */
	of(key: string): Write | undefined {
		return this.#latest.get(key) ?? this.#clear;
	}

	/**
	Resolves once it is committed.

	Rejects, and forgets the write, where a lock is held for longer than it waits, and where it cannot be written.
	*/
	async add<T>(write: Write<T>): Promise<T> {
		if (this.#bytes > mostBytes) {
			throw new CacheHooksError('ERR_STORE_BUSY', `The SQLite store \`${this.#path}\` has ${this.#bytes} bytes that wait for a lock: a write is refused`);
		}

		const pending: Pending = {
			...write, ...Promise.withResolvers<unknown>(), end: performance.now() + write.milliseconds, isSettled: false, hasMadeRoom: false,
		};
		this.#queue.push(pending);
		this.#bytes += write.value?.byteLength ?? 0;
		if (write.kind === 'clear') {
			this.#latest.clear();
			this.#clear = pending;
		}

		this.#show(pending);
		watchExit(this);
		if (this.#attempts === 0 && this.#bytes >= bytesPerCommit) {
			this.#commit();
		}

		this.#schedule();
		return pending.promise as Promise<T>;
	}

	/** Commits what there is, and says whether nothing is left: what meets a lock is. */
	flush(): boolean {
		while (this.#queue.length > 0) {
			if (!this.#commit()) {
				return false;
			}
		}

		return true;
	}

	/** Comes back when what there is has been committed or given up: at once where it meets no lock. */
	flushed(): MaybePromise<void> {
		return this.flush() ? undefined : settled(this.#queue);
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

	/** To readers. What is added after another write of its key, which is committed before, is added for sure, or for sure not. */
	#show(write: Pending): void {
		const before = write.kind === 'add' ? this.of(write.keys[0]!) : undefined;
		if (before?.kind === 'set' && isLiveAt(before.expires, write.now!)) {
			return;
		}

		if (before !== undefined && before.kind !== 'add') {
			write.kind = 'set';
		}

		for (const key of write.keys) {
			this.#latest.set(key, write);
		}
	}

	/** One transaction. Says whether it met no lock. */
	#commit(): boolean {
		const queue = this.#queue;
		// What listeners write meanwhile comes after it.
		this.#queue = [];
		const met = this.#attempt(queue.slice(0, lengthOfBatch(queue)));
		const left = queue.filter(write => !write.isSettled);
		this.#attempts = met && left.length > 0 ? this.#attempts + 1 : 0;
		this.#queue = this.#queue.length === 0 ? left : [...left, ...this.#queue];
		if (this.#queue.length === 0) {
			unwritten.delete(this);
		}

		return !met;
	}

	/** Says whether it met a lock. What fails together is tried one by one: others must not be lost for one. */
	#attempt(writes: readonly Pending[]): boolean {
		try {
			const committed = this.#run((statements, database) => inTransaction(database, () => {
				const results = writes.map(({run}) => run(statements, database));
				const tidies = new Set(writes.map(({tidy}) => tidy));
				return {results, followUps: [...tidies].map(tidy => tidy?.(statements, database))};
			}));
			for (const [index, write] of writes.entries()) {
				this.#settle(write);
				write.resolve(committed.results[index]);
			}

			for (const followUp of committed.followUps) {
				followUp?.();
			}

			return false;
		} catch (error) {
			if (isBusy(error)) {
				this.#giveUpLate(writes, error);
				return true;
			}

			return writes.length === 1 || (error as CacheHooksError).code === 'ERR_STORE_CORRUPT' ? this.#fail(writes, error) : writes.map(write => this.#attempt([write])).includes(true);
		}
	}

	/** Rejects the first write; the others go on, after a damaged file was replaced. */
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
			write.reject(storeFaultOf(error, this.#path));
		}

		return others.length > 0 && this.#attempt(others);
	}

	#giveUpLate(writes: readonly Pending[], error: unknown): void {
		const now = performance.now();
		for (const write of writes) {
			if (!(now >= write.end)) {
				continue;
			}

			this.#settle(write);
			write.reject(storeFaultOf(error, this.#path));
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

export function isLiveAt(expires: number | null | undefined, now: number): boolean {
	return expires === null || expires === undefined || expires > now;
}

function lengthOfBatch(queue: readonly Pending[]): number {
	let bytes = 0;
	const last = queue.findIndex(({value}) => {
		bytes += value?.byteLength ?? 0;
		return bytes >= bytesPerCommit;
	});
	return last === -1 ? queue.length : last + 1;
}

async function settled(writes: readonly Pending[]): Promise<void> {
	await Promise.allSettled(writes.map(async ({promise}) => promise));
}

function watchExit(queue: WriteQueue): void {
	unwritten.add(queue);
	if (isWatchingExit) {
		return;
	}

	isWatchingExit = true;
	process.once('exit', () => {
		for (const left of unwritten) {
			left.flush();
		}
	});
}
