import {CacheHooksError, StoreTimeoutError} from '../errors.ts';
import {isPromise} from '../maybe-promise.ts';
import type {Admission} from './breaker.ts';
import {type Circuits, type CallKind} from './circuits.ts';
import {LateWrites} from './late-writes.ts';
import {isReadOnlyError} from './read-only.ts';
import {within} from './time-limit.ts';
import type {
	MaybePromise,
	SetOptions,
	Store,
	StoredValue,
	StoreQuery,
} from './types.ts';

type StoreOperation = 'get' | 'set' | 'add' | 'delete' | 'deleteMany' | 'deleteFound' | 'clear' | 'iterate' | 'find' | 'count' | 'size' | 'close';

export type StoreFault = {
	/** The call that failed. */
	readonly operation: StoreOperation;
	readonly key?: string;
	readonly error: unknown;
};

export type GuardOptions = {
	/**
	Milliseconds that one call may take; `set` and `add` have 1 ms more for every 10 kB of the value, and `clear`, `deleteFound`, `count` and `size`, which may go over everything, 60 times as much. `Infinity` sets no limit. Cannot interrupt a store that answers synchronously. Default: 500.
	*/
	readonly timeout?: number;

	/**
	Whether faults are thrown instead of being misses. Default: `false`.
	*/
	readonly throws?: boolean;

	/**
	Told of every fault that is turned into a miss. What it throws is ignored.
	*/
	readonly onError?: (fault: StoreFault) => void;

	/**
	The circuits of the store, which may be those of others that guard it, too. Default: none, so that the store is never left alone.
	*/
	readonly circuits?: Circuits | undefined;
};

type Call<T> = {
	readonly operation: StoreOperation;
	readonly key?: string;
	/** What the caller gets instead of a fault. */
	readonly miss: T;
	/** Milliseconds on top of the time limit. */
	readonly extraTime?: number;
	readonly run: () => MaybePromise<T>;
};

/** How a call has entered. */
type Entered = {
	readonly circuits: Circuits | undefined;
	readonly kind: CallKind;
	readonly admission: Admission;
};

const writes: ReadonlySet<StoreOperation> = new Set(['set', 'add', 'delete', 'deleteMany', 'deleteFound', 'clear']);
const bytesPerMillisecond = 10_000;
const timeoutsForAll = 60;

/**
Wraps a store so that it cannot break a request: a call that throws, takes too long or answers with rubbish is a miss (`get` is `undefined`, `delete` and `add` are `false`, an iteration ends, `deleteFound` is 0, `count` and `size` are `NaN`) and is told to `onError`.

With `circuits`, reads and writes are left out for 10 seconds after 5 faults in a row: they are misses at once, without a word. Then one call decides whether they are done again. While the store cannot be read, it is not written either.
Synchronous answers stay synchronous. What the store does not offer, the wrapped one does not offer either.
*/
export function guardStore(store: Store, options: GuardOptions = {}): Store {
	return new GuardedStore(store, options);
}

class GuardedStore implements Store {
	readonly name: string;
	readonly holds: Store['holds'];
	readonly #store: Store;
	readonly #late: LateWrites;
	readonly #timeout: number;
	readonly #throws: boolean;
	readonly #onError: ((fault: StoreFault) => void) | undefined;
	readonly #circuits: Circuits | undefined;
	readonly add?: NonNullable<Store['add']>;
	readonly find?: NonNullable<Store['find']>;
	readonly deleteFound?: NonNullable<Store['deleteFound']>;
	readonly count?: NonNullable<Store['count']>;
	readonly size?: NonNullable<Store['size']>;

