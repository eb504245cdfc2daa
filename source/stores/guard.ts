import {CacheHooksError, errorTypeOf, StoreTimeoutError} from '../errors.ts';
import {isPromise, settledInTime, type MaybePromise} from '../maybe-promise.ts';
import type {Admission, Circuits} from './circuits.ts';
import {isReadOnlyError, isWrite} from './read-only.ts';
import {storeCalls, type StoreCallEvent} from './store-calls.ts';
import {bytesPerMillisecond, LateWrites} from './time-limit.ts';
import type {
	LockStore,
	SetOptions,
	SetResult,
	Store,
	StoredValue,
} from './types.ts';

type StoreOperation = 'get' | 'set' | 'add' | 'delete' | 'deleteMany' | 'deleteFound' | 'clear' | 'iterate' | 'find' | 'count' | 'size' | 'close';

export type FailedCall = {
	/** The call that failed. */
	readonly operation: StoreOperation;
	readonly key?: string;
	readonly error: unknown;
};

export type GuardOptions = {
	/**
	The maximum time that one call may take, in milliseconds; `set` and `add` have 1 ms more for every 10 kB of the value, and `clear`, `deleteFound`, `count` and `size`, which may visit every entry, 60 times as much. `Infinity` sets no limit. A store that answers synchronously cannot be interrupted. Default: 500.
	*/
	readonly timeout?: number;

	/**
	Whether to throw errors of the store instead of treating them as misses. Default: `false`.
	*/
	readonly throws?: boolean;

	/**
	Called with every error that is treated as a miss. What the function throws is ignored.
	*/
	readonly onError?: (fault: FailedCall) => void;

	/**
	The circuit breakers of the store, which several guards may share. Default: none, so that every call reaches the store.
	*/
	readonly circuits?: Circuits | undefined;

	/** The `cacheName` of the cache, for those who measure its calls. Default: `''`. */
	readonly cacheName?: string;

	/** A clock that never goes back, in milliseconds, which measures calls. Default: `performance.now`. */
	readonly clock?: () => number;
};

type Call<T> = {
	readonly operation: StoreOperation;
	readonly key?: string;

	/** What the caller gets in place of an error. */
	readonly miss: T;

	/** In milliseconds. Default: the `timeout` of the guard. */
	readonly timeLimit?: number;
	readonly run: () => MaybePromise<T>;
};

/** A call that was made. */
type MadeCall<T> = Omit<Call<T>, 'run'> & {
	/** When it was made, by the clock of the guard; `undefined` if nobody measures it. */
	readonly start?: number | undefined;
};

/** How many times `timeout` a call may take that may visit every entry. */
const timeoutsForAllEntries = 60;

/**
Wraps a store so that it cannot break a request. A call that throws, takes too long or answers with a value of the wrong type becomes a miss (`undefined` for `get`, `'failed'` for `set`, `false` for `delete` and `add`, the end of an iteration, 0 for `deleteFound`, `NaN` for `count` and `size`) and is reported to `onError`.

With `circuits`, reads or writes are left out for 10 seconds after 5 consecutive failures: they are misses at once and are not reported. Then one call decides whether the store is used again.

Synchronous answers stay synchronous. Optional methods exist where the store has them.
*/
export function guardStore(store: Store, options: GuardOptions = {}): Store {
	return new GuardedStore(store, options);
}

class GuardedStore implements Store {
	readonly name: string;
	readonly valueType: Store['valueType'];
	readonly scope: Store['scope'];
	readonly #store: Store;
	readonly #lateWrites: LateWrites;
	readonly #timeout: number;
	readonly #throws: boolean;
	readonly #onError: ((fault: FailedCall) => void) | undefined;
	readonly #circuits: Circuits | undefined;
	readonly #cacheName: string;
	readonly #clock: () => number;
	readonly locks: LockStore | undefined;
	readonly add?: NonNullable<Store['add']>;
	readonly flush?: NonNullable<Store['flush']>;
	readonly find?: NonNullable<Store['find']>;
	readonly deleteFound?: NonNullable<Store['deleteFound']>;
	readonly count?: NonNullable<Store['count']>;
	readonly size?: NonNullable<Store['size']>;

