import type {DatabaseSync} from 'node:sqlite';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {CacheHooksError} from '../../errors.ts';
import type {
	SetOptions,
	Store,
	StoredValue,
	StoreQuery,
} from '../types.ts';
import {Evictions} from '../evictions.ts';
import {SqliteConnection} from './connection.ts';
import {sqliteSettings, type SqliteSettings, type SqliteStoreOptions} from './options.ts';
import {deleteRows, findKeys} from './query.ts';
import {forGood, inTransaction} from './schema.ts';
import type {Statements} from './statements.ts';
import {Uses} from './uses.ts';

export type {SqliteStoreOptions} from './options.ts';

const setsBetweenPurges = 256;
const rowsPerPurge = 256;
const rowsPerPage = 256;
const rowsPerEviction = 16;
const pagesPerVacuum = 500;

type Row = {readonly key: string; readonly value: Uint8Array};

/**
Keeps bytes in one SQLite file, safe for several processes at once; what requests need is synchronous.

The file is opened by the first call, so that is where a missing folder, a file that is no database (`ERR_STORE_OPEN`), one with another schema (`ERR_STORE_SCHEMA`) or a default place that another user has or can write to (`ERR_STORE_PLACE`) is thrown, as a `CacheHooksError`; later calls try again. After `close` every call throws `ERR_STORE_CLOSED`.

A store whose file turns out to be damaged renames it to `….corrupt-<time>`, with its logs, and begins a new one; the call that met it throws `ERR_STORE_CORRUPT`, and the next ones work. Only a file that was opened as ours or whose header says that it is ours is ever renamed.

@example
```ts
const store = new SqliteStore({path: 'cache/http.sqlite', maxBytes: 100_000_000});
```
*/
export class SqliteStore implements Store {
	readonly name = 'sqlite';
	readonly holds = 'bytes';
	readonly #settings: SqliteSettings;
	readonly #connection: SqliteConnection;
	/** Kept only where there is a bound. */
	readonly #uses: Uses | undefined;
	readonly #evictions = new Evictions();
	#sets = 0;

