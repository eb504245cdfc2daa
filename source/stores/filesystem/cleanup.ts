import {utimesSync} from 'node:fs';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {statFile} from './files.ts';
import {removedPerTurn, removeLeftOvers, type CacheFolder} from './folder.ts';
import {isValid} from './head.ts';

const setsBetweenSweeps = 64;
const filesPerSweep = 64;

/**
Removes expired and damaged files. Since there is no index by time, it looks at some files after every 64 writes, one subfolder after another.
*/
export class Sweep {
	readonly #folder: CacheFolder;
	#sets = 0;
	#subfolders: string[] = [];
	#paths: string[] = [];

	constructor(folder: CacheFolder) {
		this.#folder = folder;
	}

	afterSet(now: number): void {
		this.#sets++;
		if (this.#sets % setsBetweenSweeps === 0) {
			try {
				this.#sweep(now);
			} catch {
				// The write was successful, and the next sweep may be too.
			}
		}
	}

	#sweep(now: number): void {
		if (this.#paths.length === 0) {
			if (this.#subfolders.length === 0) {
				this.#subfolders = this.#folder.subfolders();
			}

			const subfolder = this.#subfolders.pop();
			if (subfolder !== undefined) {
				removeLeftOvers(subfolder);
				this.#paths = this.#folder.entriesIn(subfolder);
			}
		}

		for (const path of this.#paths.splice(-filesPerSweep)) {
			const head = this.#folder.headOf(path);
			if (head !== undefined && !isValid(head, now)) {
				this.#folder.remove(path);
			}
		}
	}
}

type SizeLimitOptions = {
	readonly maxBytes: number;
	readonly now: () => number;

	/** Called with the key of each removed file. */
	readonly onEvicted: (key: string) => void;
};

type UsedFile = {readonly path: string; readonly bytes: number; readonly time: number};
type OwnFile = UsedFile & {readonly isEntry: boolean};

/** How long a file keeps its time of use when it is read again, in milliseconds. */
const timePrecision = 60_000;

/** The share of `maxBytes`, less the newest file, that an eviction leaves in use, so that the next write does not evict again. */
const shareLeft = 0.9;
const filesPerTurn = 256;

/**
Keeps the size of all files below a limit by removing the least recently used ones, by their modification times. The newest file stays.

The folder is measured once. Then the writes of this process are added, and when they have used up a quarter of the room, the folder is measured again, since other processes write too. It is measured beside the writes, with a turn of the event loop for each subfolder.
*/
export class SizeLimit {
	readonly #folder: CacheFolder;
	readonly #maxBytes: number;
	readonly #now: () => number;
	readonly #onEvicted: (key: string) => void;
	#room = 0;
	#work: Promise<void> | undefined;
	#newest = '';
	readonly #recentlyRead = new Set<string>();
	#recentlySince = 0;

	constructor(folder: CacheFolder, {maxBytes, now, onEvicted}: SizeLimitOptions) {
		this.#folder = folder;
		this.#maxBytes = maxBytes;
		this.#now = now;
		this.#onEvicted = onEvicted;
	}

	/** Never waits and never throws. */
	afterSet(path: string, bytes: number): void {
		this.#newest = path;
		this.#recentlyRead.delete(path);
		this.#room -= bytes;
		if (this.#room < 0) {
			this.#work ??= this.#measure();
		}
	}

	/** Sets the time of use, at most once per minute. */
	afterGet(path: string): void {
		const now = this.#now();
		if (Math.abs(now - this.#recentlySince) >= timePrecision) {
			this.#recentlyRead.clear();
			this.#recentlySince = now;
		}

		if (this.#recentlyRead.has(path)) {
			return;
		}

		this.#recentlyRead.add(path);
		setTimeOfUse(path, now);
	}

	/** Resolves when nothing is being measured or removed. */
	async idle(): Promise<void> {
		await this.#work;
	}

	async #measure(): Promise<void> {
		do {
			// Files that are written from now on may be missed.
			this.#room = 0;
			let left = 0;
			try {
				const files = await this.#list(); // eslint-disable-line no-await-in-loop
				const total = totalOf(files);
				left = this.#maxBytes - (total > this.#maxBytes ? await this.#evict(await this.#own(files)) : total); // eslint-disable-line no-await-in-loop
			} catch {
				// The next measurement may succeed.
			}

			this.#room += Math.max(left / 4, this.#maxBytes / 100);
		} while (this.#room < 0);

		this.#work = undefined;
	}

	/** Lists files by their names, without reading them: the owner matters only if the limit is exceeded. */
	async #list(): Promise<UsedFile[]> {
		const files: UsedFile[] = [];
		for (const subfolder of this.#folder.subfolders()) {
			await nextTurn(); // eslint-disable-line no-await-in-loop
			for (const path of this.#folder.entriesIn(subfolder)) {
				const stats = statFile(path);
				if (stats !== undefined) {
					files.push({path, bytes: stats.size, time: stats.mtimeMs});
				}
			}
		}

		return files;
	}

	/** Returns the files of the store, the least recently used first. */
	async #own(files: readonly UsedFile[]): Promise<OwnFile[]> {
		const own: OwnFile[] = [];
		const now = this.#now();
		for (const [index, file] of files.entries()) {
			if (index % filesPerTurn === 0) {
				await nextTurn(); // eslint-disable-line no-await-in-loop
			}

			const head = this.#folder.headOf(file.path);
			if (head === undefined) {
				continue;
			}

			// The clock has been set back.
			const isFromFuture = file.time > now + timePrecision;
			if (isFromFuture) {
				setTimeOfUse(file.path, now);
			}

			own.push({...file, time: isFromFuture ? now : file.time, isEntry: head.isEntry});
		}

		return own.toSorted((a, b) => a.time - b.time);
	}

	async #evict(files: readonly OwnFile[]): Promise<number> {
		let left = totalOf(files);
		if (left <= this.#maxBytes) {
			return left;
		}

		const newest = files.find(({path}) => path === this.#newest);
		const others = files.filter(file => file !== newest);
		const target = this.#maxBytes - ((1 - shareLeft) * (this.#maxBytes - (newest?.bytes ?? 0)));
		// Values without `indexed` are removed last, and only if necessary: entries depend on them, and they are read less often.
		const ordered = [...others.filter(({isEntry}) => isEntry), ...others.filter(({isEntry}) => !isEntry)];
		for (const [index, {path, bytes, isEntry}] of ordered.entries()) {
			if (index % removedPerTurn === removedPerTurn - 1) {
				await nextTurn(); // eslint-disable-line no-await-in-loop
			}

			if (left <= (isEntry ? target : this.#maxBytes)) {
				break;
			}

			left -= bytes;
			const head = this.#folder.remove(path);
			if (head !== undefined) {
				this.#onEvicted(head.key);
			}
		}

		return left;
	}
}

function totalOf(files: readonly UsedFile[]): number {
	return files.reduce((sum, {bytes}) => sum + bytes, 0);
}

function setTimeOfUse(path: string, now: number): void {
	try {
		utimesSync(path, now / 1000, now / 1000);
	} catch {
		// Another process has removed the file, or another user owns it.
	}
}
