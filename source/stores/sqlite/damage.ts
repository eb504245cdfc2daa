import {Buffer} from 'node:buffer';
import {
	closeSync,
	openSync,
	readSync,
	renameSync,
	statSync,
} from 'node:fs';
import {appId, signature} from './schema.ts';

/** Returns the identity of a file, which differs from that of a file that takes its name; `undefined` if there is none. */
export function fileIdentity(path: string): string | undefined {
	const stats = statSync(path, {bigint: true, throwIfNoEntry: false});
	return stats && `${stats.dev}:${stats.ino}`;
}

const appIdOffset = 68;

/** Includes the page of the schema, in a file and in the first pages of a log. */
const startLength = 65_536;

/**
Whether a file that SQLite cannot read belongs to the store: by its header, or, if that is damaged, by the statements that created its tables.
*/
export function isOwnFile(path: string): boolean {
	const start = Buffer.from(startOf(path));
	const hasHeader = start.length > 100 && start.toString('latin1', 0, 16) === 'SQLite format 3\0';
	const id = hasHeader ? start.readUInt32BE(appIdOffset) : 0;
	return id === 0 ? start.includes(signature) || Buffer.from(startOf(`${path}-wal`)).includes(signature) : id === appId;
}

/** Returns the first bytes of a file; none if it cannot be read. */
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
Renames a file and its logs and returns the new name. Does nothing if another file has taken its name.

The file is renamed last: SQLite would delete a log without its file, whereas a file without its log is only older.
*/
export function setAside(path: string, identity: string, time: number): string | undefined {
	if (fileIdentity(path) !== identity) {
		return undefined;
	}

	const name = `${path}.corrupt-${time}`;
	let target = name;
	for (let count = 2; fileIdentity(target) !== undefined; count++) {
		target = `${name}-${count}`;
	}

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
