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
import type {Place} from '../place.ts';
import {
	busyFault,
	fileIdentity,
	isUnableToOpen,
	startOf,
} from './faults.ts';
import type {SqliteSettings} from './options.ts';
import {schemaState, updateSchema} from './schema.ts';

export type OpenedFile = {
	readonly database: DatabaseSync;
	readonly isReadOnly: boolean;

	/** What the file and its log were like, where SQLite was told that nobody writes to it: what was read counts only while that is so. */
	readonly stamp: string | undefined;
};

const attempts = 5;

/**
Opens the file, or makes it, with the schema in place. Waits for no lock: `isBusy` tells what is right to try again.

Throws a `CacheHooksError`: `ERR_STORE_SCHEMA` for a file of a newer version or of somebody else, which is left as it is; `ERR_STORE_PLACE` for a default place that another user has or can write to; `ERR_STORE_OPEN` for a file that cannot be opened or is no SQLite file.
*/
export function openSqliteFile(settings: SqliteSettings): OpenedFile {
	const {path, place} = settings;
	for (let attempt = 1; ; attempt++) {
		try {
			return openFile(settings);
		} catch (error) {
			if (attempt < attempts && isUnableToOpen(error)) {
				// Another process may have renamed the file.
				continue;
			}

			const isBeingMade = place && filesOf(place).some(file => place.isBeingMade(file));
			if (!isBeingMade && error instanceof CacheHooksError) {
				throw error;
			}

			const cause = isBeingMade ? busyFault('another process is just making it') : error as Error;
			throw new CacheHooksError('ERR_STORE_OPEN', `Cannot open the SQLite store \`${path}\`: ${cause.message}`, {cause});
		}
	}
}

function openFile(settings: SqliteSettings): OpenedFile {
	const {path, place, readOnly} = settings;
	const sqlite = loadSqlite();
	if (place === undefined) {
		return prepared(new sqlite.DatabaseSync(path), settings);
	}

	for (const file of filesOf(place)) {
		refuseOthers(file);
	}

	if (readOnly || !isWritable(place.path)) {
		checkPlace(place);
		const stamp = isLeftWithWal(path) ? stampOf(path) : undefined;
		const database = new sqlite.DatabaseSync(urlOf(settings, 'ro', stamp !== undefined));
		if (!readOnly && isWritable(place.path)) {
			database.close();
			throw busyFault('another process has just made it');
		}

		return prepared(database, settings, {isReadOnly: true, ...stamp !== undefined && {stamp}});
	}

	makePlace(place, settings.makesFile);
	// What has been made has its mode, and SQLite makes none.
	return prepared(new sqlite.DatabaseSync(urlOf(settings, place.makesFiles || !settings.makesFile ? 'rw' : 'rwc')), settings);
}

function prepared(database: DatabaseSync, settings: SqliteSettings, {isReadOnly = false, stamp}: Partial<Omit<OpenedFile, 'database'>> = {}): OpenedFile {
	try {
		if (isReadOnly) {
			checkSchema(database, settings.path);
		} else {
			prepareFile(database, settings);
		}

		return {database, isReadOnly, stamp};
	} catch (error) {
		database.close();
		throw error;
	}
}

/** A pipe or a device would keep SQLite waiting. */
function refuseOthers(file: string): void {
	const stats = statSync(file, {throwIfNoEntry: false});
	if (stats !== undefined && !stats.isFile()) {
		throw new CacheHooksError('ERR_STORE_OPEN', `Cannot open the SQLite store: \`${file}\` is ${stats.isDirectory() ? 'a folder' : 'a pipe, a socket or a device'}, not a file`);
	}
}