	constructor(store: Store, options: GuardOptions) {
		const {timeout = 500, throws = false, onError, circuits, cacheName = '', clock = () => performance.now()} = options;
		this.name = store.name;
		this.valueType = store.valueType;
		this.scope = store.scope;
		// Only the calls of a `LockStore` are made of it.
		this.locks = store.locks && new GuardedStore(store.locks as Store, options) as unknown as LockStore;
		this.#store = store;
		this.#lateWrites = LateWrites.of(store);
		this.#timeout = timeout;
		this.#throws = throws;
		this.#onError = onError;
		this.#circuits = circuits;
		this.#cacheName = cacheName;
		this.#clock = clock;
		const ofAll = <T>(operation: 'deleteFound' | 'count' | 'size', miss: T, run: () => MaybePromise<T>): MaybePromise<T> => this.#call({
			operation, miss, timeLimit: timeout * timeoutsForAllEntries, run,
		});
		Object.assign<Partial<Store>, Partial<Store>>(this, {
			...store.add && {
				add: (key, value, settings) => this.#call({
					operation: 'add', key, miss: false, timeLimit: timeout + timeFor(value, settings), run: () => store.add!(key, value, settings),
				}),
			},
			...store.flush && {
				flush() {
					store.flush!();
				},
			},
			...store.find && {find: query => this.#iterate('find', () => store.find!(query))},
			...store.deleteFound && {deleteFound: query => ofAll('deleteFound', 0, () => store.deleteFound!(query))},
			...store.count && {count: () => ofAll('count', NaN, () => store.count!())},
			...store.size !== undefined && {size: () => ofAll('size', NaN, () => store.size!())},
		} satisfies Partial<Store>);
	}

	get(key: string): MaybePromise<StoredValue | undefined> {
		return this.#circuits?.hasFailed === true || storeCalls.hasSubscribers
			? this.#call<StoredValue | undefined>({
				operation: 'get', key, miss: undefined, run: () => this.#store.get(key),
			})
			: this.#get(key);
	}

	/** Reads without the objects of a `Call`, which most reads of a synchronous store do not need. */
	#get(key: string): MaybePromise<StoredValue | undefined> {
		try {
			const answer = this.#store.get(key);
			return isPromise(answer) ? this.#wait({operation: 'get', key, miss: undefined}, answer, 'allowed') : checked(answer, this.#store);
		} catch (error) {
			this.#fail({operation: 'get', key, miss: undefined}, error, 'allowed');
		}
	}

	set(key: string, value: StoredValue, options: SetOptions): MaybePromise<SetResult> {
		return this.#call<SetResult>({
			operation: 'set', key, miss: 'failed', timeLimit: this.#timeout + timeFor(value, options), run: () => this.#afterLateWrite(key, () => this.#store.set(key, value, options)),
		});
	}

	delete(key: string): MaybePromise<boolean> {
		return this.#call({
			operation: 'delete', key, miss: false, run: () => this.#afterLateWrite(key, () => this.#store.delete(key)),
		});
	}

	deleteMany(keys: readonly string[]): MaybePromise<void> {
		return this.#call({operation: 'deleteMany', miss: undefined, run: () => this.#store.deleteMany(keys)});
	}

	clear(): MaybePromise<void> {
		return this.#call({
			operation: 'clear', miss: undefined, timeLimit: this.#timeout * timeoutsForAllEntries, run: () => this.#store.clear(),
		});
	}

	iterate(): AsyncGenerator<readonly [key: string, value: StoredValue], void> {
		return this.#iterate('iterate', () => this.#store.iterate());
	}

	close(): MaybePromise<void> {
		return this.#call({operation: 'close', miss: undefined, run: () => this.#store.close()});
	}

	async * #iterate<T>(operation: 'iterate' | 'find', open: () => AsyncIterable<T>): AsyncGenerator<T, void> {
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
				void closeIterator(entries);
			}
		}
	}

	#afterLateWrite<T>(key: string, action: () => MaybePromise<T>): MaybePromise<T> {
		return this.#lateWrites.size === 0 ? action() : this.#lateWrites.follow(key, action);
	}

	#call<T>(call: Call<T>): MaybePromise<T> {
		const admission = this.#enter(call.operation);
		if (admission === 'refused') {
			if (this.#throws) {
				throw this.#circuits!.refusal(kindOf(call.operation));
			}

			return call.miss;
		}

		return storeCalls.hasSubscribers ? this.#make({...call, start: this.#clock()}, admission) : this.#make(call, admission);
	}

	#make<T>(call: Call<T> & MadeCall<T>, admission: Admission): MaybePromise<T> {
		try {
			const answer = call.run();
			return isPromise(answer) ? this.#wait(call, answer, admission) : this.#succeed(call, answer, admission);
		} catch (error) {
			return this.#fail(call, error, admission);
		}
	}

	#wait<T>(call: MadeCall<T>, answer: Promise<T>, admission: Admission): Promise<T> {
		const {operation, key, timeLimit = this.#timeout} = call;
		const onError = (error: unknown): T => this.#fail(call, error, admission);
		const onValue = (value: T): T => {
			try {
				return this.#succeed(call, value, admission);
			} catch (error) {
				return onError(error);
			}
		};

		const onTimeout = (): T => {
			if (operation === 'set') {
				this.#lateWrites.add(key!, answer);
			}

			return onError(new StoreTimeoutError(operation, timeLimit));
		};

		return settledInTime<T, T>(answer, timeLimit, {onValue, onError, onTimeout});
	}

	#enter(operation: StoreOperation): Admission {
		// Closing is always allowed, since it releases what the store holds.
		return operation !== 'close' && this.#circuits?.hasFailed === true ? this.#circuits.enter(kindOf(operation)) : 'allowed';
	}

	/** Returns the answer, or throws if it is none: a value of the wrong type, or `false` to a `set`, by which a store as one of Keyv says that it has not taken the value. */
	#succeed<T>({operation, start}: MadeCall<T>, answer: T, admission: Admission): T {
		if (operation === 'set' && answer === false) {
			throw new CacheHooksError('ERR_STORE_FAULT', `The store \`${this.name}\` refused the value.`);
		}

		const value = operation === 'get' ? checked(answer as StoredValue, this.#store) as T : answer;
		if (start !== undefined) {
			this.#publish(operation, start);
		}

		this.#closeCircuit(operation, admission);
		return value;
	}

	#closeCircuit(operation: StoreOperation, admission: Admission): void {
		if (operation !== 'close' && this.#circuits?.hasFailed === true) {
			this.#circuits.succeed(kindOf(operation), admission);
		}
	}

	#fail<T>({operation, key, miss, start}: MadeCall<T>, error: unknown, admission: Admission): T {
		if (start !== undefined) {
			this.#publish(operation, start, errorTypeOf(error));
		}

		// A store that refuses to be written works.
		if (isReadOnlyError(error)) {
			this.#closeCircuit(operation, admission);
		} else if (operation !== 'close') {
			this.#circuits?.fail(kindOf(operation), admission, error);
		}

		if (this.#throws) {
			throw error;
		}

		try {
			this.#onError?.({operation, ...(key !== undefined && {key}), error});
		} catch {
			// A listener must not break a request either.
		}

		return miss;
	}

	#publish(operation: StoreOperation, start: number, errorType?: string): void {
		storeCalls.publish({
			store: this.name, cacheName: this.#cacheName, operation, milliseconds: this.#clock() - start, ...(errorType !== undefined && {errorType}),
		} satisfies StoreCallEvent);
	}
}

function kindOf(operation: StoreOperation): 'reads' | 'writes' {
	return isWrite(operation) ? 'writes' : 'reads';
}

function timeFor(value: StoredValue, {size}: SetOptions): number {
	return Math.ceil((size ?? (value as {length?: number}).length ?? 0) / bytesPerMillisecond);
}

async function closeIterator(entries: AsyncIterator<unknown> | undefined): Promise<void> {
	try {
		await entries?.return?.();
	} catch {
		// Nobody waits for these entries any more.
	}
}

function checked(value: StoredValue | undefined | null, {name, valueType}: Store): StoredValue | undefined {
	if (value === undefined || value === null) {
		return undefined;
	}

	const isValid = valueType === 'bytes' ? value instanceof Uint8Array : typeof value === (valueType === 'text' ? 'string' : 'object');
	if (!isValid) {
		throw new CacheHooksError('ERR_STORE_VALUE', `The store \`${name}\` should hold ${valueType}, but answered with a ${typeof value}.`);
	}

	return value;
}
