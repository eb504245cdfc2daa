import process from 'node:process';
import type * as Sqlite from 'node:sqlite';
import type {DatabaseSync} from 'node:sqlite';
import {CacheHooksError} from '../../errors.ts';
import {makeFolderOf} from '../folders.ts';
import {isBusy} from './faults.ts';
import type {SqliteSettings} from './options.ts';
import {schemaState, updateSchema} from './schema.ts';

/**
Opens the file, or makes it, with the schema in place.

Throws a `CacheHooksError`: `ERR_STORE_SCHEMA` for a file of a newer version or of somebody else, which is left as it is; `ERR_STORE_OPEN` for one that cannot be opened or is no SQLite file.
*/
export function openSqliteFile(settings: SqliteSettings): DatabaseSync {
	const {path, busyTimeout, makesFolder} = settings;
	const sqlite = loadSqlite();
	let database: DatabaseSync | undefined;
	try {
		if (makesFolder) {
			makeFolderOf(path);
		}

		database = new sqlite.DatabaseSync(path);
		// Before all else: what follows already meets the locks of other processes.
		database.exec(`PRAGMA busy_timeout = ${busyTimeout}`);
		prepareFile(database, settings);
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

function prepareFile(database: DatabaseSync, {path, busyTimeout, wal, fastSave}: SqliteSettings): void {
	// Looked at before the journal mode is set, which would already change a file of somebody else.
	const state = schemaState(database, path);
	if (state === 'empty') {
		// Only an empty file takes it: lets deleted space be given back bit by bit later on.
		database.exec('PRAGMA auto_vacuum = INCREMENTAL');
	}

	if (wal) {
		retryWhileBusy(busyTimeout, () => {
			database.exec('PRAGMA journal_mode = WAL');
		});
	}

	database.exec(`PRAGMA synchronous = ${fastSave ? 'OFF' : 'NORMAL'}; PRAGMA journal_size_limit = 33554432; PRAGMA secure_delete = FAST`);
	if (state !== 'current') {
		updateSchema(database, path);
	}
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
