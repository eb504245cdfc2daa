import {resolve} from 'node:path';
import type {DatabaseSync, StatementSync} from 'node:sqlite';
import {CacheHooksError, SettingError} from '../errors.ts';
import {inTransaction, openSqliteFile} from './sqlite-file.ts';
import type {SetOptions, Store, StoredValue} from './types.ts';

export type SqliteStoreOptions = {
	/**
	The file, relative to the working directory; its folder must exist. Default: `'http_cache.sqlite'`.
	*/
	readonly path?: string;

	/**
	Milliseconds that a call waits, blocking, for the lock of another process. Default: 5000.
	*/
	readonly busyTimeout?: number;

	/**
	Whether the file is turned to write-ahead logging: readers and a writer do not wait for each other, and writes are 20 times faster. Not for network drives. Default: `true`.
	*/
	readonly wal?: boolean;

	/**
	The current time in milliseconds since the epoch. Default: `Date.now`.
	*/
	readonly now?: () => number;
};

const setsBetweenPurges = 256;
const rowsPerPurge = 256;
const rowsPerPage = 256;

type Statements = Record<'get' | 'set' | 'delete' | 'clear' | 'purge' | 'last' | 'page' | 'row', StatementSync>;
type Row = {readonly key: string; readonly value: Uint8Array};

/**
Keeps bytes in one SQLite file, safe for several processes at once; every answer is synchronous.

The file is opened by the first call, so that is where a missing folder, a file that is no database (`ERR_STORE_OPEN`) or one with another schema (`ERR_STORE_SCHEMA`) is thrown, as a `CacheHooksError`; later calls try again. After `close` every call throws `ERR_STORE_CLOSED`.

@example
```ts
const store = new SqliteStore({path: 'cache/http.sqlite'});
```
*/
export class SqliteStore implements Store {
	readonly name = 'sqlite';
	readonly holds = 'bytes';
	readonly #path: string;
	readonly #busyTimeout: number;
	readonly #wal: boolean;
	readonly #now: () => number;
	#database: DatabaseSync | undefined;
	#statements: Statements | undefined;
	#isClosed = false;
	#sets = 0;

	constructor({path = 'http_cache.sqlite', busyTimeout = 5000, wal = true, now = Date.now}: SqliteStoreOptions = {}) {
		if (!Number.isSafeInteger(busyTimeout) || busyTimeout < 0) {
			throw new SettingError('busyTimeout', busyTimeout, 'a number of milliseconds from 0');
		}

		if (typeof path !== 'string' || path === '') {
			throw new SettingError('path', path, 'the path of a file');
		}

		// Resolved now: the working directory may be another one at the first call.
		this.#path = path === ':memory:' ? path : resolve(path);
		this.#busyTimeout = busyTimeout;
		this.#wal = wal;
		this.#now = now;
	}

	get(key: string): Uint8Array | undefined {
		const row = this.#open().get.get(key, this.#now()) as Row | undefined;
		return row?.value;
	}

	set(key: string, value: StoredValue, {expires}: SetOptions): void {
		if (!(value instanceof Uint8Array)) {
			throw new CacheHooksError('ERR_STORE_VALUE', 'The SQLite store holds bytes: expected a `Uint8Array`');
		}

		this.#open().set.run(key, expires === undefined || !Number.isFinite(expires) ? null : Math.ceil(expires), value);
		this.#sets += 1;
		if (this.#sets % setsBetweenPurges === 0) {
			this.#purgeInPassing();
		}
	}

	delete(key: string): boolean {
		// A row that has expired goes too, but was no longer there for anybody.
		const row = this.#open().delete.get(key) as {expires: number | null} | undefined;
		return row !== undefined && (row.expires === null || row.expires > this.#now());
	}

	deleteMany(keys: readonly string[]): void {
		const statements = this.#open();
		inTransaction(this.#database!, () => {
			for (const key of keys) {
				statements.delete.get(key);
			}
		});
	}

	clear(): void {
		this.#open().clear.run();
	}

	/**
	The entries that were there when the iteration began. No lock is held between two of them: those that leave before their turn are left out, and a value is read when its turn comes.
	*/
	async * iterate(): AsyncGenerator<readonly [key: string, value: Uint8Array], void> {
		const {id: last} = this.#open().last.get() as {id: number};
		let id = 0;
		while (id < last) {
			const page = this.#open().page.all(id, last, this.#now(), rowsPerPage) as Array<{id: number}>;
			for (const entry of page) {
				const row = this.#open().row.get(entry.id, this.#now()) as Row | undefined;
				if (row !== undefined) {
					yield [row.key, row.value];
				}
			}

			id = page.at(-1)?.id ?? last;
		}
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

	close(): void {
		this.#isClosed = true;
		const database = this.#database;
		this.#database = undefined;
		this.#statements = undefined;
		if (database === undefined) {
			return;
		}

		try {
			database.exec('PRAGMA wal_checkpoint(PASSIVE)');
		} finally {
			database.close();
		}
	}

	#purgeInPassing(): void {
		try {
			this.#purge();
		} catch {
			// The call that it rides on has done its work, and the next purge may succeed.
		}
	}

	#purge(): number {
		return Number(this.#open().purge.run(this.#now(), rowsPerPurge).changes);
	}

	#open(): Statements {
		if (this.#statements !== undefined) {
			return this.#statements;
		}

		if (this.#isClosed) {
			throw new CacheHooksError('ERR_STORE_CLOSED', `The SQLite store \`${this.#path}\` is closed`);
		}

		this.#database = openSqliteFile({path: this.#path, busyTimeout: this.#busyTimeout, wal: this.#wal});
		this.#statements = prepare(this.#database);
		this.#purgeInPassing();
		return this.#statements;
	}
}

function prepare(database: DatabaseSync): Statements {
	const live = '(expires IS NULL OR expires > ?)';
	return {
		get: database.prepare(`SELECT value FROM entries WHERE key = ? AND ${live}`),
		set: database.prepare('INSERT INTO entries (key, expires, value) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET expires = excluded.expires, value = excluded.value'),
		delete: database.prepare('DELETE FROM entries WHERE key = ? RETURNING expires'),
		clear: database.prepare('DELETE FROM entries'),
		purge: database.prepare('DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE expires <= ? ORDER BY expires LIMIT ?)'),
		last: database.prepare('SELECT ifnull(max(id), 0) AS id FROM entries'),
		page: database.prepare(`SELECT id FROM entries WHERE id > ? AND id <= ? AND ${live} ORDER BY id LIMIT ?`),
		row: database.prepare(`SELECT key, value FROM entries WHERE id = ? AND ${live}`),
	};
}
