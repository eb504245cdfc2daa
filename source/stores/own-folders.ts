/* eslint no-bitwise: "off" -- Permissions are bits. */
import {lstatSync, statSync, type Stats} from 'node:fs';
import {dirname, relative} from 'node:path';
import process from 'node:process';
import {CacheHooksError} from '../errors.ts';

const groupWrites = 0o020;
const othersWrite = 0o002;
const groupEnters = 0o010;
const othersEnter = 0o001;
const stickyBit = 0o1000;

/**
The folders from one of the system to the files of a store. Another user may have created one of them, or a symbolic link in its place, in order to read what is stored or to decide what is served.
*/
export class OwnFolders {
	readonly #setting: 'useTemp' | 'useCacheDir';
	readonly #base: string;

	/** The outermost first. */
	readonly #folders: readonly string[];
	#areAllOwn = false;

	/**
	Checks nothing yet.

	@param base - The system's folder, in which other users may have folders too.
	@param folder - The folder in it that has the files of the store.
	*/
	constructor(setting: 'useTemp' | 'useCacheDir', base: string, folder: string) {
		this.#setting = setting;
		this.#base = base;
		this.#folders = foldersBetween(base, folder);
	}

	/**
	Checks the folders that exist. Once all exist and belong to this user, nobody else can change any but the outermost, so that only this one is checked later.

	@param shared - The permission bits that the user grants to others.
	@returns Whether all exist.
	@throws {CacheHooksError} `ERR_STORE_PLACE` for a folder that belongs to another user or that others can write to.
	*/
	check(shared: number): boolean {
		const [outermost] = this.#folders as [string];
		if (this.#areAllOwn && this.#checkFolder(outermost, shared)) {
			return true;
		}

		this.#checkBase();
		this.#areAllOwn = this.#folders.every(folder => this.#checkFolder(folder, shared));
		return this.#areAllOwn;
	}

	/** Checks a file in the innermost folder, if it exists. Users who cannot enter the folders cannot write to it. */
	checkFile(path: string, shared: number): void {
		const modes = this.#folders.map(folder => statSync(folder).mode);
		const group = modes.every(mode => (mode & groupEnters) !== 0) ? groupWrites : 0;
		const others = modes.every(mode => (mode & othersEnter) !== 0) ? othersWrite : 0;
		this.#refuseWriters(path, this.#ownStats(path), (group | others) & ~shared);
	}

	#checkFolder(folder: string, shared: number): boolean {
		const stats = this.#ownStats(folder);
		this.#refuseWriters(folder, stats, (groupWrites | othersWrite) & ~shared);
		return stats !== undefined;
	}

	/** Without the sticky bit, users who can write to the system's folder can rename what is in it. A group with the number of the user has, by convention, no other members. */
	#checkBase(): void {
		const stats = statSync(this.#base, {throwIfNoEntry: false});
		if (stats === undefined || (stats.mode & stickyBit) !== 0) {
			return;
		}

		const isOwnGroup = stats.gid === process.geteuid!() && stats.gid === process.getegid!();
		this.#refuseWriters(this.#base, stats, isOwnGroup ? othersWrite : groupWrites | othersWrite, 'set its sticky bit (`chmod +t`)');
	}

	/** Returns the stats of a file or folder. Both it and the target of a symbolic link must belong to this user. */
	#ownStats(path: string): Stats | undefined {
		const stats = lstatSync(path, {throwIfNoEntry: false});
		this.#refuseOtherUsers(path, stats);
		if (stats?.isSymbolicLink() !== true) {
			return stats;
		}

		const target = statSync(path, {throwIfNoEntry: false});
		this.#refuseOtherUsers(path, target);
		return target;
	}

	#refuseOtherUsers(path: string, stats: Stats | undefined): void {
		const userId = process.geteuid!();
		if (stats !== undefined && stats.uid !== userId) {
			throw this.#error(`\`${path}\` belongs to the user ${stats.uid}, not to ${userId}, who runs this process`, 'remove it');
		}
	}

	#refuseWriters(path: string, stats: Stats | undefined, bits: number, advice = 'remove it, take that permission away (`chmod -R go-w`)'): void {
		if (stats !== undefined && (stats.mode & bits) !== 0) {
			throw this.#error(`Others can write to \`${path}\` (mode ${(stats.mode & 0o7777).toString(8).padStart(4, '0')})`, advice);
		}
	}

	#error(fact: string, advice: string): CacheHooksError {
		return new CacheHooksError('ERR_STORE_PLACE', `${fact}, and \`${this.#setting}\` puts the store there: ${advice}, or set \`path\` without \`${this.#setting}\`.`);
	}
}

/** Returns the folders below `base` down to `innermost`, or `base` if it is the innermost. */
function foldersBetween(base: string, innermost: string): string[] {
	const folders = [innermost];
	for (let folder = dirname(innermost); relative(base, folder) !== '' && relative(base, innermost) !== ''; folder = dirname(folder)) {
		folders.unshift(folder);
	}

	return folders;
}
