import {existsSync} from 'node:fs';
import {setTimeout as pause} from 'node:timers/promises';
import {CacheHooksError} from '../../errors.ts';
import type {MaybePromise} from '../../maybe-promise.ts';

/** In milliseconds. */
const longestPause = 50;

/** Whether another connection holds a lock (SQLITE_BUSY, SQLITE_LOCKED), so that another attempt may succeed. */
export function isBusy(error: unknown): boolean {
	return [5, 6].includes(primaryCode(error));
}

/** Returns an error that `isBusy` accepts, for a file that another process is changing. */
export function busyError(message: string): Error {
	return Object.assign(new Error(message), {errcode: 5});
}

/** Whether the file is damaged, or not a database (SQLITE_CORRUPT, SQLITE_NOTADB). */
export function isCorrupt(error: unknown): boolean {
	return [11, 26].includes(primaryCode(error));
}

/** Whether the disk is full (SQLITE_FULL). */
export function isFull(error: unknown): boolean {
	return primaryCode(error) === 13;
}

/** Whether the file, or a permission for it or its logs, is missing (SQLITE_READONLY, SQLITE_CANTOPEN). */
export function isUnableToOpen(error: unknown): boolean {
	return [8, 14].includes(primaryCode(error));
}

/** The low byte of an extended code is the primary code. */
function primaryCode(error: unknown): number {
	const {errcode, cause} = error as {errcode?: number; cause?: {errcode?: number}};
	return (errcode ?? cause?.errcode ?? 0) % 256;
}

/** Returns the error that a call of the store throws for an error of SQLite. */
export function storeErrorOf(error: unknown, path: string): unknown {
	if (error instanceof CacheHooksError) {
		return error;
	}

	if (isBusy(error)) {
		return new CacheHooksError('ERR_STORE_BUSY', `The SQLite store \`${path}\` was locked by another connection for longer than \`busyTimeout\`: ${(error as Error).message}.`, {cause: error});
	}

	if (isUnableToOpen(error)) {
		return openError(path, error);
	}

	const fact = `The disk is full, and the SQLite store \`${path}\` needs room even to delete`;
	const advice = 'free some space, or end all processes that use the file and remove it with its logs';
	return isFull(error) ? new CacheHooksError('ERR_STORE_FULL', `${fact}: ${advice}.`, {cause: error}) : error;
}

/** Returns the error for a file that cannot be opened. */
export function openError(path: string, error: unknown): CacheHooksError {
	const {code, message} = error as {code?: string; message: string};
	const isDenied = isUnableToOpen(error) || code === 'EACCES' || code === 'EROFS';
	const denied = 'Let this process read and write the file, its logs and their folder, or set another `path`';
	const missing = 'There is no such file: create it with a store that may write, or correct `path`';
	const advice = isUnableToOpen(error) && !existsSync(path) ? `. ${missing}` : (isDenied ? `. ${denied}` : '');
	return new CacheHooksError('ERR_STORE_OPEN', `Cannot open the SQLite store \`${path}\`: ${message}${advice}.`, {cause: error});
}

/**
Runs an action. If it meets a lock, it is tried again until the time is over, without blocking: no statement waits for a lock by itself.
*/
export function untilUnlocked<T>(milliseconds: number, action: () => T): MaybePromise<T> {
	try {
		return action();
	} catch (error) {
		if (isBusy(error) && milliseconds > 0) {
			return tryAgain(milliseconds, action);
		}

		throw error;
	}
}

/** Runs an action that has met a lock until it meets none, or the time is over. */
export async function tryAgain<T>(milliseconds: number, action: () => T): Promise<T> {
	const end = performance.now() + milliseconds;
	for (let attempt = 1; ; attempt++) {
		await pause(pauseBefore(attempt)); // eslint-disable-line no-await-in-loop
		try {
			return action();
		} catch (error) {
			if (!isBusy(error) || performance.now() >= end) {
				throw error;
			}
		}
	}
}

/** Returns how long to wait before an attempt, in milliseconds. It grows, and it is random, so that waiters do not meet again. */
export function pauseBefore(attempt: number): number {
	return 1 + (Math.random() * Math.min(2 ** attempt, longestPause));
}
