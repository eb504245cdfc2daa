/* eslint no-bitwise: "off" -- Permissions are bits. */
import {
	chmodSync,
	fchmodSync,
	fstatSync,
	lstatSync,
	mkdirSync,
	openSync,
	statSync,
} from 'node:fs';
import {dirname} from 'node:path';
import process from 'node:process';
import {SettingError} from '../errors.ts';

/** The permission bits of what is made; `undefined` leaves them to the umask, or to Windows, which has none. */
export type FileModes = {readonly file: number | undefined; readonly folder: number | undefined};

const ownerReadsAndWrites = 0o600;
const allReadAndWrite = 0o666;
const permissionBits = 0o777;

/** Milliseconds for which a process may keep another one waiting between making something and giving it its mode. */
const longestWait = 40;

/** Milliseconds waited in this turn of the event loop. */
let waited = 0;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/**
The modes of what a store makes. Who may read or write the files may enter the folders.

@throws {SettingError} Where it is no mode of a file that its owner can read and write.
*/
export function parseFileMode(fileMode: number = ownerReadsAndWrites): FileModes {
	const isMode = Number.isSafeInteger(fileMode) && (fileMode & allReadAndWrite) === fileMode;
	if (!isMode || (fileMode & ownerReadsAndWrites) !== ownerReadsAndWrites) {
		throw new SettingError('fileMode', fileMode, 'the permission bits of a file, such as `0o660`: `0o600` for the owner, and any of `0o066` for others');
	}

	const entering = ((fileMode & 0o444) >> 2) | ((fileMode & 0o222) >> 1);
	return process.platform === 'win32' ? {file: undefined, folder: undefined} : {file: fileMode, folder: fileMode | entering};
}

/**
Makes a file that is not there yet, and opens it for writing. At no time may others do with it what the mode forbids.

@param flags - `'a'` makes the file to which a symbolic link leads.
@throws `EEXIST` where there is one, with `'wx'`.
*/
export function makeFile(path: string, mode: number | undefined, flags: 'wx' | 'a' = 'wx'): number {
	const file = openSync(path, flags, mode);
	// What the umask has taken away is given back.
	if (mode !== undefined && (fstatSync(file).mode & permissionBits) !== mode) {
		unlessRefused(() => {
			fchmodSync(file, mode);
		});
	}

	return file;
}

/**
Makes a folder, and those above it that are missing. One that is there keeps its mode.
*/
export function makeFolder(folder: string, mode: number | undefined): void {
	if (mode === undefined) {
		mkdirSync(folder, {recursive: true});
		return;
	}

	try {
		makeOneFolder(folder, mode);
	} catch (error) {
		const parent = dirname(folder);
		// The one above is missing, or another process is about to give it its mode.
		if (parent === folder || !['ENOENT', 'EACCES'].includes((error as {code: string}).code)) {
			throw error;
		}

		makeFolder(parent, mode);
		makeOneFolder(folder, mode);
	}
}

function makeOneFolder(folder: string, mode: number): void {
	try {
		mkdirSync(folder, mode);
	} catch (error) {
		if ((error as {code: string}).code !== 'EEXIST') {
			throw error;
		}

		waitForMode(folder, mode);
		return;
	}

	changeMode(folder, mode);
}

/**
Gives a file or folder of this process its mode. A bit that a folder has from the one above it, such as that for the group, stays.
*/
export function changeMode(path: string, mode: number): void {
	const {mode: current} = statSync(path);
	if ((current & permissionBits) !== mode) {
		unlessRefused(() => {
			chmodSync(path, (current & 0o7000) | mode);
		});
	}
}

/**
The mode of a file that is to be replaced, if it is this user's: what another user has put in its place says nothing.
*/
export function modeToKeep(path: string): number | undefined {
	const userId = process.geteuid?.();
	const stats = userId === undefined ? undefined : lstatSync(path, {throwIfNoEntry: false});
	return stats?.isFile() === true && stats.uid === userId ? stats.mode & permissionBits : undefined;
}

/**
Waits, blocking, until a process that is just making a folder has given it its mode. All waits in one turn of the event loop together take 40 ms at most.
*/
function waitForMode(path: string, mode: number): void {
	while (waited < longestWait && isBeingMade(path, mode)) {
		if (waited === 0) {
			setImmediate(forgetWaits).unref();
		}

		const start = performance.now();
		Atomics.wait(sleeper, 0, 0, 1);
		waited += performance.now() - start;
	}
}

function forgetWaits(): void {
	waited = 0;
}

/**
Whether a process of this user has just made a file or folder, and is still to give it its mode. Only a umask that takes permissions from the owner makes anybody wait.
*/
export function isBeingMade(path: string, mode: number): boolean {
	const owner = mode & 0o700;
	const stats = statSync(path, {throwIfNoEntry: false});
	return stats !== undefined && (stats.mode & owner) !== owner && stats.uid === process.geteuid?.() && Math.abs(Date.now() - stats.ctimeMs) < 1000;
}

function unlessRefused(action: () => void): void {
	try {
		action();
	} catch {
		// A file system without permissions, such as FAT, cannot have any changed.
	}
}
