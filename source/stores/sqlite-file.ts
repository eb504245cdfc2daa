import process from 'node:process';
import type * as Sqlite from 'node:sqlite';
import type {DatabaseSync} from 'node:sqlite';
import {CacheHooksError} from '../errors.ts';

export type SqliteFileOptions = {
	readonly path: string;
	readonly busyTimeout: number;
	readonly wal: boolean;
};

/** Says in the file's header that it is ours: the ASCII codes of `GCHS`. */
const appCode = 0x47_43_48_53;
const schemaVersion = 1;

/**
`expires` stands before `value`: what lies behind a large value is read through all its overflow pages.
`AUTOINCREMENT` never gives an id twice, so that an iteration by id meets nothing twice; it costs 5 % of a write.
*/
const schema = `
	CREATE TABLE entries (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		key TEXT NOT NULL,
		expires INTEGER,
		value BLOB NOT NULL
	) STRICT;
	CREATE UNIQUE INDEX entries_key ON entries (key);
	CREATE INDEX entries_expires ON entries (expires) WHERE expires IS NOT NULL;
	PRAGMA application_id = ${appCode};
	PRAGMA user_version = ${schemaVersion};
`;

/**
Opens the file, or makes it, with the schema in place.

Throws a `CacheHooksError`: `ERR_STORE_SCHEMA` for a file of a newer version or of somebody else, which is left as it is; `ERR_STORE_OPEN` for one that cannot be opened or is no SQLite file.
*/
export function openSqliteFile(options: SqliteFileOptions): DatabaseSync {
	const {path, busyTimeout} = options;
	const sqlite = loadSqlite();
	let database: DatabaseSync | undefined;
	try {
		database = new sqlite.DatabaseSync(path);
		// Before all else: what follows already meets the locks of other processes.
		database.exec(`PRAGMA busy_timeout = ${busyTimeout}`);
		prepareFile(database, options);
		return database;
	} catch (error) {
		database?.close();
		throw error instanceof CacheHooksError
			? error
			: new CacheHooksError('ERR_STORE_OPEN', `Cannot open the SQLite store \`${path}\`: ${(error as Error).message}`, {cause: error});
	}
}

/**
Not imported at the top: Node 22 prints an experimental warning as soon as `node:sqlite` is loaded, which would also reach those who never use it.
*/
function loadSqlite(): typeof Sqlite {
	const sqlite = process.getBuiltinModule('node:sqlite');
	if (sqlite === undefined) {
		throw new CacheHooksError('ERR_STORE_OPEN', 'The SQLite store needs `node:sqlite`, which this runtime lacks: use Node.js 22.19 or later, or another store');
	}

	return sqlite;
}

function prepareFile(database: DatabaseSync, {path, busyTimeout, wal}: SqliteFileOptions): void {
	// Looked at before the journal mode is set, which would already change a file of somebody else.
	const isNew = !hasSchema(database, path);
	if (isNew) {
		// Only an empty file takes it: lets deleted space be given back bit by bit later on.
		database.exec('PRAGMA auto_vacuum = INCREMENTAL');
	}

	if (wal) {
		retryWhileBusy(busyTimeout, () => {
			database.exec('PRAGMA journal_mode = WAL');
		});
	}

	database.exec('PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 33554432');
	if (isNew) {
		createSchema(database, path);
	}
}

function createSchema(database: DatabaseSync, path: string): void {
	inTransaction(database, () => {
		// Another process may have been first.
		if (!hasSchema(database, path)) {
			database.exec(schema);
		}
	});
}

export function inTransaction(database: DatabaseSync, action: () => void): void {
	database.exec('BEGIN IMMEDIATE');
	try {
		action();
		database.exec('COMMIT');
	} catch (error) {
		// SQLite has already rolled back by itself after some errors, a full disk for one.
		if (database.isTransaction) {
			database.exec('ROLLBACK');
		}

		throw error;
	}
}

/** One statement, so one point in time: between two, another process could make the tables. */
const headerQuery = `
	SELECT
		(SELECT application_id FROM pragma_application_id) AS application,
		(SELECT user_version FROM pragma_user_version) AS version,
		(SELECT count(*) FROM sqlite_schema) AS tables
`;

/**
Whether our tables are in the file; not when it is empty.
*/
function hasSchema(database: DatabaseSync, path: string): boolean {
	const header = database.prepare(headerQuery).get() as {application: number; version: number; tables: number};
	if (header.application === 0 && header.version === 0 && header.tables === 0) {
		return false;
	}

	if (header.application !== appCode) {
		throw new CacheHooksError('ERR_STORE_SCHEMA', `The SQLite file \`${path}\` is not a store of got-cache-hooks: use another file`);
	}

	if (header.version > schemaVersion) {
		const message = `The SQLite store \`${path}\` has schema version ${header.version}, and this version of got-cache-hooks knows ${schemaVersion}`;
		throw new CacheHooksError('ERR_STORE_SCHEMA', `${message}: update the package, or use another file`);
	}

	return true;
}

/**
SQLite does not wait for a lock where waiting could be a deadlock, as when several processes turn a new file to WAL at once: it fails at once, and trying again is right.
*/
function retryWhileBusy(milliseconds: number, action: () => void): void {
	const sleeper = new Int32Array(new SharedArrayBuffer(4));
	const end = performance.now() + milliseconds;
	for (;;) {
		try {
			action();
			return;
		} catch (error) {
			if (!isBusy(error) || performance.now() >= end) {
				throw error;
			}

			Atomics.wait(sleeper, 0, 0, 5);
		}
	}
}

function isBusy(error: unknown): boolean {
	const {errcode} = error as {errcode?: number};
	// The low byte is the primary code: 5 is SQLITE_BUSY, 6 is SQLITE_LOCKED.
	return errcode !== undefined && [5, 6].includes(errcode % 256);
}
