import type {DatabaseSync} from 'node:sqlite';
import {recover, then, type MaybePromise} from '../../maybe-promise.ts';
import {checkBytes} from '../server-options.ts';
import {
	EvictionListeners,
	type SetOptions,
	type SetResult,
	type Store,
	type StoredValue,
	type StoreQuery,
} from '../types.ts';
import type {SqliteConnection} from './connection.ts';
import {
	makeRoom,
	RecentUses,
	rowsPerPurge,
	writeUses,
} from './eviction.ts';
import {SqliteLocks} from './locks.ts';
import {sqliteSettings, type SqliteSettings, type SqliteStoreOptions} from './options.ts';
import {forever} from './schema.ts';
import {Session} from './session.ts';
import {bytesOf, type Statements} from './statements.ts';
import {
	deleteInSteps,
	findKeys,
	iterateRows,
	purgeInSteps,
	vacuumInSteps,
} from './steps.ts';
import {isUnexpired} from './writes.ts';

export type {SqliteStoreOptions} from './options.ts';

const setsBetweenPurges = 256;

/**
Stores bytes in one SQLite file, which several processes may use at once. All stores of a process share one connection to a file.

A read is synchronous. A write is asynchronous: all writes of one turn of the event loop are committed together, those that are deferrable after 5 ms, and readers of this process see them before. No call blocks while another process holds a lock: it is tried again for `busyTimeout`, and then fails with `ERR_STORE_BUSY`. A write fails with `ERR_STORE_FULL` if the disk is full, and with `ERR_STORE_READ_ONLY` if the file may only be read.

The first call opens the file and throws a `CacheHooksError` if it cannot: for a folder that cannot be created or a file that is not a database (`ERR_STORE_OPEN`), for another schema (`ERR_STORE_SCHEMA`), or for a default place that belongs to another user or that others can write to (`ERR_STORE_PLACE`). Later calls try again. After `close`, every call throws `ERR_STORE_CLOSED`.

A damaged file is renamed to `….corrupt-<time>`, with its logs, and replaced by a new one. The call that finds it throws `ERR_STORE_CORRUPT`, and the next ones work. Only a file that belongs to the store is renamed.

@example
```ts
import {createStore} from 'got-cache-hooks';

const store = createStore('sqlite', {path: 'cache/http.sqlite', maxBytes: 100_000_000});
```
*/
export class SqliteStore implements Store {
	readonly name = 'sqlite';
	readonly valueType = 'bytes';

	/** The absolute path of the file; `undefined` in memory. */
	readonly path: string | undefined;

	readonly maxBytes: number | undefined;

	/** A database in memory is this store's alone, unless it is shared by its name. */
	readonly scope: 'process' | 'machine';
	readonly locks: SqliteLocks;
	readonly #settings: SqliteSettings;

	/** Only with `maxBytes`. */
	readonly #uses: RecentUses | undefined;
	readonly #evictionListeners = new EvictionListeners();
	readonly #session: Session;
	#sets = 0;
	#purges = 0;