	constructor(store: Store, {timeout = 500, throws = false, onError, circuits}: GuardOptions) {
		this.name = store.name;
		this.holds = store.holds;
		this.#store = store;
		this.#late = LateWrites.of(store);
		this.#timeout = timeout;
		this.#throws = throws;
		this.#onError = onError;
		this.#circuits = circuits;
		if (store.add !== undefined) {
			this.add = (key, value, options_) => this.#call({
				operation: 'add', key, miss: false, extraTime: timeFor(value, options_), run: () => store.add!(key, value, options_),
			});
		}

		if (store.find !== undefined) {
			this.find = query => this.#steps('find', () => store.find!(query));
		}

		const extraTime = timeout * (timeoutsForAll - 1);
		if (store.deleteFound !== undefined) {
			this.deleteFound = (query: StoreQuery) => this.#call({
				operation: 'deleteFound', miss: 0, extraTime, run: () => store.deleteFound!(query),
			});
		}

		if (store.count !== undefined) {
			this.count = () => this.#call({
				operation: 'count', miss: NaN, extraTime, run: () => store.count!(),
			});
		}

		if (store.size !== undefined) {
			this.size = () => this.#call({
				operation: 'size', miss: NaN, extraTime, run: () => store.size!(),
			});
		}
	}

	get(key: string): MaybePromise<StoredValue | undefined> {
		const store = this.#store;
		return this.#call<StoredValue | undefined>({
			operation: 'get',
			key,
			miss: undefined,
			run() {
				const answer = store.get(key);
				return isPromise(answer) ? answer.then(value => checked(value, store)) : checked(answer, store);
			},
		});
	}

	set(key: string, value: StoredValue, options: SetOptions): MaybePromise<void> {
		return this.#call({
			operation: 'set', key, miss: undefined, extraTime: timeFor(value, options), run: () => this.#afterLate(key, () => this.#store.set(key, value, options)),
		});
	}

	delete(key: string): MaybePromise<boolean> {
		return this.#call({
			operation: 'delete', key, miss: false, run: () => this.#afterLate(key, () => this.#store.delete(key)),
		});
	}

	deleteMany(keys: readonly string[]): MaybePromise<void> {
		return this.#call({operation: 'deleteMany', miss: undefined, run: () => this.#store.deleteMany(keys)});
	}

	clear(): MaybePromise<void> {
		return this.#call({
			operation: 'clear', miss: undefined, extraTime: this.#timeout * (timeoutsForAll - 1), run: () => this.#store.clear(),
		});
	}

	iterate(): AsyncGenerator<readonly [key: string, value: StoredValue], void> {
		return this.#steps('iterate', () => this.#store.iterate());
	}

	close(): MaybePromise<void> {
		return this.#call({operation: 'close', miss: undefined, run: () => this.#store.close()});
	}

	async * #steps<T>(operation: 'iterate' | 'find', open: () => AsyncIterable<T>): AsyncGenerator<T, void> {
		let entries: AsyncIterator<T> | undefined;
		const next: Call<IteratorResult<T, unknown> | undefined> = {
			operation,
			miss: undefined,
			run() {
				entries ??= open()[Symbol.asyncIterator]();
				return entries.next();
			},
		};
		let step;
		try {
			for (;;) {
				step = await this.#call(next); // eslint-disable-line no-await-in-loop
				if (step === undefined || step.done) {
					return;
				}

				yield step.value;
			}
		} finally {
			if (!step?.done) {
				// Not awaited: an iterator that hangs would hold the caller.
				void dismiss(entries);
			}
		}
	}

	#call<T>(call: Call<T>): MaybePromise<T> {
		// Closing is never left out: it gives back what the store holds.
		const circuits = call.operation === 'close' ? undefined : this.#circuits;
		const kind = writes.has(call.operation) ? 'writes' : 'reads';
		const admission = circuits?.hasFailed === true ? circuits.enter(kind) : 'normal';
		if (admission === 'barred') {
			return this.#barred(call.miss, circuits!, kind);
		}

		let answer: MaybePromise<T>;
		try {
			answer = call.run();
		} catch (error) {
			return this.#fault(call, error, {circuits, kind, admission});
		}

		if (isPromise(answer)) {
			return this.#wait(call, answer, {circuits, kind, admission});
		}

		noteSuccess({circuits, kind, admission});
		return answer;
	}

	#barred<T>(miss: T, circuits: Circuits, kind: CallKind): T {
		if (this.#throws) {
			throw circuits.barred(kind);
		}

		return miss;
	}

	/** Does something with a key, after what is still being written for it. */
	#afterLate<T>(key: string, action: () => MaybePromise<T>): MaybePromise<T> {
		const writing = this.#late.pending.get(key);
		return writing === undefined ? action() : writing.then(action);
	}

	async #wait<T>(call: Call<T>, answer: Promise<T>, entered: Entered): Promise<T> {
		const limit = this.#timeout + (call.extraTime ?? 0);
		try {
			const value = await within(limit, call.operation, answer);
			noteSuccess(entered);
			return value;
		} catch (error) {
			if (call.operation === 'set' && error instanceof StoreTimeoutError) {
				this.#late.add(call.key!, answer);
			}

			return this.#fault(call, error, entered);
		}
	}

	#fault<T>({operation, key, miss}: Call<T>, error: unknown, {circuits, kind, admission}: Entered): T {
		// A store that may not be written is no store that fails.
		if (isReadOnlyError(error)) {
			noteSuccess({circuits, kind, admission});
		} else {
			circuits?.fail(kind, admission, error);
		}

		if (this.#throws) {
			throw error;
		}

		this.#report({operation, ...(key !== undefined && {key}), error});
		return miss;
	}

	#report(fault: StoreFault): void {
		try {
			this.#onError?.(fault);
		} catch {
			// A listener must not break a request either.
		}
	}
}

function noteSuccess({circuits, kind, admission}: Entered): void {
	if (circuits?.hasFailed === true) {
		circuits.succeed(kind, admission);
	}
}

function timeFor(value: StoredValue, {size}: SetOptions): number {
	return Math.ceil((size ?? (value as {length?: number}).length ?? 0) / bytesPerMillisecond);
}

async function dismiss(entries: AsyncIterator<unknown> | undefined): Promise<void> {
	try {
		await entries?.return?.();
	} catch {
		// Nobody waits for these entries any more.
	}
}

function checked(value: StoredValue | undefined | null, {name, holds}: Store): StoredValue | undefined {
	if (value === undefined || value === null) {
		return undefined;
	}

	const isHeld = holds === 'bytes' ? value instanceof Uint8Array : typeof value === (holds === 'text' ? 'string' : 'object');
	if (!isHeld) {
		throw new CacheHooksError('ERR_STORE_VALUE', `The store \`${name}\` should hold ${holds}, and answered with a ${typeof value}`);
	}

	return value;
}
