import {
	closeSync,
	openSync,
	readSync,
	renameSync,
	statSync,
} from 'node:fs';
import {Buffer} from 'node:buffer';
import {appCode} from './schema.ts';

export function isBusy(error: unknown): boolean {
	return [5, 6].includes(primaryCode(error));
}

export function isCorrupt(error: unknown): boolean {
	return primaryCode(error) === 11;
}

/** There is no file, or not the permission for it or one of its logs: what cannot be written to, SQLite opens for reading. */
export function isUnableToOpen(error: unknown): boolean {
	return [8, 14].includes(primaryCode(error));
}

/** The low byte is the primary code: 5 is SQLITE_BUSY, 6 is SQLITE_LOCKED, 8 is SQLITE_READONLY, 11 is SQLITE_CORRUPT, 14 is SQLITE_CANTOPEN. */
function primaryCode(error: unknown): number {
	const {errcode = 0} = error as {errcode?: number};
	return errcode % 256;
}

/**
Tells one file from another that has taken its name; `undefined` where there is none.
*/
export function fileIdentity(path: string): string | undefined {
	const stats = statSync(path, {bigint: true, throwIfNoEntry: false});
	return stats && `${stats.dev}:${stats.ino}`;
}

const headerLength = 100;
const appOffset = 68;

/**
Whether the header, as it lies on the disk, says that the file is ours. For a file that SQLite cannot read.
*/
export function saysItIsOurs(path: string): boolean {
	const header = Buffer.alloc(headerLength);
	try {
		const file = openSync(path, 'r');
		try {
			readSync(file, header, 0, headerLength, 0);
		} finally {
			closeSync(file);
		}
	} catch {
		return false;
	}

	return header.toString('latin1', 0, 16) === 'SQLite format 3\0' && header.readUInt32BE(appOffset) === appCode;
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
