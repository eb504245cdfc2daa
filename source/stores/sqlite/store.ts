import type {DatabaseSync} from 'node:sqlite';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {CacheHooksError} from '../../errors.ts';
import {recover, then, type MaybePromise} from '../../maybe-promise.ts';
import {
	EvictionListeners,
	type SetOptions,
	type Store,
	type StoredValue,
	type StoreQuery,
} from '../types.ts';
import type {SqliteConnection} from './connection.ts';
import {isFull} from './errors.ts';
import {
	makeRoom,
	makeRoomInLog,
	RecentUses,
	rowsPerPurge,
	writeUses,
} from './eviction.ts';
import {sqliteSettings, type SqliteSettings, type SqliteStoreOptions} from './options.ts';
import {forever} from './schema.ts';
import {Session} from './session.ts';
import {
	bytesOf,
	deleteBetween,
	findIds,
	findPage,
	rowsPerDeletion,
	type Found,
	type Statements,
} from './statements.ts';
import {isLiveAt} from './writes.ts';

export type {SqliteStoreOptions} from './options.ts';

const setsBetweenPurges = 256;
const rowsPerPage = 256;
const pagesPerVacuum = 500;

type Row = {readonly key: string; readonly value: Uint8Array};

/**
Stores bytes in one SQLite file, which several processes may use at once. All stores of a process share one connection to a file.

A read is synchronous. A write is asynchronous: all writes of one turn of the event loop are committed together, and readers of this process see them before. No call blocks while another process holds a lock: it is tried again for `busyTimeout`, and then fails with `ERR_STORE_BUSY`. A write fails with `ERR_STORE_FULL` if the disk is full, and with `ERR_STORE_READ_ONLY` if the file may only be read.

The first call opens the file and throws a `CacheHooksError` if it cannot: for a folder that cannot be created or a file that is not a database (`ERR_STORE_OPEN`), for another schema (`ERR_STORE_SCHEMA`), or for a default place that belongs to another user or that others can write to (`ERR_STORE_PLACE`). Later calls try again. After `close`, every call throws `ERR_STORE_CLOSED`.

A damaged file is renamed to `….corrupt-<time>`, with its logs, and replaced by a new one. The call that finds it throws `ERR_STORE_CORRUPT`, and the next ones work. Only a file that belongs to the store is renamed.

@example
```ts
const store = new SqliteStore({path: 'cache/http.sqlite', maxBytes: 100_000_000});
```
*/
export class SqliteStore implements Store {
	readonly name = 'sqlite';
	readonly holds = 'bytes';

	/** The absolute path of the file; `undefined` in memory. */
	readonly path: string | undefined;

