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
import {
	createFile,
	createFolder,
	isFileMode,
	modesFor,
	type FileModes,
} from './file-modes.ts';
import {
	boolean,
	checked,
	contradiction,
	refuseTogether,
	type OptionTypes,
} from './options.ts';
import {OwnFolders} from './own-folders.ts';

export type LocationOptions = {
	/**
	Whether a relative `path` is in the system's folder for temporary files, in a folder of this user. The store fails with `ERR_STORE_PLACE` if that folder belongs to another user or others can write to it. Default: `false`.
	*/
	readonly useTemp?: boolean;

	/**
	Whether a relative `path` is in the user's folder for caches (`~/.cache/got-cache-hooks-nodejs`, `~/Library/Caches/…`, `%LOCALAPPDATA%\…`). The store fails as with `useTemp`. Default: `false`.
	*/
	readonly useCacheDir?: boolean;

	/**
	The permission bits of the files that the store creates, whatever the umask: `0o600`, and any of `0o066` for others. Users who may read or write the files may enter the folders that the store creates. Existing files and folders keep their modes. Windows has no such bits. Use it when several users share a cache. Default: `0o600`, for the owner alone; with a `mode` of the cache, the umask decides.
	*/
	readonly fileMode?: number | undefined;
};

export const locationOptions: OptionTypes<LocationOptions> = {
	useTemp: boolean,
	useCacheDir: boolean,
	fileMode: checked(isFileMode, 'the permission bits of a file, such as `0o660`: `0o600` for the owner, and any of `0o066` for others'),
};

type Use = {
	/** What the options belong to, for messages. */
	readonly owner: string;
	readonly kind: 'file' | 'folder';
};

/**
The location of a store on the disk. Everything that the store creates there is created through it, so that only permitted users can read it.
*/
export class StoreLocation {
	/** Absolute. It is resolved by the constructor: the working directory may change before the first call. */
	readonly path: string;

	/** Whether `useTemp` or `useCacheDir` is set, so that the folder may be created. */
	readonly isDefault: boolean;
	readonly #hasFileMode: boolean;
	readonly #ownFolders: OwnFolders | undefined;
	#modes: FileModes;

	/**
	Creates nothing on the disk.

	@throws {SettingError} For options that name two locations.
	*/
	constructor(givenPath: string, options: LocationOptions, {owner, kind}: Use) {
		refuseTogether(owner, options, 'useTemp', ['useCacheDir']);
		const {useTemp: useTemporary = false, useCacheDir = false, fileMode} = options;

		// As in a shell, `~/` is the home folder. `~name` is an ordinary name.
		const path = givenPath.startsWith('~/') || givenPath.startsWith(`~${sep}`) ? join(homedir(), givenPath.slice(2)) : givenPath;
		this.#modes = modesFor(fileMode);
		this.#hasFileMode = fileMode !== undefined;
		this.isDefault = useTemporary || useCacheDir;
		if (!this.isDefault) {
			this.path = resolve(path);
			return;
		}

		const setting = useTemporary ? 'useTemp' : 'useCacheDir';
		if (isAbsolute(path)) {
			throw contradiction(`${owner}.${setting}`, `the absolute path \`${givenPath}\``);
		}

		const paths = envPaths('got-cache-hooks');
		const own = useTemporary ? paths.temp : paths.cache;
		this.path = resolve(own, path);
		// The folders for temporary files and for caches belong to the system, those below them to the user.
		const base = resolve(useTemporary && isWithin(tmpdir(), own) ? tmpdir() : dirname(own));
		const folder = kind === 'file' ? dirname(this.path) : this.path;
		if (process.platform !== 'win32' && isWithin(base, folder)) {
			this.#ownFolders = new OwnFolders(setting, base, folder);
		}
	}

	/** Leaves the mode of new files to the umask from now on, unless `fileMode` is set. Folders of a default place stay private. */
	keepRecordings(): void {
		if (!this.#hasFileMode) {
			this.#modes = {file: undefined, folder: this.#ownFolders && this.#modes.folder};
		}
	}

	/** The mode of new files; `undefined` leaves it to the umask. */
	get fileMode(): number | undefined {
		return this.#modes.file;
	}

	/**
	To be called before anything is read or removed.

	@returns Whether all folders exist.
	@throws {CacheHooksError} `ERR_STORE_PLACE` for a default place that belongs to another user or that others can write to.
	*/
	check(): boolean {
		return this.#ownFolders?.check(this.#modes.folder ?? 0) ?? true;
	}

	/** Checks a file as `check` does. */
	checkFile(path: string): void {
		this.#ownFolders?.checkFile(path, this.#modes.file ?? 0);
	}

	createFolder(folder: string): void {
		// Before, so that nothing is created in a folder of another user, and after, since another user may have been first.
		this.check();
		createFolder(folder, this.#modes.folder);
		this.check();
	}

	/**
	Creates a file, and its folder if there is none, and opens it for writing.

	@throws `EEXIST` if the file exists.
	*/
	createFile(path: string): number {
		for (let attempt = 1; ; attempt++) {
			try {
				if (!this.check()) {
					this.createFolder(dirname(path));
				}

				return createFile(path, this.#modes.file);
			} catch (error) {
				// Another process may remove the folder again while it clears the cache.
				if ((error as {code: string}).code !== 'ENOENT' || attempt > 5) {
					throw error;
				}

				this.createFolder(dirname(path));
			}
		}
	}

	/**
	Creates an empty file if there is none, for a library that opens files by itself. Does nothing if the folder does not exist.
	*/
	provideFile(path: string): void {
		if (statSync(path, {throwIfNoEntry: false}) !== undefined) {
			return;
		}

		try {
			closeSync(createFile(path, this.#modes.file));
		} catch (error) {
			const {code} = error as {code: string};
			if (code === 'EEXIST' && statSync(path, {throwIfNoEntry: false}) === undefined) {
				// A symbolic link points to a file that does not exist yet.
				closeSync(createFile(path, this.#modes.file, 'a'));
			} else if (code !== 'EEXIST' && code !== 'ENOENT') {
				throw error;
			}
		}
	}
}

function isWithin(base: string, path: string): boolean {
	const way = relative(base, path);
	return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
