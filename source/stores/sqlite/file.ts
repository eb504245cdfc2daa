import {
	accessSync,
	constants,
	rmSync,
	statSync,
} from 'node:fs';
import {dirname} from 'node:path';
import process from 'node:process';
import type * as Sqlite from 'node:sqlite';
import type {DatabaseSync} from 'node:sqlite';
import {pathToFileURL} from 'node:url';
import {CacheHooksError} from '../../errors.ts';
import type {StoreLocation} from '../location.ts';
import {fileIdentity, startOf} from './damage.ts';
import {
	busyError,
	isUnableToOpen,
	openError,
} from './errors.ts';
import type {SqliteSettings} from './options.ts';
import {checkSchema, prepareDatabase} from './schema.ts';

export type OpenedFile = {
	readonly database: DatabaseSync;
	readonly isReadOnly: boolean;

	/** The stamp of a file that was opened as immutable: results count only while the stamp stays the same. */
	readonly stamp: string | undefined;
};

const attempts = 5;

/**
Opens the file, or creates it, with the schema in place. Does not wait for locks.

Throws a `CacheHooksError`: `ERR_STORE_SCHEMA` for a file of another version or of another program, which is not changed; `ERR_STORE_PLACE` for a default place that belongs to another user or that others can write to; `ERR_STORE_OPEN` for a file that cannot be opened or is not a database.
*/
export function openSqliteFile(settings: SqliteSettings): OpenedFile {
	for (let attempt = 1; ; attempt++) {
		try {
			return openFile(settings);
		} catch (error) {
			// Another process may have renamed the file.
			if (attempt >= attempts || !isUnableToOpen(error)) {
				throw error instanceof CacheHooksError ? error : openError(settings.path, error);
			}
		}
	}
}

function openFile(settings: SqliteSettings): OpenedFile {
	const {path, location, readOnly} = settings;
	const sqlite = loadSqlite();
	if (location === undefined) {
		return prepared(new sqlite.DatabaseSync(path), settings);
	}

	for (const file of filesOf(path)) {
		expectFile(file);
	}

	if (readOnly || !isWritable(path)) {
		checkLocation(location);
		const stamp = isClosedWal(path) ? stampOf(path) : undefined;
		const database = new sqlite.DatabaseSync(urlOf(settings, 'ro', stamp !== undefined));
		if (!readOnly && isWritable(path)) {
			database.close();
			throw busyError('another process has just created it');
		}

		return prepared(database, settings, true, stamp);
	}

	if (settings.createsFile) {
		provideFile(location);
	} else {
		checkLocation(location);
	}

	return prepared(new sqlite.DatabaseSync(urlOf(settings, 'rw')), settings);
}

function prepared(database: DatabaseSync, settings: SqliteSettings, isReadOnly = false, stamp?: string): OpenedFile {
	try {
		(isReadOnly ? checkSchema : prepareDatabase)(database, settings);
		return {database, isReadOnly, stamp};
	} catch (error) {
		database.close();
		throw error;
	}
}

/** A pipe or a device would block SQLite. */
function expectFile(file: string): void {
	const stats = statSync(file, {throwIfNoEntry: false});
	if (stats !== undefined && !stats.isFile()) {
		throw new CacheHooksError('ERR_STORE_OPEN', `Cannot open the SQLite store: \`${file}\` is ${stats.isDirectory() ? 'a folder' : 'a pipe, a socket or a device'}, not a file.`);
	}
}

/** Whether this process can write to the file, or create it. SQLite also needs to create its logs, or to find them. */
export function isWritable(path: string): boolean {
	return statSync(path, {throwIfNoEntry: false}) === undefined
		|| (mayWrite(path) && (mayWrite(dirname(path)) || ['-wal', '-shm'].every(suffix => mayWrite(path + suffix))));
}

function mayWrite(path: string): boolean {
	try {
		accessSync(path, constants.W_OK);
		return true;
	} catch {
		return false;
	}
}

/**
Whether the file is in WAL mode but has no log, since no process has it open. Reading it would create its logs, unless it is opened as immutable.

A file with logs is not read: this process may have it open, and closing any handle releases all locks of the process on it.
*/
function isClosedWal(path: string): boolean {
	const [log, index] = ['-wal', '-shm'].map(suffix => statSync(path + suffix, {throwIfNoEntry: false}));
	const hasNoLog = log === undefined || (log.size === 0 && index === undefined);
	return hasNoLog && startOf(path, 20)[19] === 2;
}

/** Returns a text that changes with each write to the file. */
export function stampOf(path: string): string {
	return [path, `${path}-wal`].map(file => {
		const stats = statSync(file, {bigint: true, throwIfNoEntry: false});
		return stats === undefined || stats.size === 0n ? '' : `${stats.ino} ${stats.size} ${stats.mtimeNs}`;
	}).join('; ');
}

function checkLocation(location: StoreLocation): void {
	if (location.isDefault && location.check()) {
		for (const file of filesOf(location.path)) {
			location.checkFile(file);
		}
	}
}

/**
Creates the file before SQLite does, which would give it another mode. Its logs and journals get the mode of the file.
*/
function provideFile(location: StoreLocation): void {
	const folder = dirname(location.path);
	if (location.isDefault || statSync(folder, {throwIfNoEntry: false}) === undefined) {
		location.createFolder(folder);
	}

	checkLocation(location);
	location.provideFile(location.path);
}

function filesOf(path: string): string[] {
	return ['', '-wal', '-shm', '-journal'].map(suffix => path + suffix);
}

function urlOf({path, parameters}: SqliteSettings, mode: 'ro' | 'rw', isImmutable = false): URL {
	const url = pathToFileURL(path);
	for (const [name, value] of parameters) {
		url.searchParams.set(name, value);
	}

	url.searchParams.set('mode', mode);
	if (isImmutable) {
		url.searchParams.set('immutable', '1');
	}

	return url;
}

/**
Loads `node:sqlite` when it is needed: Node 22 prints a warning when it is loaded, which users of other stores should not see.
*/
function loadSqlite(): typeof Sqlite {
	const sqlite = process.getBuiltinModule('node:sqlite');
	if (sqlite === undefined) {
		throw new CacheHooksError('ERR_STORE_OPEN', 'The SQLite store needs `node:sqlite`, which this runtime lacks: use Node.js 22.19 or later, or another store.');
	}

	return sqlite;
}

/**
Removes a file in WAL mode and its logs. Returns `false` and does nothing if another process has the file open, or if another file has taken its name. This process must have closed it.
*/
export function removeUnlessOpen(settings: SqliteSettings, identity: string): boolean {
	const {path} = settings;
	const sqlite = loadSqlite();
	let database: DatabaseSync | undefined;
	try {
		database = new sqlite.DatabaseSync(urlOf(settings, 'rw'));
		// Set before the first access, which then takes a lock that is not available while another process has the file open.
		database.exec('PRAGMA locking_mode = EXCLUSIVE');
		const {mode} = database.prepare('SELECT journal_mode AS mode FROM pragma_journal_mode, (SELECT count(*) FROM sqlite_schema)').get() as {mode: string};
		database.exec('BEGIN IMMEDIATE; ROLLBACK');
		if (mode !== 'wal' || fileIdentity(path) !== identity) {
			return false;
		}

		for (const suffix of ['-wal', '-shm', '']) {
			rmSync(path + suffix, {force: true});
		}

		return true;
	} catch {
		return false;
	} finally {
		database?.close();
	}
}
