import {Buffer} from 'node:buffer';
import {randomUUID} from 'node:crypto';
import {
	closeSync,
	fstatSync,
	mkdirSync,
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
		return ifThere(() => {
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

/**
Writes a file so that there is the old or the new one whole, whatever happens: to a temporary file beside it, which then takes its name.

@param time - When it was used last, in milliseconds since the epoch.
*/
export function replaceFile(path: string, parts: readonly Uint8Array[], time: number): MaybePromise<void> {
	const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
	const finish = () => {
		utimesSync(temporary, time / 1000, time / 1000);
		renameSync(temporary, path);
	};

	if (parts.reduce((sum, {byteLength}) => sum + byteLength, 0) >= largeFrom) {
		return writeLarge(temporary, parts, finish);
	}

	try {
		const file = createFile(temporary);
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

async function writeLarge(temporary: string, parts: readonly Uint8Array[], finish: () => void): Promise<void> {
	try {
		closeSync(createFile(temporary));
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

/** Fails where there is one; makes the folder where there is none. */
export function createFile(path: string): number {
	for (let attempt = 1; ; attempt++) {
		try {
			return openSync(path, 'wx');
		} catch (error) {
			// Another process that clears the cache may remove the folder again.
			if ((error as {code?: unknown}).code !== 'ENOENT' || attempt > 5) {
				throw error;
			}

			mkdirSync(dirname(path), {recursive: true});
		}
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
