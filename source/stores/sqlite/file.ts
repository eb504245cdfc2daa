import {dirname} from 'node:path';
import process from 'node:process';
import type * as Sqlite from 'node:sqlite';
import type {DatabaseSync} from 'node:sqlite';
import {pathToFileURL} from 'node:url';
import {CacheHooksError} from '../../errors.ts';
import type {Place} from '../place.ts';
import {isBusy, isUnableToOpen} from './faults.ts';
import type {SqliteSettings} from './options.ts';
import {schemaState, updateSchema} from './schema.ts';

/**
Opens the file, or makes it, with the schema in place.

Throws a `CacheHooksError`: `ERR_STORE_SCHEMA` for a file of a newer version or of somebody else, which is left as it is; `ERR_STORE_PLACE` for a default place that another user has or can write to; `ERR_STORE_OPEN` for a file that cannot be opened or is no SQLite file.
*/
export function openSqliteFile(settings: SqliteSettings): DatabaseSync {
	const {path, place} = settings;
	for (let attempt = 1; ; attempt++) {
		try {
			return openFile(settings);
		} catch (error) {
			if (place !== undefined && attempt < 5 && isUnableToOpen(error)) {
				// Another process may have renamed the file, or be about to give a log its mode.
				waitForLogs(place);
				continue;
			}

			throw error instanceof CacheHooksError
				? error
				: new CacheHooksError('ERR_STORE_OPEN', `Cannot open the SQLite store \`${path}\`: ${(error as Error).message}`, {cause: error});
		}
	}
}

function openFile(settings: SqliteSettings): DatabaseSync {
	const {path, busyTimeout, place} = settings;
	const sqlite = loadSqlite();
	if (place !== undefined) {
		makePlace(place);
	}

	const database = new sqlite.DatabaseSync(place?.makesFiles === true ? withoutMaking(path) : path);
	try {
		// Before all else: what follows already meets the locks of other processes.
		database.exec(`PRAGMA busy_timeout = ${busyTimeout}`);
		prepareFile(database, settings);
		return database;
	} catch (error) {
		database.close();
		throw error;
	}
}

/**
Makes the file before SQLite does, which would give it another mode. SQLite gives its logs and journals the mode of the file.
*/
function makePlace(place: Place): void {
	if (place.isDefault) {
		place.makeFolder(dirname(place.path));
		for (const path of [place.path, ...logsOf(place)]) {
			place.checkFile(path);
		}
	}

	place.provideFile(place.path);
}

function waitForLogs(place: Place): void {
	for (const path of logsOf(place)) {
		place.waitForMode(path);
	}
}

function logsOf({path}: Place): string[] {
	return ['-wal', '-shm', '-journal'].map(suffix => path + suffix);
}

/** A URL by which SQLite opens a file that is there, and makes none. */
function withoutMaking(path: string): URL {
	const url = pathToFileURL(path);
	url.searchParams.set('mode', 'rw');
	return url;
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
