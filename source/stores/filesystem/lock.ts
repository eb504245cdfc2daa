import {randomUUID} from 'node:crypto';
import {closeSync, writeSync} from 'node:fs';
import {setTimeout as pause} from 'node:timers/promises';
import type {StoreLocation} from '../location.ts';
import {isGone, processIdentity} from '../process-identity.ts';
import {
	isThere,
	readBeginning,
	removeFile,
	statFile,
} from './files.ts';
import {commentMark, foreignFileError, isBegun} from './head.ts';

/** How long a lock counts whose process cannot be known to have ended, in milliseconds. */
const abandonedAfter = 10_000;
const longestLock = 1000;

/**
Runs an action while no other process runs one for the same lock file. The first one to create the file has the lock.

The file names the process. Once that process has ended, or after 10 s if that cannot be known (on another machine, or in another container), another process removes the file.

@throws {CacheHooksError} `ERR_STORE_FILE` if the file is not one of this store.
*/
export async function withLock<T>(path: string, location: StoreLocation, action: () => Promise<T>): Promise<T> {
	const own = `${commentMark}lock ${processIdentity()} ${randomUUID()}\n`;
	let holder: string | undefined;
	let since = 0;
	while (!tryLock(path, own, location)) {
		const current = lockAt(path);
		if (current !== holder) {
			[holder, since] = [current, performance.now()];
		}

		// The time of the file is not enough, since clocks are changed.
		const isFree = current !== undefined && (isAbandoned(path, current) || performance.now() - since > abandonedAfter);
		if (!isFree || !removeLock(path, current, own, location)) {
			await pause(2); // eslint-disable-line no-await-in-loop
		}
	}

	try {
		return await action();
	} finally {
		// After a long stop of this process, another one may have the lock.
		if (lockAt(path) === own) {
			removeFile(path);
		}
	}
}

function tryLock(path: string, own: string, location: StoreLocation): boolean {
	if (isThere(path)) {
		return false;
	}

	let file: number;
	try {
		file = location.createFile(path);
	} catch (error) {
		if ((error as {code?: unknown}).code === 'EEXIST') {
			return false;
		}

		throw error;
	}

	try {
		writeSync(file, own);
		return true;
	} catch (error) {
		removeFile(path);
		throw error;
	} finally {
		closeSync(file);
	}
}

/** Returns the content of a lock file, which is empty while it is being written. `undefined` if there is none. */
function lockAt(path: string): string | undefined {
	const beginning = readBeginning(path, longestLock);
	if (beginning === undefined ? isThere(path) && statFile(path) === undefined : !isBegun(beginning.bytes)) {
		throw foreignFileError(path);
	}

	return beginning && new TextDecoder().decode(beginning.bytes);
}

function removeLock(path: string, content: string, own: string, location: StoreLocation): boolean {
	// Only one process at a time checks and removes: a second one would remove the new lock of the first.
	const guard = `${path}~`;
	if (!tryLock(guard, own, location)) {
		const other = lockAt(guard);
		return other !== undefined && isAbandoned(guard, other) && removeFile(guard);
	}

	try {
		return lockAt(path) === content && removeFile(path);
	} finally {
		removeFile(guard);
	}
}

function isAbandoned(path: string, content: string): boolean {
	const stats = statFile(path);
	return isGone(content.split(' ', 4)[3] ?? '') || (stats !== undefined && Date.now() - stats.mtimeMs > abandonedAfter);
}
