import {setImmediate as nextTurn} from 'node:timers/promises';
import {CacheHooksError} from '../../errors.ts';
import {recover, then} from '../../maybe-promise.ts';
import {Evictions} from '../evictions.ts';
import type {
	MaybePromise,
	SetOptions,
	Store,
	StoredValue,
	StoreQuery,
} from '../types.ts';
import {closedError, SqliteConnection} from './connection.ts';
import {isFull, makeRoomInLog, storeFaultOf} from './faults.ts';
import {untilUnlocked} from './locks.ts';
import {sqliteSettings, type SqliteSettings, type SqliteStoreOptions} from './options.ts';
import {
	deleteBetween,
	findIds,
	findPage,
	isLastPage,
	rowsPerDeletion,
	type Found,
} from './query.ts';
import {bytesOf, makeRoom, rowsPerPurge} from './room.ts';
import {forGood} from './schema.ts';
import type {Action} from './statements.ts';
import {Uses, writeUses} from './uses.ts';
import {isLiveAt, type Write} from './writes.ts';

export type {SqliteStoreOptions} from './options.ts';

const setsBetweenPurges = 256;
const rowsPerPage = 256;
const pagesPerVacuum = 500;

type Row = {readonly key: string; readonly value: Uint8Array};

/**
Keeps bytes in one SQLite file, safe for several processes at once. All stores of a process share one connection to a file.

A read answers at once, and a write by a promise: all writes of one turn of the event loop are committed together, and readers of this process see them before. Nothing waits, blocking, for a lock of another process: what meets one answers by a promise, and is tried again for `busyTimeout`, then fails with `ERR_STORE_BUSY`. A write for which the disk has no room fails with `ERR_STORE_FULL`, and one to a file that may only be read with `ERR_STORE_READ_ONLY`.

The file is opened by the first call, so that is where a folder that cannot be made, a file that is no database (`ERR_STORE_OPEN`), one with another schema (`ERR_STORE_SCHEMA`) or a default place that another user has or can write to (`ERR_STORE_PLACE`) is thrown, as a `CacheHooksError`; later calls try again. After `close` every call throws `ERR_STORE_CLOSED`.

A store whose file turns out to be damaged renames it to `….corrupt-<time>`, with its logs, and begins a new one; the call that met it throws `ERR_STORE_CORRUPT`, and the next ones work. Only a file that was opened as ours or whose header says that it is ours is ever renamed.

@example
```ts
const store = new SqliteStore({path: 'cache/http.sqlite', maxBytes: 100_000_000});
```
*/
export class SqliteStore implements Store {
	readonly name = 'sqlite';
	readonly holds = 'bytes';

	/** Of the file, absolute; `undefined` in memory. */
	readonly path: string | undefined;
	readonly #settings: SqliteSettings;
	/** Kept only where there is a bound. */
	readonly #uses: Uses | undefined;
	readonly #evictions = new Evictions();
	#connection: MaybePromise<SqliteConnection> | undefined;
	#closed: {readonly done: MaybePromise<void>} | undefined;
	#sets = 0;
	#purges = 0;

	constructor(options: SqliteStoreOptions = {}) {
		this.#settings = sqliteSettings(options);
		this.path = this.#settings.place?.path;
		this.#uses = this.#settings.maxBytes === undefined
			? undefined
			: new Uses(keys => {
				this.#note(keys);
			});
	}

	get(key: string): MaybePromise<Uint8Array | undefined> {
		return then(this.#connect(), connection => this.#get(connection, key));
	}

	/** Resolves once it is committed: from then on no end of the process loses it. The bytes must not change before. */
	set(key: string, value: StoredValue, options: SetOptions): MaybePromise<void> {
		const bytes = checked(value);
		if (bytes.byteLength > (this.#settings.maxBytes ?? Infinity)) {
			return then(this.delete(key), () => undefined);
		}

		const columns = this.#columns(key, bytes, options);
		this.#sets++;
		return this.#write({
			kind: 'set', keys: [key], value: bytes, expires: columns[1],
			run({set}) {
				set.run(...columns);
			},
		});
	}

