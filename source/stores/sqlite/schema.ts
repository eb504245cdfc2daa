import type {DatabaseSync} from 'node:sqlite';
import {CacheHooksError} from '../../errors.ts';

/** Says in the file's header that it is ours: the ASCII codes of `GCHS`. */
export const appCode = 0x47_43_48_53;
const schemaVersion = 2;

/**
`fresh_until` of what never ceases to be fresh: `null` is what was set without `indexed`.
*/
export const forGood: number = Number.MAX_SAFE_INTEGER;

/**
`value` is the last column: what lies behind a large value is read through all its overflow pages.
`AUTOINCREMENT` never gives an id twice, so that an iteration by id meets nothing twice; it costs 5 % of a write.
*/
const table = `
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
`;

/** Version 1 had no more than `id`, `key`, `expires` and `value`. */
const columnsOfVersion2 = `
	ALTER TABLE entries ADD COLUMN created_at INTEGER;
	ALTER TABLE entries ADD COLUMN fresh_until INTEGER;
	ALTER TABLE entries ADD COLUMN used INTEGER;
`;

/** SQLite keeps it in the file word for word: it tells that a file is ours whose header is damaged. */
export const signature = 'CREATE INDEX entries_fresh ON entries (fresh_until) WHERE fresh_until IS NOT NULL';

const indexesOfVersion2 = `
	CREATE INDEX entries_created ON entries (created_at) WHERE created_at IS NOT NULL;
	${signature};
	CREATE INDEX entries_used ON entries (used);
	PRAGMA application_id = ${appCode};
	PRAGMA user_version = ${schemaVersion};
`;

/** One statement, so one point in time: between two, another process could make the tables. */
const headerQuery = `
	SELECT
		(SELECT application_id FROM pragma_application_id) AS application,
		(SELECT user_version FROM pragma_user_version) AS version,
		(SELECT count(*) FROM sqlite_schema) AS tables
`;

/**
Whether the file is empty, has tables of an earlier version, or is as it should be.

@throws {CacheHooksError} `ERR_STORE_SCHEMA` for a file of somebody else, or of a newer version.
*/
export function schemaState(database: DatabaseSync, path: string): 'empty' | 'old' | 'current' {
	const header = database.prepare(headerQuery).get() as {application: number; version: number; tables: number};
	if (header.application === 0 && header.version === 0 && header.tables === 0) {
		return 'empty';
	}

	if (header.application !== appCode) {
		throw new CacheHooksError('ERR_STORE_SCHEMA', `The SQLite file \`${path}\` is not a store of got-cache-hooks: use another file`);
	}

	if (header.version > schemaVersion) {
		const message = `The SQLite store \`${path}\` has schema version ${header.version}, and this version of got-cache-hooks knows ${schemaVersion}`;
		throw new CacheHooksError('ERR_STORE_SCHEMA', `${message}: update the package, or use another file`);
	}

	return header.version < schemaVersion ? 'old' : 'current';
}

/** Makes the tables, or brings those of an earlier version up to date with their rows in place. */
export function updateSchema(database: DatabaseSync, path: string): void {
	inTransaction(database, () => {
		// Asked again: another process may have been first.
		const state = schemaState(database, path);
		if (state !== 'current') {
			database.exec((state === 'empty' ? table : columnsOfVersion2) + indexesOfVersion2);
		}
	});
}

export function inTransaction<T>(database: DatabaseSync, action: () => T): T {
	database.exec('BEGIN IMMEDIATE');
	try {
		const result = action();
		database.exec('COMMIT');
		return result;
	} catch (error) {
		// SQLite has already rolled back by itself after some errors, a full disk for one.
		if (database.isTransaction) {
			database.exec('ROLLBACK');
		}

		throw error;
	}
}
