/* eslint no-bitwise: "off" -- Permissions are bits. */
import {randomUUID} from 'node:crypto';
import {
	chmodSync,
	fchmodSync,
	fstatSync,
	lstatSync,
	mkdirSync,
	openSync,
	statSync,
} from 'node:fs';
import {dirname, join} from 'node:path';
import process from 'node:process';

/** The permission bits of new files and folders. `undefined` leaves them to the umask, or to Windows, which has none. */
export type FileModes = {readonly file: number | undefined; readonly folder: number | undefined};

const ownerReadsAndWrites = 0o600;
const allReadAndWrite = 0o666;
const permissionBits = 0o777;

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
	if ((fstatSync(file).mode & permissionBits) !== mode) {
		ignoreRefusal(() => {
			fchmodSync(file, mode);
		});
	}

	return file;
}

/**
Creates a folder and its missing parents. An existing folder keeps its mode.

They are created one by one: `mkdirSync` of Node.js with `recursive` never ends where the system says that a parent is missing which is there, as Linux does in `/proc`.
*/
export function createFolder(folder: string, mode: number | undefined): void {
	const isThere = (): boolean => statSync(folder, {throwIfNoEntry: false})?.isDirectory() === true;
	const parent = dirname(folder);
	if (parent === folder || isThere()) {
		return;
	}

	createFolder(parent, mode);
	try {
		mkdirSync(folder, mode);
	} catch (error) {
		// Another process may have been first.
		if (isThere()) {
			return;
		}

		throw error;
	}

	if (mode !== undefined) {
		changeMode(folder, mode);
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

function ignoreRefusal(action: () => void): void {
	try {
		action();
	} catch {
		// A file system without permissions, such as FAT, refuses to change them.
	}
}
