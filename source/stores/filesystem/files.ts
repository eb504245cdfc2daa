import {Buffer} from 'node:buffer';
import {randomUUID} from 'node:crypto';
import {
	closeSync,
	fstatSync,
	openSync,
	readdirSync,
	readSync,
	renameSync,
	rmSync,
	statSync,
	unlinkSync,
	utimesSync,
	writeSync,
} from 'node:fs';
import {readFile, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {changeMode, modeToKeep} from '../file-modes.ts';
import type {Place} from '../place.ts';
import type {MaybePromise} from '../types.ts';

/**
From so many bytes on, reading and writing leave the event loop. Below, it is the turn of the loop and of the thread pool that costs: a file of 10 KB is read in 20 µs at once, and in 200 to 700 µs by a promise.
*/
const largeFrom = 1_000_000;

/** Seconds until a temporary file or a claim belongs to nobody any more. */
const passingSeconds = 600;

/** What another process has removed meanwhile is not there: no error. */
export function ifThere<T>(action: () => T): T | undefined {
	try {
		return action();
	} catch (error) {
		if ((error as {code?: unknown}).code === 'ENOENT') {
			return undefined;
		}

		throw error;
	}
}

/** The bytes of a file, or `undefined` where there is none. Large ones come by a promise. */
export function readBytes(path: string): MaybePromise<Uint8Array | undefined> {
	// Most of what is asked for on a miss is not there, and an exception costs ten times of asking first.
	const stats = statSync(path, {throwIfNoEntry: false});
	if (stats === undefined) {
		return undefined;
	}

	return stats.size < largeFrom ? readBeginning(path, Infinity)?.bytes : readLarge(path);
}

async function readLarge(path: string): Promise<Uint8Array | undefined> {
	try {
		return await readFile(path);
	} catch (error) {
		ifThere(() => {
			throw error;
		});
	}
}

/** The bytes of a file up to a length, at once, and how long it is: by one handle, for the file may be replaced at any time. */
export function readBeginning(path: string, length: number): {readonly bytes: Uint8Array; readonly fileSize: number} | undefined {
	return ifThere(() => {
		const file = openSync(path, 'r');
		try {
			const {size: fileSize} = fstatSync(file);
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
};

/**
Writes a file so that there is the old or the new one whole, whatever happens: to a temporary file beside it, which then takes its name. A file that is there keeps its mode.
*/
export function replaceFile(path: string, parts: readonly Uint8Array[], {time, place}: Replacement): MaybePromise<void> {
	const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
	const finish = () => {
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
		rmSync(temporary, {force: true});
		throw error;
	}
}

async function writeLarge(temporary: string, parts: readonly Uint8Array[], place: Place, finish: () => void): Promise<void> {
	try {
		closeSync(place.makeFile(temporary));
		await writeFile(temporary, parts);
		finish();
	} catch (error) {
		rmSync(temporary, {force: true});
		throw error;
	}
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

/** Whether a temporary file or a claim is older than any writer needs. */
export function isLeftOver(path: string): boolean {
	const stats = statSync(path, {throwIfNoEntry: false});
	return stats !== undefined && Date.now() - stats.mtimeMs > passingSeconds * 1000;
}