/** Whether this process can write to the file, or make it where there is none. SQLite also has to make its logs, or to find them. */
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
Removes a file in WAL mode, with its logs, which this process has closed, and says whether it did: not where another process has it open, nor where another file has taken its place.
*/
export function removeUnlessOpen(settings: SqliteSettings, identity: string): boolean {
	const {path} = settings;
	const sqlite = loadSqlite();
	let database: DatabaseSync | undefined;
	try {
		database = new sqlite.DatabaseSync(urlOf(settings, 'rw'));
		// Before the first access: that takes the lock which nobody gets while the file is open elsewhere.
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

/**
Whether the file is in WAL mode, nobody has it open, and all of it is in the file: reading it would make its logs, unless it is opened as immutable.

A file with its logs is not looked into: this process may have it open, and whoever closes a file gives up all locks that the process has on it.
*/
function isLeftWithWal(path: string): boolean {
	const [log, index] = ['-wal', '-shm'].map(suffix => statSync(path + suffix, {throwIfNoEntry: false}));
	const isLeft = log === undefined || (log.size === 0 && index === undefined);
	return isLeft && startOf(path, 20)[19] === 2;
}

/** What changes where anybody writes to the file. */
export function stampOf(path: string): string {
	return [path, `${path}-wal`].map(file => {
		const stats = statSync(file, {bigint: true, throwIfNoEntry: false});
		return stats === undefined || stats.size === 0n ? '' : `${stats.ino} ${stats.size} ${stats.mtimeNs}`;
	}).join('; ');
}

function checkPlace(place: Place): void {
	if (place.isDefault && place.check()) {
		for (const file of filesOf(place)) {
			place.checkFile(file);
		}
	}
}

/**
Makes the file before SQLite does, which would give it another mode. SQLite gives its logs and journals the mode of the file.
*/
function makePlace(place: Place, makesFile: boolean): void {
	const folder = dirname(place.path);
	if (makesFile && (place.isDefault || statSync(folder, {throwIfNoEntry: false}) === undefined)) {
		place.makeFolder(folder);
	}

	checkPlace(place);
	if (makesFile) {
		place.provideFile(place.path);
	}
}

function filesOf({path}: Place): string[] {
	return ['', '-wal', '-shm', '-journal'].map(suffix => path + suffix);
}

function urlOf({path, parameters}: SqliteSettings, mode: 'ro' | 'rw' | 'rwc', isImmutable = false): URL {
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
Not imported at the top: Node 22 prints an experimental warning as soon as `node:sqlite` is loaded, which would also reach those who never use it.
*/
function loadSqlite(): typeof Sqlite {
	const sqlite = process.getBuiltinModule('node:sqlite');
	if (sqlite === undefined) {
		throw new CacheHooksError('ERR_STORE_OPEN', 'The SQLite store needs `node:sqlite`, which this runtime lacks: use Node.js 22.19 or later, or another store');
	}

	return sqlite;
}

function prepareFile(database: DatabaseSync, {path, wal, fastSave}: SqliteSettings): void {
	// Looked at before the journal mode is set, which would already change a file of somebody else.
	const state = schemaState(database, path);
	if (state === 'empty') {
		// Only an empty file takes it: lets deleted space be given back bit by bit later on.
		database.exec('PRAGMA auto_vacuum = INCREMENTAL');
	}

	if (wal) {
		database.exec('PRAGMA journal_mode = WAL');
	}

	database.exec(`PRAGMA synchronous = ${fastSave ? 'OFF' : 'NORMAL'}; PRAGMA journal_size_limit = 33554432; PRAGMA secure_delete = FAST`);
	if (state !== 'current') {
		updateSchema(database, path);
	}
}

function checkSchema(database: DatabaseSync, path: string): void {
	const state = schemaState(database, path);
	if (state === 'empty') {
		throw new CacheHooksError('ERR_STORE_OPEN', `The SQLite store \`${path}\` is empty, and may only be read: let a process that can write to it begin it`);
	}

	if (state === 'old') {
		throw new CacheHooksError('ERR_STORE_SCHEMA', `The SQLite store \`${path}\` is of an earlier version, and may only be read: open it once in a process that can write to it`);
	}
}