	constructor(options: SqliteStoreOptions = {}) {
		this.#settings = sqliteSettings(options);
		this.#session = new Session(this.#settings, (statements, database) => this.#finish(statements, database));
		this.locks = new SqliteLocks(this.#session, this.#settings.now);
		this.path = this.#settings.location?.path;
		this.maxBytes = this.#settings.maxBytes;
		this.scope = this.path === undefined && !this.#settings.isShared ? 'process' : 'machine';
		if (this.#settings.maxBytes !== undefined) {
			this.#uses = new RecentUses(keys => {
				this.#writeUses(this.#session.connection, keys);
			});
		}
	}

	get(key: string): MaybePromise<Uint8Array | undefined> {
		const connection = this.#session.connect();
		return connection instanceof Promise ? connection.then(opened => this.#get(opened, key)) : this.#get(connection, key);
	}

	/** Resolves once the value is committed, so that no crash of the process loses it. The bytes must not change before. */
	set(key: string, value: StoredValue, options: SetOptions): MaybePromise<SetResult> {
		const bytes = checkBytes('SQLite', value);
		if (bytes.byteLength > (this.#settings.maxBytes ?? Infinity)) {
			return then(this.delete(key), () => 'too-large' as const);
		}

		const columns = this.#columns(key, bytes, options);
		this.#sets++;
		return this.#session.write({
			kind: 'set', keys: [key], value: bytes, expires: columns[1], isDeferrable: options.isDeferrable === true,
			run({set}) {
				set.run(...columns);
			},
		});
	}

	add(key: string, value: StoredValue, options: SetOptions): MaybePromise<boolean> {
		const bytes = checkBytes('SQLite', value);
		if (bytes.byteLength > (this.#settings.maxBytes ?? Infinity)) {
			return false;
		}

		const columns = this.#columns(key, bytes, options);
		const now = this.#settings.now();
		this.#sets++;
		return this.#session.write({
			kind: 'add', keys: [key], value: bytes, expires: columns[1], now, run: ({add}) => add.run(...columns, now).changes === 1,
		});
	}

	flush(): void {
		this.#session.connection?.writes.flushDeferred();
	}

	delete(key: string): MaybePromise<boolean> {
		const now = this.#settings.now();
		return this.#session.write({
			kind: 'delete', keys: [key],
			run(statements) {
				const row = statements.delete.get(key) as {expires: number | null} | undefined;
				return row !== undefined && isUnexpired(row.expires, now);
			},
		});
	}

	deleteMany(keys: readonly string[]): MaybePromise<void> {
		return this.#session.write({
			kind: 'delete', keys: [...keys],
			run(statements) {
				for (const key of keys) {
					statements.delete.get(key);
				}
			},
		});
	}

	/** Commits synchronously, with all writes before it. */
	clear(): MaybePromise<void> {
		this.#uses?.take();
		return this.#session.write({
			kind: 'clear', keys: [],
			run({clear, locksClear}) {
				clear.run();
				locksClear.run();
			},
		}, true);
	}

	/**
	Iterates over the values that exist when it begins. It holds no lock between two of them: values that are deleted before their turn are left out, and each is read at its turn.
	*/
	iterate(): AsyncGenerator<readonly [key: string, value: Uint8Array], void> {
		return iterateRows(this.#session, this.#settings.now);
	}

	/**
	Iterates over the keys of values that were set with `indexed`. Without `orderBy`, they are ordered by `freshUntil` if `staleAt` is given, else by `createdAt`. Each order except `size` has an index.
	*/
	find(query: StoreQuery): AsyncGenerator<string, void> {
		return findKeys(this.#session, query, this.#settings.now);
	}

	/**
	Works in steps. Between them, this process does other things and other processes may write.
	*/
	async deleteFound(query: StoreQuery): Promise<number> {
		return deleteInSteps(this.#session, query, this.#settings.now());
	}

	count(): MaybePromise<number> {
		return this.#session.run(({count}) => (count.get(this.#settings.now()) as {count: number}).count);
	}

	/** Does not count the space that deleted rows have left. */
	size(): MaybePromise<number> {
		return this.#session.run(bytesOf);
	}

	/**
	Removes all expired rows by an index, in steps as `deleteFound`, and returns their number. The store also removes some by itself when it opens the file, and after every 256 sets.
	*/
	async purgeExpired(): Promise<number> {
		return purgeInSteps(this.#session, this.#settings.now);
	}

	/**
	Returns the space of deleted rows to the file system, in steps of 2 MB. Otherwise it is used for new values.
	*/
	async vacuum(): Promise<void> {
		return vacuumInSteps(this.#session);
	}

	keepRecordings(): void {
		this.#settings.location?.keepRecordings();
	}

	watchEvictions(listener: (key: string) => void): () => void {
		return this.#evictionListeners.add(listener);
	}

	/** Commits all writes and closes the file: synchronously, unless another process holds a lock. */
	close(): MaybePromise<void> {
		const keys = this.#uses?.take();
		return this.#session.close(connection => {
			this.#writeUses(connection, keys);
		});
	}

	#get(connection: SqliteConnection, key: string): MaybePromise<Uint8Array | undefined> {
		const pending = connection.writes.of(key);
		if (pending === undefined) {
			return this.#read(connection, key);
		}

		if (pending.kind !== 'add') {
			// A copy, since a reader must not change what is to be written.
			return pending.value !== undefined && isUnexpired(pending.expires, this.#settings.now()) ? new Uint8Array(pending.value) : undefined;
		}

		// Only with the lock is it known whether the value is added.
		return connection.writes.flush()
			? this.#get(connection, key)
			: then(this.#read(connection, key), value => value ?? then(connection.writes.flushed(), () => this.#get(connection, key)));
	}

	/** Reads a value from the file. */
	#read(connection: SqliteConnection, key: string): MaybePromise<Uint8Array | undefined> {
		const now = this.#settings.now();
		const row = this.#session.runNow(connection, ({get}) => get.get(key, now));
		return row instanceof Promise ? row.then(found => this.#valueOf(key, found)) : this.#valueOf(key, row);
	}

	#valueOf(key: string, row: Record<string, unknown> | undefined): Uint8Array | undefined {
		if (row !== undefined) {
			this.#uses?.add(key);
		}

		return row?.value as Uint8Array | undefined;
	}

	#columns(key: string, value: Uint8Array, {expires = Infinity, indexed}: SetOptions): [string, number | null, number | null, number | null, number, Uint8Array] {
		const {freshUntil = Infinity} = indexed ?? {};
		return [
			key,
			Number.isFinite(expires) ? Math.ceil(expires) : null,
			indexed === undefined ? null : Math.floor(indexed.createdAt),
			indexed === undefined ? null : (Number.isFinite(freshUntil) ? Math.floor(freshUntil) : forever),
			Math.floor(this.#settings.now()),
			value,
		];
	}

	/** Removes expired rows and keeps the bound, in the transaction of the writes. */
	#finish(statements: Statements, database: DatabaseSync): (() => void) | undefined {
		const now = this.#settings.now();
		const purges = Math.floor(this.#sets / setsBetweenPurges);
		if (purges > this.#purges) {
			statements.purge.run(now, rowsPerPurge * (purges - this.#purges));
			statements.locksPurge.run(now);
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
				this.#evictionListeners.emit(key);
			}
		};
	}

	/** Does not wait for a lock: the uses are less important than what another process writes. */
	#writeUses(connection: SqliteConnection | undefined, keys: ReadonlySet<string> | undefined): void {
		if (connection === undefined || keys === undefined || keys.size === 0 || connection.isReadOnly) {
			return;
		}

		void recover(() => connection.writes.add({
			kind: 'note', keys: [], run: writeUses(keys, this.#settings.now()),
		}, {busyTimeout: 0}), () => undefined);
	}
}
