import {Buffer} from 'node:buffer';
import {randomUUID} from 'node:crypto';
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
	writeSync,
	type Stats,
} from 'node:fs';
import {readFile, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {recover} from '../../maybe-promise.ts';
import {changeMode, isBeingMade, modeToKeep} from '../file-modes.ts';
import type {Place} from '../place.ts';
import type {MaybePromise} from '../types.ts';

/**
From so many bytes on, reading and writing leave the event loop. Below, it is the turn of the loop and of the thread pool that costs: a file of 10 KB is read in 20 µs at once, and in 200 to 700 µs by a promise.
*/
const largeFrom = 1_000_000;

/** Milliseconds until a temporary file or a claim belongs to nobody any more. */
const passingTime = 600_000;

/** A process that opens a FIFO without it waits until another one does, for ever. Windows has none. */
const toRead = constants.O_RDONLY + ((constants as {O_NONBLOCK?: number}).O_NONBLOCK ?? 0);

/** What is not there, or not a file: another process may have removed or replaced it. */
const absent: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'ENXIO']);

/** What another process has removed meanwhile is not there: no error. */
export function ifThere<T>(action: () => T): T | undefined {
	try {
		return action();
	} catch (error) {
		if (absent.has((error as {code?: unknown}).code)) {
			return undefined;
		}

		throw error;
	}
}

/**
What is known of a file; `undefined` where there is none, or something else: a folder, a FIFO, a symbolic link. None of these is ours.

Most of what is asked for on a miss is not there, and an exception costs ten times of asking first.
*/
export function fileAt(path: string): Stats | undefined {
	const stats = ifThere(() => lstatSync(path, {throwIfNoEntry: false}));
	return stats?.isFile() === true ? stats : undefined;
}

/** Whether anything has a name, whatever it is. */
export function isThere(path: string): boolean {
	return ifThere(() => lstatSync(path, {throwIfNoEntry: false})) !== undefined;
}

/** The bytes of a file, or `undefined` where there is none. Large ones come by a promise. */
export function readBytes(path: string): MaybePromise<Uint8Array | undefined> {
	const stats = fileAt(path);
	if (stats === undefined) {
		return undefined;
	}

	return stats.size < largeFrom ? readBeginning(path, Infinity)?.bytes : readLarge(path);
}

async function readLarge(path: string): Promise<Uint8Array | undefined> {
	try {
		return await readFile(path, {flag: toRead as unknown as string});
	} catch (error) {
		ifThere(() => {
			throw error;
		});
	}
}

/** The bytes of a file up to a length, at once, and how long it is: by one handle, for the file may be replaced at any time. */
export function readBeginning(path: string, length: number): {readonly bytes: Uint8Array; readonly fileSize: number} | undefined {
	return ifThere(() => {
		const file = openSync(path, toRead);
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
	/** When it was used last, in milliseconds since the epoch. */
	readonly time: number;
	readonly place: Place;

	/** Throws where what is there must not be replaced. */
	readonly check: () => void;
};

/**
Writes a file so that there is the old or the new one whole, whatever happens: to a temporary file beside it, which then takes its name. A file that is there keeps its mode.
*/
export function replaceFile(path: string, parts: readonly Uint8Array[], {time, place, check}: Replacement): MaybePromise<void> {
	const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
	const finish = () => {
		check();
		// Last: nothing more could be written to a file that may only be read.
		const mode = modeToKeep(path);
		if (mode !== undefined && mode !== place.fileMode) {
			changeMode(temporary, mode);
		}

		utimesSync(temporary, time / 1000, time / 1000);
		renameSync(temporary, path);
	};

	if (parts.reduce((sum, {byteLength}) => sum + byteLength, 0) >= largeFrom) {
		return writeLarge(temporary, parts, place, finish);
	}

	try {
		const file = place.makeFile(temporary);
		try {
			for (const part of parts) {
				writeWhole(file, part);
			}
		} finally {
			closeSync(file);
		}

		finish();
	} catch (error) {
		discard(temporary);
		throw error;
	}
}

async function writeLarge(temporary: string, parts: readonly Uint8Array[], place: Place, finish: () => void): Promise<void> {
	try {
		closeSync(place.makeFile(temporary));
		await writeFile(temporary, parts);
		finish();
	} catch (error) {
		discard(temporary);
		throw error;
	}
}

/** Removes a file that is of no use. */
function discard(temporary: string): void {
	try {
		rmSync(temporary, {force: true});
	} catch {
		// The error that made it so says more.
	}
}

/**
Does something in a folder, and tries again what is refused while another process is just making that folder or one above it.
*/
export function onceMade<T>(folder: string, action: () => MaybePromise<T>): MaybePromise<T> {
	return recover(action, error => {
		if ((error as {code?: unknown}).code !== 'EACCES' || !isBelowNew(folder)) {
			throw error;
		}

		return (async () => {
			await pause(2);
			return onceMade(folder, action);
		})();
	});
}

function isBelowNew(folder: string): boolean {
	let isNew = false;
	try {
		isNew = isBeingMade(folder, 0o700);
	} catch {
		// One above it lets nobody in.
	}

	const parent = dirname(folder);
	return isNew || (parent !== folder && isBelowNew(parent));
}

function writeWhole(file: number, bytes: Uint8Array): void {
	for (let offset = 0; offset < bytes.byteLength;) {
		offset += writeSync(file, bytes, offset);
	}
}

/** Whether there was one. */
export function removeFile(path: string): boolean {
	return ifThere(() => {
		unlinkSync(path);
		return true;
	}) ?? false;
}

/** The names in a folder, in order; none where there is no folder. */
export function namesIn(folder: string): string[] {
	return ifThere(() => readdirSync(folder).toSorted()) ?? [];
}

/** Whether a temporary file or a claim is older than any writer needs, or from the future. */
export function isLeftOver(path: string): boolean {
	const stats = fileAt(path);
	return stats !== undefined && Math.abs(Date.now() - stats.mtimeMs) > passingTime;
}