	/** A database in memory is this store's alone, unless it is shared by its name. */
	readonly scope: 'process' | 'machine';
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
		this.path = this.#settings.place?.path;
		this.scope = this.path === undefined && !this.#settings.isShared ? 'process' : 'machine';
		if (this.#settings.maxBytes !== undefined) {
			this.#uses = new RecentUses(keys => {
				this.#writeUses(this.#session.connection, keys);
			});
		}
	}

	get(key: string): MaybePromise<Uint8Array | undefined> {
		return then(this.#session.connect(), connection => this.#get(connection, key));
	}

	/** Resolves once the value is committed, so that no crash of the process loses it. The bytes must not change before. */
	set(key: string, value: StoredValue, options: SetOptions): MaybePromise<void> {
		const bytes = checked(value);
		if (bytes.byteLength > (this.#settings.maxBytes ?? Infinity)) {
			return then(this.delete(key), () => undefined);
		}

		const columns = this.#columns(key, bytes, options);
		this.#sets++;
		return this.#session.write({
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
		return this.#session.write({
			kind: 'add', keys: [key], value: bytes, expires: columns[1], now, run: ({add}) => add.run(...columns, now).changes === 1,
		});
	}

	delete(key: string): MaybePromise<boolean> {
		const now = this.#settings.now();
		return this.#session.write({
			kind: 'delete', keys: [key],
			run(statements) {
				const row = statements.delete.get(key) as {expires: number | null} | undefined;
				return row !== undefined && isLiveAt(row.expires, now);
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
			run({clear}) {
				clear.run();
			},
		}, true);
	}

	/**
	Iterates over the values that exist when it begins. It holds no lock between two of them: values that are deleted before their turn are left out, and each is read at its turn.
	*/
	async * iterate(): AsyncGenerator<readonly [key: string, value: Uint8Array], void> {
		const {now} = this.#settings;
		const last = await this.#last();
		let id = 0;
		while (id < last) {
			const after = id;
			const page = await this.#session.run(statements => statements.page.all(after, last, now(), rowsPerPage)) as Array<{id: number}>; // eslint-disable-line no-await-in-loop
			for (const entry of page) {
				const row = await this.#session.run(statements => statements.row.get(entry.id, now())) as Row | undefined; // eslint-disable-line no-await-in-loop
				if (row !== undefined) {
					yield [row.key, row.value];
				}
			}

			id = page.at(-1)?.id ?? last;
		}
	}

	/**
	Iterates over the keys of values that were set with `indexed`. Without `orderBy`, they are ordered by `freshUntil` if `staleAt` is given, else by `createdAt`. Each order except `size` has an index.
	*/
	async * find(query: StoreQuery): AsyncGenerator<string, void> {
		const last = await this.#last();
		// A row that is set again meanwhile moves, and would come twice.
		const seen = new Set<number>();
		let position: Found | undefined;
		for (;;) {
			const after = position;
			const {rows, isLast} = await this.#session.run((_, database) => findPage(database, query, {last, now: this.#settings.now(), after})); // eslint-disable-line no-await-in-loop
			const unseen = rows.filter(({id}) => !seen.has(id));
			for (const {id, key} of unseen) {
				seen.add(id);
				yield key;
			}

			if (isLast) {
				return;
			}

			position = rows.at(-1);
		}
	}

	/**
	Works in steps. Between them, this process does other things and other processes may write.
	*/
	async deleteFound(query: StoreQuery): Promise<number> {
		this.#session.expectWritable();
		const now = this.#settings.now();
		const ids = await this.#session.run((_, database) => findIds(database, query, now));
		let rows = rowsPerDeletion;
		let hasMadeRoom = false;
		let total = 0;
		for (let start = 0; start < ids.length;) {
			const range = {first: ids[start]!, last: ids[Math.min(start + rows, ids.length) - 1]!, now};
			try {
				total += await this.#session.run((_, database) => deleteBetween(database, query, range)); // eslint-disable-line no-await-in-loop
				start += rows;
				hasMadeRoom = false;
			} catch (error) {
				if (!isFull(error) || (hasMadeRoom && rows === 1)) {
					throw error;
				}

				// There may be room for the log of fewer rows.
				await this.#session.run(makeRoomInLog); // eslint-disable-line no-await-in-loop
				hasMadeRoom = true;
				rows = Math.ceil(rows / 50);
			}

			await nextTurn(); // eslint-disable-line no-await-in-loop
		}

		return total;
	}

	/** Values from a file of version 1 count once they are set again. */
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
		this.#session.expectWritable();
		let total = 0;
		for (;;) {
			const changes = Number(await this.#session.run(({purge}) => purge.run(this.#settings.now(), rowsPerPurge).changes)); // eslint-disable-line no-await-in-loop
			total += changes;
			if (changes < rowsPerPurge) {
				return total;
			}

			await nextTurn(); // eslint-disable-line no-await-in-loop
		}
	}

	/**
	Returns the space of deleted rows to the file system, in steps of 2 MB. Otherwise it is used for new values.
	*/
	async vacuum(): Promise<void> {
		this.#session.expectWritable();
		let before = Infinity;
		for (;;) {
			const {pages} = await this.#session.run(({free}) => free.get()) as {pages: number}; // eslint-disable-line no-await-in-loop
			// A file without incremental vacuum does not shrink.
			if (pages === 0 || pages >= before) {
				break;
			}

			before = pages;
			await this.#session.execute(`PRAGMA incremental_vacuum(${pagesPerVacuum})`); // eslint-disable-line no-await-in-loop
			await nextTurn(); // eslint-disable-line no-await-in-loop
		}

		await this.#session.execute('PRAGMA wal_checkpoint(PASSIVE)');
	}

	keepRecordings(): void {
		this.#settings.place?.keepRecordings();
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
		const now = this.#settings.now();
		const pending = connection.writes.of(key);
		if (pending !== undefined && pending.kind !== 'add') {
			// A copy, since a reader must not change what is to be written.
			return pending.value !== undefined && isLiveAt(pending.expires, now) ? new Uint8Array(pending.value) : undefined;
		}

		if (pending !== undefined && connection.writes.flush()) {
			return this.#get(connection, key);
		}

		return then(this.#session.runNow(connection, ({get}) => get.get(key, now)) as MaybePromise<Row | undefined>, row => {
			if (row !== undefined) {
				this.#uses?.add(key);
				return row.value;
			}

			// Only with the lock is it known whether the value is added.
			return pending === undefined ? undefined : then(connection.writes.flushed(), () => this.#get(connection, key));
		});
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

	#last(): MaybePromise<number> {
		return this.#session.run(({last}) => (last.get() as {id: number}).id);
	}

	/** Removes expired rows and keeps the bound, in the transaction of the writes. */
	#finish(statements: Statements, database: DatabaseSync): (() => void) | undefined {
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
			kind: 'note', keys: [], run: writeUses(keys, this.#settings.now()), busyTimeout: 0,
		}), () => undefined);
	}
}

function checked(value: StoredValue): Uint8Array {
	if (!(value instanceof Uint8Array)) {
		throw new CacheHooksError('ERR_STORE_VALUE', 'The SQLite store holds bytes: expected a `Uint8Array`');
	}

	return value;
}