	constructor(options: SqliteStoreOptions = {}) {
		this.#settings = sqliteSettings(options);
		this.#connection = new SqliteConnection(this.#settings, () => {
			this.#purgeInPassing();
		});
		this.#uses = this.#settings.maxBytes === undefined ? undefined : new Uses(this.#settings.now());
	}

	get(key: string): Uint8Array | undefined {
		const now = this.#settings.now();
		const row = this.#run(({get}) => get.get(key, now)) as Row | undefined;
		if (row !== undefined && this.#uses !== undefined) {
			this.#uses.note(key);
			this.#writeUsesInPassing(this.#uses, now);
		}

		return row?.value;
	}

	set(key: string, value: StoredValue, options: SetOptions): void {
		const bytes = checked(value);
		if (bytes.byteLength > (this.#settings.maxBytes ?? Infinity)) {
			this.delete(key);
			return;
		}

		this.#run(({set}) => {
			set.run(...this.#columns(key, bytes, options));
		});
		this.#afterSet();
	}

	add(key: string, value: StoredValue, options: SetOptions): boolean {
		const bytes = checked(value);
		if (bytes.byteLength > (this.#settings.maxBytes ?? Infinity)) {
			return false;
		}

		const {changes} = this.#run(({add}) => add.run(...this.#columns(key, bytes, options), this.#settings.now()));
		this.#afterSet();
		return changes === 1;
	}

	delete(key: string): boolean {
		// A row that has expired goes too, but was no longer there for anybody.
		const row = this.#run(statements => statements.delete.get(key)) as {expires: number | null} | undefined;
		return row !== undefined && (row.expires === null || row.expires > this.#settings.now());
	}

	deleteMany(keys: readonly string[]): void {
		this.#run((statements, database) => {
			inTransaction(database, () => {
				for (const key of keys) {
					statements.delete.get(key);
				}
			});
		});
	}

	clear(): void {
		this.#uses?.forget();
		this.#run(({clear}) => {
			clear.run();
		});
	}

	/**
	The entries that were there when the iteration began. No lock is held between two of them: those that leave before their turn are left out, and a value is read when its turn comes.
	*/
	async * iterate(): AsyncGenerator<readonly [key: string, value: Uint8Array], void> {
		const {now} = this.#settings;
		const last = this.#last();
		let id = 0;
		while (id < last) {
			const after = id;
			const page = this.#run(statements => statements.page.all(after, last, now(), rowsPerPage)) as Array<{id: number}>;
			for (const entry of page) {
				const row = this.#run(statements => statements.row.get(entry.id, now())) as Row | undefined;
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
		const last = this.#last();
		const keys = this.#run((_, database) => findKeys(database, query, last, this.#settings.now));
		for (;;) {
			const step = this.#run(() => keys.next());
			if (step.done) {
				return;
			}

			yield step.value;
		}
	}

	/**
	In steps, between which this process does other things and other processes may write.
	*/
	async deleteFound(query: StoreQuery): Promise<number> {
		let total = 0;
		const deletions = this.#run((_, database) => deleteRows(database, query, this.#settings.now()));
		for (;;) {
			const step = this.#run(() => deletions.next());
			if (step.done) {
				return total;
			}

			total += step.value;
			await nextTurn(); // eslint-disable-line no-await-in-loop
		}
	}

	/** Rows of a file of version 1 count once they are set anew. */
	count(): number {
		const row = this.#run(({count}) => count.get(this.#settings.now())) as {count: number};
		return row.count;
	}

	/** Bytes of the file that are in use: what deleted rows have left is not counted. */
	size(): number {
		return this.#run(bytesOf);
	}

	/**
	Removes every expired row, by index and in steps between which other processes may write, and returns how many there were.
	Part of it happens by itself: some rows on opening and after every 256 sets.
	*/
	purgeExpired(): number {
		let total = 0;
		for (;;) {
			const removed = this.#purge();
			total += removed;
			if (removed < rowsPerPurge) {
				return total;
			}
		}
	}

	/**
	Gives the space of what was deleted back to the file system, in steps of 2 MB between which this process does other things and other processes may write. Without it the space is used for new entries.
	*/
	async vacuum(): Promise<void> {
		let before = Infinity;
		for (;;) {
			const {pages} = this.#run(({free}) => free.get()) as {pages: number};
			// A file that was not made for it does not shrink.
			if (pages === 0 || pages >= before) {
				break;
			}

			before = pages;
			this.#run((_, database) => {
				database.exec(`PRAGMA incremental_vacuum(${pagesPerVacuum})`);
			});
			await nextTurn(); // eslint-disable-line no-await-in-loop
		}

		this.#run((_, database) => {
			database.exec('PRAGMA wal_checkpoint(PASSIVE)');
		});
	}

	keepRecordings(): void {
		this.#settings.place?.keepRecordings();
	}

	watchEvictions(listener: (key: string) => void): () => void {
		return this.#evictions.watch(listener);
	}

	close(): void {
		const uses = this.#uses;
		this.#connection.close((statements, database) => {
			uses?.write(database, statements, this.#settings.now());
		});
	}

	#run<T>(action: (statements: Statements, database: DatabaseSync) => T): T {
		return this.#connection.run(action);
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

	#last(): number {
		const row = this.#run(({last}) => last.get()) as {id: number};
		return row.id;
	}

	#afterSet(): void {
		this.#sets += 1;
		if (this.#sets % setsBetweenPurges === 0) {
			this.#purgeInPassing();
		}

		const {maxBytes} = this.#settings;
		if (maxBytes !== undefined && this.size() > maxBytes) {
			this.#makeRoom(maxBytes);
		}
	}

	#makeRoom(maxBytes: number): void {
		const evicted: string[] = [];
		this.#run((statements, database) => {
			inTransaction(database, () => {
				const now = this.#settings.now();
				this.#uses!.write(database, statements, now);
				while (bytesOf(statements) > maxBytes) {
					if (statements.purge.run(now, rowsPerPurge).changes > 0) {
						continue;
					}

					const keys = evict(statements, maxBytes);
					evicted.push(...keys);
					if (keys.length === 0) {
						return;
					}
				}
			});
		});
		for (const key of evicted) {
			this.#evictions.tell(key);
		}
	}

	/** A read waits for no lock: what cannot be noted now is noted later. */
	#writeUsesInPassing(uses: Uses, now: number): void {
		if (!uses.isDue(now)) {
			return;
		}

		this.#run((statements, database) => {
			database.exec('PRAGMA busy_timeout = 0');
			try {
				uses.write(database, statements, now);
			} catch {
				// The value has been read, and the next note may succeed.
			} finally {
				database.exec(`PRAGMA busy_timeout = ${this.#settings.busyTimeout}`);
			}
		});
	}

	#purgeInPassing(): void {
		try {
			this.#purge();
		} catch (error) {
			// The call during which it purges has done its work, and the next purge may succeed. Only a fault that says that the file was replaced must be thrown.
			if (error instanceof CacheHooksError && error.code === 'ERR_STORE_CORRUPT') {
				throw error;
			}
		}
	}

	#purge(): number {
		return Number(this.#run(({purge}) => purge.run(this.#settings.now(), rowsPerPurge)).changes);
	}
}

function checked(value: StoredValue): Uint8Array {
	if (!(value instanceof Uint8Array)) {
		throw new CacheHooksError('ERR_STORE_VALUE', 'The SQLite store holds bytes: expected a `Uint8Array`');
	}

	return value;
}

/**
Deletes some of what was not used for longest, and gives its keys: as much as is too much, and a little more that is small, so that not every set has to.

What was set without `indexed` leaves last: entries need it, and it is read more seldom than they.
*/
function evict(statements: Statements, maxBytes: number): string[] {
	const keys: string[] = [];
	let spare = bytesOf(statements) - maxBytes + (maxBytes / 128);
	const entries = statements.oldEntries.all(rowsPerEviction);
	const rows = (entries.length > 0 ? entries : statements.old.all(rowsPerEviction)) as Array<{id: number; bytes: number}>;
	for (const [index, {id, bytes}] of rows.entries()) {
		if (index > 0 && bytes > spare) {
			break;
		}

		const {key} = statements.evict.get(id) as {key: string};
		keys.push(key);
		spare -= bytes;
	}

	return keys;
}

function bytesOf({bytes}: Statements): number {
	return (bytes.get() as {bytes: number}).bytes;
}

function freshUntilOf(time: number | undefined): number {
	return time === undefined || !Number.isFinite(time) ? forGood : Math.floor(time);
}
