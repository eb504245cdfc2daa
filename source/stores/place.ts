import {closeSync, statSync} from 'node:fs';
import {homedir, tmpdir} from 'node:os';
import {
	dirname,
	isAbsolute,
	join,
	relative,
	resolve,
	sep,
} from 'node:path';
import process from 'node:process';
import envPaths from 'env-paths';
import {SettingError} from '../errors.ts';
import {
	isBeingMade,
	makeFile,
	makeFolder,
	parseFileMode,
	type FileModes,
} from './file-modes.ts';
import {OwnFolders} from './own-folders.ts';

export type PlaceOptions = {
	/**
	Whether a relative `path` lies in the system's folder for temporary files, in one of this user's. The store is refused (`ERR_STORE_PLACE`) where that belongs to another user, or others can write to it. Default: `false`.
	*/
	readonly useTemp?: boolean;

	/**
	Whether a relative `path` lies in the user's folder for caches (`~/.cache/got-cache-hooks-nodejs`, `~/Library/Caches/…`, `%LOCALAPPDATA%\…`). Refused as with `useTemp`. Default: `false`.
	*/
	readonly useCacheDir?: boolean;

	/**
	The permission bits of the files that the store makes, whatever the umask: `0o600`, and any of `0o066` for others. The folders that it makes can be entered by those who may read or write. Use it when several users share a cache. What exists keeps its mode. Windows has no such bits. Default: `0o600`, for its owner alone; a cache with a `mode` leaves it to the umask.
	*/
	readonly fileMode?: number | undefined;
};

/**
Where a store lies on the disk. Whatever the store makes there is made by this, so that nobody can read it who may not.
*/
export class Place {
	/** Absolute. It is resolved when a store is made: the working directory may be another one at the first call. */
	readonly path: string;

	/** Whether `useTemp` or `useCacheDir` names it, so that its folder is ours to make. */
	readonly isDefault: boolean;

	/** Whether `provideFile` makes files. On Windows they have no mode, and nothing is gained. */
	readonly makesFiles: boolean = process.platform !== 'win32';
	readonly #hasFileMode: boolean;
	readonly #ownFolders: OwnFolders | undefined;
	#modes: FileModes;

	/**
	Makes nothing on the disk.

	@throws {SettingError} For an empty path, more than one place, and a wrong `fileMode`.
	*/
	constructor(givenPath: string, options: PlaceOptions, kind: 'file' | 'folder') {
		if (typeof givenPath !== 'string' || givenPath === '') {
			throw new SettingError('path', givenPath, `the path of a ${kind}`);
		}

		const path = withHome(givenPath);

		const {useTemp: inTemporary = false, useCacheDir: inCache = false, fileMode} = options;
		if (inTemporary && inCache) {
			throw new SettingError('useTemp', inTemporary, '`false` beside `useCacheDir`: they name two places');
		}

		this.#modes = parseFileMode(fileMode);
		this.#hasFileMode = fileMode !== undefined;
		this.isDefault = inTemporary || inCache;
		if (!this.isDefault) {
			this.path = resolve(path);
			return;
		}

		const paths = envPaths('got-cache-hooks');
		const own = inTemporary ? paths.temp : paths.cache;
		this.path = resolve(own, path);
		// Of the system are the folder for temporary files and that for caches; below them the user has his.
		const base = resolve(inTemporary && isWithin(tmpdir(), own) ? tmpdir() : dirname(own));
		const folder = kind === 'file' ? dirname(this.path) : this.path;
		if (process.platform !== 'win32' && !isAbsolute(path) && isWithin(base, folder)) {
			this.#ownFolders = new OwnFolders({setting: inTemporary ? 'useTemp' : 'useCacheDir', base, folder});
		}
	}

	/** From now on the umask says what others may do with files. Folders of a default place stay its owner's. */
	keepRecordings(): void {
		if (!this.#hasFileMode) {
			this.#modes = {file: undefined, folder: this.#ownFolders && this.#modes.folder};
		}
	}

	/** The mode of files that are made; `undefined` leaves it to the umask. */
	get fileMode(): number | undefined {
		return this.#modes.file;
	}

	/**
	To be called before anything is read or removed.

	@returns Whether nobody else can put anything in the place. If `false`, a part of it is not there yet.
	@throws {CacheHooksError} `ERR_STORE_PLACE` for a default place that another user has, or can write to.
	*/
	check(): boolean {
		return this.#ownFolders?.check(this.#modes.folder ?? 0) ?? true;
	}

	/** As `check`, for one file. */
	checkFile(path: string): void {
		this.#ownFolders?.checkFile(path, this.#modes.file ?? 0);
	}

	makeFolder(folder: string): void {
		// Looked at before and after: nothing is made in what belongs to somebody else, and nothing is put in it.
		this.check();
		makeFolder(folder, this.#modes.folder);
		this.check();
	}

	/**
	Makes a file, and the folder where there is none, and opens it for writing.

	@throws `EEXIST` where there is one.
	*/
	makeFile(path: string): number {
		for (let attempt = 1; ; attempt++) {
			try {
				if (!this.check()) {
					this.makeFolder(dirname(path));
				}

				return makeFile(path, this.#modes.file);
			} catch (error) {
				// Another process that clears the cache may remove the folder again, or one that makes it be about to give it its mode.
				if (!['ENOENT', 'EACCES'].includes((error as {code: string}).code) || attempt > 5) {
					throw error;
				}

				this.makeFolder(dirname(path));
			}
		}
	}

	/**
	Makes an empty file where there is none, for those who open a file by themselves. Its folder must exist.
	*/
	provideFile(path: string): void {
		if (this.makesFiles && !isThere(path)) {
			this.#provide(path);
		}
	}

	/** Whether a process that has just made a file is still to give it its mode. */
	isBeingMade(path: string): boolean {
		return isBeingMade(path, this.#modes.file ?? 0);
	}

	#provide(path: string): void {
		const mode = this.#modes.file;
		try {
			closeSync(makeFile(path, mode));
		} catch (error) {
			const {code} = error as {code: string};
			if (!['EEXIST', 'ENOENT'].includes(code)) {
				throw error;
			}

			// Another process has been first, or a symbolic link leads to a file that is not there yet. Where the folder is missing, who opens the file says so.
			if (code === 'EEXIST' && !isThere(path)) {
				closeSync(makeFile(path, mode, 'a'));
			}
		}
	}
}

/** A path that begins with `~/` lies in the user's home folder, as shells have it. `~name` is a name as any other. */
function withHome(path: string): string {
	return path.startsWith('~/') || path.startsWith(`~${sep}`) ? join(homedir(), path.slice(2)) : path;
}

function isThere(path: string): boolean {
	return statSync(path, {throwIfNoEntry: false}) !== undefined;
}

function isWithin(base: string, path: string): boolean {
	const way = relative(base, path);
	return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
