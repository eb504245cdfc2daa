import {utimesSync} from 'node:fs';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {fileAt} from './files.ts';
import {removedPerTurn, type CacheFolder} from './folder.ts';

/** Milliseconds in which a file that is read again gets no new stamp. */
const stampPause = 60_000;

type BoundOptions = {
	readonly maxBytes: number;
	readonly now: () => number;

	/** Told the key of what was removed. */
	readonly onEvicted: (key: string) => void;
};

type Used = {readonly path: string; readonly bytes: number; readonly time: number};
type OwnUsed = Used & {readonly isEntry: boolean};

/** How much of the room beside the newest file is in use after an eviction, so that the next write does not begin another one. */
const share = 0.9;
const filesPerTurn = 256;

/**
Keeps all files together below a number of bytes, by removing those that were not used for longest. A file's time of change says when that was. What was just written stays.

What is there is measured by going over the folder, and then only what this process writes is added. It is measured again when a quarter of the room that was left is used up, for other processes write too; that happens beside the writes, in a turn of the event loop for each folder.
*/
export class Bound {
	readonly #folder: CacheFolder;
	readonly #maxBytes: number;
	readonly #now: () => number;
	readonly #onEvicted: (key: string) => void;
	#room = 0;
	#work: Promise<void> | undefined;
	#newest = '';
	readonly #stamped = new Set<string>();
	#stampsBegan = 0;

	constructor(folder: CacheFolder, {maxBytes, now, onEvicted}: BoundOptions) {
		this.#folder = folder;
		this.#maxBytes = maxBytes;
		this.#now = now;
		this.#onEvicted = onEvicted;
	}

	/** Never waits, and never throws. */
	afterSet(path: string, bytes: number): void {
		this.#newest = path;
		this.#stamped.delete(path);
		this.#room -= bytes;
		if (this.#room < 0) {
			this.#work ??= this.#measure();
		}
	}

	/** A read file is a used one; it is stamped once a minute at most. */
	afterGet(path: string): void {
		const now = this.#now();
		if (Math.abs(now - this.#stampsBegan) >= stampPause) {
			this.#stamped.clear();
			this.#stampsBegan = now;
		}

		if (this.#stamped.has(path)) {
			return;
		}

		this.#stamped.add(path);
		stamp(path, now);
	}

	/** Resolves when nothing is being measured or removed. */
	async idle(): Promise<void> {
		await this.#work;
	}

	async #measure(): Promise<void> {
		do {
			// What is written from now on may be missed.
			this.#room = 0;
			let left = 0;
			try {
				const files = await this.#list(); // eslint-disable-line no-await-in-loop
				const total = files.reduce((sum, {bytes}) => sum + bytes, 0);
				left = this.#maxBytes - (total > this.#maxBytes ? await this.#evict(await this.#own(files)) : total); // eslint-disable-line no-await-in-loop
			} catch {
				// The next measure may succeed.
			}

			this.#room += Math.max(left / 4, this.#maxBytes / 100);
		} while (this.#room < 0);

		this.#work = undefined;
	}

	/** By their names alone, which is faster: only where they are too much they need be told from those of others. */
	async #list(): Promise<Used[]> {
		const files: Used[] = [];
		for (const fanOut of this.#folder.fanOuts()) {
			await nextTurn(); // eslint-disable-line no-await-in-loop
			for (const path of this.#folder.entriesIn(fanOut)) {
				const stats = fileAt(path);
				if (stats !== undefined) {
					files.push({path, bytes: stats.size, time: stats.mtimeMs});
				}
			}
		}

		return files;
	}

	/** Those that are ours, that which was not used for longest first. */
	async #own(files: readonly Used[]): Promise<OwnUsed[]> {
		const own: OwnUsed[] = [];
		const now = this.#now();
		for (const [index, file] of files.entries()) {
			if (index % filesPerTurn === 0) {
				await nextTurn(); // eslint-disable-line no-await-in-loop
			}

			const head = this.#folder.headOf(file.path);
			if (head === undefined) {
				continue;
			}

			// The clock has been set back: from now on the file grows old like any other.
			const isFromFuture = file.time > now + stampPause;
			if (isFromFuture) {
				stamp(file.path, now);
			}

			own.push({...file, time: isFromFuture ? now : file.time, isEntry: head.isEntry});
		}

		return own.toSorted((a, b) => a.time - b.time);
	}

	async #evict(files: readonly OwnUsed[]): Promise<number> {
		const newest = files.find(({path}) => path === this.#newest);
		const others = files.filter(file => file !== newest);
		const target = this.#maxBytes - ((1 - share) * (this.#maxBytes - (newest?.bytes ?? 0)));
		let left = files.reduce((sum, {bytes}) => sum + bytes, 0);
		if (left <= this.#maxBytes) {
			return left;
		}

		// What was set without `indexed` leaves last, and only if it must: entries need it, and it is read more seldom than they.
		for (const [index, {path, bytes, isEntry}] of [...others.filter(file => file.isEntry), ...others.filter(file => !file.isEntry)].entries()) {
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

function stamp(path: string, now: number): void {
	try {
		utimesSync(path, now / 1000, now / 1000);
	} catch {
		// Another process has removed it, or owns it.
	}
}
