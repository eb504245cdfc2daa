import {Buffer} from 'node:buffer';
import {
	closeSync,
	constants,
	fstatSync,
	lstatSync,
	openSync,
	readdirSync,
	readSync,
	renameSync,
	rmSync,
	unlinkSync,
	utimesSync,
	writeFileSync,
	type Stats,
} from 'node:fs';
import {readFile, writeFile} from 'node:fs/promises';
import {dirname} from 'node:path';
import {recover, then, type MaybePromise} from '../../maybe-promise.ts';
import {changeMode, modeToKeep, temporaryNameIn} from '../file-modes.ts';
import type {StoreLocation} from '../location.ts';

/**
The size from which a file is read and written outside of the event loop, in bytes. Below it, the thread pool costs more: a file of 10 KB is read in 20 µs synchronously, and in 200 to 700 µs by a promise.
*/
const largeFrom = 1_000_000;

/** Without `O_NONBLOCK`, opening a FIFO waits until another process opens it. Windows has neither. */
const readFlags = constants.O_RDONLY + ((constants as {O_NONBLOCK?: number}).O_NONBLOCK ?? 0);

/** The codes for what does not exist or is not a file: another process may have removed or replaced it. */
const absentCodes: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'ENXIO']);

function ifPresent<T>(action: () => T): T | undefined {
	try {
		return action();
	} catch (error) {
		ignoreAbsence(error);
	}
}

function ignoreAbsence(error: unknown): undefined {
	if (!absentCodes.has((error as {code?: unknown}).code)) {
		throw error;
	}
}

/**
Returns the stats of a file; `undefined` if there is none, or if it is a folder, a FIFO or a symbolic link, which the store never creates.

Most files that are asked for on a miss do not exist, and an exception would cost ten times as much.
*/
export function statFile(path: string): Stats | undefined {
	const stats = ifPresent(() => lstatSync(path, {throwIfNoEntry: false}));
	return stats?.isFile() === true ? stats : undefined;
}

/** Whether anything has this name. */
export function isThere(path: string): boolean {
	return ifPresent(() => lstatSync(path, {throwIfNoEntry: false})) !== undefined;
}

/** Returns the bytes of a file, or `undefined` if there is none. Large files are read asynchronously. */
export function readBytes(path: string): MaybePromise<Uint8Array | undefined> {
	const stats = statFile(path);
	return stats === undefined || stats.size < largeFrom ? stats && readBeginning(path, Infinity)?.bytes : readFile(path, {flag: readFlags as unknown as string}).catch(ignoreAbsence);
}

/** Returns the first bytes of a file and the size of the whole, from one handle, since the file may be replaced at any time. */
export function readBeginning(path: string, length: number): {readonly bytes: Uint8Array; readonly fileSize: number} | undefined {
	return ifPresent(() => {
		const file = openSync(path, readFlags);
		try {
			const stats = fstatSync(file);
			if (!stats.isFile()) {
				return undefined;
			}

			const {size: fileSize} = stats;
			const bytes = Buffer.allocUnsafeSlow(Math.min(length, fileSize));
			return {bytes: bytes.subarray(0, readSync(file, bytes, 0, bytes.byteLength, 0)), fileSize};
		} finally {
			closeSync(file);
		}
	});
}

type Replacement = {
	/** The time of the last use, in milliseconds since the epoch. */
	readonly time: number;
	readonly location: StoreLocation;

	/** Throws if the existing file must not be replaced. */
	readonly check: () => void;
};

/**
Writes a file to a temporary file beside it, which then gets its name, so that a crash leaves the old or the new one whole. An existing file keeps its mode.
*/
export function replaceFile(path: string, parts: readonly Uint8Array[], {time, location, check}: Replacement): MaybePromise<void> {
	const temporary = temporaryNameIn(dirname(path));
	const finish = (): void => {
		check();
		// After writing, since the mode may not allow it.
		const mode = modeToKeep(path);
		if (mode !== undefined && mode !== location.fileMode) {
			changeMode(temporary, mode);
		}

		utimesSync(temporary, time / 1000, time / 1000);
		renameSync(temporary, path);
	};

	const write = (): MaybePromise<void> => {
		const isLarge = parts.reduce((sum, {byteLength}) => sum + byteLength, 0) >= largeFrom;
		const file = location.createFile(temporary);
		try {
			for (const part of isLarge ? [] : parts) {
				writeFileSync(file, part);
			}
		} finally {
			closeSync(file);
		}

		return then(isLarge ? writeFile(temporary, parts) : undefined, finish);
	};

	return recover(write, error => {
		try {
			rmSync(temporary, {force: true});
		} catch {
			// The first error says more.
		}

		throw error;
	});
}

/** Removes a file. Returns whether there was one. */
export function removeFile(path: string): boolean {
	return ifPresent(() => {
		unlinkSync(path);
		return true;
	}) ?? false;
}

/** Returns the sorted names in a folder; none if there is no folder. */
export function namesIn(folder: string): string[] {
	return ifPresent(() => readdirSync(folder).toSorted()) ?? [];
}
