import type {DatabaseSync} from 'node:sqlite';
import {
	closeSync,
	openSync,
	readSync,
	renameSync,
	statSync,
} from 'node:fs';
import {Buffer} from 'node:buffer';
import {CacheHooksError} from '../../errors.ts';
import {appCode, signature} from './schema.ts';

/** Another connection holds a lock: what meets it is right to try again. */
export function isBusy(error: unknown): boolean {
	return [5, 6].includes(primaryCode(error));
}

/** What is taken for a lock: another process is just making the file, or changing it. */
export function busyFault(message: string): Error {
	return Object.assign(new Error(message), {errcode: 5});
}

export function isCorrupt(error: unknown): boolean {
	return [11, 26].includes(primaryCode(error));
}

export function isFull(error: unknown): boolean {
	return primaryCode(error) === 13;
}

/** There is no file, or not the permission for it or one of its logs: what cannot be written to, SQLite opens for reading. */
export function isUnableToOpen(error: unknown): boolean {
	return [8, 14].includes(primaryCode(error));
}

/** The low byte is the primary code: 5 is SQLITE_BUSY, 6 is SQLITE_LOCKED, 8 is SQLITE_READONLY, 11 is SQLITE_CORRUPT, 13 is SQLITE_FULL, 14 is SQLITE_CANTOPEN, 26 is SQLITE_NOTADB. */
function primaryCode(error: unknown): number {
	const {errcode, cause} = error as {errcode?: number; cause?: {errcode?: number}};
	return (errcode ?? cause?.errcode ?? 0) % 256;
}

/** A fault that calls and writes of a store end with, so that its reader knows what to do. */
export function storeFaultOf(error: unknown, path: string): unknown {
	if (error instanceof CacheHooksError) {
		return error;
	}

	if (isBusy(error)) {
		const message = `The SQLite store \`${path}\` was locked by another connection for longer than \`busyTimeout\``;
		return new CacheHooksError('ERR_STORE_BUSY', `${message}: ${(error as Error).message}`, {cause: error});
	}

	if (!isFull(error)) {
		return error;
	}

	const message = `There is no room on the disk for what the SQLite store \`${path}\` writes, and deleting entries writes to its log first`;
	return new CacheHooksError('ERR_STORE_FULL', `${message}: free some space, or end all processes that use it and remove the file with its logs`, {cause: error});
}

/** On a full disk, what is in the log can still be moved to its place in the file, if it has one there, and the log begins anew. */
export function makeRoomInLog(_statements: unknown, database: DatabaseSync): void {
	try {
		database.exec('PRAGMA wal_checkpoint(RESTART)');
	} catch {
		// What is tried again says whether there is room.
	}
}

/**
Tells one file from another that has taken its name; `undefined` where there is none.
*/
export function fileIdentity(path: string): string | undefined {
	const stats = statSync(path, {bigint: true, throwIfNoEntry: false});
	return stats && `${stats.dev}:${stats.ino}`;
}

const appOffset = 68;
/** As much of a file as has the page of its schema, in the file and in the first pages of a log. */
const startLength = 65_536;

/**
Whether the file, as it lies on the disk, is ours: its header says so, or, behind a damaged one, the statements that made its tables do. For a file that SQLite cannot read.
*/
export function saysItIsOurs(path: string): boolean {
	const start = Buffer.from(startOf(path));
	const log = Buffer.from(startOf(`${path}-wal`));
	const hasHeader = start.length > 100 && start.toString('latin1', 0, 16) === 'SQLite format 3\0';
	const app = hasHeader ? start.readUInt32BE(appOffset) : 0;
	return app === 0 ? start.includes(signature) || log.includes(signature) : app === appCode;
}

/** The first bytes; none where it cannot be read. */
export function startOf(path: string, length: number = startLength): Uint8Array {
	const bytes = new Uint8Array(length);
	try {
		const file = openSync(path, 'r');
		try {
			return bytes.subarray(0, readSync(file, bytes, 0, length, 0));
		} finally {
			closeSync(file);
		}
	} catch {
		return bytes.subarray(0, 0);
	}
}

/**
Renames a file and its logs, so that a new one can begin, and gives the new name; nothing is done where another process has been first.

The file is renamed last: a log without its file is deleted by SQLite as soon as the new file begins, and a file without its log is only older.
*/
export function setAside(path: string, identity: string, time: number): string | undefined {
	if (fileIdentity(path) !== identity) {
		return undefined;
	}

	const target = freeName(`${path}.corrupt-${time}`);
	for (const suffix of ['-wal', '-shm', '']) {
		try {
			renameSync(path + suffix, target + suffix);
		} catch (error) {
			if ((error as {code?: unknown}).code !== 'ENOENT') {
				throw error;
			}
		}
	}

	return target;
}

function freeName(name: string): string {
	let free = name;
	for (let count = 2; fileIdentity(free) !== undefined; count++) {
		free = `${name}-${count}`;
	}

	return free;
}