	add(key: string, value: StoredValue, options: SetOptions): MaybePromise<boolean> {
		const bytes = checked(value);
		if (bytes.byteLength > (this.#settings.maxBytes ?? Infinity)) {
			return false;
		}

		const columns = this.#columns(key, bytes, options);
		const now = this.#settings.now();
		this.#sets++;
		return this.#write({
			kind: 'add', keys: [key], value: bytes, expires: columns[1], now, run: ({add}) => add.run(...columns, now).changes === 1,
		});
	}

	delete(key: string): MaybePromise<boolean> {
		const now = this.#settings.now();
		return this.#write({
			kind: 'delete', keys: [key],
			run(statements) {
				// A row that has expired goes too, but was no longer there for anybody.
				const row = statements.delete.get(key) as {expires: number | null} | undefined;
				return row !== undefined && isLiveAt(row.expires, now);
			},
		});
	}

	deleteMany(keys: readonly string[]): MaybePromise<void> {
		return this.#write({
			kind: 'delete', keys: [...keys],
			run(statements) {
				for (const key of keys) {
					statements.delete.get(key);
				}
			},
		});
	}

	/** Commits at once, with what was written before. */
	clear(): MaybePromise<void> {
		this.#uses?.take();
		return this.#write({
			kind: 'clear', keys: [],
			run({clear}) {
				clear.run();
			},
		}, true);
	}

	/**
	The entries that were there when the iteration began. No lock is held between two of them: those that leave before their turn are left out, and a value is read when its turn comes.
	*/
	async * iterate(): AsyncGenerator<readonly [key: string, value: Uint8Array], void> {
		const {now} = this.#settings;
		const last = await this.#last();
		let id = 0;
		while (id < last) {
			const after = id;
			const page = await this.#run(statements => statements.page.all(after, last, now(), rowsPerPage)) as Array<{id: number}>; // eslint-disable-line no-await-in-loop
			for (const entry of page) {
				const row = await this.#run(statements => statements.row.get(entry.id, now())) as Row | undefined; // eslint-disable-line no-await-in-loop
				if (row !== undefined) {
					yield [row.key, row.value];
				}
			}

			id = page.at(-1)?.id ?? last;
		}
	}

	/**
	The keys of what was set with `indexed`. Without an order of its own they come by `freshUntil` where `staleAt` is given, else by `createdAt`. Everything but the order by `size` has an index.
	*/
	async * find(query: StoreQuery): AsyncGenerator<string, void> {
		const last = await this.#last();
		// What is set anew meanwhile has another place, and would come again.
		const met = new Set<number>();
		let position: Found | undefined;
		for (;;) {
			const after = position;
			const page = await this.#run((_, database) => findPage(database, query, {last, now: this.#settings.now(), position: after})); // eslint-disable-line no-await-in-loop
			const fresh = page.filter(({id}) => !met.has(id));
			for (const {id, key} of fresh) {
				met.add(id);
				yield key;
			}

			if (isLastPage(query, page)) {
				return;
			}

			position = page.at(-1);
		}
	}

	/**
	In steps, between which this process does other things and other processes may write.
	*/
	async deleteFound(query: StoreQuery): Promise<number> {
		this.#checkWritable();
		const now = this.#settings.now();
		const ids = await this.#run((_, database) => findIds(database, query, now));
		let rows = rowsPerDeletion;
		let hasMadeRoom = false;
		let total = 0;
		for (let start = 0; start < ids.length;) {
			const range = {first: ids[start]!, last: ids[Math.min(start + rows, ids.length) - 1]!, now};
			try {
				total += await this.#run((_, database) => deleteBetween(database, query, range)); // eslint-disable-line no-await-in-loop
				start += rows;
				hasMadeRoom = false;
			} catch (error) {
				if (!isFull(error) || (hasMadeRoom && rows === 1)) {
					throw error;
				}

				// The log of fewer rows may find room.
				await this.#run(makeRoomInLog); // eslint-disable-line no-await-in-loop
				hasMadeRoom = true;
				rows = Math.ceil(rows / 50);
			}

			await nextTurn(); // eslint-disable-line no-await-in-loop
		}

		return total;
	}

	/** Rows of a file of version 1 count once they are set anew. */
	count(): MaybePromise<number> {
		return this.#run(({count}) => (count.get(this.#settings.now()) as {count: number}).count);
	}

	/** Bytes of the file that are in use: what deleted rows have left is not counted. */
	size(): MaybePromise<number> {
		return this.#run(bytesOf);
	}

	/**
	Removes every expired row, by index and in steps between which this process does other things and other processes may write, and returns how many there were.
	Part of it happens by itself: some rows on opening and after every 256 sets.
	*/
	async purgeExpired(): Promise<number> {
		this.#checkWritable();
		let total = 0;
		for (;;) {
			const {changes} = await this.#run(({purge}) => purge.run(this.#settings.now(), rowsPerPurge)); // eslint-disable-line no-await-in-loop
			total += Number(changes);
			if (Number(changes) < rowsPerPurge) {
				return total;
			}

			await nextTurn(); // eslint-disable-line no-await-in-loop
		}
	}

	/**
	Gives the space of what was deleted back to the file system, in steps of 2 MB between which this process does other things and other processes may write. Without it the space is used for new entries.
	*/
	async vacuum(): Promise<void> {
		this.#checkWritable();
		let before = Infinity;
		for (;;) {
			const {pages} = await this.#run(({free}) => free.get()) as {pages: number}; // eslint-disable-line no-await-in-loop
			// A file that was not made for it does not shrink.
			if (pages === 0 || pages >= before) {
				break;
			}

			before = pages;
			// eslint-disable-next-line no-await-in-loop
			await this.#run((_, database) => {
				database.exec(`PRAGMA incremental_vacuum(${pagesPerVacuum})`);
			});
			await nextTurn(); // eslint-disable-line no-await-in-loop
		}

		await this.#run((_, database) => {
			database.exec('PRAGMA wal_checkpoint(PASSIVE)');
		});
	}

	keepRecordings(): void {
		this.#settings.place?.keepRecordings();
	}

	watchEvictions(listener: (key: string) => void): () => void {
		return this.#evictions.watch(listener);
	}

	/** Commits what is left to write, and lets go of the file: at once, unless another process holds a lock. */
	close(): MaybePromise<void> {
		if (this.#closed === undefined) {
			const keys = this.#uses?.take();
			const connection = this.#connection;
			const leave = (opened: SqliteConnection): MaybePromise<void> => {
				this.#writeNotes(opened, keys);
				return then(opened.writes.flushed(), () => {
					opened.leave();
				});
			};

			// What could not be opened is not open.
			this.#closed = {done: connection === undefined ? undefined : recover(() => then(connection, leave), () => undefined)};
		}

		return this.#closed.done;
	}

	#connect(): MaybePromise<SqliteConnection> {
		if (this.#closed !== undefined) {
			throw closedError(this.#settings.path);
		}

		this.#connection ??= this.#open();
		return this.#connection;
	}

	#open(): MaybePromise<SqliteConnection> {
		const opening = untilUnlocked(this.#settings.busyTimeout, () => {
			const connection = SqliteConnection.of(this.#settings);
			this.#purgeInPassing(connection);
			return connection;
		});
		return opening instanceof Promise ? this.#whenOpen(opening) : opening;
	}

	async #whenOpen(opening: Promise<SqliteConnection>): Promise<SqliteConnection> {
		try {
			this.#connection = await opening;
			return this.#connection;
		} catch (error) {
			this.#connection = undefined;
			throw error;
		}
	}

	#get(connection: SqliteConnection, key: string): MaybePromise<Uint8Array | undefined> {
		const now = this.#settings.now();
		const pending = connection.writes.of(key);
		if (pending !== undefined && (pending.kind !== 'add' || connection.writes.flush())) {
			return pending.kind === 'add' ? this.#get(connection, key) : seen(pending, now);
		}

		return then(this.#try(connection, ({get}) => get.get(key, now)) as MaybePromise<Row | undefined>, row => {
			if (row !== undefined) {
				this.#uses?.note(key);
				return row.value;
			}

			// Whether it is added, and not by another process, shows with the lock.
			return pending === undefined ? undefined : then(connection.writes.flushed(), () => this.#get(connection, key));
		});
	}

	#write<T>(write: Omit<Write<T>, 'tidy' | 'milliseconds'>, isUrgent = false): MaybePromise<T> {
		this.#checkWritable();
		return then(this.#connect(), connection => {
			if (connection.isReadOnly) {
				throw readOnlyError(this.#settings.path);
			}

			const written = connection.writes.add<T>({...write, tidy: this.#tidy, milliseconds: this.#settings.busyTimeout});
			if (isUrgent) {
				connection.writes.flush();
			}

			return written;
		});
	}

	/** After all that was written before. */
	#run<T>(action: Action<T>): MaybePromise<T> {
		return then(this.#connect(), connection => then(connection.writes.flushed(), () => this.#try(connection, action)));
	}

	#try<T>(connection: SqliteConnection, action: Action<T>): MaybePromise<T> {
		return recover(() => untilUnlocked(this.#settings.busyTimeout, () => connection.run(action)), error => {
			throw storeFaultOf(error, this.#settings.path);
		});
	}

	#checkWritable(): void {
		if (this.#settings.readOnly && this.#closed === undefined) {
			throw readOnlyError(this.#settings.path);
		}
	}

	#columns(key: string, value: Uint8Array, {expires, indexed}: SetOptions): [string, number | null, number | null, number | null, number, Uint8Array] {
		return [
			key,
			expires === undefined || !Number.isFinite(expires) ? null : Math.ceil(expires),
			indexed === undefined ? null : Math.floor(indexed.createdAt),
			indexed === undefined ? null : freshUntilOf(indexed.freshUntil),
			Math.floor(this.#settings.now()),
			value,
		];
	}

	#last(): MaybePromise<number> {
		return this.#run(({last}) => (last.get() as {id: number}).id);
	}

	/** A part of the transaction of this store's writes. */
	readonly #tidy: Action<(() => void) | undefined> = (statements, database) => {
		const now = this.#settings.now();
		const purges = Math.floor(this.#sets / setsBetweenPurges);
		if (purges > this.#purges) {
			statements.purge.run(now, rowsPerPurge * (purges - this.#purges));
			this.#purges = purges;
		}

		const {maxBytes} = this.#settings;
		if (maxBytes === undefined || bytesOf(statements) <= maxBytes) {
			return undefined;
		}

		writeUses(this.#uses!.take(), now)(statements, database);
		const evicted = makeRoom(statements, maxBytes, now);
		return () => {
			for (const key of evicted) {
				this.#evictions.tell(key);
			}
		};
	};

	#note(keys: ReadonlySet<string>): void {
		if (this.#connection instanceof SqliteConnection) {
			this.#writeNotes(this.#connection, keys);
		}
	}

	/** A lock is not waited for: the values have been read, and who reads them again is noted again. */
	#writeNotes(connection: SqliteConnection, keys: ReadonlySet<string> | undefined): void {
		if (keys === undefined || keys.size === 0 || connection.isReadOnly) {
			return;
		}

		void recover(() => connection.writes.add({
			kind: 'note', keys: [], run: writeUses(keys, this.#settings.now()), milliseconds: 0,
		}), () => undefined);
	}

	#purgeInPassing(connection: SqliteConnection): void {
		if (connection.isReadOnly) {
			return;
		}

		try {
			connection.run(({purge}) => purge.run(this.#settings.now(), rowsPerPurge));
		} catch (error) {
			// The call during which it purges does its work, and the next purge may succeed. Only a fault that says that the file was replaced must be thrown.
			if (error instanceof CacheHooksError && error.code === 'ERR_STORE_CORRUPT') {
				connection.leave();
				throw error;
			}
		}
	}
}

function checked(value: StoredValue): Uint8Array {
	if (!(value instanceof Uint8Array)) {
		throw new CacheHooksError('ERR_STORE_VALUE', 'The SQLite store holds bytes: expected a `Uint8Array`');
	}

	return value;
}

function seen({value, expires}: Write, now: number): Uint8Array | undefined {
	// A copy: who reads must not change what is to be written.
	return value !== undefined && isLiveAt(expires, now) ? new Uint8Array(value) : undefined;
}

function freshUntilOf(time: number | undefined): number {
	return time === undefined || !Number.isFinite(time) ? forGood : Math.floor(time);
}

function readOnlyError(path: string): CacheHooksError {
	return new CacheHooksError('ERR_STORE_READ_ONLY', `The SQLite store \`${path}\` may only be read: nothing is written to it, and nothing is deleted`);
}
