import type {DatabaseSync} from 'node:sqlite';
import {CacheHooksError} from '../../errors.ts';
import type {SqliteSettings} from './options.ts';

/** The application id in the header of the file: the ASCII codes of `GCHS`. */
export const appId = 0x47_43_48_53;
const schemaVersion = 3;

/** The `fresh_until` of an entry that is fresh forever. `null` is for values that were set without `indexed`. */
export const forever: number = Number.MAX_SAFE_INTEGER;

/**
`value` is the last column, since columns behind a large value are read through all its overflow pages.
`AUTOINCREMENT` never uses an id again, so that an iteration by id yields nothing twice. It costs 5 % of a write.
*/
const tables = `
	CREATE TABLE entries (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		key TEXT NOT NULL,
		expires INTEGER,
		created_at INTEGER,
		fresh_until INTEGER,
		used INTEGER,
		value BLOB NOT NULL
	) STRICT;
	CREATE UNIQUE INDEX entries_key ON entries (key);
	CREATE INDEX entries_expires ON entries (expires) WHERE expires IS NOT NULL;
	CREATE TABLE locks (key TEXT PRIMARY KEY, expires INTEGER NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/** SQLite stores this statement in the file as it is, so that it identifies a file whose header is damaged. */
export const signature = 'CREATE INDEX entries_fresh ON entries (fresh_until) WHERE fresh_until IS NOT NULL';

const indexes = `
	CREATE INDEX entries_created ON entries (created_at) WHERE created_at IS NOT NULL;
	${signature};
	CREATE INDEX entries_used ON entries (used);
	PRAGMA application_id = ${appId};
	PRAGMA user_version = ${schemaVersion};
`;

/** A single statement: between two statements, another process could create the tables. */
const headerQuery = `
	SELECT
		(SELECT application_id FROM pragma_application_id) AS application,
		(SELECT user_version FROM pragma_user_version) AS version,
		(SELECT count(*) FROM sqlite_schema) AS tables
`;

type Checked = Pick<SqliteSettings, 'path'>;

/**
Prepares a database for reading and writing: sets its modes, and creates its tables.

@throws {CacheHooksError} `ERR_STORE_SCHEMA` for a file of another program or of another version.
*/
export function prepareDatabase(database: DatabaseSync, {path, wal, fastSave}: Checked & Pick<SqliteSettings, 'wal' | 'fastSave'>): void {
	// Checked before the journal mode is set, which would change a file of another program.
	const isEmpty = isEmptyDatabase(database, path);
	if (isEmpty) {
		// Allows `vacuum` in small steps later. Only an empty file accepts it.
		database.exec('PRAGMA auto_vacuum = INCREMENTAL');
	}

	if (wal) {
		database.exec('PRAGMA journal_mode = WAL');
	}

	database.exec(`PRAGMA synchronous = ${fastSave ? 'OFF' : 'NORMAL'}; PRAGMA journal_size_limit = 33554432; PRAGMA secure_delete = FAST`);
	if (isEmpty) {
		inTransaction(database, () => {
			// Checked again: another process may have been first.
			if (isEmptyDatabase(database, path)) {
				database.exec(tables + indexes);
			}
		});
	}
}

/**
Checks a database that may only be read.

@throws {CacheHooksError} `ERR_STORE_SCHEMA` for a file of another program or of another version, `ERR_STORE_OPEN` for an empty one.
*/
export function checkSchema(database: DatabaseSync, {path}: Checked): void {
	if (isEmptyDatabase(database, path)) {
		throw new CacheHooksError('ERR_STORE_OPEN', `The SQLite store \`${path}\` is empty and may only be read: open it first in a process that can write to it.`);
	}
}

/** Returns whether the database has no tables yet. Throws unless it is empty or has the current schema. */
function isEmptyDatabase(database: DatabaseSync, path: string): boolean {
	const header = database.prepare(headerQuery).get() as {application: number; version: number; tables: number};
	if (header.application === 0 && header.version === 0 && header.tables === 0) {
		return true;
	}

	if (header.application !== appId) {
		throw new CacheHooksError('ERR_STORE_SCHEMA', `The SQLite file \`${path}\` is not a store of got-cache-hooks: use another file.`);
	}

	if (header.version !== schemaVersion) {
		const fact = `The SQLite store \`${path}\` has schema version ${header.version}, but this version of got-cache-hooks needs ${schemaVersion}`;
		throw new CacheHooksError('ERR_STORE_SCHEMA', `${fact}: use the version of the package that made the file, or another file.`);
	}

	return false;
}

export function inTransaction<T>(database: DatabaseSync, action: () => T): T {
	database.exec('BEGIN IMMEDIATE');
	try {
		const result = action();
		database.exec('COMMIT');
		return result;
	} catch (error) {
		// After some errors, such as a full disk, SQLite has already rolled back.
		if (database.isTransaction) {
			database.exec('ROLLBACK');
		}

		throw error;
	}
}
