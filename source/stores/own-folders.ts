/* eslint no-bitwise: "off" -- Permissions are bits. */
import {lstatSync, statSync, type Stats} from 'node:fs';
import {dirname, relative} from 'node:path';
import process from 'node:process';
import {CacheHooksError} from '../errors.ts';

const groupWrites = 0o020;
const othersWrite = 0o002;
const groupEnters = 0o010;
const othersEnter = 0o001;
const sticky = 0o1000;

type OwnFoldersOptions = {
	/** The setting that names the place, for messages. */
	readonly setting: 'useTemp' | 'useCacheDir';

	/** The system's folder, in which other users may have theirs. */
	readonly base: string;

	/** The one below it in which the store keeps its files. */
	readonly folder: string;
};

/**
The folders from a place of the system to the files of a store. Another user may have made one of them before, or made a symbolic link in its stead: then he reads what is stored, or says what is served.
*/
export class OwnFolders {
	readonly #setting: OwnFoldersOptions['setting'];
	readonly #base: string;

	/** The outermost first. */
	readonly #folders: readonly string[];
	#areAllOwn = false;

	constructor({setting, base, folder}: OwnFoldersOptions) {
		this.#setting = setting;
		this.#base = base;
		this.#folders = foldersBetween(base, folder);
	}

	/**
	Looks at the folders that are there.

	@param shared - The permission bits that the user grants to others.
	@returns Whether all are there. Then nobody else can change any of them but the outermost, and only that is looked at the next time.
	@throws {CacheHooksError} `ERR_STORE_PLACE` where one belongs to another user, or where others can write to it.
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

	/**
	Looks at a file in the innermost folder, if it is there. Who cannot enter the folders cannot write to it either.

	@throws As `check`.
	*/
	checkFile(path: string, shared: number): void {
		const stats = this.#owned(path);
		const entered = this.#folders.map(folder => statSync(folder).mode);
		const group = entered.every(mode => (mode & groupEnters) !== 0) ? groupWrites : 0;
		const others = entered.every(mode => (mode & othersEnter) !== 0) ? othersWrite : 0;
		this.#refuseWriters(path, stats, (group | others) & ~shared);
	}

	/** Whether it is there. */
	#checkFolder(folder: string, shared: number): boolean {
		const stats = this.#owned(folder);
		this.#refuseWriters(folder, stats, (groupWrites | othersWrite) & ~shared);
		return stats !== undefined;
	}

	/** Who can write to the system's folder can rename what is in it, whoever owns that, unless it has the sticky bit. A group with the number of the user is, by custom, that of this user alone. */
	#checkBase(): void {
		const stats = statSync(this.#base, {throwIfNoEntry: false});
		if (stats === undefined || (stats.mode & sticky) !== 0) {
			return;
		}

		const isOwnGroup = stats.gid === process.geteuid!() && stats.gid === process.getegid!();
		this.#refuseWriters(this.#base, stats, isOwnGroup ? othersWrite : groupWrites | othersWrite, 'set its sticky bit (`chmod +t`)');
	}

	/** What is there, behind a symbolic link as well; both must be this user's. */
	#owned(path: string): Stats | undefined {
		const stats = lstatSync(path, {throwIfNoEntry: false});
		this.#refuseStrangers(path, stats);
		if (stats?.isSymbolicLink() !== true) {
			return stats;
		}

		const target = statSync(path, {throwIfNoEntry: false});
		this.#refuseStrangers(path, target);
		return target;
	}

	#refuseStrangers(path: string, stats: Stats | undefined): void {
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
		return new CacheHooksError('ERR_STORE_PLACE', `${fact}, and \`${this.#setting}\` puts the store there: ${advice}, or give a \`path\` without \`${this.#setting}\``);
	}
}

/** Those below the base, down to the innermost; the base itself where that is the innermost. */
function foldersBetween(base: string, innermost: string): string[] {
	const folders = [innermost];
	for (let folder = dirname(innermost); relative(base, folder) !== '' && relative(base, innermost) !== ''; folder = dirname(folder)) {
		folders.unshift(folder);
	}

	return folders;
}
