/* eslint no-bitwise: "off" -- Permissions are bits. */
import {randomUUID} from 'node:crypto';
import {
	chmodSync,
	closeSync,
	fchmodSync,
	fstatSync,
	linkSync,
	lstatSync,
	mkdirSync,
	openSync,
	renameSync,
	rmdirSync,
	statSync,
	unlinkSync,
} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import process from 'node:process';

/** The permission bits of new files and folders. `undefined` leaves them to the umask, or to Windows, which has none. */
export type FileModes = {readonly file: number | undefined; readonly folder: number | undefined};

const ownerReadsAndWrites = 0o600;
const allReadAndWrite = 0o666;
const permissionBits = 0o777;
const ownerBits = 0o700;

/** Whether the umask removes permissions of the owner, as far as the last created file shows. */
let isOwnerRestricted = true;

/** Whether a value is a mode of files that lets the owner read and write them. */
export function isFileMode(value: unknown): boolean {
	return typeof value === 'number' && (value & allReadAndWrite) === value && (value & ownerReadsAndWrites) === ownerReadsAndWrites;
}

/** Returns the modes of new files and folders. Users who may read or write the files may enter the folders. */
export function modesFor(fileMode: number = ownerReadsAndWrites): FileModes {
	const entering = ((fileMode & 0o444) >> 2) | ((fileMode & 0o222) >> 1);
	return process.platform === 'win32' ? {file: undefined, folder: undefined} : {file: fileMode, folder: fileMode | entering};
}

/**
Creates a file and opens it for writing. At no time does it grant more than the mode.

@param flags - `'a'` creates the file to which a symbolic link points.
@throws `EEXIST` if there is one, with `'wx'`.
*/
export function createFile(path: string, mode: number | undefined, flags: 'wx' | 'a' = 'wx'): number {
	const file = openSync(path, flags, mode);
	if (mode === undefined) {
		return file;
	}

	// The umask may have removed some bits.
	const {mode: created} = fstatSync(file);
	isOwnerRestricted = (mode & ownerBits & ~created) !== 0;
	if ((created & permissionBits) !== mode) {
		ignoreRefusal(() => {
			fchmodSync(file, mode);
		});
	}

	return file;
}

/**
Creates a file that other processes look for, as `createFile` does. If the umask removes permissions of the owner, the file gets its name when it has its mode.
*/
export function createSharedFile(path: string, mode: number | undefined): number {
	if (mode === undefined || !isOwnerRestricted) {
		return createFile(path, mode);
	}

	const temporary = temporaryNameIn(dirname(path));
	const file = createFile(temporary, mode);
	try {
		linkSync(temporary, path);
		return file;
	} catch (error) {
		closeSync(file);
		if ((error as {code: string}).code === 'EEXIST') {
			throw error;
		}

		// Some file systems, such as FAT, have no hard links.
		return createFile(path, mode);
	} finally {
		unlinkSync(temporary);
	}
}

/**
Creates a folder and its missing parents. An existing folder keeps its mode.
*/
export function createFolder(folder: string, mode: number | undefined): void {
	if (mode === undefined) {
		createFolders(folder);
		return;
	}

	const parent = dirname(folder);
	if (parent === folder || isThere(folder)) {
		return;
	}

	createFolder(parent, mode);
	if (createUnderOtherName(folder, join(parent, `.${basename(folder)}.got-cache-hooks.tmp`), mode) || isThere(folder)) {
		return;
	}

	createFolders(folder, mode);
	changeMode(folder, mode);
}

/**
Creates a folder and its missing parents one by one: `mkdirSync` of Node.js with `recursive` never ends where the system says that a parent is missing which is there, as Linux does in `/proc`.
*/
function createFolders(folder: string, mode?: number): void {
	try {
		mkdirSync(folder, mode);
	} catch (error) {
		if (statSync(folder, {throwIfNoEntry: false})?.isDirectory() === true) {
			return;
		}

		const parent = dirname(folder);
		if (parent === folder || (error as {code: string}).code !== 'ENOENT') {
			throw error;
		}

		createFolders(parent, mode);
		createOne(folder, mode);
	}
}

/** Creates a folder whose parent is there. Another process may be first. */
function createOne(folder: string, mode: number | undefined): void {
	try {
		mkdirSync(folder, mode);
	} catch (error) {
		if (statSync(folder, {throwIfNoEntry: false})?.isDirectory() !== true) {
			throw error;
		}
	}
}

/**
Creates a folder that, as a file, gets its name when it has its mode. The other name is always the same, so that what a killed process has left is used by the next one.

@returns Whether it could. It cannot if another process was first, or if the name belongs to another user.
*/
function createUnderOtherName(folder: string, unfinished: string, mode: number): boolean {
	try {
		if (!isThere(unfinished)) {
			mkdirSync(unfinished, mode);
		}

		// Not through a symbolic link, which would change the mode of another folder.
		const stats = lstatSync(unfinished);
		if (!stats.isDirectory() || stats.uid !== process.geteuid?.()) {
			return false;
		}

		changeMode(unfinished, mode);
		renameSync(unfinished, folder);
		return true;
	} catch {
		ignoreRefusal(() => {
			rmdirSync(unfinished);
		});
		return false;
	}
}

/** Returns a name that no other process uses. */
export function temporaryNameIn(folder: string): string {
	return join(folder, `.${randomUUID()}.tmp`);
}

/**
Gives a file or folder of this process its mode. Other bits, such as the set-group-ID bit that a folder inherits, stay.
*/
export function changeMode(path: string, mode: number): void {
	const {mode: current} = statSync(path);
	if ((current & permissionBits) !== mode) {
		ignoreRefusal(() => {
			chmodSync(path, (current & 0o7000) | mode);
		});
	}
}

/**
Returns the mode of a file that is to be replaced, if the file belongs to this user: another user must not decide.
*/
export function modeToKeep(path: string): number | undefined {
	const userId = process.geteuid?.();
	const stats = userId === undefined ? undefined : lstatSync(path, {throwIfNoEntry: false});
	return stats?.isFile() === true && stats.uid === userId ? stats.mode & permissionBits : undefined;
}

/** Whether anything has this name, even a symbolic link that points nowhere. */
function isThere(path: string): boolean {
	return lstatSync(path, {throwIfNoEntry: false}) !== undefined;
}

function ignoreRefusal(action: () => void): void {
	try {
		action();
	} catch {
		// A file system without permissions, such as FAT, refuses to change them. A folder that is in use is not removed.
	}
}
